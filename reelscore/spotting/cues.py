"""Which moments of the film are hits, and how strong. Times are the film's own, to the frame, and are never moved.

Strong cues (0.5 and more) ask for an accent and are at least 2 s apart, but for what the person asked for and the changes
of scene; weak ones (under 0.4) only ask for a beat to fall on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reelscore.analysis.facts import Analysis, Shot, Speech
from reelscore.brief import MOST_CUES_A_SECOND, Cue
from reelscore.errors import InputError
from reelscore.spotting.sections import Turn
from reelscore.tempo import TempoMap

Grid = Literal["downbeat", "beat", "free"]

STRONG = 0.5
_WEAK = 0.35
_STRONG_APART = 2.0
_APART = 0.25
_FAST_CUTTING = 1.2  # mean length of shots in seconds below which groups of cuts are hit, not each
_GROUP = 1.0
_EDGE = 0.3  # so near to its ends the film has no room for a hit


@dataclass(frozen=True)
class _Found:
    """A cue that might be, and how early it is chosen: person before scene before the rest by strength."""

    cue: Cue
    rank: float


def refuse_cues(person: Sequence[float], duration: float) -> None:
    """Raises InputError for a person's cue outside the film, and for more of them than any music can hit."""
    for time in person:
        if not 0 <= time <= duration:
            raise InputError(f"The cue at {time:g} s is outside the film; give times from 0 to {duration:.2f} s.")
    if len(person) > MOST_CUES_A_SECOND * max(duration, 1.0):
        raise InputError(
            f"{len(person)} cues are too many for {duration:.2f} s; give at most {MOST_CUES_A_SECOND} for each second."
        )


def cues_for(analysis: Analysis, division: Sequence[Turn], person: Sequence[float]) -> tuple[Cue, ...]:
    """The cues of the film, sorted, without the ending. Raises InputError as `refuse_cues` does."""
    refuse_cues(person, analysis.duration)
    kept: list[Cue] = []
    group = _GROUP if _mean_shot_length(analysis) < _FAST_CUTTING else _APART
    for found in sorted(_found(analysis, division, person), key=lambda found: (-found.rank, found.cue.time)):
        cue = _fitted_in(found.cue, kept, group)
        if cue is not None:
            kept.append(cue)
    return tuple(sorted(kept, key=lambda cue: cue.time))


def _mean_shot_length(analysis: Analysis) -> float:
    return analysis.duration / max(len(analysis.shots), 1)


def _found(analysis: Analysis, division: Sequence[Turn], person: Sequence[float]) -> list[_Found]:
    scenes = {turn.time for turn in division if not turn.free}
    found = [_Found(Cue(time=float(time), strength=1.0, kind="person"), 9.0) for time in person]
    inside = [shot for shot in analysis.shots if _EDGE <= shot.start <= analysis.duration - _EDGE]
    for shot in inside:
        if shot.start in scenes:
            strength = round(min(1.0, 0.7 + 0.3 * shot.change), 3)
            found.append(_Found(Cue(time=shot.start, strength=strength, kind="scene"), 5.0 + strength))
        else:
            strength = _cut_strength(shot, analysis.speech)
            found.append(_Found(Cue(time=shot.start, strength=strength, kind="cut"), strength))
    for peak in analysis.peaks:
        # The music has just begun: a movement in its first second needs no accent on top.
        if 1.0 <= peak.time <= analysis.duration - _EDGE:
            strength = round(0.2 + 0.4 * min(max(peak.strength, 0.0), 1.0), 3)
            found.append(_Found(Cue(time=peak.time, strength=strength, kind="motion"), strength - 0.1))
    return found


def _cut_strength(shot: Shot, speech: Sequence[Speech]) -> float:
    """A cut counts by how much changes; a dissolve has no moment to hit; cuts from face to face in a talk want none."""
    strength = 0.15 + 0.65 * min(max(shot.change, 0.0), 1.0)
    if shot.opens_with == "dissolve":
        strength *= 0.6
    if shot.returns_to is not None or any(spoken.start <= shot.start <= spoken.end for spoken in speech):
        strength *= 0.6
    return round(strength, 3)


def _fitted_in(cue: Cue, kept: Sequence[Cue], group: float) -> Cue | None:
    """The cue as it can stand beside those kept already: as it is, weaker where a strong one is near, or not at all."""
    if cue.kind == "person":
        return cue
    nearest = min((abs(cue.time - other.time) for other in kept), default=np.inf)
    room = {"scene": _APART, "cut": group, "motion": max(group, 0.6)}[cue.kind]
    if nearest < room:
        return None
    strong = min((abs(cue.time - other.time) for other in kept if other.strength >= STRONG), default=np.inf)
    if cue.strength >= 0.4 and cue.kind != "scene" and (cue.strength < STRONG or strong < _STRONG_APART):
        # Between weak and strong there is nothing that a listener could tell: it is an accent or it is not.
        return cue.model_copy(update={"strength": _WEAK})
    return cue


def with_ending(cues: Sequence[Cue], duration: float, tempo_map: TempoMap) -> tuple[Cue, ...]:
    """The cues with the time of the final chord: on a late cut, else on the downbeat or beat nearest to three seconds before the end.

    It leaves at least 2 s to ring, 35 % of a film shorter than 6 s. Weaker cues that would fall behind it are left out.
    """
    ring = min(2.0, 0.35 * duration)
    aim = duration - max(ring, min(3.0, 0.3 * duration))
    earliest, latest = aim - min(1.5, 0.15 * duration), duration - ring
    at_cut = [
        cue for cue in cues if cue.kind in ("cut", "person") and earliest <= cue.time <= latest and cue.grid != "free"
    ]
    after = max(
        (cue.time + 1.0 for cue in cues if cue.kind in ("scene", "person") and cue.time <= latest - 1.0), default=0.0
    )
    at_cut = [cue for cue in at_cut if cue.time >= after or cue.kind == "person"]
    if at_cut:
        time, grid = at_cut[-1].time, at_cut[-1].grid
    else:
        time, grid = _ending_on_grid(tempo_map, max(earliest, min(after, latest)), latest, aim)
    kept = [cue for cue in cues if cue.kind in ("person", "scene") or cue.time < time - _APART]
    ending = Cue(time=time, strength=1.0, kind="ending", grid=grid)
    return tuple(sorted([*kept, ending], key=lambda cue: cue.time))


def _ending_on_grid(tempo_map: TempoMap, earliest: float, latest: float, aim: float) -> tuple[float, Grid]:
    grids: tuple[tuple[tuple[float, ...], Grid], ...] = ((tempo_map.downbeats, "downbeat"), (tempo_map.beats, "beat"))
    for times, grid in grids:
        left = [time for time in times if earliest <= time <= latest]
        if left:
            return min(left, key=lambda time: abs(time - aim)), grid
    return min(max(aim, earliest), latest), "free"
