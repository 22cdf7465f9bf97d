"""The tune: a motif, what becomes of it, and how its steps become pitches over the chords.

A motif is two bars of rhythm and contour; contour counts scale steps from wherever the motif is placed, so the same
motif can be stated, moved, turned upside down, stretched or cut short, and is still known by ear. Positions are beats.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from reelscore.brief import Key
from reelscore.compose.form import Phrase
from reelscore.compose.harmony import Chord, chord_at, scale_of

Density = Literal["slow", "medium", "lively", "syncopated"]


@dataclass(frozen=True, slots=True)
class Tone:
    """A note of a motif: beat from the motif's start, length in beats, and scale steps from its anchor."""

    beat: float
    length: float
    step: int


@dataclass(frozen=True)
class Motif:
    """One bar that asks and one bar that answers; `metre` is how many beats each is made for."""

    head: tuple[Tone, ...]
    tail: tuple[Tone, ...]
    metre: int


@dataclass(frozen=True, slots=True)
class Sung:
    """A note of the finished line: position and length in beats, MIDI pitch, and weight (1 is the phrase's centre)."""

    beat: float
    length: float
    pitch: int
    weight: float


@dataclass(frozen=True)
class Taste:
    """How a style sings: how busy, how wide (in scale steps), how long its notes are held (1 is legato)."""

    density: Density = "medium"
    width: int = 4
    held: float = 0.95
    centre: int = 72


# One bar of four beats; negative lengths are rests.
_HEADS: dict[Density, tuple[tuple[float, ...], ...]] = {
    "slow": ((2, 1, 1), (3, 0.5, 0.5), (1.5, 0.5, 2), (1, 1, 2), (2, 1.5, 0.5), (1.5, 1.5, 1)),
    "medium": ((1.5, 0.5, 1, 1), (1, 0.5, 0.5, 2), (0.5, 0.5, 1, 2), (1, 1, 2), (1.5, 0.5, 2), (0.5, 1.5, 1, 1)),
    "lively": (
        (0.5, 0.5, 1, 0.5, 0.5, 1),
        (1, 0.5, 0.5, 1, 1),
        (0.5, 0.5, 0.5, 0.5, 1, 1),
        (0.75, 0.25, 1, 0.75, 0.25, 1),
        (0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1),
    ),
    "syncopated": (
        (0.5, 1, 0.5, 1, 1),
        (0.75, 0.75, 0.5, 1, 1),
        (-0.5, 0.5, 1, 0.5, 1.5),
        (1.5, 1.5, 1),
        (0.5, 0.5, 1, 0.5, 0.5, 1),
    ),
}
_TAILS: dict[Density, tuple[tuple[float, ...], ...]] = {
    "slow": ((3, -1), (2, 1, -1), (1, 2, -1), (1, 1, 2), (1.5, 1.5, -1)),
    "medium": ((2, -2), (1, 2, -1), (0.5, 0.5, 2, -1), (3, -1), (1, 1, 1, -1)),
    "lively": ((1, 1, 1, -1), (0.5, 0.5, 1.5, -1.5), (1, 2, -1), (0.5, 0.5, 1, 1, -1)),
    "syncopated": ((0.5, 1, 1, -1.5), (1.5, 1.5, -1), (0.75, 0.75, 1, -1.5), (0.5, 2, -1.5)),
}


def invent(taste: Taste, metre: int, rng: np.random.Generator) -> Motif:
    """A new motif in the given metre."""
    heads, tails = _HEADS[taste.density], _TAILS[taste.density]
    head = _cell(fit_lengths(heads[int(rng.integers(len(heads)))], metre))
    tail = _cell(fit_lengths(tails[int(rng.integers(len(tails)))], metre))
    shape = _contour(len(head), taste.width, rng)
    head = tuple(replace(tone, step=step) for tone, step in zip(head, shape, strict=True))
    # The tail takes up where the head stops and walks back towards where it began.
    at, home = shape[-1], shape[0]
    answer: list[Tone] = []
    for tone in tail:
        at += int(np.sign(home - at)) if at != home else int(rng.choice([-1, 1]))
        answer.append(replace(tone, step=at))
    return Motif(head, tuple(answer), metre)


