"""Harmony: scales, chords by function, progressions by mood, cadences, and voice leading.

Chords are written as numerals against the major scale of the tonic, whatever the mode: "i bVI bIII bVII" in A minor is
Am F C G. Pitch classes run from 0 (C) to 11; pitches are MIDI notes; positions are beats.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import numpy as np

from reelscore.brief import Key, Section
from reelscore.compose.form import Bar, Phrase
from reelscore.compose.progressions import CLOSES, DECEPTIVE, HALF_CADENCES, Feeling

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}
BRIGHT_MODES = ("major", "mixolydian", "lydian")

Colour = Literal["triad", "add9", "seventh", "ninth", "sus", "power", "dark"]

_QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "°": (0, 3, 6),
    "ø": (0, 3, 6, 10),
    "+": (0, 4, 8),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "5": (0, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
}
_DEGREES = {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11}
_NUMERAL = re.compile(r"([b#]?)([IViv]+)(°|ø|\+|sus4|sus2|5|7)?(?:/([b#]?)([IViv]+))?")


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord while it sounds, from beat `start` to beat `end`.

    `tones` are pitch classes, the root first, then third, fifth and colours; `scale` is what a melody may use over it.
    """

    numeral: str
    tones: tuple[int, ...]
    bass: int
    scale: frozenset[int]
    start: float
    end: float

    @property
    def root(self) -> int:
        return self.tones[0]

    @property
    def triad(self) -> tuple[int, ...]:
        return self.tones[:3]


def scale_of(key: Key) -> tuple[int, ...]:
    """The seven pitch classes of a key, from the tonic up."""
    return tuple((key.tonic + step) % 12 for step in SCALES[key.mode])


def feeling_of(section: Section) -> Feeling:
    """The word of the progression table that fits a section's emotion."""
    if section.tension > 0.6 and section.valence < 0.2:
        return "tense"
    if section.role == "climax" and section.energy > 0.7:
        return "heroic"
    if section.valence > 0.15:
        if section.arousal > 0.1:
            return "bright"
        return "calm" if section.valence > 0.4 else "wonder"
    if section.valence < -0.15:
        return "heroic" if section.arousal > 0.3 else "sad"
    return "heroic" if section.arousal > 0.4 else ("wonder" if section.tension > 0.25 else "calm")


def coloured_mode(mode: str, valence: float, usual_valence: float) -> str:
    """The mode of a section on the same home note: brighter or darker than the key's where its valence departs from the film's."""
    departure = valence - usual_valence
    if abs(departure) < 0.35:
        return mode
    if mode in BRIGHT_MODES:
        if departure > 0:
            return "lydian" if mode == "major" else "major"
        return "minor" if departure < -0.9 else ("mixolydian" if mode == "major" else "dorian")
    if departure > 0:
        return "major" if departure > 0.9 else "dorian"
    return "phrygian" if departure < -0.9 and mode != "dorian" else "minor"


@lru_cache(maxsize=4096)
def spell(numeral: str, key: Key, colour: Colour = "triad") -> Chord:
    """The chord of a numeral in a key, with the colour of a style; it has no place in time yet."""
    match = _NUMERAL.fullmatch(numeral)
    if match is None:
        raise ValueError(f"{numeral!r} is no chord numeral")
    accidental, letters, suffix, of_accidental, of_letters = match.groups()
    root = (key.tonic + _shift(accidental) + _DEGREES[letters.upper()]) % 12
    if of_letters:
        root = (root + _shift(of_accidental) + _DEGREES[of_letters.upper()]) % 12
    quality = suffix or ("m" if letters.islower() else "")
    if of_letters and not suffix:
        quality = "7"
    intervals = _QUALITIES[quality]
    scale = _chord_scale(key, root, intervals)
    if colour == "add9" and 3 in intervals and key.mode in BRIGHT_MODES:
        # A ninth lies a semitone below a minor third; what is to sound hopeful takes the seventh instead.
        colour = "seventh"
    tones = tuple((root + step) % 12 for step in _colours(intervals, root, scale, colour, bool(of_letters)))
    return Chord(numeral, tones, root, scale, 0.0, 0.0)


def _shift(accidental: str | None) -> int:
    return {"b": -1, "#": 1}.get(accidental or "", 0)


