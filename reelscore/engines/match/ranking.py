"""All tracks in the order in which they fit: by columns first, then, a block at a time, by their best windows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reelscore.brief import Brief
from reelscore.engines.match.scoring import Floats, Part, columns, lasting, scored, weights_for, with_window
from reelscore.engines.match.shelf import Shelf
from reelscore.engines.match.wanted import Window, wanted_by
from reelscore.engines.match.windows import best_window
from reelscore.engines.match.words import avoided_in
from reelscore.errors import InputError
from reelscore.library import Track

BLOCK = 24  # tracks whose windows are looked at together
_MOST_TOLD = 3


@dataclass(frozen=True, eq=False)
class Match:
    """A track and its best window for a film, with its score and the parts of it (see `scoring`)."""

    track: Track
    window: Window
    score: float
    parts: dict[Part, float]


class Ranking:
    """The tracks that may play, the best first. Windows are looked for only as far down as somebody asks.

    `out` says of tracks that would have come earlier why they cannot play.
    """

    def __init__(self, shelf: Shelf, brief: Brief, text: Floats, licences: frozenset[str]) -> None:
        self.brief, self.wanted = brief, wanted_by(brief)
        self.out: list[str] = []
        self._shelf = shelf
        self._weights = weights_for(brief, self.wanted)
        self._columns = columns(shelf.overview, text, brief, self.wanted, self._weights)
        passing = np.flatnonzero(_passing(shelf, licences))
        self._lasting = lasting(shelf.overview, self.wanted.duration)
        guessed = scored({part: self._columns[part] for part in self._weights}, self._weights) * self._lasting
        self._order = passing[np.argsort(-guessed[passing], kind="stable")]
        self._usable: list[tuple[int, Track]] = []
        self._coming = self._those_that_play()
        self._blocks: dict[int, list[Match]] = {}

    def __len__(self) -> int:
        """How many tracks may play by their licence."""
        return len(self._order)

    def at(self, rank: int) -> Match | None:
        """The match of that rank, from 0; None where there are not so many."""
        block = self._block(rank // BLOCK)
        return block[rank % BLOCK] if rank % BLOCK < len(block) else None

    def count(self) -> int:
        """How many tracks can play: all of them are looked at."""
        self._usable.extend(self._coming)
        return len(self._usable)

    def drop(self, match: Match, why: str) -> None:
        """Leaves out a track that turned out not to play."""
        self._usable = [(place, track) for place, track in self._usable if track.id != match.track.id]
        self._blocks.clear()
        self.out.append(why)

    def _block(self, number: int) -> list[Match]:
        while len(self._usable) < (number + 1) * BLOCK and (following := next(self._coming, None)):
            self._usable.append(following)
        if number not in self._blocks:
            tracks = self._usable[number * BLOCK : (number + 1) * BLOCK]
            found = [self._match(place, track) for place, track in tracks]
            self._blocks[number] = sorted(found, key=lambda match: -match.score)
        return self._blocks[number]

    def _match(self, place: int, track: Track) -> Match:
        window = best_window(track, self.wanted)
        parts = with_window({part: float(self._columns[part][place]) for part in self._weights}, window)
        return Match(track, window, scored(parts, self._weights) * float(self._lasting[place]), parts)

    def _those_that_play(self) -> Iterator[tuple[int, Track]]:
        """The tracks by rank of their columns, without those whose file is gone and those that have what is avoided."""
        ids = self._shelf.overview.ids
        for start in range(0, len(self._order), BLOCK):
            places = self._order[start : start + BLOCK]
            by_id = {track.id: track for track in self._shelf.library.tracks(ids[places])}
            for place in places.tolist():
                track = by_id.get(int(ids[place]))
                if track and (why := self._why_not(track)):
                    self.out.append(why)
                elif track:
                    yield place, track

    def _why_not(self, track: Track) -> str:
        if named := avoided_in(track, self.brief):
            return f"“{track.title}” has {named}, which is to be avoided"
        if not self._shelf.library.intact(track):
            return f"{track.path} is gone or has changed"
        return ""


def _passing(shelf: Shelf, licences: frozenset[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which tracks may play. Raises InputError where the filter leaves none, with the licences there are."""
    given = shelf.overview.licence
    if not licences:
        return np.ones(len(given), np.bool_)
    passing = np.isin(given, sorted(licences))
    if not passing.any():
        raise InputError(
            f"No track of the library {shelf.library.folder} is under {' or '.join(sorted(licences))};"
            f" it has {_counted(given)}."
        )
    return passing


def _counted(licences: Sequence[str] | np.ndarray[tuple[int], np.dtype[np.str_]]) -> str:
    names, counts = np.unique(np.asarray(licences, np.str_), return_counts=True)
    most_first = np.argsort(-counts, kind="stable")
    return ", ".join(f"{counts[place]} {names[place] or 'of unknown licence'}" for place in most_first.tolist())


def told_out(out: Sequence[str]) -> tuple[str, ...]:
    """A remark on tracks that were left out."""
    if not out:
        return ()
    more = f"; and {len(out) - _MOST_TOLD} more" if len(out) > _MOST_TOLD else ""
    return (f"Left out: {'; '.join(out[:_MOST_TOLD])}{more}.",)
