"""Every melodic patch: in tune, without clicks or offset, decaying, coloured and loud as the instrument is."""

from functools import lru_cache

import numpy as np
import pytest
from scipy.signal import fftconvolve, lfilter

from reelscore.sound.patches import PATCHES
from reelscore.vocabulary import INSTRUMENTS

RATE = 48000
MELODIC = [name for name, instrument in INSTRUMENTS.items() if instrument.family not in ("drums", "effects")]
HELD = [name for name in MELODIC if INSTRUMENTS[name].sustained]
STRUCK = [name for name in MELODIC if not INSTRUMENTS[name].sustained]
SECTIONS = {"strings", "tremolo strings", "brass section", "choir", "warm pad", "bright pad", "synth lead"}
ACOUSTIC = [
    name
    for name in MELODIC
    if INSTRUMENTS[name].family not in ("pads", "synths") and name not in ("organ", "synth bass")
]

# Seconds for 60 dB at the middle of the range, from the first 20 dB of the fall: what is known of the instruments, generously.
DECAY = {
    "grand piano": (2.0, 9.0),
    "felt piano": (1.5, 7.0),
    "electric piano": (3.0, 10.0),
    "marimba": (0.3, 1.3),
    "vibraphone": (2.0, 8.0),
    "glockenspiel": (1.0, 4.0),
    "harp": (1.2, 5.0),
    "acoustic guitar": (1.5, 6.0),
    "electric guitar": (2.5, 9.0),
    "pizzicato strings": (0.25, 1.2),
    "synth pluck": (0.3, 2.0),
    "upright bass": (1.2, 5.0),
    "electric bass": (2.0, 8.0),
}

# Hz, of a note at the middle of the range, velocity 0.8, over its first 0.6 s.
CENTROID = {
    "grand piano": (400, 1300),
    "felt piano": (300, 800),
    "electric piano": (250, 800),
    "organ": (200, 900),
    "marimba": (400, 900),
    "vibraphone": (450, 1200),
    "glockenspiel": (1600, 5000),
    "harp": (250, 800),
    "acoustic guitar": (300, 1200),
    "electric guitar": (400, 2000),
    "distorted guitar": (500, 2500),
    "pizzicato strings": (250, 900),
    "strings": (350, 1300),
    "tremolo strings": (350, 1300),
    "solo violin": (700, 2500),
    "solo cello": (200, 900),
    "flute": (650, 1500),
    "clarinet": (450, 1300),
    "bassoon": (300, 900),
    "saxophone": (500, 1600),
    "french horn": (300, 800),
    "brass section": (450, 1600),
    "trumpet": (800, 2400),
    "choir": (400, 1200),
    "warm pad": (200, 700),
    "bright pad": (700, 2200),
    "synth lead": (500, 1800),
    "synth pluck": (400, 2000),
    "upright bass": (50, 300),
    "electric bass": (80, 450),
    "synth bass": (60, 500),
}


def middle(name: str) -> int:
    return (INSTRUMENTS[name].low + INSTRUMENTS[name].high) // 2


@lru_cache(maxsize=256)
def note(name, pitch, velocity=0.8, duration=1.0, rate=RATE, variation=0):
    return PATCHES[name].play(pitch, velocity, duration, rate, variation)


def hertz(pitch: float) -> float:
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


def k_weighted(sound: np.ndarray) -> np.ndarray:
    """ITU-R BS.1770-5, table 1 and 2, at 48 kHz."""
    shelf = lfilter(
        [1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585], sound
    )
    return lfilter([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621], shelf)


def level_db(sound: np.ndarray) -> float:
    """K-weighted RMS (over both channels) of the loudest 400 ms."""
    window = round(0.4 * RATE)
    power = (k_weighted(np.pad(sound, ((0, 0), (0, window)))) ** 2).mean(axis=0)
    summed = np.concatenate([[0.0], np.cumsum(power)])
    return float(10 * np.log10((summed[window:] - summed[:-window]).max() / window))


def centroid_hz(sound: np.ndarray, seconds: float) -> float:
    mono = sound.mean(axis=0)[: round(seconds * RATE)]
    power = np.abs(np.fft.rfft(mono * np.hanning(2 * len(mono))[len(mono) :])) ** 2
    return float((power * np.fft.rfftfreq(len(mono), 1 / RATE)).sum() / power.sum())


def envelope_db(sound: np.ndarray, step: float = 0.01) -> np.ndarray:
    """Level in 20 ms windows every `step` seconds."""
    window = np.ones(round(0.02 * RATE)) / round(0.02 * RATE)
    return 10 * np.log10(fftconvolve((sound**2).mean(axis=0), window, "same")[:: round(step * RATE)].clip(1e-14))


