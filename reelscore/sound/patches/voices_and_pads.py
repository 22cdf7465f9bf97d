"""Choir, warm pad and bright pad: many sources at once, soft at both ends.

The choir is voices with the formants of an open "ah", darkened to "oo" when soft; the pads are detuned oscillators whose
filter moves over seconds.
"""

import numpy as np

from reelscore.audio import Samples, gain_from_db
from reelscore.sound.patches import loudness
from reelscore.sound.patches.envelopes import audio_rate, control_times, finished, rise, take, velocity_gain, wander
from reelscore.sound.patches.oscillators import Numbers, hertz, noise
from reelscore.sound.patches.patch import Patch
from reelscore.sound.patches.players import SECTION_TOP, Hands, Section, Voice, numbers_within, section, tables
from reelscore.sound.patches.strings import Body, Peak, softened

CHOIR_RELEASE = 0.6
PAD_RELEASE = 1.1

CHOIR = Section(count=11, detune_cents=9.0, stagger=0.07, width=0.85)
SINGERS = Hands(
    vibrato_hz=5.3,
    vibrato_cents=20.0,
    vibrato_delay=0.15,
    pitch_drift_cents=7.0,
    level_drift=0.15,
    swell_with_vibrato=0.06,
    scoop_cents=20.0,
    scoop=0.06,
)
# A pad's oscillators: what is vibrato to a player is the slow sweep of level and filter here.
WARM = Section(count=7, detune_cents=9.0, stagger=0.15, width=0.9)
SLOW_FILTER = Hands(
    vibrato_hz=0.35,
    vibrato_cents=4.0,
    vibrato_delay=0.0,
    pitch_drift_cents=3.0,
    level_drift=0.25,
    swell_with_vibrato=0.3,
)
BRIGHT = Section(count=7, detune_cents=11.0, stagger=0.1, width=1.0)
QUICKER_FILTER = Hands(
    vibrato_hz=0.55,
    vibrato_cents=3.0,
    vibrato_delay=0.0,
    pitch_drift_cents=3.0,
    level_drift=0.25,
    swell_with_vibrato=0.35,
)


def choir(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A mixed choir on "ah", opening from "oo" as it swells."""
    rng = take("choir", pitch, variation)
    pitch_hz = hertz(pitch)
    number = numbers_within(pitch_hz, rate, 9000.0)
    colours = [_sung(pitch_hz * number, number, velocity, openness) for openness in (0.15, 0.4 + 0.6 * velocity)]
    attack = 0.28 - 0.13 * velocity
    voice = Voice(tables(pitch_hz, colours, 2.0), pitch_hz, duration, attack, CHOIR_RELEASE)
    count = round((duration + CHOIR_RELEASE * 1.25) * rate)
    sound = section(voice, SINGERS, CHOIR, count, rate, rng)
    times = control_times(count, rate)
    air = audio_rate(0.03 * voice.level(times) * (1.0 + 1.5 * np.exp(-times / 0.08)), count)
    for side in range(2):
        sound[side] += air * noise(1500.0, 6000.0, count, rate, rng)
    sound *= np.float32(gain_from_db(loudness.LEVEL_DB - 0.7) * velocity_gain(velocity, 15.0))
    return finished(sound, rate, attack=0.005)


def _sung(frequency_hz: Numbers, number: Numbers, velocity: float, openness: float) -> Numbers:
    """A glottis through a mouth between "oo" (0) and "ah" (1). Women's formants lie higher than men's; sung high, the first follows."""
    high = float(np.clip((frequency_hz[0] - 180.0) / 350.0, 0.0, 1.0))
    stretch = 1.0 + 0.15 * high
    first = max((350.0 + 340.0 * openness) * stretch, float(frequency_hz[0]))
    mouth = Body(
        (
            Peak(first, 150.0, 1.0),
            Peak((760.0 + 380.0 * openness) * stretch, 170.0, 0.35 + 0.25 * openness),
            Peak(2750.0 * stretch, 380.0, 0.10 + 0.12 * openness * velocity),
            Peak(3500.0 * stretch, 500.0, 0.08 * openness),
        ),
        90.0,
        3800.0,
        3.0,
        0.06,
    )
    return mouth.response(frequency_hz) / number ** (0.95 - 0.25 * velocity)


def warm_pad(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """Detuned saws behind a low filter that opens and closes slowly."""
    rng = take("warm pad", pitch, variation)
    pitch_hz = hertz(pitch)
    number = numbers_within(pitch_hz, rate, 7000.0)
    low, high = 260.0 + 300.0 * velocity, 500.0 + 1100.0 * velocity
    follow = (pitch_hz / 220.0) ** 0.5
    colours = [softened(pitch_hz * number, corner * follow, 2.6) / number for corner in (low, high)]
    voice = Voice(
        tables(pitch_hz, colours, 3.0), pitch_hz, duration, 0.45, PAD_RELEASE, dark=0.1, bright=0.9, bloom=1.0
    )
    return _pad(voice, SLOW_FILTER, WARM, velocity, rate, rng)


def bright_pad(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """Glassy: saws with an octave above them, an open filter that sweeps, wide."""
    rng = take("bright pad", pitch, variation)
    pitch_hz = hertz(pitch)
    number = numbers_within(pitch_hz, rate, SECTION_TOP * rate)
    octave = np.where(number % 2 == 0, 1.7, 0.75) + np.where(number % 4 == 0, 0.5, 0.0)
    follow = (pitch_hz / 220.0) ** 0.4
    corners = (800.0 + 300.0 * velocity, 1500.0 + 2600.0 * velocity)
    colours = [octave * softened(pitch_hz * number, corner * follow, 1.9) / number**1.05 for corner in corners]
    voice = Voice(tables(pitch_hz, colours, 3.0), pitch_hz, duration, 0.28, PAD_RELEASE, bloom=1.0)
    return _pad(voice, QUICKER_FILTER, BRIGHT, velocity, rate, rng)


def _pad(voice: Voice, hands: Hands, players: Section, velocity: float, rate: int, rng: np.random.Generator) -> Samples:
    count = round((voice.duration + voice.release * 1.25) * rate)
    sound = section(voice, hands, players, count, rate, rng)
    times = control_times(count, rate)
    drift = audio_rate(1.0 + 0.06 * wander(times, 0.4, rng)[0] * rise(times, 1.0), count)
    sound *= drift * np.float32(gain_from_db(loudness.LEVEL_DB - 3.0) * velocity_gain(velocity, 11.0))
    return finished(sound, rate, attack=0.01)


PATCHES = {
    "choir": Patch(choir, 1.3 * CHOIR_RELEASE),
    "warm pad": Patch(warm_pad, 1.3 * PAD_RELEASE),
    "bright pad": Patch(bright_pad, 1.3 * PAD_RELEASE),
}
