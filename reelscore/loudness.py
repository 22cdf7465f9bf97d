"""How loud a sound is: ITU-R BS.1770-4 loudness, EBU Tech 3342 range and 4× oversampled true peak, measured in a stream.

A `Meter` takes blocks (channels, n) of any size and keeps three small things: the K-weighted energy of every step of time,
the peak of every grain of 48 samples, and what its filters remember. The samples themselves are never kept, so half an hour needs
a few megabytes, and the block size changes nothing. All channels weigh the same (mono and stereo). Silence is −inf.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples

Floats = npt.NDArray[np.float64]

ABSOLUTE_GATE_LUFS = -70.0
GRAIN = 48  # samples whose peak is found together
_LUFS_OFFSET = -0.691
_HOP = 0.1  # seconds from one momentary or short-term value to the next
_TAPS = 24  # of the interpolation filter, per phase


@dataclass(frozen=True)
class Loudness:
    """What a meter shows in the end. LUFS is K-weighted and, for `integrated_lufs`, gated; −inf where nothing sounds.

    `range_lu` is the loudness range (10th to 95th percentile of short-term loudness), `true_peak_dbtp` the highest peak
    between or on the samples.
    """

    integrated_lufs: float
    range_lu: float
    true_peak_dbtp: float
    max_momentary_lufs: float
    max_short_term_lufs: float


def measure(blocks: Iterable[Samples], rate: int) -> Loudness:
    """The loudness of a sound given in blocks (channels, n) of any size."""
    meter = Meter(rate)
    for block in blocks:
        meter.add(block)
    return meter.result()


class Meter:
    """Measures block after block. `step` is the time resolution in seconds of `energies`; 0.1 s is a whole number of steps.

    The highest peak is exact. Of the others, those are that exceed `peak_floor`; the rest may keep the peak of their samples,
    because looking between the samples is the dear part.
    """

    def __init__(self, rate: int, step: float = _HOP, peak_floor: float = np.inf) -> None:
        self.rate = rate
        self.step = step
        self._step_samples = max(1, round(rate * step))
        self._weighting: Floats | None = None
        self._sections = _k_weighting(rate)
        self._pending = np.zeros(0)
        self._energies: list[Floats] = []
        self._peaks = _PeakFinder(peak_floor)

    def add(self, block: Samples) -> None:
        """Measures the next samples (channels, n)."""
        from scipy.signal import sosfilt

        if block.shape[1] == 0:
            return
        if self._weighting is None:
            self._weighting = np.zeros((len(self._sections), block.shape[0], 2))
        weighted, self._weighting = sosfilt(self._sections, block.astype(np.float64), axis=1, zi=self._weighting)
        power = np.concatenate([self._pending, np.einsum("cn,cn->n", weighted, weighted)])
        whole = len(power) // self._step_samples * self._step_samples
        self._energies.append(power[:whole].reshape(-1, self._step_samples).mean(axis=1))
        self._pending = power[whole:]
        self._peaks.add(block)

    def energies(self) -> Floats:
        """K-weighted power of each step so far, summed over the channels; the last, unfinished step counts as far as it goes."""
        last = [np.array([self._pending.mean()])] if len(self._pending) else []
        return np.concatenate([*self._energies, *last]) if self._energies or last else np.zeros(0)

    def grain_peaks(self) -> npt.NDArray[np.float32]:
        """The true peak of each 48 samples (see the class for which are exact); call it once, after the last block."""
        return self._peaks.finish()

    def result(self) -> Loudness:
        """The loudness of all that was added; call it once, after the last block."""
        energies = self.energies()
        # BS.1770 leaves out what does not fill a step; a sound shorter than one is better measured than not.
        whole = energies[:-1] if len(self._pending) and len(energies) > 1 else energies
        return loudness_of(whole, self.step, float(self.grain_peaks().max(initial=0.0)))


def loudness_of(energies: Floats, step: float, true_peak: float) -> Loudness:
    """The loudness of a sound whose K-weighted power is known for each step of `step` seconds."""
    hops = _hops(energies, step)
    momentary = lufs(_sliding_mean(hops, round(0.4 / _HOP)))
    short_term = lufs(_sliding_mean(hops, round(3.0 / _HOP)))
    with np.errstate(divide="ignore"):
        true_peak_dbtp = float(20 * np.log10(true_peak))
    return Loudness(
        integrated_lufs=integrated(energies, step),
        range_lu=_range(short_term),
        true_peak_dbtp=true_peak_dbtp,
        max_momentary_lufs=float(momentary.max(initial=-np.inf)),
        max_short_term_lufs=float(short_term.max(initial=-np.inf)),
    )


def integrated(energies: Floats, step: float) -> float:
    """Gated programme loudness in LUFS (BS.1770-4: −70 LUFS, then 10 LU below what is left) from power per step."""
    return gated(_sliding_mean(_hops(energies, step), round(0.4 / _HOP)))


def gated(powers: Floats) -> float:
    """The two-stage gated mean of powers, in LUFS."""
    powers = powers[lufs(powers) > ABSOLUTE_GATE_LUFS]
    if len(powers) == 0:
        return float("-inf")
    relative_gate = lufs(powers.mean()) - 10.0
    return float(lufs(powers[lufs(powers) > relative_gate].mean()))


def short_term_curve(energies: Floats, step: float) -> Floats:
    """Short-term loudness (3 s, centred) in LUFS every 0.1 s along the sound; shorter windows at its ends."""
    hops = _hops(energies, step)
    sums = np.concatenate([[0.0], np.cumsum(hops)])
    middle = np.arange(len(hops))
    first, last = np.maximum(middle - 15, 0), np.minimum(middle + 15, len(hops))
    return lufs(np.maximum((sums[last] - sums[first]) / np.maximum(last - first, 1), 0.0))


def lufs(power: float | Floats) -> Floats:
    """K-weighted power in LUFS; −inf for none."""
    with np.errstate(divide="ignore"):
        return np.asarray(_LUFS_OFFSET + 10.0 * np.log10(power))


def _hops(energies: Floats, step: float) -> Floats:
    """Power per 0.1 s; a last one that is not whole is left out, unless it is all there is."""
    group = max(1, round(_HOP / step))
    whole = len(energies) // group
    if whole == 0:
        return energies.mean(keepdims=True) if len(energies) else energies
    return np.asarray(energies[: whole * group].reshape(whole, group).mean(axis=1))


def _sliding_mean(hops: Floats, width: int) -> Floats:
    """Means over every `width` neighbours; one mean over all where there are fewer."""
    if len(hops) == 0:
        return hops
    width = min(width, len(hops))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(hops, width).mean(axis=1))


def _range(short_term: Floats) -> float:
    """EBU Tech 3342: gated at −70 LUFS and 20 LU below the mean, then the 10th to the 95th percentile."""
    loud = short_term[short_term > ABSOLUTE_GATE_LUFS]
    if len(loud) == 0:
        return 0.0
    gate = 10 * np.log10(np.mean(10 ** (loud / 10))) - 20.0
    low, high = np.percentile(loud[loud > gate], [10, 95])
    return float(high - low)


@cache
def _k_weighting(rate: int) -> Floats:
    """The two second-order sections of K-weighting at any rate: BS.1770's 48 kHz filters, taken back to their analogue figures."""
    return np.array([_shelf(rate, 1681.9744509555319, 3.99984385397, 0.7071752369554193), _highpass(rate)])


