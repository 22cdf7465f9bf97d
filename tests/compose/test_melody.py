"""The motif and what becomes of it; the tune against its chords; a given melody recognised again."""

from itertools import pairwise

import numpy as np
import pytest
from briefs_to_compose import full_brief

from reelscore.brief import MODES, Key
from reelscore.compose import Melody, MelodyNote, compose, styles
from reelscore.compose.arrange import dice_for, make_plan
from reelscore.compose.form import Form, lay_out
from reelscore.compose.given import harmonise, key_of, theme_of
from reelscore.compose.melody import (
    Density,
    Motif,
    Taste,
    Tone,
    fit_lengths,
    fragment,
    invent,
    inverted,
    moved,
    ornamented,
    stretched,
)
from reelscore.tempo import TempoMap
from reelscore.vocabulary import GENRES

HEAD = (Tone(0.0, 1.0, 0), Tone(1.0, 0.5, 2), Tone(1.5, 0.5, 1), Tone(2.0, 2.0, -1))


def test_operations_on_a_motif() -> None:
    assert [tone.step for tone in inverted(HEAD)] == [0, -2, -1, 1]
    assert inverted(inverted(HEAD)) == HEAD
    assert [tone.beat for tone in stretched(HEAD, 2)] == [0.0, 2.0, 3.0, 4.0]
    assert [tone.step for tone in moved(HEAD, 4, 2)] == [2, 4, 3, 1]
    assert [tone.length for tone in fragment(HEAD, 2.5)] == [1.0, 0.5, 0.5, 0.5]
    assert len(ornamented(HEAD)) == len(HEAD) + 1
    assert fit_lengths((2, 1, 1), 3) == (2.0, 1.0) and fit_lengths((2, 1), 5) == (2.0, 1.0, -2.0)


@pytest.mark.parametrize("density", ["slow", "medium", "lively", "syncopated"])
@pytest.mark.parametrize("metre", [1, 2, 3, 4, 5, 7])
def test_every_motif_fills_its_metre_and_is_a_tune(density: Density, metre: int) -> None:
    for seed in range(12):
        motif = invent(Taste(density), metre, np.random.default_rng(seed))
        for cell in (motif.head, motif.tail):
            assert cell and all(tone.beat >= 0 and tone.beat + tone.length <= metre + 1e-9 for tone in cell)
        if metre == 4:
            assert len({tone.step for tone in (*motif.head, *motif.tail)}) >= 2


def sheets_of(genre: str, seed: int) -> tuple[Motif, Form, list]:
    brief = full_brief(genre)
    assert brief.tempo_map is not None
    form = lay_out(brief, brief.tempo_map)
    style = styles.find(genre)
    motif = invent(style.taste, 4, dice_for(seed, "motif"))
    return motif, form, list(make_plan(brief, form, style, motif, seed).sheets)


@pytest.mark.parametrize("genre", sorted(GENRES))
def test_tunes_are_singable_and_fit_their_chords(genre: str) -> None:
    leaps, stays, strong, fitting, climax_top, other_top = [], [], 0, 0, 0, 0
    for seed in range(4):
        _, _, sheets = sheets_of(genre, seed)
        for sheet in sheets:
            pitches = [note.pitch for note in sheet.tune]
            leaps += [abs(b - a) for a, b in pairwise(pitches)]
            stays += [b == a for a, b in pairwise(pitches)]
            for note in sheet.tune:
                chord = max((c for c in sheet.chords if c.start <= note.beat + 1e-6), key=lambda c: c.start)
                assert note.pitch % 12 in chord.scale
                if note.beat in [bar.first for bar in sheet.phrase.bars]:
                    strong += 1
                    fitting += note.pitch % 12 in chord.tones
            if pitches and sheet.phrase.section.role == "climax":
                climax_top += max(pitches)
            if pitches and sheet.phrase.section.role == "theme":
                other_top += max(pitches)
    assert max(leaps) <= 14 and np.mean(leaps) < 4.0
    assert np.mean(stays) < 0.35
    assert fitting / strong > 0.85
    assert climax_top > 0 and other_top > 0