def cents_off(sound: np.ndarray, pitch: int, start: float, stop: float) -> tuple[float, float]:
    """How far the first partial is from the pitch, and how much of it there was: (cents, energy).

    The partial is brought to 0 Hz and what is near it kept; its turning there, weighted by its power, is the mean deviation,
    vibrato and beating averaged out.
    """
    pitch_hz = hertz(pitch)
    time = np.arange(sound.shape[1]) / RATE
    width = np.hanning(round(6 / pitch_hz * RATE))
    near = fftconvolve(sound.mean(axis=0) * np.exp(-2j * np.pi * pitch_hz * time), width / width.sum(), "same")
    near = near[round(start * RATE) : round(stop * RATE)]
    turned = np.sum(near[1:] * near[:-1].conj())
    return 1200 * np.log2(1 + np.angle(turned) * RATE / (2 * np.pi * pitch_hz)), float(np.abs(turned))


def test_every_instrument_of_the_vocabulary_has_a_patch():
    assert set(PATCHES) == set(INSTRUMENTS)
    assert all(0.0 <= patch.tail <= 10.0 for patch in PATCHES.values())


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("name", MELODIC)
def test_a_note_is_sound_of_the_right_kind_and_length(name, rate):
    instrument = INSTRUMENTS[name]
    for pitch, velocity, duration in (
        (instrument.low, 1.0, 0.7),
        (instrument.high, 1.0, 0.02),
        (middle(name), 0.05, 0.3),
    ):
        sound = note(name, pitch, velocity, duration, rate)
        assert sound.dtype == np.float32
        assert sound.shape[0] == 2
        assert 0.02 * rate * 0.9 < sound.shape[1] <= (duration + PATCHES[name].tail) * rate + 1
        assert np.isfinite(sound).all()
        assert 1e-4 < np.abs(sound).max() < 1.0
        again = PATCHES[name].play(pitch, velocity, duration, rate, 0)
        assert np.array_equal(sound, again)


@pytest.mark.parametrize("name", MELODIC)
def test_no_note_reaches_full_scale_and_none_is_lost(name):
    instrument = INSTRUMENTS[name]
    for pitch in range(instrument.low, instrument.high + 1, 8):
        assert 0.03 < np.abs(note(name, pitch, 1.0, 0.5, RATE, pitch % 4)).max() < 1.0


@pytest.mark.parametrize("name", MELODIC)
def test_first_partial_is_within_three_cents(name):
    instrument = INSTRUMENTS[name]
    takes = range(4) if name in HELD else range(1)
    for pitch in (instrument.low, middle(name), instrument.high):
        # Long enough for slow beats to come round; struck notes are read while they sound.
        length = 6.0 if name in SECTIONS else 3.0 if name in HELD else 1.0
        sounds = [note(name, pitch, 0.8, length, RATE, variation) for variation in takes]
        measured = [cents_off(sound, pitch, 0.25 if name in HELD else 0.05, length) for sound in sounds]
        off = np.average([cents for cents, _ in measured], weights=[energy for _, energy in measured])
        assert abs(off) < 3.0, f"{name} at {pitch} is {off:.1f} cents off"


@pytest.mark.parametrize("name", MELODIC)
def test_note_starts_and_ends_at_silence_without_a_click(name):
    for pitch, duration in ((middle(name), 1.0), (INSTRUMENTS[name].low, 0.35), (middle(name) + 5, 0.05)):
        sound = note(name, pitch, 0.9, duration)
        peak = np.abs(sound).max()
        assert np.abs(sound[:, 0]).max() < 0.003 * peak
        assert np.abs(sound[:, -1]).max() < 1e-5 * peak
        ending = np.abs(sound[:, -round(0.002 * RATE) :]).max()
        assert ending < 10 ** (-70 / 20) * peak
        steps = np.abs(np.diff(sound)).max(axis=0)
        released = round((duration + 0.1) * RATE)
        assert steps[released:].max(initial=0.0) <= steps[:released].max()


@pytest.mark.parametrize("name", MELODIC)
def test_no_offset(name):
    for pitch in (INSTRUMENTS[name].low, middle(name)):
        sound = note(name, pitch)
        assert np.abs(sound.mean(axis=1)).max() < 10 ** (-50 / 20) * np.sqrt((sound**2).mean())


@pytest.mark.parametrize("name", MELODIC)
def test_common_level(name):
    levels = [level_db(note(name, middle(name), 0.8, 1.0, RATE, variation)) for variation in range(4)]
    assert np.mean(levels) == pytest.approx(-20.0, abs=1.5)
    assert np.ptp(levels) < 3.0


