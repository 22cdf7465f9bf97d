"""The verbs of `reelscore library`, run as a person runs them."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from made_library import MadeLibrary, stocked, tone
from running import command, reelscore

from reelscore import engines
from reelscore.cli import app_for
from reelscore.errors import InputError, ReelscoreError
from reelscore.library import open_library

VERBS = ("list", "search", "remove", "check")
Verb = Callable[..., str]


@pytest.fixture
def verb(capsys: pytest.CaptureFixture[str]) -> Verb:
    """A verb of the library in this process: gives what it prints, raises what a person would be told."""
    app = app_for(engines.find("compose"))

    def run(*words: str | Path) -> str:
        capsys.readouterr()
        app(["library", *map(str, words)], exit_on_error=False, print_error=False, result_action="return_value")
        return capsys.readouterr().out

    return run


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of forty tracks without files."""
    return stocked(tmp_path_factory.mktemp("shelf") / "library", 40)


def test_a_folder_is_added_and_what_cannot_be_is_told(
    added_tracks: tuple[Path, subprocess.CompletedProcess[str]], made_tracks: MadeLibrary
) -> None:
    _, run = added_tracks
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert len(told["added"]) == told["tracks"] == made_tracks.new_tracks
    assert [Path(path).name for path in told["duplicates"]] in (
        [made_tracks.duplicate.name],
        [made_tracks.pieces[0].path.name],
    )
    assert {Path(each["path"]) for each in told["refused"]} == {made_tracks.damaged, made_tracks.empty}
    assert told["no_sound"] == len(made_tracks.no_sound) + 1  # the sheet lies there too
    lines = run.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("reelscore: ") and line.endswith(".") for line in lines)
    by_path = {Path(each["path"]): each for each in told["added"]}
    for piece in made_tracks.pieces[1:]:
        track = by_path[piece.path]
        assert (track["title"], track["key"], track["licence"]) == (piece.title, piece.key, piece.normalised)
        assert bool(track["attribution"]) == piece.normalised.startswith("cc-by")


def test_a_second_add_is_a_matter_of_moments(library_of_tracks: Path, made_tracks: MadeLibrary) -> None:
    run = reelscore("library", "add", made_tracks.folder, "--library", library_of_tracks)
    assert run.returncode == 0
    assert run.stdout.startswith(f"{made_tracks.new_tracks + 1} known, 2 refused, 3 no sound; the library holds")


def test_what_was_added_is_listed_and_found(verb: Verb, library_of_tracks: Path, made_tracks: MadeLibrary) -> None:
    here = ("--library", library_of_tracks)
    assert len(verb("list", *here).splitlines()) == made_tracks.new_tracks + 1
    found = json.loads(verb("search", "glowing", "city", "--licence", "cc0,public-domain", *here, "--json"))
    assert [each["title"] for each in found] == ["Neon Mile"]
    assert found[0]["score"] == 1.0
    assert "no licence is known" in verb("check", *here)


def test_nothing_to_add_is_a_failure(verb: Verb, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("no sound")
    here = ("--library", tmp_path / "library")
    run = reelscore("library", "add", tmp_path / "in" / "notes.txt", tmp_path / "none.wav", *here)
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 3
    for words, told in (
        ((tmp_path / "in",), "Nothing could be added"),
        ((), "Give sound files or folders"),
        ((tmp_path / "in", "--key", "H moll"), "is no key"),
        ((tmp_path / "in", "--tempo", "4000"), "is no tempo"),
        ((tmp_path / "in", "--workers", "0"), "give 1 to 256"),
        ((tmp_path / "in", "--sheet", tmp_path / "none.csv"), "cannot be read"),
    ):
        with pytest.raises(InputError, match=told):
            verb("add", *words, *here)


def test_the_list_is_aligned_and_says_what_a_person_asks_first(verb: Verb, shelf: Path) -> None:
    head, *rows = verb("list", "--library", shelf).splitlines()
    assert head.split() == ["id", "title", "artist", "length", "bpm", "key", "licence", "tags"]
    assert len(rows) == 40
    at = head.index("licence")
    assert {row[at:].split()[0] for row in rows} == {"cc0", "cc-by", "own", "cc-by-nc", "public-domain", "cc-by-sa"}
    tracks = json.loads(verb("list", "--library", shelf, "--json"))
    assert len(tracks) == 40
    assert {"id", "path", "title", "duration", "tempo_bpm", "licence", "attribution", "beats"} <= tracks[0].keys()


def test_searching_takes_words_and_filters(verb: Verb, shelf: Path) -> None:
    def found(*asked: str) -> list[dict[str, object]]:
        return json.loads(verb("search", *asked, "--library", shelf, "--json"))

    everything = found()
    assert len(everything) == 40
    slow = found("--tempo", "-100")
    assert {each["id"] for each in slow} == {each["id"] for each in everything if each["tempo_bpm"] <= 100}
    some = found("--length", "60-250", "--licence", "CC0,public domain", "--key", "Am")
    assert some
    assert {each["id"] for each in some} == {
        each["id"]
        for each in everything
        if 60 <= each["duration"] <= 250 and each["licence"] in ("cc0", "public-domain") and each["key"] == "A minor"
    }
    assert len(found("harbour", "--limit", "2")) == 2
    assert "No track is like that." in verb("search", "elephant", "--library", shelf)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--licence", "cc-by,free"), "'free' is no licence"),
        (("--licence", ""), "is no licence"),
        (("--tempo", "fast"), "is no range"),
        (("--tempo", "-"), "is no range"),
        (("--length", "90-30"), "begins above its end"),
        (("--key", "H"), "is not a key"),
        (("--limit", "0"), "ask for one track or more"),
    ],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_refused(verb: Verb, shelf: Path, flags: tuple[str, ...], told: str) -> None:
    with pytest.raises(InputError, match=told):
        verb("search", *flags, "--library", shelf)


