"""Players of the tune and of the voice against it."""

from reelscore.compose.harmony import chord_at, into_range, near
from reelscore.compose.players import Dice, Event, Player, Seat, Sheet


def theme(velocity: float = 0.82) -> Player:
    """The tune as it was written, in the octave of this player's register."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        del dice
        return [
            Event(
                note.beat,
                note.length,
                into_range(note.pitch + seat.tune_shift, seat.low, seat.high),
                velocity * note.weight,
            )
            for note in sheet.tune
        ]

    return play


def counter(velocity: float = 0.68) -> Player:
    """A second voice: guide tones held under the tune, moving where the tune holds still or rests."""

    def play(sheet: Sheet, seat: Seat, dice: Dice) -> list[Event]:
        events: list[Event] = []
        last = seat.held[0] if seat.held else (seat.low + seat.high) // 2
        for bar in sheet.phrase.bars:
            busy = [note for note in sheet.tune if bar.first <= note.beat < bar.end]
            latest = max((note.beat for note in busy), default=float(bar.first))
            room = bar.end - latest
            starts = [float(bar.first)]
            if room >= 2:
                starts += [latest + 1.0 + 0.5 * k for k in range(int(min(room - 1.0, 1.5) / 0.5))]
            starts = [beat for beat in dict.fromkeys(starts) if beat < bar.end - 0.2]
            for place, beat in enumerate(starts):
                end = starts[place + 1] if place + 1 < len(starts) else bar.end
                chord = chord_at(sheet.chords, beat)
                guide = chord.tones[1:2] + chord.tones[3:4] if place == 0 else tuple(chord.scale)
                options = [
                    near(tone, last + (0 if place == 0 else float(dice.moment.integers(-2, 3)))) for tone in guide
                ]
                pitch = min(options or [near(chord.root, last)], key=lambda p: abs(p - last) + (2 if p == last else 0))
                pitch = into_range(pitch, seat.low, seat.high)
                events.append(Event(beat, (end - beat) * 0.97, pitch, velocity))
                last = pitch
        seat.held = (last,)
        return events

    return play
