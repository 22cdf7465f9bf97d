"""Effects for the picture: a riser that leads to a moment, and the impact that is the moment.

Levels stand beside melodic patches that play at −20 dBFS; from velocity 0.2 to 1 they span 20 dB.
"""

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples, gain_from_db
from reelscore.sound.patches.envelopes import DECAY_60_DB, audio_rate, control_times, finished, take, velocity_gain
from reelscore.sound.patches.oscillators import hertz, noise, running_phase
from reelscore.sound.patches.patch import Patch
from reelscore.sound.patches.strokes import Hit, click, dying, hiss, layered, skin

VELOCITY_SPAN_DB = 20.0
RISE_DB = 36.0
BANDS = 9
# Seconds over which a riser is cut: short enough to stop on the hit, long enough not to click.
CUT = 0.004
# The RMS of a riser's end (400 ms, or its last quarter), the peak of an impact, both at velocity 0.8.
RISER_DB = -17.0
IMPACT_DB = -5.0
IMPACT_TAIL = 5.5

Numbers = npt.NDArray[np.float64]


def riser(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """Noise and tones that climb towards `pitch`, growing over `duration` and silent at its last sample."""
    count = max(round(duration * rate), 64)
    times = control_times(count, rate)
    way = np.clip(times / max(duration, 1e-3), 0.0, 1.0)
    rng = take("riser", pitch, variation)
    wind = _wind(way, count, rate, rng, centre_hz=hertz(pitch) * 8.0)
    tones = _tones(way, count, rate, rng, hertz(pitch))
    # it grows evenly in dB, with a flutter that quickens as the moment comes near
    flutter = 1.0 + 0.22 * np.sin(2 * np.pi * (3.0 * times + 4.0 * duration * way**3))
    growth = 10.0 ** ((way - 1.0) * RISE_DB / 20.0) * flutter * np.minimum(times / min(0.3 * duration, 0.4), 1.0)
    sound = (wind * np.float32(0.55) + tones * np.float32(0.5)) * audio_rate(growth, count)
    end = min(max(round(CUT * rate), 8), count // 2)
    sound[:, count - end :] *= np.linspace(1.0, 0.0, end, dtype=np.float32)
    sound -= 2.0 * sound.mean(axis=1, keepdims=True) * audio_rate(np.sin(np.pi * way) ** 2, count)
    loudest = float(np.sqrt(np.mean(sound[:, -min(round(0.4 * rate), count // 4) :] ** 2)))
    level = gain_from_db(RISER_DB) * velocity_gain(velocity, VELOCITY_SPAN_DB)
    return np.asarray(sound * np.float32(level / max(loudest, 1e-9)), np.float32)


def _wind(way: Numbers, count: int, rate: int, rng: np.random.Generator, centre_hz: float) -> Samples:
    """Noise whose centre climbs by three octaves and a half to `centre_hz` and beyond: bands a half octave wide, lit one by one."""
    top_hz = min(max(centre_hz, 3000.0), 0.3 * rate)
    places = np.linspace(-4.0, 0.8, BANDS)
    wind = np.zeros((2, count), np.float32)
    for place in places:
        low_hz = min(top_hz * 2.0 ** (place - 0.3), 0.4 * rate)
        lit = np.exp(-(((way * 4.3 - 3.8 - place) / (0.7 + 0.5 * way)) ** 2))
        # the band below and above opens at the end, so that the last moment is the widest
        lit = np.maximum(lit, 0.35 * way**6) * 2.0 ** (-0.18 * place)
        envelope = audio_rate(lit, count)
        for side in range(2):
            wind[side] += noise(low_hz, low_hz * 1.5, count, rate, rng) * envelope
    return wind


def _tones(way: Numbers, count: int, rate: int, rng: np.random.Generator, pitch_hz: float) -> Samples:
    """A handful of detuned voices that glide up an octave to the pitch, brighter as they go."""
    tones = np.zeros((2, count), np.float32)
    glide = 2.0 ** (way**1.6 - 1.0)
    for voice, pan in enumerate((-0.8, 0.8, -0.3, 0.3, 0.0)):
        detune = 1.0 + 0.006 * (voice - 2) + float(rng.uniform(-0.001, 0.001))
        phase = running_phase(pitch_hz * detune * glide, count, rate, float(rng.random())).astype(np.float32)
        angle = phase * np.float32(2.0 * np.pi / 2.0**32)
        wave = np.sin(angle)
        for harmonic in range(2, 6):
            if pitch_hz * harmonic < 0.4 * rate:
                wave += (
                    np.sin(angle * np.float32(harmonic))
                    * audio_rate(way ** (0.5 * harmonic), count)
                    / np.float32(harmonic)
                )
        tones[0] += wave * np.float32(0.3 * np.sqrt(1.0 - pan))
        tones[1] += wave * np.float32(0.3 * np.sqrt(1.0 + pan))
    return tones


def impact(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """A blow: a transient, a boom, a drop into the sub tuned to `pitch`, and a long dark tail of air."""
    hit = Hit(velocity, duration, rate, take("impact", pitch, variation))
    low_hz = _within(hertz(pitch), 32.0)
    count = hit.count(3.0)
    time = np.arange(count) / rate
    # the sub falls a fifth on to its pitch within a third of a second
    phase = 2.0 * np.pi * low_hz * (time + 0.5 * 0.16 * -np.expm1(-time / 0.16))
    sub = (np.sin(phase) * np.exp(-time * DECAY_60_DB / 2.8)).astype(np.float32) * dying(count, 1e3, rate, 0.003)
    sound = layered(
        np.stack([sub, sub]) * np.float32(0.8),
        skin(hit, low_hz * 2.0, 1.1, bend=1.6, settle=0.05, brightness=0.9) * np.float32(0.55),
        hiss(hit, 70.0, 420.0, 1.6, attack=0.004, width=0.8) * np.float32(0.22),
        hiss(hit, 400.0, 2600.0 * hit.harder(0.5, 1.1), 1.1, attack=0.002, width=0.9)
        * np.float32(hit.harder(0.06, 0.2)),
        hiss(hit, 1200.0, 9000.0, IMPACT_TAIL * 0.7, attack=0.03, width=0.95) * np.float32(hit.harder(0.008, 0.035)),
        hiss(hit, 90.0, 700.0, IMPACT_TAIL * 0.85, attack=0.08, width=0.95) * np.float32(0.07),
        click(hit, 900.0, 9000.0, 0.025) * np.float32(hit.harder(0.1, 0.55)),
    )
    sound *= np.float32(
        gain_from_db(IMPACT_DB) * velocity_gain(velocity, VELOCITY_SPAN_DB) / max(float(np.abs(sound).max()), 1e-9)
    )
    return finished(sound, rate)


def _within(pitch_hz: float, low_hz: float) -> float:
    """The pitch in the octave that begins at `low_hz`."""
    return float(pitch_hz * 2.0 ** np.ceil(np.log2(low_hz / pitch_hz)))


PATCHES: dict[str, Patch] = {"riser": Patch(riser, 0.0), "impact": Patch(impact, IMPACT_TAIL)}