def test_removing_leaves_the_files(verb: Verb, tmp_path: Path) -> None:
    shelf = stocked(tmp_path / "library", 3)
    path = shelf / "made up 1.wav"
    path.touch()
    assert "2 tracks removed" in verb("remove", "1", path, "--library", shelf)
    assert path.exists()
    assert len(json.loads(verb("list", "--library", shelf, "--json"))) == 1
    with pytest.raises(InputError, match="There is no track '1'"):
        verb("remove", "1", "--library", shelf)


def test_a_check_fails_where_tracks_are_missing(shelf: Path) -> None:
    run = reelscore("library", "check", "--library", shelf)
    assert run.returncode == 1
    assert not run.stderr
    assert run.stdout.count("missing ") == 40
    assert "40 tracks checked; 40 cannot be used as they stand." in run.stdout


def test_a_check_is_told_as_json(capsys: pytest.CaptureFixture[str], verb: Verb, shelf: Path) -> None:
    with pytest.raises(SystemExit, match="1"):
        verb("check", "--library", shelf, "--json")
    told = json.loads(capsys.readouterr().out)
    assert {each["kind"] for each in told} == {"missing"}
    assert all(each["grave"] for each in told)


def test_names_cannot_give_orders_to_the_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in (b"\x1b[2Jclear.wav", b"caf\xe9.wav"):
        (folder / os.fsdecode(name)).touch()
    run = reelscore("library", "add", folder, "--library", tmp_path / "library")
    assert run.returncode == 1
    assert "\x1b" not in run.stdout + run.stderr
    assert "?[2Jclear.wav is empty" in run.stderr
    assert "caf?.wav is empty" in run.stderr


@pytest.mark.parametrize("name", VERBS)
def test_without_a_library_it_is_said_how_to_make_one(verb: Verb, name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="reelscore library add"):
        verb(name, *(("1",) if name == "remove" else ()), "--library", tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name", VERBS)
def test_a_damaged_library_is_one_sentence(verb: Verb, name: str, tmp_path: Path) -> None:
    shelf = stocked(tmp_path / "library", 200)
    file = shelf / "tracks.sqlite"
    file.write_bytes(file.read_bytes()[:30_000])
    with pytest.raises(InputError, match="damaged"):
        verb(name, *{"remove": ("1",), "search": ("calm",)}.get(name, ()), "--library", shelf)


def test_ctrl_c_ends_at_once_and_keeps_what_is_done(tmp_path: Path) -> None:
    folder, shelf = tmp_path / "in", tmp_path / "library"
    for number in range(12):
        tone(folder / f"{number:02}.flac", 200 + 10 * number, 20.0)
    run = subprocess.Popen(
        command("library", "add", folder, "--library", shelf, "--workers", "1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 120
    while len(tracks := listed(shelf)) < 1 and time.monotonic() < end and run.poll() is None:
        time.sleep(0.1)
    os.killpg(run.pid, signal.SIGINT)  # as the terminal does: to everybody
    _, said = run.communicate(timeout=60)
    assert run.returncode == 128 + signal.SIGINT, said
    assert len(said.splitlines()) == 1
    assert "interrupted" in said
    assert 1 <= len(tracks) <= len(listed(shelf)) < 12
    end = time.monotonic() + 30
    while left := still_running(run.pid):
        assert time.monotonic() < end, left
        time.sleep(0.1)


def still_running(session: int) -> list[str]:
    """What still runs of a session, as far as the system tells; what has ended and only waits to be noticed is left out."""
    told = subprocess.run(["ps", "-A", "-o", "sess=,stat=,args="], capture_output=True, text=True, check=False).stdout
    processes = [line.split(None, 2) for line in told.splitlines()]
    return [each[2] for each in processes if each[0] == str(session) and not each[1].startswith("Z")]


def listed(shelf: Path) -> list[str]:
    try:
        with open_library(shelf) as library:
            return [track.title for track in library.tracks()]
    except ReelscoreError:
        return []
