"""Which files are meant by files and folders that were given."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reelscore.library.tracks import Refused


@dataclass
class Walked:
    """The files, each once and in order of their folders; the folders; which files a person named; and what could not be walked."""

    files: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    named: set[Path] = field(default_factory=set)
    refused: list[Refused] = field(default_factory=list)


def walked(paths: Sequence[Path]) -> Walked:
    """The files of `paths`, with all that lies in folders but for what is hidden; links are followed, circles left.

    A file that is named need not be there: whoever reads it will tell.
    """
    found = Walked()
    files: set[str] = set()
    seen: set[tuple[int, int]] = set()
    for given in paths:
        path = Path(os.path.abspath(given))  # noqa: PTH100 - takes ".." out of the name but follows no link
        is_folder = os.path.isdir(path)  # noqa: PTH112 - does not raise for names that cannot be
        if is_folder:
            found.folders.append(path)
        else:
            found.named.add(path)
        for file in _inside(path, seen, found.refused) if is_folder else (path,):
            if (real := os.path.realpath(file)) not in files:
                files.add(real)
                found.files.append(file)
    return found


def _inside(folder: Path, seen: set[tuple[int, int]], refused: list[Refused]) -> Iterator[Path]:
    """All files in a folder and below, by name; folders that were seen before are left out."""

    def tell(problem: OSError) -> None:
        path = Path(os.fsdecode(problem.filename or folder))
        refused.append(Refused(path, f"The folder {path} cannot be read ({problem.strerror}); check its permissions."))

    for place, below, names in os.walk(folder, onerror=tell, followlinks=True):
        here = Path(place).stat()
        if (here.st_dev, here.st_ino) in seen:
            below.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        below[:] = sorted(each for each in below if not each.startswith("."))
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))
