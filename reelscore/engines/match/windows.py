"""The best window of a track for a film: which of its bars are heard when, so that energy, cues and ending fit.

The music runs on as it is as long as that fits, and goes over from one bar into another where a film is longer than the track, where
its ending would not be reached, or where another passage fits so much better that a seam is worth it. All of this is one search for
the cheapest path through the track's bars (dynamic programming, as in Wenner et al. 2013, "Scalable music"): a bar costs the difference
between its energy and the wanted one, a seam what `bars.costs_of_going_over` says.

First the grid of bars is laid over the film: with a phase that puts beats on the strong cues and lets the final chord come in time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor

import numpy as np

from reelscore.brief import Brief
from reelscore.engines.match.bars import Bars, bars_of, costs_of_going_over, means
from reelscore.library import Track
from reelscore.listening import ENERGY_STEP
from reelscore.tempo import Floats

STRONG = 0.6  # cues that the window is laid on
MET, MISSED = 0.03, 0.12  # seconds off a beat at which a cue is met, and at which it is missed
ON_A_BEAT = 0.6  # what a cue on a beat that is no downbeat counts
LEAST_RING, EARLY = 1.5, 0.4  # seconds that a final chord rings at least; silence that may be left after it
_MOST_CUES = 12  # that are tried as the one to lay the grid on
_OFF_BEAT = 0.04  # what a phase off the beat costs, against the cues that it meets
_OWN_START, _OFF_PHRASE, _SILENT_START = 0.3, 0.1, 2.0  # in seconds of an energy that is wholly wrong
_LEVEL = 0.5  # how much of the difference between the film's energy and the track's is forgiven
_WORST = 0.4  # mean difference of energy that counts as no fit at all
_TOLERANCE = 1e-6
_FORBIDDEN = 100.0


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a film wants of a window: its duration, energy each `ENERGY_STEP`, strong cues (times, strengths), and when its end is due."""

    duration: float
    energy: Floats
    cue_times: Floats
    cue_strengths: Floats
    ending: float


@dataclass(frozen=True)
class Piece:
    """A stretch of the track: what lies at `source` seconds of it is heard `at` seconds of the film, and so on until the next piece."""

    source: float
    at: float


@dataclass(frozen=True)
class Window:
    """The pieces in order, the first at 0, and how well they fit, each from 0 to 1; `cues` is None where there are no strong ones.

    `first` is the number of the bar with which it begins; `ends` says whether the track's own ending is heard.
    """

    pieces: tuple[Piece, ...]
    duration: float
    energy: float
    cues: float | None
    seams: float
    ends: bool
    first: int

    @property
    def stretches(self) -> tuple[tuple[float, float], ...]:
        """Which seconds of the track are heard, piece by piece."""
        edges = [*(piece.at for piece in self.pieces), self.duration]
        return tuple(
            (piece.source, piece.source + end - piece.at) for piece, end in zip(self.pieces, edges[1:], strict=True)
        )


def wanted_by(brief: Brief) -> Wanted:
    """What a brief wants: the energy of its sections, its strong cues, and its ending."""
    middles = np.minimum(_middles(max(1, ceil(brief.duration / ENERGY_STEP - _TOLERANCE))), brief.duration)
    ends = [section.end for section in brief.sections]
    energies = np.array([section.energy for section in brief.sections])
    strong = [cue for cue in brief.cues if cue.kind != "ending" and cue.strength >= STRONG and cue.time > 0]
    endings = [cue.time for cue in brief.cues if cue.kind == "ending"]
    return Wanted(
        brief.duration,
        np.asarray(energies[np.minimum(np.searchsorted(ends, middles), len(ends) - 1)], np.float64),
        np.array([cue.time for cue in strong]),
        np.array([cue.strength for cue in strong]),
        endings[-1] if endings else brief.duration,
    )


