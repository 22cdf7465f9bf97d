"""Percussion played by hand: claps, shakers, hand drums, bells and woods. Every kit has them."""

import numpy as np

from reelscore.audio import Samples
from reelscore.sound.patches.strokes import Hit, click, grains, hiss, layered, metal, skin, stepped_strokes, tone


def clap(hit: Hit) -> Samples:
    """A few people clapping together, never quite."""
    palms = [
        hiss(hit, hit.near(800.0, 0.2), hit.near(3200.0, 0.15) * hit.harder(0.6, 1.1), 0.05, width=0.7)
        for _ in range(4)
    ]
    times = np.concatenate([[0.0], np.sort(hit.rng.uniform(0.003, 0.020, 3))])
    spread = [stepped_strokes(hit, times[i : i + 1], palm, np.array([1.0])) for i, palm in enumerate(palms)]
    return layered(*spread, hiss(hit, 900.0, 5000.0, 0.16, attack=0.012, width=0.9) * np.float32(0.25))


def tambourine(hit: Hit) -> Samples:
    """A tambourine struck: the jingles meet one after another."""
    jingle = metal(hit, 4300.0, 15500.0, 0.22, partials=70, dull=0.6, wash=0.5)
    times = np.concatenate([[0.0], np.sort(hit.rng.uniform(0.008, 0.05, 3))])
    thump = skin(hit, 310.0, 0.09, bend=1.1) * np.float32(0.15)
    return layered(stepped_strokes(hit, times, jingle, np.array([1.0, 0.55, 0.4, 0.25])), thump)


def cowbell(hit: Hit) -> Samples:
    """A cowbell struck on its edge."""
    bell = tone(
        hit,
        np.array([562.0, 845.0, 1180.0, 1690.0, 2370.0, 3520.0]),
        np.array([1.0, 0.9, 0.25, 0.4, 0.3, 0.2]),
        np.array([0.4, 0.35, 0.2, 0.15, 0.1, 0.08]),
    )
    return layered(bell, click(hit, 2000.0, 8000.0, 0.005) * np.float32(0.3))


def agogo(hit: Hit, pitch_hz: float) -> Samples:
    """A small bell without a clapper."""
    ratios = np.array([1.0, 1.51, 2.62, 3.93, 5.3])
    return layered(
        tone(hit, pitch_hz * ratios, np.array([1.0, 0.4, 0.45, 0.3, 0.15]), 0.5 / ratios**0.6),
        click(hit, 3000.0, 10000.0, 0.004) * np.float32(0.25),
    )


def hand_drum(hit: Hit, pitch_hz: float, ring_time: float) -> Samples:
    """A conga, a bongo or a surdo: the palm on a tight skin over a wooden shell."""
    shell = tone(hit, pitch_hz * np.array([2.1, 3.7, 5.2]), np.array([0.5, 0.4, 0.25]), np.array([0.08, 0.05, 0.04]))
    return layered(
        skin(hit, pitch_hz, ring_time, bend=1.12, settle=0.02, brightness=0.7),
        shell * np.float32(hit.harder(0.15, 0.5)),
        click(hit, 900.0, 5500.0, 0.014) * np.float32(hit.harder(0.05, 0.3)),
    )


def timbale(hit: Hit, pitch_hz: float) -> Samples:
    """A shallow metal drum struck with a thin stick."""
    shell = tone(hit, pitch_hz * np.array([2.7, 4.4, 6.9]), np.array([0.4, 0.4, 0.3]), np.array([0.35, 0.25, 0.18]))
    return layered(
        skin(hit, pitch_hz, 0.5, bend=1.15, settle=0.02, brightness=1.1),
        shell * np.float32(0.6),
        click(hit, 2500.0, 10000.0, 0.006) * np.float32(0.35),
    )


def shaken(hit: Hit, length: float, low_hz: float) -> Samples:
    """A shaker, maracas or cabasa: one throw of the beads."""
    return grains(hit, low_hz, 12500.0 * hit.harder(0.6, 1.1), hit.near(length, 0.08) + 0.05, rise=0.12)


