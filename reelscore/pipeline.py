"""The product in one function: what happens to a film from its first packet to the finished file.

film ──analyze──▶ Analysis ──write_brief──▶ Brief ──engine──▶ Music ──mix──▶ Mix ──mux──▶ film with music

Where models are named, a captioner describes what is seen after the first arrow, and a language model helps to write the brief.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from reelscore import engines
from reelscore.analysis import Analysis, analyze
from reelscore.brief import Brief, Wishes
from reelscore.brief import write_brief as save_brief
from reelscore.compose.midi import write_midi
from reelscore.compose.score import Score
from reelscore.errors import BriefError, InputError, MissingError
from reelscore.hardware import Hardware
from reelscore.loudness import Loudness
from reelscore.media import Clip, encode_sound, mux, probe, refuse_unfit, refuse_unfit_sound, soundtrack
from reelscore.mix import MixSettings, mix
from reelscore.outputs import refuse_clashes, refuse_stems
from reelscore.progress import Progress, unseen
from reelscore.report import Measures, write_report
from reelscore.spotting import complete, write_brief
from reelscore.spotting.asking import asked_for
from reelscore.spotting.instructions import Detail
from reelscore.spotting.language import LanguageChoice, LanguageModel, open_language_model
from reelscore.stems import stem_folder


@dataclass(frozen=True)
class Understanding:
    """Which models look at the film and help to write its brief; without them rules do both.

    `captioner` is a preset's name, a Hugging Face id or a folder. Both run on `hardware`. With a `detail`, every section gets an
    instruction for engines that read words; such an engine has them written as "brief" where none is named.
    """

    captioner: str = ""
    language: LanguageChoice | None = None
    detail: Detail | None = None
    hardware: Hardware = field(default_factory=Hardware)


@dataclass(frozen=True)
class Playing:
    """Who makes the music and from what: the engine and its options, the seed, a melody to build on, and where a model runs."""

    engine: str = "compose"
    options: Any = None
    seed: int = 0
    melody: Path | None = None
    hardware: Hardware = field(default_factory=Hardware)


@dataclass(frozen=True)
class Outputs:
    """What is written: the film (or, with `audio_only`, its sound alone) and, where a path is given, more beside it.

    `stems` is a folder; `brief` and `report` are JSON, and a timeline (PNG) goes beside the report. `sound_codec` is aac,
    opus, flac or pcm; left out, the container's own. With `remember` the music, without the film's own sound, also goes into the
    library that the engine match chooses from.
    """

    film: Path
    audio_only: bool = False
    sound_codec: str | None = None
    stems: Path | None = None
    midi: Path | None = None
    brief: Path | None = None
    report: Path | None = None
    remember: bool = False

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is written, stems left out."""
        timeline = self.report and self.report.parent / f"{self.report.stem}.png"
        return tuple(path for path in (self.film, self.midi, self.brief, self.report, timeline) if path)

    def numbered(self, number: int) -> "Outputs":
        """The outputs of one variation: `-number` in every name; the brief, the same for all, comes with the first."""
        return replace(
            self,
            film=self.film.with_stem(f"{self.film.stem}-{number}"),
            stems=self.stems and self.stems.with_name(f"{self.stems.name}-{number}"),
            midi=self.midi and self.midi.with_stem(f"{self.midi.stem}-{number}"),
            brief=self.brief if number == 1 else None,
            report=self.report and self.report.with_stem(f"{self.report.stem}-{number}"),
        )


@dataclass(frozen=True)
class Take:
    """One finished piece: what was written, the brief it follows, the seed, and how it came out.

    `licence` and `attribution` are those of the music, as in `engines.Music`. `measures` are those of the finished file, where a
    report was asked for.
    """

    outputs: Outputs
    brief: Brief
    engine: str
    seed: int
    score: Score | None
    loudness: Loudness
    speech_to_music_db: float | None
    remarks: tuple[str, ...]
    licence: str = ""
    attribution: str = ""
    measures: Measures | None = None


