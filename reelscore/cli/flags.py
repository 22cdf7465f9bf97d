"""What the verbs take: groups of flags, each a frozen dataclass whose fields are flags and whose docstrings are their help."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from reelscore.brief import Wishes
from reelscore.errors import InputError

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
            genres=split(self.genres),
            moods=split(self.moods),
            instruments=split(self.instruments),
            avoid=split(self.avoid),
            tempo_bpm=self.tempo,
            key=self.key,
            cues=read_times(self.cues) if self.cues else (),
        )


@dataclass(frozen=True)
class Watching:
    """Which model looks at the film."""

    captioner: str = ""
    """Describe each scene in words first: a captioner of `reelscore models list`, a Hugging Face id, or a folder."""


@dataclass(frozen=True)
class Writing:
    """Which model helps to write the brief."""

    llm: str = ""
    """A language model that suggests tags: one of `reelscore models list`, a Hugging Face id, a folder, or http://… of a server."""
    llm_model: str = ""
    """The model's name at that server; left out, the first that it has."""
    llm_timeout: float = 60.0
    """Seconds after which the rules answer in its place."""
    detail: Literal["simple", "brief", "long"] | None = None
    """Write each section an instruction for engines that read words (musicgen, match): its caption, at most 30 words, or at most 50; these engines have brief where it is left out."""


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
    """A tune to build on: a MIDI file for compose, a recording for sonique and for musicgen's melody models; vidmuse and match take none."""


@dataclass(frozen=True)
class Beside:
    """What is written beside the film."""

    stems: Stems = None
    midi: Midi = None
    save_brief: Path | None = None
    """The brief that was followed, as JSON."""
    report: Path | None = None
    """What was asked and what was measured in the finished file, as JSON; a timeline picture (PNG) goes beside it."""
    remember: bool = False
    """Add the music to the library that the engine match chooses from, described by its brief."""


def split(words: tuple[str, ...]) -> tuple[str, ...]:
    """Names given by commas, by repeated flags, or both."""
    return tuple(word.strip() for token in words for word in token.split(",") if word.strip())


def read_times(path: Path) -> tuple[float, ...]:
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
