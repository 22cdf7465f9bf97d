"""The command line: parse, call, print. Every verb is one call of the library; results go to stdout, progress to stderr."""

import json
import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import wraps
from inspect import signature
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Group, Parameter

from reelscore import __version__, engines
from reelscore.brief import Brief, Wishes, brief_json, read_brief
from reelscore.errors import InputError, ReelscoreError
from reelscore.outputs import refuse_clashes, write_text
from reelscore.progress import Progress, unseen

HELP = "Give it a video, get the video back with music made for it."

# What asks a run to stop: Ctrl-C, the system, and a terminal that closes.
STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

FLAT = Parameter(name="*")
Names = Annotated[tuple[str, ...], Parameter(consume_multiple=True)]
Film = Annotated[Path, Parameter(help="The film.")]
EngineName = Annotated[str, Parameter(help="Who makes the music; `reelscore engines` lists them.")]
OutputText = Annotated[Path | None, Parameter(alias="-o", help="Write to this file instead of the screen.")]
AsJson = Annotated[bool, Parameter(name="--json", help="Print the result as JSON.")]
TakeAsJson = Annotated[bool, Parameter(name="--json", help="Print each take as one line of JSON.")]
Quiet = Annotated[bool, Parameter(help="Show no progress.")]
Stems = Annotated[Path | None, Parameter(help="A folder for one WAV file a part.")]
Midi = Annotated[Path | None, Parameter(help="The score as a MIDI file.")]
LoudnessName = Annotated[
    str,
    Parameter(
        allow_leading_hyphen=True,
        help="Integrated loudness in LUFS, or online (-14), podcast (-16), ebu-r128 (-23), atsc-a85 (-24), streaming (-27).",
    ),
]


@dataclass(frozen=True)
class Asked:
    """What the music should be; whatever is left out is decided by the film."""

    prompt: str = ""
    """In your own words: "slow sad piano, no drums"."""
    genres: Names = ()
    """Genres, the most important first."""
    moods: Names = ()
    """Moods."""
    instruments: Names = ()
    """Instruments that should play."""
    avoid: Names = ()
    """Instruments, families, genres or moods that must not sound."""
    tempo: float | None = None
    """Beats per minute."""
    key: str | None = None
    """A tonic and a mode, as in "A minor"."""
    cues: Path | None = None
    """A file of times to hit: seconds or h:mm:ss.sss, one a line."""

    def wishes(self) -> Wishes:
        """The same as the library's Wishes."""
        return Wishes(
            prompt=self.prompt,
            genres=_split(self.genres),
            moods=_split(self.moods),
            instruments=_split(self.instruments),
            avoid=_split(self.avoid),
            tempo_bpm=self.tempo,
            key=self.key,
            cues=_read_times(self.cues) if self.cues else (),
        )


@dataclass(frozen=True)
class Sounding:
    """How the music meets the film's own sound."""

    original: Literal["duck", "keep", "drop"] = "duck"
    """The film's own sound: the music ducks under its speech, is laid over it as it is, or replaces it."""
    loudness: LoudnessName = "online"


@dataclass(frozen=True)
class Performance:
    """Who plays."""

    seed: int = 0
    """The same seed gives the same music; another gives another piece."""
    melody: Path | None = None
    """A MIDI file whose tune becomes the motif."""


@dataclass(frozen=True)
class Beside:
    """What is written beside the film."""

    stems: Stems = None
    midi: Midi = None
    save_brief: Path | None = None
    """The brief that was followed, as JSON."""
    report: Path | None = None
    """What was asked and what was measured in the finished file, as JSON; a timeline picture (PNG) goes beside it."""


def score(
    video: Film,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    engine: EngineName = "compose",
    asked: Annotated[Asked, FLAT] = Asked(),
    performance: Annotated[Performance, FLAT] = Performance(),
    sounding: Annotated[Sounding, FLAT] = Sounding(),
    beside: Annotated[Beside, FLAT] = Beside(),
    brief: Path | None = None,
    variations: int = 1,
    audio_only: bool = False,
    codec: Literal["aac", "opus", "flac", "pcm"] | None = None,
    options: Any = None,
    as_json: TakeAsJson = False,
    quiet: Quiet = False,
) -> None:
    """Score a video: write it again with music made for it, the picture untouched.

    Parameters
    ----------
    output
        Where the film with music goes; with --audio-only a sound file (wav, flac, m4a, opus, mp3).
    brief
        Follow this edited brief and do not look at the film again.
    variations
        How many pieces to make, with seeds from --seed upwards; every file gets its number.
    audio_only
        Write the mixed sound without the picture.
    codec
        The sound codec; left out, what fits the container.
    """
    from reelscore.pipeline import Outputs, Playing, score_film

    read = [path for path in (video, brief, asked.cues) if path]
    outputs = Outputs(output, audio_only, codec, beside.stems, beside.midi, beside.save_brief, beside.report)
    refuse_clashes(outputs.files, read)
    wanted = asked.wishes() if brief is None else _followed(brief, asked)
    playing = Playing(engine, options, performance.seed, performance.melody)
    with _progress(quiet) as progress:
        for take in score_film(
            video, outputs, wanted, playing, _mixing(sounding), variations=_count(variations), progress=progress
        ):
            _present(take, as_json)


