"""Keyboards: grand piano, felt piano, electric piano and organ.

The pianos follow what is known of the instrument: stiff strings (partials stretched), two or three strings to a note that are not quite
in tune with each other, so that the sound falls fast at first and then slowly and beats; a felt hammer that hardens with
speed; the knock of key and soundboard. The electric piano is a tine before a pickup, which is phase modulation by
itself; the organ is nine drawbars through a turning horn.
"""

from functools import lru_cache

import numpy as np

from reelscore.audio import Samples, gain_from_db
from reelscore.sound.patches import loudness
from reelscore.sound.patches.envelopes import (
    audio_rate,
    cents,
    control_times,
    damper,
    finished,
    held,
    rise,
    take,
    velocity_gain,
)
from reelscore.sound.patches.oscillators import (
    BAND,
    Modes,
    Numbers,
    harmonics,
    hertz,
    modes,
    morph,
    read,
    ring,
    running_phase,
    together,
    wavetable,
)
from reelscore.sound.patches.patch import Patch
from reelscore.sound.patches.strings import Burst, Partials, add_burst, let_ring, scattered, softened, string_partials

PIANO_RELEASE = 0.45
FELT_RELEASE = 0.5
ELECTRIC_RELEASE = 0.3
ORGAN_RELEASE = 0.09
SWINGS = (0.05, 0.35, 0.7, 1.1, 1.6, 2.2)