def fit_lengths(lengths: Sequence[float], beats: float) -> tuple[float, ...]:
    """A bar's rhythm cut, or filled with rests, to so many beats."""
    fitted: list[float] = []
    room = beats
    for length in lengths:
        if room <= 1e-9:
            break
        fitted.append(float(np.copysign(min(abs(length), room), length)))
        room -= abs(fitted[-1])
    if room > 1e-9:
        fitted.append(-room)
    return tuple(fitted)


def _cell(lengths: Sequence[float]) -> tuple[Tone, ...]:
    tones: list[Tone] = []
    beat = 0.0
    for length in lengths:
        if length > 0:
            tones.append(Tone(beat, length, 0))
        beat += abs(length)
    return tuple(tones) or (Tone(0.0, 1.0, 0),)


def _contour(count: int, width: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Scale steps for so many notes, in one of the shapes that tunes have."""
    shape = str(rng.choice(["arch", "climb", "fall", "leap", "turn", "bowl"]))
    reach = int(rng.integers(2, max(width, 2) + 1))
    x = np.linspace(0.0, 1.0, count) if count > 1 else np.zeros(1)
    if shape == "arch":
        steps = reach * np.sin(np.pi * x**0.8)
    elif shape == "climb":
        steps = reach * x
    elif shape == "fall":
        steps = reach * (1 - x)
    elif shape == "bowl":
        steps = -reach * np.sin(np.pi * x) * 0.7
    elif shape == "leap":
        steps = np.where(x == 0, 0, np.maximum(reach + 1 - (reach * (x - x[min(1, count - 1)]) * 1.2), 0))
    else:
        steps = np.resize(np.array([0, 1, 0, -1]), count) + reach * x * 0.5
    rounded = [round(float(step)) for step in steps]
    # A tune that stands on one or two notes is no tune.
    if count > 2 and len(set(rounded)) <= 2:
        rounded[count // 2] += 2 if rounded[count // 2] >= rounded[0] else -1
    return tuple(rounded)


def inverted(tones: Sequence[Tone]) -> tuple[Tone, ...]:
    """Upside down about the first note."""
    axis = tones[0].step
    return tuple(replace(tone, step=2 * axis - tone.step) for tone in tones)


def stretched(tones: Sequence[Tone], factor: float) -> tuple[Tone, ...]:
    """Slower (2 is augmentation) or faster (0.5 is diminution)."""
    return tuple(replace(tone, beat=tone.beat * factor, length=tone.length * factor) for tone in tones)


def moved(tones: Sequence[Tone], beats: float = 0.0, steps: int = 0) -> tuple[Tone, ...]:
    """The same later and higher."""
    return tuple(replace(tone, beat=tone.beat + beats, step=tone.step + steps) for tone in tones)


def fragment(tones: Sequence[Tone], beats: float) -> tuple[Tone, ...]:
    """Only what begins in the first `beats`, the last note cut there."""
    kept = [tone for tone in tones if tone.beat < beats - 1e-9]
    return tuple(replace(tone, length=min(tone.length, beats - tone.beat)) for tone in kept)


def ornamented(tones: Sequence[Tone]) -> tuple[Tone, ...]:
    """Leaps of a third or more between longer notes are filled with a passing note."""
    result: list[Tone] = []
    for tone, after in zip(tones, [*tones[1:], None], strict=True):
        gap = after.step - tone.step if after else 0
        if after is not None and abs(gap) >= 2 and tone.length >= 1.0:
            half = tone.length / 2
            result.append(replace(tone, length=tone.length - min(half, 0.5)))
            late = min(half, 0.5)
            result.append(Tone(tone.beat + tone.length - late, late, after.step - int(np.sign(gap))))
        else:
            result.append(tone)
    return tuple(result)


@dataclass(frozen=True)
class _Gesture:
    """What one bar of a phrase sings, and how many scale steps above the phrase's level it is placed."""

    tones: tuple[Tone, ...]
    level: int
    is_cadence: bool = False


def develop(motif: Motif, phrase: Phrase, variant: int) -> list[_Gesture]:
    """One gesture a bar (empty where the line rests): what the form makes of the motif in this phrase."""
    role, count = phrase.section.role, len(phrase.bars)
    head, tail = motif.head, motif.tail
    nothing = _Gesture((), 0)
    if role == "intro":
        hint = [_Gesture(head, 0), _Gesture(tail, 0)] if phrase.energy > 0.3 else [_Gesture(head, 0), nothing]
        return ([nothing] * max(count - 2, 0) + hint)[:count] if count > 2 else hint[:count]
    if role == "outro":
        slow = _bar_by_bar(stretched(head, 2.0), phrase)
        return (slow + [nothing] * count)[: max(count - 1, 1)] + [_Gesture(tail[:1], 0, True)] * (count > 1)
    if role == "breakdown":
        slow = _bar_by_bar(stretched(inverted(head) if variant % 2 else head, 2.0), phrase)
        return (slow + [nothing, nothing] * count)[:count]
    if role == "build":
        piece = fragment(head, motif.metre / 2 if motif.metre >= 4 else motif.metre)
        doubled = (*piece, *moved(piece, motif.metre / 2, 1)) if motif.metre >= 4 else piece
        return [_Gesture(doubled if bar >= count / 2 else head, bar) for bar in range(count)]
    return _period(motif, phrase, variant, count)


def _period(motif: Motif, phrase: Phrase, variant: int, count: int) -> list[_Gesture]:
    """Statement, sequence, and an ending that is open in the question and closed in the answer."""
    head, tail = motif.head, motif.tail
    contrast = phrase.section.letter not in ("A", "") and phrase.section.role != "climax"
    if contrast:
        head, tail = inverted(head), inverted(tail)
    closing = phrase.closes_section or variant % 2 == 1
    rise = (1, 2, -1, 1)[variant % 4]
    if phrase.section.role == "climax":
        head = ornamented(head) if variant % 2 else head
        rise = 2
    level = 1 if variant % 4 == 2 else 0
    gestures = [
        _Gesture(head, level),
        _Gesture(tail, level),
        _Gesture(ornamented(head) if variant % 4 == 3 else head, level + rise),
        _Gesture(tail, 0 if closing else level + rise - 1, closing),
    ]
    if count == 1:
        return [_Gesture(head, level, closing)]
    if count == 2:
        return [_Gesture(head, level), _Gesture(tail, 0, closing)]
    if count == 3:
        return [gestures[0], gestures[2], gestures[3]]
    while len(gestures) < count:
        gestures.insert(2, _Gesture(fragment(head, motif.metre / 2), level + 1))
    return gestures


def _bar_by_bar(tones: Sequence[Tone], phrase: Phrase) -> list[_Gesture]:
    """A long gesture dealt out over the bars of the phrase."""
    gestures: list[_Gesture] = []
    at = 0.0
    for bar in phrase.bars:
        inside = [tone for tone in tones if at - 1e-9 <= tone.beat < at + bar.metre - 1e-9]
        gestures.append(_Gesture(moved(inside, -at), 0))
        at += bar.metre
        if not inside:
            break
    return gestures


class Singer:
    """Turns gestures into pitches, remembering the last one so that lines connect across phrases."""

    def __init__(self, key: Key, taste: Taste) -> None:
        self.key = key
        self.taste = taste
        self.last = taste.centre
        self._bass_below_last: int | None = None

    def sing(
        self, phrase: Phrase, gestures: Sequence[_Gesture], chords: Sequence[Chord], key: Key, lift: int
    ) -> list[Sung]:
        """The line of a phrase; `lift` scale steps raise it (the climax is the highest)."""
        self.key = key
        line: list[Sung] = []
        ceiling = self.taste.centre + (16 if lift >= 3 else 11)
        for bar, gesture in zip(phrase.bars, gestures, strict=False):
            inside = [tone for tone in gesture.tones if tone.beat < bar.beats - 1e-9]
            if not inside:
                continue
            level = min(gesture.level, 3) + lift
            anchor = self._anchor(inside[0], level, chord_at(chords, bar.first + inside[0].beat))
            before: Tone | None = None
            for tone in inside:
                beat = bar.first + tone.beat
                length = min(tone.length, bar.end - beat)
                # Metrical weight: bar and half-bar beats, and whatever is long.
                strong = tone.beat in (0.0, bar.metre / 2) or length >= 1.5
                way = int(np.sign(tone.step - before.step)) if before else 0
                target = self._pitch(anchor + tone.step)
                self.last = self._placed(target, chord_at(chords, beat), strong, way, before is None, ceiling)
                self._bass_below_last = chord_at(chords, beat).bass
                line.append(Sung(beat, length * self.taste.held, self.last, 1.0))
                before = tone
            if gesture.is_cadence and line:
                line[-1] = self._closed(line[-1], chords)
                self.last = line[-1].pitch
        return _recovered(_weighted(line), chords)

    def _pitch(self, index: int) -> int:
        """The pitch of a scale index; index 0 is the tonic at or above C-1."""
        scale = scale_of(self.key)
        octave, degree = divmod(index, 7)
        return 12 * octave + self.key.tonic + (scale[degree] - self.key.tonic) % 12

    def _index(self, pitch: float) -> int:
        guess = int((pitch - self.key.tonic) * 7 / 12)
        return min(range(guess - 3, guess + 4), key=lambda index: abs(self._pitch(index) - pitch))

    def _anchor(self, first: Tone, level: int, chord: Chord) -> int:
        """Where to set a gesture so that its first note is a chord tone near the line and near the phrase's level."""
        level_index = self._index(self.taste.centre) + level
        last_index = self._index(self.last)

        def cost(index: int) -> float:
            pitch_class = self._pitch(index) % 12
            stranger = 0.0 if pitch_class in chord.triad else 2.0 if pitch_class in chord.tones else 5.0
            return stranger + abs(index - level_index) + 0.35 * abs(index - last_index)

        return min(range(level_index - 4, level_index + 5), key=cost) - first.step

    def _placed(self, target: int, chord: Chord, strong: bool, way: int, opens: bool, ceiling: int) -> int:
        """The pitch near `target` that fits the chord as far as its place in the bar asks, and keeps the motif's direction."""

        def cost(pitch: int) -> float:
            pitch_class = pitch % 12
            total = float(abs(pitch - target))
            if pitch_class not in chord.triad:
                grates = (pitch_class - 1) % 12 in chord.triad
                soft = 0.6 if pitch_class in chord.tones else 1.6
                total += (5.0 if grates else soft) if strong else (1.0 if grates else 0.0)
            if not opens:
                moved = int(np.sign(pitch - self.last))
                total += 0.0 if moved == way else 2.5 if moved * way == 0 else 4.0
            if self._in_parallel(pitch, chord.bass):
                total += 2.0
            return total + (0.4 * (pitch - ceiling) + 6.0 if pitch > ceiling else 0.0)

        near_target = range(target - 9, target + 5)
        return min((pitch for pitch in near_target if pitch % 12 in chord.scale), key=cost)

    def _in_parallel(self, pitch: int, bass: int) -> bool:
        """Whether tune and bass would both move, from a fifth or octave into another of the same size."""
        before = self._bass_below_last
        if before is None or bass == before or pitch == self.last:
            return False
        return (pitch - bass) % 12 == (self.last - before) % 12 and (pitch - bass) % 12 in (0, 7)

    def _closed(self, note: Sung, chords: Sequence[Chord]) -> Sung:
        """The last note of an answer: the home note where its chord has it, or else the chord's nearest note."""
        starting, ending = chord_at(chords, note.beat), chord_at(chords, note.beat + note.length - 0.05)
        shared = [tone for tone in starting.triad if tone in ending.triad] or list(ending.triad)
        wanted = [self.key.tonic] if self.key.tonic in shared else shared
        pitch = min(
            (note.pitch + shift for shift in range(-6, 7) if (note.pitch + shift) % 12 in wanted),
            key=lambda p: abs(p - note.pitch),
        )
        return replace(note, pitch=pitch)


def _weighted(line: list[Sung]) -> list[Sung]:
    """Phrase arcs: a line swells towards its highest note and falls away from it."""
    if len(line) < 2:
        return line
    top = max(range(len(line)), key=lambda number: line[number].pitch)
    weighted: list[Sung] = []
    for number, note in enumerate(line):
        distance = (top - number) / max(top, 1) if number <= top else (number - top) / max(len(line) - 1 - top, 1)
        weighted.append(replace(note, weight=1.05 - 0.13 * distance))
    return weighted


def _recovered(line: list[Sung], chords: Sequence[Chord]) -> list[Sung]:
    """A leap wider than a fifth is followed by a step back: the note after it is drawn into the gap."""
    for number in range(1, len(line) - 1):
        leap = line[number].pitch - line[number - 1].pitch
        onward = line[number + 1].pitch - line[number].pitch
        if abs(leap) > 7 and (onward * leap > 0 or abs(onward) > 7):
            note = line[number + 1]
            scale = chord_at(chords, note.beat).scale
            way = -1 if leap > 0 else 1
            options = [line[number].pitch + way * size for size in (1, 2, 3, 4)]
            fitting = [pitch for pitch in options if pitch % 12 in scale]
            line[number + 1] = replace(note, pitch=(fitting or options)[0])
    return line
