"""The tempo map's contract: a strictly rising, invertible map between beats and seconds, with bars that add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reelscore.tempo import Ramp, TempoMap


@st.composite
def maps(draw: st.DrawFn) -> TempoMap:
    bars = draw(st.lists(st.integers(1, 12), min_size=1, max_size=5))
    periods = draw(st.lists(st.floats(0.11, 3.9), min_size=sum(bars), max_size=sum(bars)))
    return TempoMap(beats=tuple(np.concatenate([[0.0], np.cumsum(periods)]).tolist()), bars=tuple(bars))


@given(maps(), st.floats(-20, 200))
def test_beats_and_seconds_are_inverse(tempo_map: TempoMap, beat: float) -> None:
    assert tempo_map.beat_at(tempo_map.time_at(beat)) == pytest.approx(beat, abs=1e-6)


@given(maps(), st.lists(st.floats(-50, 500), min_size=2, max_size=20))
def test_later_beats_come_later(tempo_map: TempoMap, beats: list[float]) -> None:
    ordered = np.unique(np.round(beats, 6))
    assert np.all(np.diff(tempo_map.times_at(ordered)) > 0)


@given(maps())
def test_whole_beats_fall_on_the_beat_times(tempo_map: TempoMap) -> None:
    at = tempo_map.times_at(np.arange(len(tempo_map.beats), dtype=float))
    np.testing.assert_allclose(at, tempo_map.beats, atol=1e-9)


@given(maps())
def test_downbeats_are_the_first_beats_of_the_bars(tempo_map: TempoMap) -> None:
    assert len(tempo_map.downbeats) == len(tempo_map.bars)
    assert tempo_map.downbeats[0] == 0.0
    ends = [*tempo_map.bar_starts[1:], len(tempo_map.beats) - 1]
    lengths = [end - start for start, end in zip(tempo_map.bar_starts, ends, strict=True)]
    assert tuple(lengths) == tempo_map.bars


@given(maps(), st.floats(0.1, 30))
def test_beyond_its_ends_the_tempo_stays(tempo_map: TempoMap, beats: float) -> None:
    first, last = np.diff(tempo_map.beats)[[0, -1]]
    count = len(tempo_map.beats) - 1
    assert tempo_map.time_at(-beats) == pytest.approx(-beats * first)
    assert tempo_map.time_at(count + beats) == pytest.approx(tempo_map.end + beats * last)


@given(maps())
def test_survives_json(tempo_map: TempoMap) -> None:
    assert TempoMap.model_validate_json(tempo_map.model_dump_json()) == tempo_map


@given(st.floats(30, 240), st.floats(0.05, 2000), st.integers(1, 12))
def test_steady_covers_the_duration_with_no_bar_too_many(tempo_bpm: float, duration: float, beats_per_bar: int) -> None:
    tempo_map = TempoMap.steady(tempo_bpm, duration, beats_per_bar)
    bar = beats_per_bar * 60 / tempo_bpm
    assert tempo_map.end >= duration - 1e-6
    assert tempo_map.end - bar < duration + 1e-6
    assert tempo_map.tempo_bpm == pytest.approx(tempo_bpm)
    assert set(tempo_map.bars) == {beats_per_bar}


def test_a_known_map() -> None:
    tempo_map = TempoMap(beats=(0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0), bars=(4, 2), ramps=(Ramp(first=3, last=5),))
    assert tempo_map.downbeats == (0.0, 2.0)
    assert tempo_map.end == 4.0
    assert tempo_map.tempo_bpm == 120.0
    assert tempo_map.time_at(4.5) == 2.5
    assert tempo_map.beat_at(2.5) == 4.5
    np.testing.assert_allclose(tempo_map.beats_at(np.array([-0.5, 0.25, 5.0])), [-1.0, 0.5, 7.0])


@pytest.mark.parametrize(
    ("beats", "bars", "sentence"),
    [
        ((0.0, 0.5, 1.0), (4,), "do not fit"),
        ((0.1, 0.6), (1,), "not at 0"),
        ((0.0, 0.5, 0.4), (2,), "rise"),
        ((0.0, 0.5, 0.5), (2,), "rise"),
        ((0.0, 5.0), (1,), "rise"),
        ((0.0, float("nan")), (1,), "rise"),
        ((0.0,), (), "no bar"),
    ],
)
def test_what_is_no_tempo_map_is_refused(beats: tuple[float, ...], bars: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        TempoMap(beats=beats, bars=bars)


@pytest.mark.parametrize(("first", "last"), [(2, 2), (3, 1), (0, 9)])
def test_a_ramp_runs_forward_inside_the_map(first: int, last: int) -> None:
    with pytest.raises(ValidationError, match="ramp"):
        TempoMap(beats=(0.0, 0.5, 1.0, 1.5, 2.0), bars=(4,), ramps=(Ramp(first=first, last=last),))
