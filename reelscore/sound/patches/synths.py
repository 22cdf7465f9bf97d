"""Synth lead and synth pluck: detuned saws through a filter that an envelope opens.

The filter is the choice of harmonics: wavetables from closed to open for the lead, partials that die the faster the higher
they are for the pluck.
"""

import numpy as np

from reelscore.audio import Samples, gain_from_db
from reelscore.sound.patches import loudness
from reelscore.sound.patches.envelopes import cents, finished, take, velocity_gain
from reelscore.sound.patches.oscillators import Numbers, hertz, modes, together
from reelscore.sound.patches.patch import Patch
from reelscore.sound.patches.players import SECTION_TOP, Hands, Section, Voice, numbers_within, section, tables
from reelscore.sound.patches.strings import let_ring

LEAD_RELEASE = 0.16
PLUCK_RELEASE = 0.35


def filtered(frequency_hz: Numbers, corner_hz: float, resonance: float) -> Numbers:
    """A four-pole low pass with a little peak at its corner, as a gain."""
    ratio = frequency_hz / corner_hz
    return (1.0 + resonance * np.exp(-((np.log2(ratio) / 0.35) ** 2))) / (1.0 + ratio**2) ** 1.7


def synth_lead(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """Two saws and a pulse with a filter that opens at the start; a slow vibrato on long notes."""
    rng = take("synth lead", pitch, variation)
    pitch_hz = hertz(pitch)
    number = numbers_within(pitch_hz, rate, SECTION_TOP * rate)
    wave = (1.0 + 0.5 * np.abs(np.sin(np.pi * number * 0.31))) / number
    base_hz = (800.0 + 800.0 * velocity) * (pitch_hz / 262.0) ** 0.5
    colours = [wave * filtered(pitch_hz * number, base_hz * open_, 0.5) for open_ in (1.0, 1.0 + 1.9 * velocity)]
    voice = Voice(tables(pitch_hz, colours, 0.5), pitch_hz, duration, 0.012, LEAD_RELEASE, bloom=2.5)
    count = round((duration + LEAD_RELEASE * 1.25) * rate)
    hands = Hands(vibrato_hz=5.2, vibrato_cents=9.0, vibrato_delay=0.35, pitch_drift_cents=1.0, level_drift=0.02)
    sound = section(voice, hands, Section(count=3, detune_cents=6.0, stagger=0.0, width=0.5), count, rate, rng)
    sound *= np.float32(gain_from_db(loudness.LEVEL_DB - 1.0) * velocity_gain(velocity, 14.0))
    return finished(sound, rate, attack=0.003)


def synth_pluck(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """Saws behind a filter that snaps shut: an arpeggiator's sound."""
    rng = take("synth pluck", pitch, variation)
    pitch_hz = hertz(pitch)
    number = numbers_within(pitch_hz, rate, 10000.0)[:60]
    colour = (
        filtered(pitch_hz * number, (1000.0 + 4500.0 * velocity**1.3) * (pitch_hz / 262.0) ** 0.4, 0.5) / number**0.8
    )
    body = 2.6 * 2.0 ** ((pitch - 60) / 36.0)
    decay = body + (5.5 - 3.0 * velocity) * (pitch_hz * number / 1000.0)
    saws = [
        modes(pitch_hz * number * cents(detune + rng.normal(0, 0.4)), decay, colour * size, place)
        for detune, size, place in ((-4.0, 1.0, -0.6), (0.0, 0.9, 0.0), (4.0, 1.0, 0.6))
    ]
    sounding = loudness.levelled(together(*saws), 1.0).scaled(velocity_gain(velocity, 19.5))
    return finished(let_ring(sounding, duration, PLUCK_RELEASE, rate), rate, attack=0.0025)


PATCHES = {
    "synth lead": Patch(synth_lead, 1.3 * LEAD_RELEASE),
    "synth pluck": Patch(synth_pluck, PLUCK_RELEASE),
}
