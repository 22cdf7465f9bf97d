"""The effects of the mix: filters, rooms to play in, and the gain that holds the whole together.

Sound comes in blocks (2, n) float32, one after another in time; each effect keeps its state from block to block, so that the
blocks' sizes make no difference to what comes out. Filters and rooms are linear: the sum of the parts and the parts one by
one give the same music.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import pi, sqrt

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples

Spectrum = npt.NDArray[np.complex64]
Floats = npt.NDArray[np.float64]
# Sections of 32 bits filter fast; of 64 bits, where a low corner would leave too much rounding behind.
Sections = npt.NDArray[np.float32] | npt.NDArray[np.float64]

# Gain moves from one hop to the next in straight lines: 2.7 ms at 48 kHz, short for an ear, long for a loop in Python.
HOP_SAMPLES = 128
# How much of the other side each side of a room hears.
CROSSED = 0.35


class Filter:
    """Second-order sections with their state; `sections` (k, 6) as scipy has them."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections
        self._state: Samples | Floats | None = None

    def __call__(self, block: Samples) -> Samples:
        """The block, filtered, any number of channels."""
        from scipy.signal import sosfilt

        if self._state is None:
            self._state = np.zeros((len(self._sections), block.shape[0], 2), self._sections.dtype)
        filtered, self._state = sosfilt(self._sections, block, axis=1, zi=self._state)
        return np.asarray(filtered, np.float32)


def high_pass(cutoff_hz: float, rate: int, order: int = 2) -> Sections:
    """A Butterworth high-pass."""
    from scipy.signal import butter

    return np.asarray(butter(order, cutoff_hz, "highpass", fs=rate, output="sos"), np.float32)


def high_shelf(corner_hz: float, gain_db: float, rate: int) -> Sections:
    """A second-order shelf (bilinear transform, slope 0.7): `gain_db` far above the corner, half of it there."""
    amplitude = 10.0 ** (gain_db / 40.0)
    omega = 2.0 * pi * min(corner_hz, 0.45 * rate) / rate
    cosine = float(np.cos(omega))
    width = float(np.sin(omega)) * sqrt(amplitude * ((amplitude + 1.0 / amplitude) * (1.0 / 0.7 - 1.0) + 2.0))
    more, less = amplitude + 1.0, amplitude - 1.0
    zeros = amplitude * np.array(
        [more + less * cosine + width, -2.0 * (less + more * cosine), more + less * cosine - width]
    )
    poles = np.array([more - less * cosine + width, 2.0 * (less - more * cosine), more - less * cosine - width])
    return np.asarray(np.concatenate([zeros, poles])[np.newaxis] / poles[0], np.float32)


class MonoBass:
    """Takes the difference between left and right away below the corner, where it only weakens the bass."""

    def __init__(self, corner_hz: float, rate: int) -> None:
        self._side = Filter(high_pass(corner_hz, rate).astype(np.float64))

    def __call__(self, block: Samples) -> Samples:
        middle = (block[:1] + block[1:]) * np.float32(0.5)
        side = self._side((block[:1] - block[1:]) * np.float32(0.5))
        return np.concatenate([middle + side, middle - side])


@dataclass(frozen=True)
class Room:
    """A place to play in.

    `decay` is the time in seconds in which its sound falls by 60 dB at 500 Hz; `dullness` is how much shorter that is at
    8 kHz (0.4: four tenths of it); `delay` is the time before the first reflection, `spread` the time over which early ones come.
    """

    decay: float
    dullness: float
    delay: float
    spread: float
    seed: int


HALL = Room(decay=1.8, dullness=0.42, delay=0.018, spread=0.070, seed=11)
STUDIO = Room(decay=0.6, dullness=0.6, delay=0.004, spread=0.025, seed=12)


