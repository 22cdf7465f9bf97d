"""Lays the beats of the music on the cues of the film: tempo and cues in, a tempo map out.

The music starts at 0 with a downbeat, and its last bar ends at or after the film. A beat meets a cue when it falls within
one frame of it, at least 10 and at most 40 ms. What is tried, from the calmest to the boldest, until enough cues are met:

    1  one tempo throughout, within 3 % of the wish
    2  a tempo that bends by 3 % at most
    3  one that bends further, with ramps and, outside grooves, now and then a bar of another metre before a scene
    4  the same with the widest limits

and whatever is still not met is left to play freely between the beats. No beat ever differs from the one before by more
than 3 % (grooves: 1 %); a stretch that drives one way by more than 3 % is written down as a ramp, in pieces of 6 % at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
class _Rung:
    """One try: what the search may do, and the limits that the finished curve must keep."""

    freedom: Freedom
    span: float
    change: float


_WORTH = {
    "person": _Worth(8.0, 2.0),
    "scene": _Worth(1.8, 1.2),
    "ending": _Worth(1.8, 1.2),
    "cut": _Worth(0.95, 0.05),
    "motion": _Worth(0.45, 0.05),
}
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
        raise ValueError(f"no tempo map for {duration} s at {tempo_bpm} BPM, {beats_per_bar} beats, frames of {frame} s")
    reach = min(max(frame, 0.01), 0.04)
    worthy = [cue for cue in cues if 0 < cue.time <= duration]
    tempo_map = _one_tempo(worthy, duration, tempo_bpm, beats_per_bar, reach)
    if tempo_map is None:
        for rung in _rungs(grooves, beats_per_bar):
            tempo_map = _bent(worthy, duration, tempo_bpm, beats_per_bar, reach, rung)
            if _enough(_placed(worthy, tempo_map, reach)):
                break
    assert tempo_map is not None
    return Plan(tempo_map, _placed(cues, tempo_map, reach))


def _rungs(grooves: bool, beats_per_bar: int) -> tuple[_Rung, ...]:
    if grooves:
        return (
            _Rung(Freedom(0.02, 0.0085, 0.05, 0.02), 0.025, 0.0098),
            _Rung(Freedom(0.035, 0.0085, 0.02, 0.005), 0.039, 0.0098),
        )
    other = tuple(size for size in (beats_per_bar - 2, beats_per_bar - 1, beats_per_bar + 1) if size > 1)
    return (
        _Rung(Freedom(0.03, 0.0085, 0.1, 0.03, 1.5, other), 0.035, 0.015),
        _Rung(Freedom(0.06, 0.02, 0.1, 0.02, 1.2, other), 0.065, 0.025),
        _Rung(Freedom(0.08, 0.026, 0.05, 0.006, 1.0, other), 0.082, 0.0295),
    )


def _one_tempo(cues: list[Cue], duration: float, tempo_bpm: float, beats_per_bar: int, reach: float) -> TempoMap | None:
    """A constant tempo within 3 % of the wish that meets every cue, the nearest to the wish, or None."""
    wish = 60.0 / tempo_bpm
    periods = wish * (1 + np.arange(-12, 13) * 0.0025)
    times = np.array([cue.time for cue in cues])
    if cues:
        counts = np.arange(np.ceil(times[-1] / wish / 1.03), np.floor(times[-1] / wish * 1.03) + 1)
        periods = np.concatenate([[wish], times[-1] / counts[counts > 0]])
    best: tuple[float, TempoMap] | None = None
    for period in sorted(periods.tolist(), key=lambda period: abs(np.log(period / wish))):
        fitted = _fitted(times, period, wish)
        if not np.all(np.abs(times - np.round(times / fitted) * fitted) <= 0.9 * reach):
            continue
        tempo_map = TempoMap.steady(60.0 / fitted, duration, beats_per_bar)
        if cues and not _enough(_placed(cues, tempo_map, reach)):
            continue
        distance = abs(float(np.log(fitted / wish))) + (0.0 if _rings(tempo_map, duration) else 1.0)
        if best is None or distance < best[0] - 1e-9:
            best = distance, tempo_map
    return best[1] if best else None


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


def _bent(
    cues: list[Cue], duration: float, tempo_bpm: float, beats_per_bar: int, reach: float, rung: _Rung
) -> TempoMap:
    """The map that the search finds with this freedom, its curve calmed."""
    targets = [_target(cue, 0.9 * reach) for cue in cues]
    if duration >= _LONG_ENOUGH:
        targets.append(Target(duration - _LAST_DOWNBEAT, 0.9, 0.0, 1.5))
    wish = 60.0 / tempo_bpm
    path = _with_few_other_metres(targets, duration, wish, beats_per_bar, rung.freedom)
    limits = Limits(wish * (1 - rung.span), wish * (1 + rung.span), rung.change)
    beats = np.round(calm_curve(path.beats, _boxes(cues, path, duration, reach), limits), 6)
    return TempoMap(beats=tuple(beats.tolist()), bars=path.bars, ramps=_ramps(beats))


def _target(cue: Cue, reach: float) -> Target:
    worth, weight = _WORTH[cue.kind], 0.5 + cue.strength
    return Target(cue.time, reach, weight * worth.beat, weight * worth.downbeat)


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


def _boxes(cues: list[Cue], path: Path, duration: float, reach: float) -> list[Box]:
    """Where the curve must keep the beats that the search laid on cues, on the final chord and on the end."""
    last = len(path.beats) - 1
    boxes = {last: Box(last, duration, float(path.beats[-1]) + reach + 1.0, None)}
    downbeats = np.cumsum(path.bars)[:-1]
    before_end = duration - path.beats[downbeats] - _LAST_DOWNBEAT
    if duration >= _LONG_ENOUGH and np.any(np.abs(before_end) < 0.95):
        chord = int(downbeats[np.argmin(np.abs(before_end))])
        boxes[chord] = Box(chord, duration - _LAST_DOWNBEAT - 1.0, duration - _LAST_DOWNBEAT + 1.0, None)
    for cue in sorted(cues, key=lambda cue: _target(cue, reach).beat):
        beat = int(np.argmin(np.abs(path.beats - cue.time)))
        if beat > 0 and abs(path.beats[beat] - cue.time) <= 0.9 * reach:
            low, high = cue.time - 0.95 * reach, cue.time + 0.95 * reach
            if beat in boxes:
                low, high = max(low, boxes[beat].low), min(high, boxes[beat].high)
            boxes[beat] = Box(beat, low, high, cue.time)
    return list(boxes.values())


def _ramps(beats: Floats) -> tuple[Ramp, ...]:
    """The stretches that change the tempo one way by more than 3 %, cut into pieces of at most 6 %."""
    tempo = -np.log(np.diff(beats))
    moves = np.diff(tempo)
    moves[np.abs(moves) < 5e-4] = 0.0
    turns = [0, *(np.flatnonzero(np.sign(moves[1:]) != np.sign(moves[:-1])) + 1).tolist(), len(moves)]
    ramps: list[Ramp] = []
    for start, stop in zip(turns, turns[1:], strict=False):
        if abs(tempo[stop] - tempo[start]) > np.log(1.03):
            first = start
            for beat in range(start + 1, stop + 1):
                if beat == stop or abs(tempo[beat + 1] - tempo[first]) > np.log(1.06):
                    ramps.append(Ramp(first=first, last=beat))
                    first = beat
    return tuple(ramps)


def _placed(cues: Sequence[Cue], tempo_map: TempoMap, reach: float) -> tuple[Cue, ...]:
    """The cues with `grid` set."""
    beats, downbeats = np.array(tempo_map.beats), np.array(tempo_map.downbeats)
    placed = []
    for cue in cues:
        on_beat = _nearest(beats, cue.time) <= reach
        on_downbeat = _nearest(downbeats, cue.time) <= reach
        grid = "downbeat" if on_downbeat else "beat" if on_beat else "free"
        placed.append(cue.model_copy(update={"grid": grid}))
    return tuple(placed)


def _nearest(times: Floats, time: float) -> float:
    """Seconds from `time` to the nearest of the sorted `times`."""
    after = int(np.searchsorted(times, time))
    return float(np.min(np.abs(times[max(after - 1, 0) : after + 1] - time)))


def _enough(placed: Sequence[Cue]) -> bool:
    """Whether a plan meets so many cues that a bolder one is not worth its restlessness."""
    scenes = [cue for cue in placed if cue.kind in ("scene", "ending")]
    others = [cue for cue in placed if cue.kind in ("cut", "motion")]
    persons = [cue for cue in placed if cue.kind == "person"]
    return (
        all(cue.grid != "free" for cue in persons)
        and sum(cue.grid != "free" for cue in scenes) >= 0.9 * len(scenes)
        and sum(cue.grid == "downbeat" for cue in scenes) >= 0.7 * len(scenes)
        and sum(cue.grid != "free" for cue in others) >= 0.8 * len(others)
    )
