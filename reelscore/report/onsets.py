"""Where notes and hits begin in finished sound: onset strength by spectral flux, and the onsets picked from it.

The flux is taken over bands a sixth of an octave wide with levels in dB, against the band's neighbourhood a moment
ago, so that vibrato and slides do not count (SuperFlux; Böck and Widmer 2013). Levels in dB make it deaf to how loud the whole is mastered.
All runs in a stream: a `Listener` keeps one number per hop and the coarse spectrogram.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples

Floats = npt.NDArray[np.float64]

RATE = 48_000
HOP = 480
HOP_SECONDS = HOP / RATE
WINDOW = 2_048
BANDS = 56
LOWEST_HZ, HIGHEST_HZ = 30.0, 16_000.0
COLUMN_HOPS = 10  # hops that share one column of the spectrogram
_FLOOR = 1e-4  # −80 dBFS: what lies lower does not count
_MASKED_DB = 55.0
_LEAST_DB = 0.3  # strength below which nothing counts as a beginning
_LAG = 2  # hops back to what a band is held against


@dataclass(frozen=True, eq=False)
class Heard:
    """Onset strength in dB at each hop of 10 ms, and the spectrogram (bands, columns of 0.1 s) in dBFS."""

    strength: Floats
    spectrogram: npt.NDArray[np.float32]


class Listener:
    """Listens to blocks (channels, n) at 48 kHz."""

    def __init__(self) -> None:
        self._waiting: Samples = np.zeros(WINDOW // 2, np.float32)
        self._levels = np.zeros((0, BANDS), np.float32)  # the last hops, which the next are held against
        self._flux: list[Floats] = []
        self._columns: list[npt.NDArray[np.float32]] = []
        self._pooled = np.zeros((0, BANDS), np.float32)

    def add(self, block: Samples) -> None:
        """Listens to the next samples."""
        samples = np.concatenate([self._waiting, block.mean(axis=0, dtype=np.float32)])
        hops = (len(samples) - WINDOW) // HOP + 1
        if hops > 0:
            self._take(_band_levels(samples, hops))
            samples = samples[hops * HOP :]
        self._waiting = samples

    def finish(self) -> Heard:
        """What was heard in all; the last 20 ms are too short to say what begins in them."""
        strength = np.concatenate([np.zeros(0), *self._flux])
        if len(self._pooled):
            self._columns.append(self._pooled.max(axis=0)[None])
        columns = np.concatenate([np.zeros((0, BANDS), np.float32), *self._columns])
        return Heard(strength, np.ascontiguousarray(columns.T))

    def _take(self, levels: npt.NDArray[np.float32]) -> None:
        from scipy.ndimage import maximum_filter1d

        if not len(self._levels):
            self._levels = np.repeat(levels[:1] * 0 + 20 * np.log10(_FLOOR), _LAG, axis=0).astype(np.float32)
        history = np.concatenate([self._levels, levels])
        now, before = history[_LAG:], maximum_filter1d(history[:-_LAG], 3, axis=1)
        # What is masked by the loudest band, then or now, cannot be heard to begin.
        masked = np.maximum(now.max(axis=1), before.max(axis=1))[:, None] - np.float32(_MASKED_DB)
        self._flux.append(
            (np.maximum(now, masked) - np.maximum(before, masked)).clip(min=0.0).mean(axis=1, dtype=np.float64)
        )
        self._levels = history[-_LAG:]
        pooled = np.concatenate([self._pooled, levels])
        whole = len(pooled) // COLUMN_HOPS * COLUMN_HOPS
        self._columns.append(pooled[:whole].reshape(-1, COLUMN_HOPS, BANDS).max(axis=1))
        self._pooled = pooled[whole:]


def onsets(strength: Floats) -> Floats:
    """The times in seconds at which something begins: peaks of the strength that stand out of what is around them."""
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    if not len(strength):
        return np.zeros(0)
    around = uniform_filter1d(strength, 31, mode="constant")
    highest = maximum_filter1d(strength, 7, mode="constant")
    peaks = np.flatnonzero((strength == highest) & (strength > _LEAST_DB + 1.5 * around))
    picked: list[int] = []
    for peak in peaks.tolist():
        if not picked or peak - picked[-1] >= 4:
            picked.append(peak)
    return np.array([_refined(strength, peak) for peak in picked]) * HOP_SECONDS


def _refined(strength: Floats, peak: int) -> float:
    """The peak between hops, by the parabola through its neighbours."""
    if not 0 < peak < len(strength) - 1:
        return float(peak)
    before, at, after = strength[peak - 1 : peak + 2]
    bend = before - 2 * at + after
    return float(peak + 0.5 * (before - after) / bend) if bend < 0 else float(peak)


def _band_levels(samples: Samples, hops: int) -> npt.NDArray[np.float32]:
    """dBFS of each band at each hop; a sine at full scale is 0 dB."""
    from scipy.fft import rfft

    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[: hops * HOP : HOP]
    window = np.hanning(WINDOW).astype(np.float32)
    power = np.abs(rfft(frames * (window * np.float32(2.0 / window.sum())), axis=1)) ** 2
    return np.asarray(10.0 * np.log10(power @ _bands() + np.float32(_FLOOR**2)), np.float32)


@cache
def _bands() -> npt.NDArray[np.float32]:
    """Triangular bands evenly spaced in pitch (below some 300 Hz as close as the bins allow), (bins, BANDS)."""
    bin_hz = RATE / WINDOW
    edges = [LOWEST_HZ]
    ratio = (HIGHEST_HZ / LOWEST_HZ) ** (1.0 / (BANDS + 1))
    while len(edges) < BANDS + 2:
        edges.append(max(edges[-1] * ratio, edges[-1] + bin_hz))
    bins = np.arange(WINDOW // 2 + 1) * bin_hz
    low, middle, high = (np.array(edges[first : first + BANDS]) for first in range(3))
    rising = (bins[:, None] - low) / (middle - low)
    falling = (high - bins[:, None]) / (high - middle)
    return np.asarray(np.maximum(np.minimum(rising, falling), 0.0), np.float32)
