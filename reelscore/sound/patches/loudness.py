"""How loud partials are to the ear, so that every note of every patch is made equally loud before its part is mixed.

The weighting is that of ITU-R BS.1770 ("K"): little below 60 Hz, 4 dB more above 2 kHz. A level of 0 dB here is an RMS of 1.
"""

import numpy as np

from reelscore.audio import gain_from_db
from reelscore.sound.patches.oscillators import Modes, Numbers

LEVEL_DB = -20.0

_HERTZ = np.log([20, 30, 40, 50, 70, 100, 150, 300, 500, 800, 1000, 1300, 1700, 2200, 3000, 4000, 20000.0])
_WEIGHT_DB = np.array([-13.4, -8.1, -5.5, -3.9, -2.2, -1.2, -0.6, -0.1, 0.1, 0.4, 0.7, 1.3, 2.2, 3.1, 3.7, 3.9, 4.0])


def weight(frequency_hz: Numbers) -> Numbers:
    """The K weighting as a gain."""
    return np.asarray(10.0 ** (np.interp(np.log(frequency_hz), _HERTZ, _WEIGHT_DB) / 20.0))


def of_partials(frequency_hz: Numbers, amplitudes: Numbers) -> float:
    """The weighted RMS of steady sines."""
    return float(np.sqrt(0.5 * np.sum((amplitudes * weight(frequency_hz)) ** 2)))


def of_modes(sounding: Modes, window: float = 0.15) -> float:
    """The weighted RMS of damped modes over their first `window` seconds."""
    spent = 2.0 * sounding.decay * window
    kept = -np.expm1(-spent) / spent
    return float(np.sqrt(0.5 * np.sum((sounding.gain * weight(sounding.frequency_hz)) ** 2 * kept)))


def levelled(sounding: Modes, trim_db: float = 0.0) -> Modes:
    """The modes at the common level, `trim_db` above it."""
    return sounding.scaled(gain_from_db(LEVEL_DB + trim_db) / of_modes(sounding))