def best_window(track: Track, wanted: Wanted, unlike: Floats | None = None, besides: Sequence[int] = ()) -> Window:
    """The window of the track that fits best and begins with none of the bars `besides`, nor near them.

    `unlike` says how different the track's bars sound (see `costs_of_going_over`); without it their energy must do.
    """
    bars = bars_of(track, wanted.duration)
    laid = _laid(bars, wanted)
    path: list[int] = []
    for _ in range(3):
        path = _path(bars, wanted, laid, unlike, besides)
        played = float(bars.lengths[path].sum())
        if abs(played - laid.bar * len(path)) <= laid.bar / 2:
            break
        # Bars that differ in length: the grid is laid anew by those that were chosen.
        laid = _laid(bars, wanted, played / len(path))
    pieces = _pieces(bars, wanted, laid, path)
    return Window(
        pieces,
        wanted.duration,
        energy=energy_fit(track, wanted, pieces),
        cues=cue_fit(track, wanted, pieces),
        seams=1.0 / len(pieces),
        ends=laid.has_ending,
        first=path[0],
    )


# ── The grid of bars over the film ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Laid:
    """The film in bars: the first whole one begins at `phase`, `count` of them follow; then the ending, where `has_ending`."""

    phase: float
    bar: float
    count: int
    has_ending: bool

    @property
    def starts(self) -> Floats:
        return np.asarray(self.phase + np.arange(self.count) * self.bar)


def _laid(bars: Bars, wanted: Wanted, bar: float = 0.0) -> _Laid:
    """The grid whose bars meet the cues and the end best."""
    bar = bar or bars.length
    phases = _phases(bars, wanted, bar)
    worth = [_worth(bars, wanted, bar, phase) for phase in phases]
    phase = phases[int(np.argmax(worth))]
    count = _bars_before_ending(bars, wanted, bar, phase)
    if count is not None:
        return _Laid(phase, bar, count, True)
    return _Laid(phase, bar, max(1, ceil((wanted.duration - phase) / bar - _TOLERANCE)), False)


def _phases(bars: Bars, wanted: Wanted, bar: float) -> list[float]:
    """Where the first whole bar may begin: at once, after some beats, so that a cue meets a bar, or so that the ending comes in time."""
    phases = [0.0]
    if bars.beat:
        phases += [beat * bars.beat for beat in range(1, round(bar / bars.beat))]
        strongest = np.argsort(-wanted.cue_strengths, kind="stable")[:_MOST_CUES]
        phases += [time % bar for time in wanted.cue_times[strongest].tolist()]
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
        met = np.maximum(_met(off_bar), ON_A_BEAT * _met(off_beat))
        worth += float(np.average(met, weights=wanted.cue_strengths))
    if bars.ending and _bars_before_ending(bars, wanted, bar, phase) is None:
        worth -= 1.0
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


def _met(off: Floats) -> Floats:
    """How well cues are met that lie so many seconds off a beat."""
    return np.asarray(np.clip((MISSED - off) / (MISSED - MET), 0.0, 1.0))


# ── The cheapest path ─────────────────────────────────────────────────────────────────────────────────────────────────


def _path(bars: Bars, wanted: Wanted, laid: _Laid, unlike: Floats | None, besides: Sequence[int]) -> list[int]:
    """The numbers of the bars to play, one for each bar of the grid."""
    going_over, to_ending = costs_of_going_over(bars, unlike)
    due = means(wanted.energy, laid.starts, np.minimum(laid.starts + laid.bar, max(wanted.duration, laid.phase + 0.1)))
    lift = _LEVEL * (float(due.mean()) - float(bars.energy.mean()))
    # (bars of the film, bars of the track)
    apart = (laid.bar * np.abs(due[:, None] - (bars.energy + lift)[None, :])).astype(np.float32)
    cost = apart[0] + _costs_of_beginning(bars, laid, besides).astype(np.float32)
    came_from = np.zeros((laid.count, len(bars)), np.int64)
    columns = np.arange(len(bars))
    for step in range(1, laid.count):
        ways = going_over + cost
        came_from[step] = ways.argmin(axis=1)
        cost = ways[columns, came_from[step]] + apart[step]
    if laid.has_ending:
        cost = cost + to_ending
    path = [int(cost.argmin())]
    for step in range(laid.count - 1, 0, -1):
        path.append(int(came_from[step][path[-1]]))
    return path[::-1]


