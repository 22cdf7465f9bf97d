"""The energy of a recording along its time, as a film editor speaks of it: loudness, how densely things begin, and brightness.

Loudness counts against that of the recording's own body, so that it does not matter how loud it was mastered; density and brightness
are what they are, so that a calm piece stays below a driving one.
"""

import numpy as np

from reelscore.audio import Samples
from reelscore.listening.curves import LEVEL_STEP, Curves, curves_of
from reelscore.loudness import integrated, lufs
from reelscore.tempo import Floats

ENERGY_STEP = 0.5  # seconds
_LOUDNESS, _DENSITY, _BRIGHTNESS = 0.45, 0.3, 0.25
_SPAN = 2.0  # seconds over which it is smoothed
_SOFT_LU, _LOUD_LU = -14.0, 3.0  # against the body of the recording
_DARK_HZ, _BRIGHT_HZ = 600.0, 6000.0
_DENSE_DB = 0.4  # mean rise of a hop, of what stands out of its neighbourhood, at which density is 0.63
_FAINT_LU, _HEARD_LU = -40.0, -20.0  # below the first nothing counts


def energy_of(samples: Samples, rate: int) -> Floats:
    """The energy (0 to 1) of a sound (channels, n) in each `ENERGY_STEP`, the last of which may be short."""
    return energy_in(curves_of(samples, rate))


def energy_in(curves: Curves) -> Floats:
    """The energy of a sound whose curves are known."""
    middles = np.arange(0.0, curves.duration, ENERGY_STEP) + ENERGY_STEP / 2
    body_lufs = integrated(curves.energies, LEVEL_STEP)
    if not np.isfinite(body_lufs):
        return np.zeros(len(middles))
    relative = lufs(_along(middles, curves.energies, LEVEL_STEP) + 1e-12) - body_lufs
    loudness = np.clip((relative - _SOFT_LU) / (_LOUD_LU - _SOFT_LU), 0.0, 1.0)
    density = 1.0 - np.exp(-_along(middles, _standing_out(curves), curves.hop) / _DENSE_DB)
    octaves = np.log(np.maximum(curves.brightness, 1.0) / _DARK_HZ) / np.log(_BRIGHT_HZ / _DARK_HZ)
    brightness = _along(middles, np.clip(octaves, 0.0, 1.0), curves.chroma_hop)
    heard = np.clip((relative - _FAINT_LU) / (_HEARD_LU - _FAINT_LU), 0.0, 1.0)
    return np.asarray(heard * (_LOUDNESS * loudness + _DENSITY * density + _BRIGHTNESS * brightness))


def _standing_out(curves: Curves) -> Floats:
    """Onset strength beyond what goes on all the time; the rush of rain is none."""
    from scipy.ndimage import median_filter

    strength = curves.onsets.mean(axis=0)
    around = median_filter(strength, round(1.0 / curves.hop) | 1, mode="nearest")
    return np.asarray(np.maximum(strength - 2.0 * around, 0.0))


def _along(middles: Floats, values: Floats, step: float) -> Floats:
    """The mean of a curve with that step about each time, the nearer the more."""
    reach = max(1, round(_SPAN / step / 2))
    weights = np.hanning(2 * reach + 1)
    inside = np.convolve(np.ones(len(values)), weights)[reach : reach + len(values)]
    smooth = np.convolve(values, weights)[reach : reach + len(values)] / inside
    return np.asarray(np.interp(middles, (np.arange(len(values)) + 0.5) * step, smooth))
