"""How alike the bars of a track sound: their harmony and colour, beat by beat, so that a seam joins what belongs together.

Numpy alone, on sound of `RATE`: the spectra of short frames, folded into the twelve pitch classes and into `BANDS` bands of pitch.
A track of any length is read block by block; only the frames' few numbers stay.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from reelscore.audio import Samples
from reelscore.engines.match.bars import Bars
from reelscore.tempo import Floats

RATE = 12_000
BANDS = 20
PARTS = 4  # of a bar, compared one by one: two bars of the same chords in another order are not alike
_WINDOW, _HOP = 4096, 1024  # samples; 0.34 s is long enough to tell semitones from 100 Hz on apart
_LOWEST_HZ, _HIGHEST_HZ = 80.0, 5_000.0
_HARMONY, _COLOUR = 0.6, 0.4
_RANGE_DB = 30.0  # difference of a band's level that counts as nothing in common


@dataclass(frozen=True, eq=False)
class Frames:
    """What each frame of a track sounds like: `harmony` (n, 12) and `colour` (n, BANDS) in dB; frame k lies around `step` · k seconds."""

    harmony: Floats
    colour: Floats
    step: float


def heard_in(path: Path) -> Frames:
    """The frames of a sound file. Raises MediaError where it cannot be read."""
    from reelscore.media.finished import whole_sound

    return frames_of(whole_sound(path, rate=RATE))


def frames_of(blocks: Iterable[Samples]) -> Frames:
    """The frames of sound at `RATE`, in blocks (channels, n)."""
    window = np.hanning(_WINDOW).astype(np.float32)
    classes, bands = _folding()
    harmony, colour = [], []
    left = np.zeros(_WINDOW // 2, np.float32)
    for block in chain(blocks, [np.zeros((1, _WINDOW // 2), np.float32)]):
        left = np.concatenate([left, block.mean(axis=0, dtype=np.float32)])
        count = max(0, (len(left) - _WINDOW) // _HOP + 1)
        if not count:
            continue
        cut = np.lib.stride_tricks.sliding_window_view(left, _WINDOW)[: count * _HOP : _HOP]
        power = np.abs(np.fft.rfft(cut * window, axis=1)) ** 2
        harmony.append(np.sqrt(power @ classes))
        colour.append(10 * np.log10(power @ bands + 1e-6))
        left = left[count * _HOP :]
    if not harmony:
        return Frames(np.zeros((1, 12)), np.zeros((1, BANDS)), _HOP / RATE)
    return Frames(np.concatenate(harmony), np.concatenate(colour), _HOP / RATE)


def _folding() -> tuple[Floats, Floats]:
    """Which pitch class and which band each bin of a spectrum belongs to, as matrices (bins, 12) and (bins, BANDS)."""
    pitch_hz = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    audible = (pitch_hz >= _LOWEST_HZ) & (pitch_hz <= _HIGHEST_HZ)
    semitone = np.zeros(len(pitch_hz), int)
    semitone[audible] = np.round(12 * np.log2(pitch_hz[audible] / 440.0)).astype(int)
    classes = np.zeros((len(pitch_hz), 12))
    classes[audible, semitone[audible] % 12] = 1.0
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, BANDS + 1)
    band = np.clip(np.searchsorted(edges, pitch_hz, side="right") - 1, 0, BANDS - 1)
    bands = np.zeros((len(pitch_hz), BANDS))
    bands[audible, band[audible]] = 1.0
    return classes, bands


def unlike(bars: Bars, frames: Frames) -> Floats:
    """How different each two bars of a track sound, 0 to 1, as (n + 1, n + 1); the last is the ending."""
    starts = np.append(bars.starts, bars.ending.start if bars.ending else bars.starts[-1] + bars.lengths[-1])
    lengths = np.append(bars.lengths, bars.length)
    parts = starts[:, None] + lengths[:, None] * (np.arange(PARTS) + 0.5)[None, :] / PARTS  # (n + 1, PARTS)
    nearest = np.clip(np.round(parts / frames.step).astype(int), 0, len(frames.harmony) - 1)
    apart = np.zeros((len(starts), len(starts)))
    for part in range(PARTS):
        harmony = frames.harmony[nearest[:, part]]
        harmony = harmony / np.maximum(np.linalg.norm(harmony, axis=1, keepdims=True), 1e-9)
        apart += _HARMONY * np.clip(1.0 - harmony @ harmony.T, 0.0, 1.0)
        # Band by band: all at once would take gigabytes with the thousands of bars of a long mix.
        between_db = np.zeros_like(apart)
        for band_db in frames.colour[nearest[:, part]].T:
            between_db += np.abs(band_db[:, None] - band_db[None])
        apart += _COLOUR * np.clip(between_db / (BANDS * _RANGE_DB), 0.0, 1.0)
    return apart / PARTS
