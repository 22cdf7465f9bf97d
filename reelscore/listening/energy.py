"""The energy of a recording along its time."""

import numpy as np

from reelscore.audio import Samples
from reelscore.tempo import Floats

ENERGY_STEP = 0.5  # seconds


def energy_of(samples: Samples, rate: int) -> Floats:
    """The energy (0 to 1) of a sound (channels, n) in each `ENERGY_STEP`, the last of which may be short."""
    return np.zeros(-(-samples.shape[1] // round(ENERGY_STEP * rate)))
