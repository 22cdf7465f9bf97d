"""Plucked strings: harp, acoustic, electric and distorted guitar, pizzicato.

Each string is its partials, excited as a pluck at that place excites them (a comb), softened by finger or pick, taken up by a
body or a pickup. Two planes of vibration that are not quite in tune give every note its life.
"""

from dataclasses import dataclass

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
from reelscore.sound.patches.oscillators import BAND, Modes, Numbers, hertz, modes, ring, together
from reelscore.sound.patches.patch import Patch
from reelscore.sound.patches.strings import (
    Body,
    Burst,
    Partials,
    Peak,
    add_burst,
    fading,
    let_ring,
    plucked_at,
    scattered,
    softened,
    string_partials,
)

HARP_RELEASE = 1.0
GUITAR_RELEASE = 0.25
PIZZICATO_RELEASE = 0.35
DISTORTED_RELEASE = 0.14

GUITAR_BODY = Body(
    (Peak(102, 30, 2.2), Peak(196, 45, 1.8), Peak(290, 90, 0.7), Peak(420, 120, 0.9), Peak(760, 300, 0.4)),
    75,
    4800,
    1.5,
)
HARP_BODY = Body((Peak(160, 90, 0.8), Peak(330, 180, 0.7), Peak(700, 500, 0.3)), 60, 2400, 1.5)
PIZZICATO_BODY = Body((Peak(240, 200, 0.7), Peak(480, 240, 0.9), Peak(1050, 500, 0.4)), 75, 2500, 1.6)
CABINET = Body((Peak(110, 70, 0.5), Peak(2300, 1600, 1.1)), 85, 4200, 4.0)


@dataclass(frozen=True)
class Desk:
    """Where some players of a section sit (−1 to 1), how far they are out of tune and how late they pluck (seconds)."""

    place: float
    off_cents: float
    late: float


DESKS = (Desk(-0.5, 0.0, 0.0), Desk(0.5, 1.6, 0.006), Desk(0.1, -1.6, 0.0115))
# The latest a desk may be, in seconds: its own lateness, more or less, rounded to a whole period of the lowest note.
LATEST = 0.03


def _two_planes(partials: Partials, decay: Numbers, gain: Numbers, place: float, rng: np.random.Generator) -> Modes:
    """A string that swings along and across its body: the second plane is quieter, slower to die and a hair apart."""
    apart = float(cents(rng.uniform(0.25, 0.7)))
    return together(
        modes(partials.frequency_hz, decay, gain, scattered(place, len(gain), 0.15, rng)),
        modes(
            partials.frequency_hz * apart, 0.55 * decay, 0.32 * gain * rng.uniform(0.6, 1.2, len(gain)), place + 0.35
        ),
    )


