"""The mixing desk: music and original sound, each under a gain curve, summed block by block.

Everything is stereo at 48 kHz. Curves are linear gains with one value per knot, the edge between two frames of one millisecond;
between knots they run straight. Blocks are one second long, the last one as long as what is left.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples

RATE = 48_000
FRAME = 48
STEP = FRAME / RATE
BLOCK = 1_000 * FRAME
_BELL_HZ, _BELL_DB, _BELL_QUALITY = 2_500.0, -4.0, 0.8
_BELL_MEMORY = 960  # samples after which the bell has forgotten what it heard

Knots = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Faders:
    """Gains of music and original at each knot; `bell` from 0 to 1 says how much the music makes room for the consonants."""

    music: Knots
    original: Knots
    bell: Knots


@dataclass(frozen=True, eq=False)
class Desk:
    """Both sounds, for a mix of `length_samples`: too much is left out, too little is followed by silence.

    `music` (2, n) is whole in memory, `original()` gives its blocks anew at each call.
    """

    music: Samples
    original: Callable[[], Iterator[Samples]] | None
    length_samples: int

    @property
    def frames(self) -> int:
        return -(-self.length_samples // FRAME)

    @property
    def knots(self) -> npt.NDArray[np.float64]:
        """The time of each knot in seconds."""
        return np.arange(self.frames + 1, dtype=np.float64) * STEP

    def starts(self) -> range:
        """The first sample of each block."""
        return range(0, self.length_samples, BLOCK)

    def music_blocks(self) -> Iterator[Samples]:
        """The music's blocks as they are."""
        return (self._piece(start, min(start + BLOCK, self.length_samples)) for start in self.starts())

    def original_blocks(self) -> Iterator[Samples]:
        """The original's blocks; silence where it ends too early or where there is none."""
        left = self.length_samples
        waiting: list[Samples] = []
        for block in self.original() if self.original is not None else ():
            waiting.append(block[:, :left])
            left -= waiting[-1].shape[1]
            while sum(part.shape[1] for part in waiting) >= BLOCK:
                whole = np.concatenate(waiting, axis=1)
                yield whole[:, :BLOCK]
                waiting = [whole[:, BLOCK:]]
            if left <= 0:
                break
        waiting.append(np.zeros((2, max(left, 0)), np.float32))
        rest = np.concatenate(waiting, axis=1)
        for start in range(0, rest.shape[1], BLOCK):
            yield rest[:, start : start + BLOCK]

    def blocks(self, faders: Faders) -> Iterator[Samples]:
        """The sum of both sounds under their faders."""
        if self.original is None:
            for start in self.starts():
                yield self._music(start, faders)
            return
        for start, original in zip(self.starts(), self.original_blocks(), strict=True):
            under = original * knots_to_samples(faders.original, start, original.shape[1])
            yield self._music(start, faders) + under

    def _music(self, start: int, faders: Faders) -> Samples:
        stop = min(start + BLOCK, self.length_samples)
        music = self._piece(start, stop)
        bell = knots_to_samples(faders.bell, start, stop - start)
        if bell.any():
            before = max(0, start - _BELL_MEMORY)
            music = music + bell * (_belled(self._piece(before, stop))[:, start - before :] - music)
        return np.asarray(music * knots_to_samples(faders.music, start, stop - start), np.float32)

    def _piece(self, start: int, stop: int) -> Samples:
        """The music between two samples; silence where it is too short."""
        piece = self.music[:, start:stop]
        missing = stop - start - piece.shape[1]
        return np.pad(piece, ((0, 0), (0, missing))) if missing else piece


def knots_to_samples(knots: Knots, start: int, count: int) -> Knots:
    """The values between knots for `count` samples from sample `start`, which lies on a knot."""
    first = start // FRAME
    piece = knots[first : first + -(-count // FRAME) + 1]
    between = np.arange(FRAME, dtype=np.float32) / np.float32(FRAME)
    return (piece[:-1, None] + np.diff(piece)[:, None] * between).reshape(-1)[:count]


def _belled(samples: Samples) -> Samples:
    from scipy.signal import sosfilt

    return np.asarray(sosfilt(_bell(), samples, axis=1), np.float32)


@cache
def _bell() -> npt.NDArray[np.float32]:
    """A peaking section that takes `_BELL_DB` at `_BELL_HZ`, by the bilinear transform."""
    amplitude = 10.0 ** (_BELL_DB / 40.0)
    angle = 2.0 * np.pi * _BELL_HZ / RATE
    width = np.sin(angle) / (2.0 * _BELL_QUALITY)
    zeros = np.array([1.0 + width * amplitude, -2.0 * np.cos(angle), 1.0 - width * amplitude])
    poles = np.array([1.0 + width / amplitude, -2.0 * np.cos(angle), 1.0 - width / amplitude])
    return np.concatenate([zeros, poles]).astype(np.float32)[None] / np.float32(poles[0])
