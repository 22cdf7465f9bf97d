"""Filters, rooms and the gain that holds the sum: what they do to signals whose truth is known."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from reelscore.sound.effects import (
    HALL,
    HOP_SAMPLES,
    STUDIO,
    Filter,
    GainCurve,
    Glue,
    MonoBass,
    Reverb,
    Room,
    high_pass,
    high_shelf,
    response,
)

RATE = 48000


def sine(frequency_hz: float, duration: float, level: float = 1.0) -> np.ndarray:
    wave = level * np.sin(2 * np.pi * frequency_hz * np.arange(round(duration * RATE)) / RATE)
    return np.stack([wave, wave]).astype(np.float32)


def gain_db(before: np.ndarray, after: np.ndarray) -> float:
    settled = slice(before.shape[1] // 2, None)
    return float(10 * np.log10(np.mean(after[:, settled] ** 2) / np.mean(before[:, settled] ** 2)))


def in_blocks(effect, sound: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([effect(sound[:, first : first + size]) for first in range(0, sound.shape[1], size)], axis=1)


def decay_time(heard: np.ndarray, low_hz: float, high_hz: float) -> float:
    """T60 by backward integration, fitted from −5 to −25 dB."""
    band = butter(3, (low_hz, high_hz), "bandpass", fs=RATE, output="sos")
    left = np.cumsum(sosfilt(band, heard)[::-1] ** 2)[::-1]
    level_db = 10 * np.log10(left / left[0] + 1e-12)
    fitted = np.flatnonzero((level_db < -5) & (level_db > -25))
    slope = np.polyfit(fitted / RATE, level_db[fitted], 1)[0]
    return -60.0 / slope


@pytest.mark.parametrize(("frequency_hz", "expected_db"), [(20.0, -24.1), (80.0, -3.0), (1000.0, 0.0)])
def test_a_high_pass_is_3_db_down_at_its_corner_and_12_db_an_octave_below(frequency_hz, expected_db):
    sound = sine(frequency_hz, 1.0)
    assert gain_db(sound, Filter(high_pass(80.0, RATE))(sound)) == pytest.approx(expected_db, abs=0.3)


@pytest.mark.parametrize(("frequency_hz", "expected_db"), [(100.0, 0.0), (3000.0, 3.0), (18000.0, 6.0)])
def test_a_shelf_lifts_what_is_above_its_corner(frequency_hz, expected_db):
    sound = sine(frequency_hz, 0.5)
    assert gain_db(sound, Filter(high_shelf(3000.0, 6.0, RATE))(sound)) == pytest.approx(expected_db, abs=0.3)


def test_a_filter_does_not_hear_where_blocks_begin():
    sound = np.random.default_rng(1).standard_normal((2, 20000)).astype(np.float32)
    whole = Filter(high_pass(200.0, RATE))(sound)
    assert np.array_equal(in_blocks(Filter(high_pass(200.0, RATE)), sound, 777), whole)


def test_bass_becomes_mono_and_the_middle_is_left_alone():
    opposed = sine(40.0, 1.0) * np.array([[1], [-1]], np.float32)
    assert gain_db(opposed, MonoBass(120.0, RATE)(opposed)) < -15
    high_opposed = sine(2000.0, 1.0) * np.array([[1], [-1]], np.float32)
    assert gain_db(high_opposed, MonoBass(120.0, RATE)(high_opposed)) == pytest.approx(0.0, abs=0.1)
    together = sine(40.0, 1.0)
    assert np.allclose(MonoBass(120.0, RATE)(together), together, atol=1e-6)


@pytest.mark.parametrize("room", [HALL, STUDIO], ids=["hall", "studio"])
def test_a_room_decays_in_its_time_and_treble_dies_first(room: Room):
    heard = response(room, RATE)
    for side in heard:
        middle = decay_time(side, 350.0, 700.0)
        assert middle == pytest.approx(room.decay, rel=0.15)
        assert decay_time(side, 5600.0, 11000.0) == pytest.approx(room.decay * room.dullness, rel=0.3)


def test_a_room_is_as_loud_as_its_send_and_has_a_delay_and_two_different_sides():
    heard = response(HALL, RATE)
    noise = np.random.default_rng(4).standard_normal(4 * RATE)
    music = sosfilt(butter(2, (300, 3000), "bandpass", fs=RATE, output="sos"), noise)
    for side in heard:
        wet = np.fft.irfft(np.fft.rfft(music, 8 * RATE) * np.fft.rfft(side, 8 * RATE))
        assert 10 * np.log10(np.sum(wet**2) / np.sum(music**2)) == pytest.approx(0.0, abs=1.0)
    assert np.all(np.abs(heard[:, : round(0.9 * HALL.delay * RATE)]) < 1e-4)
    assert abs(np.corrcoef(heard)[0, 1]) < 0.2
    assert np.all(np.abs(heard[:, -10:]) < 1e-5)


def test_reverb_is_the_convolution_with_the_room_whatever_the_blocks():
    generator = np.random.default_rng(3)
    room = generator.standard_normal((2, 900)).astype(np.float32) * 0.05
    sound = generator.standard_normal((2, 6000)).astype(np.float32)
    crossed = (sound + 0.35 * sound[::-1]) / 1.35
    truth = np.stack([np.convolve(crossed[side], room[side])[:6000] for side in range(2)])
    for size in (6000, 2500, 64):
        reverb = Reverb(room)
        assert np.allclose(in_blocks(lambda block, r=reverb: r(block, block.shape[1]), sound, size), truth, atol=2e-5)


def test_reverb_rings_on_into_silence_and_then_says_that_it_is_silent():
    reverb = Reverb(np.ones((2, 500), np.float32))
    assert reverb(None, 100) is None
    click = np.zeros((2, 100), np.float32)
    click[:, 0] = 1.0
    assert reverb(click, 100) is not None
    ringing = reverb(None, 300)
    assert ringing is not None and np.all(ringing > 0.5)
    assert np.all(np.abs(reverb(None, 300)[:, 150:]) < 1e-6)
    assert reverb(None, 100) is None


def through(glue: Glue, sound: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    curve = GainCurve(RATE, glue)
    starts = range(0, sound.shape[1], size)
    gains = [curve(sound[:, first : first + size], first + size >= sound.shape[1]) for first in starts]
    gain = np.concatenate(gains)
    return gain, sound * gain


def test_the_compressor_turns_down_by_its_bounds_and_not_below_its_threshold():
    glue = Glue(threshold_db=-20.0, deepest_db=2.5)
    quiet, _ = through(glue, sine(500.0, 2.0, 0.02)[:, : 700 * HOP_SAMPLES], 70 * HOP_SAMPLES)
    assert np.all(quiet > 0.999)
    loud, _ = through(glue, sine(500.0, 2.0, 0.6)[:, : 700 * HOP_SAMPLES], 70 * HOP_SAMPLES)
    assert 20 * np.log10(loud[-1]) == pytest.approx(-2.5, abs=0.05)
    assert 20 * np.log10(loud.min()) >= -2.55


def test_accents_come_through_before_the_compressor_moves():
    sound = sine(500.0, 2.0, 0.6)[:, : 700 * HOP_SAMPLES]
    gain, _ = through(Glue(threshold_db=-20.0), sound, 700 * HOP_SAMPLES)
    assert 20 * np.log10(gain[round(0.01 * RATE)]) > -0.5


def test_no_sample_passes_the_ceiling_and_gain_never_jumps():
    generator = np.random.default_rng(5)
    sound = generator.standard_normal((2, 600 * HOP_SAMPLES)).astype(np.float32) * 0.2
    for at in generator.integers(0, sound.shape[1], 60):
        sound[generator.integers(2), at] = generator.choice([-3.0, 3.0])
    gain, heard = through(Glue(), sound, 60 * HOP_SAMPLES)
    assert np.abs(heard).max() <= Glue().ceiling + 1e-6
    assert np.abs(np.diff(gain)).max() < 1.0 / HOP_SAMPLES
    assert len(gain) == sound.shape[1]


@pytest.mark.parametrize("hops", [1, 7, 100])
def test_gain_does_not_depend_on_the_blocks(hops):
    envelope = np.repeat(np.random.default_rng(6).uniform(0, 1.6, 30), 20 * HOP_SAMPLES).astype(np.float32)
    sound = np.stack([envelope, envelope]) * sine(300.0, 30.0)[:, : len(envelope)]
    whole, _ = through(Glue(), sound, sound.shape[1])
    assert np.allclose(through(Glue(), sound, hops * HOP_SAMPLES)[0], whole, atol=1e-6)


def test_blocks_are_whole_hops():
    with pytest.raises(ValueError, match="whole hops"):
        GainCurve(RATE, Glue())(np.zeros((2, HOP_SAMPLES + 1), np.float32), True)
