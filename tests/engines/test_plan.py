"""Which words count from when to when, and what the model is told of time."""

from itertools import pairwise

import pytest

from reelscore.brief import Brief, Section, Tags
from reelscore.engines.sonique.options import Options
from reelscore.engines.sonique.plan import Grid, plan_for, windowing_for
from reelscore.models.regions import Region, plan_windows

GRID = Grid(per_second=44_100 / 1024, multiple=16, trained=1024, most=4096)
CALM = {"valence": 0.4, "arousal": -0.6, "tension": 0.0, "energy": 0.2}
WILD = {"valence": -0.7, "arousal": 0.8, "tension": 0.8, "energy": 0.95}


def brief_of(*sections: tuple[float, dict[str, float]]) -> Brief:
    edges = [0.0]
    for length, _ in sections:
        edges.append(edges[-1] + length)
    made = [
        Section(start=start, end=end, **how) for (start, end), (_, how) in zip(pairwise(edges), sections, strict=True)
    ]
    return Brief(duration=edges[-1], tags=Tags(genres=("jazz",)), sections=tuple(made))


@pytest.mark.parametrize("duration", [0.01, 7.0, 23.77, 23.78, 24.0, 61.3, 600.0])
def test_the_latents_cover_the_music_in_whole_multiples(duration: float) -> None:
    plan = plan_for(Brief(duration=duration), Options(), GRID)
    assert plan.length % GRID.multiple == 0
    assert plan.wanted <= plan.length
    assert (plan.wanted - 1) / GRID.per_second < duration <= plan.wanted / GRID.per_second
    assert plan.length < max(plan.wanted, GRID.trained) + GRID.multiple


def test_a_short_piece_has_room_to_ring_out_and_a_long_one_ends_with_the_piece() -> None:
    assert plan_for(Brief(duration=7.0), Options(), GRID).length == GRID.trained
    assert plan_for(Brief(duration=60.0), Options(), GRID).length < 60.0 * GRID.per_second + 17


def test_passages_follow_the_sections() -> None:
    plan = plan_for(brief_of((20.0, CALM), (15.5, WILD), (25.2, CALM)), Options(), GRID)
    assert [passage.start for passage in plan.passages] == [
        0,
        round(20 * GRID.per_second),
        round(35.5 * GRID.per_second),
    ]
    assert all(passage.end == after.start for passage, after in pairwise(plan.passages))
    assert plan.passages[-1].end == plan.length
    calm, wild, again = (passage.lines.positive for passage in plan.passages)
    assert calm == again != wild


def test_the_model_is_told_where_in_the_piece_a_passage_begins_and_how_long_the_piece_is() -> None:
    plan = plan_for(brief_of((20.0, CALM), (15.5, WILD), (25.2, CALM)), Options(), GRID)
    assert [(passage.seconds_start, passage.seconds_total) for passage in plan.passages] == [
        (0, 61),
        (20, 61),
        (35, 61),
    ]


def test_neighbours_that_say_the_same_and_sections_too_short_to_be_heard_make_no_passage() -> None:
    plan = plan_for(brief_of((20.0, CALM), (10.0, CALM), (1.0, WILD), (9.0, CALM)), Options(), GRID)
    assert len(plan.passages) == 1


def test_a_passage_too_long_for_a_window_is_told_of_in_pieces() -> None:
    plan = plan_for(brief_of((300.0, CALM)), Options(), GRID)
    starts = [passage.start for passage in plan.passages]
    assert len(starts) == 4
    assert [passage.seconds_start for passage in plan.passages] == [
        int((start + 0.5) / GRID.per_second) for start in starts
    ]
    assert len({passage.lines for passage in plan.passages}) == 1
    windows = plan_windows(
        plan.length,
        [Region(passage.start, passage.end, row) for row, passage in enumerate(plan.passages)],
        windowing_for(GRID),
    ).windows
    assert [window.condition for window in windows] == [0, 1, 2, 3]
    assert max(window.stop - window.start for window in windows) <= GRID.most


def test_as_published_there_is_one_passage_and_the_whole_seconds_of_the_film() -> None:
    plan = plan_for(brief_of((10.0, CALM), (12.7, WILD)), Options(as_published=True), GRID)
    (passage,) = plan.passages
    assert (passage.start, passage.end, passage.seconds_start, passage.seconds_total) == (0, 1024, 0, 22)
    assert passage.lines.positive == "jazz, 96 bpm"
