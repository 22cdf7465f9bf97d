"""Loudness and true peak against the compliance signals of EBU Tech 3341 and 3342, made here, and against pyloudnorm."""

import itertools

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelscore.audio import Samples, gain_from_db
from reelscore.loudness import Meter, blocks_of, loudness_of, measure, short_term_curve


def tones(*parts: tuple[float, float], rate: int = 48_000, pitch_hz: float = 1000.0) -> Samples:
    """A stereo sine that goes through (peak level in dBFS, seconds)."""
    levels = np.concatenate([np.full(round(length * rate), gain_from_db(level_db)) for level_db, length in parts])
    sine = levels * np.sin(2 * np.pi * pitch_hz * np.arange(len(levels)) / rate)
    return np.stack([sine, sine]).astype(np.float32)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("level_db", [-23.0, -33.0])
def test_a_stereo_sine_has_the_loudness_of_its_peak_level(rate: int, level_db: float) -> None:
    found = measure(blocks_of(tones((level_db, 20.0), rate=rate)), rate)
    assert found.integrated_lufs == pytest.approx(level_db, abs=0.1)
    assert found.max_momentary_lufs == pytest.approx(level_db, abs=0.1)
    assert found.max_short_term_lufs == pytest.approx(level_db, abs=0.1)


def test_one_channel_is_3_lu_quieter_than_two() -> None:
    sine = tones((-23.0, 5.0))
    alone = measure([sine[:1]], 48_000).integrated_lufs
    assert alone == pytest.approx(measure([sine], 48_000).integrated_lufs - 3.01, abs=0.01)


@pytest.mark.parametrize(
    "parts",
    [
        [(-36, 10), (-23, 60), (-36, 10)],
        [(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)],
        [(-26, 20), (-20, 20.1), (-26, 20)],
    ],
)
def test_gates_leave_out_what_is_quiet(parts: list[tuple[float, float]]) -> None:
    assert measure([tones(*parts)], 48_000).integrated_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize(
    ("parts", "range_lu"),
    [
        ([(-20, 20), (-30, 20)], 10),
        ([(-20, 20), (-15, 20)], 5),
        ([(-40, 20), (-20, 20)], 20),
        ([(-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)], 15),
    ],
)
def test_loudness_range(parts: list[tuple[float, float]], range_lu: float) -> None:
    assert measure([tones(*parts)], 48_000).range_lu == pytest.approx(range_lu, abs=1.0)


@pytest.mark.parametrize(
    ("divisor", "phase", "peak", "expected_dbtp"),
    [(4, 0, 0.5, -6.0), (4, 45, 0.5, -6.0), (6, 60, 0.5, -6.0), (8, 67.5, 0.5, -6.0), (4, 45, 1.41, 3.0)],
)
def test_true_peak_between_the_samples(divisor: int, phase: float, peak: float, expected_dbtp: float) -> None:
    angle = 2 * np.pi * np.arange(48_000) / divisor + np.deg2rad(phase)
    sine = peak * np.sin(angle) * np.minimum(np.hanning(48_000) * 4, 1)
    found = measure([sine.astype(np.float32)[None]], 48_000).true_peak_dbtp
    assert expected_dbtp - 0.4 <= found <= expected_dbtp + 0.2


def test_true_peak_of_every_grain_equals_that_by_long_interpolation() -> None:
    from scipy.signal import resample_poly

    noise = np.random.default_rng(1).standard_normal((2, 4_800)) * np.hanning(4_800) ** 2
    noise = resample_poly(resample_poly(noise, 1, 2, axis=1), 2, 1, axis=1).astype(np.float32)
    meter = Meter(48_000, peak_floor=0.0)
    meter.add(noise)
    grains = meter.grain_peaks()
    fine = np.abs(resample_poly(noise, 4, 1, axis=1, window=("kaiser", 12.0))).max(axis=0)
    reference = fine.reshape(-1, 4 * 48).max(axis=1)
    assert np.allclose(grains, reference, atol=0.02 * reference.max())


def test_a_floor_changes_nothing_above_it() -> None:
    noise = (0.2 * np.random.default_rng(2).standard_normal((2, 48_000))).astype(np.float32)
    exact, floored = Meter(48_000, peak_floor=0.0), Meter(48_000, peak_floor=0.5)
    for meter in (exact, floored):
        meter.add(noise)
    all_peaks, some_peaks = exact.grain_peaks(), floored.grain_peaks()
    loud = all_peaks > 0.5
    assert loud.any() and not loud.all()
    assert np.array_equal(all_peaks[loud], some_peaks[loud])


@given(sizes=st.lists(st.integers(1, 9_000), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_the_size_of_blocks_changes_nothing(sizes: list[int]) -> None:
    noise = np.random.default_rng(3).standard_normal((2, sum(sizes))).astype(np.float32)
    edges = np.cumsum([0, *sizes])
    pieces = [noise[:, first:last] for first, last in itertools.pairwise(edges)]
    whole, parts = measure([noise], 48_000), measure(pieces, 48_000)
    assert parts.integrated_lufs == pytest.approx(whole.integrated_lufs, abs=1e-6)
    assert parts.true_peak_dbtp == pytest.approx(whole.true_peak_dbtp, abs=1e-3)


def test_agrees_with_pyloudnorm_on_music_like_noise() -> None:
    random = np.random.default_rng(4)
    noise = random.standard_normal((2, 48_000 * 20)).cumsum(axis=1)
    noise -= np.stack([np.convolve(channel, np.ones(400) / 400, "same") for channel in noise])
    noise *= 0.02 * (0.2 + np.sin(np.linspace(0, 9, noise.shape[1])) ** 2)
    found = measure([noise.astype(np.float32)], 48_000).integrated_lufs
    assert found == pytest.approx(pyloudnorm.Meter(48_000).integrated_loudness(noise.T), abs=0.1)


@pytest.mark.parametrize("length", [0, 1, 1_000, 480_000])
def test_silence_of_any_length_is_minus_infinity(length: int) -> None:
    found = measure([np.zeros((2, length), np.float32)], 48_000)
    assert (found.integrated_lufs, found.true_peak_dbtp, found.range_lu) == (-np.inf, -np.inf, 0.0)


def test_shorter_than_a_gating_block_still_has_a_loudness() -> None:
    assert measure([tones((-20.0, 0.15))], 48_000).integrated_lufs == pytest.approx(-20.0, abs=0.5)


def test_fine_steps_give_the_same_loudness() -> None:
    sound = tones((-30, 3), (-18, 4.05), (-40, 2))
    meter = Meter(48_000, step=0.001)
    meter.add(sound)
    fine, coarse = loudness_of(meter.energies(), 0.001, 1.0), measure([sound], 48_000)
    assert fine.integrated_lufs == pytest.approx(coarse.integrated_lufs, abs=1e-9)
    assert fine.range_lu == pytest.approx(coarse.range_lu, abs=1e-9)


def test_the_short_term_curve_follows_a_step() -> None:
    meter = Meter(48_000)
    meter.add(tones((-30.0, 10.0), (-20.0, 10.0)))
    curve = short_term_curve(meter.energies(), 0.1)
    assert len(curve) == 200
    assert curve[:80] == pytest.approx(-30.0, abs=0.1)
    assert curve[120:] == pytest.approx(-20.0, abs=0.1)
