"""How music begins and ends."""

import numpy as np
import pytest

from reelscore.audio import Audio
from reelscore.brief import Brief, Cue
from reelscore.finish.ending import ended

RATE = 1000


def steady(duration: float) -> Audio:
    return Audio(np.full((2, round(duration * RATE)), 0.5, np.float32), RATE)


def test_the_first_and_the_last_sample_are_silent() -> None:
    out = ended(steady(8.0), Brief(duration=8.0)).samples
    assert np.abs(out[:, [0, -1]]).max() < 1e-4
    assert np.abs(out[:, 100]).min() == 0.5


def test_the_fade_lies_over_the_ending_cue() -> None:
    out = ended(steady(10.0), Brief(duration=10.0, cues=(Cue(time=7.5, kind="ending"),))).samples[0]
    assert out[7490] == 0.5
    assert out[8750] == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(("at", "from_"), [(2.0, 6.0), (9.95, 9.6)])
def test_the_fade_is_neither_endless_nor_a_cut(at: float, from_: float) -> None:
    out = ended(steady(10.0), Brief(duration=10.0, cues=(Cue(time=at, kind="ending"),))).samples[0]
    falling = np.flatnonzero(out[100:] < 0.5)[0] + 100
    assert falling == pytest.approx(from_ * RATE, abs=0.03 * RATE)


def test_what_has_died_away_is_left_alone() -> None:
    dying = steady(8.0)
    dying.samples[:, 6000:] *= np.exp(-np.arange(2000) / 200).astype(np.float32)
    out = ended(dying, Brief(duration=8.0, cues=(Cue(time=5.0, kind="ending"),))).samples
    assert np.array_equal(out[:, 10:-10], dying.samples[:, 10:-10])


def test_the_shortest_music_goes_through() -> None:
    assert ended(Audio(np.ones((2, 3), np.float32), RATE), Brief(duration=0.003)).length_samples == 3
