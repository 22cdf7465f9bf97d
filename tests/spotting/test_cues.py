"""Which moments are hits: the film's truth, budgeted."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_films import FIVE_SCENES, analyses, cut_at, film, shot

from reelscore.analysis.facts import Peak, Speech
from reelscore.errors import InputError
from reelscore.spotting.cues import STRONG, cues_for, with_ending
from reelscore.spotting.sections import divide, turns
from reelscore.tempo import TempoMap


def cued(analysis, person=()):
    return cues_for(analysis, divide(analysis.duration, turns(analysis, 2.5)), person)


def test_scenes_are_strong_and_small_cuts_weak():
    assert [(c.time, c.kind, c.strength >= STRONG) for c in cued(FIVE_SCENES)] == [
        (6, "scene", True),
        (9, "cut", False),
        (10, "cut", False),
        (13, "scene", True),
        (20, "scene", True),
    ]


def test_strong_cues_leave_each_other_room():
    cues = cued(cut_at([n * 0.8 for n in range(1, 37)], 30, change=0.9))
    strong = [c.time for c in cues if c.strength >= STRONG and c.kind != "scene"]
    assert strong and all(b - a >= 2.0 for a, b in pairwise(strong))
    assert all(c.strength < 0.4 or c.strength >= STRONG for c in cues)


def test_very_fast_cutting_is_hit_in_groups():
    cues = cued(cut_at([n * 0.4 for n in range(1, 75)], 30, change=0.5))
    times = [c.time for c in cues]
    assert 10 <= len(times) <= 31
    assert all(b - a >= 0.99 for a, b in pairwise(times))


def test_what_the_person_asks_for_is_always_there_and_strongest():
    cues = cued(FIVE_SCENES, (0.0, 6.1, 6.2, 30.0))
    assert [(c.time, c.strength) for c in cues if c.kind == "person"] == [(0, 1), (6.1, 1), (6.2, 1), (30, 1)]


@pytest.mark.parametrize("time", [-0.5, 30.5, float("nan")])
def test_a_cue_outside_the_film_is_refused_by_its_value(time):
    with pytest.raises(InputError, match=rf"{time:g} s is outside the film; give times from 0 to 30.00 s"):
        cued(FIVE_SCENES, (time,))


def test_movement_counts_where_nothing_else_is_near():
    moving = FIVE_SCENES.model_copy(update={"peaks": (Peak(time=3.0, strength=0.9), Peak(time=6.2, strength=1.0))})
    assert [c.time for c in cued(moving) if c.kind == "motion"] == [3.0]


def test_cuts_in_a_talk_and_dissolves_count_less():
    def strength(analysis):
        return next(c.strength for c in cued(analysis) if c.kind == "cut")

    plain = film([shot(0, 3), shot(3, 7, 0.5)], 7)
    talk = plain.model_copy(update={"speech": (Speech(start=1, end=6),)})
    soft = film([shot(0, 3), shot(3, 7, 0.5, opens_with="dissolve")], 7)
    assert strength(talk) < strength(plain) and strength(soft) < strength(plain)


@pytest.mark.parametrize("duration", [0.5, 1.0, 3.0, 5.9, 8.0, 30.0, 139.4])
def test_the_final_chord_has_time_to_ring(duration):
    tempo_map = TempoMap.steady(96, duration)
    (ending,) = with_ending((), duration, tempo_map)
    assert ending.kind == "ending" and ending.strength == 1.0
    assert min(2.0, 0.35 * duration) - 1e-9 <= duration - ending.time <= min(4.6, 0.65 * duration)


def test_the_final_chord_falls_on_a_downbeat_or_on_a_late_cut():
    tempo_map = TempoMap.steady(100, 30)
    (ending,) = with_ending((), 30, tempo_map)
    assert ending.grid == "downbeat" and ending.time in tempo_map.downbeats
    late = cued(cut_at([10, 20, 27.6], 30, change=0.3))[-1].model_copy(update={"grid": "beat"})
    assert late.time == 27.6 and late.kind == "cut"
    assert [(c.time, c.kind) for c in with_ending((late,), 30, tempo_map)] == [(27.6, "ending")]


def test_weak_cuts_after_the_final_chord_are_let_go_but_not_what_the_person_asked_for():
    cues = cued(cut_at([28.9, 29.3], 30, change=0.2), (29.5,))
    kinds = [c.kind for c in with_ending(cues, 30, TempoMap.steady(100, 30))]
    assert kinds == ["ending", "person"]


@settings(max_examples=60, deadline=None)
@given(analyses(), st.lists(st.floats(0, 1), max_size=4))
def test_cues_of_any_film_are_true_sorted_and_whole(analysis, shares):
    person = [share * analysis.duration for share in shares]
    division = divide(analysis.duration, turns(analysis, 2.5))
    cues = cues_for(analysis, division, person)
    true = {*person, *(s.start for s in analysis.shots), *(p.time for p in analysis.peaks)}
    assert {c.time for c in cues} <= true and set(person) <= {c.time for c in cues}
    assert [c.time for c in cues] == sorted(c.time for c in cues)
    finished = with_ending(cues, analysis.duration, TempoMap.steady(90, analysis.duration))
    assert [c.kind for c in finished].count("ending") == 1
    assert 0 <= next(c.time for c in finished if c.kind == "ending") < analysis.duration
