"""The verbs of `library`: tracks that are there already, added, listed, found, forgotten and checked."""

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from reelscore.checkpoints.naming import printable
from reelscore.cli.flags import FLAT, AsJson, Quiet, split
from reelscore.cli.showing import shown_progress
from reelscore.errors import InputError
from reelscore.library import Added, Track, Wanted, Written, open_library, parse_licences

library = App(name="library", help="Tracks that are there already: add them, find them, see whether they are in order.")

Folder = Annotated[
    Path | None,
    Parameter(
        name="--library", help="The library's folder; left out, REELSCORE_LIBRARY or ~/.local/share/reelscore/library."
    ),
]
Words = Annotated[tuple[str, ...], Parameter(consume_multiple=False)]  # what follows is files or words to look for
Range = Annotated[str | None, Parameter(allow_leading_hyphen=True)]


@dataclass(frozen=True)
class Said:
    """What you know of the tracks; it wins over their tags and over what is measured."""

    title: str = ""
    """The title, where one file is given; left out, that of its tags or its name."""
    artist: str = ""
    """Who made it."""
    description: str = ""
    """What it is like, in your own words; `match` and `search` look for films' words in it."""
    tags: Words = ()
    """Words for genre, mood and instruments, parted by commas."""
    tempo: float | None = None
    """Beats per minute."""
    key: str | None = None
    """A tonic and a mode, as in "A minor"."""
    licence: str = ""
    """own, public-domain, cc0, cc-by, cc-by-sa, cc-by-nc …, pixabay, an address of Creative Commons, or any wording, which is kept."""
    attribution: str = ""
    """The text that must go with the film; left out, it is put together where the licence asks for one."""
    source: str = ""
    """Where it comes from, best as an address."""

    def written(self) -> Written:
        """The same as the library takes it."""
        return Written(
            title=self.title,
            artist=self.artist,
            description=self.description,
            tags=split(self.tags),
            tempo_bpm=self.tempo,
            key=self.key,
            licence=self.licence,
            attribution=self.attribution,
            source=self.source,
        )


