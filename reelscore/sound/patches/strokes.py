"""What percussion is made of: skins, snares, metal, wood and shaken grains, each struck once.

A stroke is a function of a Hit (how hard, how long, by which take) and of what is struck; it gives stereo sound (2, n) that starts at
its first sample and has died away at its last. Levels and places are put on by the kit. Harder strokes are brighter, not just louder.
Frequencies are in Hz; a `ring` is the time in seconds in which a sound falls by 60 dB.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples
from reelscore.sound.patches.envelopes import BLOCK, DECAY_60_DB
from reelscore.sound.patches.oscillators import modes, noise, ring

Numbers = npt.NDArray[np.float64]

# Frequencies of an ideal round membrane over its lowest, and how well a stroke off the centre wakes each.
SKIN = np.array([1.0, 1.59, 2.14, 2.30, 2.65, 2.92, 3.16, 3.50, 3.60])
SKIN_GAIN = np.array([1.0, 0.45, 0.28, 0.22, 0.17, 0.13, 0.10, 0.08, 0.07])


@dataclass(frozen=True)
class Hit:
    """One stroke: velocity from 0 to 1, written length in seconds, sampling rate in Hz and the take's own chance."""

    velocity: float
    duration: float
    rate: int
    rng: np.random.Generator

    def count(self, length: float) -> int:
        return max(round(length * self.rate), 16)

    def near(self, value: float, share: float = 0.01) -> float:
        """The value, by a hair different in each take."""
        return value * float(self.rng.uniform(1.0 - share, 1.0 + share))

    def harder(self, soft: float, hard: float) -> float:
        """Between `soft` and `hard` by velocity, evenly in ratio."""
        return float(soft * (hard / soft) ** min(max(self.velocity, 0.0), 1.0))


def layered(*layers: Samples) -> Samples:
    """Strokes at the same moment: (2, longest)."""
    total = np.zeros((2, max(layer.shape[1] for layer in layers)), np.float32)
    for layer in layers:
        total[:, : layer.shape[1]] += layer
    return total


def later(sound: Samples, delay: float, rate: int) -> Samples:
    """The same sound after `delay` seconds."""
    return np.pad(sound, ((0, 0), (round(delay * rate), 0)))


def placed(sound: Samples, pan: float) -> Samples:
    """The same sound at a place between −1 (left) and 1, at equal power."""
    angle = (pan + 1.0) * np.pi / 4
    sides = np.sqrt(2.0) * np.array([[np.cos(angle)], [np.sin(angle)]])
    return np.asarray(sound * sides.astype(np.float32), np.float32)


