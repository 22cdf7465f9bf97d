"""SONIQUE's model from its files: opened in our own form, or from the published files, or converted from these.

Networks are built without memory and get their weights as they are read; nothing is made at random first. Strict: a key
that is unknown, missing or of another shape is an InputError that names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from reelscore.checkpoints import hub, own_form, reading
from reelscore.checkpoints.filling import filled, frame, shapes_in
from reelscore.checkpoints.own_form import ModelCard, Parts, Precision
from reelscore.checkpoints.pieces import Piece, pieces_of, refuse_misfits, renamed
from reelscore.checkpoints.reading import Stored, read_weights
from reelscore.checkpoints.sonique_names import (
    is_of_tower,
    is_sonique,
    layout_of_sonique,
    layout_of_text_tower,
    our_name,
    our_name_in_tower,
    published_name,
)
from reelscore.checkpoints.tokenizer import PromptTokenizer, open_tokenizer, tokenizer_from_json
from reelscore.errors import InputError, MissingError
from reelscore.models.configurations import from_dict
from reelscore.models.latent_diffusion import LatentDiffusion, LatentDiffusionConfig, config_from_published
from reelscore.progress import Progress, unseen

FORMAT = "reelscore.latent_diffusion"


@dataclass(frozen=True)
class Opened:
    """A model that is ready to run: networks on their device, the tokenizer of its prompts, and its card."""

    model: LatentDiffusion
    tokenizer: PromptTokenizer
    card: ModelCard


def open_sonique(
    weights: Path,
    *,
    config: Path | LatentDiffusionConfig | None = None,
    text_tower: Path | None = None,
    tokenizer: str | Path | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Opened:
    """The model in a converted file; or in the published files, which need the text tower and the tokenizer besides.

    `config` is a JSON file (the published form or ours) and defaults to the published configuration; a converted file
    holds its own. `tokenizer` is a file, a folder or a name of the catalogue. Raises InputError and MissingError.
    """
    parts, words = _parts(weights, config, text_tower, tokenizer)
    return Opened(filled(parts.frame, parts.pieces, device, dtype), words, parts.card)


def convert(
    weights: Path,
    target: Path,
    *,
    text_tower: Path | None = None,
    tokenizer: str | Path | None = None,
    config: Path | LatentDiffusionConfig | None = None,
    precision: Precision = "float32",
    source: str | None = None,
    licence: str | None = None,
    progress: Progress = unseen,
) -> Path:
    """Writes the model of the published files as one file of our own form, whole or not at all; returns its path.

    A file of our own form may be converted too, to another precision. Memory holds one tensor at a time.
    """
    own_form.known_precision(precision)
    parts, words = _parts(weights, config, text_tower, tokenizer)
    text = words.to_json()
    return own_form.convert_parts(
        parts, target, FORMAT, precision, progress, tokenizer=text, source=source, licence=licence
    )


def fitting(stored: Stored, model: LatentDiffusion) -> tuple[dict[str, Piece], tuple[str, ...]]:
    """The pieces of SONIQUE's published weights by our names, strictly those of the model, and notes on the file.

    The text tower, which lies in a file of its own, is not among them.
    """
    layout = layout_of_sonique(stored.shapes, stored.path)
    given = renamed(pieces_of(stored, layout.sources), partial(our_name, config=model.config))
    expected = {name: shape for name, shape in shapes_in(model).items() if not is_of_tower(name)}
    refuse_misfits(stored.path, given, expected, partial(published_name, config=model.config))
    return given, layout.notes


def _parts(
    weights: Path, config: Path | LatentDiffusionConfig | None, text_tower: Path | None, tokenizer: str | Path | None
) -> tuple[Parts[LatentDiffusion], PromptTokenizer]:
    stored = read_weights(weights)
    if not own_form.format_of(stored):
        return _published_parts(stored, config, text_tower, tokenizer)
    if config is not None or text_tower is not None or tokenizer is not None:
        raise InputError(
            f"{weights} is a converted checkpoint and holds its configuration, text tower and tokenizer; "
            "leave these options out."
        )
    parts = own_form.own_parts(stored, FORMAT, LatentDiffusion, LatentDiffusionConfig)
    words = tokenizer_from_json(own_form.read_tokenizer_json(stored), stored.path, parts.frame.config.conditioning.text)
    return parts, words


def _published_parts(
    stored: Stored, config: Path | LatentDiffusionConfig | None, text_tower: Path | None, tokenizer: str | Path | None
) -> tuple[Parts[LatentDiffusion], PromptTokenizer]:
    if not is_sonique(stored.shapes):
        raise InputError(f"{stored.path} holds no SONIQUE; give its checkpoint, or the file converted from it.")
    if text_tower is None:
        raise MissingError(
            f"{stored.path} holds no text tower; give CLAP's checkpoint besides (--text-tower ckpts/clap/clap.ckpt)."
        )
    if tokenizer is None:
        raise MissingError(f"{stored.path} holds no tokenizer; give that of roberta-base (--tokenizer roberta-base).")
    model = frame(LatentDiffusion, config if isinstance(config, LatentDiffusionConfig) else read_configuration(config))
    pieces, notes = fitting(stored, model)
    tower = read_weights(text_tower)
    of_tower, tower_notes = _tower_pieces(tower, model)
    words = open_tokenizer(hub.locate(str(tokenizer)), model.config.conditioning.text)
    files = (*stored.files, *tower.files)
    return Parts(model, pieces | of_tower, own_form.card_of("sonique", notes + tower_notes, files), files), words


def _tower_pieces(stored: Stored, model: LatentDiffusion) -> tuple[dict[str, Piece], tuple[str, ...]]:
    layout = layout_of_text_tower(stored.shapes, stored.path)
    pieces = {our_name_in_tower(published): piece for published, piece in pieces_of(stored, layout.sources).items()}
    expected = {name: shape for name, shape in shapes_in(model).items() if is_of_tower(name)}
    refuse_misfits(stored.path, pieces, expected, partial(published_name, config=model.config))
    return pieces, layout.notes


def read_configuration(path: Path | None) -> LatentDiffusionConfig:
    """The configuration in a JSON file, in the published form or in ours; without a file, the published one."""
    if path is None:
        return LatentDiffusionConfig()
    return reading.read_configuration(path, "SONIQUE", _parsed)


def _parsed(document: Mapping[str, Any]) -> LatentDiffusionConfig:
    return from_dict(LatentDiffusionConfig, document) if "unet" in document else config_from_published(document)
