"""Decoded frames as upright squares of the size that a vision network learned on, the whole picture squashed into each.

Squares are uint8 (side, side, 3), BGR.
"""

from math import ceil

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from reelscore.media.probe import Clip
from reelscore.media.shrink import Shrink

Pixels = npt.NDArray[np.uint8]


class Averaged:
    """Squares in which every pixel of the frame counts."""

    def __init__(self, clip: Clip, side: int) -> None:
        longer, shorter = max(clip.width, clip.height), min(clip.width, clip.height)
        self._shrink = Shrink(clip, min(ceil(2 * side * longer / shorter), longer))
        self._size = (side, side)
        self._way = cv2.INTER_AREA if shorter >= side else cv2.INTER_LINEAR

    def __call__(self, frame: VideoFrame) -> Pixels:
        return np.asarray(cv2.resize(self._shrink(frame), self._size, interpolation=self._way), np.uint8)


class Sampled:
    """Squares in which each pixel is drawn from the four nearest of the full frame, however far it shrinks.

    decord, which takes a film that does not name its colours for BT.601, and torchvision 0.16 make them so.
    """

    def __init__(self, clip: Clip, side: int) -> None:
        self._turns = clip.rotation // 90
        self._size = (side, side)
        self._colours = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> Pixels:
        # torch's own: whose rounding a network saw in training, to the last bit.
        import torch
        from torch.nn import functional

        whole = self._colours.reformat(frame, format="bgr24", interpolation=Interpolation.BICUBIC, threads=1)
        planes = torch.from_numpy(whole.to_ndarray()).permute(2, 0, 1)[None].rot90(-self._turns, (2, 3)).float()
        small = functional.interpolate(planes, self._size, mode="bilinear", align_corners=False)
        return np.asarray(small[0].round().byte().permute(1, 2, 0).numpy(), np.uint8)
