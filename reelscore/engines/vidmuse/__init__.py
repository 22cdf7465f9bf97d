"""VidMuse: music straight from the pictures, token by token (Tian et al. 2024, arXiv 2406.04321).

The film's pictures become features once (`footage`), windows of music each get the tokens of their own footage (`windows`), an
autoregressive decoder plays them one after another, and the codec makes sound of all the codes at once (`making`), which is
finished as every network's is (`reelscore.finish`). It reads no text. Everything heavy is imported when music is made.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reelscore.engines import Engine, Music, Request
from reelscore.engines.vidmuse.options import Options
from reelscore.errors import InputError, MissingError
from reelscore.hardware import Hardware, device_for, lacks_neural, refuse_unfit_eight_bits
from reelscore.progress import Progress

__all__ = ["ENGINE", "Options"]

PUBLISHED_SUFFIXES = (".bin", ".pt", ".th")  # of weights without a codec; a converted file ends in .safetensors


def missing(options: Options) -> tuple[str, ...]:
    """What must be installed or downloaded first: the extra for neural models, and the weights."""
    from reelscore.checkpoints import missing_weights

    if absent := lacks_neural():
        return absent
    return _missing_beside(Path(options.weights), options.encodec) if options.weights else missing_weights("vidmuse")


def _missing_beside(weights: Path, encodec: str) -> tuple[str, ...]:
    """The file of weights itself, where it is not there, and the codec that a published one needs."""
    from reelscore.checkpoints import locate

    if not weights.exists():
        return (f"There is no file {weights}; check the path after --weights.",)
    if weights.is_dir() or weights.suffix in PUBLISHED_SUFFIXES:
        try:
            locate(encodec or "encodec-32khz")
        except MissingError as problem:
            return (str(problem),)
    return ()


def generate(request: Request, progress: Progress) -> Music:
    """One take. Raises MissingError without weights, InputError for files and values that cannot be used."""
    return next(takes(request, [request.seed], progress))


def takes(request: Request, seeds: Sequence[int], progress: Progress) -> Iterator[Music]:
    """A take for each seed, played together."""
    from reelscore.engines.vidmuse.making import make

    return make(request, seeds, progress)


def check(options: Options, melody: Path | None, hardware: Hardware) -> None:
    """Raises InputError where a melody is given, the device is not there, or cannot do with 8 bits."""
    device_for(hardware)
    if melody:
        raise InputError(f"vidmuse looks at the film alone and cannot use the melody {melody}; leave --melody out.")
    if options.int8:
        refuse_unfit_eight_bits(hardware)


ENGINE = Engine(
    name="vidmuse",
    summary="A transformer that makes music from the film's pictures, without text; 32 kHz; needs its published weights.",
    options=Options,
    missing=missing,
    generate=generate,
    check=check,
    takes=takes,
)
