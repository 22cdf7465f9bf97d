"""The library of tracks: music that is there already, measured, described, licensed, and found again by its sound.

One folder holds it: `tracks.sqlite`, and beside it what is derived from it. The tracks themselves stay where they are
and are never written to. Several processes may read and add at the same time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from reelscore.library.licences import parse_licences
from reelscore.library.tracks import (
    Added,
    Field,
    Floats,
    Found,
    Ids,
    Overview,
    Refused,
    Track,
    Trouble,
    Wanted,
    Written,
)
from reelscore.progress import Progress, unseen

if TYPE_CHECKING:
    from reelscore.library.store import Store
    from reelscore.listening import Heard

__all__ = [
    "Added",
    "Found",
    "Library",
    "Overview",
    "Refused",
    "Track",
    "Trouble",
    "Wanted",
    "Written",
    "default_folder",
    "open_library",
    "parse_licences",
]


def default_folder() -> Path:
    """Where the library lies when no folder is given: REELSCORE_LIBRARY, or ~/.local/share/reelscore/library."""
    folder = os.environ.get("REELSCORE_LIBRARY")
    return Path(folder) if folder else Path.home() / ".local" / "share" / "reelscore" / "library"


def open_library(folder: Path | None = None, *, create: bool = False) -> Library:
    """The library in `folder`, or in the default one; use it with `with`.

    Raises InputError where there is none (unless `create`), where it is damaged or of a newer kind, and OutputError where
    it cannot be made there.
    """
    from reelscore.library.store import Store

    return Library(Store(folder or default_folder(), create=create))


class Library:
    """An open library. Every method raises ReelscoreErrors only: damage, a disk that is full, a folder that cannot be written."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the files; what was added is there already."""
        self._store.close()

    @property
    def folder(self) -> Path:
        """Where it lies; what is derived from it is kept here too."""
        return self._store.folder

    def __len__(self) -> int:
        return self._store.count()

    def overview(self) -> Overview:
        """The numbers of every track as columns."""
        return self._store.overview()

    def tracks(self, ids: Sequence[int] | Ids | None = None) -> list[Track]:
        """These tracks whole, in this order, without those that are gone by now; all of them, by id, where none are named."""
        return self._store.tracks(ids)

    def texts(self, field: Field) -> tuple[Ids, list[str]]:
        """What is said of every track, rising by id; for "description" description and tags, empty where nothing is said."""
        return self._store.texts(field)

    def words_score(self, query: str, field: Field = "both") -> tuple[Ids, Floats]:
        """How well the words of each track fit those of a query, be it a paragraph: rising by id, 0 for no word in common, 1 for the best.

        SQLite's BM25 over the stems of the words, as a share of the best track's. Raises MissingError without FTS5.
        """
        from reelscore.library.searching import words_score

        return words_score(self._store, query, field)

    def search(self, words: str = "", wanted: Wanted = Wanted(), limit: int | None = None) -> list[Found]:
        """The tracks that have all these words and are as wanted, the best first; by title where there are no words."""
        from reelscore.library.searching import search

        return search(self._store, words, wanted, limit)

    def add(
        self,
        paths: Sequence[Path],
        written: Written = Written(),
        progress: Progress = unseen,
        *,
        sheet: Path | None = None,
        workers: int = 0,
    ) -> Added:
        """Adds files, and all sound in folders; what a person wrote wins over tags, and tags over what is measured.

        `sheet` says more of single files and wins over `written`; without `paths`, its files are added. As many processes as
        `workers` measure side by side, none but this one where it is 0. Each track is there as soon as it is measured, so
        that an interrupted run loses nothing. Raises InputError for a sheet or words
        that cannot be used, MissingError without librosa.
        """
        from reelscore.library.adding import add

        return add(self._store, paths, written, progress, sheet, workers)

    def put(self, path: Path, heard: Heard, written: Written) -> Track:
        """The track in `path`, added as it was heard (or, where its sound is known, with these words): for music made here."""
        from reelscore.library.adding import put

        return put(self._store, path, heard, written)

    def remove(self, names: Sequence[str]) -> list[Track]:
        """Forgets the tracks of these ids or paths (a folder: all in it); no sound file is touched. Raises InputError for what is none."""
        from reelscore.library.checking import remove

        return remove(self._store, names)

    def intact(self, track: Track) -> bool:
        """Whether the track's file is there and holds its sound; read anew only where size or time of change differ."""
        from reelscore.library.checking import intact

        return intact(self._store, track)

    def check(self, folders: Sequence[Path] = (), progress: Progress = unseen) -> list[Trouble]:
        """What is wrong with the tracks; those that moved into `folders` or lie in several places are mended."""
        from reelscore.library.checking import check

        return check(self._store, folders, progress)