@pytest.mark.parametrize("genre", ["cinematic", "folk", "rock", "jazz", "classical"])
def test_the_motif_returns_in_the_climax(genre: str) -> None:
    motif, _, sheets = sheets_of(genre, 3)
    rhythm = [tone.beat for tone in motif.head]
    for role in ("theme", "climax"):
        sheet = next(sheet for sheet in sheets if sheet.phrase.section.role == role)
        first = sheet.phrase.bars[0].first
        sung = [note.beat - first for note in sheet.tune if note.beat < first + 4]
        assert set(rhythm) <= set(sung)


def test_phrases_breathe() -> None:
    for genre in GENRES:
        _, _, sheets = sheets_of(genre, 1)
        for sheet in sheets:
            if sheet.phrase.section.role == "theme" and sheet.tune:
                sung = sum(note.length for note in sheet.tune)
                assert sung <= 0.97 * (sheet.phrase.end - sheet.phrase.start) * max(styles.find(genre).taste.held, 1)


ODE = [(0, 1, 64), (1, 1, 64), (2, 1, 65), (3, 1, 67), (4, 1, 67), (5, 1, 65), (6, 1, 64), (7, 1, 62), (8, 1, 60),
       (9, 1, 60), (10, 1, 62), (11, 1, 64), (12, 1.5, 64), (13.5, 0.5, 62), (14, 2, 62), (16, 1, 64), (17, 1, 62),
       (18, 1, 60), (19, 1, 60)]  # fmt: skip
MELODY = Melody(tuple(MelodyNote(float(beat), float(length), pitch) for beat, length, pitch in ODE))


def test_the_key_of_a_melody_is_found() -> None:
    assert key_of(MELODY) == Key(0, "major")
    up = Melody(tuple(MelodyNote(note.beat, note.length, note.pitch + 7) for note in MELODY.notes))
    assert key_of(up) == Key(7, "major")


@pytest.mark.parametrize("mode", MODES)
def test_a_melody_is_harmonised(mode: str) -> None:
    chords = harmonise(theme_of(MELODY, 4), mode)
    assert len(chords) == 5 and chords[0] in ("I", "i")


@pytest.mark.parametrize("genre", ["cinematic", "rock", "jazz", "ambient"])
@pytest.mark.parametrize("key", ["D major", "F minor"])
def test_a_given_melody_is_recognised(genre: str, key: str) -> None:
    score = compose(full_brief(genre, key=key), 1, MELODY)
    in_theme = sorted(
        (note.start, note.pitch)
        for part in score.parts
        if part.role == "lead"
        for note in part.notes
        if 9 < note.start < 19
    )
    steps = [int(np.sign(b[1] - a[1])) for a, b in pairwise(in_theme)]
    wanted = [int(np.sign(b[2] - a[2])) for a, b in pairwise(ODE)][:10]
    assert any(steps[at : at + 10] == wanted for at in range(len(steps) - 9)), (steps, wanted)
    tonic = Key.parse(key).tonic
    assert {pitch % 12 for _, pitch in in_theme} <= {(tonic + step) % 12 for step in range(12)}


def test_a_melody_in_three_flows_over_bars_of_four() -> None:
    waltz = Melody(tuple(MelodyNote(float(n), 1.0, 60 + [0, 4, 7, 5, 4, 2][n % 6]) for n in range(12)), 3)
    theme = theme_of(waltz, 4)
    assert [len(bar) for bar in theme.bars] == [4, 4, 4]
    assert theme.motif().metre == 4
    assert theme_of(waltz, 3).motif().tail[0].step == 3


def test_an_odd_metre_film_takes_a_melody_and_one_without_bars_to_spare() -> None:
    brief = full_brief("folk")
    short = brief.model_copy(update={"tempo_map": TempoMap.steady(100, 52, 3)})
    assert any(part.role == "lead" for part in compose(short, 1, MELODY).parts)
