"""Which beats should meet which cues: the best of all tempo curves and bar lines, found by dynamic programming.

Time is cut into cells, 128 to a beat at the wished tempo (more where cues must be met more finely than that), so that the
period of every beat is a whole number of cells. A state is (cell of a beat, place in the bar, period that led there);
every path of states is a piece with lawful tempo changes and metres, and the one wins whose beats meet the most cues with
the calmest tempo. Long films go through a window that slides, so memory does not grow with the film.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

_CELLS = 128  # to a beat: 0.8 % of tempo is one cell
_WINDOW = 120.0
_SIGHT = 24.0  # seconds beyond a window that its decisions already look at
_RUN_ON = 0.3  # price per beat of running on after the end

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Target:
    """A time worth meeting: what a beat within `reach` seconds of it earns, and what a downbeat earns on top."""

    time: float
    reach: float
    beat: float
    downbeat: float


@dataclass(frozen=True)
class Freedom:
    """What the tempo and the metre may do, and what they pay for it, in the currency of `Target`.

    `span` is how far a period may leave the wish to each side, `step` how much it may change from one beat to the next
    (0.08 is 8 %). Prices: `off_wish` for a beat at the edge of the span, `change` for a change of 1 % (both quadratic),
    `other_metre` for a bar of `other_bars` beats.
    """

    span: float
    step: float
    off_wish: float
    change: float
    other_metre: float = 0.0
    other_bars: tuple[int, ...] = ()


@dataclass(frozen=True)
class Path:
    """Beat times in seconds, the first 0 and the last the end of the last bar, and the beats of each bar."""

    beats: npt.NDArray[np.float64]
    bars: tuple[int, ...]


@dataclass(frozen=True)
class _Bars:
    """The places in the bar as a chain of states, and the two states that may come before each (or twice the same).

    State n below `size` means n beats to the next downbeat, so 0 is a downbeat. The states from `size` on mean the same in
    a bar of another metre: its downbeat, state `size`, comes after such a bar, and only a usual bar may follow it.
    """

    size: int
    before: tuple[tuple[int, int], ...]

    @property
    def downbeats(self) -> list[int]:
        return [0, self.size] if len(self.before) > self.size else [0]


@dataclass(frozen=True)
class _Grid:
    """The cells, `cell` seconds long, and the periods in cells, rising; neighbours lie at most `step` periods apart.

    `pays` is the price of each period, `change` that of one step between neighbours.
    """

    cell: float
    periods: Integers
    step: int
    pays: Floats
    change: float


@dataclass(frozen=True)
class _Walk:
    """Beats as cells, places in the bar, and the numbers of the periods that led to them."""

    cells: list[int]
    places: list[int]
    levels: list[int]


@dataclass(frozen=True)
class _Table:
    """Arrays (places, cells, levels): the best earnings of a path that ends there; the level before a beat whose successor
    has that level; whether the second of the two places before was the better."""

    value: Floats
    from_level: npt.NDArray[np.int16]
    second: npt.NDArray[np.bool_]


def best_path(targets: list[Target], duration: float, period: float, beats_per_bar: int, freedom: Freedom) -> Path:
    """The path from a downbeat at 0 to a bar line after `duration` that earns most; `period` is the wished one.

    Time is linear in the duration, memory flat.
    """
    grid = _grid(period, min((target.reach for target in targets), default=period), freedom)
    bars = _places(beats_per_bar, freedom.other_bars)
    end = int(np.ceil(duration / grid.cell)) + 1
    shortest = 8 * int(grid.periods[-1])
    window, sight = max(int(_WINDOW / grid.cell), 2 * shortest), max(int(_SIGHT / grid.cell), shortest)
    walk = _Walk([0], [0], [-1])
    while True:
        start = walk.cells[-1]
        last = start + window + sight >= end
        reach = end - start if last else window + sight
        found = _search(_earnings(targets, start, reach, grid, bars, freedom), reach, last, walk, grid, bars)
        keep = len(found.cells)
        if not last:
            keep = 1 + max(
                n for n, cell in enumerate(found.cells) if found.places[n] in bars.downbeats and cell < window
            )
        walk.cells.extend(start + cell for cell in found.cells[1:keep])
        walk.places.extend(found.places[1:keep])
        walk.levels.extend(found.levels[1:keep])
        if last:
            break
    downbeats = [n for n, place in enumerate(walk.places) if place in bars.downbeats]
    return Path(np.array(walk.cells) * grid.cell, tuple(np.diff(downbeats).tolist()))


def _grid(period: float, reach: float, freedom: Freedom) -> _Grid:
    cells = _CELLS * int(np.ceil(period / _CELLS / reach))
    levels = int(freedom.span * cells)
    around = np.arange(-levels, levels + 1)
    # The largest relative step is up from the shortest period.
    step = int(freedom.step * (cells - levels))
    pays = freedom.off_wish * (around / max(levels, 1)) ** 2
    return _Grid(period / cells, cells + around, step, pays.astype(np.float32), freedom.change * (100 / cells) ** 2)


def _places(beats_per_bar: int, other_bars: tuple[int, ...]) -> _Bars:
    after_other = beats_per_bar if other_bars else 0
    before = [(left + 1, left + 1) for left in range(beats_per_bar - 1)] + [(0, after_other)]
    longest = max(other_bars, default=0)
    for left in range(longest):
        onward = beats_per_bar + left + 1 if left + 1 < longest else 0
        before.append((onward, 0 if left + 1 in other_bars else onward))
    return _Bars(beats_per_bar, tuple(before))


def _earnings(targets: list[Target], start: int, reach: int, grid: _Grid, bars: _Bars, freedom: Freedom) -> Floats:
    """What a beat earns: an array (places, cells), the cells counted from `start` to one long bar after `reach`."""
    total = reach + (len(bars.before) + 1) * int(grid.periods[-1])
    on_beat, on_downbeat = np.zeros(total, np.float32), np.zeros(total, np.float32)
    for target in targets:
        low = max(int(np.ceil((target.time - target.reach) / grid.cell)) - start, 0)
        high = min(int(np.floor((target.time + target.reach) / grid.cell)) - start + 1, total)
        if low < high:
            away = (np.arange(low, high) + start) * grid.cell - target.time
            share = 1.0 - 0.3 * (away / target.reach) ** 2
            on_beat[low:high] += target.beat * share
            on_downbeat[low:high] += target.downbeat * share
    earned = np.repeat(on_beat[None, :], len(bars.before), axis=0)
    earned[bars.downbeats] += on_downbeat
    if bars.size in bars.downbeats:
        # A bar of another metre is cheaper where it leads straight into something that deserves a downbeat.
        earned[bars.size] -= freedom.other_metre * np.where(on_downbeat > 0.5, 0.6, 1.0)
    return earned


def _search(earned: Floats, reach: int, last: bool, walk: _Walk, grid: _Grid, bars: _Bars) -> _Walk:
    """The best way on from the end of `walk`, its cells counted from there."""
    table = _sweep(earned, walk.places[-1], walk.levels[-1], grid, bars)
    middle = int(grid.periods[len(grid.periods) // 2])
    if last:
        late = np.arange(earned.shape[1] - reach) * (_RUN_ON / middle)
        ends = table.value[bars.downbeats, reach:] - late.astype(np.float32)[None, :, None]
        first = reach
    else:
        ends, first = table.value[:, reach - middle : reach], reach - middle
    place, cell, level = (int(n) for n in np.unravel_index(int(np.argmax(ends)), ends.shape))
    found = _Walk([first + cell], [bars.downbeats[place] if last else place], [level])
    while found.cells[-1] > 0:
        here = (found.places[-1], found.cells[-1], found.levels[-1])
        place = bars.before[here[0]][int(table.second[here])]
        cell = here[1] - int(grid.periods[here[2]])
        found.cells.append(cell)
        found.places.append(place)
        found.levels.append(int(table.from_level[place, cell, here[2]]))
    return _Walk(found.cells[::-1], found.places[::-1], found.levels[::-1])


def _sweep(earned: Floats, place: int, level: int, grid: _Grid, bars: _Bars) -> _Table:
    """Fills the table; a whole shortest period at once, since no beat can depend on one nearer than that.

    The path starts in cell 0 at `place` with the period number `level`, or any where that is −1.
    """
    places, total = earned.shape
    levels, shortest, longest = len(grid.periods), int(grid.periods[0]), int(grid.periods[-1])
    value = np.full((places, total, levels), -np.inf, np.float32)
    # Padded in front, so that looking back beyond the start finds nothing.
    onward = np.full((places, longest + total, levels), -np.inf, np.float32)
    from_level = np.zeros((places, total, levels), np.int16)
    second = np.zeros((places, total, levels), np.bool_)
    value[place, 0, level if level >= 0 else slice(None)] = 0.0
    _change_period(value[:, :1], onward[:, longest : longest + 1], from_level[:, :1], grid)
    one, two = np.array(bars.before).T
    either = np.flatnonzero(one != two)
    looking_back = longest + np.arange(shortest)[:, None] - grid.periods[None, :]
    edges = [*range(1, total, shortest), total]
    for low, high in pairwise(edges):
        came = onward[:, low + looking_back[: high - low], np.arange(levels)]
        best, other = came[one], came[two[either]]
        second[either, low:high] = other > best[either]
        best[either] = np.maximum(best[either], other)
        value[:, low:high] = best + earned[:, low:high, None] - grid.pays
        _change_period(value[:, low:high], onward[:, longest + low : longest + high], from_level[:, low:high], grid)
    return _Table(value, from_level, second)


def _change_period(value: Floats, onward: Floats, from_level: npt.NDArray[np.int16], grid: _Grid) -> None:
    """Fills `onward` with what each next period can have earned at best, and `from_level` with the period before it."""
    levels = np.arange(value.shape[2], dtype=np.int16)
    onward[...] = value
    from_level[...] = levels
    for move in range(-grid.step, grid.step + 1):
        if move and abs(move) < len(levels):
            now = slice(max(move, 0), len(levels) + min(move, 0))
            before = slice(max(-move, 0), len(levels) - max(move, 0))
            moved = value[:, :, before] - np.float32(grid.change * move * move)
            better = moved > onward[:, :, now]
            np.copyto(onward[:, :, now], moved, where=better)
            np.copyto(from_level[:, :, now], levels[before], where=better)
