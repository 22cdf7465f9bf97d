"""A sheet of words: a table (CSV or TSV) with one line a track, as people keep them."""

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from reelscore.errors import InputError
from reelscore.library.tracks import Written
from reelscore.library.words import cleaned, plain, tempo_said

COLUMNS = ("file", "title", "description", "tags", "tempo", "key", "licence", "attribution", "source", "artist")
_ALSO = {
    "path": "file",
    "filename": "file",
    "license": "licence",
    "bpm": "tempo",
    "tempo_bpm": "tempo",
    "genre": "tags",
}
_MOST_BYTES = 1 << 26


@dataclass(frozen=True)
class Line:
    """What one line of the sheet says of one file; `number` counts the sheet's own lines from 1."""

    file: str
    number: int
    words: Written


@dataclass(frozen=True)
class Sheet:
    """A sheet as it was read; `unknown` are the columns that mean nothing here."""

    path: Path
    lines: tuple[Line, ...]
    unknown: tuple[str, ...]


def read_sheet(path: Path) -> Sheet:
    """Reads a sheet; columns are parted by commas, semicolons or tabs, whichever the first line has most of.

    Raises InputError where it cannot be read, has no column `file`, or says a tempo or key that is none.
    """
    text = _text(path)
    head = text.split("\n", 1)[0]
    rows = csv.reader(StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    try:
        names = [_ALSO.get(name, name) for name in (each.strip().lower() for each in next(rows, []))]
        if "file" not in names:
            raise InputError(
                f"The sheet {path} has no column 'file' in its first line; name its columns as in {','.join(COLUMNS)}."
            )
        lines = tuple(line for row in rows if (line := _line(path, rows.line_num, names, row)))
    except csv.Error as problem:
        raise InputError(f"The sheet {path} is no table ({problem}); save it as CSV or TSV.") from problem
    return Sheet(path, lines, tuple(plain(name, 60) for name in names if name and name not in COLUMNS))


def placed(sheet: Sheet, folders: Sequence[Path], files: Iterable[Path]) -> tuple[dict[Path, Written], list[str]]:
    """The words for each of `files`, and a remark for each line whose file is not among them.

    A name is looked for beside the sheet, then in the given folders, then as the name of a single file anywhere in them.
    """
    known = list(files)
    there = set(known)
    by_name: dict[str, list[Path]] = {}
    for path in known:
        by_name.setdefault(path.name, []).append(path)
    words: dict[Path, Written] = {}
    remarks = [f"{sheet.path}: the column {name!r} means nothing here." for name in sheet.unknown]
    for line in sheet.lines:
        tries = [named_in(folder, line.file) for folder in (sheet.path.parent, *folders)]
        same_name = by_name.get(Path(line.file).name, [])
        tries += same_name if len(same_name) == 1 else []
        file = next((path for path in tries if path in there), None)
        if file is None:
            why = "is not among the files that were given" if any(map(_exists, tries)) else "is not there"
            remarks.append(f"{sheet.path}, line {line.number}: the file {line.file!r} {why}.")
        else:
            words[file] = line.words
    return words, remarks


def named_in(folder: Path, file: str) -> Path:
    """A file that a sheet names: in `folder`, unless its name says where it lies."""
    return Path(os.path.abspath(folder / file))  # noqa: PTH100 - takes ".." out of the name but follows no link


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"The sheet {path} is larger than {_MOST_BYTES >> 20} MiB; it is no table of tracks.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InputError(f"The sheet {path} is not UTF-8; save it as CSV or TSV in UTF-8.") from problem
    except (OSError, ValueError) as problem:
        reason = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
        raise InputError(f"The sheet {path} cannot be read ({reason}); check its name.") from problem
    if "\0" in text:
        raise InputError(f"The sheet {path} is not text; save it as CSV or TSV in UTF-8.")
    return text


def _line(path: Path, number: int, names: list[str], row: list[str]) -> Line | None:
    """One line; None where it names no file."""
    said = {name: cell.strip() for name, cell in zip(names, row, strict=False)}
    if not said.get("file"):
        return None
    tempo = said.get("tempo", "")
    if tempo and tempo_said(tempo) is None:
        raise InputError(f"{path}, line {number}: {tempo!r} is no tempo; write beats per minute, as in 92.")
    tags = said.get("tags", "").replace(";", ",").replace("|", ",").split(",")
    texts = {
        name: said.get(name, "") for name in ("title", "artist", "description", "licence", "attribution", "source")
    }
    try:
        words = cleaned(Written(**texts, tags=tuple(tags), tempo_bpm=tempo_said(tempo), key=said.get("key") or None))
    except InputError as problem:
        raise InputError(f"{path}, line {number}: {problem}") from problem
    return Line(said["file"], number, words)
