"""The shots of a film: where each begins, how the film comes to it, and how much of the look is new.

`ShotFinder` takes the pictures of one pass in turn and keeps only the last seconds of them.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from reelscore.analysis.cuts import SHORTEST_SHOT, Cuts, Seen
from reelscore.analysis.gradual import Dissolves, Fades, Transition
from reelscore.analysis.look import Bytes, Floats, kinship, layout, layout_difference, palette, palette_difference

_SETTLED_AFTER = 12.0  # seconds after which no transition is found any more
_SETTLE_EVERY = 4.0
_LOOK_EVERY = 0.1
_RETURN_SHOTS = 6  # how many shots back a shot may return to
_RETURN_TIME = 60.0
_RETURN_LIKENESS = 0.62
_RETURN_KEPT = 0.35
_RETURN_DIFFERENCE = 0.4
_LAYOUT_WEIGHT = 0.8  # of the place of colours, where the colours themselves say less


@dataclass(frozen=True)
class Span:
    """One shot: its stretch in seconds, how it opens, and its look against that of the shots before.

    Between `mixed_from` and `mixed_until` the film passes over to it: pictures there show other things as well.
    `returns_to` is the number of the recent shot that it takes up again, if it does.
    """

    start: float
    end: float
    opens_with: Literal["start", "cut", "dissolve", "fade"]
    mixed_from: float
    mixed_until: float
    change: float
    returns_to: int | None


@dataclass
class _Look:
    """What one shot looks like: the sums of its palettes and layouts, and its last picture while it is recent."""

    colours: Floats = field(default_factory=lambda: np.zeros((8, 8, 8), dtype=np.float32))
    masses: Floats = field(default_factory=lambda: np.zeros((9, 16, 3), dtype=np.float32))
    pictures: int = 0
    last: Bytes | None = None
    end: float = 0.0
    returns_to: int | None = None
    only_mixed: bool = True

    def add(self, seen: Seen, mixed: bool) -> None:
        """Takes in a picture of the shot; mixed ones count only until there is another."""
        if mixed and not self.only_mixed:
            return
        if self.only_mixed and not mixed:
            self.colours[:] = 0.0
            self.masses[:] = 0.0
            self.pictures = 0
        self.only_mixed = mixed
        self.colours += palette(seen.picture)
        self.masses += layout(seen.picture)
        self.pictures += 1
        self.last, self.end = seen.picture, seen.time

    def change(self, before: "_Look") -> float:
        """How different it looks from the shot before: other colours, or the same ones in other places."""
        if not self.pictures or not before.pictures:
            return 1.0
        moved = layout_difference(self.masses / np.float32(self.pictures), before.masses / np.float32(before.pictures))
        return max(palette_difference(self.colours, before.colours), _LAYOUT_WEIGHT * moved)


class ShotFinder:
    """Takes every picture in turn with `see`; `spans` ends the pass and gives the shots."""

    def __init__(self) -> None:
        self._cuts = Cuts()
        self._dissolves = Dissolves()
        self._fades = Fades()
        self._waiting: deque[Seen] = deque()
        self._opens: list[Transition] = []  # all transitions up to `_settled`
        self._settled = 0.0
        self._looks: list[_Look] = [_Look()]

    def see(self, time: float, picture: Bytes) -> None:
        """One more small picture."""
        seen = Seen(time, picture)
        self._cuts.see(seen)
        self._dissolves.see(seen, self._cuts.times)
        self._fades.see(seen)
        if not self._waiting or time - self._waiting[-1].time >= _LOOK_EVERY:
            self._waiting.append(seen)
        if time - self._settled > _SETTLED_AFTER + _SETTLE_EVERY:
            self._settle(time - _SETTLED_AFTER)

    def spans(self, duration: float) -> list[Span]:
        """All shots from 0 to `duration`; at least one."""
        self._cuts.end()
        self._dissolves.end(self._cuts.times)
        self._fades.end(duration)
        self._settle(float("inf"))
        if self._opens and duration - self._opens[-1].time < SHORTEST_SHOT:
            self._opens.pop()
        starts = [0.0, *(opened.time for opened in self._opens)]
        spans = [Span(0.0, duration, "start", 0.0, 0.0, 0.0, None)]
        for number, opened in enumerate(self._opens, start=1):
            look = self._looks[number]
            change = look.change(self._looks[number - 1])
            span = Span(opened.time, duration, opened.kind, opened.start, opened.end, change, look.returns_to)
            spans.append(span)
        ends = [*starts[1:], duration]
        return [_ended(span, end) for span, end in zip(spans, ends, strict=True)]

    def _settle(self, until: float) -> None:
        """Fixes the transitions up to `until` and gives the pictures up to there to their shots."""
        found = merged(
            [time for time in self._cuts.times if self._settled < time <= until],
            [found for found in self._dissolves.found if self._settled < found.time <= until],
            [found for found in self._fades.found if self._settled < found.time <= until],
        )
        last = self._opens[-1].time if self._opens else 0.0
        self._opens += [opened for opened in found if opened.time - last >= SHORTEST_SHOT]
        self._looks += [_Look() for _ in range(len(self._opens) + 1 - len(self._looks))]
        self._settled = until
        times = [opened.time for opened in self._opens]
        while self._waiting and self._waiting[0].time <= until:
            seen = self._waiting.popleft()
            self._place(seen, bisect_right(times, seen.time))

    def _place(self, seen: Seen, number: int) -> None:
        """Adds the picture to the look of its shot."""
        look = self._looks[number]
        around = self._opens[max(0, number - 1) : number + 1]
        mixed = any(opened.start < seen.time < opened.end for opened in around)
        opening = look.only_mixed and not mixed
        look.add(seen, mixed)
        if opening:
            look.returns_to = self._earlier(seen, number)
            if number > _RETURN_SHOTS:
                self._looks[number - _RETURN_SHOTS - 1].last = None

    def _earlier(self, seen: Seen, number: int) -> int | None:
        """The recent shot, other than the one just before, whose view the picture takes up again."""
        colours = palette(seen.picture)
        for other in range(number - 2, max(-1, number - 2 - _RETURN_SHOTS), -1):
            look = self._looks[other]
            if look.last is None or seen.time - look.end > _RETURN_TIME:
                continue
            kin = kinship(look.last, seen.picture)
            near = palette_difference(colours, look.colours) < _RETURN_DIFFERENCE
            if near and (kin.likeness >= _RETURN_LIKENESS or kin.kept >= _RETURN_KEPT):
                return other
        return None


def merged(cuts: Sequence[float], dissolves: Sequence[Transition], fades: Sequence[Transition]) -> list[Transition]:
    """All transitions in order: a fade swallows what is found inside it, and no two are nearer than a shot may be."""
    gradual = [
        *fades,
        *(found for found in dissolves if not any(_overlap(found, fade) for fade in fades)),
    ]
    hard = [
        Transition(time, "cut", time, time)
        for time in cuts
        if not any(found.start - 1e-3 < time < found.end + 1e-3 for found in gradual)
    ]
    kept: list[Transition] = []
    for found in sorted([*gradual, *hard], key=lambda found: found.time):
        if not kept or found.time - kept[-1].time >= SHORTEST_SHOT:
            kept.append(found)
    return kept


def _overlap(one: Transition, other: Transition) -> bool:
    return one.start < other.end + SHORTEST_SHOT and other.start - SHORTEST_SHOT < one.end


def _ended(span: Span, end: float) -> Span:
    return Span(span.start, end, span.opens_with, span.mixed_from, span.mixed_until, span.change, span.returns_to)
