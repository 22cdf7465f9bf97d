"""The rows of a library: tracks, their curves, the files that hold them, and their words. Only SQL lives here, and all of it that writes.

Paths are kept as the bytes that the file system has; curves as float32.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reelscore.errors import InputError
from reelscore.library import licences
from reelscore.library.database import open_database, told, transaction
from reelscore.library.tracks import Field, Floats, Ids, Overview, Track, Written

if TYPE_CHECKING:
    from reelscore.listening import Heard

DATABASE = "tracks.sqlite"
_AT_ONCE = 500  # ids in one statement
_TRACK = (
    "id, path, sha256, title, description, tags, artist, duration, tempo_bpm, key, loudness_lufs, begins, stops, ending, "
    "licence, licence_said, attribution, source, curve.energy, curve.beats, curve.downbeats"
)
# The fields of Overview, in its order.
_NUMBERS = (
    "id, duration, tempo_bpm, loudness_lufs, begins, stops, ending, energy, energy_spread, ifnull(key, ''), licence"
)
_KINDS: tuple[Any, ...] = (np.int64, *[np.float32] * 8, np.str_, np.str_)
_TEXTS = {
    "title": "title",
    "description": "description || CASE WHEN description = '' OR tags = '' THEN '' ELSE '. ' END || tags",
    "both": "title || CASE WHEN description = '' THEN '' ELSE '. ' || description END || "
    "CASE WHEN tags = '' THEN '' ELSE '. ' || tags END",
}


@dataclass(frozen=True)
class Place:
    """A file as it was when it was looked at: by size and time of change it is known to be the same."""

    path: Path
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Place:
        """The file as it is now. Raises OSError."""
        seen = path.stat()
        return cls(path, seen.st_size, seen.st_mtime_ns)


class Store:
    """An open database. What it raises is for the user: damage, a full disk, a folder that cannot be written."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.folder = folder
        self._file = folder / DATABASE
        self._connection = open_database(self._file, create=create)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """What is written inside is there together afterwards, or nothing of it."""
        with told(self._file), transaction(self._connection):
            yield

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a statement gives, whole."""
        with told(self._file):
            return self._connection.execute(statement, values).fetchall()

    def refuse_damaged(self) -> None:
        """Raises InputError where the database itself is not in order; reads all of it."""
        if (answer := self.rows("PRAGMA quick_check(1)")[0][0]) != "ok":
            raise self._damaged(answer)

    def count(self) -> int:
        return int(self.rows("SELECT count(*) FROM track")[0][0])

    def ids(self) -> Ids:
        """All of them, rising."""
        return np.array(self.rows("SELECT id FROM track ORDER BY id"), np.int64).reshape(-1)

    def overview(self) -> Overview:
        rows = self.rows(f"SELECT {_NUMBERS} FROM track ORDER BY id")
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(fields(Overview))
        with self._sound_values():
            made = [np.array(column, kind) for column, kind in zip(columns, _KINDS, strict=True)]  # None becomes NaN
        return Overview(*made)

    def tracks(self, ids: Sequence[int] | Ids | None = None) -> list[Track]:
        chosen = (self.ids() if ids is None else np.asarray(ids, np.int64)).tolist()
        found: dict[int, Track] = {}
        for first in range(0, len(chosen), _AT_ONCE):
            some = chosen[first : first + _AT_ONCE]
            marks = ",".join("?" * len(some))
            rows = self.rows(f"SELECT {_TRACK} FROM track JOIN curve ON curve.track = id WHERE id IN ({marks})", some)
            with self._sound_values():
                found |= {row[0]: _track(row) for row in rows}
        return [found[each] for each in chosen if each in found]

    def texts(self, field: Field) -> tuple[Ids, list[str]]:
        rows = self.rows(f"SELECT id, {_TEXTS[field]} FROM track ORDER BY id")
        return np.array([row[0] for row in rows], np.int64), [str(row[1]) for row in rows]

    def places(self) -> dict[Path, tuple[Place, int]]:
        """Every known file, with the id of the track that it holds."""
        rows = self.rows("SELECT path, size, mtime_ns, track FROM place")
        placed = ((Place(_path(raw), size, mtime_ns), track) for raw, size, mtime_ns, track in rows)
        return {place.path: (place, track) for place, track in placed}

    def place_at(self, path: Path) -> tuple[Place | None, int | None]:
        """This file as it was when it was looked at, and the track that it holds; nothing where it is not known."""
        rows = self.rows("SELECT size, mtime_ns, track FROM place WHERE path = ?", (os.fsencode(path),))
        return (Place(path, *rows[0][:2]), int(rows[0][2])) if rows else (None, None)

    def places_of(self, track: int) -> list[Path]:
        """The files that hold this track's sound, as far as they were looked at."""
        return [_path(row[0]) for row in self.rows("SELECT path FROM place WHERE track = ? ORDER BY path", (track,))]

    def holder(self, sha256: str) -> int | None:
        """The id of the track with this sound."""
        rows = self.rows("SELECT id FROM track WHERE sha256 = ?", (sha256,))
        return int(rows[0][0]) if rows else None

    def path_of(self, track: int) -> Path:
        """Where the track lies; no path at all where it is gone."""
        rows = self.rows("SELECT path FROM track WHERE id = ?", (track,))
        return _path(rows[0][0]) if rows else Path()

    def tempo_of(self, track: int) -> float | None:
        """Its tempo, where one is known."""
        rows = self.rows("SELECT tempo_bpm FROM track WHERE id = ?", (track,))
        return rows[0][0] if rows else None

    def person_wrote(self, track: int) -> frozenset[str]:
        """The fields of this track that are a person's words."""
        rows = self.rows("SELECT written FROM track WHERE id = ?", (track,))
        return frozenset(str(rows[0][0]).split()) if rows else frozenset()

    # What follows changes the library and belongs inside `writing`.

    def insert(self, sha256: str, place: Place, heard: Heard, words: Written, by_person: frozenset[str]) -> int:
        """A new track; gives its id. `words` are all that is said of it, whoever said it."""
        columns = {
            "sha256": sha256,
            "path": os.fsencode(place.path),
            "written": " ".join(sorted(by_person)),
            **_numbers_of(heard),
            **_columns(words),
        }
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        made = self._connection.execute(f"INSERT INTO track ({names}) VALUES ({marks})", list(columns.values()))
        track = int(made.lastrowid or 0)
        self._connection.execute("INSERT INTO curve VALUES (?, ?, ?, ?)", (track, *_curves_of(heard)))
        self.lay(track, place)
        return track

    def hear(self, track: int, sha256: str, heard: Heard) -> None:
        """Other sound, or the same heard anew, for a track that keeps its words."""
        self._update(track, {"sha256": sha256, **_numbers_of(heard)})
        energy, beats, downbeats = _curves_of(heard)
        self._connection.execute(
            "UPDATE curve SET energy = ?, beats = ?, downbeats = ? WHERE track = ?", (energy, beats, downbeats, track)
        )

    def say(self, track: int, words: Written, by_person: bool) -> bool:
        """New words for a track, as far as they say something; what a person wrote gives way to a person only. Gives whether anything changed."""
        kept = self.person_wrote(track)
        fields_now = said_fields(words)
        if not by_person:
            fields_now -= kept
        columns = _columns(words, fields_now)
        if by_person:
            columns["written"] = " ".join(sorted(kept | fields_now))
        if not columns:
            return False
        names = list(columns)
        before = self._connection.execute(f"SELECT {', '.join(names)} FROM track WHERE id = ?", (track,)).fetchone()
        if before == tuple(columns.values()):
            return False
        self._update(track, columns)
        return True

    def lay(self, track: int, place: Place) -> None:
        """Notes that this file holds the track's sound."""
        self._connection.execute(
            "INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?)",
            (os.fsencode(place.path), track, place.size, place.mtime_ns),
        )

    def move(self, track: int, path: Path) -> None:
        """From now on the track is the one in this file."""
        self._update(track, {"path": os.fsencode(path)})

    def leave(self, path: Path) -> None:
        """This file holds no track any more."""
        self._connection.execute("DELETE FROM place WHERE path = ?", (os.fsencode(path),))

    def forget(self, tracks: Sequence[int]) -> None:
        """Removes these tracks with all that was noted of them."""
        self._connection.executemany("DELETE FROM track WHERE id = ?", [(each,) for each in tracks])

    def _update(self, track: int, columns: dict[str, Any]) -> None:
        assigned = ", ".join(f"{name} = ?" for name in columns)
        self._connection.execute(f"UPDATE track SET {assigned} WHERE id = ?", (*columns.values(), track))

    @contextmanager
    def _sound_values(self) -> Iterator[None]:
        """Values of the wrong kind are damage: SQLite keeps whatever is put into a column."""
        try:
            yield
        except (TypeError, ValueError) as problem:
            raise self._damaged(problem) from problem

    def _damaged(self, why: object) -> InputError:
        return InputError(
            f"{self._file} is damaged ({why}); move it away and add your tracks anew, or put a copy back."
        )


