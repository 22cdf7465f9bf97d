"""A look-ahead true-peak limiter that works on peaks per frame, so that the gain it will take is known before any sound is made.

Curves have one value per knot, the edge between two frames; between knots gain runs linearly. Levels are in dB, reductions are
positive. Two stages share the work: a slow one rides the fader over seconds where peaks keep coming, so that the level does not
bob with each of them; a fast one takes what is left.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LOOK_AHEAD = 0.004
HOLD = 0.01
RELEASE = 0.06  # seconds in which a reduction falls to 1/e of its dB
_SLOW_SHARE = 0.5
_SLOW_WINDOW = 0.8
_MARGIN_DB = 0.1  # a moving gain lets a peak between two samples pass a little higher than a still one


def reductions(peaks: npt.NDArray[np.float32], gain_db: float, ceiling_dbtp: float, step: float) -> Floats:
    """How many dB the gain must come down at each knot so that `peaks` (linear, per frame of `step` s) stay under the ceiling.

    The result has one value more than there are frames and is 0 throughout where nothing is too loud.
    """
    over = _over(peaks, gain_db, ceiling_dbtp - _MARGIN_DB)
    if not over.any():
        return np.zeros(len(peaks) + 1)
    needed = np.maximum(np.append(over, 0.0), np.append(0.0, over))
    slow = _ridden(_caught(needed, step), step)
    return slow + _caught(np.maximum(needed - slow, 0.0), step)


def _over(peaks: npt.NDArray[np.float32], gain_db: float, ceiling_db: float) -> Floats:
    with np.errstate(divide="ignore"):
        levels = 20.0 * np.log10(peaks.astype(np.float64)) + gain_db
    return np.maximum(levels - ceiling_db, 0.0)


def _ridden(taken: Floats, step: float) -> Floats:
    """A share of what would be taken on average around each moment: much where peaks keep coming, next to nothing for a single one."""
    from scipy.ndimage import uniform_filter1d

    width = max(1, round(_SLOW_WINDOW / step))
    return np.asarray(
        _SLOW_SHARE * uniform_filter1d(uniform_filter1d(taken, width, mode="nearest"), width, mode="nearest")
    )


def _caught(needed: Floats, step: float) -> Floats:
    """Down within the look-ahead, held, and back ever more slowly; never less than what is needed."""
    from scipy.ndimage import convolve1d, maximum_filter1d

    ahead, hold = max(1, round(LOOK_AHEAD / step)), round(HOLD / step)
    held = maximum_filter1d(needed, 2 * ahead + hold + 1, origin=hold // 2, mode="constant")
    # A peak that falls by a constant factor per knot is a straight line in the logarithm, so the highest of all
    # falling peaks is a running maximum.
    fall = step / RELEASE * np.arange(len(held))
    with np.errstate(divide="ignore"):
        falling = np.exp(np.maximum.accumulate(np.log(held) + fall) - fall)
    window = np.hanning(2 * ahead + 3)[1:-1]
    return np.asarray(convolve1d(falling, window / window.sum(), mode="nearest"))