@lru_cache(maxsize=4)
def response(room: Room, rate: int) -> Samples:
    """The impulse response of a room (2, n): left and right differ, and music is as loud in it as it was sent there.

    Noise in octave bands, each with its own exponential decay, after a few single reflections.
    """
    from scipy.fft import irfft, rfft, rfftfreq

    generator = np.random.default_rng(room.seed)
    length = round(room.decay * 1.25 * rate)
    time = np.arange(length) / rate
    spectrum = rfft(generator.standard_normal((2, length)), axis=1)
    frequency = np.maximum(rfftfreq(length, 1.0 / rate), 1.0)
    tail = np.zeros((2, length))
    centres = 62.5 * 2.0 ** np.arange(9)
    for index, centre in enumerate(centres):
        octave = np.clip(np.log2(frequency / centre), -1.0, 1.0)
        if index in (0, len(centres) - 1):  # the outermost bands reach to the ends of the spectrum
            octave = octave * (octave > 0 if index == 0 else octave < 0)
        band = irfft(spectrum * np.cos(octave * (pi / 2)) ** 2, n=length, axis=1)
        # straight in log frequency between 500 Hz and 8 kHz, four octaves apart; never longer than the response can hold
        shorter = min(1.0 + (room.dullness - 1.0) * np.log2(centre / 500.0) / 4.0, 1.1)
        tail += band * np.exp(-3.0 * np.log(10.0) * time / (room.decay * max(shorter, 0.15)))
    tail *= np.minimum(time / (room.spread / 2), 1.0)
    tail /= np.sqrt(np.sum(tail**2, axis=1, keepdims=True))
    whole = np.zeros((2, length + round(room.delay * rate)))
    whole[:, -length:] = tail * sqrt(0.8)
    for side in range(2):
        arrivals = room.delay + room.spread * generator.random(10) ** 1.5
        strength = np.exp(-(arrivals - room.delay) / room.spread) * generator.choice([-1.0, 1.0], 10)
        strength *= sqrt(0.2) / np.sqrt(np.sum(strength**2))
        np.add.at(whole[side], np.round(arrivals * rate).astype(int), strength)
    return _without_rumble(whole, rate)


def _without_rumble(whole: Floats, rate: int) -> Samples:
    """The response with its bass thinned below 160 Hz, its end faded out, and a power of 1 between 300 Hz and 3 kHz."""
    from scipy.fft import rfft, rfftfreq
    from scipy.signal import sosfilt

    thinned = np.asarray(sosfilt(high_pass(160.0, rate).astype(np.float64), whole, axis=1))
    fade = thinned.shape[1] // 10
    thinned[:, -fade:] *= np.linspace(1.0, 0.0, fade) ** 2
    frequency = rfftfreq(thinned.shape[1], 1.0 / rate)
    power = np.abs(rfft(thinned, axis=1)[:, (frequency > 300.0) & (frequency < 3000.0)]) ** 2
    heard = np.asarray(thinned / np.sqrt(np.mean(power, axis=1, keepdims=True)), np.float32)
    heard.flags.writeable = False
    return heard


class Reverb:
    """Convolution with a room's response by overlap-add; what rings on after a block is added to the blocks after it."""

    def __init__(self, room_response: Samples) -> None:
        from scipy.fft import rfft

        self._ring = room_response.shape[1] - 1
        self._size = 1 << int(np.ceil(np.log2(2 * room_response.shape[1])))
        self._step = self._size - self._ring
        self._room: Spectrum = rfft(room_response, n=self._size, axis=1)
        self._after = np.zeros((2, self._ring), np.float32)
        self._quiet = True

    def __call__(self, block: Samples | None, length: int) -> Samples | None:
        """What is heard from the room during the block; None for silence, in and out. Each side hears some of the other."""
        if block is None and self._quiet:
            return None
        heard = np.zeros((2, length + self._ring), np.float32)
        heard[:, : self._ring] = self._after
        if block is not None:
            self._sound(block, heard)
        self._after = heard[:, length:].copy()
        self._quiet = block is None and not self._after.any()
        return heard[:, :length]

    def _sound(self, block: Samples, heard: Samples) -> None:
        from scipy.fft import irfft, rfft

        crossed = (block + block[::-1] * np.float32(CROSSED)) * np.float32(1.0 / (1.0 + CROSSED))
        for first in range(0, block.shape[1], self._step):
            piece = crossed[:, first : first + self._step]
            rung = irfft(rfft(piece, n=self._size, axis=1) * self._room, n=self._size, axis=1)
            count = piece.shape[1] + self._ring
            heard[:, first : first + count] += rung[:, :count]


@dataclass(frozen=True)
class Glue:
    """How the sum is held together: a slow, gentle compressor, then a ceiling that no sample passes.

    Above `threshold_db` (RMS, bass left out) level rises by 1 dB for each `ratio` dB, never turned down by more than
    `deepest_db`; so accents come through before it moves and a climax stays one.
    """

    threshold_db: float = -15.0
    ratio: float = 2.0
    deepest_db: float = 2.5
    attack: float = 0.080
    release: float = 0.400
    ceiling: float = 0.708