def dying(count: int, ring_time: float, rate: int, attack: float = 0.0) -> Samples:
    """An envelope (count,): rises over `attack`, then falls by 60 dB in `ring_time` seconds, to 0 at its last sample."""
    fall = -DECAY_60_DB / (ring_time * rate)
    steps, inside = np.exp(fall * BLOCK * np.arange(-(-count // BLOCK))), np.exp(fall * np.arange(BLOCK))
    envelope = np.multiply.outer(steps.astype(np.float32), inside.astype(np.float32)).reshape(-1)[:count]
    rising = min(count, round(attack * rate))
    envelope[:rising] *= np.arange(rising, dtype=np.float32) / np.float32(max(attack * rate, 1.0))
    end = min(count, max(round(0.1 * count), 16))
    envelope[-end:] *= np.arange(end - 1, -1, -1, dtype=np.float32) / np.float32(end - 1)
    return np.asarray(envelope, np.float32)


def hiss(
    hit: Hit, low_hz: float, high_hz: float, ring_time: float, *, attack: float = 0.0, width: float = 0.6
) -> Samples:
    """A burst of noise between two frequencies; `width` 0 is mono, 1 is as wide as noise can be."""
    count = hit.count(ring_time * 1.1 + attack)
    middle, left, right = (noise(low_hz, high_hz, count, hit.rate, hit.rng) for _ in range(3))
    sides = np.stack([left, right]) * np.float32(width) + middle * np.float32(np.sqrt(1.0 - width**2))
    return np.asarray(sides * dying(count, ring_time, hit.rate, attack), np.float32)


def skin(
    hit: Hit, pitch_hz: float, ring_time: float, *, bend: float, settle: float = 0.03, brightness: float = 1.0
) -> Samples:
    """A membrane: it starts `bend` times higher while it is stretched and settles in about `settle` seconds; high modes die first."""
    count = hit.count(ring_time * 1.1)
    time = np.arange(count, dtype=np.float32) / np.float32(hit.rate)
    own_hz = hit.near(pitch_hz, 0.006)
    # seconds of a membrane at rest that pass in each sample: faster while it is stretched
    stretch = (bend - 1.0) * hit.harder(0.5, 1.1)
    passed = (time - np.float32(stretch * settle) * np.expm1(time / np.float32(-settle))) * np.float32(
        2.0 * np.pi * own_hz
    )
    total = np.zeros(count, np.float32)
    shine = brightness * hit.harder(0.3, 1.2)
    for index, (ratio, gain) in enumerate(zip(SKIN, SKIN_GAIN, strict=True)):
        if own_hz * ratio * bend > 0.4 * hit.rate:
            break
        loud = np.float32(gain * (1.0 if index == 0 else shine * hit.near(1.0, 0.15)))
        own_ring = ring_time / (1.0 + 0.8 * index)
        sounding = hit.count(own_ring * 1.1)
        total[:sounding] += loud * np.sin(np.float32(ratio) * passed[:sounding]) * dying(sounding, own_ring, hit.rate)
    return np.stack([total, total])


def tone(hit: Hit, partials: Numbers, gains: Numbers, rings: Numbers, *, width: float = 0.2) -> Samples:
    """Named partials, each with its own ring; the higher ones speak up with velocity."""
    own_hz = partials * hit.near(1.0, 0.004)
    lift = (own_hz / own_hz[0]) ** (0.5 * (hit.velocity - 0.8))
    pans = hit.rng.uniform(-width, width, len(partials))
    sounding = modes(own_hz, DECAY_60_DB / rings, gains * lift, pans)
    count = hit.count(float(np.max(rings)) * 1.05)
    return ring(sounding, count, hit.rate) * dying(count, 1e3, hit.rate)


def metal(
    hit: Hit, low_hz: float, high_hz: float, ring_time: float, *, partials: int, dull: float = 0.35, wash: float = 0.5
) -> Samples:
    """A cymbal: many partials that are no harmonics, and a wash of noise beside them.

    High partials ring for `dull` of the time that the low ones do; `wash` is how much of it is noise. The same cymbal in every
    take: only how the stick meets it differs.
    """
    top_hz = min(high_hz, 0.44 * hit.rate)
    cymbal = np.random.default_rng((round(low_hz), round(high_hz), partials))
    own_hz = low_hz * (top_hz / low_hz) ** np.sort(cymbal.random(partials) ** 0.8)
    height = np.log(own_hz / low_hz) / np.log(top_hz / low_hz)
    rings = ring_time * dull**height * cymbal.uniform(0.6, 1.1, partials)
    gains = cymbal.lognormal(0.0, 0.6, partials) * hit.rng.lognormal(0.0, 0.15, partials)
    gains *= (own_hz / low_hz) ** 0.3 * hit.harder(0.08, 1.25) ** height / np.sqrt(partials)
    # struck everywhere at once they would all start upwards, as one spike
    gains *= cymbal.choice([-1.0, 1.0], partials)
    sounding = modes(own_hz, DECAY_60_DB / rings, gains, cymbal.uniform(-0.8, 0.8, partials))
    count = hit.count(ring_time * 1.1)
    body = ring(sounding, count, hit.rate) * dying(count, 1e3, hit.rate)
    edge_hz = (low_hz * top_hz) ** 0.5
    bright = hit.harder(0.15, 1.1)
    noises = layered(
        hiss(hit, low_hz * 1.5, edge_hz, ring_time * 0.8, width=0.9) * np.float32(0.5),
        hiss(hit, edge_hz, top_hz, ring_time * (0.3 + 0.5 * dull), width=0.9) * np.float32(bright),
    )
    return layered(body * np.float32(1.0 - wash), noises * np.float32(wash * 0.6))


def click(hit: Hit, low_hz: float, high_hz: float, length: float = 0.006) -> Samples:
    """What the stick itself sounds like: a very short noise, brighter when harder."""
    return hiss(hit, low_hz, high_hz * hit.harder(0.5, 1.05), length, width=0.2)


def snares(hit: Hit, ring_time: float, *, low_hz: float = 1400.0, high_hz: float = 9500.0) -> Samples:
    """The wires under a snare drum: they speak a moment after the skin."""
    return layered(
        hiss(hit, low_hz, high_hz * hit.harder(0.45, 1.1), ring_time, attack=0.0015, width=0.55),
        hiss(hit, 350.0, 1500.0, ring_time * 0.6, width=0.4) * np.float32(0.5),
    )


def grains(hit: Hit, low_hz: float, high_hz: float, length: float, *, rise: float, density: float = 1800.0) -> Samples:
    """Something filled with beads: `density` beads a second, a swing that swells over `rise` of the length and dies."""
    count = hit.count(length)
    time = np.arange(count, dtype=np.float32) / np.float32(count)
    swing = np.where(time < rise, (time / rise) ** 2, ((1.0 - time) / (1.0 - rise)) ** 3)
    beads = (hit.rng.random((2, count)) < density / hit.rate) * hit.rng.exponential(1.0, (2, count))
    # each bead rings for about two milliseconds: the beads are smeared, and the noise carries them
    smeared = _smeared(beads, 0.0015, hit.rate)
    carried = np.stack([noise(low_hz, high_hz, count, hit.rate, hit.rng) for _ in range(2)])
    return np.asarray(carried * (0.25 + smeared) * swing, np.float32)


def _smeared(beads: Numbers, length: float, rate: int) -> Numbers:
    from scipy.signal import lfilter

    keep = float(np.exp(-1.0 / (length * rate)))
    return np.asarray(lfilter([1.0], [1.0, -keep], beads, axis=1))


def stepped_strokes(hit: Hit, times: Numbers, sound: Samples, levels: Numbers) -> Samples:
    """The same sound at several times (seconds), each at its level: claps, rattles, rolls."""
    return layered(
        *(later(sound * np.float32(level), float(time), hit.rate) for time, level in zip(times, levels, strict=True))
    )