def analyze(video: Film, /, *, output: OutputText = None, quiet: Quiet = False) -> None:
    """Tell what is seen and heard in a video, as JSON: shots, movement, light and colour, speech."""
    from reelscore.analysis import analyze as analyze_film

    refuse_clashes([output] if output else [], [video])
    with _progress(quiet) as progress:
        facts = analyze_film(video, progress)
    _deliver(facts.model_dump_json(indent=2) + "\n", output)


def brief(
    video: Film,
    /,
    *,
    asked: Annotated[Asked, FLAT] = Asked(),
    output: OutputText = None,
    quiet: Quiet = False,
) -> None:
    """Write the brief for a video, as JSON: what the music must do, to read, edit and feed back with --brief."""
    from reelscore.analysis import analyze as analyze_film
    from reelscore.spotting import write_brief as spot

    refuse_clashes([output] if output else [], [path for path in (video, asked.cues) if path])
    wishes = asked.wishes()
    with _progress(quiet) as progress:
        written = spot(analyze_film(video, progress), wishes)
    _deliver(brief_json(written), output)


def generate(
    brief: Annotated[Path, Parameter(help="The brief, a JSON file.")],
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o", help="The sound file to write (wav, flac, m4a, opus, mp3).")],
    engine: EngineName = "compose",
    performance: Annotated[Performance, FLAT] = Performance(),
    loudness: LoudnessName = "online",
    stems: Stems = None,
    midi: Midi = None,
    options: Any = None,
    as_json: TakeAsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make the music of a brief, without any video."""
    from reelscore.pipeline import Outputs, Playing, score_brief

    outputs = Outputs(output, True, None, stems, midi)
    refuse_clashes(outputs.files, [brief])
    playing = Playing(engine, options, performance.seed, performance.melody)
    mixing = _mixing(Sounding(original="drop", loudness=loudness))
    with _progress(quiet) as progress:
        take = score_brief(read_brief(brief), outputs, playing, mixing, progress)
    _present(take, as_json)


def check(
    video: Annotated[Path, Parameter(help="The finished film, from Reelscore or from anywhere.")],
    /,
    *,
    brief: Annotated[Path, Parameter(help="The brief that its music should follow.")],
    timeline: Annotated[Path | None, Parameter(help="Draw the timeline into this PNG file.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure a finished video against a brief: length, picture, loudness, peaks, silence, sync."""
    from reelscore import report

    refuse_clashes([timeline] if timeline else [], [video, brief])
    written = read_brief(brief)
    with _progress(quiet) as progress:
        measures = report.check(video, written, progress)
        if timeline:
            report.draw_timeline(timeline, video, written, measures, progress)
    print(report.measures_json(measures) if as_json else report.summary(measures))


def list_engines(*, as_json: AsJson = False) -> None:
    """List the engines, their options, and what is missing to use them."""
    found = [engines.find(name) for name in engines.names()]
    if as_json:
        print(json.dumps([_engine_row(engine) for engine in found], indent=2))
        return
    for engine in found:
        print(f"{engine.name}: {engine.summary}")
        for option in fields(engine.options):
            print(f"    --{option.name.replace('_', '-')} (default: {option.default!r})")
        for sentence in engine.missing(engine.options()):
            print(f"    missing: {sentence}")


def main() -> None:
    """The entry point: runs the verb; what a user can mend becomes one sentence on stderr and exit code 1."""
    logging.basicConfig(format="reelscore: %(message)s", level=logging.ERROR)
    for each in STOPPING:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _stop)
    try:
        app_for(_engine_of(sys.argv[1:]))(exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except (ReelscoreError, CycloptsError) as problem:
        sys.exit(f"reelscore: {problem}")
    except KeyboardInterrupt as stopped:
        print("reelscore: interrupted; nothing half-written was left behind.", file=sys.stderr)
        sys.exit(128 + (stopped.args[0] if stopped.args else signal.SIGINT))
    except BrokenPipeError:
        # Whoever reads has had enough; what is still in the buffer must not fail again on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _stop(number: int, _frame: FrameType | None) -> None:
    """Ends the run on a signal, once: the cleaning up is not interrupted again."""
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


def app_for(engine: engines.Engine) -> App:
    """The whole command line; `engine` is the one whose options `score` and `generate` take as flags."""
    app = App(
        name="reelscore",
        help=HELP,
        version=__version__,
        default_parameter=Parameter(negative=()),
        suppress_keyboard_interrupt=False,
    )
    verbs: tuple[Callable[..., None], ...] = (
        _with_options(score, engine),
        analyze,
        brief,
        _with_options(generate, engine),
        check,
    )
    for verb in verbs:
        app.command(verb)
    app.command(list_engines, name="engines")
    app.register_install_completion_command()
    return app


def _with_options(verb: Callable[..., None], engine: engines.Engine) -> Callable[..., None]:
    """The verb with `options` typed as this engine's, so that their fields become its flags."""
    group = Group(f"Options of the engine {engine.name}")
    annotation = Annotated[engine.options, Parameter(name="*", group=group)]  # type: ignore[name-defined]

    @wraps(verb)
    def typed(*positional: Any, **named: Any) -> None:
        verb(*positional, **named)

    typed.__annotations__ = {**verb.__annotations__, "options": annotation}
    plain = signature(verb)
    options = plain.parameters["options"].replace(annotation=annotation, default=engine.options())
    typed.__signature__ = plain.replace(  # type: ignore[attr-defined]
        parameters=[options if name == "options" else parameter for name, parameter in plain.parameters.items()]
    )
    return typed


def _engine_of(tokens: list[str]) -> engines.Engine:
    """The engine that the flags name; an unknown name is refused here, before anything is parsed."""
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        if token == "--engine" and following:
            return engines.find(following)
        if token.startswith("--engine="):
            return engines.find(token.removeprefix("--engine="))
    return engines.find("compose")


def _split(words: tuple[str, ...]) -> tuple[str, ...]:
    """Names given by commas, by repeated flags, or both."""
    return tuple(word.strip() for token in words for word in token.split(",") if word.strip())


def _read_times(path: Path) -> tuple[float, ...]:
    """Times from a text file: one a line, as seconds, m:ss or h:mm:ss; what follows `#` is a remark."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(f"The cues {path} cannot be read: {problem}.") from problem
    times = []
    for number, line in enumerate(lines, 1):
        text = line.split("#")[0].strip()
        if not text:
            continue
        if not re.fullmatch(r"(\d{1,6}:){0,2}\d{1,6}(\.\d*)?", text):
            raise InputError(
                f"{path}, line {number}: {text!r} is no time; write seconds (12.5) or h:mm:ss (0:01:12.5)."
            )
        seconds = 0.0
        for part in text.split(":"):
            seconds = seconds * 60 + float(part)
        times.append(seconds)
    return tuple(sorted(times))


def _followed(brief: Path, asked: Asked) -> Brief:
    """The brief in the file. Raises InputError where a wish was given as well, because it would go unheard."""
    given = [field.name for field in fields(asked) if getattr(asked, field.name) != field.default]
    if given:
        raise InputError(
            f"--brief is followed as it stands, so --{given[0]} has no effect; put it into the brief instead."
        )
    return read_brief(brief)


def _mixing(sounding: Sounding) -> Any:
    from reelscore.mix import settings_for

    return replace(settings_for(sounding.loudness), original=sounding.original)


def _count(variations: int) -> int:
    if not 1 <= variations <= 100:
        raise InputError(f"--variations {variations}: ask for 1 to 100.")
    return variations


def _deliver(text: str, output: Path | None) -> None:
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)


def _present(take: Any, as_json: bool) -> None:
    from reelscore import report

    if as_json:
        print(report.take_json(take, take.measures, indent=None), flush=True)
    else:
        print(report.take_summary(take, take.measures), flush=True)


def _engine_row(engine: engines.Engine) -> dict[str, Any]:
    return {
        "name": engine.name,
        "summary": engine.summary,
        "options": {option.name: option.default for option in fields(engine.options)},
        "missing": engine.missing(engine.options()),
    }


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    """A bar on stderr for each stage of long work, where somebody watches."""
    if quiet or not sys.stderr.isatty():
        yield unseen
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    with Bars(
        TextColumn("{task.description:>12}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        redirect_stdout=sys.stdout.isatty(),  # else what is printed would miss the pipe or file that waits for it
    ) as bars:
        stages: dict[str, TaskID] = {}

        def show(stage: str, fraction: float, /) -> None:
            if stage not in stages:
                stages[stage] = bars.add_task(stage, total=1.0)
            bars.update(stages[stage], completed=fraction)

        yield show