def _chord_scale(key: Key, root: int, intervals: tuple[int, ...]) -> frozenset[int]:
    """The key's scale, bent where the chord has tones that the key has not (the leading note of a V in minor).

    A raised tone (a major third) takes the place of the degree below it, a lowered one that of the degree above.
    """
    chord = {(root + step) % 12 for step in intervals}
    scale = set(scale_of(key))
    for step in intervals:
        tone = (root + step) % 12
        if tone not in scale:
            way = (-1, 1) if step == 4 else (1, -1)
            bent = [(tone + side) % 12 for side in way if (tone + side) % 12 in scale - chord]
            scale -= set(bent[:1])
            scale.add(tone)
    return frozenset(scale)


def _colours(
    intervals: tuple[int, ...], root: int, scale: frozenset[int], colour: Colour, is_dominant: bool
) -> tuple[int, ...]:
    """The intervals of a chord with its style's colour; colour tones come from the scale of the moment."""
    if colour == "power":
        return (0, 7) if 6 not in intervals else (0, 6)
    if colour == "triad" or len(intervals) < 3:
        return intervals

    def inside(step: int) -> bool:
        return (root + step) % 12 in scale

    if colour in ("seventh", "ninth"):
        seventh = 10 if is_dominant or inside(10) else 11 if inside(11) else 9
        if 6 in intervals and 3 in intervals:
            seventh = 10
        full = intervals if len(intervals) > 3 else (*intervals, seventh)
        return (*full, 2) if colour == "ninth" and inside(2) and 6 not in intervals else full
    if colour == "dark":
        return (*intervals, 1 if inside(1) else 2 if inside(2) else 8) if 4 not in intervals else intervals
    if colour == "sus" and 5 not in intervals and 2 not in intervals and inside(2) and 6 not in intervals:
        return (*intervals, 2)
    if colour == "add9" and inside(2) and 6 not in intervals:
        return (*intervals, 2)
    return intervals


def write_chords(
    phrase: Phrase,
    loop: Sequence[str],
    key: Key,
    colour: Colour,
    bars_per_chord: float,
    offset: int,
    rng: np.random.Generator,
    leads_home: bool = True,
) -> list[Chord]:
    """The chords of a phrase: its loop from chord number `offset`, and a cadence where the phrase closes a section."""
    slots = _slots(phrase.bars, bars_per_chord)
    numerals = [loop[(offset + number) % len(loop)] for number in range(len(slots))]
    if leads_home:
        _cadence(numerals, phrase, key.mode, rng)
    chords = [
        replace(spell(numeral, key, colour), start=start, end=end)
        for numeral, (start, end) in zip(numerals, slots, strict=True)
    ]
    return _with_suspension_resolved(chords, key, colour)


