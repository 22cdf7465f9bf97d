"""Where the music turns: sections begin at the film's changes of scene.

A section lasts at least 4 s. It begins where the scene changes, not at each cut; in long static stretches it begins after
whole phrases of bars, and such a free beginning may be moved to a downbeat once the tempo map is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log2

import numpy as np

from reelscore.analysis.facts import Analysis, Shot
from reelscore.brief import Section
from reelscore.spotting.emotion import look_between
from reelscore.tempo import TempoMap

SHORTEST = 4.0
_LONGEST = 45.0
_ONE_SECTION = 8.0  # films shorter than this have a single section
_STATIC = 16.0  # stretches without any cut that are longer than this may be divided freely


@dataclass(frozen=True)
class Turn:
    """A place where a section may begin; `strength` says how much the film asks for it. A free turn follows no picture."""

    time: float
    strength: float
    free: bool = False


def turns(analysis: Analysis, bar: float, person: Sequence[float] = ()) -> list[Turn]:
    """Every place where a section may begin, in order: shots, a person's cues, and in long shots every second bar.

    `bar` is the length of a bar in seconds, `person` are the times that somebody wants hit.
    """
    usable = [shot for shot in analysis.shots if 0 < shot.start < analysis.duration]
    found = [Turn(shot.start, _scene_strength(shot)) for shot in usable]
    found += [Turn(time, 0.55) for time in person if time not in {turn.time for turn in found}]
    found = sorted(found, key=lambda turn: turn.time)
    edges = [0.0, *(turn.time for turn in found), analysis.duration]
    for start, end in pairwise(edges):
        if end - start > _STATIC:
            found += _free_turns(analysis, start, end, bar)
    return sorted(found, key=lambda turn: turn.time)


def _scene_strength(shot: Shot) -> float:
    """How much a shot looks like a new scene: by how different it is; a fade or dissolve says that time goes by, a view seen before that it does not."""
    gradual = {"fade": 0.35, "dissolve": 0.2}.get(shot.opens_with, 0.0)
    returning = 0.35 if shot.returns_to is not None else 0.0
    return min(1.0, max(0.0, shot.change + gradual - returning))


def _free_turns(analysis: Analysis, start: float, end: float, bar: float) -> list[Turn]:
    """Turns inside a stretch without cuts: on every second bar, better on every fourth, better still where movement changes."""
    found = []
    for number in range(2, int((end - start) / bar), 2):
        time = start + number * bar
        if end - time < SHORTEST:
            break
        novelty = abs(_motion(analysis, time, time + 4.0) - _motion(analysis, time - 4.0, time))
        found.append(Turn(time, 0.12 - 0.1 * (number % 4 > 0) + min(0.2, novelty), free=True))
    return found


def _motion(analysis: Analysis, start: float, end: float) -> float:
    return look_between(analysis, max(0.0, start), min(end, analysis.duration)).motion


def divide(duration: float, candidates: Sequence[Turn]) -> list[Turn]:
    """The turns at which sections begin, the first at 0: together they ask for most while sections keep a musical length.

    The best division is found over all of them (dynamic programming); no section is shorter than 4 s, and none longer than
    45 s where there is any turn to divide it at.
    """
    opening = Turn(0.0, 1.0)
    if duration < _ONE_SECTION:
        return [opening]
    inner = [turn for turn in candidates if SHORTEST <= turn.time <= duration - SHORTEST]
    places = [opening, *inner, Turn(duration, 0.0)]
    times = np.array([turn.time for turn in places])
    ideal = min(max(duration / 4.0, 6.0), 22.0)
    best, came_from = [0.0] + [-inf] * (len(places) - 1), [0] * len(places)
    for here in range(1, len(places)):
        asked = 1.6 * (places[here].strength - 0.38) if here < len(places) - 1 else 0.0
        first = int(np.searchsorted(times, times[here] - 1.5 * _LONGEST))
        for before in range(max(0, first - 1), here):
            value = best[before] + asked - _length_cost(times[here] - times[before], ideal)
            if value > best[here]:
                best[here], came_from[here] = value, before
    chosen, place = [], came_from[-1]
    while place:
        chosen.append(places[place])
        place = came_from[place]
    return [opening, *reversed(chosen)]


def _length_cost(length: float, ideal: float) -> float:
    if length < SHORTEST:
        return inf
    return 0.8 * log2(length / ideal) ** 2 + (3.0 + length / _LONGEST if length > _LONGEST else 0.0)


def on_downbeats(sections: Sequence[Section], division: Sequence[Turn], tempo_map: TempoMap) -> tuple[Section, ...]:
    """The same sections with every free beginning moved to the nearest downbeat; those that the film gave stay."""
    starts = [turn.time for turn in division]
    downbeats = np.asarray(tempo_map.downbeats)
    for number, turn in enumerate(division):
        if turn.free and number:
            after = starts[number + 1] if number + 1 < len(starts) else sections[-1].end
            nearest = float(downbeats[np.argmin(np.abs(downbeats - turn.time))])
            if starts[number - 1] + SHORTEST <= nearest <= after - SHORTEST:
                starts[number] = nearest
    ends = [*starts[1:], sections[-1].end]
    return tuple(
        section.model_copy(update={"start": start, "end": end})
        for section, start, end in zip(sections, starts, ends, strict=True)
    )
