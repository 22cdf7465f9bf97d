"""The file that a library lies in: opened, made, refused where it is no library or a newer one, and its faults in words.

Readers see whole tracks while others write (write-ahead log where the file system allows it); writers wait for each other.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reelscore.errors import InputError, MissingError, OutputError

if TYPE_CHECKING:
    import sqlite3

APPLICATION = 0x5253_4C42  # "RSLB": marks the file as a library of Reelscore
FORM = 1
PATIENCE = 60.0  # seconds that a writer waits for another

_SCHEMA = """
CREATE TABLE track (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: what is kept beside the database goes by it
    sha256 TEXT NOT NULL UNIQUE,
    path BLOB NOT NULL,                    -- as the file system has it, which need not be Unicode
    title TEXT NOT NULL,
    artist TEXT NOT NULL,
    description TEXT NOT NULL,
    tags TEXT NOT NULL,                    -- parted by ", "
    tempo_bpm REAL,
    key TEXT,
    licence TEXT NOT NULL,
    licence_said TEXT NOT NULL,
    attribution TEXT NOT NULL,
    source TEXT NOT NULL,
    written TEXT NOT NULL,                 -- the columns that a person wrote, parted by spaces
    duration REAL NOT NULL,
    loudness_lufs REAL NOT NULL,
    begins REAL NOT NULL,
    stops REAL NOT NULL,
    ending REAL,
    energy REAL NOT NULL,                  -- mean and standard deviation of the curve
    energy_spread REAL NOT NULL
);
CREATE TABLE curve (                       -- apart, so that a scan of the tracks stays small; float32, little-endian
    track INTEGER PRIMARY KEY REFERENCES track (id) ON DELETE CASCADE,
    energy BLOB NOT NULL,
    beats BLOB NOT NULL,
    downbeats BLOB NOT NULL
);
CREATE TABLE place (                       -- every file that holds a track's sound, as it was when it was looked at
    path BLOB PRIMARY KEY,
    track INTEGER NOT NULL REFERENCES track (id) ON DELETE CASCADE,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX place_of_track ON place (track);
CREATE VIRTUAL TABLE words USING fts5 (
    title, description, tags, artist, content = 'track', content_rowid = 'id',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE TRIGGER track_added AFTER INSERT ON track BEGIN
    INSERT INTO words (rowid, title, description, tags, artist)
    VALUES (new.id, new.title, new.description, new.tags, new.artist);
END;
CREATE TRIGGER track_removed AFTER DELETE ON track BEGIN
    INSERT INTO words (words, rowid, title, description, tags, artist)
    VALUES ('delete', old.id, old.title, old.description, old.tags, old.artist);
END;
CREATE TRIGGER track_reworded AFTER UPDATE OF title, description, tags, artist ON track BEGIN
    INSERT INTO words (words, rowid, title, description, tags, artist)
    VALUES ('delete', old.id, old.title, old.description, old.tags, old.artist);
    INSERT INTO words (rowid, title, description, tags, artist)
    VALUES (new.id, new.title, new.description, new.tags, new.artist);
END;
"""


def open_database(path: Path, *, create: bool) -> sqlite3.Connection:
    """The library in `path`, ready for use; read-only where it cannot be written.

    Raises InputError where there is none (unless `create`), where it is none of ours, damaged, or newer; OutputError where it
    cannot be made.
    """
    if create:
        _make_folder(path.parent)
    elif not os.path.isfile(path):  # noqa: PTH113 - unlike Path.is_file, it does not raise for names that cannot be
        raise InputError(
            f"There is no library of tracks in {path.parent}; make one with: reelscore library add FOLDER, "
            "or say where it lies with --library or REELSCORE_LIBRARY."
        )
    with told(path):
        connection = _connected(path, create)
        try:
            if not _is_library(connection, path):
                _set_up(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside is written together, or nothing of it; begins once no other process writes."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Whatever SQLite complains of inside becomes one sentence for the user, where the user can mend it."""
    import sqlite3

    try:
        yield
    except sqlite3.Error as problem:
        code = getattr(problem, "sqlite_errorcode", 0) & 0xFF  # the low byte tells the kind
        if "no such module" in str(problem):
            raise MissingError(
                "This Python's SQLite has no full-text search (FTS5), which the library needs; install a Python from "
                "python.org or from your system's packages, or: conda install sqlite."
            ) from problem
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "no such" in str(problem):
            raise InputError(
                f"{path} is damaged or no library of tracks ({problem}); move it away and add your tracks anew, or put a copy back."
            ) from problem
        reasons = {
            sqlite3.SQLITE_BUSY: "another process has been writing to it for too long; try again when it is done",
            sqlite3.SQLITE_LOCKED: "another process has been writing to it for too long; try again when it is done",
            sqlite3.SQLITE_READONLY: "it cannot be written; give a folder of your own with --library",
            sqlite3.SQLITE_FULL: "the disk is full; make room and run it again, what was added stays",
            sqlite3.SQLITE_IOERR: "the disk does not answer as it should; look after it and run it again",
            sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its folder can be read and written",
        }
        if code in reasons:
            raise OutputError(f"The library {path} cannot be used: {reasons[code]}.") from problem
        raise


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as problem:
        reason = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
        raise OutputError(f"The library cannot be made in {folder} ({reason}); give another folder.") from problem


def _connected(path: Path, create: bool) -> sqlite3.Connection:
    import sqlite3

    address = path.absolute().as_uri()
    writable = os.access(path if path.exists() else path.parent, os.W_OK) and os.access(path.parent, os.W_OK)
    # A write-ahead log cannot even be read without a file beside it, unless nobody can be writing.
    modes = ["rwc" if create else "rw"] if writable else ["ro", "ro&immutable=1"]
    for mode in modes:
        connection = sqlite3.connect(f"{address}?mode={mode}", uri=True, timeout=PATIENCE, isolation_level=None)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            connection.execute("PRAGMA foreign_keys = ON")
            return connection
        except sqlite3.OperationalError:
            connection.close()
            if mode == modes[-1]:
                raise
    raise AssertionError("one of the modes connects or raises")


def _is_library(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the tables are there; False for an empty file. Raises InputError for what is not ours or newer."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (form,) = connection.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION and form > FORM:
        raise InputError(
            f"The library {path} was written by a newer Reelscore (form {form}; this one knows {FORM}); "
            "update with: pip install --upgrade reelscore."
        )
    if application == APPLICATION and form == FORM:
        return True
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application or form or tables:
        raise InputError(f"{path} is a database, but no library of tracks; give another folder with --library.")
    return False


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    """Makes the tables in an empty file; where two processes come at once, the second finds them made."""
    _prefer_log(connection)
    with transaction(connection):
        if _is_library(connection, path):
            return
        for statement in _statements():
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {FORM}")


def _statements() -> Iterator[str]:
    """The schema's statements one by one: `executescript` would end the transaction."""
    import sqlite3

    said = ""
    for line in _SCHEMA.splitlines():
        said += line + "\n"
        if sqlite3.complete_statement(said):
            yield said
            said = ""


def _prefer_log(connection: sqlite3.Connection) -> None:
    """A write-ahead log, so that reading goes on while others write; without, where the file system cannot share one."""
    import sqlite3

    for _ in range(50):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as problem:  # changing the mode does not wait by itself
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                return
            time.sleep(0.1)
