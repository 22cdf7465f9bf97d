"""Bowed strings: section, tremolo section, solo violin and solo cello.

A bowed string moves as a sawtooth; what is heard is that saw through bow pressure (brightness) and the body's resonances, with
the rosin's noise in the bow's rhythm.
"""

import numpy as np

from reelscore.audio import Samples, gain_from_db
from reelscore.sound.patches import loudness
from reelscore.sound.patches.envelopes import audio_rate, control_times, finished, take, velocity_gain, wander
from reelscore.sound.patches.oscillators import Numbers, hertz, noise
from reelscore.sound.patches.patch import Patch
from reelscore.sound.patches.players import SECTION_TOP, Hands, Section, Voice, alone, numbers_within, section, tables
from reelscore.sound.patches.strings import Body, Peak, softened

SECTION_RELEASE = 0.55
TREMOLO_RELEASE = 0.4
SOLO_RELEASE = 0.28

VIOLIN = Body(
    (
        Peak(280, 50, 1.1),
        Peak(465, 60, 1.6),
        Peak(555, 70, 1.5),
        Peak(860, 150, 0.5),
        Peak(1180, 200, 0.8),
        Peak(2500, 1300, 1.7),
    ),
    190,
    4000,
    2.8,
)
CELLO = Body(
    (
        Peak(100, 25, 1.1),
        Peak(178, 35, 1.6),
        Peak(225, 45, 1.2),
        Peak(390, 110, 0.8),
        Peak(640, 180, 0.7),
        Peak(1700, 1200, 0.7),
    ),
    70,
    2600,
    2.6,
)
# A hall full of different instruments has no single resonance left; what stays is the broad shape.
MANY = Body((Peak(260, 240, 0.5), Peak(500, 500, 0.6), Peak(1200, 900, 0.35), Peak(2500, 1500, 0.5)), 60, 2900, 2.5)


def _bowed(pitch_hz: float, body: Body, pressure: float, rate: int, top_hz: float = 12000.0) -> Numbers:
    """The harmonics of a bowed string in this body; more pressure, more of the high ones."""
    number = numbers_within(pitch_hz, rate, top_hz)
    corner_hz = (420.0 + 3000.0 * pressure) * (pitch_hz / 300.0) ** 0.35
    return body.response(pitch_hz * number) / number**0.8 * softened(pitch_hz * number, corner_hz, 1.4)


def strings(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A string section, legato: a dozen desks from left to right."""
    rng = take("strings", pitch, variation)
    hands = Hands(5.3, 11.0, 0.2, 3.0, 0.12, 0.04)
    voice = _section_voice(pitch, velocity, duration, rate, 0.24 - 0.14 * velocity, SECTION_RELEASE)
    return _section(voice, hands, Section(11, 7.0, 0.05, 0.75), velocity, rate, rng)


def tremolo_strings(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """The section with fast, unmeasured bow strokes, every player in a rhythm of their own."""
    rng = take("tremolo strings", pitch, variation)
    hands = Hands(12.5, 2.0, 0.0, 4.0, 0.1, 0.7)
    voice = _section_voice(pitch, velocity, duration, rate, 0.09, TREMOLO_RELEASE)
    return _section(voice, hands, Section(11, 8.0, 0.03, 0.75), velocity, rate, rng)


def _section_voice(pitch: int, velocity: float, duration: float, rate: int, attack: float, release: float) -> Voice:
    pitch_hz = hertz(pitch)
    colours = [
        _bowed(pitch_hz, MANY, pressure, rate, SECTION_TOP * rate)
        for pressure in (0.2 * velocity, 0.03 + 0.95 * velocity**1.2)
    ]
    return Voice(tables(pitch_hz, colours, 3.0), pitch_hz, duration, attack, release, 0.0, 1.0, 1.0)


def _section(
    voice: Voice, hands: Hands, players: Section, velocity: float, rate: int, rng: np.random.Generator
) -> Samples:
    count = round((voice.duration + voice.release * 1.25) * rate)
    sound = section(voice, hands, players, count, rate, rng)
    times = control_times(count, rate)
    rosin = audio_rate((0.020 + 0.02 * velocity) * voice.level(times) * (1.0 + 0.3 * wander(times, 6.0, rng)[0]), count)
    for side in range(2):
        sound[side] += rosin * noise(1200.0, 4500.0, count, rate, rng)
    sound *= np.float32(gain_from_db(loudness.LEVEL_DB - 1.7) * velocity_gain(velocity, 17.0))
    return finished(sound, rate, attack=0.004)


def solo_violin(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """One violin, sweet, with a vibrato that grows on long notes."""
    rng = take("solo violin", pitch, variation)
    hands = Hands(5.7, 17.0, 0.28, 2.0, 0.05, 0.13, 10.0, 0.05)
    return _solo(pitch, velocity, duration, rate, VIOLIN, hands, 0.11 - 0.06 * velocity, 1500.0, rng)


def solo_cello(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """One cello, broad and warm."""
    rng = take("solo cello", pitch, variation)
    hands = Hands(5.1, 15.0, 0.32, 2.0, 0.05, 0.12, 8.0, 0.06)
    return _solo(pitch, velocity, duration, rate, CELLO, hands, 0.14 - 0.08 * velocity, 800.0, rng)


def _solo(
    pitch: int,
    velocity: float,
    duration: float,
    rate: int,
    body: Body,
    hands: Hands,
    attack: float,
    rosin_hz: float,
    rng: np.random.Generator,
) -> Samples:
    pitch_hz = hertz(pitch)
    presses = (0.1 * velocity, 0.03 + 0.5 * velocity, 0.08 + 1.1 * velocity)
    colours = [_bowed(pitch_hz, body, pressure, rate) for pressure in presses]
    voice = Voice(tables(pitch_hz, colours, 2.0), pitch_hz, duration, attack, SOLO_RELEASE, 0.0, 1.6, 1.3)
    count = round((duration + SOLO_RELEASE * 1.25) * rate)
    tone = alone(voice, hands, count, rate, rng)
    times = control_times(count, rate)
    level = voice.level(times)
    bite = 1.0 + 3.0 * np.exp(-times / 0.035)
    rosin = level * bite * (0.028 + 0.02 * velocity) * (1.0 + 0.3 * wander(times, 9.0, rng)[0])
    grain = noise(rosin_hz, 4200.0, count, rate, rng) * audio_rate(rosin, count)
    # The room's first answer, a few milliseconds late on the far side, gives one player a width without a second player.
    tone = tone + grain
    late = round(0.0113 * rate)
    echo = np.concatenate([np.zeros(late, np.float32), tone[:-late]]) if count > late else 0.0 * tone
    sound = np.stack([tone + 0.10 * echo, tone - 0.10 * echo]).astype(np.float32)
    sound *= np.float32(gain_from_db(loudness.LEVEL_DB - 0.4) * velocity_gain(velocity, 17.0))
    return finished(sound, rate, attack=0.003)


PATCHES = {
    "strings": Patch(strings, 1.3 * SECTION_RELEASE),
    "tremolo strings": Patch(tremolo_strings, 1.3 * TREMOLO_RELEASE),
    "solo violin": Patch(solo_violin, 1.3 * SOLO_RELEASE),
    "solo cello": Patch(solo_cello, 1.3 * SOLO_RELEASE),
}
