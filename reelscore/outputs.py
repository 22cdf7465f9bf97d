"""The one way a file leaves the program: written whole beside its target, then renamed; or not at all."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp

from reelscore.errors import OutputError


def refuse_unwritable(target: Path) -> None:
    """Raises OutputError where writing `target` is bound to fail, before any work is done."""
    _refuse_folder(target, target.parent)
    try:
        kind = target.stat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as problem:
        raise OutputError(f"Cannot write {target}: {_reason(problem)}; choose another name.") from problem
    if stat.S_ISDIR(kind):
        raise OutputError(f"{target} is a folder; give the name of a file to write.")
    if not stat.S_ISREG(kind):
        raise OutputError(f"{target} is a device and not a file; give the name of a file to write.")


def refuse_stems(folder: Path) -> None:
    """Raises OutputError where `folder` cannot be filled with stems; it need not be there yet, but its parent must."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"Cannot write stems into {folder}: it is a file; give the name of a folder.")
    _refuse_folder(folder, folder if folder.is_dir() else folder.parent)


def _refuse_folder(target: Path, folder: Path) -> None:
    if not os.path.isdir(folder):  # noqa: PTH112 - unlike Path.is_dir, it does not raise for names that cannot be
        raise OutputError(f"Cannot write {target}: there is no folder {folder}; make it or choose another.")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"Cannot write {target}: the folder {folder} is not writable; choose another.")


def refuse_clashes(targets: Sequence[Path], sources: Sequence[Path]) -> None:
    """Raises OutputError where a target cannot be written, is one of the files that are read, or is named twice."""
    named: dict[str, Path] = {}
    for target in targets:
        refuse_unwritable(target)
        for source in sources:
            if target.exists() and source.exists() and target.samefile(source):
                raise OutputError(
                    f"Writing {target} would destroy {source}, which is read; give the result another name."
                )
        if named.setdefault(os.path.realpath(target), target) is not target:
            raise OutputError(f"{target} is to be written twice; give each result a name of its own.")


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Yields a temporary path in `target`'s folder with its suffix; on success it becomes `target`, else it is removed.

    Raises OutputError where the folder is missing or not writable, and where the disk is full.
    """
    refuse_unwritable(target)
    target = Path(os.path.realpath(target))  # a link stays; the file behind it is written
    try:
        handle, name = mkstemp(prefix=f".{target.stem[:40]}.", suffix=f".part{target.suffix}", dir=target.parent)
    except OSError as problem:
        raise OutputError(f"Cannot write {target}: {_reason(problem)}; choose another folder.") from problem
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private to the owner; a result gets the permissions any new file of this user has.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(target)
    except OSError as problem:
        raise OutputError(f"Cannot write {target}: {_reason(problem)}; nothing was left behind.") from problem
    finally:
        temporary.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Writes `text` to `target` as UTF-8, whole or not at all."""
    with written_whole(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _reason(problem: Exception) -> str:
    """What the system said, as part of a sentence."""
    said = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
    return said[:1].lower() + said[1:]