@library.command
def add(
    *files: Annotated[Path, Parameter(help="Sound files, and folders with all the sound in them.")],
    said: Annotated[Said, FLAT] = Said(),
    sheet: Path | None = None,
    workers: int | None = None,
    folder: Folder = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Add tracks to the library: measured, with the words of their tags; the files stay where they are.

    Parameters
    ----------
    sheet
        A table (CSV or TSV) with columns file, title, description, tags, tempo, key, licence, attribution, source, artist.
    workers
        How many files are measured at the same time; left out, one for each core.
    """
    if not files and sheet is None:
        raise InputError("Give sound files or folders to add, or a sheet that names them (--sheet).")
    if workers is not None and not 1 <= workers <= 256:
        raise InputError(f"--workers {workers}: give 1 to 256.")
    with open_library(folder, create=True) as shelf:
        with shown_progress(quiet) as progress:
            done = shelf.add(files, said.written(), progress, sheet=sheet, workers=workers or os.cpu_count() or 1)
        new = shelf.tracks(done.added)
        if as_json:
            print(json.dumps({**_plain(done), "added": [_row(track) for track in new], "tracks": len(shelf)}, indent=2))
        else:
            _show(new)
            print(_told(done, len(shelf)))
    for sentence in (*(each.why for each in done.refused), *done.remarks):
        print(f"reelscore: {printable(sentence)}", file=sys.stderr)
    if done.nothing:
        films = "; films in folders are passed over, so name those whose sound you want" if done.no_sound else ""
        raise InputError(
            f"Nothing could be added: there is no file of sound that can be used among what was given{films}."
        )


@library.command(name="list")
def list_tracks(*, folder: Folder = None, as_json: AsJson = False) -> None:
    """List the tracks by their ids."""
    with open_library(folder) as shelf:
        tracks = shelf.tracks()
    _print(tracks, as_json, "The library is empty; add tracks with: reelscore library add FOLDER.")


@library.command
def search(
    *words: str,
    licence: str | None = None,
    tempo: Range = None,
    length: Range = None,
    key: str | None = None,
    tags: Words = (),
    limit: int | None = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Find tracks that have all these words in title, description, tags or artist, the best first.

    Parameters
    ----------
    licence
        Only tracks under one of these licences, parted by commas, as in cc0,cc-by.
    tempo
        Only tracks in this range of beats per minute, as in 80-100, 80- or -100.
    length
        Only tracks in this range of seconds, as in 60-180, 60- or -180.
    key
        Only tracks in this key, as in "A minor".
    tags
        Only tracks with all of these tags.
    limit
        At most so many.
    """
    if limit is not None and limit < 1:
        raise InputError(f"--limit {limit}: ask for one track or more.")
    wanted = Wanted(
        licences=frozenset() if licence is None else parse_licences(licence),
        tempo_bpm=_range("--tempo", tempo),
        duration=_range("--length", length),
        key=key,
        tags=split(tags),
    )
    with open_library(folder) as shelf:
        found = shelf.search(" ".join(words), wanted, limit)
    if as_json:
        print(json.dumps([{**_row(each.track), "score": round(each.score, 4)} for each in found], indent=2))
    else:
        _print([each.track for each in found], False, "No track is like that.")


@library.command
def remove(
    *tracks: Annotated[
        str, Parameter(help="Ids or paths, as `reelscore library list` shows them; a folder means all in it.")
    ],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Forget tracks; their files are not touched."""
    if not tracks:
        raise InputError("Give ids or paths of tracks to remove; `reelscore library list` shows them.")
    with open_library(folder) as shelf:
        gone = shelf.remove(tracks)
    _print(gone, as_json, "")
    if not as_json:
        print(f"{_counted(len(gone), 'track')} removed from the library; the files are still there.")


@library.command
def check(
    *folders: Annotated[Path, Parameter(help="Folders in which to look for tracks that are not where they were.")],
    folder: Folder = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Tell which tracks are missing, changed, damaged, without rights or without words; mend what has only moved.

    Exits with 1 where a track cannot be used as it stands.
    """
    with open_library(folder) as shelf, shown_progress(quiet) as progress:
        troubles = shelf.check(folders, progress)
        count = len(shelf)
    if as_json:
        print(json.dumps([_plain({**asdict(each), "grave": each.grave}) for each in troubles], indent=2))
    else:
        for each in troubles:
            print(printable(f"{each.kind:8} {each.id:>6}  {each.path}: {each.told}"))
        graves = sum(each.grave for each in troubles)
        print(f"{_counted(count, 'track')} checked; {graves or 'none'} cannot be used as they stand.")
    if any(each.grave for each in troubles):
        sys.exit(1)


def _told(done: Added, count: int) -> str:
    """What an `add` did, in one sentence."""
    parts = (
        (len(done.added), "added"),
        (len(done.known), "known"),
        (len(done.updated), "brought up to date"),
        (len(done.moved), "found at a new place"),
        (len(done.duplicates), "there already under another name"),
        (len(done.refused), "refused"),
        (done.no_sound, "no sound"),
    )
    said = ", ".join(f"{number} {what}" for number, what in parts if number) or "nothing to add"
    return f"{said}; the library holds {_counted(count, 'track')}."


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _print(tracks: Sequence[Track], as_json: bool, otherwise: str) -> None:
    if as_json:
        print(json.dumps([_row(track) for track in tracks], indent=2))
    elif tracks:
        _show(tracks)
    elif otherwise:
        print(otherwise)


def _show(tracks: Sequence[Track]) -> None:
    """A table for people: columns as wide as they need to be, the last as wide as the screen lets it."""
    from rich.cells import cell_len, chop_cells, set_cell_size

    rows = [
        (
            str(track.id),
            track.title,
            track.artist,
            f"{int(track.duration // 60)}:{int(track.duration % 60):02}",
            f"{track.tempo_bpm:.0f}" if track.tempo_bpm else "-",
            track.key or "-",
            track.licence or "?",
            ", ".join(track.tags) or "-",
        )
        for track in tracks
    ]
    heads = ("id", "title", "artist", "length", "bpm", "key", "licence", "tags")
    table = [tuple(printable(cell) for cell in row) for row in ((heads, *rows) if rows else ())]
    screen = os.get_terminal_size().columns if sys.stdout.isatty() else 0
    most = 16 if 0 < screen < 120 else 40
    wide = [min(max(map(cell_len, column)), most) for column in zip(*table, strict=True)]
    for row in table:
        cells = [set_cell_size(cell, width) for cell, width in zip(row[:-1], wide, strict=False)]
        cells[3:5] = [" " * (cell_len(cell) - cell_len(cell.rstrip())) + cell.rstrip() for cell in cells[3:5]]
        line = "  ".join((*cells, row[-1]))
        print(chop_cells(line, screen)[0] if screen else line)


def _row(track: Track) -> dict[str, Any]:
    """A track as JSON: all but its curves."""
    named = {name: value for name, value in vars(track).items() if name not in ("energy", "beats", "downbeats")}
    return {**_plain(named), "beats": len(track.beats)}


def _plain(value: Any) -> Any:
    """Values as JSON has them; paths as text, in which what is no Unicode is told by question marks."""
    if isinstance(value, Path):
        return str(value).encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return _plain(asdict(value)) if isinstance(value, Added) else value


def _range(flag: str, text: str | None) -> tuple[float, float] | None:
    """The range that is written as 80-100, 80- or -100."""
    if text is None:
        return None
    edges = re.fullmatch(r"\s*(\d{1,6}(?:\.\d*)?)?\s*-\s*(\d{1,6}(?:\.\d*)?)?\s*", text)
    if not edges or not any(edges.groups()):
        raise InputError(f"{flag} {text!r} is no range; write two numbers, as in 80-100, or one, as in 80- or -100.")
    least, most = float(edges[1] or 0), float(edges[2] or "inf")
    if least > most:
        raise InputError(f"{flag} {text!r} begins above its end; write the smaller number first.")
    return least, most
