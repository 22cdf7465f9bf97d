"""The drum machine: swept sines, filtered noise and a cluster of six detuned squares, as the analogue boxes made them."""

import numpy as np

from reelscore.audio import Samples
from reelscore.sound.patches.envelopes import DECAY_60_DB
from reelscore.sound.patches.oscillators import modes, ring
from reelscore.sound.patches.strokes import Hit, click, dying, hiss, layered, stepped_strokes

# The six oscillators behind hats and cymbals in the best known of these machines (Hz, as published in its service notes).
SQUARES_HZ = np.array([205.3, 304.4, 369.6, 522.7, 540.0, 800.0])


def kick(hit: Hit, pitch_hz: float, ring_time: float, punch: float) -> Samples:
    """A sine that falls to its pitch; `punch` 0 is a long round boom, 1 a hard dance kick."""
    count = hit.count(ring_time * 1.1)
    time = np.arange(count) / hit.rate
    fall = (1.2 + 3.2 * punch) * hit.harder(0.7, 1.05)
    settle = 0.012 + 0.014 * punch
    phase = 2 * np.pi * pitch_hz * (time + fall * settle * -np.expm1(-time / settle))
    hold = np.minimum(np.exp(-(time - 0.05 * punch) * DECAY_60_DB / ring_time), 1.0)
    body = np.tanh(1.4 * np.sin(phase)) * hold
    mono = body.astype(np.float32) * dying(count, 1e3, hit.rate)
    return layered(np.stack([mono, mono]), click(hit, 1500.0, 9000.0, 0.006) * np.float32(0.14 * punch * hit.velocity))


def snare(hit: Hit, pitch_hz: float, ring_time: float) -> Samples:
    """Two short tones and a bright noise."""
    count = hit.count(0.18)
    time = np.arange(count) / hit.rate
    bend = time + 0.006 * -np.expm1(-time / 0.012)
    tones = sum(
        gain * np.sin(2 * np.pi * pitch_hz * ratio * bend) * np.exp(-time * DECAY_60_DB / length)
        for ratio, gain, length in ((1.0, 0.8, 0.16), (1.78, 0.5, 0.1))
    )
    mono = np.asarray(tones, np.float32) * dying(count, 1e3, hit.rate)
    return layered(
        np.stack([mono, mono]),
        hiss(hit, 1100.0, 12000.0 * hit.harder(0.6, 1.0), ring_time, width=0.45) * np.float32(hit.harder(0.15, 0.34)),
        click(hit, 2500.0, 12000.0, 0.004) * np.float32(0.2),
    )


def clap(hit: Hit) -> Samples:
    """Three quick bursts and a room after them, always the same distance apart."""
    burst = hiss(hit, 750.0, 2600.0, 0.03, width=0.3)
    room = hiss(hit, 800.0, 3000.0, 0.2, width=0.8) * np.float32(0.8)
    times = np.array([0.0, 0.0105, 0.021])
    return layered(
        stepped_strokes(hit, times, burst, np.array([0.8, 0.9, 1.0])),
        stepped_strokes(hit, np.array([0.0315]), room, np.array([1.0])),
    )


def rim(hit: Hit) -> Samples:
    """Two ringing filters struck by a pulse."""
    sounding = modes(np.array([455.0, 1667.0]), DECAY_60_DB / np.array([0.05, 0.045]), np.array([0.6, 1.0]))
    count = hit.count(0.06)
    return layered(
        ring(sounding, count, hit.rate) * dying(count, 1e3, hit.rate),
        click(hit, 2000.0, 9000.0, 0.003) * np.float32(0.3),
    )


def tom(hit: Hit, pitch_hz: float) -> Samples:
    """A swept sine with a little noise under it."""
    count = hit.count(0.5)
    time = np.arange(count) / hit.rate
    phase = 2 * np.pi * pitch_hz * (time + 0.6 * 0.05 * -np.expm1(-time / 0.05))
    mono = (np.sin(phase) * np.exp(-time * DECAY_60_DB / 0.5)).astype(np.float32) * dying(count, 1e3, hit.rate)
    return layered(np.stack([mono, mono]), hiss(hit, 200.0, 2000.0, 0.12) * np.float32(0.05))


def cowbell(hit: Hit) -> Samples:
    """Two squares a little off a fifth, through a narrow filter."""
    odd = np.array([1.0, 3.0, 5.0, 7.0])
    frequency_hz = np.concatenate([540.0 * odd, 800.0 * odd])
    gains = np.concatenate([1.0 / odd, 1.0 / odd]) / (1.0 + (frequency_hz / 2640.0) ** 2)
    layers = []
    for length, level in ((0.38, 1.0), (0.04, 0.8)):
        count = hit.count(length)
        sounding = modes(frequency_hz, np.full(8, DECAY_60_DB / length), gains * level)
        layers.append(ring(sounding, count, hit.rate) * dying(count, 1e3, hit.rate))
    return layered(*layers)


def hat(hit: Hit, ring_time: float) -> Samples:
    """The six squares through a high-pass, and hiss."""
    return layered(
        _squares(hit, 6500.0, ring_time), hiss(hit, 7000.0, 16000.0, ring_time, width=0.4) * np.float32(0.25)
    )


def cymbal(hit: Hit, ring_time: float) -> Samples:
    """The six squares in two bands, the lower ringing longer."""
    return layered(
        _squares(hit, 3000.0, ring_time) * np.float32(0.7),
        _squares(hit, 7500.0, ring_time * 0.4),
        hiss(hit, 4000.0, 16000.0, ring_time * 0.6, width=0.9) * np.float32(0.22),
    )


def _squares(hit: Hit, above_hz: float, ring_time: float) -> Samples:
    """The harmonics of the six squares above a corner, dying together."""
    odd = np.arange(1.0, 80.0, 2.0)
    frequency_hz = np.outer(SQUARES_HZ, odd).ravel()
    gains = np.tile(1.0 / odd, len(SQUARES_HZ)) * np.repeat(SQUARES_HZ, len(odd)) ** 0.3
    corner = (frequency_hz / above_hz) ** 4
    gains *= corner / (1.0 + corner) * hit.harder(0.5, 1.0) ** (frequency_hz / 12000.0)
    kept = (frequency_hz < 17500.0) & (frequency_hz > above_hz * 0.3)
    circuit = np.random.default_rng(808)
    pans = circuit.uniform(-0.35, 0.35, len(gains))
    # the oscillators run on between strokes and so never start together: signs stand for their phases
    gains *= circuit.choice([-1.0, 1.0], len(gains))
    sounding = modes(frequency_hz[kept], np.full(kept.sum(), DECAY_60_DB / ring_time), gains[kept], pans[kept])
    count = hit.count(ring_time * 1.1)
    sound = ring(sounding, count, hit.rate) * dying(count, 1e3, hit.rate)
    return sound / np.float32(max(float(np.sqrt(np.sum(gains[kept] ** 2))), 1e-6))
