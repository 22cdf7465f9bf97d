"""What players do: each function here makes a player, and a player turns a phrase into events on beats.

Events carry velocities relative to the dynamics of the moment (0.8 is normal); the arranger adds dynamics, timing and
cues. `dice.material` rolls the same for all phrases with one letter, so that material returns; `dice.moment` does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np

from reelscore.brief import Key
from reelscore.compose.form import Bar, Phrase
from reelscore.compose.harmony import Chord, chord_at, into_range, near, voicing
from reelscore.compose.melody import Sung


class Event(NamedTuple):
    """A note on paper: position and length in beats, MIDI pitch, velocity relative to the dynamics (0.8 is normal)."""

    beat: float
    length: float
    pitch: int
    velocity: float


@dataclass(frozen=True)
class Dice:
    """Chance, twice: `material` repeats with the section's letter, `moment` never does."""

    material: np.random.Generator
    moment: np.random.Generator


@dataclass(frozen=True)
class Sheet:
    """What a player has on the stand for one phrase: the phrase, its chords and key, and the tune above it."""

    phrase: Phrase
    chords: tuple[Chord, ...]
    key: Key
    tune: tuple[Sung, ...]


@dataclass
class Seat:
    """One player's instrument range and memory: the last voicing, for smooth voice leading."""

    low: int
    high: int
    tune_shift: int = 0
    held: tuple[int, ...] = field(default=())


Player: TypeAlias = Callable[[Sheet, Seat, Dice], list[Event]]

STEPS_PER_BEAT = 4


