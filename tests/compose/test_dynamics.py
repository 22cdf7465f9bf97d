"""Levels: what the energy asks for is reached whatever the players do, and room before hits is made only where it is due."""

from collections.abc import Callable

import numpy as np
import pytest
from briefs_to_compose import full_brief

from reelscore.brief import Brief, Key
from reelscore.compose.accents import BREATH, STRONG, Hit, make_room
from reelscore.compose.arrange import Draft
from reelscore.compose.casting import Chair
from reelscore.compose.dynamics import breath_curve, last_breath, section_curve, written_curve
from reelscore.compose.form import Form, lay_out
from reelscore.compose.harmony import spell
from reelscore.compose.score import Note
from reelscore.compose.style import Layer, Role


def form_of(brief: Brief) -> Form:
    assert brief.tempo_map is not None
    return lay_out(brief, brief.tempo_map)


def draft_of(role: Role, instrument: str, notes: list[Note]) -> Draft:
    layer = Layer("Player", role, (instrument,), lambda *_: [], gain_db=0.0)
    return Draft(Chair(layer, "Player", instrument, 30, 90, 0.0, 1.01), notes)


def playing(form: Form, loudness: Callable[[float], float]) -> Draft:
    """One held note a beat; `loudness` gives the velocity at an energy."""
    notes = [
        Note(form.tempo_map.time_at(beat), 0.5, 60, loudness(phrase.energy))
        for phrase in form.phrases
        for beat in range(int(phrase.start), int(phrase.end))
    ]
    return draft_of("pad", "strings", notes)


def level_at(curve: list[tuple[float, float]], time: float) -> float:
    return float(np.interp(time, [when for when, _ in curve], [level for _, level in curve]))


def hit(time: float, strength: float, breath: float) -> Hit:
    return Hit(time, strength, spell("I", Key.parse("C major")), 0.6, breath)


@pytest.mark.parametrize("gain", [0.3, 0.5, 0.7])
def test_sections_are_taken_to_their_loudness_whatever_the_players_do(gain: float) -> None:
    form = form_of(full_brief())
    quiet, loud = 3.0, 40.0

    def heard(loudness: Callable[[float], float]) -> float:
        curve = section_curve(form, [playing(form, loudness)], 8.0)
        played_db = 30.0 * np.log10(loudness(0.95) / loudness(0.3))
        return float(played_db + level_at(curve, loud) - level_at(curve, quiet))

    assert heard(lambda _: gain) == pytest.approx(8.0, abs=1.5)
    assert heard(lambda energy: gain * (0.5 + 0.5 * energy)) == pytest.approx(8.0, abs=1.5)


def test_no_section_is_raised_above_the_gain_table() -> None:
    form = form_of(full_brief())
    curve = section_curve(form, [playing(form, lambda energy: 1.0 - 0.5 * energy)], 8.0)
    assert max(level for _, level in curve) <= 1.5


def test_the_written_curve_spans_what_is_asked() -> None:
    form = form_of(full_brief())
    curve = written_curve(form, 8.0)
    assert level_at(curve, 40.0) - level_at(curve, 3.0) == pytest.approx(8.0, abs=0.2)


def test_the_music_dips_deeply_only_before_strong_hits() -> None:
    def deepest(strength: float, breath: float) -> float:
        return min((level for _, level in breath_curve([hit(4.0, strength, breath)])), default=0.0)

    assert deepest(0.3, 0.0) == 0.0
    assert -3.0 <= deepest(0.5, 0.15) < 0.0
    assert deepest(0.9, BREATH) < deepest(0.5, 0.15)
    assert level_at(breath_curve([hit(4.0, 0.9, BREATH)]), 4.0) == 0.0


@pytest.mark.parametrize("strength", [0.2, 0.5])
def test_gentle_hits_leave_chords_and_figures_alone(strength: float) -> None:
    held, figure = Note(3.0, 2.0, 60, 0.6), Note(3.9, 0.3, 67, 0.6)
    drafts = [draft_of("pad", "strings", [held]), draft_of("figure", "grand piano", [figure])]
    make_room(drafts, [hit(4.0, strength, 0.0)], ending=20.0)
    assert [draft.notes for draft in drafts] == [[held], [figure]]


def test_chords_are_struck_anew_with_a_strong_hit_and_figures_make_way() -> None:
    drafts = [
        draft_of("pad", "strings", [Note(3.0, 2.0, 60, 0.6)]),
        draft_of("figure", "grand piano", [Note(3.93, 0.3, 67, 0.6)]),
    ]
    make_room(drafts, [hit(4.0, STRONG, BREATH)], ending=20.0)
    before, after = drafts[0].notes
    assert 0.0 < 4.0 - (before.start + before.duration) <= BREATH
    assert after.start == 4.0 and after.start + after.duration == pytest.approx(5.0)
    assert drafts[1].notes == []


@pytest.mark.parametrize(("offset", "strength"), [(-0.045, 0.3), (0.045, 0.3), (0.1, 0.9), (-0.05, 0.9)])
def test_what_belongs_to_the_beat_of_a_hit_starts_with_it(offset: float, strength: float) -> None:
    roles: tuple[Role, ...] = ("lead", "kit", "bass", "pulse", "pad")
    drafts = [draft_of(role, "grand piano", [Note(4.0 + offset, 0.5, 60, 0.6)]) for role in roles]
    make_room(drafts, [hit(4.0, strength, 0.1)], ending=20.0)
    assert all([note.start for note in draft.notes] == [4.0] for draft in drafts)


@pytest.mark.parametrize("sustained", [True, False])
def test_the_last_chord_dies_away_to_the_last_frame(sustained: bool) -> None:
    form = form_of(full_brief())
    curve = last_breath(form, sustained)
    assert curve[0][1] == 0.0 and curve[0][0] > form.ending
    assert curve[-1] == (pytest.approx(form.duration), pytest.approx(-66.0))
    levels = [level for _, level in curve]
    assert levels == sorted(levels, reverse=True)
