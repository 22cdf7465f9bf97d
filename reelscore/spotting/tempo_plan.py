"""Lays the beats of the music on the cues of the film: tempo and cues in, a tempo map out.

The music starts at 0 with a downbeat, and its last bar ends at or after the film. A beat meets a cue when it falls within
one frame of it, at least 10 and at most 40 ms. What is tried, from the calmest to the boldest, until enough cues are met:

    1  one tempo throughout, within 3 % of the wish
    2  a tempo that bends by 3 % at most (grooves: 2 %)
    3  one that bends by 6 %, also around a tempo a little slower or faster than the wish (grooves: 3 %)
    4  one that bends by 8 %, likewise
    5  where a cue of a person is still not met: by 9 % (grooves: 4 %)

From 2 on, and never in grooves, a bar of another metre may come now and then, best right before a scene;
whatever is still not met is left to play freely between the beats. No beat ever differs from the one before by more
than 3 % (grooves: 1 %); a stretch that drives one way by more than 3 % is written down as a ramp, in pieces of 6 % at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from reelscore.brief import Cue
from reelscore.spotting.tempo_curve import Box, Limits, calm_curve
from reelscore.spotting.tempo_search import Freedom, Path, Target, best_path
from reelscore.tempo import Ramp, TempoMap

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """A tempo map, and the same cues as were given with `grid` set to where the map puts them."""

    tempo_map: TempoMap
    cues: tuple[Cue, ...]


@dataclass(frozen=True)
class _Worth:
    """What meeting a cue of some kind is worth: with a beat, and on top with a downbeat."""

    beat: float
    downbeat: float


@dataclass(frozen=True)
class _Film:
    """The cues inside a film, its duration, and how far in seconds a beat may fall from a cue to meet it."""

    cues: tuple[Cue, ...]
    duration: float
    reach: float


@dataclass(frozen=True)
class _Rung:
    """One try: what the search may do, and the limits that the finished curve must keep.

    All is relative to the wished period times `around`.
    """

    freedom: Freedom
    span: float
    change: float
    around: float = 1.0


@dataclass(frozen=True)
class _Enough:
    """The shares of cues that must be met before a bolder plan is not worth its restlessness."""

    scene_on_downbeat: float
    scene_on_beat: float
    cut_on_beat: float

    def met(self, placed: Sequence[Cue]) -> bool:
        """Whether these cues are met so often, and each cue of a person.

        One in four or five may always be missed: no film of few cuts shall sway for the sake of one.
        """
        scenes = [cue.grid for cue in placed if cue.kind in ("scene", "ending")]
        cuts = [cue.grid for cue in placed if cue.kind == "cut"]
        return (
            _persons_met(placed)
            and scenes.count("downbeat") >= self.scene_on_downbeat * len(scenes)
            and scenes.count("free") <= max((1 - self.scene_on_beat) * len(scenes), len(scenes) >= 5)
            and cuts.count("free") <= max((1 - self.cut_on_beat) * len(cuts), len(cuts) >= 4)
        )


def _persons_met(placed: Sequence[Cue]) -> bool:
    return all(cue.grid != "free" for cue in placed if cue.kind == "person")


@dataclass(frozen=True)
class _Manner:
    """How free styles or grooves are planned: what cues are worth, the tries from calm to bold, and what is enough.

    The tries `for_persons` are made only while a cue of a person is still not met.
    """

    worth: dict[str, _Worth]
    rungs: tuple[_Rung, ...]
    for_persons: tuple[_Rung, ...]
    enough: _Enough


_WORTH = {
    "person": _Worth(8.0, 2.0),
    "scene": _Worth(1.6, 1.0),
    "ending": _Worth(1.6, 1.0),
    "cut": _Worth(0.95, 0.05),
    "motion": _Worth(0.25, 0.05),
}
# A groove moves so little that it cannot have all: it takes the scenes.
_WORTH_IN_GROOVES = _WORTH | {"scene": _Worth(1.2, 2.0), "ending": _Worth(1.2, 2.0), "cut": _Worth(0.65, 0.1)}
_AIMED, _KEPT = 0.96, 0.99  # of the reach: where the search may lay a beat, and where the curve must keep it
_OFF_WISH = 0.08  # that is how far the median tempo may lie from the wish
_TRIED_AROUND = 600.0  # films longer than this are planned around the wished tempo only, to be done in seconds
_OTHER_METRES = 0.15
_LAST_DOWNBEAT = 3.0  # seconds before the end, ± 1: the final chord falls there and rings
_LONG_ENOUGH = 8.0  # films shorter than this end as they can


def plan_tempo(
    cues: Sequence[Cue],
    duration: float,
    tempo_bpm: float,
    *,
    grooves: bool,
    beats_per_bar: int = 4,
    frame: float = 1 / 25,
) -> Plan:
    """The tempo map whose beats meet the cues best at about the wished tempo, and the cues with their places in it.

    With `grooves` the metre never changes and the pulse is all but steady. Cues outside the film are left free. The same
    arguments always give the same plan.
    """
    if not (0 < duration < np.inf and 30 <= tempo_bpm <= 240 and 1 <= beats_per_bar <= 11 and frame > 0):
        raise ValueError(
            f"no tempo map for {duration} s at {tempo_bpm} BPM, {beats_per_bar} beats, frames of {frame} s"
        )
    manner = _groove_manner() if grooves else _free_manner(beats_per_bar)
    film = _Film(tuple(cue for cue in cues if 0 < cue.time <= duration), duration, _reach(frame))
    wish = 60.0 / tempo_bpm
    tempo_map = _one_tempo(film, wish, beats_per_bar, manner.enough) or _best_bent(film, wish, beats_per_bar, manner)
    return Plan(tempo_map, placed(cues, tempo_map, frame))


def _best_bent(film: _Film, wish: float, beats_per_bar: int, manner: _Manner) -> TempoMap:
    """The first try that meets enough cues, else the one that meets the worthiest."""
    best, most = TempoMap.steady(60.0 / wish, film.duration, beats_per_bar), -1.0
    rungs = [rung for rung in manner.rungs if rung.around == 1.0 or film.duration <= _TRIED_AROUND]
    for number, rung in enumerate([*rungs, *manner.for_persons]):
        if number >= len(rungs) and _persons_met(_at(film.cues, best, film.reach)):
            break
        tried = _bent(film, wish * rung.around, beats_per_bar, rung, manner.worth)
        met = _at(film.cues, tried, film.reach)
        earned = _earned(met, manner.worth)
        if earned > most and abs(tried.tempo_bpm * wish / 60.0 - 1) <= _OFF_WISH:
            best, most = tried, earned
            if manner.enough.met(met):
                break
    return best


def _earned(placed: Sequence[Cue], worth: dict[str, _Worth]) -> float:
    """What the cues that are met are worth."""
    return sum(
        (0.5 + cue.strength)
        * (worth[cue.kind].beat * (cue.grid != "free") + worth[cue.kind].downbeat * (cue.grid == "downbeat"))
        for cue in placed
    )


def _groove_manner() -> _Manner:
    gentle, firm = Freedom(0.016, 0.0085, 0.05, 0.02), Freedom(0.024, 0.0085, 0.02, 0.005)
    rungs = (
        _Rung(gentle, 0.018, 0.0098),
        *(_Rung(firm, 0.027, 0.0098, around) for around in (1.0, 0.98, 1.02, 0.96, 1.04)),
    )
    widest = _Rung(replace(firm, span=0.036), 0.039, 0.0098)
    return _Manner(_WORTH_IN_GROOVES, rungs, (widest,), _Enough(0.6, 0.85, 0.5))


def _free_manner(beats_per_bar: int) -> _Manner:
    other = tuple(size for size in (beats_per_bar - 2, beats_per_bar - 1, beats_per_bar + 1) if size > 1)
    gentle = Freedom(0.03, 0.0085, 0.1, 0.03, 1.5, other)
    firm = Freedom(0.055, 0.018, 0.1, 0.02, 1.5, other)
    bold = Freedom(0.08, 0.0262, 0.05, 0.008, 1.5, other)
    boldest = replace(bold, off_wish=0.03, change=0.003)
    rungs = (
        _Rung(gentle, 0.033, 0.015),
        *(_Rung(firm, 0.06, 0.022, around) for around in (1.0, 0.97, 1.03)),
        _Rung(bold, 0.083, 0.0295),
        _Rung(boldest, 0.083, 0.0295, around=0.97),
        _Rung(boldest, 0.083, 0.0295, around=1.03),
    )
    widest = _Rung(replace(boldest, span=0.094), 0.097, 0.0295)
    return _Manner(_WORTH, rungs, (widest,), _Enough(0.7, 0.9, 0.8))


def _one_tempo(film: _Film, wish: float, beats_per_bar: int, enough: _Enough) -> TempoMap | None:
    """A constant tempo within 3 % of the wish that meets every cue, the nearest to the wish, or None."""
    times = np.array([cue.time for cue in film.cues])
    periods = wish * (1 + np.arange(-12, 13) * 0.0025)
    if len(times):
        counts = np.arange(np.ceil(times[-1] / wish / 1.03), np.floor(times[-1] / wish * 1.03) + 1)
        periods = np.concatenate([[wish], times[-1] / counts[counts > 0]])
    by_nearness = sorted(periods.tolist(), key=lambda period: abs(np.log(period / wish)))
    second_best = None
    for period in by_nearness:
        fitted = _fitted(times, period, wish)
        if np.all(np.abs(times - np.round(times / fitted) * fitted) <= _AIMED * film.reach):
            tempo_map = TempoMap.steady(60.0 / fitted, film.duration, beats_per_bar)
            if enough.met(_at(film.cues, tempo_map, film.reach)):
                if _rings(tempo_map, film.duration):
                    return tempo_map
                second_best = second_best or tempo_map
    return second_best


def _fitted(times: Floats, period: float, wish: float) -> float:
    """The period whose multiples lie nearest to all times, where they are those of `period`; the wish stays as it is."""
    counts = np.round(times / period)
    if period == wish or not counts.any():
        return period
    return float(np.clip(counts @ times / (counts @ counts), wish / 1.03, wish * 1.03))


def _rings(tempo_map: TempoMap, duration: float) -> bool:
    """Whether there is a downbeat from which a final chord can ring until the end."""
    if duration < _LONG_ENOUGH:
        return True
    before_end = duration - np.array(tempo_map.downbeats)
    return bool(np.any(np.abs(before_end - _LAST_DOWNBEAT) <= 1.0))


def _bent(film: _Film, wish: float, beats_per_bar: int, rung: _Rung, worth: dict[str, _Worth]) -> TempoMap:
    """The map that the search finds with this freedom, its curve calmed."""
    targets = [_target(cue, film.reach, worth) for cue in film.cues]
    if film.duration >= _LONG_ENOUGH:
        targets.append(Target(film.duration - _LAST_DOWNBEAT, 0.9, 0.0, 1.5))
    path = _with_few_other_metres(targets, film.duration, wish, beats_per_bar, rung.freedom)
    limits = Limits(wish * (1 - rung.span), wish * (1 + rung.span), rung.change)
    beats = np.round(calm_curve(path.beats, _boxes(film, path, worth), limits), 6)
    return TempoMap(beats=tuple(beats.tolist()), bars=path.bars, ramps=_ramps(beats))


def _target(cue: Cue, reach: float, worth: dict[str, _Worth]) -> Target:
    weight = 0.5 + cue.strength
    return Target(cue.time, _AIMED * reach, weight * worth[cue.kind].beat, weight * worth[cue.kind].downbeat)


def _with_few_other_metres(
    targets: list[Target], duration: float, period: float, beats_per_bar: int, freedom: Freedom
) -> Path:
    """The best path in which at most 15 % of the bars have another metre: they become dearer until it is so."""
    for dearer in (1.0, 2.0, 4.0):
        dear = replace(freedom, other_metre=freedom.other_metre * dearer)
        path = best_path(targets, duration, period, beats_per_bar, dear)
        if np.mean(np.array(path.bars) != beats_per_bar) <= _OTHER_METRES:
            return path
    return best_path(targets, duration, period, beats_per_bar, replace(freedom, other_bars=()))


def _boxes(film: _Film, path: Path, worth: dict[str, _Worth]) -> list[Box]:
    """Where the curve must keep the beats that the search laid on cues, on the final chord, before the end and on it."""
    last = len(path.beats) - 1
    boxes = {last: Box(last, film.duration, float(path.beats[-1]) + 1.0, None)}
    downbeats = np.cumsum(path.bars)[:-1]
    before_end = film.duration - path.beats[downbeats] - _LAST_DOWNBEAT
    if film.duration >= _LONG_ENOUGH and np.any(np.abs(before_end) < 0.95):
        chord = int(downbeats[np.argmin(np.abs(before_end))])
        latest = film.duration - _LAST_DOWNBEAT + 1.0
        boxes[chord] = Box(chord, latest - 2.0, latest, None)
    for cue in sorted(film.cues, key=lambda cue: _target(cue, film.reach, worth).beat):
        beat = int(np.argmin(np.abs(path.beats - cue.time)))
        if beat > 0 and abs(path.beats[beat] - cue.time) <= _AIMED * film.reach:
            low, high = cue.time - _KEPT * film.reach, cue.time + _KEPT * film.reach
            if beat in boxes:
                low, high = max(low, boxes[beat].low), min(high, boxes[beat].high)
            boxes[beat] = Box(beat, low, high, cue.time)
    if (
        len(downbeats) and path.beats[downbeats[-1]] < film.duration
    ):  # a last bar that began behind the end would be one too many
        begins = int(downbeats[-1])
        box = boxes.get(begins, Box(begins, 0.0, film.duration, None))
        boxes[begins] = replace(box, high=min(box.high, film.duration))
    return list(boxes.values())


def _ramps(beats: Floats) -> tuple[Ramp, ...]:
    """The stretches that change the tempo one way by more than 3 %, cut into pieces of at most 6 %."""
    tempo = -np.log(np.diff(beats))
    moves = np.diff(tempo)
    moves[np.abs(moves) < 5e-4] = 0.0
    turns = [0, *(np.flatnonzero(np.sign(moves[1:]) != np.sign(moves[:-1])) + 1).tolist(), len(moves)]
    ramps: list[Ramp] = []
    for start, stop in pairwise(turns):
        if abs(tempo[stop] - tempo[start]) > np.log(1.03):
            first = start
            for beat in range(start + 1, stop + 1):
                if beat == stop or abs(tempo[beat + 1] - tempo[first]) > np.log(1.06):
                    ramps.append(Ramp(first=first, last=beat))
                    first = beat
    return tuple(ramps)


def placed(cues: Sequence[Cue], tempo_map: TempoMap, frame: float) -> tuple[Cue, ...]:
    """The cues with `grid` set to where the map puts them, a beat within one frame (10 to 40 ms) being theirs."""
    return _at(cues, tempo_map, _reach(frame))


def _reach(frame: float) -> float:
    return min(max(frame, 0.01), 0.04)


def _at(cues: Sequence[Cue], tempo_map: TempoMap, reach: float) -> tuple[Cue, ...]:
    beats, downbeats = np.array(tempo_map.beats), np.array(tempo_map.downbeats)
    at = []
    for cue in cues:
        on_beat = _nearest(beats, cue.time) <= reach
        on_downbeat = _nearest(downbeats, cue.time) <= reach
        grid = "downbeat" if on_downbeat else "beat" if on_beat else "free"
        at.append(cue.model_copy(update={"grid": grid}))
    return tuple(at)


def _nearest(times: Floats, time: float) -> float:
    """Seconds from `time` to the nearest of the sorted `times`."""
    after = int(np.searchsorted(times, time))
    return float(np.min(np.abs(times[max(after - 1, 0) : after + 1] - time)))
