"""Vibrating strings and bars as modes: where their partials lie, how they die away, how a body takes them up, how they are damped.

A struck or plucked note is made as its partials (modes) instead of a delay line: the same physics in closed form, exactly in tune, and
every partial may decay as the real one does.
"""

from dataclasses import dataclass

import numpy as np

from reelscore.audio import Samples
from reelscore.sound.patches.envelopes import damper
from reelscore.sound.patches.oscillators import BAND, Modes, Numbers, noise, ring

SILENT = 2e-4


@dataclass(frozen=True)
class Peak:
    """One resonance: where, how wide (both Hz) and how much it adds, as a gain."""

    hertz: float
    width_hz: float
    gain: float


@dataclass(frozen=True)
class Body:
    """How a body, a bell or a mouth takes up sound: resonances over a plain that falls off below `low_hz` and above `high_hz`.

    `steepness` counts 6 dB an octave above `high_hz`.
    """

    peaks: tuple[Peak, ...]
    low_hz: float
    high_hz: float
    steepness: float = 2.0
    plain: float = 1.0

    def response(self, frequency_hz: Numbers) -> Numbers:
        """The gain at each frequency."""
        gain = np.full_like(frequency_hz, self.plain)
        for peak in self.peaks:
            gain = gain + peak.gain / np.sqrt(1.0 + ((frequency_hz - peak.hertz) / (0.5 * peak.width_hz)) ** 2)
        below = frequency_hz**2 / (frequency_hz**2 + self.low_hz**2)
        above = (1.0 + (frequency_hz / self.high_hz) ** 2) ** (-0.5 * self.steepness)
        return gain * below * above


@dataclass(frozen=True)
class Partials:
    """The partials of one string: their numbers 1, 2, … and their frequencies in Hz."""

    number: Numbers
    frequency_hz: Numbers


def string_partials(pitch_hz: float, stiffness: float, rate: int, top_hz: float, most: int) -> Partials:
    """The partials of a stiff string, each sharper than the harmonic by √(1 + B n²); the first is exactly in tune."""
    top = min(top_hz, BAND * rate)
    number = np.arange(1.0, max(2, min(most, int(top / pitch_hz)) + 1))
    stretch = np.sqrt((1.0 + stiffness * number**2) / (1.0 + stiffness))
    return Partials(number, pitch_hz * number * stretch)


def fading(frequency_hz: Numbers, seconds: float, high_loss: float) -> Numbers:
    """Decay in nepers per second: 60 dB in `seconds` at low frequencies, and `high_loss` more for the square of each kHz."""
    return 6.91 / seconds + high_loss * (frequency_hz / 1000.0) ** 2


def plucked_at(number: Numbers, place: float, floor: float = 0.03) -> Numbers:
    """What a pluck at a fraction of the length excites, signs included; no partial is lost, as no finger is a point."""
    swing = np.sin(np.pi * number * place)
    return np.asarray(np.where(swing < 0, -1.0, 1.0) * np.hypot(swing, floor))


def softened(frequency_hz: Numbers, corner_hz: float, steepness: float) -> Numbers:
    """What a soft hammer or finger leaves: full below `corner_hz`, falling by `steepness` × 6 dB an octave above."""
    return np.asarray((1.0 + (frequency_hz / corner_hz) ** 2) ** (-0.5 * steepness))


def let_ring(sounding: Modes, duration: float, release: float, rate: int) -> Samples:
    """The modes as they ring until they are silent or, after `duration`, damped within `release`: (2, n)."""
    length = min(sounding.life(SILENT), duration + release)
    count = max(round(length * rate), 2 * round(0.012 * rate))
    return ring(sounding, count, rate) * damper(count, duration, release, rate)


def scattered(place: float, count: int, spread: float, rng: np.random.Generator) -> Numbers:
    """Places of partials around `place` (−1 to 1): a big instrument sends each of its partials elsewhere into a room."""
    return np.clip(place + rng.normal(0.0, spread, count), -1.0, 1.0)


@dataclass(frozen=True)
class Burst:
    """The noise of a stroke: its band in Hz, the seconds in which it falls by 60 dB, and its gain."""

    low_hz: float
    high_hz: float
    decay: float
    gain: float


def add_burst(sound: Samples, burst: Burst, rate: int, rng: np.random.Generator) -> None:
    """Adds the burst to the start of a note, in place."""
    count = min(round(1.4 * burst.decay * rate), sound.shape[1])
    fall = np.exp(np.arange(count, dtype=np.float32) * np.float32(-6.91 / (burst.decay * rate)))
    sound[:, :count] += noise(burst.low_hz, burst.high_hz, count, rate, rng) * fall * np.float32(burst.gain)
