"""The verbs: each is one call of the library."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from reelscore import engines
from reelscore.brief import Brief, brief_json, read_brief
from reelscore.cli.flags import (
    FLAT,
    AsJson,
    Asked,
    Beside,
    EngineName,
    Film,
    LoudnessName,
    Midi,
    OutputText,
    Performance,
    Quiet,
    Sounding,
    Stems,
    TakeAsJson,
    Watching,
    Writing,
)
from reelscore.cli.showing import deliver, present, shown_progress
from reelscore.errors import InputError
from reelscore.hardware import Hardware
from reelscore.outputs import refuse_clashes


def score(
    video: Film,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    engine: EngineName = "compose",
    asked: Annotated[Asked, FLAT] = Asked(),
    watching: Annotated[Watching, FLAT] = Watching(),
    writing: Annotated[Writing, FLAT] = Writing(),
    performance: Annotated[Performance, FLAT] = Performance(),
    hardware: Annotated[Hardware, FLAT] = Hardware(),
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
    outputs = Outputs(
        output, audio_only, codec, beside.stems, beside.midi, beside.save_brief, beside.report, beside.remember
    )
    refuse_clashes(outputs.files, read)
    wanted = asked.wishes() if brief is None else _followed(brief, asked, watching, writing)
    playing = Playing(engine, options, performance.seed, performance.melody, hardware)
    with shown_progress(quiet) as progress:
        for take in score_film(
            video,
            outputs,
            wanted,
            playing,
            _mixing(sounding),
            _understanding(watching, writing, hardware),
            variations=_count(variations),
            progress=progress,
        ):
            present(take, as_json)


def analyze(
    video: Film,
    /,
    *,
    watching: Annotated[Watching, FLAT] = Watching(),
    hardware: Annotated[Hardware, FLAT] = Hardware(),
    output: OutputText = None,
    quiet: Quiet = False,
) -> None:
    """Tell what is seen and heard in a video, as JSON: shots, movement, light and colour, speech, captions."""
    from reelscore.pipeline import look

    refuse_clashes([output] if output else [], [video])
    with shown_progress(quiet) as progress:
        facts = look(video, _understanding(watching, Writing(), hardware), progress)
    deliver(facts.model_dump_json(indent=2) + "\n", output)


def brief(
    video: Film,
    /,
    *,
    asked: Annotated[Asked, FLAT] = Asked(),
    watching: Annotated[Watching, FLAT] = Watching(),
    writing: Annotated[Writing, FLAT] = Writing(),
    hardware: Annotated[Hardware, FLAT] = Hardware(),
    output: OutputText = None,
    quiet: Quiet = False,
) -> None:
    """Write the brief for a video, as JSON: what the music must do, to read, edit and feed back with --brief."""
    from reelscore.pipeline import understand

    refuse_clashes([output] if output else [], [path for path in (video, asked.cues) if path])
    wishes = asked.wishes()
    with shown_progress(quiet) as progress:
        _, written = understand(video, wishes, _understanding(watching, writing, hardware), progress)
    deliver(brief_json(written), output)


def generate(
    brief: Annotated[Path, Parameter(help="The brief, a JSON file.")],
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o", help="The sound file to write (wav, flac, m4a, opus, mp3).")],
    engine: EngineName = "compose",
    performance: Annotated[Performance, FLAT] = Performance(),
    hardware: Annotated[Hardware, FLAT] = Hardware(),
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
    playing = Playing(engine, options, performance.seed, performance.melody, hardware)
    mixing = _mixing(Sounding(original="drop", loudness=loudness))
    with shown_progress(quiet) as progress:
        take = score_brief(read_brief(brief), outputs, playing, mixing, progress)
    present(take, as_json)


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
    with shown_progress(quiet) as progress:
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


def _followed(brief: Path, *groups: Any) -> Brief:
    """The brief in the file. Raises InputError where a flag of these groups was given as well, because it would have no effect."""
    given = [field.name for group in groups for field in fields(group) if getattr(group, field.name) != field.default]
    if given:
        raise InputError(
            f"--brief is followed as it stands, so --{given[0].replace('_', '-')} has no effect; put what you want into the brief instead."
        )
    return read_brief(brief)


def _understanding(watching: Watching, writing: Writing, hardware: Hardware) -> Any:
    from reelscore.pipeline import Understanding
    from reelscore.spotting.language import LanguageChoice

    language = LanguageChoice(writing.llm, writing.llm_model, writing.llm_timeout) if writing.llm else None
    if writing.llm_model and not writing.llm:
        raise InputError("--llm-model names a model at a server; give the server's address with --llm http://….")
    return Understanding(watching.captioner, language, writing.detail, hardware)


def _mixing(sounding: Sounding) -> Any:
    from reelscore.mix import settings_for

    return replace(settings_for(sounding.loudness), original=sounding.original)


def _count(variations: int) -> int:
    if not 1 <= variations <= 100:
        raise InputError(f"--variations {variations}: ask for 1 to 100.")
    return variations


def _engine_row(engine: engines.Engine) -> dict[str, Any]:
    return {
        "name": engine.name,
        "summary": engine.summary,
        "options": {option.name: option.default for option in fields(engine.options)},
        "missing": engine.missing(engine.options()),
    }