def score_film(
    film: Path,
    outputs: Outputs,
    wishes: Wishes | Brief = Wishes(),
    playing: Playing = Playing(),
    mixing: MixSettings = MixSettings(),
    understanding: Understanding = Understanding(),
    *,
    variations: int = 1,
    progress: Progress = unseen,
) -> Iterator[Take]:
    """Gives the film its music and writes it beside the untouched picture; yields one take for each variation.

    A Brief in the place of wishes is followed as it stands, without looking at the film again. Variation n is made with
    seed + n − 1 and written under numbered names where there are several.
    """
    clip = probe(film)
    takes = [outputs.numbered(number + 1) for number in range(variations)] if variations > 1 else [outputs]
    _refuse_early(takes, playing, film)
    for each in takes:
        if each.audio_only:
            refuse_unfit_sound(each.film)
        else:
            refuse_unfit(clip, each.film, each.sound_codec)
    if isinstance(wishes, Brief):
        brief, remarks = _followed(wishes, clip), clip.remarks
    else:
        facts, brief = understand(film, wishes, _with_words(understanding, playing), progress)
        remarks = facts.remarks + _unanswered(brief)
    played = _played(brief, takes, playing, film, progress)
    for number, (each, music) in enumerate(zip(takes, played, strict=True)):
        numbered = replace(playing, seed=playing.seed + number)
        yield _finished(music, brief, each, numbered, mixing, clip, remarks, progress)


def understand(
    film: Path, wishes: Wishes, understanding: Understanding = Understanding(), progress: Progress = unseen
) -> tuple[Analysis, Brief]:
    """What is seen in the film and the brief that follows from it, with the help of the models that are named.

    Raises InputError and MissingError for a wish or a model that cannot be, before the film is looked at.
    """
    asked_for(wishes)
    writer = _writer(understanding)
    facts = look(film, understanding, progress)
    progress("brief", 0.0)
    brief = write_brief(facts, wishes, writer, understanding.detail)
    progress("brief", 1.0)
    return facts, brief


def _with_words(understanding: Understanding, playing: Playing) -> Understanding:
    """The same, with instructions for an engine that reads them."""
    wanted = engines.find(playing.engine).instructed and understanding.detail is None
    return replace(understanding, detail="brief") if wanted else understanding


def _unanswered(brief: Brief) -> tuple[str, ...]:
    """What a language model that was asked did not do, as a sentence for the user."""
    written_by = brief.sources.get("language_model", "")
    said = written_by.partition("; ")[2] if written_by.startswith("rule") else ""
    stop = "" if said.endswith("?") else "."
    return (f"{said[0].upper()}{said[1:]}{stop} The brief is by the rules.",) if said else ()


def look(film: Path, understanding: Understanding = Understanding(), progress: Progress = unseen) -> Analysis:
    """What is seen and heard in the film; where a captioner is named, with its words for each scene."""
    if not understanding.captioner:
        return analyze(film, progress)
    from reelscore.analysis.content import describe, require_captioner

    require_captioner(understanding.captioner, understanding.hardware)
    return describe(analyze(film, progress), understanding.captioner, understanding.hardware, progress)


def _writer(understanding: Understanding) -> LanguageModel | None:
    return open_language_model(understanding.language, understanding.hardware) if understanding.language else None


def score_brief(
    brief: Brief, outputs: Outputs, playing: Playing, mixing: MixSettings, progress: Progress = unseen
) -> Take:
    """Makes the music of a brief without any film and writes it as a sound file."""
    _refuse_early([outputs], playing)
    refuse_unfit_sound(outputs.film)
    whole = complete(brief)
    (music,) = _played(whole, [outputs], playing, None, progress)
    return _finished(music, whole, outputs, playing, replace(mixing, original="drop"), None, (), progress)


def make_music(
    brief: Brief,
    playing: Playing,
    *,
    film: Path | None = None,
    stems: Path | None = None,
    progress: Progress = unseen,
) -> engines.Music:
    """The engine's music for a complete brief; stems go into the folder `stems`. Raises MissingError and InputError."""
    engine, options = _ready(playing)
    with ExitStack() as open_files:
        writer = open_files.enter_context(stem_folder(stems)) if stems else None
        request = replace(_request(brief, playing, options, film), stems=writer)
        return engine.generate(request, progress)


def _request(brief: Brief, playing: Playing, options: Any, film: Path | None) -> engines.Request:
    return engines.Request(brief, playing.seed, options, film=film, melody=playing.melody, hardware=playing.hardware)


def _played(
    brief: Brief, takes: Sequence[Outputs], playing: Playing, film: Path | None, progress: Progress
) -> Iterator[engines.Music]:
    """The music of each take: all of them in one batch where the engine can, else one after another."""
    engine, options = _ready(playing)
    if engine.takes and len(takes) > 1:
        seeds = range(playing.seed, playing.seed + len(takes))
        yield from engine.takes(_request(brief, playing, options, film), seeds, progress)
        return
    for number, each in enumerate(takes):
        numbered = replace(playing, seed=playing.seed + number)
        yield make_music(brief, numbered, film=film, stems=each.stems, progress=progress)


