"""Scenes of films whose shots are known, and the moments that are looked at in them."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from reelscore.analysis import Analysis, Curves, Shot
from reelscore.analysis.content.scenes import MOST_SCENES, SHORTEST_SCENE, scenes

STEP = 0.25


def shots(*given: tuple) -> tuple[Shot, ...]:
    """Shots from (length, change, how it opens, what it returns to)."""
    made, start = [], 0.0
    for length, change, *rest in given:
        opens, returns = (*rest, *("cut", None)[len(rest) :])
        made.append(
            Shot(
                start=start,
                end=start + length,
                opens_with=opens if made else "start",
                change=change if made else 0.0,
                returns_to=returns,
                motion=0.2,
                brightness=0.5,
                saturation=0.5,
                contrast=0.5,
                warmth=0.0,
            )
        )
        start += length
    return tuple(made)


def film(held: tuple[Shot, ...], motion=None, brightness=None) -> Analysis:
    duration = held[-1].end
    steps = [STEP * (number + 0.5) for number in range(int(duration / STEP) + 1)]
    flat = (0.5,) * len(steps)
    return Analysis(
        film=Path("film.mp4"),
        duration=duration,
        frame_rate=25.0,
        frames=round(25 * duration),
        width=320,
        height=180,
        has_sound=False,
        picture_sha256="",
        shots=held,
        curves=Curves(
            step=STEP,
            motion=tuple(motion(time) for time in steps) if motion else flat,
            brightness=tuple(brightness(time) for time in steps) if brightness else flat,
            saturation=flat,
            contrast=flat,
            warmth=flat,
        ),
    )


def starts(analysis: Analysis) -> list[float]:
    return [scene.start for scene in scenes(analysis)]


def test_a_scene_begins_where_the_picture_really_changes() -> None:
    held = shots((6.0, 0.0), (5.0, 0.8), (5.0, 0.1), (6.0, 0.15), (7.0, 0.9))
    assert starts(film(held)) == [0.0, 6.0, 22.0]


def test_a_dissolve_or_fade_asks_for_a_scene_where_a_cut_does_not() -> None:
    for opens, expected in (("cut", [0.0]), ("fade", [0.0, 8.0])):
        assert starts(film(shots((8.0, 0.0), (8.0, 0.2, opens)))) == expected


def test_a_dialogue_is_one_scene_however_different_its_two_views_are() -> None:
    talk = [(3.0, 0.7, "cut", None if number < 2 else number - 2) for number in range(8)]
    held = shots(*talk, (8.0, 0.9))
    assert starts(film(held)) == [0.0, 24.0]


def test_what_is_too_short_joins_the_neighbour_that_it_differs_from_least() -> None:
    assert starts(film(shots((6.0, 0.0), (2.0, 0.5), (6.0, 0.9)))) == [0.0, 8.0]
    assert starts(film(shots((6.0, 0.0), (2.0, 0.9), (6.0, 0.5)))) == [0.0, 6.0]


def test_a_long_film_of_many_cuts_has_a_bounded_number_of_scenes() -> None:
    held = shots(*((2.0 + number % 5, 0.5 + 0.01 * (number % 40)) for number in range(1500)))
    found = scenes(film(held))
    assert 8 <= len(found) <= MOST_SCENES
    assert sum(len(scene.moments) for scene in found) <= 8 * MOST_SCENES


def test_moments_keep_clear_of_dissolves_and_cuts() -> None:
    held = shots((8.0, 0.0), (8.0, 0.8, "dissolve"), (8.0, 0.8, "fade"), (8.0, 0.8))
    edges = {8.0: 1.7, 16.0: 1.2, 24.0: 0.2, 0.0: 0.1, 32.0: 0.1}
    for scene in scenes(film(held)):
        for moment in scene.moments:
            for time in moment.times:
                assert all(abs(time - edge) >= clear - 1e-6 for edge, clear in edges.items())


def test_every_view_is_looked_at_and_the_long_ones_more_often() -> None:
    held = shots((9.0, 0.0), (1.0, 0.2), (1.0, 0.2), (9.0, 0.2, "cut", 0), (1.0, 0.2))
    (scene,) = scenes(film(held))
    looked = {
        next(number for number, shot in enumerate(held) if shot.start <= moment.times[0] < shot.end)
        for moment in scene.moments
    }
    assert len(scene.moments) == 8
    assert looked == {0, 1, 2, 3, 4}
    short = shots(*((1.0, 0.2) for _ in range(4)))
    (scene,) = scenes(film(short))
    assert len({int(moment.times[0]) for moment in scene.moments}) == len(scene.moments) == 3


def test_the_calm_is_preferred_and_the_dark_before_a_film_begins_left_out() -> None:
    held = shots((10.0, 0.0))
    calm = film(held, motion=lambda time: 0.9 if time % 1.0 < 0.5 else 0.05)
    (scene,) = scenes(calm)
    assert all(moment.times[0] % 1.0 >= 0.5 for moment in scene.moments)
    dark = film(held, brightness=lambda time: 0.02 if time < 3.0 or time > 9.0 else 0.6)
    (scene,) = scenes(dark)
    assert all(3.0 <= time <= 9.25 for moment in scene.moments for time in moment.times)


def test_a_film_without_shots_has_no_scenes() -> None:
    assert scenes(film(shots((5.0, 0.0))).model_copy(update={"shots": ()})) == ()


shot_lists = st.lists(
    st.tuples(
        st.floats(0.05, 40.0),
        st.floats(0.0, 1.0),
        st.sampled_from(["cut", "dissolve", "fade"]),
        st.none() | st.integers(0, 5),
    ),
    min_size=1,
    max_size=60,
)


@given(shot_lists)
@settings(max_examples=60, deadline=None)
def test_scenes_cover_the_film_and_moments_lie_in_single_shots(given_shots) -> None:
    given_shots = [
        (length, change, opens, back if back is not None and back < number - 1 else None)
        for number, (length, change, opens, back) in enumerate(given_shots)
    ]
    analysis = film(shots(*given_shots))
    found = scenes(analysis)
    assert 1 <= len(found) <= MOST_SCENES
    edges = [scene.start for scene in found] + [found[-1].end]
    assert edges[0] == 0.0 and edges[-1] == analysis.duration
    assert [scene.end for scene in found] == edges[1:]
    assert len(found) == 1 or min(scene.end - scene.start for scene in found) >= SHORTEST_SCENE - 1e-9
    times = [time for scene in found for moment in scene.moments for time in sorted(moment.times)]
    assert times == sorted(times)
    for scene in found:
        assert scene.moments
        for moment in scene.moments:
            assert any(
                all(shot.start - 1e-3 <= time <= shot.end + 1e-3 for time in moment.times) for shot in analysis.shots
            )
            assert all(scene.start - 1e-3 <= time <= scene.end + 1e-3 for time in moment.times)


def test_the_same_film_has_the_same_scenes() -> None:
    held = shots(*((3.0, 0.5) for _ in range(30)))
    assert len(scenes(film(held))) == 15
    assert scenes(film(held)) == scenes(film(held))