def _slots(bars: Sequence[Bar], bars_per_chord: float) -> list[tuple[float, float]]:
    """Where chords change: every so many bars, or twice in each bar that has four beats or more."""
    slots: list[tuple[float, float]] = []
    if bars_per_chord < 1:
        for bar in bars:
            half = float(bar.first + bar.metre // 2)
            if bar.metre >= 4 and half < bar.end - 0.5:
                slots += [(float(bar.first), half), (half, bar.end)]
            else:
                slots.append((float(bar.first), bar.end))
        return slots
    width = int(bars_per_chord)
    for at in range(0, len(bars), width):
        group = bars[at : at + width]
        slots.append((float(group[0].first), group[-1].end))
    return slots


def _cadence(numerals: list[str], phrase: Phrase, mode: str, rng: np.random.Generator) -> None:
    """Bends the last chords of a phrase towards what follows it."""

    count = len(numerals)

    def choose(options: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        # A cadence that repeats the chord before it would stand still.
        moving = [option for option in options if count < 3 or option[0] != numerals[-3]] or list(options)
        return moving[int(rng.integers(len(moving)))]

    if phrase.closes_section and count >= 2:
        if phrase.closes_piece:
            numerals[-2:] = choose(CLOSES[mode][:2])
        elif phrase.next_role in ("build", "climax"):
            numerals[-2:] = choose(HALF_CADENCES[mode])[:2]
        elif count >= 4 and rng.random() < 0.4:
            home = "I" if mode in BRIGHT_MODES else "i"
            numerals[-2:] = [choose(CLOSES[mode])[1], home]
        else:
            numerals[-2:] = choose(CLOSES[mode])
    elif count >= 4 and phrase.of > 1:
        if phrase.number % 4 == 2 and rng.random() < 0.35:
            numerals[-2:] = ["V" if mode in ("major", "minor") else numerals[-2], DECEPTIVE[mode]]
        elif phrase.number % 2 == 1 and rng.random() < 0.5:
            numerals[-1] = choose(CLOSES[mode])[1]


def _with_suspension_resolved(chords: list[Chord], key: Key, colour: Colour) -> list[Chord]:
    """A suspended dominant falls to its third on the last beats of its slot."""
    resolved: list[Chord] = []
    for chord in chords:
        length = chord.end - chord.start
        if chord.numeral.endswith("sus4") and length >= 2:
            turn = chord.end - (2.0 if length >= 4 else 1.0)
            resolved.append(replace(chord, end=turn))
            resolved.append(replace(spell(chord.numeral[:-4], key, colour), start=turn, end=chord.end))
        else:
            resolved.append(chord)
    return resolved


def chord_at(chords: Sequence[Chord], beat: float) -> Chord:
    """The chord that sounds at a beat; outside, the first or the last."""
    low, high = 0, len(chords) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if chords[middle].start <= beat + 1e-6:
            low = middle
        else:
            high = middle - 1
    return chords[low]


def near(pitch_class: int, pitch: float) -> int:
    """The pitch of a class that lies nearest to `pitch`."""
    return int(pitch_class + 12 * round((pitch - pitch_class) / 12))


def into_range(pitch: int, low: int, high: int) -> int:
    """The pitch moved by octaves into low to high; where no octave of it is inside, the nearest edge."""
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return max(pitch, low)


@lru_cache(maxsize=65536)
def voicing(
    tones: tuple[int, ...], voices: int, low: int, high: int, before: tuple[int, ...], open_position: bool = False
) -> tuple[int, ...]:
    """Pitches for a chord, low to high, that move as little as possible from `before` and never crowd the low register."""
    wanted = _selection(tones, voices)
    best: tuple[int, ...] = ()
    best_cost = float("inf")
    centre = (low + high) / 2
    for rotation in range(len(wanted)):
        order = wanted[rotation:] + wanted[:rotation]
        for bottom in range(low + (order[0] - low) % 12, high + 1, 12):
            for opened in (False, True) if len(order) >= 3 else (False,):
                pitches = _stack(order, bottom, opened)
                if pitches[-1] > high:
                    continue
                cost = _roughness(pitches) + 0.15 * abs(sum(pitches) / len(pitches) - centre)
                cost += 0.0 if opened == open_position else 1.5
                cost += _motion(before, pitches)
                if cost < best_cost:
                    best, best_cost = pitches, cost
    return best or (into_range(tones[0] + 60, low, high),)


def _selection(tones: tuple[int, ...], voices: int) -> tuple[int, ...]:
    """Which chord tones sound with few voices: the fifth goes first, then the root (the bass has it); many voices double."""
    if voices == 1:
        return tones[:1]
    chosen = list(dict.fromkeys(tones))
    for expendable in (2, 0):
        if len(chosen) > voices and len(chosen) > 2:
            chosen.pop(min(expendable, len(chosen) - 1))
    chosen = chosen[:voices]
    for doubled in (0, 2, 1):
        if len(chosen) < voices and doubled < len(tones):
            chosen.append(tones[doubled])
    return tuple(chosen)


def _stack(order: tuple[int, ...], bottom: int, opened: bool) -> tuple[int, ...]:
    pitches = [bottom]
    for tone in order[1:]:
        pitches.append(pitches[-1] + ((tone - pitches[-1]) % 12 or 12))
    if opened:
        pitches[1] += 12
    return tuple(sorted(set(pitches)))


def _roughness(pitches: tuple[int, ...]) -> float:
    """What makes a voicing muddy or thin: close intervals below C3, seconds at the bottom, gaps above an octave."""
    cost = 0.0
    for lower, upper in pairwise(pitches):
        gap = upper - lower
        if lower < 48 and gap < 7:
            cost += 40.0
        elif lower < 55 and gap < 3:
            cost += 8.0
        if gap == 1:
            cost += 3.0 if lower >= 60 else 8.0
        if gap > 12:
            cost += gap - 12
    return cost


def _motion(before: tuple[int, ...], pitches: tuple[int, ...]) -> float:
    if not before:
        return 0.0
    if len(before) == len(pitches):
        return float(sum(abs(a - b) + (4 if abs(a - b) > 7 else 0) for a, b in zip(before, pitches, strict=True)))
    return float(sum(min(abs(pitch - old) for old in before) for pitch in pitches)) * 1.2
