"""Movement: how much of it there is, and when it suddenly changes.

Optical flow between pictures about a fifteenth of a second apart, whatever the frame rate, in picture lengths (of the
longer side) per second, whatever the resolution. Cuts and dissolves are no movement.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from reelscore.analysis.facts import Peak
from reelscore.analysis.look import Bytes
from reelscore.analysis.measured import Measured

_PAIR = 0.06  # seconds that two compared pictures lie apart, or the next picture after it
_LIVELY = 0.15  # lengths per second at which the measure reaches 1 − 1/e
_VISIBLE_GREY_LEVELS = 6.0  # standard deviation under which a picture shows little that could move, but noise
_LEAST_SIDE = 32  # pixels; on less the flow's pyramid has no level to work on, and OpenCV crashes
# Two pictures whose mean differs by more show a fade, a flash or a lamp; flow makes nonsense of these.
_RELIT_GREY_LEVELS, _RELIT_SHARE = 1.5, 0.05

_PEAK_DISTANCE = 0.5
_PEAK_NEIGHBOURHOOD = 1.5
_PEAK_RATIO = 2.5
_PEAK_FLOOR = 0.012  # lengths per second
_PEAK_STRONG = 0.12
_CUT_MARGIN = 0.12


@dataclass(frozen=True)
class Blackout:
    """A stretch in which pictures of two shots are compared or mixed; what seems to move there does not count."""

    start: float
    end: float


def liveliness(speed: float) -> float:
    """Movement from 0 to 1 for a mean speed in picture lengths per second: 1 − exp(−speed / 0.15).

    A talking head lies near 0.15, walking people near 0.3, a pan over the whole picture in two seconds near 0.95.
    """
    return float(1.0 - np.exp(-speed / _LIVELY))


def _roomy(grey: Bytes) -> Bytes:
    """The picture, its edge repeated below and to the right where a side is too short for the flow."""
    low, narrow = (max(0, _LEAST_SIDE - side) for side in grey.shape)
    if not low and not narrow:
        return grey
    return np.asarray(cv2.copyMakeBorder(grey, 0, low, 0, narrow, cv2.BORDER_REPLICATE), dtype=np.uint8)


class MotionMeter:
    """Takes every picture in turn with `see`; after the last, `measured` and `peaks` tell what moved."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._last: Bytes | None = None
        self._last_time = 0.0
        # Of each pair: when it begins and ends, its speed, and how far the movement changed from the pair before.
        self._starts, self._ends, self._speeds, self._jolts = (array("d") for _ in range(4))
        self._directions: npt.NDArray[np.float64] | None = None

    def see(self, time: float, bgr: Bytes) -> None:
        """One more picture, uint8 BGR; every fifteenth of a second one is compared."""
        if self._last is not None and time - self._last_time < _PAIR:
            return
        grey = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        if self._last is not None:
            self._compare(self._last, grey, time)
        self._last, self._last_time = grey, time

    def _compare(self, last: Bytes, grey: Bytes, time: float) -> None:
        mean, spread = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
        before = cv2.mean(last)[0]
        if abs(mean - before) > max(_RELIT_GREY_LEVELS, _RELIT_SHARE * max(mean, before)):
            self._directions = None
            return
        flow = self._flow.calc(_roomy(last), _roomy(grey), None)  # type: ignore[call-overload]
        flow = flow[: grey.shape[0], : grey.shape[1]]
        visible = min(1.0, (spread / _VISIBLE_GREY_LEVELS) ** 2)
        per_second = visible / max(grey.shape) / (time - self._last_time)
        x, y = cv2.split(flow)
        speed = cv2.mean(cv2.magnitude(x, y))[0] * per_second
        # How much goes right, left, down and up: it does not matter where, so a thing that flies on does not jolt.
        net = np.array([cv2.mean(x)[0], cv2.mean(y)[0]]) * per_second
        total = np.array([cv2.norm(x, cv2.NORM_L1), cv2.norm(y, cv2.NORM_L1)]) / x.size * per_second
        directions = np.concatenate([total + net, total - net]) / 2.0
        self._starts.append(self._last_time)
        self._ends.append(time)
        self._speeds.append(speed)
        # The first pair, and the first after a change of light, has nothing to be compared with.
        self._jolts.append(float(np.abs(directions - self._directions).sum()) if self._directions is not None else 0.0)
        self._directions = directions

    def measured(self, blackouts: Sequence[Blackout]) -> Measured:
        """Liveliness at the middle of every pair that lies outside the blackouts (in order)."""
        measured = Measured()
        clear = _clear(self._starts, self._ends, blackouts)
        for start, end, speed, counts in zip(self._starts, self._ends, self._speeds, clear, strict=True):
            if counts:
                measured.add(0.5 * (start + end), liveliness(speed))
        return measured

    def peaks(self, blackouts: Sequence[Blackout]) -> tuple[Peak, ...]:
        """Moments at which the movement changes far more than it does around them, at least 0.5 s apart."""
        if len(self._jolts) < 3:
            return ()
        times = np.frombuffer(self._starts)
        wide = [Blackout(blackout.start - _CUT_MARGIN, blackout.end + _CUT_MARGIN) for blackout in blackouts]
        # A jolt compares a pair with the one before it, so both have to be of one shot.
        clear = _clear([times[0], *times[:-1]], self._ends, wide)
        jolts = np.where(clear, np.frombuffer(self._jolts), 0.0)
        found: list[Peak] = []
        for at in _outstanding(times, jolts, clear):
            around = np.flatnonzero(np.abs(times - times[at]) < 2.5 * _PAIR)
            moment = float(np.average(times[around], weights=jolts[around] + 1e-12))
            strength = float(1.0 - np.exp(-jolts[at] / _PEAK_STRONG))
            found.append(Peak(time=moment, strength=strength))
        return tuple(_spaced(found))


