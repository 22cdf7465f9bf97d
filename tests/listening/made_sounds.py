"""Sounds whose beats, keys and endings are known because they were made so."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples
from reelscore.brief import Brief, Section, Tags
from reelscore.compose import compose
from reelscore.sound import render
from reelscore.spotting import complete

Floats = npt.NDArray[np.float64]
RATE = 32_000


def struck(times: Floats, seconds: float, rate: int = RATE, pitch_hz: float = 0.0, gain: float = 0.3) -> Samples:
    """(1, n): at each time a stroke, of noise or of a pitch, that dies away in a tenth of a second."""
    sound = np.zeros(round(seconds * rate))
    along = np.arange(round(0.15 * rate)) / rate
    noise = np.random.default_rng(0).standard_normal(len(along))
    stroke = gain * (np.sin(2 * np.pi * pitch_hz * along) if pitch_hz else noise) * np.exp(-25 * along)
    for time in times[(times >= 0) & (times < seconds)]:
        part = sound[round(time * rate) :][: len(stroke)]
        part += stroke[: len(part)]
    return sound[None].astype(np.float32)


def drums(tempo_bpm: float, seconds: float, beats_per_bar: int = 4, start: float = 0.0, rate: int = RATE) -> Samples:
    """Bass drum on the first of each bar (and the third of four), snare on the others, hi-hat on every half beat."""
    beat = 60 / tempo_bpm
    beats = start + np.arange(0, seconds, beat)
    place = np.arange(len(beats)) % beats_per_bar
    low = place % 2 == 0 if beats_per_bar == 4 else place == 0
    halves = start + np.arange(0, seconds, beat / 2)
    parts = (struck(beats[low], seconds, rate, 55.0, 0.6), struck(beats[~low], seconds, rate))
    return parts[0] + parts[1] + struck(halves, seconds, rate, gain=0.05)


def pad(pitches: tuple[int, ...], seconds: float, rate: int = RATE) -> Samples:
    """Held notes (MIDI numbers) with some partials."""
    along = np.arange(round(seconds * rate)) / rate
    sound = np.zeros(len(along))
    for pitch in pitches:
        for partial in (1, 2, 3):
            sound += np.sin(2 * np.pi * partial * 440 * 2 ** ((pitch - 69) / 12) * along) / partial
    return (0.05 * sound / len(pitches))[None].astype(np.float32)


def chords(roots: tuple[int, ...], minor: tuple[bool, ...], seconds: float, rate: int = RATE) -> Samples:
    """Triads over their roots (MIDI numbers), each for so many seconds, on an attack that dies away."""
    pieces = []
    for root, is_minor in zip(roots, minor, strict=True):
        chord = pad((root - 12, root, root + (3 if is_minor else 4), root + 7), seconds, rate)
        pieces.append(chord * np.exp(-1.5 * np.arange(chord.shape[1]) / rate).astype(np.float32) * 4)
    return np.concatenate(pieces, axis=1)


@dataclass(frozen=True, eq=False)
class Composed:
    """A piece of the composer's: its sound at `RATE`, its beats and bars, its key and where its sections' energies lie."""

    sound: Samples
    beats: Floats
    downbeats: Floats
    tempo_bpm: float
    key: str
    last_note: float


@cache
def composed(genre: str, tempo_bpm: float, key: str, seconds: float = 24.0) -> Composed:
    """A piece with a calm third, and two thirds of more energy."""
    brief = complete(
        Brief(
            duration=seconds,
            tags=Tags(genres=(genre,)),
            tempo_bpm=tempo_bpm,
            key=key,
            sections=(
                Section(start=0.0, end=seconds / 3, letter="A", energy=0.25),
                Section(start=seconds / 3, end=seconds, letter="B", energy=0.9),
            ),
        )
    )
    assert brief.tempo_map is not None
    score = compose(brief, 1)
    sound = render(score, rate=RATE, seed=1).samples
    inside = [
        np.array([time for time in times if time < seconds])
        for times in (brief.tempo_map.beats, brief.tempo_map.downbeats)
    ]
    last = max(note.start for part in score.parts for note in part.notes)
    return Composed(sound, inside[0], inside[1], brief.tempo_map.tempo_bpm, key, last)


def agreement(found: Floats, true: Floats, within: float) -> float:
    """The F-measure of times: each true one is met at most once."""
    met, at = 0, 0
    for time in true:
        while at < len(found) and found[at] < time - within:
            at += 1
        if at < len(found) and found[at] <= time + within:
            met, at = met + 1, at + 1
    return 2 * met / max(1, len(found) + len(true))
