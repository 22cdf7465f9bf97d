"""The kits: which General MIDI percussion key is struck how, how loud, and where it stands.

A kit is a table from key to Piece. A key that a kit lacks is played on what is most like it in the kit; none is silent. Levels
are peaks in dBFS at velocity 0.8, set beside melodic patches that play at −20 dBFS RMS; from velocity 0.2 to 1 they span 20 dB.
A kit lets every stroke ring as it rings; only brush sweeps listen to the written length.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from reelscore.audio import Samples, gain_from_db
from reelscore.sound.patches import drum_machine, drums, hand_percussion, orchestral
from reelscore.sound.patches.envelopes import finished, take, velocity_gain
from reelscore.sound.patches.patch import Patch
from reelscore.sound.patches.strokes import Hit, placed

VELOCITY_SPAN_DB = 20.0
LONGEST = 6.0


@dataclass(frozen=True)
class Piece:
    """One thing to strike: how it sounds, its peak at velocity 0.8, its place between left and right."""

    strike: Callable[[Hit], Samples]
    peak_db: float
    pan: float = 0.0


Kit = dict[int, Piece]

# What a key is most like, nearest first, in kits that lack it.
ALIKE: dict[int, tuple[int, ...]] = {
    27: (75,),
    28: (39,),
    29: (73,),
    30: (73,),
    31: (37, 75),
    32: (37, 75),
    33: (76,),
    34: (53, 80),
    35: (36, 64),
    36: (35, 64),
    37: (75,),
    38: (40, 39, 62),
    39: (38, 40),
    40: (38, 39, 63),
    41: (43, 64),
    42: (44, 70),
    43: (41, 64),
    44: (42, 70),
    45: (47, 43, 64),
    46: (42, 54),
    47: (45, 48, 63),
    48: (50, 47, 63),
    49: (57, 54),
    50: (48, 62),
    51: (59, 53, 54),
    52: (49, 54),
    53: (51, 80),
    55: (49, 54),
    57: (49, 54),
    59: (51, 54),
}


def kit(name: str, pieces: Kit) -> Patch:
    """The patch that plays a kit."""

    def play(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
        piece = pieces[played_key(pieces, pitch)]
        hit = Hit(velocity, duration, rate, take(name, pitch, variation))
        sound = placed(piece.strike(hit), piece.pan)
        sound = finished(sound * np.float32(0.5 / max(float(np.abs(sound).max()), 1e-9)), rate)
        peak = gain_from_db(piece.peak_db) * velocity_gain(velocity, VELOCITY_SPAN_DB)
        return sound * np.float32(peak / max(float(np.abs(sound).max()), 1e-9))

    return Patch(play, LONGEST)


def played_key(pieces: Kit, pitch: int) -> int:
    """The key of the kit that a pitch is played on."""
    if pitch in pieces:
        return pitch
    alike = next((key for key in ALIKE.get(pitch, ()) if key in pieces), None)
    return min(pieces, key=lambda key: (abs(key - pitch), key)) if alike is None else alike


HAND: Kit = {
    39: Piece(hand_percussion.clap, -13.0, 0.1),
    54: Piece(hand_percussion.tambourine, -15.0, 0.3),
    56: Piece(hand_percussion.cowbell, -18.0, 0.25),
    58: Piece(hand_percussion.vibraslap, -20.0, -0.3),
    60: Piece(partial(hand_percussion.hand_drum, pitch_hz=330.0, ring_time=0.16), -14.0, -0.25),
    61: Piece(partial(hand_percussion.hand_drum, pitch_hz=245.0, ring_time=0.2), -14.0, -0.2),
    62: Piece(partial(hand_percussion.hand_drum, pitch_hz=225.0, ring_time=0.07), -15.0, 0.2),
    63: Piece(partial(hand_percussion.hand_drum, pitch_hz=205.0, ring_time=0.4), -14.0, 0.2),
    64: Piece(partial(hand_percussion.hand_drum, pitch_hz=150.0, ring_time=0.5), -13.0, 0.3),
    65: Piece(partial(hand_percussion.timbale, pitch_hz=330.0), -15.0, -0.3),
    66: Piece(partial(hand_percussion.timbale, pitch_hz=240.0), -15.0, -0.35),
    67: Piece(partial(hand_percussion.agogo, pitch_hz=910.0), -20.0, 0.35),
    68: Piece(partial(hand_percussion.agogo, pitch_hz=680.0), -20.0, 0.35),
    69: Piece(partial(hand_percussion.shaken, length=0.09, low_hz=5000.0), -16.0, -0.35),
    70: Piece(partial(hand_percussion.shaken, length=0.07, low_hz=4200.0), -15.5, -0.3),
    71: Piece(partial(hand_percussion.whistle, length=0.12), -24.0, 0.1),
    72: Piece(partial(hand_percussion.whistle, length=0.4), -24.0, 0.1),
    73: Piece(partial(hand_percussion.scraped, length=0.09), -20.0, 0.3),
    74: Piece(partial(hand_percussion.scraped, length=0.32), -20.0, 0.3),
    75: Piece(partial(hand_percussion.wood, pitch_hz=2480.0, ring_time=0.09), -18.0, -0.2),
    76: Piece(partial(hand_percussion.wood, pitch_hz=1040.0, ring_time=0.1), -17.0, 0.25),
    77: Piece(partial(hand_percussion.wood, pitch_hz=740.0, ring_time=0.12), -17.0, 0.3),
    78: Piece(partial(hand_percussion.friction_drum, pitch_hz=340.0), -18.0, -0.1),
    79: Piece(partial(hand_percussion.friction_drum, pitch_hz=230.0), -18.0, -0.1),
    80: Piece(partial(hand_percussion.triangle, ring_time=0.12), -23.0, -0.35),
    81: Piece(partial(hand_percussion.triangle, ring_time=2.4), -23.0, -0.35),
    82: Piece(partial(hand_percussion.shaken, length=0.11, low_hz=4500.0), -15.5, -0.3),
    83: Piece(hand_percussion.tambourine, -17.0, 0.3),
    84: Piece(hand_percussion.bell_tree, -24.0, 0.2),
    85: Piece(hand_percussion.castanets, -18.0, 0.2),
    86: Piece(partial(hand_percussion.hand_drum, pitch_hz=95.0, ring_time=0.15), -12.0, 0.0),
    87: Piece(partial(hand_percussion.hand_drum, pitch_hz=78.0, ring_time=0.8), -11.0, 0.0),
}

DRUM_KIT: Kit = HAND | {
    35: Piece(partial(drums.kick, pitch_hz=50.0, ring_time=0.6), -8.0),
    36: Piece(partial(drums.kick, pitch_hz=57.0, ring_time=0.48), -8.0),
    37: Piece(drums.side_stick, -15.0, 0.05),
    38: Piece(partial(drums.snare, pitch_hz=192.0, ring_time=0.38), -9.5, 0.04),
    40: Piece(partial(drums.snare, pitch_hz=228.0, ring_time=0.3), -9.5, 0.04),
    41: Piece(partial(drums.tom, pitch_hz=82.0, ring_time=0.9), -10.0, 0.4),
    42: Piece(partial(drums.hat, ring_time=0.13), -18.5, -0.3),
    43: Piece(partial(drums.tom, pitch_hz=98.0, ring_time=0.8), -10.0, 0.28),
    44: Piece(drums.pedalled_hat, -21.0, -0.3),
    45: Piece(partial(drums.tom, pitch_hz=118.0, ring_time=0.7), -10.0, 0.12),
    46: Piece(partial(drums.hat, ring_time=1.0), -18.5, -0.3),
    47: Piece(partial(drums.tom, pitch_hz=140.0, ring_time=0.62), -10.0, -0.05),
    48: Piece(partial(drums.tom, pitch_hz=168.0, ring_time=0.55), -10.0, -0.18),
    49: Piece(partial(drums.crash, low_hz=340.0, ring_time=3.6), -11.5, -0.4),
    50: Piece(partial(drums.tom, pitch_hz=198.0, ring_time=0.5), -10.0, -0.3),
    51: Piece(partial(drums.ride, ring_time=2.6), -18.0, 0.38),
    52: Piece(drums.china, -15.0, 0.45),
    53: Piece(drums.ride_bell, -18.0, 0.38),
    55: Piece(partial(drums.crash, low_hz=620.0, ring_time=1.1), -15.0, -0.2),
    57: Piece(partial(drums.crash, low_hz=300.0, ring_time=4.0), -11.5, 0.4),
    59: Piece(partial(drums.ride, ring_time=3.0), -18.0, 0.42),
}

BRUSHES: Kit = DRUM_KIT | {
    35: Piece(partial(drums.feathered_kick, pitch_hz=50.0), -11.0),
    36: Piece(partial(drums.feathered_kick, pitch_hz=57.0), -11.0),
    37: Piece(drums.side_stick, -17.0, 0.05),
    38: Piece(drums.brush_tap, -15.0, 0.04),
    39: Piece(drums.brush_slap, -13.0, 0.0),
    40: Piece(drums.brush_sweep, -22.0, -0.05),
    42: Piece(partial(drums.hat, ring_time=0.07), -26.0, -0.3),
    44: Piece(drums.pedalled_hat, -23.0, -0.3),
    46: Piece(partial(drums.hat, ring_time=0.7), -25.0, -0.3),
    49: Piece(partial(drums.brushed_cymbal, ring_time=3.0), -18.0, -0.35),
    51: Piece(partial(drums.ride, ring_time=2.2), -21.0, 0.35),
    57: Piece(partial(drums.brushed_cymbal, ring_time=3.4), -18.0, 0.35),
    59: Piece(partial(drums.brushed_cymbal, ring_time=2.2), -20.0, 0.35),
}

ELECTRONIC_KIT: Kit = HAND | {
    35: Piece(partial(drum_machine.kick, pitch_hz=46.0, ring_time=1.1, punch=0.25), -7.5),
    36: Piece(partial(drum_machine.kick, pitch_hz=52.0, ring_time=0.5, punch=1.0), -7.5),
    37: Piece(drum_machine.rim, -16.0),
    38: Piece(partial(drum_machine.snare, pitch_hz=185.0, ring_time=0.34), -9.5),
    39: Piece(drum_machine.clap, -12.0),
    40: Piece(partial(drum_machine.snare, pitch_hz=150.0, ring_time=0.22), -10.0),
    41: Piece(partial(drum_machine.tom, pitch_hz=78.0), -11.0, 0.35),
    42: Piece(partial(drum_machine.hat, ring_time=0.1), -18.5, -0.15),
    43: Piece(partial(drum_machine.tom, pitch_hz=95.0), -11.0, 0.25),
    44: Piece(partial(drum_machine.hat, ring_time=0.12), -23.0, -0.15),
    45: Piece(partial(drum_machine.tom, pitch_hz=115.0), -11.0, 0.1),
    46: Piece(partial(drum_machine.hat, ring_time=0.6), -18.5, -0.15),
    47: Piece(partial(drum_machine.tom, pitch_hz=140.0), -11.0, -0.1),
    48: Piece(partial(drum_machine.tom, pitch_hz=170.0), -11.0, -0.2),
    49: Piece(partial(drum_machine.cymbal, ring_time=2.6), -15.0, -0.3),
    50: Piece(partial(drum_machine.tom, pitch_hz=205.0), -11.0, -0.3),
    51: Piece(partial(drum_machine.cymbal, ring_time=0.8), -21.0, 0.3),
    52: Piece(drums.china, -16.0, 0.4),
    53: Piece(drums.ride_bell, -21.0, 0.3),
    55: Piece(partial(drum_machine.cymbal, ring_time=1.0), -16.0, -0.2),
    56: Piece(drum_machine.cowbell, -17.0, 0.2),
    57: Piece(partial(drum_machine.cymbal, ring_time=3.2), -15.0, 0.3),
    59: Piece(partial(drum_machine.cymbal, ring_time=1.2), -21.0, 0.35),
}

CINEMATIC: Kit = HAND | {
    27: Piece(partial(orchestral.bass_drum, pitch_hz=30.0, ring_time=4.5), -7.0),
    28: Piece(partial(orchestral.bass_drum, pitch_hz=33.0, ring_time=4.0), -7.0),
    29: Piece(partial(orchestral.taiko_roll, pitch_hz=62.0), -10.0),
    30: Piece(partial(orchestral.taiko_roll, pitch_hz=88.0), -11.0),
    31: Piece(orchestral.sticks, -14.0, 0.2),
    33: Piece(partial(orchestral.bass_drum, pitch_hz=36.0, ring_time=3.2), -8.0),
    34: Piece(orchestral.anvil, -16.0, 0.25),
    35: Piece(partial(orchestral.bass_drum, pitch_hz=38.0, ring_time=2.6), -8.0),
    36: Piece(partial(orchestral.taiko, pitch_hz=48.0, ring_time=1.5), -8.0),
    37: Piece(orchestral.sticks, -15.0, 0.2),
    38: Piece(partial(orchestral.field_drum, pitch_hz=165.0), -12.0, 0.1),
    39: Piece(hand_percussion.clap, -13.0, -0.1),
    40: Piece(partial(orchestral.field_drum, pitch_hz=195.0), -12.0, 0.1),
    41: Piece(partial(orchestral.taiko, pitch_hz=58.0, ring_time=1.3), -8.5, -0.1),
    42: Piece(orchestral.sticks, -20.0, -0.25),
    43: Piece(partial(orchestral.taiko, pitch_hz=68.0, ring_time=1.15), -9.0, 0.1),
    44: Piece(orchestral.sticks, -22.0, -0.25),
    45: Piece(partial(orchestral.taiko, pitch_hz=80.0, ring_time=1.0), -9.5, -0.2),
    46: Piece(partial(drums.hat, ring_time=0.9), -23.0, -0.3),
    47: Piece(partial(orchestral.taiko, pitch_hz=96.0, ring_time=0.85), -10.0, 0.2),
    48: Piece(partial(orchestral.taiko, pitch_hz=118.0, ring_time=0.7), -10.5, -0.28),
    49: Piece(partial(orchestral.clashed_cymbals, ring_time=4.4), -13.0, -0.25),
    50: Piece(partial(orchestral.taiko, pitch_hz=142.0, ring_time=0.6), -11.0, 0.28),
    51: Piece(orchestral.suspended_cymbal, -20.0, 0.3),
    52: Piece(orchestral.tam_tam, -14.0, 0.2),
    53: Piece(orchestral.anvil, -16.0, 0.25),
    55: Piece(partial(orchestral.clashed_cymbals, ring_time=1.8), -15.0, -0.2),
    56: Piece(orchestral.anvil, -16.0, 0.25),
    57: Piece(partial(orchestral.clashed_cymbals, ring_time=4.8), -13.0, 0.25),
    59: Piece(orchestral.suspended_cymbal, -20.0, -0.3),
}

PATCHES: dict[str, Patch] = {
    "drum kit": kit("drum kit", DRUM_KIT),
    "brushes": kit("brushes", BRUSHES),
    "electronic kit": kit("electronic kit", ELECTRONIC_KIT),
    "cinematic percussion": kit("cinematic percussion", CINEMATIC),
    "shaker": kit("shaker", HAND),
}
