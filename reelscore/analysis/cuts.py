"""Hard cuts, to the frame.

PySceneDetect's adaptive detector proposes, with thresholds so low that it misses none; a proposal stands when the things
seen before it are not found again after it. So flashes, jolts of the camera and whip pans are no cuts.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

from scenedetect.common import FrameTimecode, Timecode
from scenedetect.detectors import AdaptiveDetector

from reelscore.analysis.look import Bytes, alike, blank

SHORTEST_SHOT = 0.19  # five frames at 25 per second: a picture shown for less is a flash

_TICKS = 1_000_000  # of the time base in which PySceneDetect is told the true times
_NEIGHBOURS = 2  # frames on each side that a proposal is measured against
_RATIO = 2.0
_SMALLEST_STEP = 5.0
_SETTLE = 1.5 * SHORTEST_SHOT
_GLANCES = 4  # pictures looked at on each side, to see whether the old view returns


@dataclass(frozen=True)
class Seen:
    """One small picture and its time."""

    time: float
    picture: Bytes


class Cuts:
    """Takes every picture in turn; `times` holds the cuts that are certain, which a cut is 0.3 s after it."""

    def __init__(self, frame_rate: float) -> None:
        self.times: list[float] = []
        self._rate = Fraction(max(1.0, frame_rate)).limit_denominator(10_000)
        # Every step of the picture is to be proposed, however soon after another one.
        self._detector = AdaptiveDetector(
            adaptive_threshold=_RATIO, min_scene_len=0, window_width=_NEIGHBOURS, min_content_val=_SMALLEST_STEP
        )
        self._recent: deque[Seen] = deque()
        self._proposed: deque[float] = deque()

    def see(self, bgr: Bytes, seen: Seen) -> None:
        """One more picture, whole and small."""
        ticks = Timecode(pts=round(seen.time * _TICKS), time_base=Fraction(1, _TICKS))
        for cut in self._detector.process_frame(FrameTimecode(ticks, fps=self._rate), bgr):
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
        before = [seen for seen in self._recent if seen.time < time - 0.5 / _TICKS]
        after = [seen for seen in self._recent if seen.time >= time - 0.5 / _TICKS]
        if not before or not after:
            return False
        last, first = before[-1].picture, after[0].picture
        if blank(last) or blank(first) or alike(last, first):
            return False  # what comes out of or goes into black is no matter for cuts
        returns = _glances([seen for seen in after[1:] if seen.time < time + SHORTEST_SHOT])
        returned = _glances([seen for seen in before[:-1] if seen.time > time - SHORTEST_SHOT])
        return not any(alike(last, later) for later in returns) and not any(
            alike(earlier, first) for earlier in returned
        )

    def _keep(self, time: float) -> None:
        """Of two cuts too near to each other, keeps the one that opens the picture which then stays."""
        if self.times and time - self.times[-1] < SHORTEST_SHOT:
            earlier = self._at(self.times[-1])
            later = self._at(time)
            if earlier is not None and later is not None and not alike(earlier, later):
                self.times[-1] = self._at_time(time)
            return
        self.times.append(self._at_time(time))

    def _at(self, time: float) -> Bytes | None:
        return next((seen.picture for seen in self._recent if seen.time >= time - 0.5 / _TICKS), None)

    def _at_time(self, time: float) -> float:
        """The picture's own time, which PySceneDetect holds rounded."""
        return next((seen.time for seen in self._recent if seen.time >= time - 0.5 / _TICKS), time)


def _glances(pictures: list[Seen]) -> list[Bytes]:
    """At most four of the pictures, evenly spread, the last among them."""
    step = max(1, -(-len(pictures) // _GLANCES))
    return [seen.picture for seen in pictures[::-1][::step]]
