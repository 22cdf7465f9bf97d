"""The pictures that a captioner is shown: for each scene sharp ones near its moments, small and unsquashed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from reelscore.analysis.content.scenes import Moment, Scene
from reelscore.media.probe import Clip
from reelscore.media.stills import Still, stills_at

LONGER_SIDE = 448  # pixels; what the vision towers of captioners see of a picture is no larger
KEY_FRAMES = 3  # frames of a scene that are looked at one by one; more of them show the same again
_SHARPER = 1.2  # by how much another picture must be sharper to be taken


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a scene: its time in seconds and uint8 (height, width, 3), RGB, in the film's own shape."""

    time: float
    rgb: npt.NDArray[np.uint8]


def frames(clip: Clip, scenes: Sequence[Scene]) -> Iterator[tuple[Frame, ...]]:
    """The frames of each scene in turn, in order of time and none twice; only one scene's are in memory at a time.

    A scene of which no picture can be decoded has none.
    """
    times = [time for scene in scenes for moment in scene.moments for time in sorted(moment.times)]
    stills = stills_at(clip, times, LONGER_SIDE)
    for scene in scenes:
        chosen: dict[float, Frame] = {}
        for moment in scene.moments:
            there = [still for _, still in zip(moment.times, stills, strict=False)]
            if there:
                best = _best(moment, there)
                chosen[best.time] = Frame(best.time, np.ascontiguousarray(best.bgr[:, :, ::-1]))
        yield tuple(chosen.values())


def spread(frames: Sequence[Frame], most: int) -> list[Frame]:
    """At most `most` of the frames, evenly over all of them."""
    if len(frames) <= most:
        return list(frames)
    places: npt.NDArray[np.int_] = np.linspace(0, len(frames) - 1, most).round().astype(int)
    return [frames[place] for place in places]


def _best(moment: Moment, stills: Sequence[Still]) -> Still:
    """The one that the moment prefers, unless another is clearly sharper; the stills lie in order of time."""
    in_time = sorted(moment.times)
    best_first = sorted(zip(in_time, stills, strict=False), key=lambda tried: moment.times.index(tried[0]))
    best, sharpest = best_first[0][1], sharpness(best_first[0][1].bgr)
    for _, still in best_first[1:]:
        sharp = sharpness(still.bgr)
        if sharp > _SHARPER * sharpest:
            best, sharpest = still, sharp
    return best


def sharpness(bgr: npt.NDArray[np.uint8]) -> float:
    """How much fine detail a picture holds: the spread of its Laplacian, after the grain is smoothed away."""
    grey = cv2.GaussianBlur(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), (3, 3), 0)
    return float(cv2.Laplacian(grey, cv2.CV_32F).std())
