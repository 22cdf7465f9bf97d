"""Basses: upright, electric and synth.

Two plucked strings, one with a body and one with a pickup, and a filtered saw over a sine.
"""

import numpy as np

from reelscore.audio import Samples, gain_from_db
from reelscore.sound.patches import loudness
from reelscore.sound.patches.envelopes import (
    audio_rate,
    cents,
    control_times,
    finished,
    held,
    settle,
    take,
    velocity_gain,
)
from reelscore.sound.patches.oscillators import hertz, modes, morph, running_phase, together
from reelscore.sound.patches.patch import Patch
from reelscore.sound.patches.players import numbers_within, tables
from reelscore.sound.patches.strings import (
    Body,
    Burst,
    Peak,
    add_burst,
    fading,
    let_ring,
    plucked_at,
    softened,
    string_partials,
)
from reelscore.sound.patches.synths import filtered

UPRIGHT_RELEASE = 0.16
ELECTRIC_RELEASE = 0.14
SYNTH_RELEASE = 0.10

UPRIGHT_BODY = Body(
    (Peak(62, 25, 0.6), Peak(105, 35, 1.2), Peak(170, 60, 0.8), Peak(310, 160, 0.5), Peak(700, 500, 0.3)), 38, 950, 1.8
)


def upright_bass(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A double bass plucked by the finger: a soft thump, then a growl over the fundamental."""
    rng = take("upright bass", pitch, variation)
    pitch_hz = hertz(pitch)
    partials = string_partials(pitch_hz, 1.2e-4, rate, top_hz=3200.0, most=40)
    corner_hz = 260.0 + 900.0 * velocity**1.4
    colour = plucked_at(partials.number, 0.29 + 0.02 * rng.uniform(-1, 1), 0.15) / partials.number**0.6
    colour *= softened(partials.frequency_hz, corner_hz, 1.9) * UPRIGHT_BODY.response(partials.frequency_hz)
    decay = fading(partials.frequency_hz, 3.8 * 2.0 ** (-(pitch - 28) / 34.0), 3.0) + 0.13 * partials.number
    apart = float(cents(rng.uniform(1.0, 2.0)))
    # The second plane turns into the first over a quarter of a second: the mwah.
    strings = together(
        modes(partials.frequency_hz, decay, colour, 0.05),
        modes(partials.frequency_hz * apart, 0.7 * decay, -0.35 * colour * (partials.number > 1), -0.1),
    )
    body = modes(np.array([62.0, 105.0, 172.0]), np.array([18.0, 26.0, 36.0]), np.array([0.02, 0.03, 0.02]), 0.0)
    sounding = together(loudness.levelled(strings, 3.5), body).scaled(velocity_gain(velocity, 20.0))
    sound = let_ring(sounding, duration, UPRIGHT_RELEASE, rate)
    add_burst(sound, Burst(250.0, 1600.0, 0.035, 0.03 * velocity_gain(velocity, 24.0)), rate, rng)
    return finished(sound, rate, attack=0.011 - 0.005 * velocity)


def electric_bass(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A bass guitar played with the fingers, flat and firm."""
    rng = take("electric bass", pitch, variation)
    pitch_hz = hertz(pitch)
    partials = string_partials(pitch_hz, 1.0e-4, rate, top_hz=4000.0, most=50)
    colour = plucked_at(partials.number, 0.17, 0.1) * plucked_at(partials.number, 0.27, 0.25) / partials.number**0.7
    colour *= softened(partials.frequency_hz, 420.0 + 1600.0 * velocity**1.4, 1.8)
    decay = fading(partials.frequency_hz, 7.0 * 2.0 ** (-(pitch - 28) / 30.0), 1.8) + 0.09 * partials.number
    apart = float(cents(rng.uniform(0.4, 1.0)))
    strings = together(
        modes(partials.frequency_hz, decay, colour, 0.0),
        modes(partials.frequency_hz * apart, 0.6 * decay, 0.25 * colour, 0.1),
    )
    sounding = loudness.levelled(strings).scaled(velocity_gain(velocity, 19.0))
    sound = let_ring(sounding, duration, ELECTRIC_RELEASE, rate)
    add_burst(sound, Burst(400.0, 2500.0, 0.018, 0.018 * velocity_gain(velocity, 24.0)), rate, rng)
    return finished(sound, rate, attack=0.005 - 0.0025 * velocity)


def synth_bass(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A saw and a square with a sine below, through a filter that an envelope closes."""
    rng = take("synth bass", pitch, variation)
    pitch_hz = hertz(pitch)
    count = round((duration + SYNTH_RELEASE * 1.3) * rate)
    times = control_times(count, rate)
    number = numbers_within(pitch_hz, rate, 5000.0)
    saw = np.where(number == 1, 0.5, (1.0 + 0.5 * (number % 2)) / number)
    corners = 200.0 * np.array([1.0, 3.2, 7.0 + 11.0 * velocity]) * (pitch_hz / 55.0) ** 0.35
    colours = [saw * filtered(pitch_hz * number, corner, 0.6) for corner in corners]
    place = (0.35 + 0.75 * velocity) + (0.5 + 0.9 * velocity) * settle(times, 0.16)
    swell = held(times, duration, 0.005, SYNTH_RELEASE) * (0.85 + 0.25 * settle(times, 0.12))
    swell *= gain_from_db(loudness.LEVEL_DB - 0.7) * velocity_gain(velocity, 13.0)
    made = tables(pitch_hz, colours, 0.0)
    # The lowest is one sine in the middle; only what lies above it is doubled to the sides, so that no bass is lost in mono.
    steady = np.full_like(times, pitch_hz)
    left = morph(made, running_phase(steady * cents(1.6), count, rate, rng.uniform(0.0, 0.2)), place, swell)
    right = morph(made, running_phase(steady * cents(-1.6), count, rate), place, swell)
    turn = running_phase(steady, count, rate).astype(np.float32) * np.float32(2 * np.pi / 2**32)
    middle = audio_rate(0.75 * swell, count) * np.sin(turn)
    sound = np.stack([0.8 * left + 0.2 * right + middle, 0.2 * left + 0.8 * right + middle]).astype(np.float32)
    return finished(sound, rate, attack=0.003)


PATCHES = {
    "upright bass": Patch(upright_bass, UPRIGHT_RELEASE),
    "electric bass": Patch(electric_bass, ELECTRIC_RELEASE),
    "synth bass": Patch(synth_bass, 2 * SYNTH_RELEASE),
}
