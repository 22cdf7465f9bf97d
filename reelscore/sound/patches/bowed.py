"""Bowed strings: section, tremolo section, solo violin and solo cello.

A bowed string moves as a sawtooth; what is heard is that saw through bow pressure (brightness) and the body's resonances, with
the rosin's noise in the bow's rhythm.
"""

from dataclasses import dataclass

import numpy as np

from reelscore.audio import Samples, gain_from_db
from reelscore.sound.patches import loudness
from reelscore.sound.patches.envelopes import audio_rate, control_times, finished, take, velocity_gain, wander
from reelscore.sound.patches.oscillators import Numbers, hertz, noise
from reelscore.sound.patches.patch import Patch
from reelscore.sound.patches.players import (
    SECTION_TOP,
    Hands,
    Section,
    Voice,
    alone,
    in_a_room,
    numbers_within,
    section,
    tables,
)
from reelscore.sound.patches.strings import Body, Peak, softened

SOLO_RELEASE = 0.28
TAIL = 1.3
TOP_HZ = 12000.0

VIOLIN = Body(
    (
        Peak(280, 50, 1.1),
        Peak(465, 60, 1.6),
        Peak(555, 70, 1.5),
        Peak(860, 150, 0.5),
        Peak(1180, 200, 0.8),
        Peak(2800, 1700, 2.0),
    ),
    190,
    4600,
    2.8,
)
CELLO = Body(
    (
        Peak(100, 25, 1.1),
        Peak(178, 35, 1.6),
        Peak(225, 45, 1.2),
        Peak(390, 110, 0.8),
        Peak(640, 180, 0.7),
        Peak(1150, 500, 0.5),
        Peak(2000, 1300, 0.9),
    ),
    70,
    2600,
    2.6,
)
# A hall full of different instruments has no single resonance left; what stays is the broad shape.
MANY = Body((Peak(260, 240, 0.5), Peak(500, 500, 0.6), Peak(1200, 900, 0.35), Peak(2500, 1600, 0.8)), 60, 3500, 2.6)


ROSIN_HIGH_HZ = 4200.0


