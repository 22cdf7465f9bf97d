"""The grid of a track's bars over a film: with a phase that puts beats on the strong cues and lets the final chord come in time."""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from reelscore.engines.match.bars import Bars
from reelscore.engines.match.fits import MET, ON_A_BEAT, met
from reelscore.engines.match.wanted import Wanted
from reelscore.tempo import Floats

LEAST_RING, EARLY = 1.5, 0.4  # seconds that a final chord rings at least; silence that may be left after it
_MOST_CUES, _MOST_BEATS = (
    6,
    16,
)  # that are tried: cues to lay a beat on, and beats of the bar (or of four) to be that one
_OFF_BEAT = 0.04  # what a phase off the beat costs, against the cues that it meets
_SILENT_START = 1.0  # what a second costs in which no bar of the track could be led up to, in the same measure
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Laid:
    """The film in bars: the first whole one begins at `phase`, `count` of them follow; then the ending, where `has_ending`."""

    phase: float
    bar: float
    count: int
    has_ending: bool

    @property
    def starts(self) -> Floats:
        return np.asarray(self.phase + np.arange(self.count) * self.bar)


def laid_over(bars: Bars, wanted: Wanted, bar: float = 0.0) -> Laid:
    """The grid whose bars meet the cues and the end best."""
    bar = bar or bars.length
    phases = _phases(bars, wanted, bar)
    worth = [_worth(bars, wanted, bar, phase) for phase in phases]
    phase = phases[int(np.argmax(worth))]
    count = _bars_before_ending(bars, wanted, bar, phase)
    if count is not None:
        return Laid(phase, bar, count, True)
    return Laid(phase, bar, max(1, ceil((wanted.duration - phase) / bar - _TOLERANCE)), False)


def _phases(bars: Bars, wanted: Wanted, bar: float) -> list[float]:
    """Where the first whole bar may begin: at once, after some beats, so that a cue meets a bar, or a beat, or so that the ending comes in time."""
    phases = [0.0]
    if bars.beat:
        strongest = wanted.cue_times[np.argsort(-wanted.cue_strengths, kind="stable")[:_MOST_CUES]]
        beats = range(min(round(bar / bars.beat), _MOST_BEATS))
        phases += [time % bars.beat + beat * bars.beat for time in (0.0, *strongest.tolist()) for beat in beats]
    if bars.ending:
        last = wanted.duration - bars.ending.ring
        phases += [(time - bars.ending.lead) % bar for time in (last, min(wanted.ending, wanted.duration - LEAST_RING))]
    return [phase for phase in phases if phase <= wanted.duration / 3]


def _worth(bars: Bars, wanted: Wanted, bar: float, phase: float) -> float:
    """How well a grid of this phase fits: its cues by their strength, its ending, and whether it begins on a beat."""
    worth = 0.0
    if bars.beat and len(wanted.cue_times):
        from_bar = (wanted.cue_times - phase) % bar
        off_bar = np.minimum(from_bar, bar - from_bar)
        from_beat = from_bar % bars.beat
        off_beat = np.minimum(from_beat, bars.beat - from_beat)
        fit = np.maximum(met(off_bar), ON_A_BEAT * met(off_beat))
        worth += float(np.average(fit, weights=wanted.cue_strengths))
    if bars.ending and _bars_before_ending(bars, wanted, bar, phase) is None:
        worth -= 1.0
    worth -= _SILENT_START * max(0.0, phase - float(bars.starts[-1] - bars.begins))
    if phase and bars.beat:
        from_beat_at_start = phase % bars.beat
        on_a_beat = min(from_beat_at_start, bars.beat - from_beat_at_start) < MET
        worth -= _OFF_BEAT * (0.5 if on_a_beat else 1.0)
    return worth


def _bars_before_ending(bars: Bars, wanted: Wanted, bar: float, phase: float) -> int | None:
    """How many bars come before the one with the final chord, so that it sounds when it is due; None where that cannot be.

    The chord may come so early that `EARLY` seconds of silence are left, and so late that it rings `LEAST_RING`.
    """
    if bars.ending is None:
        return None
    earliest = wanted.duration - bars.ending.ring - EARLY
    latest = wanted.duration - min(bars.ending.ring, LEAST_RING)
    due = min(max(wanted.ending, earliest), latest)
    offset = phase + bars.ending.lead
    nearest = max(1, round((due - offset) / bar))
    counts = [nearest, nearest - 1, nearest + 1, floor((latest - offset) / bar + _TOLERANCE)]
    possible = [
        count for count in counts if count >= 1 and earliest - _TOLERANCE <= offset + count * bar <= latest + _TOLERANCE
    ]
    return possible[0] if possible else None
