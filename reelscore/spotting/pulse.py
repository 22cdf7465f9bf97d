"""The pulse of the brief: beats laid on the cues, at the tempo that was asked for where one was, and the final chord."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reelscore.brief import Cue
from reelscore.spotting.cues import STRONG, with_ending
from reelscore.tempo import TempoMap
from reelscore.vocabulary import GENRES

if TYPE_CHECKING:
    from reelscore.spotting.tempo_plan import Plan

_SAME_TEMPO = 0.03  # a listener does not tell tempi apart that differ by less


def lay_pulse(
    cues: Sequence[Cue],
    duration: float,
    tempo_bpm: float,
    genres: Sequence[str],
    *,
    beats_per_bar: int,
    frame: float,
    tempo_is_asked_for: bool,
) -> Plan:
    """The pulse for these cues.

    A tempo that was asked for is kept within 3 %: rather than leave it, first the weak cues and then all are let fall
    between the beats. A tempo that was only inferred may be further off where the cues want it so.
    """
    # The planner brings a solver with it; whoever only reads briefs should not wait for that.
    from reelscore.spotting.tempo_plan import Plan, placed, plan_tempo

    grooves = bool(genres) and GENRES[genres[0]].grooves

    def planned(for_cues: Sequence[Cue]) -> Plan:
        return plan_tempo(for_cues, duration, tempo_bpm, grooves=grooves, beats_per_bar=beats_per_bar, frame=frame)

    plan = planned(cues)
    if tempo_is_asked_for and not same_tempo(plan.tempo_map, tempo_bpm):
        plan = planned([cue for cue in cues if cue.strength >= STRONG])
        if not same_tempo(plan.tempo_map, tempo_bpm):
            plan = planned(())
        plan = Plan(plan.tempo_map, placed(cues, plan.tempo_map, frame))
    if any(cue.kind == "ending" for cue in plan.cues):
        return plan
    return Plan(plan.tempo_map, with_ending(plan.cues, duration, plan.tempo_map))


def same_tempo(tempo_map: TempoMap, tempo_bpm: float) -> bool:
    """Whether a map keeps to a tempo within 3 %."""
    return abs(tempo_map.tempo_bpm / tempo_bpm - 1) <= _SAME_TEMPO
