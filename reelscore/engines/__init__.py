"""The engines: each makes Music from a Brief. This folder is the registry; one file or one folder, one engine.

A module `engines/NAME` ends with `ENGINE = Engine(...)` and costs nothing to import: what is heavy is imported when music is made.

Every engine keeps the same promises, and one parametrised test holds all of them to it: the music covers the brief's
duration exactly; the same request gives the same samples; float32 within ±1 at the declared rate; an empty brief is
obeyed; a missing extra or weight is one MissingError with the command that mends it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from math import isfinite
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from reelscore.audio import Audio, StemWriter
from reelscore.brief import Brief
from reelscore.compose.score import Score
from reelscore.errors import InputError
from reelscore.hardware import Hardware
from reelscore.progress import Progress


@dataclass(frozen=True)
class Request:
    """What an engine is asked for: the brief, the film where there is one, the seed, a melody to use, and its options.

    The brief always has a tempo map and at least one section. `stems` is where stems are wanted; an engine without stems ignores it
    and says so in `Music.remarks`. `hardware` says where networks run; an engine without any takes no notice.
    """

    brief: Brief
    seed: int
    options: Any
    film: Path | None = None
    melody: Path | None = None
    stems: StemWriter | None = None
    hardware: Hardware = field(default_factory=Hardware)


@dataclass(frozen=True)
class Music:
    """What an engine made: stereo sound of the brief's exact length, the score where there is one, and remarks for the user.

    `licence` is that of the weights or of the recording that the music comes from; empty where the music is the user's own.
    `attribution` is the text that must go with the film, where there is one.
    """

    audio: Audio
    score: Score | None = None
    remarks: tuple[str, ...] = ()
    licence: str = ""
    attribution: str = ""


@dataclass(frozen=True)
class Engine:
    """One way to make music.

    `missing(options)` gives sentences, each a thing to install, for what cannot be used as it stands. `check(options, melody,
    hardware)` raises InputError, before any long work, for a file that cannot be the melody, a device that is not there, and
    whatever contradicts. `takes(request, seeds, progress)`, where there is one,
    makes the music of several seeds together, in their order, at less cost than one by one; `Request.seed` then does not count, and
    each comes out as `generate` would make it, but for the rounding of floats. `instructed` says that it reads the instructions of
    the brief's sections, which are written for such engines alone.
    """

    name: str
    summary: str
    options: type
    missing: Callable[[Any], tuple[str, ...]]
    generate: Callable[[Request, Progress], Music]
    check: Callable[[Any, Path | None, Hardware], None]
    takes: Callable[[Request, Sequence[int], Progress], Iterator[Music]] | None = None
    instructed: bool = False


def names() -> tuple[str, ...]:
    """The engines there are."""
    return tuple(module.name for module in iter_modules(__path__))


def refuse_outside(option: str, value: float, low: float, high: float) -> None:
    """Raises InputError where a number that was given for an option is none, or lies outside of `low` to `high`."""
    if not (isfinite(value) and low <= value <= high):
        raise InputError(f"--{option} {value:g}: give a number from {low:g} to {high:g}.")


def find(name: str) -> Engine:
    """The engine of that name. Raises InputError where there is none."""
    if name not in names():
        raise InputError(f"There is no engine {name!r}; the engines are {', '.join(names())}.")
    engine = import_module(f"{__name__}.{name}").ENGINE
    assert isinstance(engine, Engine)
    return engine
