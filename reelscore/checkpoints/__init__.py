"""The one door to weights: which models there are, where they lie, and how they are opened, converted and described.

Light to import: torch and its kin are imported when weights are opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reelscore.checkpoints.hub import default_weights, get, locate
from reelscore.hardware import require_neural
from reelscore.progress import Progress, unseen

if TYPE_CHECKING:
    import torch

    from reelscore.checkpoints.about import Description, Row
    from reelscore.checkpoints.own_form import Precision
    from reelscore.checkpoints.sonique import Opened
    from reelscore.models.latent_diffusion import LatentDiffusionConfig

__all__ = ["convert", "default_weights", "describe", "get", "listing", "locate", "open_sonique"]


def open_sonique(
    weights: Path,
    *,
    config: Path | LatentDiffusionConfig | None = None,
    text_tower: Path | None = None,
    tokenizer: str | Path | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype | None = None,
) -> Opened:
    """SONIQUE's model, ready to run, from a converted file; or from the published files, each by its path.

    `config` defaults to the published configuration; `tokenizer` is a file, a folder, or a name of the catalogue.
    `dtype` defaults to float32. Raises InputError for files that do not fit, MissingError for what is not here.
    """
    require_neural()
    import torch

    from reelscore.checkpoints import sonique

    return sonique.open_sonique(
        weights,
        config=config,
        text_tower=text_tower,
        tokenizer=tokenizer,
        device=device,
        dtype=dtype or torch.float32,
    )


def convert(
    weights: Path,
    target: Path,
    *,
    text_tower: Path | None = None,
    tokenizer: str | Path | None = None,
    config: Path | None = None,
    precision: Precision = "float32",
    source: str | None = None,
    licence: str | None = None,
    progress: Progress = unseen,
) -> Path:
    """Puts the published files into one file of our own form, whole or not at all, and returns its path.

    `source` and `licence` go into its card; without them those of SONIQUE. Raises InputError, MissingError, OutputError.
    """
    require_neural()
    from reelscore.checkpoints import sonique

    return sonique.convert(
        weights,
        target,
        text_tower=text_tower,
        tokenizer=tokenizer,
        config=config,
        precision=precision,
        source=source,
        licence=licence,
        progress=progress,
    )


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
