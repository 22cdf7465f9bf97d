"""Bars struck with mallets: marimba, vibraphone and glockenspiel.

Marimba and vibraphone bars are cut so that their second mode is two octaves and the third about three octaves and a third
above the first (1 : 4 : 10); a glockenspiel's bar is left straight (1 : 2.76 : 5.40 : 8.93). A harder stroke is a
shorter one and wakes the upper modes.
"""

import numpy as np

from reelscore.audio import Samples
from reelscore.sound.patches import loudness
from reelscore.sound.patches.envelopes import audio_rate, control_times, finished, take, velocity_gain
from reelscore.sound.patches.oscillators import hertz, modes, together
from reelscore.sound.patches.patch import Patch
from reelscore.sound.patches.strings import Burst, add_burst, let_ring, softened

MARIMBA_RELEASE = 0.6
VIBRAPHONE_RELEASE = 0.5
GLOCKENSPIEL_RELEASE = 1.2


def marimba(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """Rosewood over tubes, with yarn mallets: warm, short, a woody knock at the start."""
    rng = take("marimba", pitch, variation)
    pitch_hz = hertz(pitch)
    ratio = np.array([1.0, 3.98 + rng.normal(0, 0.01), 9.6 + rng.normal(0, 0.05), 17.2])
    frequency = pitch_hz * ratio
    corner_hz = (400.0 + 3000.0 * velocity**1.6) * (pitch_hz / 262.0) ** 0.35
    struck = np.array([1.0, 0.55, 0.5, 0.2]) * softened(frequency, corner_hz, 2.0) * rng.uniform(0.85, 1.15, 4)
    seconds = 1.7 * 2.0 ** (-(pitch - 45) / 22.0) * np.array([1.0, 0.28, 0.16, 0.08])
    place = np.clip((pitch - 70) / 60.0, -0.4, 0.4)
    bar = modes(frequency, 6.91 / seconds, struck, place)
    tube = modes(frequency[:1] * 1.0006, 6.91 / (seconds[:1] * 0.6), 0.3 * struck[:1], -place)
    sounding = loudness.levelled(together(bar, tube), 2.5).scaled(velocity_gain(velocity, 22.0))
    sound = let_ring(sounding, duration, MARIMBA_RELEASE, rate)
    add_burst(sound, Burst(250.0, 1500.0, 0.022, 0.05 * velocity_gain(velocity, 24.0)), rate, rng)
    return finished(sound, rate, attack=0.0022 - 0.0012 * velocity)


def vibraphone(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """Aluminium bars with the motor on: long, with the slow pulse that the turning vanes give the fundamental."""
    rng = take("vibraphone", pitch, variation)
    pitch_hz = hertz(pitch)
    frequency = pitch_hz * np.array([1.0, 4.0, 9.9 + rng.normal(0, 0.04), 17.4])
    corner_hz = (420.0 + 2500.0 * velocity**1.6) * (pitch_hz / 349.0) ** 0.4
    struck = np.array([1.0, 0.26, 0.24, 0.10]) * softened(frequency, corner_hz, 1.8)
    seconds = 7.0 * 2.0 ** (-(pitch - 53) / 20.0) * np.array([1.0, 0.45, 0.16, 0.08])
    place = np.clip((pitch - 71) / 50.0, -0.35, 0.35)
    sounding = loudness.levelled(modes(frequency, 6.91 / seconds, struck, place), 1.7).scaled(
        velocity_gain(velocity, 22.0)
    )
    sound = let_ring(sounding, duration, VIBRAPHONE_RELEASE, rate)
    count = sound.shape[1]
    turn = 2 * np.pi * 4.9 * control_times(count, rate) + rng.uniform(0, 2 * np.pi)
    for side, lag in enumerate((0.0, 0.9)):
        sound[side] *= audio_rate(1.0 + 0.20 * np.sin(turn + lag), count)
    add_burst(sound, Burst(400.0, 2500.0, 0.012, 0.015 * velocity_gain(velocity, 26.0)), rate, rng)
    return finished(sound, rate, attack=0.002 - 0.001 * velocity)


def glockenspiel(pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
    """Small steel bars with brass mallets: bright, clear, ringing on."""
    rng = take("glockenspiel", pitch, variation)
    pitch_hz = hertz(pitch)
    ratio = np.array([1.0, 2.756, 5.404, 8.933]) * np.array([1.0, *rng.normal(1.0, 0.002, 3)])
    frequency = pitch_hz * ratio
    corner_hz = (1800.0 + 7000.0 * velocity**1.4) * (pitch_hz / 1047.0) ** 0.3
    struck = np.array([0.75, 1.0, 0.7, 0.35]) * softened(frequency, corner_hz, 1.8) * rng.uniform(0.9, 1.1, 4)
    seconds = 4.6 * 2.0 ** (-(pitch - 72) / 20.0) * np.array([1.0, 0.6, 0.3, 0.15])
    place = np.clip((pitch - 88) / 50.0, -0.3, 0.3)
    # Two nearly equal modes to each, as no bar is hung quite evenly: the shimmer of steel.
    split = 1.0 + rng.uniform(0.0002, 0.0005)
    bar = together(
        modes(frequency, 6.91 / seconds, struck, place - 0.15),
        modes(frequency[1:] * split, 6.91 / seconds[1:], 0.35 * struck[1:], place + 0.35),
    )
    sounding = loudness.levelled(bar, 1.9).scaled(velocity_gain(velocity, 21.0))
    sound = let_ring(sounding, duration, GLOCKENSPIEL_RELEASE, rate)
    add_burst(sound, Burst(3000.0, 9000.0, 0.005, 0.012 * velocity_gain(velocity, 26.0)), rate, rng)
    return finished(sound, rate, attack=0.0008)


PATCHES = {
    "marimba": Patch(marimba, MARIMBA_RELEASE),
    "vibraphone": Patch(vibraphone, VIBRAPHONE_RELEASE),
    "glockenspiel": Patch(glockenspiel, GLOCKENSPIEL_RELEASE),
}
