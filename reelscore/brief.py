"""The brief: what the music must do, as a plain JSON file that a person can read, edit and feed back.

Times are seconds from the first frame. Energy and tension run from 0 to 1, valence and arousal from −1 to 1.
Sections follow one another without gaps from 0 to `duration`; cues are sorted by time. Unknown fields are errors.
"""

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from reelscore.errors import BriefError
from reelscore.outputs import write_text
from reelscore.tempo import TempoMap
from reelscore.vocabulary import FAMILIES, GENRES, INSTRUMENTS, MOODS

MOST_CUES_A_SECOND = 20  # far more than anybody can hear, and what is still planned in a moment
TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_RESPELT = {"C#": "Db", "D#": "Eb", "Gb": "F#", "G#": "Ab", "A#": "Bb", "Cb": "B", "B#": "C", "Fb": "E", "E#": "F"}
MODES = ("major", "mixolydian", "lydian", "dorian", "minor", "phrygian")
_SAME_MODE = {"ionian": "major", "aeolian": "minor", "maj": "major", "min": "minor", "": "major"}


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class 0 to 11, C is 0) and a mode of `MODES`; written as in "F# minor"."""

    tonic: int
    mode: str

    def __str__(self) -> str:
        return f"{TONICS[self.tonic]} {self.mode}"

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Reads "A minor", "Am", "f# dorian", "Eb". Raises ValueError with the remedy."""
        match = re.fullmatch(r"\s*([A-Ga-g])([#b♯♭]?)\s*-?\s*([A-Za-z]*)\s*", text)
        if match:
            letter, accidental, mode = match.groups()
            name = letter.upper() + accidental.replace("♯", "#").replace("♭", "b")
            mode = "minor" if mode == "m" else mode.lower()
            mode = _SAME_MODE.get(mode, mode)
            name = _RESPELT.get(name, name)
            if name in TONICS and mode in MODES:
                return cls(TONICS.index(name), mode)
        raise ValueError(f"{text!r} is not a key; write a tonic and a mode ({', '.join(MODES)}), as in 'A minor'")


def _known_key(text: str) -> str:
    return str(Key.parse(text))


def _known(kind: str, table: dict[str, Any]) -> AfterValidator:
    """A validator for strings that must be names in `table`."""

    def check(name: str) -> str:
        if name not in table:
            near = get_close_matches(name, table, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(table)}"
            raise ValueError(f"{name!r} is no {kind} of the vocabulary; {hint}")
        return name

    return AfterValidator(check)


AVOIDABLE: dict[str, Any] = {**INSTRUMENTS, **FAMILIES, **GENRES, **MOODS}
GenreName = Annotated[str, _known("genre", GENRES)]
MoodName = Annotated[str, _known("mood", MOODS)]
InstrumentName = Annotated[str, _known("instrument", INSTRUMENTS)]
AvoidableName = Annotated[str, _known("instrument, family, genre or mood", AVOIDABLE)]

Unit = Annotated[float, Field(ge=0, le=1)]
Signed = Annotated[float, Field(ge=-1, le=1)]
Time = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Film(_Written):
    """The film that the brief was written for, and the hash of its coded picture, by which it is known again."""

    path: str
    frame_rate: Annotated[float, Field(gt=0)]
    picture_sha256: str


class Tags(_Written):
    """Names from the vocabulary, the most important first; what is in `avoid` never sounds."""

    genres: tuple[GenreName, ...] = ()
    moods: tuple[MoodName, ...] = ()
    instruments: tuple[InstrumentName, ...] = ()
    avoid: tuple[AvoidableName, ...] = ()

    def avoids(self, instrument: str) -> bool:
        """Whether `avoid` rules out this instrument, by its name or by a family that it belongs to."""
        return any(name == instrument or instrument in FAMILIES.get(name, ()) for name in self.avoid)


class Section(_Written):
    """A stretch of music with one task in the form; sections with the same letter share their material."""

    start: Time
    end: Time
    letter: str = "A"
    role: Literal["intro", "theme", "build", "climax", "breakdown", "outro"] = "theme"
    energy: Unit = 0.5
    valence: Signed = 0.0
    arousal: Signed = 0.0
    tension: Unit = 0.2
    instruction: Annotated[str, Field(max_length=1000)] = ""
    """What an engine that reads words is told of this stretch, beside the brief's tags, key and tempo."""


class Cue(_Written):
    """A moment that the music must hit, and where the tempo map puts it: on a downbeat, on a beat, or between (free)."""

    time: Time
    strength: Unit = 0.5
    kind: Literal["scene", "cut", "motion", "person", "ending"] = "person"
    grid: Literal["downbeat", "beat", "free"] = "free"


class Span(_Written):
    """A stretch of time."""

    start: Time
    end: Time