@pytest.mark.parametrize("name", MELODIC)
def test_range_of_velocity(name):
    span = level_db(note(name, middle(name), 1.0)) - level_db(note(name, middle(name), 0.2))
    low, high = (17.5, 26.0) if name in STRUCK else (8.0, 21.0)
    assert low < span < high


@pytest.mark.parametrize("name", ACOUSTIC)
def test_louder_is_brighter(name):
    soft, loud = (
        np.mean([centroid_hz(note(name, middle(name), velocity, 1.0, RATE, take), 0.25) for take in range(2)])
        for velocity in (0.3, 1.0)
    )
    assert loud > 1.03 * soft


@pytest.mark.parametrize("name", MELODIC)
def test_energy_lies_where_the_instrument_has_it(name):
    low, high = CENTROID[name]
    assert low < centroid_hz(note(name, middle(name)), 0.6) < high


def test_glockenspiel_glitters_and_upright_bass_does_not():
    assert centroid_hz(note("glockenspiel", 96), 0.6) > 2000
    assert centroid_hz(note("upright bass", 60, 1.0), 0.6) < 500


@pytest.mark.parametrize("name", STRUCK)
def test_decay(name):
    levels = envelope_db(note(name, middle(name), 0.8, 12.0))
    start = int(levels.argmax())
    fallen = int(np.argmax(levels[start:] < levels[start] - 20.0))
    low, high = DECAY[name]
    assert low < 3 * 0.01 * fallen < high


@pytest.mark.parametrize("name", sorted(set(STRUCK) - {"marimba", "pizzicato strings", "synth pluck"}))
def test_struck_notes_are_damped_when_they_end(name):
    sound = note(name, middle(name), 0.8, 0.5)
    at = envelope_db(sound)
    assert at[35] > at.max() - 20.0
    assert sound.shape[1] / RATE < 0.5 + 1.3
    assert at[-3] < at.max() - 45.0


@pytest.mark.parametrize("name", HELD)
def test_held_notes_hold(name):
    levels = envelope_db(note(name, middle(name), 0.7, 30.0), 0.5)
    early, late = levels[4:14].mean(), levels[46:58].mean()
    assert late == pytest.approx(early, abs=3.0)


@pytest.mark.parametrize("name", STRUCK)
def test_struck_notes_die_by_themselves(name):
    sound = note(name, middle(name), 0.7, 30.0)
    assert sound.shape[1] < 28 * RATE


@pytest.mark.parametrize("name", MELODIC)
def test_short_notes_still_speak(name):
    short, full = note(name, middle(name), 0.8, 0.12), note(name, middle(name), 0.8, 1.0)
    assert np.sqrt((short**2).max()) > 0.2 * np.sqrt((full**2).max())


@pytest.mark.parametrize("name", MELODIC)
def test_mono_loses_little(name):
    left, right = sound = note(name, middle(name))
    assert np.corrcoef(left, right)[0, 1] > 0.0
    assert 10 * np.log10((sound.mean(axis=0) ** 2).mean() / (sound**2).mean()) > -3.0


@pytest.mark.parametrize("name", HELD)
def test_nothing_folds_back(name):
    """Below a high note there is only what the instrument puts there: the noise of breath and bow."""
    pitch = INSTRUMENTS[name].high
    mono = note(name, pitch, 1.0, 1.0).mean(axis=0)[round(0.1 * RATE) : round(0.9 * RATE)]
    power = np.abs(np.fft.rfft(mono * np.hanning(len(mono)))) ** 2
    frequency = np.fft.rfftfreq(len(mono), 1 / RATE)
    lowest_hz = hertz(pitch) / (2.0 if name == "organ" else 1.0)
    below = power[frequency < 0.8 * lowest_hz].sum() / power.sum()
    assert 10 * np.log10(below + 1e-12) < -26.0
    assert 10 * np.log10(power[frequency > 0.47 * RATE].sum() / power.sum() + 1e-12) < -60.0


@pytest.mark.parametrize("name", MELODIC)
def test_takes_differ_but_are_the_same_instrument(name):
    first, second = (note(name, middle(name), 0.8, 1.0, RATE, variation) for variation in (0, 1))
    length = min(first.shape[1], second.shape[1])
    assert not np.array_equal(first[:, :length], second[:, :length])
    assert centroid_hz(second, 0.6) == pytest.approx(centroid_hz(first, 0.6), rel=0.4 if name in SECTIONS else 0.25)