def fit_steps(pattern: str, metre: int, per_beat: int = STEPS_PER_BEAT) -> str:
    """A four-beat pattern for a bar of any metre: three beats drop the third beat's backbeat, five repeat the start."""
    beat = per_beat
    if metre == 4:
        return pattern
    if metre < 3:
        return pattern[: metre * beat]
    if metre == 3:
        return pattern[: 2 * beat] + pattern[3 * beat : 4 * beat]
    return (pattern * (metre // 4 + 1))[: metre * beat]


def _hits(pattern: str, bar: Bar) -> list[tuple[float, float]]:
    """Beats and velocities of a pattern of digits in a bar; its steps are sixteenths (16 signs) or eighths (8)."""
    per_beat = max(len(pattern) // 4, 1)
    fitted = fit_steps(pattern, bar.metre, per_beat)
    hits = [(bar.first + step / per_beat, int(sign) / 10 + 0.05) for step, sign in enumerate(fitted) if sign.isdigit()]
    return [(beat, velocity) for beat, velocity in hits if beat < bar.end - 1e-6]


def pick(options: Sequence[str], rng: np.random.Generator) -> str:
    """One of several patterns."""
    return options[int(rng.integers(len(options)))]


def voiced(chord: Chord, seat: Seat, voices: int, opened: bool = False) -> tuple[int, ...]:
    """A chord in the seat's range, led from what the seat held before."""
    pitches = voicing(chord.tones, voices, seat.low, seat.high, seat.held, opened)
    seat.held = pitches
    return pitches


# Chords


def pad(voices: int = 4, opened: bool = True, tied: bool = True, velocity: float = 0.7) -> Player:
    """Long chords; voices that stay are tied over rather than struck again."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        del dice
        events: list[Event] = []
        sounding: dict[int, tuple[float, float]] = {}
        for chord in sheet.chords:
            pitches = voiced(chord, seat, voices, opened)
            for pitch in [pitch for pitch in sounding if not tied or pitch not in pitches]:
                start, end = sounding.pop(pitch)
                events.append(Event(start, end - start, pitch, velocity))
            for pitch in pitches:
                start = sounding[pitch][0] if pitch in sounding else chord.start
                sounding[pitch] = (start, chord.end)
        events += [Event(start, end - start, pitch, velocity) for pitch, (start, end) in sounding.items()]
        return events

    return play


def drone(fifth: bool = True, velocity: float = 0.6) -> Player:
    """The home note, and its fifth, held under everything."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        del dice
        tonic = into_range(near(sheet.key.tonic, (seat.low + seat.high) / 2), seat.low, seat.high)
        pitches = [tonic, into_range(tonic + 7, seat.low, seat.high)] if fifth else [tonic]
        start, end = sheet.phrase.start, sheet.phrase.end
        return [Event(start, end - start, pitch, velocity) for pitch in dict.fromkeys(pitches)]

    return play


def cluster(velocity: float = 0.6) -> Player:
    """Three neighbours of the chord's scale, high or low, held bar by bar: unease."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        events: list[Event] = []
        for bar in sheet.phrase.bars:
            chord = chord_at(sheet.chords, bar.first)
            bottom = into_range(
                near(chord.root, seat.held[0] if seat.held else (seat.low + seat.high) / 2), seat.low, seat.high
            )
            seat.held = (bottom,)
            above = [bottom + step for step in (1, 2, 3) if (bottom + step) % 12 in chord.scale][:1]
            pitches = [bottom, *above, bottom + (6 if dice.material.random() < 0.5 else 7)]
            events += [Event(bar.first, bar.beats, pitch, velocity) for pitch in pitches if pitch <= seat.high]
        return events

    return play


def comp(
    patterns: Sequence[str], voices: int = 4, length: float = 0.9, opened: bool = False, roll: float = 0.0
) -> Player:
    """Chords struck in a rhythm; a digit is a velocity, length in steps of the pattern; `roll` spreads them, in beats."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        pattern, other = pick(patterns, dice.material), pick(patterns, dice.material)
        events: list[Event] = []
        for number, bar in enumerate(sheet.phrase.bars):
            chosen = other if number % 4 == 3 else pattern
            step = 4 / max(len(chosen), 1)
            for beat, velocity in _hits(chosen, bar):
                pitches = voiced(chord_at(sheet.chords, beat), seat, voices, opened)
                for order, pitch in enumerate(pitches):
                    events.append(Event(beat + order * roll, max(length * step - order * roll, 0.1), pitch, velocity))
        return events

    return play


def block(voices: int = 4, per_bar: int = 1, velocity: float = 0.72, opened: bool = False) -> Player:
    """Chords struck on the first beat (and the middle) of bars and left to ring: the felt piano, the harp."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        del dice
        events: list[Event] = []
        for bar in sheet.phrase.bars:
            beats = [bar.first + part * bar.metre / per_bar for part in range(per_bar)]
            for beat in [float(round(beat)) for beat in beats]:
                if beat < bar.end - 0.2:
                    pitches = voiced(chord_at(sheet.chords, beat), seat, voices, opened)
                    length = min(bar.metre / per_bar, bar.end - beat)
                    events += [Event(beat + 0.02 * n, length, pitch, velocity) for n, pitch in enumerate(pitches)]
        return events

    return play


def arpeggio(
    orders: Sequence[Sequence[int]], step: float = 0.5, held: float = 1.0, voices: int = 4, accents: str = "8767"
) -> Player:
    """Chord tones one by one: `orders` index the voicing, low to high (beyond its top: an octave up)."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        order = orders[int(dice.material.integers(len(orders)))]
        events: list[Event] = []
        for bar in sheet.phrase.bars:
            for number in range(int(np.ceil(bar.beats / step - 1e-9))):
                beat = bar.first + number * step
                pitches = voiced(chord_at(sheet.chords, beat), seat, voices)
                octave, place = divmod(order[number % len(order)], len(pitches))
                pitch = pitches[place] + 12 * octave
                velocity = int(accents[number % len(accents)]) / 10
                events.append(Event(beat, step * held, into_range(pitch, seat.low, seat.high), velocity))
        return events

    return play


def ostinato(
    cells: Sequence[Sequence[int]], step: float = 0.5, held: float = 0.55, accents: str = "96767676"
) -> Player:
    """A short figure that will not let go: cells of chord degrees (0 root, 1 third, 2 fifth, 3 octave), accented."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        cell = cells[int(dice.material.integers(len(cells)))]
        events: list[Event] = []
        middle = seat.low + 7
        for bar in sheet.phrase.bars:
            for number in range(int(np.ceil(bar.beats / step - 1e-9))):
                beat = bar.first + number * step
                chord = chord_at(sheet.chords, beat)
                root = near(chord.root, middle)
                octave, place = divmod(cell[number % len(cell)], 3)
                tone = chord.triad[place % len(chord.triad)]
                pitch = root + (tone - chord.root) % 12 + 12 * octave
                velocity = int(accents[number % len(accents)]) / 10
                events.append(Event(beat, step * held, into_range(pitch, seat.low, seat.high), velocity))
        return events

    return play


def strum(patterns: Sequence[str]) -> Player:
    """A strummed guitar: D strikes down, U up, d and u lightly, x muted; eighths, or sixteenths with 16 signs."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        pattern, other = pick(patterns, dice.material), pick(patterns, dice.material)
        events: list[Event] = []
        for number, bar in enumerate(sheet.phrase.bars):
            chosen = other if number % 4 == 3 else pattern
            per_beat = max(len(chosen) // 4, 1)
            signs = fit_steps(chosen, bar.metre, per_beat)
            struck = [step for step, sign in enumerate(signs) if sign != "."]
            for place, step in enumerate(struck):
                beat = bar.first + step / per_beat
                if beat >= bar.end - 1e-6:
                    break
                after = struck[place + 1] if place + 1 < len(struck) else len(signs)
                events += _stroke(signs[step], beat, (after - step) / per_beat, sheet, seat)
        return events

    def _stroke(sign: str, beat: float, length: float, sheet: Sheet, seat: Seat) -> list[Event]:
        pitches = voiced(chord_at(sheet.chords, beat), seat, 5, True)
        velocity = {"D": 0.82, "U": 0.68, "d": 0.6, "u": 0.52, "x": 0.4}[sign]
        order = pitches if sign in "Dd" else tuple(reversed(pitches[-3:]))
        held = 0.08 if sign == "x" else length
        return [
            Event(beat + 0.022 * string, max(held - 0.022 * string, 0.06), pitch, velocity - 0.03 * string)
            for string, pitch in enumerate(order)
        ]

    return play


def fingerpick() -> Player:
    """Travis picking: the thumb alternates root and fifth on the beats, the fingers fill the off-beats."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        fingers = [(0, 2, 1, 2), (2, 0, 1, 0), (1, 2, 0, 2), (2, 1, 0, 1)][int(dice.material.integers(4))]
        events: list[Event] = []
        for bar in sheet.phrase.bars:
            for beat_number in range(int(np.ceil(bar.beats - 1e-9))):
                beat = float(bar.first + beat_number)
                chord = chord_at(sheet.chords, beat)
                pitches = voiced(chord, Seat(max(seat.low, 52), seat.high, 0, seat.held), 3)
                seat.held = pitches
                bass = chord.root if beat_number % 2 == 0 else chord.tones[min(2, len(chord.tones) - 1)]
                events.append(Event(beat, 0.95, into_range(near(bass, 45), seat.low, 54), 0.78))
                top = pitches[fingers[beat_number % 4] % len(pitches)]
                events.append(Event(beat + 0.5, 1.0, top, 0.64))
                if beat_number == 0:
                    events.append(Event(beat, 1.4, pitches[-1], 0.68))
                elif beat_number % 4 == 2:
                    events.append(Event(beat + 0.75, 0.7, pitches[fingers[3] % len(pitches)], 0.52))
        return [event for event in events if event.beat < sheet.phrase.end - 1e-6]

    return play


def left_hand(patterns: Sequence[Sequence[float]], step: float = 0.5) -> Player:
    """A pianist's left hand: intervals in scale-free steps over the bass (0 root, 7 fifth, 12 octave, 16 tenth)."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        pattern = patterns[int(dice.material.integers(len(patterns)))]
        events: list[Event] = []
        for bar in sheet.phrase.bars:
            for number in range(int(np.ceil(bar.beats / step - 1e-9))):
                beat = bar.first + number * step
                chord = chord_at(sheet.chords, beat)
                place = int(pattern[number % len(pattern)])
                if place < 0:
                    continue
                bass = into_range(near(chord.bass, seat.low + 8), seat.low, seat.high)
                pitch = bass + _in_chord(place, chord)
                ring = bar.end - beat if number == 0 else min(step * 2.5, bar.end - beat)
                events.append(
                    Event(beat, ring, min(pitch, seat.high), 0.74 if number == 0 else 0.58 + 0.03 * (number % 2))
                )
        return events

    return play


def _in_chord(interval: int, chord: Chord) -> int:
    """An interval above the root bent to the chord: thirds and fifths become the chord's own."""
    octave, step = divmod(interval, 12)
    if step == 0:
        return interval
    tones = [(tone - chord.root) % 12 for tone in chord.tones]
    return 12 * octave + min(tones, key=lambda tone: abs(tone - step))


def stabs(patterns: Sequence[str], voices: int = 3, length: float = 0.35, every: int = 2) -> Player:
    """Short chords in every second bar or so, as a horn section throws them in."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        pattern = pick(patterns, dice.material)
        events: list[Event] = []
        for number, bar in enumerate(sheet.phrase.bars):
            if number % every != every - 1:
                continue
            for beat, velocity in _hits(pattern, bar):
                pitches = voiced(chord_at(sheet.chords, beat), seat, voices)
                events += [Event(beat, length, pitch, velocity) for pitch in pitches]
        return events

    return play


def chime(chance: float = 0.5, step: float = 1.0, held: float = 2.5, velocity: float = 0.6) -> Player:
    """Single chord tones here and there: raindrops for vibraphone, harp, glockenspiel or bells."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        events: list[Event] = []
        beat = sheet.phrase.start
        while beat < sheet.phrase.end - 0.5:
            if dice.moment.random() < chance * (0.6 + 0.8 * sheet.phrase.energy):
                chord = chord_at(sheet.chords, beat)
                tone = int(dice.moment.choice(np.array(chord.tones)))
                around = seat.held[0] if seat.held else (seat.low + seat.high) // 2
                pitch = into_range(near(tone, around + float(dice.moment.integers(-7, 8))), seat.low, seat.high)
                seat.held = (pitch,)
                length = min(held, sheet.phrase.end - beat)
                events.append(Event(beat, length, pitch, velocity + 0.1 * float(dice.moment.random())))
            beat += step * float(dice.moment.choice(np.array([1.0, 1.0, 1.5, 2.0])))
        return events

    return play
