"""SONIQUE: a latent diffusion model that follows tags, scene by scene, and can vary a melody (Zhang and Fuentes 2024, arXiv 2410.03879).

The brief becomes lines of tags (`tagline`), these and the seconds become contexts over stretches of time (`plan`), noise becomes
latents and latents become sound (`making`), which is finished as every network's is (`reelscore.finish`). Everything heavy is
imported when music is made.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reelscore.engines import Engine, Music, Request
from reelscore.engines.sonique.options import Options
from reelscore.errors import InputError
from reelscore.hardware import Hardware, device_for, lacks_neural
from reelscore.progress import Progress

__all__ = ["ENGINE", "Options"]


def missing(options: Options) -> tuple[str, ...]:
    """What must be installed or downloaded first: the extra for neural models, and the weights."""
    from reelscore.checkpoints import missing_weights

    if absent := lacks_neural():
        return absent
    for name in ("weights", "config", "text_tower"):
        path = getattr(options, name)
        if path and not Path(path).is_file():
            return (f"There is no file {path}; check the path after --{name.replace('_', '-')}.",)
    return () if options.weights else missing_weights("sonique")


def generate(request: Request, progress: Progress) -> Music:
    """One take. Raises MissingError without weights, InputError for files and values that cannot be used."""
    return next(takes(request, [request.seed], progress))


def takes(request: Request, seeds: Sequence[int], progress: Progress) -> Iterator[Music]:
    """A take for each seed, denoised together."""
    from reelscore.engines.sonique.making import make

    return make(request, seeds, progress)


def check(options: Options, melody: Path | None, hardware: Hardware) -> None:
    """Raises InputError where the melody is no recording, is given beside a guide, or the device is not there."""
    from reelscore.melody import check_recording

    device_for(hardware)
    if melody and options.guide:
        raise InputError(f"--guide and --melody {melody} both say what to vary; give one of them.")
    if melody:
        check_recording(melody)


ENGINE = Engine(
    name="sonique",
    summary="A latent diffusion model that follows tags and varies melodies; 44.1 kHz; needs its published weights.",
    options=Options,
    missing=missing,
    generate=generate,
    check=check,
    takes=takes,
)
