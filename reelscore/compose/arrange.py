"""The arrangement: harmony and tune for every phrase, who plays when, and notes in seconds with human timing.

A `Draft` is a part in the making: its chair and its notes, which accents, ending and tidying still change.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from reelscore.brief import Brief, Key
from reelscore.compose.casting import Cast, Chair
from reelscore.compose.form import Form, Phrase
from reelscore.compose.given import Theme, harmonise, sing_theme
from reelscore.compose.harmony import (
    BRIGHT_MODES,
    Chord,
    chord_at,
    coloured_mode,
    feeling_of,
    write_chords,
)
from reelscore.compose.melody import Motif, Singer, develop
from reelscore.compose.players import Dice, Event, Seat, Sheet
from reelscore.compose.progressions import PROGRESSIONS
from reelscore.compose.score import Note
from reelscore.compose.style import Style
from reelscore.tempo import Floats


@dataclass
class Draft:
    """A part in the making."""

    chair: Chair
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """Everything that is settled before anybody plays: the form, and for each phrase its sheet."""

    form: Form
    sheets: tuple[Sheet, ...]
    key: Key
    starts: tuple[float, ...]

    def sheet_at(self, beat: float) -> Sheet | None:
        """The sheet of the phrase that holds a beat; before the first, the first; after the last, the last."""
        if not self.sheets:
            return None
        starts = self.starts
        return self.sheets[max(bisect_right(starts, beat + 1e-6) - 1, 0)]

    def chord_at(self, beat: float) -> Chord | None:
        """The chord at a beat, None where there is no music before the ending."""
        sheet = self.sheet_at(beat)
        return chord_at(sheet.chords, beat) if sheet else None


def dice_for(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for each thing with a name, so that one more part does not change the others."""
    return np.random.default_rng([seed, *(crc32(name.encode()) for name in names)])


def make_plan(brief: Brief, form: Form, style: Style, motif: Motif, seed: int, theme: Theme | None = None) -> Plan:
    """Chords and tune for every phrase; a given theme is sung as it is where the form states it."""
    key = Key.parse(brief.key)
    modes = _modes_of_letters(brief, key)
    loops = _loops_of_letters(brief, style, modes, seed)
    singer = Singer(key, style.taste)
    apex = _climax_of(form)
    statements: dict[str, int] = {}
    stated = _stating_letter(form)
    sheets: list[Sheet] = []
    for phrase in form.phrases:
        letter = phrase.section.letter
        own_key = Key(key.tonic, modes[letter])
        width = _bars_per_chord(style, phrase)
        first_bar = sum(len(p.bars) for p in form.phrases[phrase.place - phrase.number : phrase.place])
        offset = int(first_bar / width)
        rng = dice_for(seed, "chords", str(phrase.place))
        states = theme is not None and letter == stated and phrase.section.role in ("theme", "build", "climax")
        if theme is not None and states:
            chords = write_chords(
                phrase, harmonise(theme, own_key.mode), own_key, style.colour, 1, first_bar, rng, phrase.closes_piece
            )
            tune = sing_theme(theme, phrase, first_bar, own_key, style.taste.centre, min(style.taste.held, 1.0))
            singer.last = tune[-1].pitch if tune else singer.last
            sheets.append(Sheet(phrase, tuple(chords), own_key, tuple(tune)))
            continue
        chords = write_chords(
            phrase, loops[letter], own_key, style.colour, width, offset, rng, style.cadences or phrase.closes_piece
        )
        variant = statements.get(letter, 0)
        tune = []
        if _sings(phrase):
            statements[letter] = variant + 1
            lift = 3 if phrase.section_number == apex else min(max(round((phrase.energy - 0.5) * 3), -1), 1)
            tune = singer.sing(phrase, develop(motif, phrase, variant), chords, own_key, lift)
        sheets.append(Sheet(phrase, tuple(chords), own_key, tuple(tune)))
    return Plan(form, tuple(sheets), key, tuple(sheet.phrase.start for sheet in sheets))


