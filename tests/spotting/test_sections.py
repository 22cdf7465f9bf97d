"""Sections at changes of scene, and the form that they make."""

import pytest
from hypothesis import given, settings
from made_films import FIVE_SCENES, analyses, cut_at, film, shot

from reelscore.spotting.emotion import Emotion
from reelscore.spotting.form import dynamics_of, letters, sections_of, stretches
from reelscore.spotting.sections import SHORTEST, divide, on_downbeats, turns
from reelscore.tempo import TempoMap

EVEN = Emotion(0.1, 0.0, 0.2)
BAR = 2.5


def sectioned(analysis, wanted=EVEN, energy=None):
    division = divide(analysis.duration, turns(analysis, BAR))
    return sections_of(stretches(analysis, division), wanted, dynamics_of(wanted, energy))


def starts(analysis):
    return [turn.time for turn in divide(analysis.duration, turns(analysis, BAR))]


def test_sections_begin_at_changes_of_scene_and_not_at_each_cut():
    assert starts(FIVE_SCENES) == [0, 6, 13, 20]


def test_a_dissolve_says_more_than_a_cut_and_a_known_view_less():
    def strength(**seen):
        later = shot(10, 20, 0.4).model_copy(update=seen)
        return turns(film([shot(0, 10), later], 20), BAR)[0].strength

    assert strength(opens_with="dissolve") > strength() > strength(returns_to=0)


def test_scenes_closer_than_four_seconds_make_one_section():
    sections = sectioned(cut_at([n * 1.5 for n in range(1, 20)], 30, change=0.9))
    assert all(section.end - section.start >= SHORTEST for section in sections)
    assert len(sections) >= 3


def test_short_films_have_one_section():
    assert starts(cut_at([2, 4], 7, change=1.0)) == [0]


def test_a_static_film_is_divided_after_phrases_and_develops():
    static = cut_at([], 139.4, motion=0.05)
    division = divide(static.duration, turns(static, BAR))
    assert all(turn.free for turn in division[1:])
    assert all(turn.time % (2 * BAR) == pytest.approx(0, abs=1e-6) for turn in division)
    sections = sectioned(static)
    assert 4 <= len(sections) <= 10
    assert all(12 <= section.end - section.start <= 45 for section in sections)
    assert max(s.energy for s in sections) - min(s.energy for s in sections) >= 0.4
    assert len({s.letter for s in sections}) >= 2


def test_half_an_hour_without_a_cut_has_many_waves_and_one_climax():
    sections = sectioned(cut_at([], 1800, motion=0.05))
    assert all(section.end - section.start <= 45 for section in sections)
    assert [s.role for s in sections].count("climax") == 1
    assert [s.role for s in sections].count("breakdown") >= 5
    assert len({s.letter for s in sections}) == 4


def test_a_new_movement_in_a_long_shot_draws_the_section_to_it():
    moving = film([shot(0, 60, motion=0.0)], 60)
    motion = tuple(0.0 if n < 55 else 0.8 for n in range(len(moving.curves.motion)))
    moving = moving.model_copy(update={"curves": moving.curves.model_copy(update={"motion": motion})})
    assert min(abs(start - 27.5) for start in starts(moving)) <= BAR


def test_what_a_person_wants_hit_may_begin_a_section():
    static = cut_at([], 60, motion=0.05)
    assert 21.3 in [turn.time for turn in divide(60, turns(static, BAR, (21.3,)))]


def test_energy_follows_the_film():
    sections = sectioned(FIVE_SCENES)
    assert [s.role for s in sections][:2] == ["intro", "climax"]
    assert sections[1].energy == max(s.energy for s in sections) >= 0.85
    assert min(s.energy for s in sections) <= 0.35


def test_calm_films_use_less_of_the_range():
    calm, lively = (sectioned(FIVE_SCENES, Emotion(0.1, arousal, 0.2)) for arousal in (-0.7, 0.5))
    assert max(s.energy for s in calm) < 0.75 < 0.9 < max(s.energy for s in lively)
    asked = sectioned(FIVE_SCENES, EVEN, energy=-1.0)
    assert max(s.energy for s in asked) < max(s.energy for s in sectioned(FIVE_SCENES))


def test_the_climax_comes_late_when_the_film_does_not_mind():
    sections = sectioned(cut_at([10, 20, 30, 40, 50], 60, change=0.9))
    climax = next(s for s in sections if s.role == "climax")
    assert climax.start >= 20
    assert sections[-1].role == "outro" and sections[0].role == "intro"


def test_a_dip_before_the_climax_is_a_breakdown():
    motions = [0.2, 0.5, 0.05, 0.9, 0.2]
    dip = film([shot(12 * n, 12 * n + 12, 0.9, motion=m) for n, m in enumerate(motions)], 60)
    assert [s.role for s in sectioned(dip)] == ["intro", "theme", "breakdown", "climax", "outro"]


def test_like_pictures_share_a_letter():
    dark, light = {"brightness": 0.1, "saturation": 0.1}, {"brightness": 0.8, "saturation": 0.7}
    looks = [dark, light, dark, light]
    scenes = film([shot(10 * n, 10 * n + 10, 0.9, **look) for n, look in enumerate(looks)], 40)
    division = divide(40, turns(scenes, BAR))
    assert letters(stretches(scenes, division)) == ["A", "B", "A", "B"]


def test_free_beginnings_move_to_downbeats_and_scenes_stay():
    static = cut_at([33.3], 70, change=1.0)
    division = divide(70, turns(static, BAR))
    sections = on_downbeats(sectioned(static), division, TempoMap.steady(83.0, 70))
    downbeats = TempoMap.steady(83.0, 70).downbeats
    assert 33.3 in [s.start for s in sections]
    for section, turn in zip(sections[1:], division[1:], strict=True):
        assert turn.free == (min(abs(section.start - beat) for beat in downbeats) < 1e-9)
    assert [s.end for s in sections[:-1]] == [s.start for s in sections[1:]]


@settings(max_examples=60, deadline=None)
@given(analyses())
def test_any_film_has_a_form(analysis):
    sections = sectioned(analysis)
    assert sections[0].start == 0 and sections[-1].end == analysis.duration
    assert [s.end for s in sections[:-1]] == [s.start for s in sections[1:]]
    if analysis.duration >= 8:
        assert all(s.end - s.start >= SHORTEST - 1e-9 for s in sections)
    roles = [s.role for s in sections]
    assert roles.count("climax") == 1 if len(roles) >= 3 else roles.count("climax") <= 1
    if "climax" in roles:
        assert sections[roles.index("climax")].energy == max(s.energy for s in sections)
    named = [s.letter for s in sections]
    assert not any(a == b == c for a, b, c in zip(named, named[1:], named[2:], strict=False))
