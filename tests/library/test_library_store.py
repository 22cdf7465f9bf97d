"""The database: shared by processes, whole after any interruption, and never mistaken for something else."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from adding_slowly import __file__ as adding_slowly
from made_library import heard, stocked, tone

from reelscore.errors import InputError, MissingError, OutputError
from reelscore.library import Library, Written, default_folder, open_library
from reelscore.library.database import FORM


def adding(library: Path, folder: Path, pause: float) -> subprocess.Popen[str]:
    command = [sys.executable, adding_slowly, str(library), str(folder), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def tones(folder: Path, count: int) -> Path:
    for number in range(count):
        tone(folder / f"{number:02}.wav", 200 + 10 * number, 0.1)
    return folder


def counted(folder: Path) -> int:
    """How many tracks there are; none where the library is not there yet."""
    try:
        with open_library(folder) as library:
            return len(library)
    except InputError:
        return 0


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_an_add_that_is_killed_leaves_whole_tracks_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    folder, where = tones(tmp_path / "in", 8), tmp_path / "library"
    run = adding(where, folder, 0.2)
    until(lambda: counted(where) >= 2)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    with open_library(where) as library:
        before = library.tracks()
        assert 2 <= len(before) < 8
        assert all(len(track.beats) and len(track.energy) for track in before)
        assert not library.check()[0].grave
        ids, _ = library.words_score("07", "title")
        assert len(ids) == len(before)
    said, _ = adding(where, folder, 0.0).communicate()
    assert said.split() == [str(8 - len(before)), str(len(before)), "0", "0"]
    assert counted(where) == 8


def test_two_adds_at_once_make_each_track_once(tmp_path: Path) -> None:
    folder, where = tones(tmp_path / "in", 12), tmp_path / "library"
    runs = [adding(where, folder, 0.02) for _ in range(2)]
    for run in runs:
        _, problems = run.communicate(timeout=120)
        assert run.returncode == 0, problems
    with open_library(where) as library:
        assert len(library) == 12
        assert len({track.sha256 for track in library.tracks()}) == 12
        assert not [each for each in library.check() if each.grave]


def test_the_library_is_read_while_another_adds(tmp_path: Path) -> None:
    where = stocked(tmp_path / "library", 3)
    writer = sqlite3.connect(where / "tracks.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM track")
    with open_library(where) as library:
        assert len(library) == len(library.tracks()) == len(library.overview()) == 3
    writer.execute("ROLLBACK")
    writer.close()


def test_nothing_of_a_track_is_there_before_all_of_it(library: Library, tmp_path: Path) -> None:
    bad = heard()
    object.__setattr__(bad, "loudness_lufs", float("nan"))  # NOT NULL in the table
    with pytest.raises(sqlite3.IntegrityError):
        library.put(tone(tmp_path / "a.wav"), bad, Written())
    assert len(library) == 0
    library.put(tmp_path / "a.wav", heard(), Written())
    assert len(library) == 1


def test_ids_are_never_given_twice(library: Library, tmp_path: Path) -> None:
    first = library.put(tone(tmp_path / "a.wav"), heard(), Written())
    library.remove([str(first.id)])
    assert library.put(tmp_path / "a.wav", heard(), Written()).id > first.id


def test_thousands_of_tracks_are_one_overview(tmp_path: Path) -> None:
    with open_library(stocked(tmp_path / "library", 2500)) as library:
        overview = library.overview()
        assert len(overview) == len(library) == 2500
        assert (np.diff(overview.ids) > 0).all()
        some = overview.ids[[7, 2400, 3]]
        tracks = library.tracks(some)
        assert [track.id for track in tracks] == some.tolist()
        for track in tracks:
            at = int(np.flatnonzero(overview.ids == track.id)[0])
            assert track.duration == pytest.approx(float(overview.duration[at]))
            assert track.tempo_bpm == pytest.approx(float(overview.tempo_bpm[at]))
            assert (track.key, track.licence) == (overview.key[at], overview.licence[at])
        assert len(library.tracks()) == 2500
        ids, texts = library.texts("description")
        assert (ids == overview.ids).all()
        assert all(texts)


def test_an_empty_library_has_empty_columns(library: Library) -> None:
    assert len(library) == len(library.overview()) == len(library.tracks()) == len(library.texts("both")[1]) == 0
    assert [scores.size for scores in library.words_score("anything", "both")] == [0, 0]


def broken(folder: Path, how: str) -> Path:
    """A folder in which something else lies, or a library that was harmed."""
    file = stocked(folder, 300) / "tracks.sqlite"
    if how == "none":
        file.unlink()
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "text":
        file.write_text("These are my tracks, one a line.\n" * 100)
    elif how == "folder":
        file.unlink()
        file.mkdir()
    elif how == "overwritten":
        content = bytearray(file.read_bytes())
        content[8192:] = os.urandom(len(content) - 8192)
        file.write_bytes(content)
    elif how == "cut":
        file.write_bytes(file.read_bytes()[:20_000])
    else:
        with sqlite3.connect(file) as connection:
            connection.execute(how)
        connection.close()
    return folder


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("none", "There is no library of tracks in .* library add"),
        ("folder", "There is no library of tracks"),
        ("text", "damaged or no library of tracks"),
        ("overwritten", "damaged"),
        ("cut", "damaged"),
        ("DROP TABLE curve", "damaged"),
        ("UPDATE track SET duration = 'long'", "damaged"),
        ("UPDATE curve SET beats = x'000102'", "damaged"),
        (f"PRAGMA user_version = {FORM + 1}", "newer Reelscore .* pip install --upgrade"),
        ("PRAGMA application_id = 7", "no library of tracks"),
    ],
)  # fmt: skip
def test_what_is_no_library_is_refused_in_a_sentence(tmp_path: Path, how: str, told: str) -> None:
    folder = broken(tmp_path / "library", how)
    with pytest.raises(InputError, match=told), open_library(folder) as library:
        library.tracks()
        library.overview()


def test_a_database_of_others_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "tracks.sqlite") as theirs:
        theirs.execute("CREATE TABLE tracks (name TEXT)")
    theirs.close()
    before = (tmp_path / "tracks.sqlite").read_bytes()
    with pytest.raises(InputError, match="a database, but no library"):
        open_library(tmp_path, create=True)
    assert (tmp_path / "tracks.sqlite").read_bytes() == before


def test_an_empty_file_becomes_a_library(tmp_path: Path) -> None:
    with open_library(broken(tmp_path / "library", "empty"), create=True) as library:
        assert len(library) == 0


def test_a_library_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "library", Path("/proc/library"), Path("/dev/null")):
        with pytest.raises(OutputError, match=r"cannot be (made|used)"):
            open_library(folder, create=True)


def test_without_full_text_search_it_is_told_what_to_install(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows(*_: object) -> None:
        raise sqlite3.OperationalError("no such module: fts5")

    class Without:
        execute = staticmethod(rows)

    monkeypatch.setattr(library._store, "_connection", Without())
    with pytest.raises(MissingError, match=r"FTS5.* install"):
        library.search("calm")
    monkeypatch.undo()


def test_the_default_folder_is_the_one_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REELSCORE_LIBRARY", str(tmp_path / "mine"))
    assert default_folder() == tmp_path / "mine"
    with open_library(create=True) as library:
        assert library.folder == tmp_path / "mine"
    monkeypatch.delenv("REELSCORE_LIBRARY")
    assert default_folder() == Path.home() / ".local" / "share" / "reelscore" / "library"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of this kind are those of POSIX")
def test_a_library_that_may_only_be_read_is_read() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = stocked(Path(made) / "library", 5)
        for path, mode in ((Path(made), 0o755), (folder / "tracks.sqlite", 0o444), (folder, 0o555)):
            path.chmod(mode)
        child = os.fork()
        if child == 0:
            try:
                os._exit(_read_only(folder))
            finally:
                os._exit(99)
        _, status = os.waitpid(child, 0)
        folder.chmod(0o755)
        assert os.waitstatus_to_exitcode(status) == 0


def _read_only(folder: Path) -> int:
    """In a process of its own, as somebody who owns nothing: 0 where reading works and writing is refused in a sentence."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    with open_library(folder) as library:
        if len(library.tracks()) != 5 or not library.search("harbour"):
            return 1
        try:
            library.remove(["1"])
        except OutputError as problem:
            return 0 if "cannot be written" in str(problem) else 2
    return 3
