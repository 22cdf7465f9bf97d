"""A tune that somebody gave: brought into the piece's key and metre, harmonised, and made the motif.

Its pitches are kept as degrees of its own key, which is found by ear, so to speak: by how well the time it spends on each
pitch class fits a major or a minor key (Krumhansl & Kessler 1982). A note outside the key keeps its distance from the
degree below it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from reelscore.brief import Key
from reelscore.compose.form import Phrase
from reelscore.compose.harmony import SCALES, spell
from reelscore.compose.melody import Motif, Sung, Tone

_MAJOR_PROFILE = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR_PROFILE = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_CANDIDATES = {
    "major": ("I", "ii", "iii", "IV", "V", "vi"),
    "mixolydian": ("I", "ii", "IV", "v", "vi", "bVII"),
    "lydian": ("I", "II", "iii", "V", "vi"),
    "dorian": ("i", "ii", "bIII", "IV", "v", "bVII"),
    "minor": ("i", "bIII", "iv", "V", "bVI", "bVII"),
    "phrygian": ("i", "bII", "bIII", "iv", "bVI", "bvii"),
}
LONGEST_BARS = 64


@dataclass(frozen=True, slots=True)
class MelodyNote:
    """One note of a melody: position and length in beats, and MIDI pitch."""

    beat: float
    length: float
    pitch: int


@dataclass(frozen=True)
class Melody:
    """A tune to use as the motif: its notes in order, none overlapping, and the beats in its bar."""

    notes: tuple[MelodyNote, ...]
    beats_per_bar: int = 4


@dataclass(frozen=True, slots=True)
class Degree:
    """One note of a theme: position and length in beats, scale degree counted from its tonic, and semitones beside it."""

    beat: float
    length: float
    degree: int
    beside: int


@dataclass(frozen=True)
class Theme:
    """A given tune in bars of `metre` beats: one tuple of notes a bar, positions counted from the bar's start."""

    bars: tuple[tuple[Degree, ...], ...]
    metre: int

    def motif(self) -> Motif:
        """The first two bars as a motif."""
        sounding = [bar for bar in self.bars if bar] or [(Degree(0.0, 1.0, 0, 0),)]
        head, tail = sounding[0], sounding[1 % len(sounding)]
        origin = head[0].degree
        return Motif(_tones(head, origin), _tones(tail, origin), self.metre)


def _tones(bar: Sequence[Degree], origin: int) -> tuple[Tone, ...]:
    return tuple(Tone(note.beat, note.length, note.degree - origin) for note in bar)


def theme_of(melody: Melody, metre: int) -> Theme:
    """A melody as a theme in bars of `metre` beats; where its own metre differs, it flows on over the bar lines."""
    key = key_of(melody)
    scale = SCALES[key.mode]
    count = max(1, min(ceil(max(note.beat + note.length for note in melody.notes) / metre - 0.05), LONGEST_BARS))
    bars: list[list[Degree]] = [[] for _ in range(count)]
    for note in melody.notes:
        number = int((note.beat + 1e-6) // metre)
        if number >= count:
            break
        octave, pitch_class = divmod(note.pitch - key.tonic, 12)
        below = max(index for index, step in enumerate(scale) if step <= pitch_class)
        bars[number].append(
            Degree(note.beat - number * metre, note.length, octave * 7 + below, pitch_class - scale[below])
        )
    return Theme(tuple(tuple(bar) for bar in bars), metre)


def key_of(melody: Melody) -> Key:
    """The major or minor key that a melody is most likely in; its last note counts double."""
    weight = np.zeros(12)
    for note in melody.notes:
        weight[note.pitch % 12] += min(note.length, 2.0)
    weight[melody.notes[-1].pitch % 12] += min(melody.notes[-1].length, 2.0)
    if np.count_nonzero(weight) == 1:
        return Key(int(np.argmax(weight)), "major")
    scores = {
        (tonic, mode): float(np.corrcoef(np.roll(profile, tonic), weight)[0, 1])
        for mode, profile in (("major", _MAJOR_PROFILE), ("minor", _MINOR_PROFILE))
        for tonic in range(12)
    }
    tonic, mode = max(scores, key=lambda name: scores[name])
    return Key(tonic, mode)


def sing_theme(theme: Theme, phrase: Phrase, first_bar: int, key: Key, centre: int, held: float) -> list[Sung]:
    """The theme itself in a phrase, from its bar number `first_bar` on, in `key`, around the pitch `centre`."""
    degrees = [note.degree for bar in theme.bars for note in bar]
    if not degrees:
        return []
    middle = float(np.median(degrees)) * 12 / 7
    base = key.tonic + 12 * round((centre - middle - key.tonic) / 12)
    scale = SCALES[key.mode]
    line: list[Sung] = []
    for number, bar in enumerate(phrase.bars):
        for note in theme.bars[(first_bar + number) % len(theme.bars)]:
            if note.beat >= bar.beats - 1e-6:
                continue
            octave, degree = divmod(note.degree, 7)
            beat = bar.first + note.beat
            length = min(note.length * held, phrase.end - beat)
            line.append(Sung(beat, length, base + 12 * octave + scale[degree] + note.beside, 1.0))
    for number, after in enumerate(line[1:]):
        sung = line[number]
        if sung.beat + sung.length > after.beat:
            line[number] = Sung(sung.beat, max(after.beat - sung.beat, 0.05), sung.pitch, sung.weight)
    return line


def harmonise(theme: Theme, mode: str) -> tuple[str, ...]:
    """One numeral for each bar of a theme: the chords that hold most of its notes and go well after one another."""
    names = _CANDIDATES[mode]
    home = 0
    key = Key(0, mode)
    scale = SCALES[mode]
    chords = [spell(name, key) for name in names]
    fits = np.zeros((len(theme.bars), len(names)))
    for number, bar in enumerate(theme.bars):
        for note in bar:
            pitch_class = (scale[note.degree % 7] + note.beside) % 12
            weight = min(note.length, 2.0) * (1.5 if note.beat % 2 == 0 else 1.0)
            for index, chord in enumerate(chords):
                fits[number, index] += weight if pitch_class in chord.triad else -0.5 * weight
    fits[0, home] += 1.0
    fits[-1, home] += 1.5
    return tuple(names[index] for index in _best_path(fits, _moves([chord.root for chord in chords])))


def _moves(roots: Sequence[int]) -> np.ndarray:
    """How welcome each chord is after each other: falling fifths most, fourths and seconds, staying least."""
    liking = {5: 0.8, 7: 0.5, 2: 0.4, 10: 0.3, 9: 0.3, 8: 0.3, 3: 0.1, 4: 0.1, 0: -0.4}
    return np.array([[liking.get((after - before) % 12, 0.0) for after in roots] for before in roots])


def _best_path(fits: np.ndarray, moves: np.ndarray) -> list[int]:
    total = fits[0]
    back: list[np.ndarray] = []
    for row in fits[1:]:
        through = total[:, np.newaxis] + moves
        back.append(np.argmax(through, axis=0))
        total = np.max(through, axis=0) + row
    path = [int(np.argmax(total))]
    for pointers in reversed(back):
        path.append(int(pointers[path[-1]]))
    return path[::-1]
