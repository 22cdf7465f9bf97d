"""Light and colour: brightness, saturation, contrast and warmth of every picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from reelscore.analysis.look import Bytes
from reelscore.analysis.measured import Measured

_MEASURE_EVERY = 0.07  # seconds
_WARMTH_GAIN = 2.0  # lamplight and sunsets lie near 0.25 before it


@dataclass(frozen=True)
class Light:
    """Brightness, saturation and contrast from 0 to 1; warmth from −1 (cold) through 0 (neutral) to 1 (warm)."""

    brightness: float
    saturation: float
    contrast: float
    warmth: float


def light(picture: Bytes) -> Light:
    """The light of one picture, uint8 BGR.

    Brightness is the mean of HSV's V, saturation the mean of its S weighted by V (the colour of black is no colour),
    contrast the distance between the 5th and the 95th percentile of luma, warmth twice (R − B) / (R + B), cut at ±1.
    """
    _, saturation, value = cv2.split(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV))
    brightness = cv2.mean(value)[0] / 255.0
    weighted = cv2.mean(cv2.multiply(saturation, value, scale=1.0 / 255.0, dtype=cv2.CV_32F))[0] / 255.0
    blue, _, red, _ = cv2.mean(picture)
    luma = cv2.calcHist([cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)], [0], None, [256], [0, 256]).ravel()
    low, high = np.searchsorted(np.cumsum(luma), [0.05 * luma.sum(), 0.95 * luma.sum()])
    # A few grey levels are added below the line, so that the tint of black noise does not count.
    warmth = _WARMTH_GAIN * (red - blue) / (red + blue + 8.0)
    return Light(
        brightness=brightness,
        saturation=float(weighted / max(brightness, 0.02)),
        contrast=float(max(0, high - low) / 255.0),
        warmth=float(np.clip(warmth, -1.0, 1.0)),
    )


class LightMeter:
    """Takes small pictures in turn with `see`, and keeps each measure of them."""

    def __init__(self) -> None:
        self.brightness, self.saturation, self.contrast, self.warmth = (Measured() for _ in range(4))
        self._last = -1.0

    def see(self, time: float, picture: Bytes) -> None:
        """One more picture; only one in 0.07 s is measured."""
        if time - self._last < _MEASURE_EVERY:
            return
        self._last = time
        seen = light(picture)
        self.brightness.add(time, min(seen.brightness, 1.0))
        self.saturation.add(time, min(seen.saturation, 1.0))
        self.contrast.add(time, seen.contrast)
        self.warmth.add(time, seen.warmth)
