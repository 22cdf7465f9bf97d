"""One line for every tensor: how far ours is from theirs, and whether that is near enough."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from reelscore.errors import InputError

TOLERANCE = 1e-4
"""The largest absolute error of any number. Tokens have none: each is the same or wrong."""


def told_outputs(file: Path, names: Sequence[str], check: Callable[[str], bool]) -> bool:
    """Whether `check` finds each of the outputs in a file near enough; all of them are looked at.

    Raises InputError where there is none, or where the file lacks what one of them is made from.
    """
    if not names:
        raise InputError(f"{file} holds no outputs to compare with; give a folder of parity fixtures.")
    good = True
    with torch.inference_mode():
        for name in names:
            try:
                good &= check(name)
            except KeyError as absent:
                raise InputError(f"{file} lacks {absent}, which {name} is made from.") from absent
    return good


def told(name: str, ours: Tensor | None, theirs: Tensor) -> bool:
    """Prints the largest error of a tensor of numbers; whether it is small enough. None is an answer we do not have."""
    error = largest_error(ours, theirs)
    return _line(name, f"{error:10.2e}", error <= TOLERANCE)


def told_tokens(name: str, ours: Tensor | None, theirs: Tensor, remark: str = "") -> bool:
    """Prints how many tokens differ, and the remark; whether none does."""
    if ours is None or ours.shape != theirs.shape or not theirs.numel():
        return _line(name, "no answer" if ours is None else "no such shape", False)
    different = int((ours != theirs).sum())
    if not different:
        return _line(name, " identical", True)
    return _line(name, f"{different} of {theirs.numel()} differ", False, remark)


def largest_error(ours: Tensor | None, theirs: Tensor) -> float:
    """Infinite where there is nothing to compare, or something that is not a number."""
    if ours is None or ours.shape != theirs.shape or not theirs.numel():
        return math.inf
    error = float((ours.double() - theirs.double()).abs().max())
    return error if math.isfinite(error) else math.inf


def _line(name: str, found: str, good: bool, remark: str = "") -> bool:
    print(f"{name:40} {found}  {'' if good else 'MISSED'}  {remark}".rstrip(), flush=True)
    return good