@dataclass(frozen=True)
class Bow:
    """One string player: the instrument's body, the hand, seconds to speak (softest, loudest), and where the rosin's noise begins."""

    name: str
    body: Body
    hands: Hands
    slow: float
    fast: float
    rosin_hz: float

    def play(self, pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
        """One note."""
        rng = take(self.name, pitch, variation)
        pitch_hz = hertz(pitch)
        presses = (0.1 * velocity, 0.03 + 0.5 * velocity, 0.08 + 1.1 * velocity)
        colours = [_bowed(pitch_hz, self.body, pressure, rate, TOP_HZ) for pressure in presses]
        attack = self.slow + (self.fast - self.slow) * velocity
        voice = Voice(tables(pitch_hz, colours, 2.0), pitch_hz, duration, attack, SOLO_RELEASE, bright=1.6, bloom=1.3)
        count = round((duration + SOLO_RELEASE * 1.25) * rate)
        tone = alone(voice, self.hands, count, rate, rng)
        times = control_times(count, rate)
        bite = 1.0 + 3.0 * np.exp(-times / 0.035)
        rosin = voice.level(times) * bite * (0.020 + 0.016 * velocity) * (1.0 + 0.3 * wander(times, 9.0, rng)[0])
        tone += noise(self.rosin_hz, ROSIN_HIGH_HZ, count, rate, rng) * audio_rate(rosin, count)
        sound = in_a_room(tone, rate)
        sound *= np.float32(gain_from_db(loudness.LEVEL_DB - 0.4) * velocity_gain(velocity, 17.0))
        return finished(sound, rate, attack=0.003)


@dataclass(frozen=True)
class Desks:
    """A section of string players: how they sit, their hands, seconds to speak (softest, loudest) and to stop."""

    name: str
    players: Section
    hands: Hands
    slow: float
    fast: float
    release: float

    def play(self, pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
        """One note."""
        rng = take(self.name, pitch, variation)
        pitch_hz = hertz(pitch)
        presses = (0.2 * velocity, 0.03 + 0.95 * velocity**1.2)
        colours = [_bowed(pitch_hz, MANY, pressure, rate, SECTION_TOP * rate) for pressure in presses]
        attack = self.slow + (self.fast - self.slow) * velocity
        voice = Voice(tables(pitch_hz, colours, 3.0), pitch_hz, duration, attack, self.release, bloom=1.0)
        count = round((duration + self.release * 1.25) * rate)
        sound = section(voice, self.hands, self.players, count, rate, rng)
        times = control_times(count, rate)
        rosin = voice.level(times) * (0.014 + 0.016 * velocity) * (1.0 + 0.3 * wander(times, 6.0, rng)[0])
        grain = audio_rate(rosin, count)
        for side in (0, 1):
            sound[side] += grain * noise(1200.0, 4500.0, count, rate, rng)
        sound *= np.float32(gain_from_db(loudness.LEVEL_DB - 1.7) * velocity_gain(velocity, 17.0))
        return finished(sound, rate, attack=0.004)


def _bowed(pitch_hz: float, body: Body, pressure: float, rate: int, top_hz: float) -> Numbers:
    """The harmonics of a bowed string in this body; more pressure, more of the high ones."""
    number = numbers_within(pitch_hz, rate, top_hz)
    corner_hz = (420.0 + 3000.0 * pressure) * (pitch_hz / 300.0) ** 0.35
    return body.response(pitch_hz * number) / number**0.8 * softened(pitch_hz * number, corner_hz, 1.4)


STRINGS = Desks(
    name="strings",
    players=Section(count=11, detune_cents=7.0, stagger=0.05, width=0.75),
    hands=Hands(vibrato_hz=5.3, vibrato_cents=11.0, vibrato_delay=0.2, pitch_drift_cents=3.0, level_drift=0.12),
    slow=0.24,
    fast=0.10,
    release=0.55,
)
# The strokes of a tremolo are a level that swings fast, with a little of it in the pitch; no two players keep time.
TREMOLO = Desks(
    name="tremolo strings",
    players=Section(count=11, detune_cents=8.0, stagger=0.03, width=0.75),
    hands=Hands(
        vibrato_hz=12.5,
        vibrato_cents=2.0,
        vibrato_delay=0.0,
        pitch_drift_cents=4.0,
        level_drift=0.1,
        swell_with_vibrato=0.7,
    ),
    slow=0.09,
    fast=0.09,
    release=0.4,
)
SOLO_VIOLIN = Bow(
    name="solo violin",
    body=VIOLIN,
    hands=Hands(
        vibrato_hz=5.7,
        vibrato_cents=17.0,
        vibrato_delay=0.28,
        pitch_drift_cents=2.0,
        level_drift=0.05,
        swell_with_vibrato=0.13,
        scoop_cents=10.0,
    ),
    slow=0.11,
    fast=0.05,
    rosin_hz=1500.0,
)
SOLO_CELLO = Bow(
    name="solo cello",
    body=CELLO,
    hands=Hands(
        vibrato_hz=5.1,
        vibrato_cents=15.0,
        vibrato_delay=0.32,
        pitch_drift_cents=2.0,
        level_drift=0.05,
        swell_with_vibrato=0.12,
        scoop_cents=8.0,
        scoop=0.06,
    ),
    slow=0.14,
    fast=0.06,
    rosin_hz=800.0,
)

PATCHES = {
    "strings": Patch(STRINGS.play, TAIL * STRINGS.release),
    "tremolo strings": Patch(TREMOLO.play, TAIL * TREMOLO.release),
    "solo violin": Patch(SOLO_VIOLIN.play, TAIL * SOLO_RELEASE),
    "solo cello": Patch(SOLO_CELLO.play, TAIL * SOLO_RELEASE),
}