def harp(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A concert harp: the soft middle of the string, fleshy fingers, and every note left to ring."""
    rng = take("harp", pitch, variation)
    pitch_hz = hertz(pitch)
    partials = string_partials(pitch_hz, 4e-5 * 2.0 ** ((pitch - 40) / 14.0), rate, top_hz=8000.0, most=48)
    corner_hz = (300.0 + 1750.0 * velocity**1.5) * (pitch_hz / 262.0) ** 0.35
    colour = plucked_at(partials.number, 0.42, 0.12) * softened(partials.frequency_hz, corner_hz, 1.9)
    colour *= HARP_BODY.response(partials.frequency_hz) / np.sqrt(partials.number) * rng.uniform(0.8, 1.2, len(colour))
    decay = fading(partials.frequency_hz, 4.6 * 2.0 ** (-(pitch - 40) / 24.0), 1.1) + 0.12 * partials.number
    place = float(np.clip((62 - pitch) / 70.0, -0.4, 0.4))
    strings = loudness.levelled(_two_planes(partials, decay, colour, place, rng), 0.4 - 0.15 * max(52 - pitch, 0))
    board = modes(
        rng.uniform(110, 380, 6), rng.uniform(30, 55, 6), 0.006 * rng.uniform(0.4, 1.0, 6), rng.uniform(-0.3, 0.3, 6)
    )
    sounding = together(strings, board).scaled(velocity_gain(velocity, 22.0))
    sound = let_ring(sounding, duration, HARP_RELEASE, rate)
    add_burst(sound, Burst(500.0, 2600.0, 0.018, 0.012 * velocity_gain(velocity, 24.0)), rate, rng)
    return finished(sound, rate, attack=0.0028 - 0.0014 * velocity)


def acoustic_guitar(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A steel-strung guitar, picked near the hole with the flesh and a little nail."""
    rng = take("acoustic guitar", pitch, variation)
    pitch_hz = hertz(pitch)
    partials = string_partials(pitch_hz, 6e-5 * 2.0 ** ((pitch - 40) / 24.0), rate, top_hz=9500.0, most=64)
    corner_hz = (900.0 + 4200.0 * velocity**1.5) * (pitch_hz / 196.0) ** 0.2
    colour = plucked_at(partials.number, 0.19 + 0.03 * rng.uniform(-1, 1)) / partials.number**0.5
    colour *= softened(partials.frequency_hz, corner_hz, 1.5) * GUITAR_BODY.response(partials.frequency_hz)
    decay = fading(partials.frequency_hz, 5.6 * 2.0 ** (-(pitch - 40) / 28.0), 0.28) + 0.07 * partials.number
    strings = loudness.levelled(_two_planes(partials, decay, colour, -0.12, rng))
    body = modes(
        np.array([102.0, 196.0, 223.0, 420.0]) * rng.uniform(0.99, 1.01, 4),
        np.array([22.0, 30.0, 40.0, 60.0]),
        np.array([0.022, 0.016, 0.01, 0.008]) * rng.uniform(0.7, 1.3, 4),
        0.15,
    )
    sounding = together(strings, body).scaled(velocity_gain(velocity, 22.0))
    sound = let_ring(sounding, duration, GUITAR_RELEASE, rate)
    add_burst(sound, Burst(900.0, 5000.0, 0.010, 0.014 * velocity_gain(velocity, 26.0)), rate, rng)
    return finished(sound, rate, attack=0.0012)


def electric_guitar(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A clean electric guitar on its neck pickup through a small valve amplifier, in a small room."""
    rng = take("electric guitar", pitch, variation)
    pitch_hz = hertz(pitch)
    partials, colour, decay = _electric_string(pitch_hz, velocity, rate, rng)
    colour = colour * CABINET.response(partials.frequency_hz)
    strings = loudness.levelled(_two_planes(partials, decay, colour, -0.1, rng), -0.3).scaled(
        velocity_gain(velocity, 20.0)
    )
    sound = let_ring(strings, duration, GUITAR_RELEASE, rate)
    add_burst(sound, Burst(700.0, 3000.0, 0.012, 0.010 * velocity_gain(velocity, 24.0)), rate, rng)
    return finished(sound, rate, attack=0.0015)


def _electric_string(
    pitch_hz: float, velocity: float, rate: int, rng: np.random.Generator
) -> tuple[Partials, Numbers, Numbers]:
    """Partials, gains and decays of a solid-bodied guitar's string as its pickup hears it."""
    partials = string_partials(pitch_hz, 5e-5 * (pitch_hz / 82.0) ** 0.4, rate, top_hz=7500.0, most=56)
    colour = plucked_at(partials.number, 0.13 + 0.02 * rng.uniform(-1, 1), 0.08) / partials.number**0.7
    colour *= plucked_at(partials.number, 0.24, 0.15)
    colour *= softened(partials.frequency_hz, 1100.0 + 3400.0 * velocity**1.4, 1.6)
    decay = fading(partials.frequency_hz, 9.5 * (pitch_hz / 82.0) ** -0.35, 0.3) + 0.05 * partials.number
    return partials, colour, decay


def distorted_guitar(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A guitar into a valve stack turned up: sustained as long as held, doubled left and right."""
    rng = take("distorted guitar", pitch, variation)
    count = round((duration + DISTORTED_RELEASE * 1.3) * rate)
    times = control_times(count, rate)
    level = gain_from_db(loudness.LEVEL_DB - 7.0) * velocity_gain(velocity, 10.0)
    swell = held(times, duration, 0.004, DISTORTED_RELEASE) * (0.8 + 0.35 * settle(times, 0.09)) * level
    sides = [_driven(pitch, velocity, count, rate, rng) * audio_rate(swell, count) for _ in range(2)]
    sound = np.stack([0.85 * sides[0] + 0.25 * sides[1], 0.25 * sides[0] + 0.85 * sides[1]])
    return finished(sound, rate, attack=0.002)


def _driven(pitch: int, velocity: float, count: int, rate: int, rng: np.random.Generator) -> Samples:
    """One take of the string through drive and cabinet at about unit level: (count,).

    The drive works at twice the rate on a string without high partials; cabinet and cut to the band are one pass over the
    spectrum, so what the drive makes above the band is gone before it can fold back.
    """
    from scipy import fft

    pitch_hz = hertz(pitch) * float(cents(rng.uniform(-2.0, 2.0)))
    partials, colour, decay = _electric_string(pitch_hz, 0.8, rate, rng)
    colour = colour * softened(partials.frequency_hz, 3000.0, 1.0) / np.abs(colour).max()
    fed_back = np.where(partials.number <= 5, 0.05, decay)
    string = ring(modes(partials.frequency_hz, fed_back, 0.5 * colour), 2 * count, 2 * rate)[0]
    # Harder drive on a high note would reach beyond the doubled band and fold back.
    drive = np.float32(min(4.0 + 16.0 * velocity, 8000.0 / pitch_hz))
    shaped = np.tanh(drive * string + np.float32(0.25))
    size = fft.next_fast_len(2 * (count + rate // 20), real=True)
    size += size % 2
    spectrum = fft.rfft(shaped, size)[: size // 4 + 1]
    frequency = np.arange(len(spectrum)) * (2 * rate / size)
    spectrum *= (CABINET.response(frequency) * (frequency < BAND * rate)).astype(np.float32)
    driven: Samples = fft.irfft(spectrum, size // 2)[:count]
    return driven


def pizzicato_strings(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A few desks of strings plucking together: round, short, not quite at once."""
    rng = take("pizzicato strings", pitch, variation)
    pitch_hz = hertz(pitch)
    partials = string_partials(pitch_hz, 1.5e-4, rate, top_hz=6000.0, most=26)
    corner_hz = (380.0 + 1900.0 * velocity**1.5) * (pitch_hz / 262.0) ** 0.4
    colour = (
        plucked_at(partials.number, 0.23, 0.1) / partials.number**0.8 * softened(partials.frequency_hz, corner_hz, 1.8)
    )
    colour *= PIZZICATO_BODY.response(partials.frequency_hz)
    seconds = 1.1 * 2.0 ** (-(pitch - 48) / 26.0)
    desks = []
    for desk in DESKS:
        decay = fading(partials.frequency_hz, seconds * rng.uniform(0.85, 1.15), 2.0) + 0.9 * (partials.number - 1.0)
        tuned = partials.frequency_hz * cents(desk.off_cents + rng.normal(0.0, 0.3))
        string = modes(tuned, decay, colour * rng.uniform(0.7, 1.3, len(colour)), desk.place)
        string = loudness.levelled(string, 3.6 - 0.15 * max(52 - pitch, 0)).scaled(velocity_gain(velocity, 21.0))
        # Late by whole periods: the strokes are apart, but no desk wipes out another's fundamental.
        late = round(desk.late * rng.uniform(0.75, 1.25) * pitch_hz) / pitch_hz
        played = let_ring(string, max(duration - late, 0.0), PIZZICATO_RELEASE, rate)
        desks.append(np.pad(played, ((0, 0), (round(late * rate), 0))))
    sound = _met(desks)
    add_burst(sound, Burst(200.0, 1800.0, 0.025, 0.03 * velocity_gain(velocity, 23.0)), rate, rng)
    return finished(sound, rate, attack=0.010 - 0.006 * velocity)


def _met(desks: list[Samples]) -> Samples:
    """The desks together, as loud as one of them, however their waves happen to meet."""
    sound = np.zeros((2, max(desk.shape[1] for desk in desks)), np.float32)
    for desk in desks:
        sound[:, : desk.shape[1]] += desk
    alone = np.mean([np.vdot(desk, desk) for desk in desks])
    sound *= np.float32(np.sqrt(alone / max(float(np.vdot(sound, sound)), 1e-12)))
    return sound


PATCHES = {
    "harp": Patch(harp, HARP_RELEASE),
    "acoustic guitar": Patch(acoustic_guitar, GUITAR_RELEASE),
    "electric guitar": Patch(electric_guitar, GUITAR_RELEASE),
    "distorted guitar": Patch(distorted_guitar, 2 * DISTORTED_RELEASE),
    "pizzicato strings": Patch(pizzicato_strings, PIZZICATO_RELEASE + LATEST),
}
