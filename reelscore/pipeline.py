"""The product in one function: what happens to a film from its first packet to the finished file.

film ──analyze──▶ Analysis ──write_brief──▶ Brief ──engine──▶ Music ──mix──▶ Mix ──mux──▶ film with music
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from reelscore import engines
from reelscore.analysis import analyze
from reelscore.brief import Brief, Wishes
from reelscore.compose.midi import write_midi
from reelscore.compose.score import Score
from reelscore.errors import BriefError, InputError, MissingError
from reelscore.loudness import Loudness
from reelscore.media import Clip, encode_sound, mux, probe, refuse_unfit, refuse_unfit_sound, soundtrack
from reelscore.mix import MixSettings, mix
from reelscore.outputs import refuse_unwritable
from reelscore.progress import Progress, unseen
from reelscore.spotting import complete, write_brief
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
    """What is written: the film (or, with `audio_only`, its sound alone); beside it a folder of stems and a MIDI file.

    `sound_codec` is aac, opus, flac or pcm; left out, the container's own.
    """

    film: Path
    audio_only: bool = False
    sound_codec: str | None = None
    stems: Path | None = None
    midi: Path | None = None

    def numbered(self, number: int) -> "Outputs":
        """The same outputs with `-number` in every name."""
        return replace(
            self,
            film=self.film.with_stem(f"{self.film.stem}-{number}"),
            stems=self.stems and self.stems.with_name(f"{self.stems.name}-{number}"),
            midi=self.midi and self.midi.with_stem(f"{self.midi.stem}-{number}"),
        )


@dataclass(frozen=True)
class Take:
    """One finished piece: what was written, the brief it follows, the seed, and how it came out."""

    outputs: Outputs
    brief: Brief
    engine: str
    seed: int
    score: Score | None
    loudness: Loudness
    speech_to_music_db: float | None
    remarks: tuple[str, ...]


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
    for each in takes:
        refuse_unwritable(each.film, film)
        if each.audio_only:
            refuse_unfit_sound(each.film)
        else:
            refuse_unfit(clip, each.film, each.sound_codec)
    brief, remarks = _brief_for(clip, wishes, progress)
    original = partial(soundtrack, clip) if clip.has_sound else None
    for number, each in enumerate(takes):
        seeded = replace(playing, seed=playing.seed + number)
        music = make_music(brief, seeded, film=film, stems=each.stems, progress=progress)
        sound = mix(music.audio, original, brief.speech, clip.duration, mixing, progress)
        lost: tuple[str, ...] = ()
        if each.audio_only:
            encode_sound(sound.blocks(), sound.rate, each.film)
        else:
            lost = mux(clip, sound.blocks(), sound.rate, each.film, sound_codec=each.sound_codec, progress=progress)
        if each.midi and music.score:
            write_midi(music.score, each.midi)
        yield Take(
            outputs=each,
            brief=brief,
            engine=playing.engine,
            seed=seeded.seed,
            score=music.score,
            loudness=sound.loudness,
            speech_to_music_db=sound.speech_to_music_db,
            remarks=remarks + music.remarks + sound.remarks + lost,
        )


def score_brief(
    brief: Brief, outputs: Outputs, playing: Playing, mixing: MixSettings, progress: Progress = unseen
) -> Take:
    """Makes the music of a brief without any film and writes it as a sound file."""
    refuse_unwritable(outputs.film)
    refuse_unfit_sound(outputs.film)
    brief = complete(brief)
    music = make_music(brief, playing, stems=outputs.stems, progress=progress)
    sound = mix(music.audio, None, brief.speech, brief.duration, replace(mixing, original="drop"), progress)
    encode_sound(sound.blocks(), sound.rate, outputs.film)
    if outputs.midi and music.score:
        write_midi(music.score, outputs.midi)
    return Take(
        outputs, brief, playing.engine, playing.seed, music.score, sound.loudness, None, music.remarks + sound.remarks
    )


def make_music(
    brief: Brief,
    playing: Playing,
    *,
    film: Path | None = None,
    stems: Path | None = None,
    progress: Progress = unseen,
) -> engines.Music:
    """The engine's music for a complete brief; stems go into the folder `stems`. Raises MissingError and InputError."""
    engine = engines.find(playing.engine)
    options = engine.options() if playing.options is None else playing.options
    if not isinstance(options, engine.options):
        raise InputError(f"The engine {engine.name} takes {engine.options.__name__}, not {type(options).__name__}.")
    if absent := engine.missing(options):
        raise MissingError(absent[0])
    with ExitStack() as open_files:
        writer = open_files.enter_context(stem_folder(stems)) if stems else None
        request = engines.Request(brief, playing.seed, options, film=film, melody=playing.melody, stems=writer)
        return engine.generate(request, progress)


def _brief_for(clip: Clip, wishes: Wishes | Brief, progress: Progress) -> tuple[Brief, tuple[str, ...]]:
    """The brief to follow, and what could not be read of the film."""
    if isinstance(wishes, Wishes):
        facts = analyze(clip.path, progress)
        return write_brief(facts, wishes), facts.remarks
    if abs(wishes.duration - clip.duration) > 1 / clip.frame_rate:
        raise BriefError(
            f"duration: the brief is for {wishes.duration:.3f} s, but {clip.path} lasts {clip.duration:.3f} s;"
            " write a new brief for this film."
        )
    return complete(wishes), clip.remarks
