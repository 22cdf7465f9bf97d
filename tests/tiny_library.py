"""A library of a few short tracks with everything about them known, made in a moment: struck chords on steady beats, with a real ending.

    tiny_library(folder)                    eight of them, of different tempo, words, energy and licence
    a_track(tempo_bpm=96, ...)              one as the library would tell of it, without a file
    struck(tempo_bpm, duration, ...)        the sound of one

They are put into the library as they were made, so nothing has to be listened to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reelscore.audio import Audio, Samples, write_audio
from reelscore.library import Track, Written, open_library
from reelscore.listening import ENERGY_STEP, Heard, Pulse

RATE = 22_050
FIRST_BEAT, RING = 0.1, 2.0
CHORDS = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (9, 12, 16))  # one a bar, in semitones above C


@dataclass(frozen=True)
class Made:
    """One track of the library, and what is true of it."""

    title: str
    description: str
    tags: tuple[str, ...]
    tempo_bpm: float
    licence: str
    artist: str = "Ada"
    energy: tuple[float, ...] = (0.3, 0.8, 0.5)


MADE = (
    Made("Harbour at Dawn", "calm waves over a quiet harbour, piano", ("calm", "sea"), 72.0, "cc0"),
    Made("Long Way Home", "a cheerful walk through autumn fields with guitar", ("happy", "folk"), 96.0, "CC BY 4.0"),
    Made("The Vault", "dark corridors, someone is following, strings", ("tense", "dark"), 84.0, "own"),
    Made("Garage Days", "loud rock with drums and a broken amplifier", ("rock", "loud"), 140.0, "CC BY-NC 4.0"),
    Made("Glacier", "ice and endless silence in the mountains", ("ambient", "slow"), 60.0, ""),
    Made("Neon Mile", "night drive through a glowing city", ("synthwave", "retro"), 100.0, "cc0", "Bo"),
    Made("Slapstick", "a clumsy cat steals the fish", ("comedy", "playful"), 128.0, "public domain"),
    Made("Last Stand", "armies gather before the battle, brass", ("epic", "heroic"), 120.0, "CC BY-SA 3.0"),
)


def tiny_library(folder: Path, made: Sequence[Made] = MADE, duration: float = 12.0) -> Path:
    """The library's folder, filled; the tracks lie in `folder`/tracks."""
    tracks = folder / "tracks"
    tracks.mkdir(parents=True)
    with open_library(folder, create=True) as library:
        for number, each in enumerate(made):
            path = tracks / f"{number}.flac"
            write_audio(Audio(struck(each.tempo_bpm, duration, each.energy, seed=number), RATE), path)
            written = Written(
                title=each.title,
                artist=each.artist,
                description=each.description,
                tags=each.tags,
                tempo_bpm=each.tempo_bpm,
                licence=each.licence,
                source="a test",
            )
            library.put(path, heard(each.tempo_bpm, duration, each.energy), written)
    return folder


def heard(tempo_bpm: float, duration: float, energy: Sequence[float]) -> Heard:
    """What is heard in `struck`."""
    beats = beats_of(tempo_bpm, duration)
    return Heard(
        duration=duration,
        pulse=Pulse(tempo_bpm, beats, beats[::4], 1.0),
        key="C major",
        key_confidence=1.0,
        loudness_lufs=-18.0,
        energy=curve(duration, energy),
        begins=FIRST_BEAT,
        stops=duration,
        ending=float(beats[::4][-1]),
    )


def beats_of(tempo_bpm: float, duration: float) -> np.ndarray:
    """The beats, the last of them that of the final chord, which begins a bar and rings for about `RING`."""
    step = 60.0 / tempo_bpm
    bars = max(1, int((duration - RING - FIRST_BEAT) / (4 * step)))
    return FIRST_BEAT + step * np.arange(4 * bars + 1)


def curve(duration: float, energy: Sequence[float]) -> np.ndarray:
    """The energy at each step of a track that takes these levels one after another."""
    steps = max(1, round(duration / ENERGY_STEP))
    return np.array([energy[step * len(energy) // steps] for step in range(steps)])


def struck(
    tempo_bpm: float, duration: float, energy: Sequence[float] = (0.5,), seed: int = 0, late: float = 0.0
) -> Samples:
    """The sound, (2, n) at `RATE`: a click and a chord on every beat, each bar its own, as loud as its energy; the last one rings.

    From the middle on every beat comes `late` by that many seconds.
    """
    clock = np.arange(round(duration * RATE)) / RATE
    sound = np.zeros((2, len(clock)))
    noise = np.random.default_rng(seed).standard_normal(RATE // 50)
    beats = beats_of(tempo_bpm, duration)
    levels = curve(duration, energy)
    for number, beat in enumerate(beats):
        at = beat + (late if number >= len(beats) // 2 else 0.0)
        level = 0.1 + 0.3 * levels[min(int(beat / ENERGY_STEP), len(levels) - 1)]
        length = RING if number == len(beats) - 1 else 60.0 / tempo_bpm
        inside = (clock >= at) & (clock < at + length)
        since = clock[inside] - at
        for place, note in enumerate(CHORDS[(number // 4 + seed) % 4 if number < len(beats) - 1 else 0]):
            tone = np.sin(2 * np.pi * 261.63 * 2 ** (note / 12) * since) * np.exp(-4 * since / length)
            sound[place % 2, inside] += level / 3 * tone
        click = round(at * RATE)
        room = min(len(noise), sound.shape[1] - click)
        sound[:, click : click + room] += level * noise[:room] * np.exp(-np.arange(room) / 60)
    return np.clip(sound, -1, 1).astype(np.float32)


def a_track(
    tempo_bpm: float | None = 96.0,
    duration: float = 120.0,
    energy: Sequence[float] = (0.5,),
    *,
    ending: bool = True,
    number: int = 1,
    **said: object,
) -> Track:
    """A track that lies nowhere; without a tempo it has no beats."""
    beats = beats_of(tempo_bpm, duration) if tempo_bpm else np.zeros(0)
    return Track(
        **{
            "id": number,
            "path": Path("nowhere.flac"),
            "sha256": "",
            "title": "A Track",
            "description": "",
            "tags": (),
            "artist": "",
            "duration": duration,
            "tempo_bpm": tempo_bpm,
            "key": None,
            "loudness_lufs": -14.0,
            "energy": curve(duration, energy).astype(np.float32),
            "beats": beats.astype(np.float32),
            "downbeats": beats[::4].astype(np.float32),
            "begins": FIRST_BEAT,
            "stops": duration,
            "ending": (float(beats[::4][-1]) if tempo_bpm else duration - RING) if ending else None,
            "licence": "",
            "licence_said": "",
            "attribution": "",
            "source": "",
            **said,
        }
    )
