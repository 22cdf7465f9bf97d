"""Percussion for the big screen: taiko ensembles, bass drums, field drums, sticks, anvil, gong and orchestral cymbals."""

import numpy as np

from reelscore.audio import Samples
from reelscore.sound.patches.strokes import (
    Hit,
    click,
    dying,
    hiss,
    later,
    layered,
    metal,
    placed,
    skin,
    snares,
    stepped_strokes,
    tone,
)


def taiko(hit: Hit, pitch_hz: float, ring_time: float) -> Samples:
    """An ensemble of five: the first on the beat, the others up to 14 ms late, from left to right, each drum a little different."""
    drums = [_one_taiko(hit, hit.near(pitch_hz, 0.0), ring_time)]
    for place in (-0.7, 0.55, -0.35, 0.75):
        drum = _one_taiko(hit, pitch_hz * float(hit.rng.uniform(0.95, 1.08)), ring_time * hit.near(0.85, 0.1))
        delay = float(hit.rng.uniform(0.002, 0.014))
        drums.append(later(placed(drum, place) * np.float32(hit.near(0.45, 0.2)), delay, hit.rate))
    return layered(*drums)


def _one_taiko(hit: Hit, pitch_hz: float, ring_time: float) -> Samples:
    return layered(
        skin(hit, pitch_hz, ring_time, bend=1.5, settle=0.045, brightness=0.7),
        hiss(hit, 150.0, 900.0, 0.12, width=0.3) * np.float32(hit.harder(0.05, 0.16)),
        click(hit, 900.0, 5200.0, 0.014) * np.float32(hit.harder(0.04, 0.34)),
    )


def taiko_roll(hit: Hit, pitch_hz: float) -> Samples:
    """A roll that grows over the written length and is cut off at its end."""
    length = min(max(hit.duration, 0.3), 5.0)
    count = max(4, round(length * 13.0))
    times = np.linspace(0.0, length, count, endpoint=False) + hit.rng.uniform(0.0, 0.008, count)
    stroke = _one_taiko(hit, pitch_hz, 0.5)
    levels = (0.15 + 0.85 * np.linspace(0.0, 1.0, count) ** 1.8) * hit.rng.uniform(0.85, 1.0, count)
    return stepped_strokes(hit, times, stroke, levels)


def bass_drum(hit: Hit, pitch_hz: float, ring_time: float) -> Samples:
    """A gran cassa with a soft mallet: a deep boom with a slow bloom of low noise."""
    return layered(
        skin(hit, pitch_hz, ring_time, bend=1.4, settle=0.06, brightness=0.45),
        hiss(hit, 30.0, 180.0, ring_time * 0.5, attack=0.008, width=0.5) * np.float32(0.12),
        click(hit, 250.0, 1800.0, 0.03) * np.float32(hit.harder(0.02, 0.2)),
    )


def field_drum(hit: Hit, pitch_hz: float) -> Samples:
    """A section of deep snare drums."""
    strokes = []
    for place, delay in ((0.0, 0.0), (-0.6, hit.near(0.006, 0.5)), (0.6, hit.near(0.009, 0.5))):
        drum = layered(
            skin(hit, hit.near(pitch_hz, 0.03), 0.28, bend=1.2, settle=0.02, brightness=0.9),
            snares(hit, 0.3) * np.float32(hit.harder(0.1, 0.32)),
            click(hit, 2500.0, 9500.0, 0.006) * np.float32(0.25),
        )
        strokes.append(later(placed(drum, place) * np.float32(1.0 if delay == 0 else 0.5), delay, hit.rate))
    return layered(*strokes)


def sticks(hit: Hit) -> Samples:
    """Several pairs of sticks, or the rims of the drums: dry wood, nearly together."""
    strokes = []
    for place in (0.0, -0.8, 0.7, -0.4):
        wood = tone(
            hit, hit.near(1.0, 0.08) * np.array([1180.0, 1890.0, 2960.0, 4400.0]), np.array([1.0, 0.8, 0.5, 0.3]),
            np.array([0.05, 0.04, 0.03, 0.02]),
        )  # fmt: skip
        knock = layered(wood, click(hit, 2000.0, 9000.0, 0.004) * np.float32(0.4))
        delay = 0.0 if place == 0 else float(hit.rng.uniform(0.001, 0.011))
        strokes.append(later(placed(knock, place) * np.float32(1.0 if place == 0 else 0.5), delay, hit.rate))
    return layered(*strokes)


def anvil(hit: Hit) -> Samples:
    """A hammer on an anvil."""
    bar = tone(
        hit,
        np.array([930.0, 1710.0, 2480.0, 3260.0, 4170.0, 5390.0, 6940.0, 8870.0]),
        np.array([0.3, 0.6, 1.0, 0.8, 0.9, 0.6, 0.5, 0.3]),
        np.array([1.2, 1.5, 1.3, 1.1, 0.9, 0.7, 0.5, 0.35]),
        width=0.5,
    )
    return layered(bar, click(hit, 2500.0, 13000.0, 0.006) * np.float32(0.8))


def clashed_cymbals(hit: Hit, ring_time: float) -> Samples:
    """A pair of orchestral cymbals: they meet, open and ring over the whole stage."""
    plates = [metal(hit, low, 16500.0, ring_time, partials=220, dull=0.42, wash=0.5) for low in (310.0, 366.0)]
    return layered(
        placed(plates[0], -0.4),
        later(placed(plates[1], 0.4), 0.004, hit.rate),
        hiss(hit, 1800.0, 15000.0, 0.5, attack=0.002, width=0.9) * np.float32(hit.harder(0.05, 0.3)),
    )


def suspended_cymbal(hit: Hit) -> Samples:
    """A cymbal met by a soft mallet: dark, and it blooms."""
    plate = metal(hit, 340.0, 9500.0, 3.2, partials=220, dull=0.5, wash=0.3)
    return plate * (1.0 - dying(plate.shape[1], 0.09, hit.rate))


def tam_tam(hit: Hit) -> Samples:
    """A large gong: a low, uneasy hum first, the shimmer above it comes late."""
    hum = metal(hit, 58.0, 900.0, 5.5, partials=90, dull=0.6, wash=0.1)
    shimmer = metal(hit, 500.0, 9000.0, 4.5, partials=220, dull=0.5, wash=0.4)
    return layered(
        hum * np.float32(1.2),
        shimmer * (1.0 - dying(shimmer.shape[1], 0.5, hit.rate)) * np.float32(hit.harder(0.2, 0.9)),
        click(hit, 200.0, 1500.0, 0.04) * np.float32(0.3),
    )