def _shelf(rate: int, pitch_hz: float, gain_db: float, quality: float) -> list[float]:
    warped = np.tan(np.pi * pitch_hz / rate)
    high = 10.0 ** (gain_db / 20.0)
    middle = high**0.499666774155
    bottom = 1.0 + warped / quality + warped**2
    return [
        (high + middle * warped / quality + warped**2) / bottom,
        2.0 * (warped**2 - high) / bottom,
        (high - middle * warped / quality + warped**2) / bottom,
        1.0,
        2.0 * (warped**2 - 1.0) / bottom,
        (1.0 - warped / quality + warped**2) / bottom,
    ]


def _highpass(rate: int, pitch_hz: float = 38.13547087613982, quality: float = 0.5003270373253953) -> list[float]:
    warped = np.tan(np.pi * pitch_hz / rate)
    bottom = 1.0 + warped / quality + warped**2
    # BS.1770 writes the numerator as 1, −2, 1, not scaled to unity gain at the top.
    return [1.0, -2.0, 1.0, 1.0, 2.0 * (warped**2 - 1.0) / bottom, (1.0 - warped / quality + warped**2) / bottom]


class _PeakFinder:
    """The peak of every grain, on the samples and at three points between each two of them."""

    def __init__(self, floor: float) -> None:
        self._floor = floor
        self._highest = 0.0
        self._kernel, self._reach = _between_samples()
        self._waiting: Samples | None = None  # half a kernel before the next grain, then what came since
        self._peaks: list[npt.NDArray[np.float32]] = []

    def add(self, block: Samples) -> None:
        before = np.zeros((block.shape[0], _TAPS // 2), np.float32) if self._waiting is None else self._waiting
        samples = np.concatenate([before, block], axis=1)
        grains = (samples.shape[1] - _TAPS) // GRAIN
        if grains > 0:
            self._peaks.append(self._of(samples, grains))
            samples = samples[:, grains * GRAIN :]
        self._waiting = samples

    def finish(self) -> npt.NDArray[np.float32]:
        if self._waiting is not None:
            left = self._waiting.shape[1] - _TAPS // 2
            fill = -left % GRAIN + _TAPS // 2
            if left > 0:
                self.add(np.zeros((self._waiting.shape[0], fill), np.float32))
            self._waiting = None
        return np.concatenate(self._peaks) if self._peaks else np.zeros(0, np.float32)

    def _of(self, samples: Samples, grains: int) -> npt.NDArray[np.float32]:
        """Peaks of `grains` grains, the first of which begins half a kernel into `samples`."""
        half, size = _TAPS // 2, GRAIN + _TAPS
        inner = np.abs(samples[:, half : half + grains * GRAIN]).reshape(len(samples), grains, GRAIN).max(axis=2)
        windows = np.lib.stride_tricks.sliding_window_view(samples, size, axis=1)[:, : grains * GRAIN : GRAIN]
        # A grain's neighbours reach into its kernel, so their peaks bound what can lie between its samples.
        edges = np.maximum(
            np.abs(samples[:, :half]).max(axis=1, keepdims=True),
            np.abs(samples[:, -half:]).max(axis=1, keepdims=True),
        )
        padded = np.concatenate([edges, inner, edges], axis=1)
        bound = np.maximum(np.maximum(padded[:, :-2], padded[:, 2:]), inner) * self._reach
        self._highest = max(self._highest, float(inner.max()))
        channel, grain = np.nonzero(bound > min(self._highest, self._floor))
        if len(grain):
            between = np.abs(windows[channel, grain] @ self._kernel).max(axis=1)
            inner[channel, grain] = np.maximum(inner[channel, grain], between)
        peaks: npt.NDArray[np.float32] = inner.max(axis=0)
        self._highest = max(self._highest, float(peaks.max()))
        return peaks


@cache
def _between_samples() -> tuple[Samples, float]:
    """The matrix that takes a grain with half a kernel on both sides to the 3 · GRAIN values between, and its greatest gain."""
    matrix = np.zeros((GRAIN + _TAPS, 3, GRAIN), np.float32)
    reach = 1.0
    at = np.arange(_TAPS) - (_TAPS // 2 - 1)
    for quarter in range(3):
        away = at - (quarter + 1) / 4
        taps = np.sinc(away) * np.i0(7.0 * np.sqrt(np.maximum(1 - (away / (_TAPS / 2)) ** 2, 0)))
        taps /= taps.sum()
        reach = max(reach, float(np.abs(taps).sum()))
        for sample in range(GRAIN):
            matrix[sample + 1 : sample + 1 + _TAPS, quarter, sample] = taps
    return matrix.reshape(GRAIN + _TAPS, 3 * GRAIN), reach


def blocks_of(samples: Samples, block_samples: int = 48_000) -> Iterator[Samples]:
    """Samples (channels, n) cut into blocks, without copying."""
    for start in range(0, samples.shape[1], block_samples):
        yield samples[:, start : start + block_samples]