def _costs_of_beginning(bars: Bars, laid: _Laid, besides: Sequence[int]) -> Floats:
    """What it costs to begin with each bar: least with the track's first, less where a phrase begins than within one."""
    number = np.arange(len(bars))
    cost = np.where(number == 0, -_OWN_START, np.where(number % 4 == 0, 0.0, _OFF_PHRASE))
    cost = cost + _SILENT_START * np.maximum(0.0, laid.phase - (bars.starts - bars.begins))
    for other in besides:
        cost[np.abs(number - other) < min(4, max(1, len(bars) // 4))] += _FORBIDDEN
    return np.asarray(cost)


def _pieces(bars: Bars, wanted: Wanted, laid: _Laid, path: Sequence[int]) -> tuple[Piece, ...]:
    """The path as stretches of the track with their times in the film."""
    at = laid.phase
    pieces = [Piece(float(bars.starts[path[0]]) - laid.phase, 0.0)]
    for before, bar in pairwise(path):
        at += float(bars.lengths[before])
        if bar != before + 1:
            pieces.append(Piece(float(bars.starts[bar]), at))
    at += float(bars.lengths[path[-1]])
    if laid.has_ending and bars.ending:
        if path[-1] != len(bars) - 1:
            pieces.append(Piece(bars.ending.start, at))
        # Bars are never quite alike in length; the end must come when it was planned, so all of it moves by that little.
        late = at - (laid.phase + laid.count * laid.bar)
        moved = [Piece(pieces[0].source + late, 0.0), *(Piece(each.source, each.at - late) for each in pieces[1:])]
        return tuple(moved)
    return tuple(each for each in pieces if each.at < wanted.duration)


# ── How well it fits ──────────────────────────────────────────────────────────────────────────────────────────────────


def energy_fit(track: Track, wanted: Wanted, pieces: Sequence[Piece]) -> float:
    """How well the energy of what is heard follows that of the film, 0 to 1; a difference in level throughout counts half."""
    times = _middles(len(wanted.energy))
    heard = np.interp(_sources(pieces, times), _middles(len(track.energy)), track.energy)
    level = float(wanted.energy.mean() - heard.mean())
    apart = float(np.abs(wanted.energy - heard - _LEVEL * level).mean())
    return max(0.0, 1.0 - apart / _WORST)


def _middles(steps: int) -> Floats:
    """The seconds in the middle of each step of a curve of energy."""
    return np.asarray((np.arange(steps) + 0.5) * ENERGY_STEP, np.float64)


def cue_fit(track: Track, wanted: Wanted, pieces: Sequence[Piece]) -> float | None:
    """How many strong cues meet a downbeat, or for less a beat, weighed by their strength; None where there are none."""
    if not len(wanted.cue_times):
        return None
    sources = _sources(pieces, wanted.cue_times)
    downbeats, beats = (np.asarray(times, np.float64) for times in (track.downbeats, track.beats))
    met = np.maximum(_met(_off(sources, downbeats)), ON_A_BEAT * _met(_off(sources, beats)))
    return float(np.average(met, weights=wanted.cue_strengths))


def _sources(pieces: Sequence[Piece], times: Floats) -> Floats:
    """Which seconds of the track are heard at these times of the film."""
    at = np.array([piece.at for piece in pieces])
    source = np.array([piece.source for piece in pieces])
    piece = np.maximum(np.searchsorted(at, times + _TOLERANCE, side="right") - 1, 0)
    return np.asarray(source[piece] + times - at[piece])


def _off(times: Floats, beats: Floats) -> Floats:
    """How far each time is from the nearest of the rising beats."""
    if not len(beats):
        return np.full(len(times), np.inf)
    after = np.clip(np.searchsorted(beats, times), 1, len(beats) - 1) if len(beats) > 1 else np.zeros(len(times), int)
    return np.asarray(np.minimum(np.abs(beats[after] - times), np.abs(beats[np.maximum(after - 1, 0)] - times)))
