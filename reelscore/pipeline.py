"""The product in one function: what happens to a film from its first packet to the finished file.

film ──analyze──▶ Analysis ──write_brief──▶ Brief ──engine──▶ Music ──mix──▶ Mix ──mux──▶ film with music
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from reelscore import engines
from reelscore.analysis import analyze
from reelscore.brief import Brief, Wishes
from reelscore.brief import write_brief as save_brief
from reelscore.compose.midi import read_melody, write_midi
from reelscore.compose.score import Score
from reelscore.errors import BriefError, InputError, MissingError
from reelscore.loudness import Loudness
from reelscore.media import Clip, encode_sound, mux, probe, refuse_unfit, refuse_unfit_sound, soundtrack
from reelscore.mix import MixSettings, mix
from reelscore.outputs import refuse_clashes, refuse_stems
from reelscore.progress import Progress, unseen
from reelscore.report import Measures, write_report
from reelscore.spotting import complete, write_brief
from reelscore.spotting.asking import asked_for
from reelscore.stems import stem_folder


@dataclass(frozen=True)
class Playing:
    """Who makes the music and from what: the engine and its options, the seed, and a melody to build on."""

    engine: str = "compose"
    options: Any = None
    seed: int = 0
    melody: Path | None = None


@dataclass(frozen=True)
class Outputs:
    """What is written: the film (or, with `audio_only`, its sound alone) and, where a path is given, more beside it.

    `stems` is a folder; `brief` and `report` are JSON, and a timeline (PNG) goes beside the report. `sound_codec` is aac,
    opus, flac or pcm; left out, the container's own.
    """

    film: Path
    audio_only: bool = False
    sound_codec: str | None = None
    stems: Path | None = None
    midi: Path | None = None
    brief: Path | None = None
    report: Path | None = None

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

    `measures` are those of the finished file, where a report was asked for.
    """

    outputs: Outputs
    brief: Brief
    engine: str
    seed: int
    score: Score | None
    loudness: Loudness
    speech_to_music_db: float | None
    remarks: tuple[str, ...]
    measures: Measures | None = None


def score_film(
    film: Path,
    outputs: Outputs,
    wishes: Wishes | Brief = Wishes(),
    playing: Playing = Playing(),
    mixing: MixSettings = MixSettings(),
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
    brief, remarks = _brief_for(clip, wishes, progress)
    for number, each in enumerate(takes):
        yield _made(brief, each, replace(playing, seed=playing.seed + number), mixing, clip, remarks, progress)


def score_brief(
    brief: Brief, outputs: Outputs, playing: Playing, mixing: MixSettings, progress: Progress = unseen
) -> Take:
    """Makes the music of a brief without any film and writes it as a sound file."""
    _refuse_early([outputs], playing)
    refuse_unfit_sound(outputs.film)
    return _made(complete(brief), outputs, playing, replace(mixing, original="drop"), None, (), progress)


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
        request = engines.Request(brief, playing.seed, options, film=film, melody=playing.melody, stems=writer)
        return engine.generate(request, progress)


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
    return engine, options


def _refuse_early(takes: Sequence[Outputs], playing: Playing, film: Path | None = None) -> None:
    """Raises for whatever can be known to fail before any long work is done."""
    refuse_clashes([path for each in takes for path in each.files], [path for path in (film, playing.melody) if path])
    for each in takes:
        if each.stems:
            refuse_stems(each.stems)
    _ready(playing)
    if playing.melody:
        read_melody(playing.melody)


def _made(
    brief: Brief,
    outputs: Outputs,
    playing: Playing,
    mixing: MixSettings,
    clip: Clip | None,
    remarks: tuple[str, ...],
    progress: Progress,
) -> Take:
    """The music of a whole brief, mixed, written with all that is asked for beside it, and measured for the report."""
    if outputs.brief:
        save_brief(brief, outputs.brief)
    music = make_music(brief, playing, film=clip.path if clip else None, stems=outputs.stems, progress=progress)
    original = partial(soundtrack, clip) if clip and clip.has_sound else None
    sound = mix(music.audio, original, brief.speech, clip.duration if clip else brief.duration, mixing, progress)
    lost: tuple[str, ...] = ()
    if clip and not outputs.audio_only:
        lost = mux(clip, sound.blocks(), sound.rate, outputs.film, sound_codec=outputs.sound_codec, progress=progress)
    else:
        encode_sound(sound.blocks(), sound.rate, outputs.film)
    if outputs.midi and music.score:
        write_midi(music.score, outputs.midi)
    take = Take(
        outputs=outputs,
        brief=brief,
        engine=playing.engine,
        seed=playing.seed,
        score=music.score,
        loudness=sound.loudness,
        speech_to_music_db=sound.speech_to_music_db,
        remarks=remarks + music.remarks + sound.remarks + lost,
    )
    return replace(take, measures=write_report(outputs.report, take, progress)) if outputs.report else take


def _brief_for(clip: Clip, wishes: Wishes | Brief, progress: Progress) -> tuple[Brief, tuple[str, ...]]:
    """The brief to follow, and what could not be read of the film."""
    if isinstance(wishes, Wishes):
        asked_for(wishes)  # what cannot be asked for is refused before the film is looked at
        facts = analyze(clip.path, progress)
        return write_brief(facts, wishes), facts.remarks
    if abs(wishes.duration - clip.duration) > 1 / clip.frame_rate:
        raise BriefError(
            f"duration: the brief is for {wishes.duration:.3f} s, but {clip.path} lasts {clip.duration:.3f} s;"
            " write a new brief for this film."
        )
    return complete(wishes), clip.remarks