def _ready(playing: Playing) -> tuple[engines.Engine, Any]:
    """The engine and its options. Raises InputError and MissingError where they cannot play."""
    engine = engines.find(playing.engine)
    options = engine.options() if playing.options is None else playing.options
    if not isinstance(options, engine.options):
        raise InputError(f"The engine {engine.name} takes {engine.options.__name__}, not {type(options).__name__}.")
    if playing.seed < 0:
        raise InputError(f"A seed of {playing.seed} cannot be; give 0 or more.")
    if absent := engine.missing(options):
        raise MissingError(absent[0])
    engine.check(options, playing.melody, playing.hardware)
    return engine, options


def _refuse_early(takes: Sequence[Outputs], playing: Playing, film: Path | None = None) -> None:
    """Raises for whatever can be known to fail before any long work is done."""
    refuse_clashes([path for each in takes for path in each.files], [path for path in (film, playing.melody) if path])
    for each in takes:
        if each.stems:
            refuse_stems(each.stems)
    _ready(playing)
    if any(each.remember for each in takes):
        from reelscore.library.remembering import require_memory

        require_memory()


def _finished(
    music: engines.Music,
    brief: Brief,
    outputs: Outputs,
    playing: Playing,
    mixing: MixSettings,
    clip: Clip | None,
    remarks: tuple[str, ...],
    progress: Progress,
) -> Take:
    """The music, mixed, written with all that is asked for beside it, and measured for the report."""
    if outputs.brief:
        save_brief(brief, outputs.brief)
    original = partial(soundtrack, clip) if clip and clip.has_sound else None
    sound = mix(music.audio, original, brief.speech, clip.duration if clip else brief.duration, mixing, progress)
    lost: tuple[str, ...] = ()
    if clip and not outputs.audio_only:
        lost = mux(clip, sound.blocks(), sound.rate, outputs.film, sound_codec=outputs.sound_codec, progress=progress)
    else:
        encode_sound(sound.blocks(), sound.rate, outputs.film)
    if outputs.midi and music.score:
        write_midi(music.score, outputs.midi)
    kept = _remembered(music, brief, playing, clip) if outputs.remember else ()
    take = Take(
        outputs=outputs,
        brief=brief,
        engine=playing.engine,
        seed=playing.seed,
        score=music.score,
        loudness=sound.loudness,
        speech_to_music_db=sound.speech_to_music_db,
        remarks=remarks + music.remarks + _not_given(outputs, playing, music) + sound.remarks + lost + kept,
        licence=music.licence,
        attribution=music.attribution,
    )
    return replace(take, measures=write_report(outputs.report, take, progress)) if outputs.report else take


def _remembered(music: engines.Music, brief: Brief, playing: Playing, clip: Clip | None) -> tuple[str, ...]:
    """Adds the music to the library; says under which number. What came out of a library does not go in again."""
    if playing.engine == "match":
        return ("The music is from a library already, so it was not added to one.",)
    from reelscore.library.remembering import remember

    track = remember(
        None,
        music.audio,
        brief,
        engine=playing.engine,
        seed=playing.seed,
        licence=music.licence,
        attribution=music.attribution,
        film=clip.path if clip else None,
        known_beats=music.score is not None,
    )
    return (f"The music is track {track.id} of the library.",)


def _not_given(outputs: Outputs, playing: Playing, music: engines.Music) -> tuple[str, ...]:
    """What was asked for beside the film but cannot come from this engine, in sentences for the user."""
    said = []
    if outputs.midi and not music.score:
        said.append(f"The engine {playing.engine} writes no score, so there is no MIDI file.")
    if outputs.stems and not any(outputs.stems.glob("*.wav")):
        said.append(f"The engine {playing.engine} makes no stems.")
    return tuple(said)


def _followed(brief: Brief, clip: Clip) -> Brief:
    """The brief as it stands, made whole. Raises BriefError where it is for a film of another length."""
    if abs(brief.duration - clip.duration) > 1 / clip.frame_rate:
        raise BriefError(
            f"duration: the brief is for {brief.duration:.3f} s, but {clip.path} lasts {clip.duration:.3f} s;"
            " write a new brief for this film."
        )
    return complete(brief)