class GainCurve:
    """One curve of gain for the sum of the parts, to be put on the sum and on each part alike.

    Give it the sum block by block; it answers with the gain of as many samples as are settled, which is `LOOK_AHEAD_SAMPLES`
    fewer than it has been given until the end. Blocks are whole hops.
    """

    LOOK_AHEAD_HOPS = 4
    LOOK_AHEAD_SAMPLES = LOOK_AHEAD_HOPS * HOP_SAMPLES

    def __init__(self, rate: int, glue: Glue) -> None:
        self._glue = glue
        self._ear = Filter(high_pass(110.0, rate))
        hop = HOP_SAMPLES / rate
        self._attack = 1.0 - np.exp(-hop / glue.attack)
        self._release = 1.0 - np.exp(-hop / glue.release)
        self._limiter_release = 1.0 - np.exp(-hop / 0.15)
        self._turned_down_db = 0.0
        self._limited = 1.0
        # what each hop that is still waiting may be at most, and the compressor's gain at its end
        self._allowed: list[float] = []
        self._gains: list[float] = [1.0]
        self._last_allowed = 1.0

    def __call__(self, block: Samples, last: bool) -> Samples:
        """The gain of the next settled samples (n,); with `last`, of all that are left."""
        if block.shape[1] % HOP_SAMPLES:
            raise ValueError(f"a block is whole hops of {HOP_SAMPLES} samples, not {block.shape[1]} samples")
        compressed = self._compress(block)
        self._allow(block, compressed)
        ready = len(self._allowed) - (0 if last else self.LOOK_AHEAD_HOPS)
        if ready <= 0:
            return np.zeros(0, np.float32)
        limited = self._limit(ready)
        nodes = np.array(limited) * np.array(self._gains[: ready + 1])
        del self._allowed[:ready], self._gains[:ready]
        ramp = np.arange(HOP_SAMPLES, dtype=np.float32) / np.float32(HOP_SAMPLES)
        curve = nodes[:-1, np.newaxis].astype(np.float32) + np.diff(nodes)[:, np.newaxis].astype(np.float32) * ramp
        return np.asarray(curve.reshape(-1), np.float32)

    def _compress(self, block: Samples) -> list[float]:
        """The compressor's gain at the end of each hop of the block."""
        glue = self._glue
        heard = self._ear((block[:1] + block[1:]) * np.float32(0.5))
        power = np.mean(heard.reshape(-1, HOP_SAMPLES).astype(np.float64) ** 2, axis=1)
        over = 10.0 * np.log10(power + 1e-12) - glue.threshold_db
        knee_db = 8.0
        bent = np.where(over < knee_db / 2, np.maximum(over + knee_db / 2, 0.0) ** 2 / (2 * knee_db), over)
        wanted = np.minimum(bent * (1.0 - 1.0 / glue.ratio), glue.deepest_db)
        turned, path = self._turned_down_db, []
        for target in wanted.tolist():
            turned += (self._attack if target > turned else self._release) * (target - turned)
            path.append(turned)
        self._turned_down_db = turned
        gains: list[float] = np.power(10.0, np.array(path) / -20.0).tolist()
        return gains

    def _allow(self, block: Samples, compressed: list[float]) -> None:
        """Notes for each hop the most gain that keeps its highest sample under the ceiling once the compressor has been at it."""
        starts = np.array([self._gains[-1], *compressed[:-1]])
        loudest = np.maximum(starts, compressed)
        peaks = np.max(np.abs(block), axis=0).reshape(-1, HOP_SAMPLES).max(axis=1) * loudest
        self._allowed += (self._glue.ceiling / np.maximum(peaks, self._glue.ceiling)).tolist()
        self._gains += compressed

    def _limit(self, ready: int) -> list[float]:
        """The limiter's gain at the start of each ready hop and at the end of the last: falls over the look-ahead, recovers slowly."""
        ahead = self.LOOK_AHEAD_HOPS
        allowed = np.array([self._last_allowed, *self._allowed, *([1.0] * ahead)])
        # a corner between two hops obeys both; a straight line between two such corners obeys the hop between them
        depth = 1.0 - np.minimum(allowed[:-1], allowed[1:])
        wanted = np.array([depth[sooner : sooner + ready + 1] * (1.0 - sooner / ahead) for sooner in range(ahead)])
        corners: list[float] = (1.0 - wanted.max(axis=0)).tolist()
        limited = [min(corners[0], self._limited)]
        for corner in corners[1 : ready + 1]:
            before = limited[-1]
            limited.append(min(corner, before + self._limiter_release * (1.0 - before)))
        self._limited, self._last_allowed = limited[-1], float(allowed[ready])
        return limited
