"""Raw sound of a network made into music: its length, its channels, its range and its two ends."""

import numpy as np
import pytest

from reelscore.audio import Samples
from reelscore.brief import Brief
from reelscore.finish import finished

RATE = 8000


def noise(seconds: float, channels: int = 1, level: float = 0.2) -> Samples:
    shape = (channels, round(seconds * RATE))
    return np.random.default_rng(5).normal(0.0, level, shape).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("made", [2.9, 3.0131, 3.5])
def test_the_length_is_the_briefs_whatever_was_made(made: float, channels: int) -> None:
    music = finished(noise(made, channels), RATE, Brief(duration=3.0131), widen=True)
    assert music.samples.shape == (2, round(3.0131 * RATE))
    assert music.rate == RATE


def test_one_channel_is_given_width_or_is_on_both_sides_alike() -> None:
    mono = noise(3.0)
    wide, plain = (finished(mono, RATE, Brief(duration=3.0), widen=widen).samples for widen in (True, False))
    assert np.array_equal(plain[0], plain[1])
    assert 0.5 < np.corrcoef(wide)[0, 1] < 0.95
    assert np.allclose(wide.mean(axis=0), plain[0], atol=1e-6)


def test_two_channels_stay_the_two_that_they_are() -> None:
    stereo = noise(3.0, channels=2)
    music = finished(stereo, RATE, Brief(duration=3.0), widen=True).samples
    assert np.array_equal(music[:, RATE // 2 : RATE], stereo[:, RATE // 2 : RATE])


def test_what_goes_beyond_is_made_softer_as_a_whole_and_nothing_is_made_louder() -> None:
    loud, soft = noise(3.0, 2, level=1.0), noise(3.0, 2, level=0.01)
    music = finished(loud, RATE, Brief(duration=3.0), widen=True).samples
    middle = slice(RATE // 2, RATE)
    assert np.abs(music).max() <= 1.0
    assert np.allclose(music[:, middle] * np.abs(loud).max(), loud[:, middle], atol=1e-5)
    kept = finished(soft, RATE, Brief(duration=3.0), widen=True).samples
    assert np.array_equal(kept[:, middle], soft[:, middle])


def test_it_begins_without_a_click_and_ends() -> None:
    music = finished(noise(3.0), RATE, Brief(duration=3.0), widen=True).samples
    assert np.abs(music[:, [0, -1]]).max() < 1e-4
    last = np.std(music[:, -RATE // 20 :])
    assert last < 0.1 * np.std(music[:, RATE // 2 : RATE])


def test_what_was_given_is_left_as_it_was() -> None:
    given = noise(3.0, 2, level=1.0)
    before = given.copy()
    finished(given, RATE, Brief(duration=3.0), widen=True)
    assert np.array_equal(given, before)
