"""How a model of others is treated: it is told where its input goes, works in silence, and fails in one plain sentence."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelscore.errors import InputError
from reelscore.hardware import out_of_memory

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

_SPLITS = ("do_image_splitting", "crop_to_patches", "do_pan_and_scan")  # names that families have for tiling a picture


@dataclass(frozen=True)
class Place:
    """Where a model's input goes, and in which number format its pictures are."""

    device: "torch.device"
    dtype: "torch.dtype"


def untiled(image_processor: Any) -> dict[str, bool]:
    """The settings with which this image processor sees a picture whole."""
    return {splits: False for splits in _SPLITS if getattr(image_processor, splits, None) is not None}


@contextmanager
def said_plainly(captioner: str) -> Iterator[None]:
    """What goes wrong with the files of others, in one sentence: an InputError for all that their content can lead to."""
    from huggingface_hub.errors import StrictDataclassError
    from jinja2 import TemplateError
    from safetensors import SafetensorError

    ordinary = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError)
    try:
        yield
    except (*ordinary, AssertionError, ImportError, MemoryError) as problem:
        raise _refusal(captioner, problem) from problem
    except (SafetensorError, StrictDataclassError, TemplateError) as problem:
        raise _refusal(captioner, problem) from problem


def _refusal(captioner: str, problem: Exception) -> InputError:
    """The error for a captioner that raised `problem`, with the remedy."""
    log.debug("the captioner %s failed", captioner, exc_info=problem)
    if out_of_memory(problem):
        return InputError(
            f"The memory is too small for the captioner {captioner}; give a smaller one, --device cpu, or with CUDA --low-resource."
        )
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    said = (lines[0] if lines else type(problem).__name__)[:200].rstrip(" .:;,")
    return InputError(f"{captioner} cannot be used as a captioner ({said}); fetch it anew or give another.")
