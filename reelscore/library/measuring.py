"""What is done with one file: a look at what it is and says, and listening to it.

Both are tasks that other processes can be given; they raise MediaError for a file that cannot be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reelscore.errors import MediaError
from reelscore.library.store import Place
from reelscore.library.tracks import Written
from reelscore.library.words import from_tags
from reelscore.listening import Heard, listen

# Endings of names. Those of sound are told of where they cannot be read; those of films may hold sound alone, and are
# passed over where they do not. Nothing else in a folder is opened.
_SOUND = (
    "aac ac3 adts aif aifc aiff amr ape au caf dts eac3 ec3 flac m4a m4b m4r mka mp1 mp2 mp3 mpga oga ogg opus ra snd spx thd "
    "tta voc w64 wav wave weba wma wv"
)
_FILM = "3g2 3gp asf avi f4v flv m2ts m4v mkv mov mp4 mpeg mpg mts nut ogv ogx rm ts webm wmv"
SOUND_SUFFIXES = frozenset(f".{kind}" for kind in _SOUND.split())
FILM_SUFFIXES = frozenset(f".{kind}" for kind in _FILM.split())


@dataclass(frozen=True)
class Looked:
    """A file at a glance: as it is, the hash of its coded sound, and what its tags say."""

    place: Place
    sha256: str
    tagged: Written


@dataclass(frozen=True)
class Look:
    """Looks at a file; None where it is no sound and nobody said that it is. `named` says that a person did."""

    path: Path
    named: bool

    def do(self) -> Looked | None:
        says_sound = self.named or self.path.suffix.lower() in SOUND_SUFFIXES
        try:
            return self._looked(readable(self.path), says_sound)
        except MediaError:
            if says_sound:
                raise
            return None

    def _looked(self, place: Place, says_sound: bool) -> Looked | None:
        from reelscore.media import sound_sha256, sound_tags
        from reelscore.media.finished import holds_picture

        try:
            if holds_picture(self.path) and not says_sound:
                return None
            return Looked(place, sound_sha256(self.path), from_tags(sound_tags(self.path)))
        except MediaError as problem:
            raise MediaError(
                f"{self.path} cannot be read as sound: it holds none, is damaged from the start, or is another kind of file."
            ) from problem


@dataclass(frozen=True)
class Listen:
    """Listens to a file that was looked at; of the tempi that fit, the one near `near_bpm` counts.

    `again` is the track that is known already and only heard anew.
    """

    looked: Looked
    near_bpm: float | None
    again: int | None = None

    @property
    def path(self) -> Path:
        return self.looked.place.path

    def do(self) -> Heard:
        return listen(self.path, near_bpm=self.near_bpm)


def may_be_sound(path: Path) -> bool:
    """Whether a file that lies in a folder is worth opening."""
    return path.suffix.lower() in SOUND_SUFFIXES | FILM_SUFFIXES


def readable(path: Path) -> Place:
    """The file as it is now. Raises MediaError where it is not there, no file, empty, or may not be read."""
    try:
        place = Place.of(path)
        if not path.is_file():  # a pipe would never end
            raise MediaError(f"{path} is no file of sound; give sound files or folders.")
        with path.open("rb"):
            pass
    except FileNotFoundError as problem:
        what = "is a link to a file that is not there" if path.is_symlink() else "does not exist"
        raise MediaError(f"{path} {what}; check its name.") from problem
    except (OSError, ValueError) as problem:
        reason = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
        raise MediaError(f"{path} cannot be read ({reason}); check its permissions and its name.") from problem
    if not place.size:
        raise MediaError(f"{path} is empty; copy it again.")
    return place
