"""The drum set: kick, snare, toms and cymbals, with sticks and with brushes."""

import numpy as np

from reelscore.audio import Samples
from reelscore.sound.patches.strokes import Hit, click, dying, grains, hiss, layered, metal, skin, snares, tone


def kick(hit: Hit, pitch_hz: float, ring_time: float) -> Samples:
    """A damped bass drum with a felt beater."""
    return layered(
        skin(hit, pitch_hz, ring_time, bend=1.9, settle=0.022, brightness=0.4),
        hiss(hit, 40.0, 220.0, 0.16, width=0.1) * np.float32(0.06),
        click(hit, 900.0, 4200.0, 0.012) * np.float32(hit.harder(0.02, 0.16)),
    )


def feathered_kick(hit: Hit, pitch_hz: float) -> Samples:
    """A bass drum hardly touched: felt more than heard."""
    return layered(
        skin(hit, pitch_hz, 0.45, bend=1.35, settle=0.03, brightness=0.25),
        click(hit, 300.0, 1500.0, 0.02) * np.float32(hit.harder(0.01, 0.05)),
    )


def snare(hit: Hit, pitch_hz: float, ring_time: float) -> Samples:
    """A snare drum struck in the middle: skin, shell, wires and stick."""
    ping = tone(hit, pitch_hz * np.array([1.72, 2.41, 3.3]), np.array([0.5, 0.3, 0.2]), np.array([0.18, 0.13, 0.09]))
    return layered(
        skin(hit, pitch_hz, 0.28, bend=1.3, settle=0.015, brightness=0.9) * np.float32(0.75),
        ping * np.float32(0.35),
        snares(hit, ring_time) * np.float32(hit.harder(0.2, 0.62)),
        click(hit, 2500.0, 11000.0, 0.006) * np.float32(hit.harder(0.05, 0.3)),
    )


def tom(hit: Hit, pitch_hz: float, ring_time: float) -> Samples:
    """A tom with both heads on."""
    return layered(
        skin(hit, pitch_hz, ring_time, bend=1.35, settle=0.05, brightness=0.8),
        hiss(hit, 200.0, 1500.0, 0.1, width=0.3) * np.float32(0.05),
        click(hit, 1500.0, 6000.0, 0.008) * np.float32(hit.harder(0.03, 0.16)),
    )


def side_stick(hit: Hit) -> Samples:
    """The stick laid across the rim."""
    wood = tone(
        hit,
        np.array([410.0, 840.0, 1720.0, 2610.0]),
        np.array([0.35, 0.5, 1.0, 0.4]),
        np.array([0.1, 0.07, 0.06, 0.04]),
    )
    return layered(wood, click(hit, 2000.0, 9000.0, 0.005) * np.float32(0.3))


def hat(hit: Hit, ring_time: float) -> Samples:
    """A hi-hat struck with the tip, as open as it rings long."""
    return layered(
        metal(hit, 2600.0, 17000.0, hit.near(ring_time, 0.08), partials=120, dull=0.75, wash=0.55),
        click(hit, 5000.0, 15000.0, 0.004) * np.float32(hit.harder(0.02, 0.15)),
    )


def pedalled_hat(hit: Hit) -> Samples:
    """A hi-hat closed by the foot: a short chick, softer at its start."""
    return metal(hit, 1900.0, 13000.0, 0.075, partials=90, dull=0.6, wash=0.7) * _softened(hit, 0.075, 0.004)


def crash(hit: Hit, low_hz: float, ring_time: float) -> Samples:
    """A crash cymbal: bursts open at once, bright, and darkens as it fades."""
    return layered(
        metal(hit, low_hz, 17500.0, ring_time, partials=280, dull=0.5, wash=0.6),
        hiss(hit, 3000.0, 16000.0, 0.35, attack=0.004, width=0.9) * np.float32(hit.harder(0.03, 0.22)),
    )


def ride(hit: Hit, ring_time: float) -> Samples:
    """A ride cymbal: a clear stick over a low, even wash."""
    ping = tone(
        hit,
        np.array([2480.0, 3310.0, 4170.0, 5240.0, 6650.0, 8120.0]),
        np.array([0.5, 0.8, 1.0, 0.7, 0.6, 0.4]),
        np.array([0.9, 0.8, 0.7, 0.5, 0.4, 0.3]),
        width=0.3,
    )
    wash = metal(hit, 420.0, 15000.0, ring_time, partials=200, dull=0.6, wash=0.4)
    return layered(ping * np.float32(0.3), wash, click(hit, 5000.0, 14000.0, 0.004) * np.float32(0.3))


def ride_bell(hit: Hit) -> Samples:
    """The cup of the ride: a bell with little wash."""
    bell = tone(
        hit,
        np.array([788.0, 1430.0, 2210.0, 3140.0, 4280.0, 5630.0]),
        np.array([0.7, 1.0, 0.9, 0.7, 0.4, 0.3]),
        np.array([1.8, 1.6, 1.3, 1.0, 0.7, 0.5]),
        width=0.3,
    )
    return layered(bell, metal(hit, 900.0, 14000.0, 1.6, partials=120, dull=0.5, wash=0.3) * np.float32(0.5))


def china(hit: Hit) -> Samples:
    """A china cymbal: trashy, quick to die."""
    return layered(
        metal(hit, 380.0, 12000.0, 1.5, partials=260, dull=0.55, wash=0.75),
        hiss(hit, 1200.0, 9000.0, 0.5, attack=0.003, width=0.8) * np.float32(0.2),
    )


def brushed_cymbal(hit: Hit, ring_time: float) -> Samples:
    """A cymbal brushed: no stick, it blooms."""
    sound = metal(hit, 380.0, 15000.0, ring_time, partials=220, dull=0.5, wash=0.5)
    return sound * _softened(hit, ring_time, 0.02)


def brush_tap(hit: Hit) -> Samples:
    """A brush tapped on the snare: many wires, a skin that hardly speaks."""
    return layered(
        hiss(hit, 900.0, 9500.0 * hit.harder(0.5, 1.1), 0.13, attack=0.002, width=0.3),
        skin(hit, 185.0, 0.16, bend=1.1, brightness=0.5) * np.float32(0.8),
        snares(hit, 0.16) * np.float32(0.35),
    )


def brush_slap(hit: Hit) -> Samples:
    """A brush slapped flat."""
    return layered(
        hiss(hit, 700.0, 12000.0, 0.09, attack=0.001, width=0.3),
        skin(hit, 200.0, 0.14, bend=1.2, brightness=0.8) * np.float32(0.9),
        snares(hit, 0.2) * np.float32(0.5),
    )


def brush_sweep(hit: Hit) -> Samples:
    """A brush drawn in a circle for the written length: grainy, swelling and giving way."""
    length = min(max(hit.duration, 0.2), 4.0)
    return grains(hit, 1500.0, 8500.0, length + 0.1, rise=0.45, density=5000.0)


def _softened(hit: Hit, ring_time: float, attack: float) -> Samples:
    """A soft start for a sound of that ring."""
    count = hit.count(ring_time * 1.1)
    return 1.0 - dying(count, attack * 2.0, hit.rate)