def _clear(starts: Sequence[float], ends: Sequence[float], blackouts: Sequence[Blackout]) -> npt.NDArray[np.bool_]:
    """For each stretch whether no blackout touches it; the blackouts rise and do not overlap by much."""
    latest = np.maximum.accumulate([blackout.end for blackout in blackouts]) if blackouts else np.zeros(0)
    begins = [blackout.start for blackout in blackouts]
    clear = np.ones(len(starts), dtype=np.bool_)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        before = bisect_left(begins, end + 1e-9)
        clear[number] = before == 0 or latest[before - 1] <= start + 1e-9
    return clear


def _outstanding(
    times: npt.NDArray[np.float64], jolts: npt.NDArray[np.float64], clear: npt.NDArray[np.bool_]
) -> list[int]:
    """The jolts that are the largest near them and stand out from what is usual around them."""
    found = []
    for at in np.flatnonzero(jolts > _PEAK_FLOOR):
        first, last = np.searchsorted(times, [times[at] - _PEAK_NEIGHBOURHOOD, times[at] + _PEAK_NEIGHBOURHOOD])
        usual = float(np.median(jolts[first:last][clear[first:last]]))
        near = slice(*np.searchsorted(times, [times[at] - 0.25, times[at] + 0.25]))
        if jolts[at] >= jolts[near].max() and jolts[at] > _PEAK_RATIO * usual + _PEAK_FLOOR:
            found.append(int(at))
    return found


def _spaced(peaks: Sequence[Peak]) -> list[Peak]:
    """The strongest peaks of which no two are nearer than 0.5 s, in order of time."""
    kept: list[Peak] = []
    for peak in sorted(peaks, key=lambda peak: -peak.strength):
        if all(abs(peak.time - other.time) >= _PEAK_DISTANCE for other in kept):
            kept.append(peak)
    return sorted(kept, key=lambda peak: peak.time)
