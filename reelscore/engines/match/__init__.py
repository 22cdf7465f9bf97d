"""Music that is there already: the track of the user's library that fits the film best, and the best window of it.

    making    the whole way, from the library to a track that is cut to the film
    shelf     the library in memory; words, seeing: the brief in words, and the film as a CLIP sees it, against those of each track
    ranking   all tracks in order, by scoring (words, tempo, length, energy …) and by the best windows of those that come first
    windows   the best window of one track: its bars on a grid over the film, by what the film has wanted; fits says how well it does
    cutting   the window as sound, cut on its beats; likeness: which bars sound alike enough to follow one another
    telling   what the user is told

Seed n takes the (n + 1)-th best track. Needs no weights; a CLIP and a model of sentences read better than a look-up of words.
Everything heavy is imported when music is made.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reelscore.engines import Engine, Music, Request
from reelscore.engines.match.options import Options
from reelscore.errors import InputError
from reelscore.hardware import Hardware
from reelscore.library import open_library
from reelscore.progress import Progress

__all__ = ["ENGINE", "Options"]


def missing(options: Options) -> tuple[str, ...]:
    """A library with tracks in it, where there is none."""
    add = f"reelscore library add FOLDER{f' --library {options.library}' if options.library else ''}"
    try:
        with open_library(options.folder) as library:
            return () if len(library) else (f"The library {options.folder} is empty; add music with: {add}",)
    except InputError as problem:
        if options.folder.is_dir() and any(options.folder.iterdir()):
            return (str(problem),)
        return (f"There is no library in {options.folder}; add music with: {add}",)


def generate(request: Request, progress: Progress) -> Music:
    """One take. Raises InputError where no track can play, MissingError without a model that is named."""
    return next(takes(request, [request.seed], progress))


def takes(request: Request, seeds: Sequence[int], progress: Progress) -> Iterator[Music]:
    """A take for each seed; the library is ranked once."""
    from reelscore.engines.match.making import make

    return make(request, seeds, progress)


def check(options: Options, melody: Path | None, hardware: Hardware) -> None:
    """Raises InputError where a melody is given or the library cannot be read, MissingError where a model that is named is not here."""
    if melody:
        raise InputError(f"match plays tracks as they are and cannot use the melody {melody}; leave --melody out.")
    from reelscore.checkpoints.hub import locate_folder
    from reelscore.engines.match.shelf import model_for
    from reelscore.hardware import device_for, require_neural

    unused = options.clip if options.by == "brief" else options.sentences
    if unused:
        flag, ways = ("clip", "description or title") if options.by == "brief" else ("sentences", "brief")
        raise InputError(f"--{flag} {unused} has no effect with --by {options.by}; give --by {ways}, or leave it out.")
    name, kind = model_for(options)
    if name:
        require_neural()
        device_for(hardware)
        locate_folder(name, kind)
    with open_library(options.folder):
        pass


ENGINE = Engine(
    name="match",
    summary="The best track of your own library, and the best window of it, cut on its beats; offline, no weights needed.",
    options=Options,
    missing=missing,
    generate=generate,
    check=check,
    takes=takes,
    instructed=True,
)