def _stating_letter(form: Form) -> str:
    """The letter of the first section that is a theme, or else of the longest."""
    themes = [phrase.section for phrase in form.phrases if phrase.section.role in ("theme", "climax")]
    sections = themes or [phrase.section for phrase in form.phrases if phrase.section.role != "outro"]
    return sections[0].letter if sections else ""


def _modes_of_letters(brief: Brief, key: Key) -> dict[str, str]:
    """One mode for each letter, so that what returns is what was heard."""
    usual = float(np.average([s.valence for s in brief.sections], weights=[s.end - s.start for s in brief.sections]))
    by_letter: dict[str, list[float]] = {}
    for section in brief.sections:
        by_letter.setdefault(section.letter, []).append(section.valence)
    return {letter: coloured_mode(key.mode, float(np.mean(v)), usual) for letter, v in by_letter.items()}


def _loops_of_letters(brief: Brief, style: Style, modes: dict[str, str], seed: int) -> dict[str, tuple[str, ...]]:
    """One progression for each letter, by its mode and feeling; two letters do not share one where that can be helped."""
    loops: dict[str, tuple[str, ...]] = {}
    for section in brief.sections:
        if section.letter in loops:
            continue
        mode = modes[section.letter]
        own = style.bright if mode in BRIGHT_MODES else style.dark
        options = own or PROGRESSIONS[mode][feeling_of(section)]
        rng = dice_for(seed, "loop", section.letter)
        fresh = [text for text in options if tuple(text.split()) not in loops.values()] or list(options)
        loop = tuple(fresh[int(rng.integers(len(fresh)))].split())
        if style.bars_per_chord < 1:
            loop += tuple(fresh[int(rng.integers(len(fresh)))].split())
        loops[section.letter] = loop
    return loops


def _bars_per_chord(style: Style, phrase: Phrase) -> float:
    """Harmony moves more slowly in breakdowns and quiet openings, and not more slowly than bar by bar at the top."""
    width = style.bars_per_chord
    if phrase.section.role == "breakdown" or (phrase.section.energy < 0.25 and width == 1):
        return max(width, 2)
    if phrase.section.role == "climax" and width > 1 and style.cadences:
        return 1
    return width


def _climax_of(form: Form) -> int:
    """The number of the section that is the climax: the strongest, the last of equals."""
    best, strongest = -1, -1.0
    for phrase in form.phrases:
        weight = phrase.section.energy + (0.3 if phrase.section.role == "climax" else 0.0)
        if weight >= strongest:
            best, strongest = phrase.section_number, weight
    return best


def _sings(phrase: Phrase) -> bool:
    """Tunes breathe: in long sections every fourth phrase, and in the quietest every other one, belongs to the others."""
    if phrase.section.role in ("climax", "outro", "intro"):
        return True
    if phrase.section.energy < 0.2:
        return phrase.number % 2 == 1 or phrase.of == 1
    return not (phrase.of > 3 and phrase.number % 4 == 3)


def plays(chair: Chair, phrase: Phrase) -> bool:
    """Whether a chair plays in a phrase."""
    if phrase.section.role in chair.layer.silent_in:
        return False
    energy = max(phrase.energy, (phrase.energy + phrase.energy_to) / 2)
    return chair.enters <= energy < chair.leaves


def play_all(plan: Plan, cast: Cast, style: Style, seed: int) -> list[Draft]:
    """Every chair's notes over the whole piece, in seconds."""
    sung = [note.pitch for sheet in plan.sheets for note in sheet.tune]
    drafts: list[Draft] = []
    for chair in cast.chairs:
        seat = Seat(chair.low, chair.high, _tune_shift(chair, sung))
        events: list[Event] = []
        dynamics: list[float] = []
        for sheet in plan.sheets:
            if not plays(chair, sheet.phrase):
                seat.held = ()
                continue
            letter = sheet.phrase.section.letter
            dice = Dice(
                dice_for(seed, "material", chair.layer.name, letter),
                dice_for(seed, "moment", chair.layer.name, str(sheet.phrase.place)),
            )
            played = [e for e in chair.layer.play(sheet, seat, dice) if e.beat < sheet.phrase.end - 1e-6]
            events += played
            dynamics += [_dynamic(sheet.phrase, event.beat) for event in played]
        rng = dice_for(seed, "hand", chair.name)
        drafts.append(Draft(chair, _in_time(events, dynamics, chair, plan.form, style, rng)))
    return drafts


