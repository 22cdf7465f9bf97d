"""Players of the bass: patterns over the roots, a walking line, and the bass that an oom-pah stands on."""

from collections.abc import Sequence

import numpy as np

from reelscore.compose.harmony import chord_at, into_range, near
from reelscore.compose.players import Dice, Event, Player, Seat, Sheet, fit_steps, pick, voiced


def bass(patterns: Sequence[str], held: float = 0.9, octaves: bool = False, fifths: float = 0.0) -> Player:
    """Bass notes in a rhythm: roots (digits), with r fifth, o octave and a an approach to the next chord."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        pattern, other = pick(patterns, dice.material), pick(patterns, dice.material)
        use_fifth = dice.material.random() < fifths
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
                length = min((after - step) / per_beat, bar.end - beat) * held
                pitch, velocity = _bass_note(signs[step], beat, sheet, seat)
                if octaves and place % 2 == 1:
                    pitch = into_range(pitch + 12, seat.low, seat.high)
                if use_fifth and place == len(struck) - 1 and len(struck) > 1:
                    chord = chord_at(sheet.chords, beat)
                    pitch = into_range(near(chord.triad[-1], pitch), seat.low, seat.high)
                events.append(Event(beat, length, pitch, velocity))
        return events

    return play


def _bass_note(sign: str, beat: float, sheet: Sheet, seat: Seat) -> tuple[int, float]:
    chord = chord_at(sheet.chords, beat)
    centre = seat.low + 7
    around = seat.held[0] if seat.held else centre
    root = into_range(near(chord.bass, 0.5 * around + 0.5 * centre), seat.low, seat.high)
    seat.held = (root,)
    if sign == "r":
        return into_range(root + (chord.triad[-1] - chord.root) % 12, seat.low, seat.high), 0.72
    if sign == "o":
        return into_range(root + 12, seat.low, seat.high), 0.72
    if sign == "a":
        target = chord_at(sheet.chords, beat + 1.01).bass
        goal = into_range(near(target, root), seat.low, seat.high)
        step = -1 if goal > root else 1
        pitch = goal + step if goal != root else root
        return max(pitch, seat.low), 0.68
    return root, int(sign) / 10 + 0.05


def walking_bass() -> Player:
    """Four to the bar: root, a chord tone, a passing tone, and a half-step into the next root."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        events: list[Event] = []
        last = seat.held[0] if seat.held else seat.low + 10
        for bar in sheet.phrase.bars:
            for number in range(int(np.ceil(bar.beats - 1e-9))):
                beat = float(bar.first + number)
                chord, after = chord_at(sheet.chords, beat), chord_at(sheet.chords, beat + 1.0)
                fresh = abs(chord.start - beat) < 1e-6 or number == 0
                if fresh:
                    pitch = near(chord.bass, 0.7 * last + 0.3 * (seat.low + 12))
                elif after.start > beat + 1e-6 and after.start <= beat + 1.0 + 1e-6:
                    goal = near(after.bass, last)
                    pitch = goal + (1 if dice.moment.random() < 0.5 else -1)
                else:
                    # The line climbs from the low half of its range and comes down from the high one, mostly by thirds.
                    centre = seat.low + 12
                    way = 1 if last + float(dice.moment.normal(0, 4)) < centre else -1
                    pool = chord.tones if number % 2 == 0 else tuple(chord.scale)
                    moving = [p for p in range(last - 7, last + 8) if p % 12 in pool and (p - last) * way > 0]
                    pitch = min(moving or [last], key=lambda p: abs(abs(p - last) - 3) + float(dice.moment.random()))
                pitch = into_range(pitch, seat.low, seat.high)
                events.append(Event(beat, 0.92, pitch, 0.8 if number % 2 == 0 else 0.74))
                if dice.moment.random() < 0.08:
                    events.append(Event(beat + 0.5, 0.3, pitch, 0.5))
                last = pitch
        seat.held = (last,)
        return [event for event in events if event.beat < sheet.phrase.end - 1e-6]

    return play


def oompah(chords_too: bool = True) -> Player:
    """Bass on the strong beats (root, then fifth), chord on the others."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        del dice
        events: list[Event] = []
        for bar in sheet.phrase.bars:
            for number in range(int(np.ceil(bar.beats - 1e-9))):
                beat = float(bar.first + number)
                chord = chord_at(sheet.chords, beat)
                strong = number == 0 if bar.metre == 3 else number % 2 == 0
                if strong:
                    tone = chord.root if number % 4 == 0 else chord.triad[-1]
                    pitch = into_range(near(tone, 43), max(seat.low, 34), min(seat.high, 55))
                    events.append(Event(beat, 0.45, pitch, 0.8))
                elif chords_too:
                    pitches = voiced(chord, Seat(max(seat.low, 55), seat.high, 0, seat.held), 3)
                    seat.held = pitches
                    events += [Event(beat, 0.35, pitch, 0.62) for pitch in pitches]
        return events

    return play
