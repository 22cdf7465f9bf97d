"""Scenes out of sections, and how much music is made for each."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelscore.brief import Brief, Section
from reelscore.engines.musicgen.options import Options
from reelscore.engines.musicgen.plan import LEAST_SCENE, OVERRUN, Plan, plan_for, scenes_of, whole_seconds
from reelscore.finish.joining import REACH

RATE = 50


def brief_of(*lengths: float, words: bool = True, energies: tuple[float, ...] = ()) -> Brief:
    """Sections of these lengths, each told its number."""
    sections, start = [], 0.0
    for number, length in enumerate(lengths):
        energy = energies[number] if energies else 0.5
        told = f"scene {number}" if words else ""
        sections.append(Section(start=start, end=start + length, instruction=told, energy=energy))
        start = sections[-1].end
    return Brief(duration=start, sections=tuple(sections))


def told(brief: Brief) -> list[tuple[float, float, str]]:
    return [(scene.start, scene.end, scene.prompt.own) for scene in scenes_of(brief)]


def test_every_section_is_a_scene() -> None:
    assert told(brief_of(5.0, 7.5)) == [(0.0, 5.0, "scene 0"), (5.0, 12.5, "scene 1")]


def test_a_short_section_goes_to_the_neighbour_that_is_nearer_in_energy() -> None:
    brief = brief_of(5.0, 1.0, 6.0, energies=(0.1, 0.7, 0.8))
    assert told(brief) == [(0.0, 5.0, "scene 0"), (5.0, 12.0, "scene 2")]


def test_short_sections_add_up_until_they_are_long_enough() -> None:
    scenes = scenes_of(brief_of(1.0, 1.5, 1.0, 1.2, 1.0, 9.0))
    assert all(scene.end - scene.start >= LEAST_SCENE for scene in scenes)
    assert (scenes[0].start, scenes[-1].end) == (0.0, 14.7)


def test_a_blink_is_one_scene() -> None:
    assert told(brief_of(0.2, 0.3)) == [(0.0, 0.5, "scene 1")]


def test_neighbours_that_are_told_the_same_are_one_scene() -> None:
    brief = brief_of(5.0, 5.0, words=False)
    assert [(scene.start, scene.end) for scene in scenes_of(brief)] == [(0.0, 10.0)]


def seconds(plan: Plan) -> list[tuple[float, float]]:
    return [(part.known / RATE, part.made / RATE) for part in plan.parts]


def test_a_scene_goes_on_from_the_tail_and_beyond_its_end() -> None:
    plan = plan_for(brief_of(5.0, 20.0, 10.0), Options(context=8.0), RATE)
    assert plan.theme is None
    assert seconds(plan) == [(0.0, 5.0 + OVERRUN), (4.0, 20.0 + REACH + OVERRUN), (8.0, 10.0 + REACH)]
    assert plan.total == round((35.0 + 2 * (REACH + OVERRUN)) * RATE)


def test_a_scene_goes_on_from_a_theme() -> None:
    plan = plan_for(brief_of(5.0, 20.0, 10.0), Options(carry="theme", context=8.0), RATE)
    assert plan.theme
    assert (plan.theme.length, plan.theme.made) == (8 * RATE, round((8 + OVERRUN) * RATE))
    assert "scene" not in plan.theme.prompt.text
    assert seconds(plan) == [(7.0, 5.0 + OVERRUN), (7.0, 20.0 + 2 * REACH + OVERRUN), (7.0, 10.0 + 2 * REACH)]


def test_a_single_scene_needs_no_theme() -> None:
    plan = plan_for(brief_of(5.0), Options(carry="theme"), RATE)
    assert plan.theme is None
    assert seconds(plan) == [(0.0, 5.0)]


def test_scenes_that_nothing_is_carried_to_go_on_from_nothing() -> None:
    plan = plan_for(brief_of(5.0, 5.0), Options(carry="nothing"), RATE)
    assert [part.known for part in plan.parts] == [0, 0]


def test_as_published_scenes_last_whole_seconds_and_none_is_left_out() -> None:
    plan = plan_for(brief_of(5.4, 0.3, 2.6), Options(as_published=True), RATE)
    assert seconds(plan) == [(0.0, 5.0), (0.0, 1.0), (0.0, 3.0)]
    assert [whole_seconds(part.scene) for part in plan.parts] == [5, 1, 3]
    assert [part.scene.prompt.text for part in plan.parts] == ["scene 0", "scene 1", "scene 2"]
    assert plan.context == 12 * RATE


def test_no_window_is_longer_than_what_the_model_learned() -> None:
    assert plan_for(brief_of(90.0), Options(), RATE).longest == 1500
    assert plan_for(brief_of(9.0), Options(), RATE).longest == 450


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(0.05, 40.0), min_size=1, max_size=12),
    st.sampled_from(["tail", "theme", "nothing"]),
    st.floats(2.0, 25.0),
)
def test_whatever_the_sections_there_is_music_wherever_joins_move(
    lengths: list[float], carry: str, context: float
) -> None:
    brief = brief_of(*lengths)
    plan = plan_for(brief, Options(carry=carry, context=context), RATE)
    scenes = [part.scene for part in plan.parts]
    assert (scenes[0].start, scenes[-1].end) == (0.0, pytest.approx(brief.duration))
    assert all(before.end == after.start for before, after in pairwise(scenes))
    assert len(scenes) == 1 or min(scene.end - scene.start for scene in scenes) >= LEAST_SCENE
    for part in plan.parts:
        assert 0 <= part.known < plan.learned
        # The latest place that is needed, from the earliest at which a piece may begin.
        ends = part.scene.end + (REACH if part is not plan.parts[-1] else 0.0)
        begins = part.scene.start - (REACH if part is not plan.parts[0] else 0.0)
        assert part.made >= (ends - begins) * RATE - 1e-3
        if carry == "tail" and part is not plan.parts[0]:
            assert part.known <= begins * RATE + 1