def _tune_shift(chair: Chair, sung: Sequence[int]) -> int:
    """By how many octaves a player of the tune moves it to lie well in its register."""
    if chair.role not in ("lead", "double") or not sung:
        return 0
    pitches = np.asarray(sung)
    centre = (chair.low + chair.high) / 2

    def strain(shift: int) -> float:
        moved = pitches + shift
        outside = np.maximum(moved - chair.high, 0) + np.maximum(chair.low - moved, 0)
        return float(outside.sum()) * 10 + abs(float(moved.mean()) - centre)

    return min((-36, -24, -12, 0, 12, 24, 36), key=strain)


def _dynamic(phrase: Phrase, beat: float) -> float:
    """Loudness of the moment as a factor on velocity, from the phrase's energy."""
    span = max(phrase.end - phrase.start, 1e-6)
    energy = phrase.energy + (phrase.energy_to - phrase.energy) * (beat - phrase.start) / span
    return 0.62 + 0.5 * energy


def _in_time(
    events: list[Event],
    dynamics: list[float],
    chair: Chair,
    form: Form,
    style: Style,
    rng: np.random.Generator,
) -> list[Note]:
    """Events as notes in seconds: swung, accented by the metre, and played by a person."""
    if not events:
        return []
    beats = np.array([event.beat for event in events])
    ends = np.minimum(beats + np.array([event.length for event in events]), form.ending_beat)
    is_kit = chair.role == "kit"
    starts = form.tempo_map.times_at(_swung(beats, style))
    stops = form.tempo_map.times_at(_swung(ends, style))
    spread = style.looseness * (0.6 if is_kit or chair.role == "bass" else 1.0)
    # Short notes are as long as their player makes them, whatever the tempo does in between.
    beat = 60.0 / form.tempo_map.tempo_bpm
    lengths = np.where(ends - beats <= 1.0, (ends - beats) * beat, stops - starts)
    starts = starts + np.clip(rng.normal(0.0, 1.0, len(starts)) * spread, -0.015, 0.015)
    starts = np.clip(starts, 0.0, None)
    velocity = np.array([event.velocity for event in events]) * np.array(dynamics)
    if not is_kit:
        velocity = velocity * _metric(beats, form)
    # A section breathes as one: held chords are not shaken note by note (and what is alike need be played but once).
    shake = 0.0 if chair.role == "pad" else 0.025
    velocity = np.clip(velocity + rng.normal(0.0, 1.0, len(velocity)) * shake, 0.06, 1.0)
    return [
        Note(float(start), max(float(length), 0.04), event.pitch, float(loud))
        for start, length, event, loud in zip(starts, lengths, events, velocity, strict=True)
    ]


def _swung(beats: Floats, style: Style) -> Floats:
    """Off-beats later by the style's swing; everything between is stretched along."""
    if style.swing == 0:
        return beats
    unit = 2 * style.swing_unit
    whole = np.floor(beats / unit)
    inside = beats / unit - whole
    late = 0.5 + style.swing
    bent = np.where(inside < 0.5, inside * late / 0.5, late + (inside - 0.5) * (1 - late) / 0.5)
    return np.asarray((whole + bent) * unit)


def _metric(beats: Floats, form: Form) -> Floats:
    """The metre as a factor on velocity: downbeats weigh most, sixteenths least."""
    starts = np.asarray(form.tempo_map.bar_starts, float)
    bar = np.clip(np.searchsorted(starts, beats + 1e-6, side="right") - 1, 0, None)
    inside = beats - starts[bar]
    near_whole = np.abs(inside - np.round(inside)) < 0.08
    near_half = np.abs(inside * 2 - np.round(inside * 2)) < 0.12
    first = inside < 0.08
    return np.select([first, near_whole, near_half], [1.06, 1.0, 0.95], 0.9)
