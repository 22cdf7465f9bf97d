"""Windows: every frame of music is made once, to its own footage; and as published exactly what the release does."""

from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelscore.engines.vidmuse.windows import Plan, Reach, plan_windows, published_plan

DURATIONS = st.floats(0.02, 1000.0)
REACHES = st.builds(
    Reach, pictures=st.integers(1, 60), overall=st.integers(1, 64), music_rate=st.integers(1, 40).map(lambda n: 2 * n)
)


def shown(rate: float, duration: float) -> list[float]:
    """When the pictures of a film at a steady rate are shown."""
    return [number / rate for number in range(max(2, round(duration * rate)))]


def stretch(plan: Plan, number: int, rate: int = 50) -> tuple[float, float, float, float]:
    """From when to when a window has music, and the first and last picture that it sees."""
    window = plan.windows[number]
    return window.start / rate, window.end / rate, window.pictures[0], window.pictures[-1]


def check_made_once(plan: Plan, duration: float, reach: Reach) -> None:
    assert plan.length == ceil(duration * reach.music_rate - 1e-6)
    assert (plan.windows[0].start, plan.windows[0].context) == (0, 0)
    for before, after in pairwise(plan.windows):
        assert after.start + after.context == before.end
    for window in plan.windows:
        assert window.made > 0
        assert window.end - window.start <= reach.pictures * reach.step
        assert 1 <= len(window.pictures) <= reach.pictures
        assert list(window.pictures) == sorted(window.pictures)
    assert len(plan.overall) == reach.overall
    assert list(plan.overall) == sorted(plan.overall)


@settings(deadline=None, max_examples=60)
@given(DURATIONS, st.floats(0.0, 29.5))
def test_every_frame_of_music_is_made_once_and_sees_its_own_footage(duration: float, context: float) -> None:
    plan = plan_windows(duration, context)
    check_made_once(plan, duration, Reach())
    for window in plan.windows:
        assert window.start % 25 == 0
        grid = range(window.start // 25, ceil(window.end / 25))
        assert window.pictures == tuple(number / 2 for number in grid)
        assert window.pictures[-1] < duration
    for before, after in pairwise(plan.windows):
        assert before.end - before.start == 1500
        assert after.context >= 50 * context - 1e-4
        assert after.end - after.start > 1475
    assert len(plan.windows) == 1 or duration > 30


@settings(deadline=None, max_examples=60)
@given(DURATIONS, st.floats(0.0, 60.0), REACHES)
def test_models_of_any_reach_are_served(duration: float, context: float, reach: Reach) -> None:
    plan = plan_windows(min(duration, 100.0), context, reach)
    check_made_once(plan, min(duration, 100.0), reach)
    for window in plan.windows:
        grid = range(window.start // reach.step, ceil(window.end / reach.step))
        assert window.pictures == tuple(number / 2 for number in grid)


@settings(deadline=None, max_examples=60)
@given(DURATIONS)
def test_the_overall_pictures_lie_evenly_over_the_film_and_are_among_the_others(duration: float) -> None:
    plan = plan_windows(duration)
    seen = {time for window in plan.windows for time in window.pictures}
    assert seen >= set(plan.overall)
    last = max(seen)
    assert (plan.overall[0], plan.overall[-1]) == (0.0, last)
    for number, time in enumerate(plan.overall):
        assert time == pytest.approx(number * last / 31, abs=0.25 + 1e-9)


@pytest.mark.parametrize(
    ("duration", "starts"),
    [
        (0.4, [0]),
        (30.0, [0]),
        (30.01, [0, 0.5]),
        (45.0, [0, 15]),
        (48.0, [0, 18]),
        (48.5, [0, 9, 18.5]),
        (75.0, [0, 15, 30, 45]),
        (75.3, [0, 15, 30, 45.5]),
    ],
)
def test_windows_lie_evenly_with_twelve_seconds_of_context(duration: float, starts: list[float]) -> None:
    plan = plan_windows(duration)
    assert [window.start / 50 for window in plan.windows] == starts
    assert plan.windows[-1].end == ceil(duration * 50)


def test_a_two_hour_film_has_a_window_every_eighteen_seconds() -> None:
    plan = plan_windows(7200.0)
    assert len(plan.windows) == 1 + ceil((7200 - 30) / 18)
    assert min(window.context for window in plan.windows[1:]) >= 600


def test_a_short_film_has_its_own_pictures_and_no_more() -> None:
    assert plan_windows(0.02).windows[0].pictures == (0.0,)
    assert plan_windows(1.2).windows[0].pictures == (0.0, 0.5, 1.0)
    assert plan_windows(1.2).length == 60
    assert set(plan_windows(1.2).overall) == {0.0, 0.5, 1.0}


@pytest.mark.parametrize(
    ("duration", "last"),
    [(31, (29.5, 31, 1.0, 2.0)), (45, (29.5, 45, 15.0, 30.0)), (120, (118, 120, 90.0, 91.5))],
)
def test_as_published_the_last_window_sees_the_wrong_footage(duration: float, last: tuple[float, ...]) -> None:
    plan = published_plan(duration, 30.0, shown(30, duration))
    assert stretch(plan, -1) == last
    for window in plan.windows[1:]:
        assert window.context == 25


def test_as_published_windows_before_the_last_see_their_own_footage() -> None:
    plan = published_plan(100, 30.0, shown(30, 100))
    assert [stretch(plan, number) for number in range(3)] == [
        (0, 30, 0, 29.5),
        (29.5, 59.5, 29.5, 59),
        (59, 89, 59, 88.5),
    ]
    assert stretch(plan, 3) == (88.5, 100, 70, 81)


@pytest.mark.parametrize(("rate", "step"), [(24, 12), (25, 13), (15, 8), (24_000 / 1001, 12), (30_000 / 1001, 15)])
def test_as_published_pictures_are_taken_by_number_and_the_last_one_is_repeated(rate: float, step: int) -> None:
    times = shown(rate, 20.0)
    (window,) = published_plan(20.0, rate, times).windows
    taken = times[::step][:40]
    assert list(window.pictures) == taken + taken[-1:] * (40 - len(taken))


def test_as_published_overall_pictures_are_cut_down_to_whole_numbers() -> None:
    plan = published_plan(10.0, 24.0, shown(24, 10.0))
    assert [round(time * 24) for time in plan.overall] == [239 * number // 31 for number in range(32)]


@pytest.mark.parametrize(
    ("duration", "ends"),
    [(29.7, [1485]), (30.7, [1500, 1535]), (31.6, [1500, 1580]), (59.98, [1500, 2975, 2999]), (0.6, [30])],
)
def test_as_published_music_goes_on_to_the_end_of_the_film(duration: float, ends: list[int]) -> None:
    plan = published_plan(duration, 30.0, shown(30, duration))
    assert [window.end for window in plan.windows] == ends


@settings(deadline=None, max_examples=60)
@given(DURATIONS, st.sampled_from([10.0, 24_000 / 1001, 25.0, 60.0]))
def test_as_published_every_frame_of_music_is_made_once_too(duration: float, rate: float) -> None:
    check_made_once(published_plan(duration, rate, shown(rate, duration)), duration, Reach())


def test_as_published_a_model_may_see_one_picture_at_a_time() -> None:
    reach = Reach(pictures=1, overall=2)
    check_made_once(published_plan(2.2, 30.0, shown(30, 2.2), reach), 2.2, reach)
