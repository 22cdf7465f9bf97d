"""Transitions that take time: dissolves, and fades through black or white.

A dissolve shows a weighted mean of its first and its last picture, with a weight that only grows; a pan, a passer-by or
an explosion does not, and in a change of light or a title that fades in, what was seen before is found again after it.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from reelscore.analysis.cuts import Seen
from reelscore.analysis.look import STAYED, Bytes, alike, blank, changed_area, kinship, unexplained

Floats = npt.NDArray[np.float32]

_WINDOWS = (0.3, 0.5, 0.8, 1.3, 2.0, 3.2)  # seconds that a dissolve is looked for in
_LOOK_EVERY = 0.16  # of the window's length
_WAIT = 0.5  # until the hard cuts in a window are known
_PICTURES = 12  # of each window that are compared
_CLOSEST_PICTURES = 1 / 32
_LARGEST_LEAP = 0.45  # of the step, from one compared picture to the next
_MOST_KEPT = 0.25
_OTHER_COLOURS = 0.25  # agreement of two views whose colours have nothing in common, however alike their gradients
_VOTES, _SAME_MIDDLE = 2, 0.2  # a true dissolve is seen in windows of several lengths

LONG_BLANK = 1.0  # seconds from which a black picture is a shot of its own
_BLINK = 0.3
_RAMP = 0.25  # seconds in which a fade changes the picture visibly
_RAMP_SHARE = 0.75


@dataclass(frozen=True)
class Transition:
    """A gradual one: where the new picture counts as begun, and the stretch in which two pictures mix or none is seen."""

    time: float
    kind: Literal["cut", "dissolve", "fade"]
    start: float
    end: float


@dataclass(frozen=True)
class _Grain:
    """How finely the pictures of a window are looked at, and what is asked of them then.

    `step` is the least change from the first to the last picture, in grey levels (root mean square). `rest` and `fall` are shares of the step from the first to the last picture: what the blend may leave over, and what
    its weight may fall back by. `mixed` is the least share of the texture half way that is not found a quarter before
    or after (measured: dissolves of real shots leave 0.36 and more, pans, tilts and titles 0.05 and less), and
    `likeness` how alike the two views may be.
    """

    step: float
    rest: float
    fall: float
    mixed: float
    likeness: float


_FINE = _Grain(step=10.0, rest=0.36, fall=0.06, mixed=0.15, likeness=0.7)
# Where much moves in both shots only their broad light and colour blend; as a pan blends those as well, more is asked.
_COARSE = _Grain(step=20.0, rest=0.22, fall=0.12, mixed=0.25, likeness=0.5)


@dataclass(frozen=True)
class _Thumbnail:
    time: float
    picture: Bytes
    fine: Floats
    coarse: Floats

    @classmethod
    def of(cls, seen: Seen) -> "_Thumbnail":
        pixels = cv2.resize(seen.picture, (32, 18), interpolation=cv2.INTER_AREA)
        broad = cv2.resize(pixels, (8, 5), interpolation=cv2.INTER_AREA)
        fine, coarse = (np.asarray(cv2.blur(seen, (3, 3)), dtype=np.float32).ravel() for seen in (pixels, broad))
        return cls(seen.time, seen.picture, fine, coarse)


@dataclass(frozen=True)
class _Blend:
    """A window that looks like a dissolve, and how much of its change the blend leaves unexplained."""

    found: Transition
    rest: float


class Dissolves:
    """Takes every picture in turn, and the hard cuts known so far; `found` holds the dissolves, up to 4 s late."""

    def __init__(self) -> None:
        self.found: list[Transition] = []
        self._recent: list[_Thumbnail] = []
        self._times: list[float] = []  # of the same
        self._cluster: list[_Blend] = []
        self._next = [0.0] * len(_WINDOWS)  # when each window is looked at again

    def see(self, seen: Seen, cuts: Sequence[float]) -> None:
        """One more picture."""
        if self._times and seen.time - self._times[-1] < _CLOSEST_PICTURES:
            return
        self._recent.append(_Thumbnail.of(seen))
        self._times.append(seen.time)
        self._look(seen.time - _WAIT, cuts)
        if self._times[0] < seen.time - 2.0 * _WINDOWS[-1]:
            old = bisect_left(self._times, seen.time - _WINDOWS[-1] - 2.0 * _WAIT)
            del self._times[:old], self._recent[:old]

    def end(self, cuts: Sequence[float]) -> None:
        """No more pictures come."""
        if self._times:
            for wait in np.arange(_WAIT, 0.0, -_LOOK_EVERY * _WINDOWS[0]):
                self._look(self._times[-1] - float(wait), cuts)
            self._look(self._times[-1], cuts)
        self._close()

    def _look(self, until: float, cuts: Sequence[float]) -> None:
        """Looks for dissolves in the windows that end at `until`, and do not reach over a cut."""
        due = [number for number, time in enumerate(self._next) if until >= time]
        if not due:
            return
        last = bisect_right(self._times, until)
        last_cut = max((cut for cut in cuts[-8:] if cut <= until), default=-1.0)
        for number in due:
            length = _WINDOWS[number]
            self._next[number] = until + _LOOK_EVERY * length
            first = bisect_left(self._times, until - length - 1e-6)
            if last - first < 5 or self._times[first] < last_cut:
                continue
            if self._times[last - 1] - self._times[first] < 0.8 * length:
                continue
            blend = _blend(self._recent[first:last])
            if blend is not None:
                self._gather(blend)
        if self._cluster and until > max(blend.found.end for blend in self._cluster) + _WINDOWS[-1]:
            self._close()

    def _gather(self, blend: _Blend) -> None:
        """Windows over the same dissolve belong together."""
        if self._cluster and blend.found.start > max(other.found.end for other in self._cluster):
            self._close()
        self._cluster.append(blend)

    def _close(self) -> None:
        best: list[Transition] = []
        for blend in sorted(self._cluster, key=lambda blend: blend.rest):
            if self._votes(blend) >= _VOTES and not any(_overlap(blend.found, other) for other in best):
                best.append(blend.found)
        self.found += sorted(best, key=lambda found: found.time)
        self._cluster = []

    def _votes(self, blend: _Blend) -> int:
        """How many windows see the same dissolve."""
        return sum(abs(other.found.time - blend.found.time) < _SAME_MIDDLE for other in self._cluster)


def _overlap(one: Transition, other: Transition) -> bool:
    return one.start < other.end and other.start < one.end


def _blend(window: Sequence[_Thumbnail]) -> _Blend | None:
    """The dissolve that the window shows, if it shows one."""
    parts = min(_PICTURES, len(window)) - 1
    seen = [window[round(part * (len(window) - 1) / parts)] for part in range(parts + 1)]
    return _blended(seen, [one.fine for one in seen], _FINE) or _blended(seen, [one.coarse for one in seen], _COARSE)


def _blended(seen: Sequence[_Thumbnail], pixels: Sequence[Floats], grain: _Grain) -> _Blend | None:
    """The dissolve that the `pixels` of what is seen show."""
    size = cv2.norm(pixels[0], pixels[-1]) / pixels[0].size ** 0.5
    if size < grain.step or not _passes_over(pixels, size, grain):
        return None
    pictures = np.stack(pixels)
    step = pictures[-1] - pictures[0]
    weights = (pictures - pictures[0]) @ step / float(step @ step)
    leaps = np.diff(weights)
    if leaps.min() < -grain.fall or leaps.max() > _LARGEST_LEAP:
        return None
    over = pictures - pictures[0] - weights[:, None] * step
    rest = float(np.sqrt(np.mean(over**2, axis=1)).max()) / size
    if rest > grain.rest or not _mixed([one.picture for one in seen], weights, grain):
        return None
    times = np.array([one.time for one in seen])
    start, middle, end = np.interp([0.04, 0.5, 0.96], np.maximum.accumulate(weights), times).tolist()
    # A window inside a long dissolve explains itself as well as the whole: the larger change is the truer one.
    return _Blend(Transition(middle, "dissolve", start, end), rest=rest + 20.0 / size)


def _passes_over(pixels: Sequence[Floats], size: float, grain: _Grain) -> bool:
    """Whether the picture in the middle lies between the first and the last; most windows are seen through by this."""
    step, part = pixels[-1] - pixels[0], pixels[len(pixels) // 2] - pixels[0]
    weight = float(part @ step) / float(step @ step)
    return bool(cv2.norm(part, weight * step) <= grain.rest * size * step.size**0.5)


def _mixed(pictures: Sequence[Bytes], weights: npt.NDArray[np.floating], grain: _Grain) -> bool:
    """Whether the pictures lead from one view to another, and show both at once half way."""
    first, last = pictures[0], pictures[-1]
    if blank(first) or blank(last) or changed_area(first, last) < STAYED:
        return False
    quarter, half, most = (pictures[int(np.argmin(np.abs(weights - weight)))] for weight in (0.25, 0.5, 0.75))
    if unexplained(half, quarter, most) < grain.mixed:
        return False
    kin = kinship(first, last)
    if kin.textured < 2:
        return False
    return kin.agreement < _OTHER_COLOURS or (kin.likeness < grain.likeness and kin.kept <= _MOST_KEPT)


class Fades:
    """Takes every picture in turn and finds black and white ones; `found` holds what leads into and out of them.

    A short blank belongs to the shot before, and the new one begins where its picture begins to be seen; a long one is
    a shot of its own. One that only blinks, with the same view before and after, is nothing.
    """

    def __init__(self) -> None:
        self.found: list[Transition] = []
        self._recent: deque[Seen] = deque()
        self._start: float | None = None  # of the blank that is on
        self._before: list[Seen] = []  # what was seen until it came
        self._ended: tuple[float, float] | None = None  # a blank whose after is not yet known
        self._began = False

    def see(self, seen: Seen) -> None:
        """One more picture."""
        is_blank = blank(seen.picture) is not None
        if is_blank and self._start is None:
            self._settle()
            self._start, self._before = seen.time, list(self._recent) if self._began else []
        elif not is_blank and self._start is not None:
            self._ended, self._start = (self._start, seen.time), None
            self._recent.clear()
        self._began = True
        if not is_blank:
            self._recent.append(seen)
            if self._ended and seen.time - self._ended[1] >= _RAMP:
                self._settle()
            while self._recent[0].time < seen.time - 1.5 * _RAMP:
                self._recent.popleft()

    def end(self, time: float) -> None:
        """No more pictures come; the last was shown until `time`."""
        self._settle()
        if self._start is not None and self._before and time - self._start >= LONG_BLANK:
            self.found.append(self._into(self._start))

    def _settle(self) -> None:
        """Decides about the blank that has ended."""
        if self._ended is None or not self._recent:
            return
        (start, end), self._ended = self._ended, None
        long = end - start >= LONG_BLANK
        if not self._before:
            if long:
                self.found.append(self._out(start, end))
            return
        if end - start < _BLINK and alike(self._before[0].picture, self._recent[-1].picture):
            return
        if long:
            self.found.append(self._into(start))
        self.found.append(self._out(start, end))

    def _into(self, start: float) -> Transition:
        ramp = _light(self._before[-1]) < _RAMP_SHARE * _light(self._before[0])
        begun = self._before[0].time if ramp else start
        return Transition(start, "fade" if ramp else "cut", begun, start)

    def _out(self, start: float, end: float) -> Transition:
        """Out of the blank that lasted from `start` to `end`."""
        ramp = _light(self._recent[0]) < _RAMP_SHARE * _light(self._recent[-1])
        faded = ramp or (end - start < LONG_BLANK and bool(self._before) and self._into(start).kind == "fade")
        return Transition(end, "fade" if faded else "cut", start, self._recent[-1].time if ramp else end)


def _light(seen: Seen) -> float:
    """How far the picture is from blank: the spread of its grey levels."""
    low, high, _, _ = cv2.minMaxLoc(cv2.cvtColor(seen.picture, cv2.COLOR_BGR2GRAY))
    return float(high - low)
