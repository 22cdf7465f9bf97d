"""Oscillators against what they are by definition: damped sines, tables read by phase, noise of one loop."""

import numpy as np
import pytest

from reelscore.sound.patches.envelopes import BLOCK, audio_rate
from reelscore.sound.patches.oscillators import (
    NOISE_LENGTH,
    crowd,
    doubled,
    modes,
    morph,
    noise,
    ring,
    running_phase,
    turns,
    wavetable,
)

RATE = 48000


@pytest.mark.parametrize(("count", "partials"), [(5, 1), (4000, 3), (30_001, 90), (96_000, 200)])
def test_modes_ring_as_damped_sines(count, partials):
    generator = np.random.default_rng(3)
    frequency, decay = generator.uniform(40.0, 12_000.0, partials), generator.uniform(2.0, 60.0, partials)
    gain, pan = generator.uniform(0.2, 1.0, partials), generator.uniform(-1.0, 1.0, partials)
    time = np.arange(count) / RATE
    wanted = np.zeros((2, count))
    for hertz, fall, loud, angle in zip(frequency, decay, gain, (pan + 1.0) * np.pi / 4, strict=True):
        sine = np.sqrt(2.0) * loud * np.sin(2 * np.pi * hertz * time) * np.exp(-fall * time)
        wanted += np.array([[np.cos(angle)], [np.sin(angle)]]) * sine
    heard = ring(modes(frequency, decay, gain, pan), count, RATE)
    assert heard.shape == (2, count) and heard.dtype == np.float32
    # each mode is let go of 100 dB below the loudest
    assert np.abs(heard - wanted).max() < 3e-5 * partials


def test_modes_beyond_the_band_are_left_out():
    assert not ring(modes(np.array([0.46 * RATE]), np.array([5.0]), np.array([1.0])), 1000, RATE).any()


def test_a_crowd_is_its_members_one_by_one():
    generator = np.random.default_rng(4)
    players, count = 7, 150 * BLOCK + 1
    breakpoints = -(-count // BLOCK) + 1
    frequency = 300.0 * (1.0 + 0.01 * np.cumsum(generator.normal(0.0, 0.1, (players, breakpoints)), axis=1))
    place, level = (
        generator.uniform(0.0, 2.0, (players, breakpoints)),
        generator.uniform(0.0, 1.0, (players, breakpoints)),
    )
    starts, sides = generator.random(players), generator.random((2, players)).astype(np.float32)
    tables = [wavetable(1.0 / np.arange(1.0, top)) for top in (4, 9, 20)]
    together = crowd(tables, turns(frequency, RATE, starts), place, level, sides)[:, :count]
    alone = [
        morph(
            tables, running_phase(frequency[player], count, RATE, float(starts[player])), place[player], level[player]
        )
        for player in range(players)
    ]
    wanted = sides @ np.stack(alone)
    assert np.sqrt(np.mean((together - wanted) ** 2)) < 1e-3 * np.sqrt(np.mean(wanted**2))


def test_a_phase_follows_its_frequency_to_the_period():
    frequency = np.linspace(200.0, 400.0, 376)
    phase = np.unwrap(running_phase(frequency, 375 * BLOCK, RATE, 0.25) * (2 * np.pi / 2**32)) / (2 * np.pi)
    assert phase[0] == pytest.approx(0.25)
    assert phase[-1] - phase[0] == pytest.approx(300.0, abs=1.0)


def test_breakpoints_are_joined_by_straight_lines():
    points = np.random.default_rng(5).uniform(-1.0, 1.0, 1300)
    count = 1299 * BLOCK - 50
    wanted = np.interp(np.arange(count) / BLOCK, np.arange(1300), points)
    assert np.abs(audio_rate(points, count) - wanted).max() < 1e-6


@pytest.mark.parametrize("length", [100, 8192, 20_000])
def test_twice_the_rate_is_the_same_sound(length):
    time = np.arange(2 * length) / RATE
    tone = np.sin(2 * np.pi * 1000.0 * time).astype(np.float32)
    wider = doubled(np.stack([tone[::2], -tone[::2]]), 2 * length - 1)
    assert wider.shape == (2, 2 * length - 1)
    inside = slice(40, 2 * length - 40)
    assert np.abs(wider[0][inside] - tone[inside]).max() < 2e-3
    assert np.array_equal(wider[0], -wider[1])


def test_noise_goes_round_its_loop_without_an_end():
    long = noise(200.0, 4000.0, 3 * NOISE_LENGTH + 17, RATE, np.random.default_rng(6))
    assert len(long) == 3 * NOISE_LENGTH + 17
    assert np.array_equal(long[:NOISE_LENGTH], long[NOISE_LENGTH : 2 * NOISE_LENGTH])
    assert np.sqrt(np.mean(long**2)) == pytest.approx(1.0, abs=0.01)
    assert np.abs(np.diff(long)).max() < 6 * np.sqrt(np.mean(np.diff(long) ** 2))
