"""Music made here goes into the library: a FLAC file in the library's own folder, and a row that says what it was made for.

Its words are those of the brief, so that it is found again for another film of the same kind. Where the music follows the brief's tempo
map, beats and bars are known and not measured. The same music remembered twice is one track.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from reelscore.audio import Audio, write_audio
from reelscore.brief import Brief
from reelscore.errors import OutputError
from reelscore.library import Track, Written, open_library
from reelscore.listening import Heard, Pulse, listen, require_listening
from reelscore.outputs import refuse_unwritable
from reelscore.saying import undenied

FOLDER = "remembered"
OWN = "own"
_MOST_WORDS = 2000  # letters of a description


def require_memory() -> None:
    """Raises OutputError or InputError where the default library cannot take music, MissingError without librosa."""
    require_listening()
    with open_library(None, create=True) as library:
        refuse_unwritable(_home(library.folder) / "music.flac")


def remember(
    folder: Path | None,
    audio: Audio,
    brief: Brief,
    *,
    engine: str,
    seed: int,
    licence: str,
    attribution: str,
    film: Path | None,
    known_beats: bool,
) -> Track:
    """The track that the music has become, in the library of `folder` or the default one, which is made where there is none.

    An empty `licence` says that the music is the user's own. `known_beats` says that the music keeps to the brief's tempo map and key.
    Raises OutputError where nothing can be written, MissingError without librosa.
    """
    require_listening()
    with open_library(folder, create=True) as library:
        written = Written(
            title=title_of(brief, film),
            description=description_of(brief),
            tags=(*brief.tags.genres, *brief.tags.moods, *brief.tags.instruments),
            licence=licence or OWN,
            attribution=attribution,
            source=f"Reelscore, {engine}, seed {seed}",
        )
        follows = known_beats and brief.tempo_map is not None
        if follows:
            written = replace(written, tempo_bpm=brief.tempo_bpm, key=brief.key)
        with _kept(audio, _home(library.folder) / f"{engine}-{seed}-{_name(audio)}.flac") as path:
            heard = listen(path, near_bpm=brief.tempo_bpm)
            return library.put(path, _known(heard, brief) if follows else heard, written)


def title_of(brief: Brief, film: Path | None) -> str:
    """A title for people: "Calm ambient for holiday"."""
    named = " ".join((*brief.tags.moods[:1], *(brief.tags.genres[:1] or ("music",))))
    return named[:1].upper() + named[1:] + (f" for {film.stem}" if film else "")


def description_of(brief: Brief) -> str:
    """The brief in words: what the person wished for, its tags, and what each section was to be, nothing twice.

    What was not wanted is left out: who searches for drums must not find what has "no drums".
    """
    said = [
        undenied(brief.prompt),
        ", ".join((*brief.tags.moods, *brief.tags.genres)),
        f"with {', '.join(brief.tags.instruments)}" if brief.tags.instruments else "",
        *(undenied(section.instruction) for section in brief.sections),
    ]
    sentences = dict.fromkeys(text for each in said if (text := " ".join(each.split()).rstrip(".")))
    return ". ".join(sentences)[:_MOST_WORDS]


@contextmanager
def _kept(audio: Audio, path: Path) -> Iterator[Path]:
    """The file with the music; what was written for nothing is removed again."""
    if path.exists():
        yield path
        return
    write_audio(Audio(np.clip(audio.samples, -1.0, 1.0), audio.rate), path)
    try:
        yield path
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _home(library: Path) -> Path:
    """The folder beside the database for music made here."""
    home = library / FOLDER
    try:
        home.mkdir(exist_ok=True)
    except OSError as problem:
        raise OutputError(
            f"Cannot make the folder {home} ({problem.strerror}); give music another library."
        ) from problem
    return home


def _name(audio: Audio) -> str:
    """A name for this sound and no other."""
    digest = hashlib.sha256(np.ascontiguousarray(audio.samples).tobytes())
    digest.update(str(audio.rate).encode())
    return digest.hexdigest()[:12]


def _known(heard: Heard, brief: Brief) -> Heard:
    """What was heard, with beats, bars, key and final chord as they were written."""
    assert brief.tempo_map
    beats, downbeats = (np.array(times) for times in (brief.tempo_map.beats, brief.tempo_map.downbeats))
    pulse = Pulse(brief.tempo_bpm, beats[beats < heard.duration], downbeats[downbeats < heard.duration], confidence=1.0)
    endings = [cue.time for cue in brief.cues if cue.kind == "ending" and heard.begins < cue.time < heard.stops]
    ending = endings[-1] if endings else heard.ending
    return replace(heard, pulse=pulse, key=brief.key, key_confidence=1.0, ending=ending)
