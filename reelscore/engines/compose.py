"""The embedded default: writes a score on the brief's tempo map and renders it. No weights, no network, no GPU."""

from dataclasses import dataclass
from pathlib import Path

from reelscore.engines import Engine, Music, Request
from reelscore.hardware import Hardware
from reelscore.progress import Progress


@dataclass(frozen=True)
class Options:
    """How the score is played."""

    soundfont: str = ""
    """Play on sampled instruments: a soundfont's path, or `system` for one that is installed. Left out: the built-in ones."""


def missing(options: Options) -> tuple[str, ...]:
    """What is not there for a soundfont, where one is asked for; the built-in instruments need nothing."""
    if not options.soundfont:
        return ()
    from reelscore.sound.soundfont import missing

    return missing(options.soundfont)


def check(_options: Options, melody: Path | None, _hardware: Hardware) -> None:
    """Raises InputError where the melody is no MIDI file with a tune."""
    from reelscore.compose.midi import read_melody

    if melody:
        read_melody(melody)


def generate(request: Request, progress: Progress) -> Music:
    """Composes, then plays. The one sentence of `missing` is raised as MissingError by the soundfont itself."""
    from reelscore.compose import compose
    from reelscore.compose.midi import read_melody
    from reelscore.sound import render
    from reelscore.sound.soundfont import find_soundfont

    options: Options = request.options
    melody = read_melody(request.melody) if request.melody else None
    soundfont = find_soundfont(options.soundfont) if options.soundfont else None
    progress("composing", 0.0)
    score = compose(request.brief, request.seed, melody)
    progress("composing", 1.0)
    audio = render(score, seed=request.seed, stems=request.stems, soundfont=soundfont, progress=progress)
    return Music(audio, score)


ENGINE = Engine(
    name="compose",
    summary="A composer and its built-in instruments: cues are hit by construction; stems and MIDI; offline, no weights.",
    options=Options,
    missing=missing,
    generate=generate,
    check=check,
)
