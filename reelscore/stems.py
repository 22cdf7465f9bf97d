"""Stems on disk: one WAV file a stem in a folder, written block by block, all of them whole or none."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reelscore.audio import Samples, StemWriter
from reelscore.errors import OutputError
from reelscore.outputs import written_whole


@contextmanager
def stem_folder(folder: Path, prefix: str = "") -> Iterator[StemWriter]:
    """Yields the writer that puts each stem into `folder`/`prefix``stem`.wav (24 bits).

    Raises OutputError where the folder cannot be made or written.
    """
    import soundfile

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise OutputError(f"Cannot write stems into {folder}: {problem.strerror}; choose another folder.") from problem
    with ExitStack() as files:
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
