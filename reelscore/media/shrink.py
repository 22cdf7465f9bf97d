"""A decoded frame of any kind as a small, upright BGR picture, at next to no cost.

The scaler takes the full frame down in its own colours; what is left to do (colours, turning) is done on the small one.
"""

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from reelscore.media.probe import Clip, turn

# Luma weights of red and blue (ITU-R BT.601, BT.709, SMPTE 240M, BT.2020), by FFmpeg's number of the colour space.
_WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class Shrink:
    """Called with frames of one film; gives uint8 (height, width, 3), BGR, `longer_side` pixels on its longer side."""

    def __init__(self, clip: Clip, longer_side: int) -> None:
        scale = longer_side / max(clip.width, clip.height)
        width, height = (max(2, round(side * scale)) for side in (clip.width, clip.height))
        self._coded_size = (height, width) if clip.rotation in (90, 270) else (width, height)
        self._rotation = clip.rotation
        self._scaler = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> npt.NDArray[np.uint8]:
        width, height = self._coded_size
        direct = _is_rgb(frame)
        small = self._scaler.reformat(
            frame,
            width=width,
            height=height,
            format="bgr24" if direct else "yuv444p",
            interpolation=Interpolation.FAST_BILINEAR,
            threads=1,
        )
        picture = small.to_ndarray()
        if not direct:
            picture = cv2.transform(cv2.merge(tuple(picture)), _to_bgr(small))
        if self._rotation in _TURNS:
            picture = cv2.rotate(picture, _TURNS[self._rotation])
        return np.ascontiguousarray(picture, np.uint8)


def _is_rgb(frame: VideoFrame) -> bool:
    return frame.format.is_rgb or frame.format.has_palette


def _to_bgr(frame: VideoFrame) -> npt.NDArray[np.float32]:
    """The 3 × 4 matrix from 8-bit Y, Cb, Cr of a frame to B, G, R (ITU-T H.273, equations 38 to 44 solved for R, G, B)."""
    red, blue = _WEIGHTS.get(int(frame.colorspace), _WEIGHTS[1 if frame.height >= 576 else 5])
    green = 1 - red - blue
    full = int(frame.color_range) == ColorRange.JPEG
    luma, chroma, black = (1.0, 1.0, 0.0) if full else (255 / 219, 255 / 224, 16.0)
    to_blue, to_red = 2 * (1 - blue) * chroma, 2 * (1 - red) * chroma
    weights = np.array(
        [
            [luma, to_blue, 0.0],
            [luma, -to_blue * blue / green, -to_red * red / green],
            [luma, 0.0, to_red],
        ]
    )
    offset = -weights @ np.array([black, 128.0, 128.0])
    return np.column_stack([weights, offset]).astype(np.float32)