def grand_piano(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A concert grand, close but not in the strings."""
    rng = take("grand piano", pitch, variation)
    pitch_hz = hertz(pitch)
    partials = string_partials(pitch_hz, _stiffness(pitch), rate, top_hz=11000.0, most=70)
    corner_hz = (200.0 + 1200.0 * velocity**1.6) * (pitch_hz / 262.0) ** 0.22
    colour = softened(partials.frequency_hz, corner_hz, 2.2) * _soundboard(partials, pitch)
    strings = _piano_strings(partials, colour, pitch, 1.0, 1.0, rng)
    knock = _knock(pitch, 0.05 + 0.09 * velocity, rng)
    sounding = together(loudness.levelled(strings, -0.9), knock).scaled(velocity_gain(velocity, 23.0))
    sound = let_ring(sounding, duration, PIANO_RELEASE if pitch < 90 else 2 * PIANO_RELEASE, rate)
    _hammer_noise(sound, velocity, 0.006 + 0.012 * velocity, 4200.0, rate, rng)
    return finished(sound, rate, attack=0.0075 - 0.005 * velocity)


def felt_piano(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """An upright with the felt down and a microphone near the action: soft, dark, the mechanism just audible."""
    rng = take("felt piano", pitch, variation)
    pitch_hz = hertz(pitch)
    partials = string_partials(pitch_hz, 1.5 * _stiffness(pitch), rate, top_hz=5000.0, most=36)
    corner_hz = (180.0 + 560.0 * velocity) * (pitch_hz / 262.0) ** 0.1
    colour = softened(partials.frequency_hz, corner_hz, 2.9) * _soundboard(partials, pitch + 200)
    strings = _piano_strings(partials, colour, pitch, 0.6, 1.6, rng)
    knock = _knock(pitch, 0.12 + 0.06 * velocity, rng)
    sounding = together(loudness.levelled(strings, -0.5), knock).scaled(velocity_gain(velocity, 20.0))
    sound = let_ring(sounding, duration, FELT_RELEASE, rate)
    _hammer_noise(sound, 0.4 + 0.4 * velocity, 0.012, 1400.0, rate, rng)
    return finished(sound, rate, attack=0.013 - 0.006 * velocity)


def _stiffness(pitch: int) -> float:
    """The inharmonicity B of a grand's string: least around pitch 40, doubling every eight notes above."""
    return float(1.0e-4 * 2.0 ** (max(pitch - 42, 0) / 8.5) + 0.6e-4 * 2.0 ** (max(42 - pitch, 0) / 9.0))


def _soundboard(partials: Partials, seed: int) -> Numbers:
    """What strike point and soundboard make of each partial; uneven, as no two partials of a real note are alike."""
    chance = np.random.default_rng(seed)
    uneven = gain_from_db(1.0) ** chance.normal(0.0, 2.2, len(partials.number))
    uneven *= chance.choice((-1.0, 1.0), len(partials.number))
    strike = np.hypot(np.sin(np.pi * partials.number / 8.2), 0.25)
    lows = partials.frequency_hz**2 / (partials.frequency_hz**2 + 45.0**2)
    return np.asarray(uneven * strike * lows / np.sqrt(1.0 + (partials.frequency_hz / 3500.0) ** 2))


def _piano_strings(
    partials: Partials, colour: Numbers, pitch: int, sustain: float, high_loss: float, rng: np.random.Generator
) -> Modes:
    """The strings of one key: a loud fast mode and two quiet slow ones to each partial, a little apart in pitch and place."""
    first = 0.42 * 2.0 ** ((pitch - 36) / 12.5) / sustain
    spread = high_loss * (0.05 + 0.02 * 2.0 ** ((pitch - 36) / 9.0))
    decay = first + spread * partials.number ** (1.15 if pitch < 60 else 1.3)
    decay = decay * rng.uniform(0.85, 1.15, len(decay))
    place = float(np.clip((pitch - 62) / 60.0, -0.45, 0.45))
    detune = cents(rng.uniform(0.25, 0.6, 2) * (1.0 + max(pitch - 60, 0) / 40.0))
    count = min(len(partials.number), 24)
    frequency = partials.frequency_hz[:count]
    slow = (0.30 if pitch > 40 else 0.20) * colour[:count]
    return together(
        modes(partials.frequency_hz, decay, colour, scattered(place, len(colour), 0.2, rng)),
        modes(frequency * detune[0], 0.30 * decay[:count], slow * rng.uniform(0.5, 1.2, count), place + 0.5),
        modes(frequency / detune[1], 0.42 * decay[:count], slow * rng.uniform(0.5, 1.2, count), place - 0.5),
    )


def _knock(pitch: int, gain: float, rng: np.random.Generator) -> Modes:
    """The thump of key bed and soundboard: a dozen low, short modes; more of it in the treble, where strings hide it less."""
    frequency = rng.uniform(70.0, 420.0, 12)
    size = gain * 0.1 * rng.uniform(0.3, 1.0, 12) * 2.0 ** ((pitch - 60) / 60.0)
    return modes(frequency, rng.uniform(28.0, 60.0, 12), size, rng.uniform(-0.4, 0.4, 12))


def _hammer_noise(
    sound: Samples, velocity: float, gain: float, top_hz: float, rate: int, rng: np.random.Generator
) -> None:
    """The felt's own noise, in place."""
    add_burst(sound, Burst(350.0, top_hz, 0.05, gain * velocity_gain(velocity, 26.0)), rate, rng)


def electric_piano(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """Tines before pickups: round when played softly, barking when played hard, a bell at the start and a slow stereo tremolo."""
    rng = take("electric piano", pitch, variation)
    pitch_hz = hertz(pitch)
    decay = 0.60 * 2.0 ** ((pitch - 40) / 27.0)
    count = round(min(duration + ELECTRIC_RELEASE, 9.0 / decay) * rate)
    times = control_times(count, rate)
    swing = (0.30 + 1.05 * velocity**1.4) * 2.0 ** (-(pitch - 60) / 48.0) * np.exp(-1.1 * decay * times)
    swing *= 1.0 + 0.5 * np.exp(-times / 0.06)
    place = np.interp(swing, SWINGS, np.arange(len(SWINGS)))
    phase = running_phase(np.full_like(times, pitch_hz), count, rate)
    level = gain_from_db(loudness.LEVEL_DB + 2.3) * velocity_gain(velocity, 20.0)
    tremolo = 0.16 * np.sin(2 * np.pi * 4.6 * times + rng.uniform(0, 2 * np.pi))
    swell = level * np.exp(-decay * times)
    tine = morph(_pickup_tables(pitch_hz, rate), phase, place, swell)
    sound = np.stack([tine * audio_rate(1.0 + side * tremolo, count) for side in (-1.0, 1.0)])
    ringing = ring(_tine_bell(pitch_hz, level * (0.06 + 0.22 * velocity), rng), min(count, round(0.7 * rate)), rate)
    sound[:, : ringing.shape[1]] += ringing
    sound *= damper(count, duration, ELECTRIC_RELEASE, rate)
    add_burst(sound, Burst(150.0, 900.0, 0.04, 0.12 * level), rate, rng)
    return finished(sound, rate, attack=0.0025)


@lru_cache(maxsize=32)
def _pickup_tables(pitch_hz: float, rate: int) -> tuple[Samples, ...]:
    """One period of what a pickup makes of a tine that swings this far past it (in gaps), each equally loud."""
    number = harmonics(pitch_hz, rate, top_hz=9000.0)
    turn = np.arange(512) * (2 * np.pi / 512)
    tables = []
    for swing in SWINGS:
        flux = (1.0 + (swing * np.sin(turn) - 0.5) ** 2) ** -1.5
        partials = (np.fft.rfft(flux) * np.arange(257))[1 : min(len(number), 60) + 1]
        amplitudes = np.abs(partials) * softened(pitch_hz * number[: len(partials)], 3200.0, 2.0)
        loud = loudness.of_partials(pitch_hz * number[: len(partials)], amplitudes)
        tables.append(wavetable(amplitudes / loud, np.angle(partials)))
    return tuple(tables)


def _tine_bell(pitch_hz: float, gain: float, rng: np.random.Generator) -> Modes:
    """The upper modes of a tine, which ring for a moment at the start."""
    frequency = pitch_hz * np.array([6.27, 17.5]) * rng.uniform(0.99, 1.01, 2)
    return modes(
        frequency, np.array([11.0, 22.0]), gain * np.array([0.8, 0.35]) * softened(frequency, 5000.0, 2.0), 0.1
    )


def organ(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A drawbar organ through a slowly turning cabinet: 16', 8' and 4' with a little of the quint and the higher ranks."""
    rng = take("organ", pitch, variation)
    pitch_hz = hertz(pitch)
    count = round((duration + ORGAN_RELEASE * 1.3) * rate)
    times = control_times(count, rate)
    swell = held(times, duration, 0.012, ORGAN_RELEASE) * velocity_gain(velocity, 9.0)
    swell *= gain_from_db(loudness.LEVEL_DB + 0.4)
    bass, treble = _organ_tables(pitch_hz, rate, velocity)
    turn = 2 * np.pi * (0.78 + 0.1 * rise(times, 1.5)) * times + rng.uniform(0, 2 * np.pi)
    sound = np.empty((2, count), np.float32)
    for side, angle in enumerate((0.0, 2.0)):
        horn, drum = np.cos(turn + angle), np.cos(0.86 * turn + angle + 1.0)
        # A source that turns comes and goes: pitch follows the sine where loudness follows the cosine.
        horn_hz = 0.5 * pitch_hz * cents(4.5 * np.sin(turn + angle))
        drum_hz = 0.5 * pitch_hz * cents(1.5 * np.sin(0.86 * turn + angle + 1.0))
        sound[side] = read(treble, running_phase(horn_hz, count, rate)) * audio_rate(swell * (1.0 + 0.22 * horn), count)
        sound[side] += read(bass, running_phase(drum_hz, count, rate)) * audio_rate(swell * (1.0 + 0.1 * drum), count)
    add_burst(sound, Burst(900.0, 5000.0, 0.008, 0.02 * velocity_gain(velocity, 12.0)), rate, rng)
    return finished(sound, rate, attack=0.003)


def _organ_tables(pitch_hz: float, rate: int, velocity: float) -> tuple[Samples, Samples]:
    """The tone wheels that go to the drum and those that go to the horn, on a period of the 16 foot rank; together at RMS 1."""
    ranks = np.array([1, 2, 3, 4, 6, 8, 10, 12, 16])
    drawn = np.array([0.55, 1.0, 0.30, 0.5, 0.16, 0.2, 0.05, 0.06, 0.10]) * np.array(
        [1, 1, 1, 1, 1, 1, 1, 1, 1 + velocity]
    )
    frequency = 0.5 * pitch_hz * ranks
    drawn = drawn * (frequency < min(BAND * rate, 7000.0)) * softened(frequency, 3000.0, 1.5)
    drawn /= loudness.of_partials(frequency, drawn)
    to_horn = frequency**2 / (frequency**2 + 800.0**2)
    tables = []
    for share in (1.0 - to_horn, to_horn):
        amplitudes = np.zeros(16)
        amplitudes[ranks - 1] = drawn * share
        tables.append(wavetable(amplitudes, 2.4 * np.arange(16.0)))
    return tables[0], tables[1]


PATCHES = {
    "grand piano": Patch(grand_piano, 2 * PIANO_RELEASE),
    "felt piano": Patch(felt_piano, FELT_RELEASE),
    "electric piano": Patch(electric_piano, ELECTRIC_RELEASE),
    "organ": Patch(organ, 2 * ORGAN_RELEASE),
}
