"""A decoded frame of any kind as a small, upright BGR picture, at next to no cost.

The scaler goes straight from the full frame to a small one in the right colours; the small one is then turned upright.
"""

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from reelscore.media.probe import Clip

UNSAID = 2  # FFmpeg's number for a colour space that the film does not name
HIGH_DEFINITION = 720  # lines from which an unnamed colour space is BT.709, as players take it
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class Shrink:
    """Called with frames of one film; gives uint8 (height, width, 3), BGR, `longer_side` pixels on its longer side."""

    def __init__(self, clip: Clip, longer_side: int) -> None:
        scale = longer_side / max(clip.width, clip.height)
        width, height = (max(2, round(side * scale)) for side in (clip.width, clip.height))
        self._width, self._height = (height, width) if clip.rotation in (90, 270) else (width, height)
        self._turn = _TURNS.get(clip.rotation)
        self._scaler = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> npt.NDArray[np.uint8]:
        unnamed = frame.colorspace == UNSAID and frame.height >= HIGH_DEFINITION and not frame.format.is_rgb
        small = self._scaler.reformat(
            frame,
            width=self._width,
            height=self._height,
            format="bgr24",
            src_colorspace=Colorspace.ITU709 if unnamed else None,
            interpolation=Interpolation.FAST_BILINEAR,
            threads=1,
        )
        picture = np.asarray(small.to_ndarray(), np.uint8)
        return picture if self._turn is None else np.asarray(cv2.rotate(picture, self._turn), np.uint8)
