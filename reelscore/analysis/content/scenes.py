"""The scenes of a film and the moments to look at in them: plain arithmetic over the shots and curves of an Analysis.

A scene is a run of shots. It begins where the picture really changes: not where a shot takes up again a view that was just
there, and not at a cut to the same place. Times are seconds from the first picture.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from reelscore.analysis.facts import Analysis, Curves, Shot

SHORTEST_SCENE = 4.0
MOST_SCENES = 24  # each costs one answer of the captioner
FEWEST_MOMENTS, MOST_MOMENTS = 3, 8  # pictures of one scene
_SECONDS_A_MOMENT = 2.5
_FIRST_SEAT = 0.25
_SAME_SCENE = 0.38  # change of picture below which a shot goes on with the scene
_GRADUAL = {"fade": 0.35, "dissolve": 0.2}  # such an opening says that time goes by
_RETURNS = 0.35

# How far from the opening of a shot its pictures are its own. A dissolve is found in windows of up to 3.2 s and counts from
# its middle; a cut lies within a picture of where it is said to be.
_CLEAR_OF = {"start": 0.1, "cut": 0.2, "dissolve": 1.7, "fade": 1.2}
_CLEAR_OF_END = 0.1
_MOST_CLEARING = 0.7  # share of a shot that may be given up for that
_AROUND = 0.8  # seconds around a moment in which a sharper picture is looked for
_HASTE = 0.15  # above the mean movement of its shot, a picture is likely to be blurred
_TRIED = 3  # pictures among which the sharpest is taken


@dataclass(frozen=True)
class Moment:
    """A picture to look at: the times of a few that would do, the best first; all lie in one shot and clear of its ends."""

    times: tuple[float, ...]


@dataclass(frozen=True)
class Scene:
    """A stretch of the film in one place or of one kind, and its moments in order of time."""

    start: float
    end: float
    moments: tuple[Moment, ...]


def scenes(analysis: Analysis) -> tuple[Scene, ...]:
    """The film in at most 24 scenes, each of at least 4 s where the film is that long, without gap or overlap."""
    shots = [shot for shot in analysis.shots if shot.start < min(shot.end, analysis.duration)]
    if not shots:
        return ()
    starts = _scene_starts(analysis.shots, analysis.duration)
    edges = [0.0, *starts, analysis.duration]
    made = []
    for start, end in pairwise(edges):
        held = [number for number, shot in enumerate(analysis.shots) if start <= 0.5 * (shot.start + shot.end) < end]
        count = min(max(ceil((end - start) / _SECONDS_A_MOMENT), FEWEST_MOMENTS), MOST_MOMENTS)
        made.append(Scene(start, end, _moments(analysis, held, count)))
    return tuple(made)


def _scene_starts(shots: Sequence[Shot], duration: float) -> list[float]:
    """Where scenes begin, 0 left out: of all ways to divide the film into scenes that are long enough, the one with most novelty."""
    shortest = max(SHORTEST_SCENE, duration / MOST_SCENES)
    beginnings = [
        (shot.start, novelty - _SAME_SCENE)
        for number, shot in enumerate(shots)
        if shortest <= shot.start <= duration - shortest and (novelty := _novelty(shots, number)) > _SAME_SCENE
    ]
    times = [time for time, _ in beginnings]
    # most[n] is the best that the first n beginnings allow, and its last beginning (dynamic programming).
    most: list[tuple[float, int | None]] = [(0.0, None)]
    earlier = [bisect_right(times, time - shortest) for time in times]
    for number, (_, gain) in enumerate(beginnings):
        with_this = most[earlier[number]][0] + gain
        most.append((with_this, number) if with_this > most[-1][0] else most[-1])
    starts, last = [], most[-1][1]
    while last is not None:
        starts.append(times[last])
        last = most[earlier[last]][1]
    return starts[::-1]


def _novelty(shots: Sequence[Shot], number: int) -> float:
    """How much a shot looks like the beginning of another scene; nothing where a later shot takes up what was before it."""
    shot = shots[number]
    for later in shots[number : number + 8]:
        if later.returns_to is not None and later.returns_to < number and later.start - shot.start < 30.0:
            return 0.0 if later is not shot else max(0.0, shot.change - _RETURNS)
    return min(1.0, shot.change + _GRADUAL.get(shot.opens_with, 0.0))


def _moments(analysis: Analysis, held: Sequence[int], count: int) -> tuple[Moment, ...]:
    """`count` moments over the shots of a scene: most to what is seen longest, but some to every view."""
    views: dict[int, list[int]] = {}
    for number in held:
        views.setdefault(_view(analysis.shots, number), []).append(number)
    lengths = [sum(_length(analysis.shots[number]) for number in members) for members in views.values()]
    seats: dict[int, int] = {}
    for members, share in zip(views.values(), _shared_out(lengths, count), strict=True):
        inside = _shared_out([_length(analysis.shots[number]) for number in members], share)
        seats |= dict(zip(members, inside, strict=True))
    return tuple(
        moment for number in held if seats[number] for moment in _moments_of_shot(analysis, number, seats[number])
    )


def _view(shots: Sequence[Shot], number: int) -> int:
    """The first shot that shows this view."""
    earlier = shots[number].returns_to
    while earlier is not None and earlier < number:
        number, earlier = earlier, shots[earlier].returns_to
    return number


def _length(shot: Shot) -> float:
    return shot.end - shot.start


def _shared_out(lengths: Sequence[float], count: int) -> list[int]:
    """`count` seats by length: each goes to the largest length / (2 · seats + 1), and what has none yet asks four times as loud.

    (Sainte-Laguë with a small first divisor, so that what is seen briefly is looked at too.)
    """
    seats = [0] * len(lengths)
    for _ in range(count if lengths else 0):
        asked = [
            length / (2 * held + 1) if held else length / _FIRST_SEAT
            for length, held in zip(lengths, seats, strict=True)
        ]
        seats[asked.index(max(asked))] += 1
    return seats


def _moments_of_shot(analysis: Analysis, number: int, count: int) -> list[Moment]:
    """Moments in the clear part of one shot, evenly; the times of each are the nearest that are not hasty."""
    shot = analysis.shots[number]
    following = analysis.shots[number + 1].opens_with if number + 1 < len(analysis.shots) else "start"
    start, end = _clear(shot, _CLEAR_OF[following] if following != "start" else _CLEAR_OF_END)
    start, end = _lit(analysis.curves, 0.5 * shot.brightness, start, end)
    part = (end - start) / count
    found = []
    for place in range(count):
        middle = start + (place + 0.5) * part
        reach = min(_AROUND, 0.5 * part)
        grid = [middle + reach * offset for offset in (0.0, -0.5, 0.5, -1.0, 1.0)]
        # A stable order: the middle comes first unless more moves there than is usual. The calmest of all would often be
        # the moment after the action, with nobody left in the picture.
        hasty = shot.motion + _HASTE
        tried = sorted(grid, key=lambda time: _motion(analysis.curves, time) > hasty)
        found.append(Moment(tuple(dict.fromkeys(round(time, 3) for time in tried[:_TRIED]))))
    return found


def _clear(shot: Shot, before_end: float) -> tuple[float, float]:
    """The part of a shot in which nothing of its neighbours is mixed; in a short shot as much of the margins as leaves 30 %."""
    after_start = _CLEAR_OF[shot.opens_with]
    length = min(shot.end - shot.start, 1e9)
    squeeze = min(1.0, _MOST_CLEARING * length / (after_start + before_end))
    return shot.start + squeeze * after_start, shot.end - squeeze * before_end


def _lit(curves: Curves, dark: float, start: float, end: float) -> tuple[float, float]:
    """The stretch without the dark at its two ends, where the film comes out of black or goes into it."""
    steps = range(ceil(start / curves.step), int(end / curves.step))
    lit = [step for step in steps if step < len(curves.brightness) and curves.brightness[step] >= dark]
    if not lit:
        return start, end
    return max(start, lit[0] * curves.step), min(end, (lit[-1] + 2) * curves.step)


def _motion(curves: Curves, time: float) -> float:
    if not curves.motion:
        return 0.0
    return curves.motion[min(max(int(time / curves.step), 0), len(curves.motion) - 1)]
