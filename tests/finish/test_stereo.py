"""Width out of one channel, and what must not change by it."""

import numpy as np
import pytest

from reelscore.audio import Samples
from reelscore.finish import stereo
from reelscore.finish.stereo import BASS_HZ, widened

RATE = 44_100


def noise(seconds: float = 3.0) -> Samples:
    return np.random.default_rng(3).normal(0.0, 0.2, round(seconds * RATE)).astype(np.float32)


def sine(pitch_hz: float) -> Samples:
    return (0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(2 * RATE) / RATE)).astype(np.float32)


def side_db(mono: Samples) -> float:
    """The side's level against the middle's, but for the first and the last tenth of a second."""
    left, right = widened(mono, RATE)[:, RATE // 10 : -RATE // 10]
    return float(20 * np.log10(np.std(left - right) / np.std(left + right)))


def test_a_mono_loudspeaker_plays_the_middle() -> None:
    mono = noise()
    assert np.abs(widened(mono, RATE).mean(axis=0) - mono).max() < 1e-6


def test_the_sides_differ_a_little_and_no_more() -> None:
    correlation = np.corrcoef(widened(noise(), RATE))[0, 1]
    assert 0.6 < correlation < 0.9


def test_neither_side_is_louder() -> None:
    left, right = np.square(widened(noise(10.0), RATE)).mean(axis=1)
    assert abs(10 * np.log10(left / right)) < 0.5


def test_the_bass_stays_in_the_middle_and_the_rest_does_not() -> None:
    assert side_db(sine(0.7 * BASS_HZ)) < -45
    assert all(-25 < side_db(sine(pitch_hz)) < 0 for pitch_hz in (440.0, 997.0, 3000.0, 9000.0))


def test_no_side_comes_before_its_middle() -> None:
    click = np.zeros(RATE, np.float32)
    click[RATE // 2] = 1.0
    left, right = widened(click, RATE)
    assert np.abs(left[: RATE // 2]).max() < 1e-6 > np.abs(right[: RATE // 2]).max()


def test_it_makes_no_difference_in_which_blocks_the_side_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = widened(noise(), RATE)
    monkeypatch.setattr(stereo, "_BLOCK_SAMPLES", 10_000)
    assert np.abs(widened(noise(), RATE) - whole).max() < 1e-6


def test_silence_and_the_shortest_sound_go_through() -> None:
    assert not widened(np.zeros(1000, np.float32), RATE).any()
    assert widened(np.ones(1, np.float32), RATE).shape == (2, 1)
