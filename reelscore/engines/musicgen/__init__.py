"""MusicGen, scene by scene: music that follows words (Copet et al. 2023, arXiv 2306.05284), as in Making Music for Videos.

The brief's sections become scenes that are told one thing each (`prompts`, `plan`), every scene goes on from the music before
it, or from a common theme, and meets the next one on a beat (`playing`, `joins`); melody models follow a recording or the
composer (`tunes`). The pieces are joined and finished (`making`). Everything heavy is imported when music is made.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reelscore.engines import Engine, Music, Request
from reelscore.engines.musicgen.options import Options
from reelscore.errors import InputError
from reelscore.hardware import Hardware, device_for, refuse_unfit_eight_bits
from reelscore.listening import lacks_listening
from reelscore.progress import Progress

__all__ = ["ENGINE", "Options"]

MELODY_MODEL = "musicgen-melody"


def missing(options: Options) -> tuple[str, ...]:
    """What must be installed or downloaded first: the extras for neural models and for listening, and the weights."""
    from reelscore.checkpoints.hub import missing_model

    absent = missing_model(options.model, "words to music")
    return absent if absent or options.as_published else lacks_listening()


def generate(request: Request, progress: Progress) -> Music:
    """One take. Raises MissingError without weights, InputError for files and values that cannot be used."""
    return next(takes(request, [request.seed], progress))


def takes(request: Request, seeds: Sequence[int], progress: Progress) -> Iterator[Music]:
    """A take for each seed, played together."""
    from reelscore.engines.musicgen.making import make

    return make(request, seeds, progress)


def check(options: Options, melody: Path | None, hardware: Hardware) -> None:
    """Raises InputError where a melody is no recording, or the model follows none, and where the device is not there or cannot do with 8 bits."""
    from reelscore.melody import check_recording

    device_for(hardware)
    if options.int8:
        refuse_unfit_eight_bits(hardware)
    if melody and options.guide:
        raise InputError(f"--guide and --melody {melody} both give the melody to follow; leave one of them out.")
    if melody:
        check_recording(melody)
    if (melody or options.guide) and not _follows_melodies(options):
        asked = f"the melody {melody}" if melody else "the composer's playing (--guide)"
        raise InputError(
            f"The model {options.model} follows words alone and cannot use {asked}; give --weights {MELODY_MODEL}."
        )


def _follows_melodies(options: Options) -> bool:
    """Whether the model listens to melodies, as its configuration says."""
    from reelscore.checkpoints.hub import locate_folder
    from reelscore.checkpoints.musicgen_names import config_from_published
    from reelscore.checkpoints.reading import read_configuration

    config = locate_folder(options.model, "words to music") / "config.json"
    return read_configuration(config, "MusicGen", config_from_published).melody is not None


ENGINE = Engine(
    name="musicgen",
    summary="A transformer that follows words, scene by scene, and melodies; 32 kHz; needs published weights, for non-commercial use.",
    options=Options,
    missing=missing,
    generate=generate,
    check=check,
    takes=takes,
    instructed=True,
)