def scraped(hit: Hit, length: float) -> Samples:
    """A guiro: a stick drawn over notches, faster as it goes."""
    count = max(6, round(length * 75))
    times = length * np.linspace(0.0, 1.0, count) ** 0.85 + hit.rng.uniform(0.0, 0.0015, count)
    notch = layered(
        tone(hit, np.array([1900.0, 3400.0]), np.array([0.6, 0.4]), np.array([0.02, 0.015])),
        hiss(hit, 2500.0, 9000.0, 0.02) * np.float32(0.5),
    )
    return stepped_strokes(hit, times, notch, np.linspace(0.5, 1.0, count) * hit.rng.uniform(0.7, 1.0, count))


def wood(hit: Hit, pitch_hz: float, ring_time: float) -> Samples:
    """Claves or a wood block: one clear mode and a knock."""
    return layered(
        tone(
            hit,
            pitch_hz * np.array([1.0, 1.47, 2.56, 4.1]),
            np.array([1.0, 0.25, 0.3, 0.12]),
            ring_time * np.array([1.0, 0.7, 0.45, 0.3]),
        ),
        click(hit, 1500.0, 7000.0, 0.004) * np.float32(0.25),
    )


def castanets(hit: Hit) -> Samples:
    """Two shells of wood, one click and a half."""
    shell = wood(hit, 1750.0, 0.05)
    return stepped_strokes(hit, np.array([0.0, hit.near(0.022, 0.2)]), shell, np.array([1.0, 0.5]))


def vibraslap(hit: Hit) -> Samples:
    """Teeth that rattle in a wooden box, ever weaker."""
    tooth = wood(hit, 2150.0, 0.04)
    times = np.cumsum(np.full(32, 0.022) * hit.rng.uniform(0.85, 1.1, 32))
    return layered(
        wood(hit, 1350.0, 0.08),
        stepped_strokes(hit, times, tooth, np.exp(-times * 4.0) * hit.rng.uniform(0.7, 1.0, 32)),
    )


def triangle(hit: Hit, ring_time: float) -> Samples:
    """A triangle, open or held in the hand."""
    return tone(
        hit,
        np.array([1630.0, 4120.0, 5530.0, 6900.0, 8480.0, 10300.0, 12600.0]),
        np.array([0.3, 1.0, 0.7, 0.8, 0.5, 0.4, 0.25]),
        ring_time * np.array([0.6, 1.0, 0.9, 0.75, 0.6, 0.5, 0.4]),
        width=0.4,
    )


def bell_tree(hit: Hit) -> Samples:
    """Small bars swept from the top down."""
    rungs = 18
    times = np.linspace(0.0, 0.9, rungs) + hit.rng.uniform(0.0, 0.015, rungs)
    pitches = 6800.0 * 0.93 ** np.arange(rungs)
    bars = [
        stepped_strokes(
            hit,
            times[i : i + 1],
            tone(hit, pitch * np.array([1.0, 1.51]), np.array([1.0, 0.4]), np.array([1.2, 0.8]), width=0.5),
            np.array([float(hit.rng.uniform(0.6, 1.0))]),
        )
        for i, pitch in enumerate(pitches)
    ]
    return layered(*bars)


def whistle(hit: Hit, length: float) -> Samples:
    """A referee's whistle: two tones that beat, and breath."""
    count = hit.count(length)
    time = np.arange(count) / hit.rate
    trill = 1.0 + 0.35 * np.sin(2 * np.pi * 38.0 * time)
    swell = np.minimum(np.minimum(time / 0.01, (length - time) / 0.03), 1.0).clip(0.0, 1.0)
    pipes = (np.sin(2 * np.pi * 2310.0 * time) + 0.7 * np.sin(2 * np.pi * 2620.0 * time)) * trill * swell
    return layered(
        np.stack([pipes, pipes]).astype(np.float32), hiss(hit, 2000.0, 9000.0, length, attack=0.01) * np.float32(0.1)
    )


def friction_drum(hit: Hit, pitch_hz: float) -> Samples:
    """A cuica's short cry: the pitch goes up and comes back."""
    length = 0.22
    count = hit.count(length)
    time = np.arange(count) / hit.rate
    path_hz = hit.near(pitch_hz) * (1.0 + 0.5 * np.sin(np.pi * time / length))
    phase = 2 * np.pi * np.cumsum(path_hz) / hit.rate
    cry = (np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase)) * np.sin(np.pi * time / length) ** 0.7
    return np.stack([cry, cry]).astype(np.float32)
