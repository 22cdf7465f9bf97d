"""The pulse of the brief: beats laid on the cues, at the tempo that was asked for where one was, and the final chord."""

from collections.abc import Sequence
from dataclasses import dataclass

from reelscore.brief import Cue
from reelscore.spotting.cues import STRONG, with_ending
from reelscore.tempo import TempoMap
from reelscore.vocabulary import GENRES

_SAME_TEMPO = 0.03  # a listener does not tell tempi apart that differ by less


@dataclass(frozen=True)
class Pulse:
    """A tempo map, and the cues with the places that it gives them, the ending among them."""

    tempo_map: TempoMap
    cues: tuple[Cue, ...]


def lay_pulse(
    cues: Sequence[Cue],
    duration: float,
    tempo_bpm: float,
    genres: Sequence[str],
    *,
    beats_per_bar: int,
    frame: float,
    tempo_is_asked_for: bool,
) -> Pulse:
    """The pulse for these cues.

    A tempo that was asked for is kept within 3 %: rather than leave it, first the weak cues and then all are let fall
    between the beats. A tempo that was only inferred may be further off where the cues want it so.
    """
    # The planner brings a solver with it; whoever only reads briefs should not wait for that.
    from reelscore.spotting.tempo_plan import Plan, plan_tempo

    grooves = bool(genres) and GENRES[genres[0]].grooves

    def planned(for_cues: Sequence[Cue]) -> Plan:
        return plan_tempo(for_cues, duration, tempo_bpm, grooves=grooves, beats_per_bar=beats_per_bar, frame=frame)

    plan = planned(cues)
    if tempo_is_asked_for and not same_tempo(plan.tempo_map, tempo_bpm):
        plan = planned([cue for cue in cues if cue.strength >= STRONG])
        if not same_tempo(plan.tempo_map, tempo_bpm):
            plan = planned(())
        reach = min(max(frame, 0.01), 0.04)
        plan = Plan(plan.tempo_map, tuple(_placed(cue, plan.tempo_map, reach) for cue in cues))
    if any(cue.kind == "ending" for cue in plan.cues):
        return Pulse(plan.tempo_map, plan.cues)
    return Pulse(plan.tempo_map, with_ending(plan.cues, duration, plan.tempo_map))


def same_tempo(tempo_map: TempoMap, tempo_bpm: float) -> bool:
    """Whether a map keeps to a tempo within 3 %."""
    return abs(tempo_map.tempo_bpm / tempo_bpm - 1) <= _SAME_TEMPO


def _placed(cue: Cue, tempo_map: TempoMap, reach: float) -> Cue:
    """The cue with the place that the map gives it, where a beat within `reach` seconds counts as its own."""
    beat = round(tempo_map.beat_at(cue.time))
    if abs(tempo_map.time_at(beat) - cue.time) > reach:
        return cue.model_copy(update={"grid": "free"})
    return cue.model_copy(update={"grid": "downbeat" if beat in tempo_map.bar_starts else "beat"})
