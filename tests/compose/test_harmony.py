"""Chords, cadences and voice leading, against the theory they follow."""

from itertools import pairwise

import numpy as np
import pytest

from reelscore.brief import MODES, Key, Section
from reelscore.compose import styles
from reelscore.compose.form import Bar, Phrase
from reelscore.compose.harmony import (
    Chord,
    coloured_mode,
    feeling_of,
    into_range,
    near,
    scale_of,
    spell,
    voicing,
    write_chords,
)
from reelscore.compose.progressions import PROGRESSIONS
from reelscore.vocabulary import GENRES


@pytest.mark.parametrize(
    ("numeral", "key", "tones"),
    [
        ("I", "C major", {0, 4, 7}), ("i", "A minor", {9, 0, 4}), ("bVI", "A minor", {5, 9, 0}),
        ("V", "A minor", {4, 8, 11}), ("bII", "E phrygian", {5, 9, 0}), ("V/V", "C major", {2, 6, 9, 0}),
        ("vii", "C lydian", {11, 2, 6}), ("#iv°", "C minor", {6, 9, 0}), ("Vsus4", "G major", {2, 7, 9}),
    ],
)  # fmt: skip
def test_numerals_are_spelt(numeral: str, key: str, tones: set[int]) -> None:
    assert set(spell(numeral, Key.parse(key)).tones) == tones


def test_a_bad_numeral_is_a_defect() -> None:
    with pytest.raises(ValueError, match="numeral"):
        spell("Q", Key(0, "major"))


def test_the_scale_over_a_chord_bends_to_its_leading_note() -> None:
    dominant = spell("V", Key.parse("A minor"))
    assert 8 in dominant.scale and 7 not in dominant.scale
    assert spell("i", Key.parse("A minor")).scale == set(scale_of(Key.parse("A minor")))


@pytest.mark.parametrize("mode", MODES)
def test_every_progression_of_every_mode_and_style_can_be_spelt(mode: str) -> None:
    own = [text for genre in GENRES for text in (*styles.find(genre).bright, *styles.find(genre).dark)]
    texts = own + [text for feeling in PROGRESSIONS[mode].values() for text in feeling]
    for colour in ("triad", "add9", "seventh", "ninth", "sus", "power", "dark"):
        for numeral in {numeral for text in texts for numeral in text.split()}:
            chord = spell(numeral, Key(3, mode), colour)
            assert len(set(chord.tones)) == len(chord.tones) >= 2
            assert set(chord.tones[:3]) <= chord.scale and len(chord.scale) >= 6


def phrase_of(bars: int, *, next_role: str | None, closes_piece: bool = False) -> Phrase:
    return Phrase(
        section=Section(start=0, end=10), section_number=0, bars=tuple(Bar(4 * n, 4.0, 4) for n in range(bars)),
        number=0, of=1, place=0, energy=0.5, energy_to=0.5, opens_piece=True, closes_piece=closes_piece, next_role=next_role,
    )  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(8))
def test_a_phrase_into_a_climax_stops_on_the_threshold(mode: str, seed: int) -> None:
    key = Key(0, mode)
    rng = np.random.default_rng(seed)
    chords = write_chords(phrase_of(4, next_role="climax"), ("I", "IV", "I", "IV"), key, "triad", 1, 0, rng)
    assert chords[-1].root != 0
    assert chords[0].start == 0 and chords[-1].end == 16
    assert all(before.end == after.start for before, after in pairwise(chords))


@pytest.mark.parametrize("mode", MODES)
def test_the_last_phrase_leads_home(mode: str) -> None:
    rng = np.random.default_rng(1)
    home = {
        "major": {5, 7},
        "mixolydian": {5, 10},
        "lydian": {2, 7},
        "dorian": {5, 10},
        "minor": {7, 10},
        "phrygian": {1},
    }
    chords = write_chords(phrase_of(4, next_role=None, closes_piece=True), ("I",), Key(0, mode), "triad", 1, 0, rng)
    assert chords[-1].root in home[mode]


def test_voices_move_little_and_stay_clear_below() -> None:
    for mode, table in PROGRESSIONS.items():
        for text in [text for feeling in table.values() for text in feeling]:
            held: tuple[int, ...] = ()
            moves: list[float] = []
            for numeral in text.split() * 2:
                pitches = voicing(spell(numeral, Key(2, mode), "add9").tones, 4, 45, 72, held)
                assert len(pitches) >= 3 and pitches == tuple(sorted(pitches))
                assert all(b - a >= 5 for a, b in pairwise(pitches) if a < 48), pitches
                if held:
                    moves.append(np.mean([min(abs(pitch - old) for old in held) for pitch in pitches]))
                held = pitches
            assert np.mean(moves) <= 2.6, (text, moves)


def test_modes_brighten_and_darken_round_the_same_home() -> None:
    assert coloured_mode("minor", 0.1, 0.0) == "minor"
    assert coloured_mode("minor", 0.6, 0.0) == "dorian"
    assert coloured_mode("major", -0.6, 0.0) == "mixolydian"
    assert coloured_mode("major", -1.0, 0.2) == "minor"
    assert coloured_mode("minor", 1.0, -0.5) == "major"


def test_feelings() -> None:
    assert feeling_of(Section(start=0, end=1, tension=0.9, valence=-0.5)) == "tense"
    assert feeling_of(Section(start=0, end=1, valence=0.6, arousal=0.5)) == "bright"
    assert feeling_of(Section(start=0, end=1, valence=-0.6, arousal=-0.5)) == "sad"


def test_pitches_find_their_octave() -> None:
    assert near(0, 59) == 60 and near(11, 60) == 59
    assert into_range(30, 48, 60) == 54 and into_range(100, 48, 60) == 52
    assert isinstance(spell("I", Key(0, "major")), Chord)
