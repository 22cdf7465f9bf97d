"""The one door to weights: which models there are, where they lie, and how they are opened, converted and described.

Light to import; what opens and converts weights needs torch and stands in `checkpoints.sonique`, `checkpoints.vidmuse` and so
on, each beside the names of its tensors.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reelscore.checkpoints.hub import default_weights, get, locate, missing_weights

if TYPE_CHECKING:
    from reelscore.checkpoints.about import Description, Row

__all__ = ["default_weights", "describe", "get", "listing", "locate", "missing_weights"]


def listing() -> list[Row]:
    """The models of the catalogue, and whether each is here."""
    from reelscore.checkpoints import about

    return about.listing()


def describe(name_or_path: str | Path) -> Description:
    """What is known of a model of the catalogue, or what a file of weights holds.

    Raises InputError where it is neither, or where the file cannot be read.
    """
    from reelscore.checkpoints import about

    return about.describe(str(name_or_path))
