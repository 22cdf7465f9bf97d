"""How a note's level, pitch and colour move over time.

Slow movements are drawn as breakpoints every BLOCK samples ("control"), one more than there are blocks, and joined linearly
when they meet the sound. Times are seconds from the note's start. `rng` is a Generator seeded by the note itself (`take`), so
that a note is the same whenever it is played.
"""

from math import log
from zlib import crc32

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples, gain_from_db

Control = npt.NDArray[np.float64]

BLOCK = 128
RAMP = np.stack([np.ones(BLOCK), np.arange(BLOCK) / BLOCK]).astype(np.float32)
JOINED_AT_ONCE = 512
SLOW = 6
REFERENCE_VELOCITY = 0.8
FADE = 0.008
DECAY_60_DB = log(1000.0)
CEILING = 0.97


def take(name: str, pitch: int, variation: int) -> np.random.Generator:
    """The chance in one take of one note: the same for the same name, pitch and variation."""
    return np.random.default_rng((crc32(name.encode()), pitch, variation % 4))


def velocity_gain(velocity: float, span_db: float) -> float:
    """The gain of a velocity: 1 at 0.8, and `span_db` from velocity 0.2 to velocity 1."""
    return gain_from_db(span_db * log(max(velocity, 0.02) / REFERENCE_VELOCITY) / log(5.0))


def control_times(count: int, rate: int) -> Control:
    """The times of the breakpoints that cover `count` samples."""
    return np.arange(-(-count // BLOCK) + 1, dtype=np.float64) * (BLOCK / rate)


def audio_rate(control: Control, count: int) -> Samples:
    """Breakpoints (blocks + 1) joined linearly: (count,) samples."""
    ramps: Samples = joined(control.astype(np.float32)).reshape(-1)[:count]
    return ramps


def joined(points: Samples) -> Samples:
    """Breakpoints (…, blocks + 1) joined linearly: (…, blocks × BLOCK). A product of matrices, in pieces that BLAS leaves on one thread."""
    ends = np.empty((*points.shape[:-1], points.shape[-1] - 1, 2), np.float32)
    ends[..., 0] = points[..., :-1]
    np.subtract(points[..., 1:], points[..., :-1], out=ends[..., 1])
    pairs = ends.reshape(-1, 2)
    ramps = np.empty((len(pairs), BLOCK), np.float32)
    for first in range(0, len(pairs), JOINED_AT_ONCE):
        piece = slice(first, first + JOINED_AT_ONCE)
        np.matmul(pairs[piece], RAMP, out=ramps[piece])
    return ramps.reshape(*points.shape[:-1], -1)


def rise(times: Control, length: float, start: float | Control = 0.0) -> Control:
    """From 0 at `start` to 1 after `length` seconds, without corners."""
    x = np.clip((times - start) / max(length, 1e-4), 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def held(times: Control, duration: float, attack: float, release: float) -> Control:
    """Breath or bow: rises in `attack`, holds to `duration`, then falls by 60 dB in `release`. Short notes speak faster."""
    attack = min(attack, 0.012 + 0.45 * duration)
    late = np.maximum(times - duration, 0.0)
    soft = late * late / (late + 0.12 * release)
    return rise(times, attack) * np.exp(-DECAY_60_DB * 1.12 * soft / release)


def settle(times: Control, time_constant: float) -> Control:
    """From 1 at the start towards 0, exponentially."""
    return np.exp(-times / time_constant)


def wander(times: Control, speed_hz: float, rng: np.random.Generator, players: int = 1) -> Control:
    """A slow unsteadiness of about unit size that never repeats itself noticeably: (players, times)."""
    speeds = speed_hz * np.array([0.31, 0.73, 1.27]) * rng.uniform(0.85, 1.15, (players, 3))
    phases = rng.uniform(0.0, 2 * np.pi, (players, 3, 1))
    slow = np.arange(-(-len(times) // SLOW) + 1) * (SLOW * times[1])
    points = np.sin(2 * np.pi * speeds[:, :, None] * slow + phases).sum(axis=1) * 0.8165
    joined = np.multiply.outer(np.diff(points), np.arange(SLOW) / SLOW) + points[:, :-1, None]
    return np.asarray(joined.reshape(players, -1)[:, : len(times)])


def vibrato(times: Control, speed_hz: Control, delay: Control, rng: np.random.Generator) -> Control:
    """Vibrato between −1 and 1, one row for each player's speed and delay: comes in late, and is not quite regular."""
    players = len(speed_hz)
    drift = 0.35 * wander(times, 0.9, rng, players)
    depth = rise(times, 0.45, delay[:, None]) * (1.0 + 0.15 * wander(times, 1.3, rng, players))
    return np.asarray(depth * np.sin(2 * np.pi * speed_hz[:, None] * times + drift))


def cents(deviation: Control | float) -> Control:
    """The frequency ratio of a deviation in cents."""
    return np.exp2(np.asarray(deviation) / 1200.0)


def damper(count: int, duration: float, release: float, rate: int) -> Samples:
    """What a damper leaves: 1 up to `duration`, then down by 60 dB in `release` seconds; (count,) samples."""
    gain = np.ones(count, np.float32)
    start = min(round(duration * rate), count)
    late = np.arange(count - start, dtype=np.float32) / np.float32(rate)
    soft = late * late / (late + np.float32(0.06 * release))
    gain[start:] = np.exp(np.float32(-1.1 * DECAY_60_DB / release) * soft)
    return gain


def finished(sound: Samples, rate: int, attack: float = 0.0) -> Samples:
    """The note made ready: no offset, a soft start of `attack` seconds, silent at its ends, never beyond full scale.

    The offset is taken away as one slow swell over the whole note, so that the ends stay at zero.
    """
    count = sound.shape[1]
    head = min(max(round(attack * rate), 8), count // 2)
    sound[:, :head] *= (0.5 - 0.5 * np.cos(np.pi * np.arange(head) / head)).astype(np.float32)
    fade = min(round(FADE * rate), count // 2)
    sound[:, count - fade :] *= (0.5 + 0.5 * np.cos(np.pi * np.arange(1, fade + 1) / fade)).astype(np.float32)
    swell = audio_rate(np.sin(np.arange(-(-count // BLOCK) + 1) * (np.pi * BLOCK / count)) ** 2, count)
    sound -= 2.0 * sound.mean(axis=1, keepdims=True) * swell
    peak = float(max(sound.max(initial=0.0), -sound.min(initial=0.0)))
    if peak > CEILING:
        sound *= np.float32(CEILING / peak)
    return np.ascontiguousarray(sound, np.float32)
