"""Drums: grooves as sixteenth-note grids, their variations, fills and half-time; keys are General MIDI percussion.

A line of a groove has 16 signs for four beats: a digit is a velocity in tenths, anything else is silence. Bars of
other metres take the beats they need.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reelscore.compose.form import Bar, Phrase
from reelscore.compose.players import Dice, Event, Player, Seat, Sheet, fit_steps

KEYS: dict[str, int] = {
    "kick": 36,
    "rim": 37,
    "snare": 38,
    "clap": 39,
    "low tom": 43,
    "mid tom": 47,
    "high tom": 50,
    "hat": 42,
    "pedal": 44,
    "open": 46,
    "crash": 49,
    "ride": 51,
    "bell": 53,
    "tambourine": 54,
    "cowbell": 56,
    "low drum": 41,
    "drum": 45,
    "high drum": 48,
    "maracas": 70,
    "shaker": 82,
    "triangle": 81,
    "block": 76,
}

Groove = Mapping[str, str]


@dataclass(frozen=True)
class Fill:
    """What leads out of a section: lines like a groove's for the last two beats (8 signs)."""

    lines: Mapping[str, str]


TOM_FILLS = (
    Fill({"snare": "8.678...", "high tom": "....88..", "low tom": "......89"}),
    Fill({"snare": "7777....", "mid tom": "....88..", "low tom": "......99", "kick": "9...9..."}),
    Fill({"high tom": "88......", "mid tom": "..88....", "low tom": "....88..", "snare": "......89"}),
    Fill({"snare": "6.6.7789", "kick": "9...9..."}),
)
SNARE_FILLS = (
    Fill({"snare": "5.6.7.8.", "clap": "......89"}),
    Fill({"snare": "45566789"}),
    Fill({"snare": "..6.6788", "kick": "9......."}),
)
TAIKO_FILLS = (
    Fill({"drum": "6.6.7.8.", "low drum": "....8.89"}),
    Fill({"high drum": "66667777", "drum": "....7789", "low drum": "8......9"}),
    Fill({"low drum": "7.7.8899", "high drum": ".5.6.7.8"}),
)
BRUSH_FILLS = (
    Fill({"snare": "5..6.67.", "kick": "......6."}),
    Fill({"snare": "4.5.6.6.", "low tom": "......7."}),
)
SHAKER_FILLS = (Fill({"shaker": "66677788", "maracas": "6.6.7.8."}),)


def drums(
    grooves: Sequence[Groove], fills: Sequence[Fill] = TOM_FILLS, crash: bool = True, half_time: Groove | None = None
) -> Player:
    """A drummer: one groove per letter, varied every fourth bar, half-time in breakdowns, filling out of sections."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        del seat
        phrase = sheet.phrase
        groove = grooves[int(dice.material.integers(len(grooves)))]
        if phrase.section.role == "breakdown":
            groove = half_time or halved(groove)
        events: list[Event] = []
        for number, bar in enumerate(phrase.bars):
            varied = number % 4 == 3 or number == len(phrase.bars) - 1
            events += _bar(groove, bar, phrase, dice.moment if varied else None)
        if phrase.closes_section or (phrase.number % 2 == 1 and dice.moment.random() < 0.6):
            events = _filled(events, phrase, fills[int(dice.moment.integers(len(fills)))])
        if crash and phrase.opens_section and phrase.energy >= 0.55 and not phrase.opens_piece:
            events.append(Event(phrase.start, 2.0, KEYS["crash"], 0.75))
        return events

    return play


def halved(groove: Groove) -> Groove:
    """The groove at half speed, in outline: first and third quarter of its kick and snare, eighth-note time on top."""
    sparse: dict[str, str] = {}
    for name, line in groove.items():
        if name in ("snare", "clap", "rim"):
            sparse[name] = "........" + "8......."
        elif name in ("kick", "low drum"):
            sparse[name] = "9.............5."
        elif name in ("hat", "ride", "shaker", "maracas"):
            sparse[name] = "".join(sign if step % 4 == 0 else "." for step, sign in enumerate(line))
    return sparse or groove


def _bar(groove: Groove, bar: Bar, phrase: Phrase, variation: np.random.Generator | None) -> list[Event]:
    events: list[Event] = []
    for name, line in groove.items():
        signs = fit_steps(line, bar.metre)
        for step, sign in enumerate(signs):
            beat = bar.first + step / 4
            if not sign.isdigit() or beat >= bar.end - 1e-6:
                continue
            velocity = int(sign) / 10
            # Ghost notes and sixteenths thin out when the music is quiet.
            if phrase.energy < 0.55 and step % 2 == 1 and velocity < 0.65:
                continue
            events.append(Event(beat, 0.25, KEYS[name], velocity))
    if variation is not None and "kick" in groove and bar.metre >= 3:
        beat = bar.first + float(variation.choice(np.array([1.5, 1.75, 2.5, 2.75])))
        if beat < bar.end:
            events.append(Event(beat, 0.25, KEYS["kick"], 0.62))
        if "hat" in groove and phrase.energy > 0.5 and variation.random() < 0.6:
            late = bar.end - 0.5
            events = [event for event in events if not (event.pitch == KEYS["hat"] and event.beat >= late - 1e-6)]
            events.append(Event(late, 0.5, KEYS["open"], 0.6))
    return events


def _filled(events: list[Event], phrase: Phrase, fill: Fill) -> list[Event]:
    last = phrase.bars[-1]
    room = 2.0 if last.beats >= 3 and phrase.energy > 0.4 else 1.0
    if last.beats <= room or phrase.energy < 0.2:
        return events
    start = last.end - room
    kept = [event for event in events if event.beat < start - 1e-6]
    for name, line in fill.lines.items():
        signs = line[-int(room * 4) :]
        for step, sign in enumerate(signs):
            if sign.isdigit():
                rise = 0.8 + 0.2 * step / len(signs)
                kept.append(Event(start + step / 4, 0.25, KEYS[name], int(sign) / 10 * rise))
    return kept
