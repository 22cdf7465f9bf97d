"""Hard cuts, to the frame.

PySceneDetect's adaptive detector proposes, with thresholds so low that it misses none; a proposal stands when the things
seen before it are not found again after it. So flashes, jolts of the camera and whip pans are no cuts.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

from scenedetect.common import FrameTimecode, Timecode
from scenedetect.detectors import AdaptiveDetector

from reelscore.analysis.look import ALIKE, STILL_FOUND, Bytes, alike, blank, colour_step

SHORTEST_SHOT = 0.19  # five frames at 25 per second: a picture shown for less is a flash

_TICKS = 1_000_000  # of the time base in which PySceneDetect is told the true times
_NEIGHBOURS = 2  # frames on each side that a proposal is measured against
_RATIO = 2.0
_SMALLEST_STEP = 2.0  # mean over the channels of HSV, 0 to 255
_SAME_TIME = 1e-6
_SETTLE = 1.5 * SHORTEST_SHOT
# Between stills, as slides are, nothing moves, so that what is the same is found again as it was; and lines of other text
# look much like lines of text.
_STILL_STEP, _STILL_TIME = 1.0, 0.25
_STILLS_ALIKE = 0.92
_GLANCES = 2  # pictures looked at on each side, to see whether the old view returns


@dataclass(frozen=True)
class Seen:
    """One small picture and its time."""

    time: float
    picture: Bytes


class Cuts:
    """Takes every picture in turn; `times` holds the cuts that are certain, which a cut is 0.3 s after it."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._recent: deque[Seen] = deque()
        # Every step of the picture is to be proposed, however soon after another one.
        self._detector = AdaptiveDetector(
            adaptive_threshold=_RATIO, min_scene_len=0, window_width=_NEIGHBOURS, min_content_val=_SMALLEST_STEP
        )
        self._proposed: deque[float] = deque()

    def see(self, seen: Seen) -> None:
        """One more picture."""
        ticks = Timecode(pts=round(seen.time * _TICKS), time_base=Fraction(1, _TICKS))
        for cut in self._detector.process_frame(FrameTimecode(ticks, fps=25.0), seen.picture):
            self._proposed.append(cut.seconds)
        self._recent.append(seen)
        self._decide(seen.time - _SETTLE)
        while self._recent[0].time < seen.time - 4.0 * _SETTLE and len(self._recent) > 8:
            self._recent.popleft()

    def end(self) -> None:
        """No more pictures come."""
        self._decide(float("inf"))

    def _decide(self, until: float) -> None:
        while self._proposed and self._proposed[0] <= until:
            time = self._proposed.popleft()
            if self._stands(time):
                self._keep(time)

    def _stands(self, time: float) -> bool:
        """Whether nothing of what was seen just before `time` comes back just after it."""
        before = [seen for seen in self._recent if seen.time < time - _SAME_TIME]
        after = [seen for seen in self._recent if seen.time >= time - _SAME_TIME]
        if not before or not after:
            return False
        last, first = before[-1].picture, after[0].picture
        stills = _still(before) and _still(after)
        likeness, found = (_STILLS_ALIKE, _STILLS_ALIKE) if stills else (ALIKE, STILL_FOUND)
        if blank(last) or blank(first) or alike(last, first, likeness, found):
            return False  # what comes out of or goes into black is no matter for cuts
        returns = _glances([seen for seen in after[1:] if seen.time < time + SHORTEST_SHOT])
        returned = _glances([seen for seen in before[:-1] if seen.time > time - SHORTEST_SHOT])
        return not any(alike(last, later, likeness, found) for later in returns) and not any(
            alike(earlier, first, likeness, found) for earlier in returned
        )

    def _keep(self, time: float) -> None:
        """Of two cuts too near to each other, keeps the one that opens the picture which then stays."""
        if self.times and time - self.times[-1] < SHORTEST_SHOT:
            earlier = self._at(self.times[-1])
            later = self._at(time)
            if earlier is not None and later is not None and not alike(earlier, later):
                self.times[-1] = self._own_time(time)
            return
        self.times.append(self._own_time(time))

    def _at(self, time: float) -> Bytes | None:
        return next((seen.picture for seen in self._recent if seen.time >= time - _SAME_TIME), None)

    def _own_time(self, time: float) -> float:
        """The picture's own time, which PySceneDetect holds rounded."""
        return next((seen.time for seen in self._recent if seen.time >= time - _SAME_TIME), time)


def _glances(pictures: list[Seen]) -> list[Bytes]:
    """At most two of the pictures, evenly spread, the last among them."""
    step = max(1, -(-len(pictures) // _GLANCES))
    return [seen.picture for seen in pictures[::-1][::step]]


def _still(pictures: list[Seen]) -> bool:
    """Whether nothing moves in the pictures."""
    first, last = pictures[0], pictures[-1]
    return last.time - first.time >= _STILL_TIME and colour_step(first.picture, last.picture) < _STILL_STEP
