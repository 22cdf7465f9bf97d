"""Stems on disk: one WAV file a stem in a folder, written block by block, all of them whole or none."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reelscore.audio import Samples, StemWriter
from reelscore.errors import OutputError
from reelscore.outputs import refuse_stems, written_whole


@contextmanager
def stem_folder(folder: Path, prefix: str = "") -> Iterator[StemWriter]:
    """Yields the writer that puts each stem into `folder`/`prefix``stem`.wav (24 bits).

    Raises OutputError where the folder cannot be made or written, and where the disk is full.
    """
    import soundfile

    refuse_stems(folder)
    try:
        with ExitStack() as files:
            if not folder.is_dir():
                files.enter_context(_new_folder(folder))
            opened: dict[str, soundfile.SoundFile] = {}

            def write(stem: str, block: Samples, rate: int, /) -> None:
                if stem not in opened:
                    name = "".join(letter if letter.isalnum() else "-" for letter in f"{prefix}{stem}")
                    temporary = files.enter_context(written_whole(folder / f"{name}.wav"))
                    opened[stem] = files.enter_context(
                        soundfile.SoundFile(
                            temporary, "w", samplerate=rate, channels=block.shape[0], subtype="PCM_24", format="WAV"
                        )
                    )
                opened[stem].write(block.T)

            yield write
    except soundfile.LibsndfileError as problem:  # it does not pass on what the system said
        raise OutputError(
            f"Cannot write stems into {folder}: the disk is full or broken; nothing was left behind."
        ) from problem


@contextmanager
def _new_folder(folder: Path) -> Iterator[None]:
    """Makes the folder; it goes again where nothing comes into it."""
    try:
        folder.mkdir()
    except OSError as problem:
        raise OutputError(f"Cannot write stems into {folder}: {problem.strerror}; choose another folder.") from problem
    try:
        yield
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()
