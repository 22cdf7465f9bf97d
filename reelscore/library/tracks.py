"""What the library hands on: tracks, columns of all of them, what a person wrote, and what adding, searching and checking tell.

Times are seconds of the track's file, energy runs from 0 to 1 a step of `listening.ENERGY_STEP`. Texts are clean: on one
line, without orders to the terminal, and of a bounded length.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Ids: TypeAlias = npt.NDArray[np.int64]
Field: TypeAlias = Literal["description", "title", "both"]


@dataclass(frozen=True)
class Written:
    """What is said of a track in words, by a person or by the file's own tags; what is empty is not said."""

    title: str = ""
    artist: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    tempo_bpm: float | None = None
    key: str | None = None
    licence: str = ""
    attribution: str = ""
    source: str = ""


@dataclass(frozen=True, eq=False)
class Track:
    """One track: where it lies, what it is, and what was heard in it.

    `sha256` hashes the coded sound, whatever the file is called and however it is tagged. `licence` is a name that
    `parse_licences` knows, or empty where none is known; `licence_said` is how it was worded. `attribution` is the text that
    goes with the film: the person's, or one composed where the licence asks for one. `ending` is where the final chord
    begins, None without a real ending. `energy`, `beats` and `downbeats` are float32.
    """

    id: int
    path: Path
    sha256: str
    title: str
    description: str
    tags: tuple[str, ...]
    artist: str
    duration: float
    tempo_bpm: float | None
    key: str | None
    loudness_lufs: float
    energy: Floats
    beats: Floats
    downbeats: Floats
    begins: float
    stops: float
    ending: float | None
    licence: str
    licence_said: str
    attribution: str
    source: str


@dataclass(frozen=True, eq=False)
class Overview:
    """The numbers of every track, one column each and all in the same order, rising by id: to score thousands at once.

    What is not known is NaN (tempo_bpm, ending) or empty (key, licence). `energy` is the mean of a track's curve and
    `energy_spread` its standard deviation.
    """

    ids: Ids
    duration: Floats
    tempo_bpm: Floats
    loudness_lufs: Floats
    begins: Floats
    stops: Floats
    ending: Floats
    energy: Floats
    energy_spread: Floats
    key: npt.NDArray[np.str_]
    licence: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return int(self.ids.size)


@dataclass(frozen=True)
class Refused:
    """A file that did not come into the library, and why, in one sentence that names it."""

    path: Path
    why: str


@dataclass(frozen=True)
class Added:
    """What an `add` did; every file that was looked at is in one place only.

    `added` are new tracks by id; `known` were there already, unchanged; `updated` are known tracks about which something new
    was written or tagged; `moved` are tracks found again at another place; `duplicates` are files with the sound of a
    track that lies elsewhere too. `no_sound` counts files of folders that are no sound at all. `remarks` tell what of a
    sheet was not used.
    """

    added: tuple[int, ...] = ()
    known: tuple[Path, ...] = ()
    updated: tuple[int, ...] = ()
    moved: tuple[int, ...] = ()
    duplicates: tuple[Path, ...] = ()
    refused: tuple[Refused, ...] = ()
    no_sound: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether no file that was given is in the library now."""
        return not (self.added or self.known or self.updated or self.moved or self.duplicates)


@dataclass(frozen=True)
class Wanted:
    """What tracks must be, to be found; what is empty is open. Ranges are (least, most), both allowed.

    `licences` are names that `parse_licences` gives; a track whose licence is not known has none of them. A track whose
    tempo, key or tags are not known does not pass where they are asked for.
    """

    licences: frozenset[str] = field(default_factory=frozenset)
    tempo_bpm: tuple[float, float] | None = None
    duration: tuple[float, float] | None = None
    key: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """A track that a search found, and how well its words fit: 1 for the best, above 0 for all; 1 where no words were asked."""

    track: Track
    score: float


Complaint: TypeAlias = Literal["missing", "moved", "changed", "damaged", "rights", "words"]


@dataclass(frozen=True)
class Trouble:
    """Something about a track that a check found; `mended` where the check put it right, `grave` where the track cannot be used."""

    id: int
    path: Path
    kind: Complaint
    told: str
    mended: bool = False

    @property
    def grave(self) -> bool:
        return not self.mended and self.kind in ("missing", "changed", "damaged")
