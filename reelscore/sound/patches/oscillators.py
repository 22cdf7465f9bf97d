"""What sounds: damped modes, band-limited wavetables read by phase, and noise of a colour.

Modes are the partials of something struck or plucked: each a sine that starts at zero and dies away on its own. Hundreds of
them cost little, because a block of samples is a matrix product: the state of every mode at the start of every block, times
what each mode does within a block. Wavetables hold one period of something bowed or blown; phases are 32-bit integers, so
that a period wraps by itself. Nothing here sounds above BAND of the sampling rate, so nothing folds back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples
from reelscore.sound.patches.envelopes import BLOCK, JOINED_AT_ONCE, Control, audio_rate, joined

Numbers = npt.NDArray[np.float64]
Phase = npt.NDArray[np.uint32]
Steps = npt.NDArray[np.int64]

BAND = 0.45
MODE_BLOCK = 128
# A product of 16 × 128 by 128 × 128 is the largest that BLAS leaves on one thread.
PIECE_ROWS, PIECE_TERMS = 16, 128
INAUDIBLE = 1e-5
NOISE_LENGTH = 1 << 18
PAIRS = 8
# Few enough samples to stay in a processor's own memory.
DOUBLED_AT_ONCE = 1 << 13
# How far a phase is after each sample of a block, and after the block, when its step grows by 1 with each.
TRIANGLE = np.arange(BLOCK + 1) * (np.arange(BLOCK + 1) - 1) // 2
WITHIN = np.stack([np.ones(BLOCK), np.arange(BLOCK), TRIANGLE[:-1]]).astype(np.float32)
_HALF_WAY = np.arange(PAIRS) + 0.5
_SINC = np.sinc(_HALF_WAY) * np.cos(np.pi * _HALF_WAY / (2 * PAIRS + 1)) ** 2
BETWEEN = (0.5 * _SINC / _SINC.sum()).astype(np.float32)


def hertz(pitch: float) -> float:
    """The frequency of a MIDI pitch; 69 is 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


@dataclass(frozen=True)
class Modes:
    """Damped sines, one an entry: frequency in Hz, decay in nepers per second (60 dB in 6.91 / decay), gains left and right."""

    frequency_hz: Numbers
    decay: Numbers
    left: Numbers
    right: Numbers

    @property
    def gain(self) -> Numbers:
        """The size of each mode, both sides together."""
        return np.sqrt(0.5 * (self.left**2 + self.right**2))

    def scaled(self, gain: Numbers | float) -> "Modes":
        """The same modes, each louder by `gain`."""
        return Modes(self.frequency_hz, self.decay, self.left * gain, self.right * gain)

    def life(self, floor: float = 1e-4) -> float:
        """Seconds until the last mode is below `floor` of the loudest."""
        size = np.maximum(self.gain, 1e-12)
        return float(np.max(np.log(size / (floor * size.max())) / self.decay))


def modes(frequency_hz: Numbers, decay: Numbers, gain: Numbers, pan: Numbers | float = 0.0) -> Modes:
    """Modes at a place between −1 (left) and 1, at equal power."""
    angle = (np.asarray(pan) + 1.0) * (np.pi / 4)
    loud = np.sqrt(2.0) * gain
    return Modes(frequency_hz, decay + np.zeros_like(frequency_hz), loud * np.cos(angle), loud * np.sin(angle))


def together(*parts: Modes) -> Modes:
    """All modes of all parts."""
    columns = ("frequency_hz", "decay", "left", "right")
    return Modes(*(np.concatenate([getattr(part, column) for part in parts]) for column in columns))


