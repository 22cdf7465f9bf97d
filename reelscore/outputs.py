"""The one way a file leaves the program: written whole beside its target, then renamed; or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp

from reelscore.errors import OutputError


def refuse_unwritable(target: Path, source: Path | None = None) -> None:
    """Raises OutputError where writing `target` is bound to fail or would replace `source`, before any work is done."""
    if target.is_dir():
        raise OutputError(f"{target} is a folder; give the name of a file to write.")
    if not target.parent.is_dir():
        raise OutputError(f"Cannot write {target}: there is no folder {target.parent}; make it or choose another.")
    if not os.access(target.parent, os.W_OK):
        raise OutputError(f"Cannot write {target}: the folder {target.parent} is not writable; choose another.")
    if source is not None and target.exists() and target.samefile(source):
        raise OutputError(f"{target} is the film itself; give the result another name.")


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Yields a temporary path in `target`'s folder with its suffix; on success it becomes `target`, else it is removed.

    Raises OutputError where the folder is missing or not writable, and where the disk is full.
    """
    refuse_unwritable(target)
    try:
        handle, name = mkstemp(prefix=f".{target.stem[:40]}.", suffix=f".part{target.suffix}", dir=target.parent)
    except OSError as problem:
        raise OutputError(f"Cannot write {target}: {problem.strerror}; choose another folder.") from problem
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
        reason = problem.strerror or problem
        raise OutputError(f"Cannot write {target}: {reason}; nothing was left behind.") from problem
    finally:
        temporary.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Writes `text` to `target` as UTF-8, whole or not at all."""
    with written_whole(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
