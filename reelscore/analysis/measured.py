"""A measure taken at many moments of a film, and its means over stretches of it."""

from array import array

import numpy as np

STEP = 0.25  # seconds of each value of a curve


class Measured:
    """Values at rising times in seconds; eight bytes each, so that hours of film stay small."""

    def __init__(self) -> None:
        self._times = array("d")
        self._values = array("d")

    def add(self, time: float, value: float) -> None:
        """One more value."""
        self._times.append(time)
        self._values.append(value)

    def curve(self, duration: float) -> tuple[float, ...]:
        """The mean of every step of 0.25 s up to `duration`; where nothing was measured, between its neighbours."""
        steps = max(1, int(np.ceil(duration / STEP - 1e-6)))
        if not self._times:
            return (0.0,) * steps
        times, values = np.frombuffer(self._times), np.frombuffer(self._values)
        step = np.clip((times / STEP + 1e-9).astype(int), 0, steps - 1)
        counts = np.bincount(step, minlength=steps)
        sums = np.bincount(step, weights=values, minlength=steps)
        known = np.flatnonzero(counts)
        means = np.interp(np.arange(steps), known, sums[known] / counts[known])
        return tuple(means.tolist())

    def mean(self, start: float, end: float) -> float:
        """The mean from `start` to `end`; where nothing was measured there, what lies nearest."""
        if not self._times:
            return 0.0
        times, values = np.frombuffer(self._times), np.frombuffer(self._values)
        first, last = np.searchsorted(times, [start - 1e-9, end - 1e-9])
        if first < last:
            return float(values[first:last].mean())
        return float(np.interp(0.5 * (start + end), times, values))
