"""Beats moved onto the onsets that they stand for, as a smooth whole."""

import numpy as np

from reelscore.tempo import Floats

ONSET_LEAD = 0.006
_REACH = 0.06
_EDGE = 0.08
_NEAR = 0.015
_STEADY = 0.006
_STIFFNESS = 100.0
_ROUNDS = 8
MODE = "edge"

def settled(beats: Floats, strength: Floats, hop: float) -> Floats:
    """The beats (seconds) where the strength says that something begins, smoothed so that single notes early or late do not count."""
    if len(beats) < 4:
        return beats
    targets, sure = _onsets_near(beats, strength, hop)
    times = beats
    for _ in range(_ROUNDS):
        near = sure / (1.0 + ((targets - times) / _NEAR) ** 2)
        bends = np.diff(times, 2)
        times = _smoothed(targets, near + 1e-3, _STIFFNESS / (1.0 + (bends / _STEADY) ** 2))
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
    reach = round(_REACH / hop)
    usual = np.percentile(strength, 95) + 1e-9
    targets, sure = beats.copy(), np.zeros(len(beats))
    for number, beat in enumerate(beats):
        centre = round(beat / hop)
        first, last = max(centre - reach, 1), min(centre + reach + 1, len(strength) - 1)
        if last - first < 3:
            continue
        around = strength[first:last] * np.hanning(last - first + 2)[1:-1] ** .5
        peak = first + int(around.argmax())
        if not strength[peak - 1] <= strength[peak] >= strength[peak + 1]:
            continue
        targets[number] = (_rise(strength, peak, round(_EDGE / hop)) if MODE == "edge" else _parabola(strength, peak)) * hop + ONSET_LEAD
        sure[number] = min(1.0, strength[peak] / usual)
    return targets, sure

def _parabola(strength, peak):
    before, at, after = strength[peak - 1 : peak + 2]
    bend = before - 2 * at + after
    return peak + 0.5 * (before - after) / bend if bend < 0 else peak

def _rise(strength, peak, reach):
    half = strength[peak] / 2
    at = peak
    while at > max(peak - reach, 0) and strength[at - 1] > half:
        at -= 1
    if at == 0 or at == peak - reach:
        return float(at)
    return at - (strength[at] - half) / max(strength[at] - strength[at - 1], 1e-9)
