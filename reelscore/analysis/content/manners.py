"""How a model of others is treated: it is told where its input goes, works in silence, and fails in one plain sentence."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelscore.checkpoints import manners as with_others

if TYPE_CHECKING:
    import torch

_SPLITS = ("do_image_splitting", "crop_to_patches", "do_pan_and_scan")  # names that families have for tiling a picture


@dataclass(frozen=True)
class Place:
    """Where a model's input goes, and in which number format its pictures are."""

    device: "torch.device"
    dtype: "torch.dtype"


def untiled(image_processor: Any) -> dict[str, bool]:
    """The settings with which this image processor sees a picture whole."""
    return {splits: False for splits in _SPLITS if getattr(image_processor, splits, None) is not None}


def said_plainly(captioner: str) -> AbstractContextManager[None]:
    """What goes wrong with the files of a captioner, in one sentence: an InputError for all that their content can lead to."""
    return with_others.said_plainly(captioner, "captioner")