def said_fields(words: Written) -> frozenset[str]:
    """The fields in which something is said."""
    return frozenset(each.name for each in fields(words) if getattr(words, each.name) not in ("", (), None))


def _columns(words: Written, named: frozenset[str] | None = None) -> dict[str, Any]:
    """Words as columns; all fields, or those that are named."""
    columns: dict[str, Any] = {}
    for each in fields(words):
        if named is None or each.name in named:
            value = getattr(words, each.name)
            columns[each.name] = ", ".join(value) if each.name == "tags" else value
    if "licence" in columns:
        columns |= {"licence_said": words.licence, "licence": licences.normalised(words.licence)}
    return columns


def _numbers_of(heard: Heard) -> dict[str, Any]:
    return {
        "duration": float(heard.duration),
        "loudness_lufs": float(heard.loudness_lufs),
        "begins": float(heard.begins),
        "stops": float(heard.stops),
        "ending": None if heard.ending is None else float(heard.ending),
        "energy": float(np.mean(heard.energy)) if len(heard.energy) else 0.0,
        "energy_spread": float(np.std(heard.energy)) if len(heard.energy) else 0.0,
    }


def _curves_of(heard: Heard) -> tuple[bytes, bytes, bytes]:
    curves = (heard.energy, heard.pulse.beats, heard.pulse.downbeats)
    energy, beats, downbeats = (np.asarray(curve, "<f4").tobytes() for curve in curves)
    return energy, beats, downbeats


def _curve(raw: bytes) -> Floats:
    return np.frombuffer(raw, "<f4").astype(np.float32)


def _path(raw: bytes) -> Path:
    return Path(os.fsdecode(raw))


def _track(row: Sequence[Any]) -> Track:
    id_, path, sha256, title, description, tags, artist, duration, tempo_bpm, key, loudness_lufs = row[:11]
    begins, stops, ending, licence, licence_said, attribution, source, energy, beats, downbeats = row[11:]
    return Track(
        id=int(id_),
        path=_path(path),
        sha256=str(sha256),
        title=title,
        description=description,
        tags=tuple(filter(None, tags.split(", "))),
        artist=artist,
        duration=float(duration),
        tempo_bpm=None if tempo_bpm is None else float(tempo_bpm),
        key=key,
        loudness_lufs=float(loudness_lufs),
        energy=_curve(energy),
        beats=_curve(beats),
        downbeats=_curve(downbeats),
        begins=float(begins),
        stops=float(stops),
        ending=None if ending is None else float(ending),
        licence=licence,
        licence_said=licence_said,
        attribution=attribution or licences.attribution(licence, licence_said, title, artist, source),
        source=source,
    )
