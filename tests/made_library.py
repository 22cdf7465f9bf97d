"""A folder of real tracks for the library: composed and played, in many formats, with everything about them known.

Among them are one that is damaged, one that is empty, one without rights and one with the sound of another; and what is no
sound at all. Made once for each run of the tests.
"""

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from reelscore.audio import Audio
from reelscore.brief import Brief, Section, Tags
from reelscore.compose import compose
from reelscore.library.store import Place, Store
from reelscore.library.tracks import Written
from reelscore.listening import Heard, Pulse
from reelscore.media import encode_sound
from reelscore.sound import render
from reelscore.tempo import TempoMap
from reelscore.vocabulary import GENRES

RATE = 24_000
SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".m4a", ".opus")
LICENCES = (
    "cc0",
    "CC BY 4.0",
    "own",
    "https://creativecommons.org/licenses/by-nc/4.0/",
    "public domain",
    "CC BY-SA 3.0",
)
NORMALISED = ("cc0", "cc-by", "own", "cc-by-nc", "public-domain", "cc-by-sa")
KEYS = ("A minor", "C major", "D minor", "Eb major", "F# minor", "G major", "E minor")
# A title and the words of each track; every track's own words are in no other's description.
PIECES = (
    ("Harbour at Dawn", "cinematic", "calm waves and gulls over a quiet harbour", ("calm", "sea")),
    ("Long Way Home", "folk", "a cheerful walk through autumn fields", ("happy", "guitar")),
    ("The Vault", "suspense", "dark corridors, someone is following", ("tense", "dark")),
    ("Quarterly Growth", "corporate", "optimistic meeting, clean office, success", ("positive", "business")),
    ("Neon Mile", "synthwave", "night drive through a glowing city", ("retro", "night")),
    ("Slapstick", "comedy", "a clumsy cat steals the fish", ("funny", "playful")),
    ("Last Stand", "epic", "armies gather before the battle", ("heroic", "battle")),
    ("Rain on Glass", "lo-fi", "studying by the window while it rains", ("rain", "study")),
    ("Two Letters", "solo piano", "sad farewell, an empty room", ("sad", "piano")),
    ("Blue Corner", "jazz", "smoky bar after midnight", ("smooth", "bar")),
    ("Street Corner", "hip-hop", "kids dancing on the pavement", ("urban", "dance")),
    ("Glacier", "ambient", "ice and endless silence in the mountains", ("slow", "ice")),
    ("Heatwave", "funk", "beach party in the blazing sun", ("summer", "party")),
    ("Minuet", "classical", "a palace ball with candles", ("elegant", "strings")),
    ("Garage Days", "rock", "loud guitars and a broken amplifier", ("loud", "youth")),
    ("Countdown", "electronic", "robots assemble machines in a factory", ("machine", "future")),
)  # fmt: skip
LENGTHS = (6.0, 8.0, 5.0, 10.0, 7.0)


@dataclass(frozen=True)
class Piece:
    """One track of the folder, and what is true of it."""

    path: Path
    title: str
    genre: str
    description: str
    tags: tuple[str, ...]
    tempo_bpm: float
    key: str
    duration: float
    licence: str
    normalised: str
    artist: str


@dataclass(frozen=True)
class MadeLibrary:
    """The folder; its good tracks; a sheet with their words beside it; and the files that are special."""

    folder: Path
    sheet: Path
    pieces: tuple[Piece, ...]
    damaged: Path
    empty: Path
    without_rights: Path
    duplicate: Path
    no_sound: tuple[Path, ...]

    @property
    def new_tracks(self) -> int:
        """How many tracks come into a library from this folder: the pieces and the one without rights."""
        return len(self.pieces) + 1


def made_library(folder: Path, count: int = 24) -> MadeLibrary:
    """Makes the folder. Tags in the files say title, artist, tempo and licence; the sheet adds descriptions, tags and keys."""
    tracks = folder / "tracks"
    (tracks / "more").mkdir(parents=True)
    pieces = tuple(_piece(tracks, number) for number in range(count))
    sheet = folder / "tracks.csv"
    with sheet.open("w", newline="", encoding="utf-8") as opened:
        table = csv.writer(opened)
        table.writerow(["file", "description", "tags", "key"])
        for piece in pieces:
            name = piece.path.relative_to(folder)
            table.writerow([name.as_posix(), piece.description, ", ".join(piece.tags), piece.key])
    damaged, empty = tracks / "damaged.mp3", tracks / "empty.wav"
    damaged.write_bytes(np.random.default_rng(1).integers(0, 256, 20_000).astype(np.uint8).tobytes())
    empty.write_bytes(b"")
    without = tracks / "without rights.flac"
    encode_sound([played("cinematic", 84.0, "B minor", 6.0, 99).samples], RATE, without)
    duplicate = tracks / "more" / f"the same{pieces[0].path.suffix}"
    shutil.copyfile(pieces[0].path, duplicate)
    (tracks / "notes.txt").write_text("Bought these on Tuesday.\n")
    (tracks / "cover.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    return MadeLibrary(
        folder, sheet, pieces, damaged, empty, without, duplicate, (tracks / "notes.txt", tracks / "cover.png")
    )


