"""A window of a track as sound: the stretches that are heard, read from its file, cut on the beat and joined without a seam."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from reelscore.audio import Samples
from reelscore.engines.match.bars import has_beats
from reelscore.engines.match.wanted import Window
from reelscore.errors import MediaError
from reelscore.finish.joining import Laid, joined
from reelscore.library import Track
from reelscore.progress import Progress
from reelscore.tempo import Floats

RATE = 48_000
# On a struck beat the fade is over when the new beat comes, so that one hears its attack alone. Held sounds would seem cut off by
# that and go over slowly, and what has no beats more slowly still.
STRUCK_FADE, HELD_FADE, FREE_FADE = 0.05, 0.4, 1.2
_STRUCK = 0.5  # rise of the power within 5 ms, in powers of ten, from which a beat is struck
_MISMATCH = 0.04  # seconds by which the beats of the two sides may be shifted against each other, and are put right
_COMPARED = 0.35  # seconds on each side of a seam in which their attacks are compared
_BETTER = 1.3  # how much better attacks must agree for one side to be moved
_MOMENT_SAMPLES = 240  # 5 ms
_SHORTER = 0.5  # seconds that a file may end earlier than it was measured

Interval = tuple[float, float]


def cut(track: Track, window: Window, progress: Progress) -> Samples:
    """The window of the track, (2, n) at `RATE`, of the film's exact length.

    Its file is read once, as far as it is needed, and only what is heard of it is held. Raises MediaError where it cannot be read or
    ends too early.
    """
    on_beats = has_beats(track)
    around = FREE_FADE + _MISMATCH  # a fade, and a side that is moved by as much as may be
    wanted = [(start - around, end + around) for start, end in window.stretches]
    heard = _Heard(track.path, _merged(wanted), progress)
    if heard.until < min(max(end for _, end in window.stretches), track.stops) - _SHORTER:
        raise MediaError(
            f"{track.path} ends at {heard.until:.1f} s, earlier than it did when it was added to the library."
        )
    seams = [_seam(heard, before[1], after[0]) for before, after in pairwise(window.stretches)] if on_beats else []
    struck = any(seam.struck for seam in seams)
    fade = (STRUCK_FADE if struck else HELD_FADE) if on_beats else FREE_FADE
    ahead = fade / 2 if struck else 0.0  # the fade lies before the beat, and is over with it
    first, *others = zip(window.pieces, window.stretches, strict=True)
    laid = [Laid(heard.between(first[0].source, first[1][1] + around), 0, 0)]
    for number, (piece, (_, end)) in enumerate(others):
        source = piece.source + (seams[number].shift if seams else 0.0)
        sound = heard.between(source - FREE_FADE, end + FREE_FADE)
        laid.append(Laid(sound, round((FREE_FADE - ahead) * RATE), max(1, round((piece.at - ahead) * RATE))))
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
        middle = first + count // 2
        begins, sound = next((kept for kept in reversed(self._sounds) if kept[0] <= middle), self._sounds[0])
        left = max(0, begins - first)
        inside = sound[:, max(0, first - begins) : max(0, first - begins) + count - left]
        return np.pad(inside, ((0, 0), (left, count - left - inside.shape[1])))


@dataclass(frozen=True)
class _Seam:
    """By how many seconds the new side is entered later, so that its attacks come when the old side's would have; and whether one is struck there."""

    shift: float
    struck: bool


def _seam(heard: _Heard, left: float, entered: float) -> _Seam:
    """What is found where the track is left at one of its times and entered at another."""
    reach = _COMPARED + _MISMATCH
    old = _attacks(heard.between(left - _COMPARED, left + _COMPARED))
    new = _attacks(heard.between(entered - reach, entered + reach))
    middle = len(new) // 2
    near = round(_MISMATCH * RATE / _MOMENT_SAMPLES)
    struck = bool(new[middle - near : middle + near + 1].max(initial=0.0) > _STRUCK)
    if not struck or not old.any():
        return _Seam(0.0, struck)
    alike = np.correlate(new, old, mode="valid")
    unmoved, best = len(alike) // 2, int(np.argmax(alike))
    if alike[best] < _BETTER * alike[unmoved]:
        return _Seam(0.0, struck)
    return _Seam((best - unmoved) * _MOMENT_SAMPLES / RATE, struck)


def _attacks(sound: Samples) -> Floats:
    """How much louder each moment is than the one before."""
    moments = sound.shape[1] // _MOMENT_SAMPLES
    cut_up = sound[:, : moments * _MOMENT_SAMPLES].reshape(sound.shape[0], moments, _MOMENT_SAMPLES)
    level = np.log10(1e-6 + np.square(cut_up, dtype=np.float64).mean(axis=(0, 2)))
    return np.asarray(np.maximum(np.diff(level, prepend=level[:1]), 0.0))
