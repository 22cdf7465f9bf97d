"""A window of a track as sound: the stretches that are heard, read from its file, cut on the beat and joined without a seam."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from reelscore.audio import Samples
from reelscore.engines.match.windows import Window
from reelscore.errors import MediaError
from reelscore.finish.joining import Laid, joined
from reelscore.progress import Progress
from reelscore.tempo import Floats

RATE = 48_000
# On a beat the fade is over when the new beat comes, so that one hears its attack alone; elsewhere it is long and soft.
ON_BEAT_FADE, SOFT_FADE = 0.05, 1.2
_MISMATCH = 0.04  # seconds by which the beats of the two sides may be shifted against each other, and are put right
_COMPARED = 0.35  # seconds on each side of a seam in which their attacks are compared
_MOMENT_SAMPLES = 240  # 5 ms
_SHORTER = 0.5  # seconds that a file may end earlier than it was measured

Interval = tuple[float, float]


def cut(path: Path, window: Window, *, has_beats: bool, progress: Progress) -> Samples:
    """The window of the track in the file, (2, n) at `RATE`, of the film's exact length.

    The file is read once, as far as it is needed, and only what is heard of it is held. Raises MediaError where it cannot be read or
    ends too early.
    """
    fade = ON_BEAT_FADE if has_beats else SOFT_FADE
    around = fade + _COMPARED + _MISMATCH
    wanted = [(start - around, end + around) for start, end in window.stretches]
    heard = _Heard(path, _merged(wanted), progress)
    if heard.until < max(end for _, end in window.stretches) - _SHORTER:
        raise MediaError(f"{path} ends at {heard.until:.1f} s, earlier than it did when it was added to the library.")
    ahead = fade / 2 if has_beats else 0.0  # the fade lies before the beat, and is over with it
    laid = [Laid(heard.between(window.pieces[0].source, window.stretches[0][1] + around), 0, 0)]
    for before, after in pairwise(window.stretches):
        at = window.pieces[len(laid)].at
        source = after[0]
        if has_beats:
            source += _shift(heard.between(before[1] - _COMPARED, before[1] + _COMPARED), heard, source)
        sound = heard.between(source - around, after[1] + around)
        laid.append(Laid(sound, round((around - ahead) * RATE), max(1, round((at - ahead) * RATE))))
    return joined(laid, round(window.duration * RATE), RATE, crossfade=fade)


def _merged(intervals: Sequence[Interval]) -> list[Interval]:
    """The intervals in order, joined where they overlap."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


class _Heard:
    """The intervals of a file that are needed, in memory; `until` is where the file ended, or was not read any further."""

    def __init__(self, path: Path, intervals: Sequence[Interval], progress: Progress) -> None:
        from reelscore.media.finished import whole_sound

        self._kept: list[tuple[int, list[Samples]]] = [(round(start * RATE), []) for start, _ in intervals]
        ends = [round(end * RATE) for _, end in intervals]
        there = 0
        progress("cutting", 0.0)
        for block in whole_sound(path, rate=RATE):
            for (start, blocks), end in zip(self._kept, ends, strict=True):
                if there < end and there + block.shape[1] > start:
                    blocks.append(np.nan_to_num(block[:, max(0, start - there) : end - there]))
            there += block.shape[1]
            progress("cutting", min(1.0, there / ends[-1]))
            if there >= ends[-1]:
                break
        self.until = there / RATE
        self._sounds = [
            (max(0, start), np.concatenate(blocks, axis=1) if blocks else np.zeros((2, 0), np.float32))
            for start, blocks in self._kept
        ]
        self._kept = []

    def between(self, start: float, end: float) -> Samples:
        """The sound from `start` to `end`; silence where there is none."""
        first, count = round(start * RATE), max(0, round(end * RATE) - round(start * RATE))
        begins, sound = next((kept for kept in reversed(self._sounds) if kept[0] <= max(first, 0)), self._sounds[0])
        left = max(0, begins - first)
        inside = sound[:, max(0, first - begins) : max(0, first - begins) + count - left]
        return np.pad(inside, ((0, 0), (left, count - left - inside.shape[1])))


def _shift(before: Samples, heard: _Heard, source: float) -> float:
    """By how many seconds the new side must be entered later, so that its attacks come when those of the old side would have."""
    reach = _COMPARED + _MISMATCH
    old, new = _attacks(before), _attacks(heard.between(source - reach, source + reach))
    if not old.any() or not new.any():
        return 0.0
    alike = np.correlate(new, old, mode="valid")
    steps = np.arange(len(alike)) - (len(alike) - 1) / 2
    # Where nothing is clearly better, nothing is moved.
    return float(steps[np.argmax(alike - 1e-3 * alike.max() * np.abs(steps))]) * _MOMENT_SAMPLES / RATE


def _attacks(sound: Samples) -> Floats:
    """How much louder each moment is than the one before."""
    moments = sound.shape[1] // _MOMENT_SAMPLES
    cut_up = sound[:, : moments * _MOMENT_SAMPLES].reshape(sound.shape[0], moments, _MOMENT_SAMPLES)
    level = np.log10(1e-6 + np.square(cut_up, dtype=np.float64).mean(axis=(0, 2)))
    return np.asarray(np.maximum(np.diff(level, prepend=level[:1]), 0.0))