def _piece(folder: Path, number: int) -> Piece:
    title, genre, description, tags = PIECES[number % len(PIECES)]
    again = number // len(PIECES)
    title, description = (f"{title} {again + 1}", f"{description}, once more") if again else (title, description)
    low, high = GENRES[genre].tempo_bpm
    tempo_bpm = float(round(low + (high - low) * (0.3 + 0.4 * (number % 3) / 2)))
    key, duration = KEYS[number % len(KEYS)], LENGTHS[number % len(LENGTHS)]
    licence, normalised = LICENCES[number % len(LICENCES)], NORMALISED[number % len(LICENCES)]
    path = (
        folder
        / ("more" if number % 4 == 3 else "")
        / f"{number:02}_{title.replace(' ', '_')}{SUFFIXES[number % len(SUFFIXES)]}"
    )
    artist = f"Player {number % 5}"
    bare = path.with_name(f".bare{path.suffix}")
    encode_sound([played(genre, tempo_bpm, key, duration, number).samples], RATE, bare)
    retagged(bare, path, title=title, artist=artist, copyright=licence, genre=genre)
    bare.unlink()
    return Piece(path, title, genre, description, tags, tempo_bpm, key, duration, licence, normalised, artist)


def played(genre: str, tempo_bpm: float, key: str, duration: float, seed: int) -> Audio:
    """A piece in four-four at a steady tempo from its first sample on, in two sections, at a rate that costs little."""
    half = duration / 2
    brief = Brief(
        duration=duration,
        tags=Tags(genres=(genre,)),
        key=key,
        tempo_bpm=tempo_bpm,
        tempo_map=TempoMap.steady(tempo_bpm, duration + 4),
        sections=(
            Section(start=0, end=half, letter="A", role="intro", energy=0.35),
            Section(start=half, end=duration, letter="A", role="climax", energy=0.9),
        ),
    )
    return render(compose(brief, seed), rate=RATE, seed=seed)


def retagged(source: Path, target: Path, **tags: str) -> Path:
    """The same coded sound in a file of the same kind, with these tags."""
    with av.open(str(source)) as read, av.open(str(target), "w", format=_muxer(target)) as written:
        stream = read.streams.audio[0]
        copy = written.add_stream_from_template(stream)
        written.metadata.update(tags)
        copy.metadata.update(tags if target.suffix in (".ogg", ".opus") else {})
        for packet in read.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                written.mux(packet)
    return target


def _muxer(path: Path) -> str:
    return {".m4a": "ipod", ".ogg": "ogg", ".opus": "opus"}.get(path.suffix, path.suffix[1:])


def heard(
    duration: float = 60.0,
    tempo_bpm: float = 120.0,
    key: str = "C major",
    energy: float = 0.5,
    ending: float | None = None,
) -> Heard:
    """What might have been heard in a track: steady beats, energy that rises from nothing to twice the mean."""
    beats = np.arange(0.0, duration, 60.0 / tempo_bpm)
    rising = np.linspace(0.0, 2 * energy, max(1, round(2 * duration)))
    return Heard(
        duration=duration,
        pulse=Pulse(tempo_bpm, beats, beats[::4], 0.9),
        key=key,
        key_confidence=0.8,
        loudness_lufs=-16.0,
        energy=np.clip(rising, 0.0, 1.0),
        begins=0.0,
        stops=duration,
        ending=ending,
    )


def stocked(folder: Path, count: int, seed: int = 0) -> Path:
    """A library of so many made-up tracks without files, put straight into its database; the words are of `PIECES`."""
    chance = np.random.default_rng(seed)
    said = [word for _, _, description, tags in PIECES for word in (*description.replace(",", "").split(), *tags)]
    said = [
        word for word in said if word not in ("a", "and", "at", "by", "is", "it", "of", "on", "over", "the", "while")
    ]
    store = Store(folder, create=True)
    with store.writing():
        for number in range(count):
            words = Written(
                title=f"{PIECES[number % len(PIECES)][0]} {number}",
                artist=f"Player {number % 97}",
                description=" ".join(chance.choice(said, 12)),
                tags=tuple(dict.fromkeys(chance.choice(said, 4).tolist())),
                tempo_bpm=float(chance.uniform(60, 180)),
                key=KEYS[number % len(KEYS)],
                licence=LICENCES[number % len(LICENCES)],
            )
            sound = heard(
                float(chance.uniform(30, 300)), words.tempo_bpm or 120.0, energy=float(chance.uniform(0, 0.5))
            )
            place = Place(folder / f"made up {number}.wav", 1000, number)
            store.insert(f"{number:064x}", place, sound, words, frozenset({"description"}))
    store.close()
    return folder


def tone(path: Path, pitch: float = 220.0, duration: float = 0.4, **tags: str) -> Path:
    """A short tone, whose sound no other pitch has; enough for whoever does not listen to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.2 * np.sin(2 * np.pi * pitch * np.arange(round(duration * 48_000)) / 48_000)
    bare = path.with_name(f".bare {path.stem}{path.suffix}")
    encode_sound([np.tile(wave.astype(np.float32), (2, 1))], 48_000, bare)
    retagged(bare, path, **tags)
    bare.unlink()
    return path
