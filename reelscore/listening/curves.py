"""The curves that everything is heard from: onset strength, chroma, brightness and loudness along a sound, taken block by block.

An `Ear` keeps a few numbers for each hop and none of the samples, so that an hour of sound needs some ten megabytes. Windows are
centred on their hop; the sound is taken to lie between silences.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples
from reelscore.loudness import Meter, blocks_of, lufs
from reelscore.tempo import Floats

HOP = 0.01  # seconds, of onset strength
CHROMA_HOP = 0.1
LEVEL_STEP = 0.05
PITCH_CLASSES = 12
THIRDS = 3  # bins of chroma for each semitone, so that a recording tuned high or low is still told
_WINDOW = 0.04
_CHROMA_WINDOW = 0.3
_BANDS = 80
_BAND_EDGES = (0, 8, 40, _BANDS)  # bass to some 400 Hz, middle to some 2 kHz, and what lies above
_LOWEST_HZ, _HIGHEST_HZ = 30.0, 16_000.0
# Chroma is taken where roots and chords lie, about 220 Hz, not where their overtones do.
_MIDDLE_OCTAVE, _OCTAVES = 3.0, 1.0
_FLOOR = 1e-8  # of power: −80 dB
_SILENT_LUFS, _SILENT_LU = -70.0, -50.0  # of a moment, by itself and against the loudest
_AT_ONCE = 10  # seconds that are worked on together: a packet alone is too short to be worth the while
_LAG = 2  # hops back to what a band is held against
_WIDE = 3  # neighbouring bands that count as the same pitch, for vibrato


@dataclass(frozen=True, eq=False)
class Curves:
    """What was heard along a sound of `duration` seconds.

    `onsets` (3, hops) is the mean rise in dB of the bands of bass, middle and treble each `hop`, which is `HOP` to the sample. `chroma` (36, n) is the magnitude at each third of a semitone from C on, and `brightness` the spectral centroid in Hz,
    each `chroma_hop`. `energies` is the K-weighted power of each `LEVEL_STEP`.
    """

    duration: float
    hop: float
    onsets: Floats
    chroma_hop: float
    chroma: Floats
    brightness: Floats
    energies: Floats


class Ear:
    """Hears blocks (channels, n) of a sound of that rate."""

    def __init__(self, rate: int) -> None:
        self._meter = Meter(rate, step=LEVEL_STEP)
        self._rate = rate
        self._heard = 0
        self._waiting: list[npt.NDArray[np.float32]] = []
        self._length = 0  # of what waits, in samples
        self._beginnings = _Frames(_size(_WINDOW, rate), max(1, round(HOP * rate)))
        self._pitches = _Frames(_size(_CHROMA_WINDOW, rate), max(1, round(CHROMA_HOP * rate)))
        self._before = np.zeros((_BANDS, 0))
        self._onsets: list[Floats] = []
        self._chroma: list[Floats] = []
        self._brightness: list[Floats] = []

    def add(self, block: Samples) -> None:
        """Hears the next samples."""
        if block.shape[1]:
            self._meter.add(block)
            self._heard += block.shape[1]
            self._waiting.append(block.mean(axis=0, dtype=np.float32))
            self._length += block.shape[1]
            if self._length >= _AT_ONCE * self._rate:
                self._catch_up()

    @property
    def duration(self) -> float:
        """Seconds heard so far."""
        return self._heard / self._rate

    def finish(self) -> Curves:
        """What was heard in all."""
        self._catch_up()
        self._hear(np.zeros(max(self._beginnings.size, self._pitches.size), np.float32))
        hops = -(-self._heard // self._beginnings.hop)
        pitches = -(-self._heard // self._pitches.hop)
        return Curves(
            duration=self.duration,
            hop=self._beginnings.hop / self._rate,
            onsets=np.concatenate(self._onsets, axis=1)[:, :hops],
            chroma_hop=self._pitches.hop / self._rate,
            chroma=np.concatenate(self._chroma, axis=1)[:, :pitches],
            brightness=np.concatenate(self._brightness)[:pitches],
            energies=self._meter.energies(),
        )

    def _catch_up(self) -> None:
        """Hears what waits."""
        if self._waiting:
            mono = np.concatenate(self._waiting)
            self._waiting.clear()
            self._length = 0
            self._hear(mono)

    def _hear(self, mono: npt.NDArray[np.float32]) -> None:
        self._onsets.append(self._rises(self._beginnings.of(mono)))
        power = self._pitches.of(mono)
        self._chroma.append(_chroma(power, self._rate))
        self._brightness.append(_centroid(power, self._rate))

    def _rises(self, power: Floats) -> Floats:
        from librosa import power_to_db
        from librosa.feature import melspectrogram
        from librosa.onset import onset_strength_multi

        bands = melspectrogram(
            S=power, sr=self._rate, n_mels=_BANDS, fmin=_LOWEST_HZ, fmax=min(_HIGHEST_HZ, self._rate / 2)
        )
        level_db = power_to_db(bands, ref=1.0, amin=_FLOOR, top_db=None)
        if not self._before.shape[1]:
            self._before = np.full((_BANDS, _LAG), 10 * np.log10(_FLOOR))
        together = np.concatenate([self._before, level_db], axis=1)
        self._before = together[:, -_LAG:]
        edges = [slice(first, last) for first, last in pairwise(_BAND_EDGES)]
        rises = onset_strength_multi(S=together, lag=_LAG, max_size=_WIDE, center=False, channels=edges)
        return np.asarray(rises[:, _LAG:], np.float64)


class _Frames:
    """Power spectra (bins, frames) of a stream of samples, window after window."""

    def __init__(self, size: int, hop: int) -> None:
        self.size, self.hop = size, hop
        self._waiting = np.zeros(size // 2, np.float32)

    def of(self, mono: npt.NDArray[np.float32]) -> Floats:
        from librosa import stft

        samples = np.concatenate([self._waiting, mono])
        frames = max(0, (len(samples) - self.size) // self.hop + 1)
        self._waiting = samples[frames * self.hop :]
        if not frames:
            return np.zeros((self.size // 2 + 1, 0))
        inside = samples[: (frames - 1) * self.hop + self.size]
        spectra = stft(inside, n_fft=self.size, hop_length=self.hop, center=False)
        # A sine at full scale has power 1.
        return np.asarray(np.abs(spectra) ** 2 * (4.0 / self.size) ** 2)


def curves_of(samples: Samples, rate: int) -> Curves:
    """The curves of a sound (channels, n) that is in memory."""
    ear = Ear(rate)
    for block in blocks_of(samples):
        ear.add(block)
    return ear.finish()


def sounding(curves: Curves) -> tuple[float, float]:
    """From where to where there is sound, in seconds; 0 and 0 where there is none."""
    level_lufs = lufs(curves.energies)
    heard = np.flatnonzero(level_lufs > max(_SILENT_LUFS, float(level_lufs.max(initial=-np.inf)) + _SILENT_LU))
    if not len(heard):
        return 0.0, 0.0
    return float(heard[0] * LEVEL_STEP), min(curves.duration, float((heard[-1] + 1) * LEVEL_STEP))


def _size(window: float, rate: int) -> int:
    """The power of two of samples nearest to so many seconds."""
    return int(2 ** round(np.log2(window * rate)))


def _chroma(power: Floats, rate: int) -> Floats:
    return np.asarray(_chroma_bank(rate, 2 * (len(power) - 1)) @ np.sqrt(power))


@cache
def _chroma_bank(rate: int, size: int) -> Floats:
    from librosa.filters import chroma

    return np.asarray(
        chroma(
            sr=rate,
            n_fft=size,
            n_chroma=PITCH_CLASSES * THIRDS,
            tuning=0.0,
            ctroct=_MIDDLE_OCTAVE,
            octwidth=_OCTAVES,
        )
    )


def _centroid(power: Floats, rate: int) -> Floats:
    from librosa.feature import spectral_centroid

    if not power.shape[1]:
        return np.zeros(0)
    return np.asarray(spectral_centroid(S=np.sqrt(power), sr=rate)[0])