class Brief(_Written):
    """What the music must do. Without `tempo_map`, one is planned from `tempo_bpm` and the cues when the brief is used."""

    duration: Annotated[float, Field(gt=0, le=6 * 3600, allow_inf_nan=False)]
    film: Film | None = None
    prompt: str = ""
    tags: Tags = Tags()
    key: Annotated[str, AfterValidator(_known_key)] = "C major"
    tempo_bpm: Annotated[float, Field(ge=30, le=240)] = 96.0
    beats_per_bar: Literal[3, 4] = 4
    tempo_map: TempoMap | None = None
    sections: tuple[Section, ...] = ()
    cues: tuple[Cue, ...] = ()
    speech: tuple[Span, ...] = ()
    not_understood: tuple[str, ...] = ()
    sources: dict[str, str] = {}

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        slack = 1e-6
        edge = 0.0
        for number, section in enumerate(self.sections):
            if abs(section.start - edge) > slack or section.end <= section.start:
                raise ValueError(
                    f"sections.{number}: runs from {section.start} to {section.end} s, but must start where the one before ends ({edge} s)"
                )
            edge = section.end
        if self.sections and abs(edge - self.duration) > slack:
            raise ValueError(f"sections: the last ends at {edge} s, the film at {self.duration} s")
        for number, (cue, after) in enumerate(zip(self.cues, self.cues[1:], strict=False)):
            if after.time < cue.time:
                raise ValueError(
                    f"cues.{number + 1}.time: {after.time} s comes before the cue above it; sort the cues by time"
                )
        if len(self.cues) > MOST_CUES_A_SECOND * max(self.duration, 1.0):
            raise ValueError(
                f"cues: {len(self.cues)} are too many for {self.duration} s; give at most {MOST_CUES_A_SECOND} for each second"
            )
        if self.cues and self.cues[-1].time > self.duration:
            raise ValueError(
                f"cues.{len(self.cues) - 1}.time: {self.cues[-1].time} s lies after the end ({self.duration} s)"
            )
        for number, span in enumerate(self.speech):
            if not span.start < span.end <= self.duration + slack:
                raise ValueError(
                    f"speech.{number}: {span.start} to {span.end} s is no stretch of the film ({self.duration} s)"
                )
        if self.tempo_map is not None:
            if self.tempo_map.end < self.duration - slack:
                raise ValueError(
                    f"tempo_map: ends at {self.tempo_map.end} s, before the film ({self.duration} s); remove tempo_map to have it planned anew"
                )
            if abs(self.tempo_map.tempo_bpm / self.tempo_bpm - 1) > 0.2:
                raise ValueError(
                    f"tempo_bpm: {self.tempo_bpm} does not agree with the tempo map ({self.tempo_map.tempo_bpm:.1f}); remove tempo_map to have it planned anew"
                )
        return self

    def avoids(self, instrument: str) -> bool:
        """Whether the person wants this instrument never to sound."""
        return self.tags.avoids(instrument)


@dataclass(frozen=True)
class Wishes:
    """What the person asks for. It always wins over what was inferred; whatever is empty is left to the film.

    Names of genres, moods and instruments may be synonyms; `avoid` also takes families such as "drums".
    """

    prompt: str = ""
    genres: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    tempo_bpm: float | None = None
    key: str | None = None
    cues: tuple[float, ...] = ()


def read_brief(path: Path) -> Brief:
    """Reads a brief from JSON. Raises BriefError, which names the field and says what would be right."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise BriefError(f"The brief {path} cannot be read: {problem}.") from problem
    return parse_brief(text, str(path))


def parse_brief(text: str, name: str = "the brief") -> Brief:
    """Reads a brief from JSON text; `name` is what messages call it. Raises BriefError."""
    try:
        return Brief.model_validate_json(text)
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            near = " or ".join(map(repr, get_close_matches(str(first["loc"][-1]), _field_names(), 2)))
            message = f"there is no such field{f'; did you mean {near}?' if near else ''}"
        raise BriefError(f"{name}: {field + ': ' if field else ''}{message}") from problem


def _field_names() -> list[str]:
    return sorted(
        {field for model in (Brief, Film, Tags, Section, Cue, Span, TempoMap) for field in model.model_fields}
    )


def write_brief(brief: Brief, path: Path) -> None:
    """Writes a brief as indented JSON, whole or not at all."""
    write_text(path, brief_json(brief))


def brief_json(brief: Brief) -> str:
    """A brief as JSON for people: indented, but lists of numbers on one line."""
    text = json.dumps(brief.model_dump(mode="json"), indent=2, ensure_ascii=False)
    return (
        re.sub(
            r"\[\s+(-?[\d.e+-]+(?:,\s+-?[\d.e+-]+)*)\s+\]",
            lambda found: "[" + re.sub(r"\s+", " ", found.group(1)) + "]",
            text,
        )
        + "\n"
    )
