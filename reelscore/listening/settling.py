"""Beats moved onto the onsets that they stand for, as a smooth whole."""

import numpy as np

from reelscore.tempo import Floats

_REACH = 0.06  # seconds about a beat within which its onset lies
_FLANK = 0.08  # seconds that an onset takes to rise at most
_FOOT = 0.25  # of its height, where a rise begins
_BEHIND = 0.012  # seconds from there to where the sound begins: windows are wider than hops
_NEAR = 0.015  # seconds from its beat at which an onset counts half
_BENT = 0.006  # seconds of change from one beat to the next at which the tempo gives way half
_STIFFNESS = 100.0
_ROUNDS = 8


def settled(beats: Floats, strength: Floats, hop: float) -> Floats:
    """The beats (seconds) where the strength says that something begins, smoothed so that single notes early or late do not count."""
    if len(beats) < 4:
        return beats
    targets, sure = _onsets_near(beats, strength, hop)
    times = beats
    for _ in range(_ROUNDS):
        near = sure / (1.0 + ((targets - times) / _NEAR) ** 2)
        bends = np.diff(times, 2)
        times = _smoothed(targets, near + 1e-3, _STIFFNESS / (1.0 + (bends / _BENT) ** 2))
    return times


def _smoothed(targets: Floats, weights: Floats, stiffness: Floats) -> Floats:
    """Times that lie near their targets, with penalised second differences (Whittaker 1923)."""
    from scipy.linalg import solveh_banded

    count = len(targets)
    band = np.zeros((3, count))
    band[2] = weights
    for offset, factor in ((0, 1.0), (1, -2.0), (2, 1.0)):
        band[2, offset : count - 2 + offset] += factor**2 * stiffness
    band[1, 1:-1] += -2.0 * stiffness
    band[1, 2:] += -2.0 * stiffness
    band[0, 2:] += stiffness
    return np.asarray(solveh_banded(band, weights * targets))


def _onsets_near(beats: Floats, strength: Floats, hop: float) -> tuple[Floats, Floats]:
    """The time of each beat's own onset, and how much it counts (0 to 1): not at all where there is none."""
    reach = round(_REACH / hop)
    usual = float(np.percentile(strength, 95)) + 1e-9
    targets, sure = beats.copy(), np.zeros(len(beats))
    for number, beat in enumerate(beats):
        first, last = max(round(beat / hop) - reach, 1), min(round(beat / hop) + reach + 1, len(strength) - 1)
        if last - first < reach:
            continue
        nearness = np.sqrt(np.hanning(last - first + 2)[1:-1])
        peak = first + int((strength[first:last] * nearness).argmax())
        if strength[peak - 1] <= strength[peak] >= strength[peak + 1]:
            targets[number] = _rise(strength, peak, round(_FLANK / hop)) * hop + _BEHIND
            sure[number] = min(1.0, float(strength[peak]) / usual)
    return targets, sure


def _rise(strength: Floats, peak: int, reach: int) -> float:
    """The hop, and part of one, at which the strength begins to come up to a peak: earlier than the peak where an attack is slow."""
    low, at = strength[peak] * _FOOT, peak
    while at > max(peak - reach, 0) and strength[at - 1] > low:
        at -= 1
    if at in (0, peak - reach):
        return float(at)
    return float(at - (strength[at] - low) / max(strength[at] - strength[at - 1], 1e-9))
