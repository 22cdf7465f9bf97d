"""A track as an editor cuts it: bars that follow one another, and what it costs to go over from one into another that does not.

Where a track has no beats, stretches of `GRID` seconds stand for bars. What a track ends with, from its final chord on, is kept apart:
it is played at the end or not at all.
"""

from dataclasses import dataclass

import numpy as np

from reelscore.library import Track
from reelscore.listening import ENERGY_STEP
from reelscore.tempo import Floats

GRID = 2.0  # seconds of a "bar" where there are no beats
LEAST_BEATS = 8
MOST_WAYS = (
    1e7  # from bar to bar that are looked at in one search: beyond that phrases of four bars are moved, or of sixteen
)
# What it costs to go over, in seconds of an energy that is wholly wrong: a seam is worth a difference of 0.12 for ten seconds.
SEAM, _SEAM_WITHOUT_BEATS = 1.2, 2.5
_ENERGY_JUMP = 1.5  # for each of the two bars at a seam, by its difference from the one that would have been heard
_OFF_PHRASE = (0.0, 0.6, 0.3, 0.6)  # by how many bars are skipped or repeated, modulo 4
_SHORT_LOOP = 2.0  # for repeating one bar at once; less for more bars, nothing from `_PHRASE` on
_UNLIKE = 5.0  # for what sounds entirely different from what would have come
_PHRASE = 4
_SLACK = 0.02


@dataclass(frozen=True, eq=False)
class Ending:
    """A real ending: the bar (number `bar` of the track) in which it begins, how long after that bar's start, and how long it rings."""

    start: float
    lead: float
    ring: float


@dataclass(frozen=True, eq=False)
class Bars:
    """The bars of a track that may be played in any order: when each begins, how long it lasts, its energy; and the ending.

    `length` is a bar's usual length in seconds, `beat` that of a beat; 0 where there are none. Times are seconds of the track.
    """

    starts: Floats
    lengths: Floats
    energy: Floats
    length: float
    beat: float
    begins: float
    ending: Ending | None

    def __len__(self) -> int:
        return len(self.starts)


def bars_of(track: Track, duration: float) -> Bars:
    """The bars of a track for a film of this duration; at least one. Where there would be too many, a "bar" is a whole phrase."""
    stops = max(min(track.stops, track.duration), track.begins + 0.1)
    starts, beat = _starts(track, stops)
    while len(starts) > 2 * _PHRASE and _ways(starts, duration) > MOST_WAYS:
        starts = starts[::_PHRASE]
    usual = float(np.median(np.diff(starts))) if len(starts) > 1 else stops - float(starts[0])
    ending = _ending(track, starts, stops)
    edge = ending.start if ending else stops
    inside = starts[starts < edge - _SLACK]
    ends = np.append(inside[1:], edge)
    # What is left after the last whole bar is no bar to go on from.
    whole = ends - inside > 0.6 * usual
    if whole.any():
        inside, ends = inside[whole], ends[whole]
    lengths = np.minimum(ends - inside, 1.5 * usual)
    energy = means(np.asarray(track.energy, np.float64), inside, inside + lengths)
    return Bars(inside, lengths, energy, usual, beat, track.begins, ending)


def has_beats(track: Track) -> bool:
    """Whether it is cut on its beats: where there are a few at least."""
    return len(track.beats) >= LEAST_BEATS


def _starts(track: Track, stops: float) -> tuple[Floats, float]:
    """When bars begin, and how long a beat is."""
    beats = _within(np.asarray(track.beats, np.float64), track.begins, stops)
    if has_beats(track) and len(beats) > 1:
        beat = float(np.median(np.diff(beats)))
        downbeats = _within(np.asarray(track.downbeats, np.float64), track.begins, stops)
        return (downbeats if len(downbeats) >= 2 else beats[::4]), beat
    return np.arange(track.begins, max(stops - GRID / 2, track.begins + 0.01), GRID), 0.0


def _ways(starts: Floats, duration: float) -> float:
    return float(duration / np.median(np.diff(starts)) * len(starts) ** 2)


def _within(times: Floats, begins: float, stops: float) -> Floats:
    return times[(times >= begins - _SLACK) & (times < stops - _SLACK)]


def _ending(track: Track, starts: Floats, stops: float) -> Ending | None:
    """The real ending, where there is music before it."""
    if track.ending is None or not starts[0] + _SLACK < track.ending < stops:
        return None
    start = float(starts[starts <= track.ending + _SLACK][-1])
    if start <= starts[0]:
        return None
    return Ending(start, max(0.0, track.ending - start), stops - max(track.ending, start))


def means(curve: Floats, starts: Floats, ends: Floats) -> Floats:
    """The mean of a curve with a value each `ENERGY_STEP` between the given seconds; beyond its ends it stays as it is."""
    if not len(curve):
        return np.full(len(starts), 0.5)
    total = np.concatenate([[0.0], np.cumsum(curve)]) * ENERGY_STEP
    at = np.arange(len(total)) * ENERGY_STEP

    def until(times: Floats) -> Floats:
        beyond = np.minimum(times, 0.0) * curve[0] + np.maximum(times - at[-1], 0.0) * curve[-1]
        return np.asarray(np.interp(times, at, total) + beyond)

    return np.asarray((until(ends) - until(starts)) / np.maximum(ends - starts, 1e-9))


def costs_of_going_over(bars: Bars, unlike: Floats | None = None) -> tuple[Floats, Floats]:
    """What it costs to play bar j after bar i, (j, i), and the ending after bar i, (n,). The bar that follows by itself costs nothing.

    `unlike` (n + 1, n + 1) says from 0 to 1 how different two bars sound; the last is the ending.
    """
    count = len(bars)
    number = np.arange(count + 1)
    # What would be heard after i, what was heard before j; the ending, last of all, has the energy of what leads to it.
    energy = np.append(bars.energy, bars.energy[-1])
    due = energy[np.minimum(number + 1, count)]
    before = energy[np.maximum(number - 1, 0)]
    cost = np.abs(energy[None, :] - due[:, None])
    cost += np.abs(before[None, :] - energy[:, None])
    cost *= _ENERGY_JUMP
    skipped = number[None, :] - number[:, None] - 1
    cost += np.take(_OFF_PHRASE, skipped % _PHRASE)
    cost += _SHORT_LOOP * np.clip(1.0 + (skipped + 1) / _PHRASE, 0.0, 1.0) * (skipped < 0)
    cost += SEAM if bars.beat else _SEAM_WITHOUT_BEATS
    if unlike is not None:
        cost += _UNLIKE * unlike[np.minimum(number + 1, count)]
    cost[number[:-1], number[1:]] = 0.0
    return np.ascontiguousarray(cost[:count, :count].T, np.float32), cost[:count, count]
