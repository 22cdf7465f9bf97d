"""The best window of a track for a film: which of its bars are heard when, so that energy, cues and ending fit.

The music runs on as it is as long as that fits, and goes over from one bar into another where a film is longer than the track, where
its ending would not be reached, or where another passage fits so much better that a seam is worth it. All of this is one search for
the cheapest path through the track's bars (dynamic programming, as in Wenner et al. 2013, "Scalable music"): a bar costs the difference
between its energy and the wanted one, a seam what `bars.costs_of_going_over` says.

First the grid of bars is laid over the film: with a phase that puts beats on the strong cues and lets the final chord come in time.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from reelscore.engines.match.bars import Bars, bars_of, costs_of_going_over, means
from reelscore.engines.match.fits import MET, cue_fit, energy_fit, stretched
from reelscore.engines.match.grid import EARLY, Laid, laid_over
from reelscore.engines.match.wanted import Piece, Wanted, Window
from reelscore.library import Track
from reelscore.tempo import Floats

_OWN_START, _OFF_PHRASE, _SILENT_START = 0.3, 0.1, 6.0  # in seconds of an energy that is wholly wrong
_FORBIDDEN = 100.0
_SEAM_WORTH = 0.08  # of the energy's fit, that a seam must gain
_MOST_GRIDS = 3


def best_window(track: Track, wanted: Wanted, unlike: Floats | None = None, besides: Sequence[int] = ()) -> Window:
    """The window of the track that fits best and begins with none of the bars `besides`, nor near them.

    `unlike` says how different the track's bars sound (see `costs_of_going_over`); without it their energy must do.
    """
    search = _Search(bars_of(track, wanted.duration), wanted, unlike, besides)
    # The track's energy as it is may be met exactly; on the film's scale its ups and downs are found where they are small.
    paths = [search.laid_path(on_films_scale=each) for each in (False, True)]
    found = [_window(track, search.bars, wanted, *each) for each in paths]
    return max(found, key=lambda window: window.energy - _SEAM_WORTH * len(window.pieces))


def _window(track: Track, bars: Bars, wanted: Wanted, laid: Laid, path: Sequence[int]) -> Window:
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


def apart(bars: Bars) -> int:
    """By how many bars at least two windows of a track differ in their beginnings."""
    return min(4, max(1, len(bars) // 4))


class _Search:
    """The search for the cheapest path through a track's bars: its grid and what it costs to go over are found once."""

    def __init__(self, bars: Bars, wanted: Wanted, unlike: Floats | None, besides: Sequence[int]) -> None:
        self.bars = bars
        self._wanted, self._besides = wanted, besides
        self._laid = laid_over(bars, wanted)
        self._going_over, self._to_ending = costs_of_going_over(bars, unlike)

    def laid_path(self, *, on_films_scale: bool) -> tuple[Laid, list[int]]:
        """The numbers of the bars to play, one for each bar of the grid, and that grid."""
        laid = self._laid
        path = self._path(laid, on_films_scale)
        for _ in range(_MOST_GRIDS):
            played = float(self.bars.lengths[path].sum())
            if abs(played - laid.bar * len(path)) <= (MET if len(self._wanted.cue_times) else laid.bar / 2):
                break
            # Bars differ in length: the grid is laid anew by those that were chosen, or cues would be missed by what adds up.
            laid = laid_over(self.bars, self._wanted, played / len(path))
            path = self._path(laid, on_films_scale)
        return laid, path

    def _path(self, laid: Laid, on_films_scale: bool) -> list[int]:
        due = self._due(laid)
        heard = stretched(self.bars.energy, due) if on_films_scale else self.bars.energy
        # (bars of the film, bars of the track)
        apart = (laid.bar * np.abs(due[:, None] - heard[None, :])).astype(np.float32)
        cost = apart[0] + _costs_of_beginning(self.bars, laid, self._besides).astype(np.float32)
        came_from = np.zeros(apart.shape, np.int64)
        columns = np.arange(len(self.bars))
        for step in range(1, laid.count):
            ways = self._going_over + cost
            came_from[step] = ways.argmin(axis=1)
            cost = ways[columns, came_from[step]] + apart[step]
        path = [int((cost + self._to_ending if laid.has_ending else cost).argmin())]
        for step in range(laid.count - 1, 0, -1):
            path.append(int(came_from[step][path[-1]]))
        return path[::-1]

    def _due(self, laid: Laid) -> Floats:
        """The energy that is wanted of each bar of the grid."""
        ends = np.minimum(laid.starts + laid.bar, max(self._wanted.duration, laid.phase + 0.1))
        return means(self._wanted.energy, laid.starts, ends)


def _costs_of_beginning(bars: Bars, laid: Laid, besides: Sequence[int]) -> Floats:
    """What it costs to begin with each bar: least with the track's first, less where a phrase begins than within one."""
    number = np.arange(len(bars))
    cost = np.where(number == 0, -_OWN_START, np.where(number % 4 == 0, 0.0, _OFF_PHRASE))
    cost = cost + _SILENT_START * np.maximum(0.0, laid.phase - (bars.starts - bars.begins))
    for other in besides:
        cost[np.abs(number - other) < apart(bars)] += _FORBIDDEN
    return np.asarray(cost)


def _pieces(bars: Bars, wanted: Wanted, laid: Laid, path: Sequence[int]) -> tuple[Piece, ...]:
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
    return _lasting([each for each in pieces if each.at < wanted.duration], bars, wanted)


def _lasting(pieces: list[Piece], bars: Bars, wanted: Wanted) -> tuple[Piece, ...]:
    """The pieces, and more of them where the last would run beyond the end of the track: bars are never quite alike in length."""
    stops = float(bars.starts[-1] + bars.lengths[-1])
    last = len(bars) - 1
    again = float(bars.starts[int(costs_of_going_over(bars)[0][: max(1, last), last].argmin())])
    while (over := pieces[-1].at + stops - pieces[-1].source) < wanted.duration - EARLY:
        pieces.append(Piece(again, over))
    return tuple(pieces)