def ring(sounding: Modes, count: int, rate: int) -> Samples:
    """The sound of the modes, all struck at the first sample: (2, count). Modes beyond the band are left out."""
    size = sounding.gain
    floor = INAUDIBLE * size.max(initial=1e-9)
    keep = np.flatnonzero((sounding.frequency_hz < BAND * rate) & (size > floor))
    if not len(keep):
        return np.zeros((2, count), np.float32)
    lives = np.log(size[keep] / floor) * (rate / MODE_BLOCK) / sounding.decay[keep]
    longest_first = np.argsort(-lives, kind="stable")
    keep, lives = keep[longest_first], lives[longest_first]
    exponent = np.asarray((-sounding.decay[keep] + 2j * np.pi * sounding.frequency_hz[keep]) / rate, np.complex128)
    gains = np.stack([sounding.left[keep], sounding.right[keep]]).astype(np.float32)
    blocks = min(-(-count // MODE_BLOCK), int(lives[0]) + 1)
    # real and imaginary parts lie side by side: what is left of a product is its imaginary part, the sine
    inside = np.ascontiguousarray((1j * _powers(exponent, MODE_BLOCK).conj()).view(np.float32).T)
    across = _powers(exponent * MODE_BLOCK, blocks)
    sound = np.zeros((2, -(-count // MODE_BLOCK), MODE_BLOCK), np.float32)
    start, stop = 0, 8
    while start < blocks:
        alive = int(np.searchsorted(-lives, -start))
        state = across[start:stop, :alive] * gains[:, None, :alive]
        made = _product(state.reshape(-1, alive).view(np.float32), inside[: 2 * alive])
        sound[:, start : min(stop, blocks)] = made.reshape(2, -1, MODE_BLOCK)
        start, stop = stop, stop * 2
    return np.ascontiguousarray(sound.reshape(2, -1)[:, :count])


def _product(states: Samples, basis: Samples) -> Samples:
    """`states @ basis` in pieces so small that BLAS takes one thread to each.

    Parts are played on as many threads as there are cores; BLAS's own would only wait for each other.
    """
    rows, made = len(states) - len(states) % PIECE_ROWS, np.empty((len(states), basis.shape[1]), np.float32)
    for first in range(0, basis.shape[0], PIECE_TERMS):
        terms = slice(first, first + PIECE_TERMS)
        pieces = states[:rows, terms].reshape(-1, PIECE_ROWS, states[:, terms].shape[1])
        whole = made[:rows].reshape(-1, PIECE_ROWS, basis.shape[1])
        if first == 0:
            np.matmul(pieces, basis[terms], out=whole)
            np.matmul(states[rows:, terms], basis[terms], out=made[rows:])
        else:
            whole += pieces @ basis[terms]
            made[rows:] += states[rows:, terms] @ basis[terms]
    return made


def _powers(exponent: npt.NDArray[np.complex128], count: int) -> npt.NDArray[np.complex64]:
    """exp(exponent × n) for n from 0 to count − 1: (count, exponents); long runs are products of coarse and fine steps."""
    fine = 1 << max(1, int(count**0.5).bit_length() - 1)
    coarse = -(-count // fine)
    near = np.exp(np.arange(fine)[:, None] * exponent).astype(np.complex64)
    far = np.exp((np.arange(coarse) * fine)[:, None] * exponent).astype(np.complex64)
    powers: npt.NDArray[np.complex64] = (far[:, None] * near).reshape(-1, len(exponent))[:count]
    return powers


def wavetable(amplitudes: Numbers, phases: Numbers | float = 0.0, size: int = 1 << 14) -> Samples:
    """One period with these amplitudes of harmonics 1, 2, …: (size,). Phases are radians, of sines."""
    spectrum = np.zeros(size // 2 + 1, np.complex64)
    spectrum[1 : len(amplitudes) + 1] = amplitudes * np.exp(1j * (np.asarray(phases) - np.pi / 2)) * (size / 2)
    return np.fft.irfft(spectrum, size).astype(np.float32, copy=False)


def harmonics(pitch_hz: float, rate: int, top_hz: float = 16000.0) -> Numbers:
    """The numbers 1, 2, … of the harmonics that lie within the band, vibrato and detuning included."""
    return np.arange(1.0, max(2, int(min(BAND * rate * 0.97, top_hz) / pitch_hz) + 1))


@dataclass(frozen=True)
class Turns:
    """The phases of oscillators, breakpoint by breakpoint, each (…, blocks) with 2³² to a period: at a block's start `base`, then
    `step` more with each sample, and `bend` more with each of these."""

    base: Steps
    step: Steps
    bend: Steps


def turns(frequency_hz: Control, rate: int, start: Numbers | float = 0.0) -> Turns:
    """The phases of oscillators with these frequency breakpoints (…, blocks + 1); `start` in periods, one for each."""
    step = np.rint(frequency_hz * (2.0**32 / rate)).astype(np.int64)
    bend = np.diff(step) // BLOCK
    whole = step[..., :-1] * BLOCK + bend * TRIANGLE[-1]
    base = np.cumsum(whole, axis=-1) - whole + (np.asarray(start) * 2.0**32).astype(np.int64)[..., None]
    return Turns(base, step[..., :-1], bend)


def running_phase(frequency_hz: Control, count: int, rate: int, start: float = 0.0) -> Phase:
    """The phase of one oscillator with these frequency breakpoints: (count,), 2³² to a period; `start` in periods."""
    turning = turns(frequency_hz, rate, start)
    phase = np.multiply.outer(turning.step.astype(np.uint32), np.arange(BLOCK, dtype=np.uint32))
    if turning.bend.any():
        phase += np.multiply.outer(turning.bend.astype(np.uint32), TRIANGLE[:-1].astype(np.uint32))
    phase += turning.base.astype(np.uint32)[:, None]
    running: Phase = phase.reshape(-1)[:count]
    return running


def read(table: Samples, phase: Phase) -> Samples:
    """The table at the phase. Its length is a power of two, long enough for the nearest entry to do."""
    shift = np.uint32(33 - len(table).bit_length())
    return table.take((phase >> shift).view(np.int32), mode="clip")


def morph(tables: Sequence[Samples], phase: Phase, place: Control, level: Control) -> Samples:
    """Tables read at one phase and crossfaded, at a level; (samples,).

    `place` has breakpoints from 0 (the first table) to len(tables) − 1 (the last), `level` is a gain at the same breakpoints.
    """
    shift = np.uint32(33 - len(tables[0]).bit_length())
    index = (phase >> shift).view(np.int32)
    sound = np.zeros(len(phase), np.float32)
    for number, table in enumerate(tables):
        weight = np.clip(1.0 - np.abs(place - number), 0.0, 1.0)
        if weight.any():
            layer = table.take(index, mode="clip")
            layer *= audio_rate(weight * level, len(phase))
            sound += layer
    return sound


def crowd(tables: Sequence[Samples], phases: Turns, place: Control, level: Control, sides: Samples) -> Samples:
    """Many oscillators at once, each as in `morph` with its own row of phase, place and level: (2, blocks × BLOCK).

    `sides` (2, oscillators) is how loud each is on either side. Time is walked in steps that stay near the processor. Phases are
    products of matrices too, in entries of the table: the error of 32 bits within a block is a few hundredths of an entry.
    """
    entries = len(tables[0])
    unit = entries / 2.0**32
    course = (np.stack([phases.base % 2**32, phases.step, phases.bend], axis=-1) * unit).astype(np.float32)
    weights = [np.clip(1.0 - np.abs(place - number), 0.0, 1.0) * level for number in range(len(tables))]
    heard = [(table, gain.astype(np.float32)) for table, gain in zip(tables, weights, strict=True) if gain.any()]
    players, blocks = phases.base.shape
    at_once = max(1, JOINED_AT_ONCE // players)
    sound = np.empty((2, blocks * BLOCK), np.float32)
    for first in range(0, blocks, at_once):
        last = min(first + at_once, blocks)
        entry = (course[:, first:last].reshape(-1, 3) @ WITHIN).astype(np.intp).reshape(players, -1)
        entry &= entries - 1
        played = np.zeros(entry.shape, np.float32)
        for table, gain in heard:
            layer = joined(gain[:, first : last + 1])
            layer *= table.take(entry, mode="clip")
            played += layer
        sound[:, first * BLOCK : last * BLOCK] = sides @ played
    return sound


def doubled(sound: Samples, count: int) -> Samples:
    """The same sound (channels, samples) at twice the rate, cut to `count` samples; content above 0.43 of the old rate suffers.

    Every other sample is drawn between its neighbours by a windowed sinc, a pair of neighbours at a time.
    """
    length = sound.shape[1]
    padded = np.pad(sound, ((0, 0), (PAIRS, PAIRS)))
    made = np.empty((sound.shape[0], 2 * length), np.float32)
    made[:, 0::2] = sound
    for first in range(0, length, DOUBLED_AT_ONCE):
        last = min(first + DOUBLED_AT_ONCE, length)
        between = np.zeros((sound.shape[0], last - first), np.float32)
        for pair in range(PAIRS):
            before, after = PAIRS - pair, PAIRS + 1 + pair
            neighbours = padded[:, before + first : before + last] + padded[:, after + first : after + last]
            neighbours *= BETWEEN[pair]
            between += neighbours
        made[:, 2 * first + 1 : 2 * last : 2] = between
    cut: Samples = made[:, :count]
    return cut


@lru_cache(maxsize=1)
def _white() -> npt.NDArray[np.complex64]:
    """The spectrum of the noise that all loops are cut from."""
    return np.fft.rfft(np.random.default_rng(20_11).standard_normal(NOISE_LENGTH)).astype(np.complex64)


@lru_cache(maxsize=48)
def _noise_loop(low_hz: float, high_hz: float, rate: int) -> Samples:
    """A loop of noise between two frequencies with soft edges (12 dB an octave below, 24 above), of unit RMS."""
    frequency = np.fft.rfftfreq(NOISE_LENGTH, 1.0 / rate).astype(np.float32)
    shape = frequency**2 / (frequency**2 + np.float32(low_hz**2)) / (1.0 + (frequency / np.float32(high_hz)) ** 4)
    shape[frequency > BAND * rate] = 0.0
    loop = np.fft.irfft(_white() * shape, NOISE_LENGTH)
    steady: Samples = (loop / np.sqrt(np.mean(loop**2))).astype(np.float32)
    return steady


def noise(low_hz: float, high_hz: float, count: int, rate: int, rng: np.random.Generator) -> Samples:
    """Noise between two frequencies (rounded to thirds of an octave), of unit RMS: (count,), from a place in a loop that `rng` picks."""
    low, high = (float(2.0 ** (round(3 * np.log2(max(edge, 10.0))) / 3)) for edge in (low_hz, high_hz))
    loop = _noise_loop(low, high, rate)
    start = int(rng.integers(NOISE_LENGTH))
    if start + count <= NOISE_LENGTH:
        return loop[start : start + count]
    rounds = -(-(start + count) // NOISE_LENGTH)
    return np.concatenate([loop[start:], *[loop] * (rounds - 2), loop[: start + count - (rounds - 1) * NOISE_LENGTH]])
