"""SONIQUE's model from its files: opened in our own form, or from the published files, or converted from these.

Networks are built without memory and get their weights as they are read; nothing is made at random first. Strict: a key
that is unknown, missing or of another shape is an InputError that names it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from reelscore import __version__
from reelscore.checkpoints import catalogue, hub, own_form
from reelscore.checkpoints.own_form import ModelCard, Precision, SourceFile
from reelscore.checkpoints.pieces import Piece, pieces_of, refuse_misfits
from reelscore.checkpoints.reading import Stored, read_json, read_weights
from reelscore.checkpoints.sonique_names import (
    is_of_tower,
    layout_of_sonique,
    layout_of_text_tower,
    our_name,
    our_name_in_tower,
    published_name,
)
from reelscore.checkpoints.tokenizer import PromptTokenizer, open_tokenizer, tokenizer_from_json
from reelscore.errors import InputError, MissingError
from reelscore.models.latent_diffusion import (
    LatentDiffusion,
    LatentDiffusionConfig,
    config_from_dict,
    config_from_published,
)
from reelscore.outputs import refuse_clashes
from reelscore.progress import Progress, unseen


@dataclass(frozen=True)
class Opened:
    """A model that is ready to run: networks on their device, the tokenizer of its prompts, and its card."""

    model: LatentDiffusion
    tokenizer: PromptTokenizer
    card: ModelCard


@dataclass(frozen=True)
class _Parts:
    """Everything of a checkpoint before a tensor is read: networks without memory, and the pieces that belong into them."""

    frame: LatentDiffusion
    pieces: Mapping[str, Piece]
    tokenizer: PromptTokenizer
    card: ModelCard
    files: tuple[Path, ...]


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
    parts = _parts(weights, config, text_tower, tokenizer)
    return Opened(filled(parts.frame, parts.pieces, device, dtype), parts.tokenizer, parts.card)


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
    if precision not in own_form.PRECISIONS:
        raise InputError(f"There is no precision {precision!r}; give one of {', '.join(own_form.PRECISIONS)}.")
    parts = _parts(weights, config, text_tower, tokenizer)
    refuse_clashes([target], list(parts.files))
    card = replace(
        parts.card,
        source=source or parts.card.source,
        licence=licence or parts.card.licence,
        made_from=(*(file for file in parts.card.made_from if file.sha256), *_with_checksums(parts.files, progress)),
        made_by=f"reelscore {__version__}",
    )
    own_form.write_own_form(
        target, parts.pieces, parts.frame.config, parts.tokenizer.to_json(), card, precision, progress
    )
    return target


def frame(config: LatentDiffusionConfig) -> LatentDiffusion:
    """The networks without memory for their weights. Raises InputError where the sizes do not go together."""
    try:
        with torch.device("meta"):
            return LatentDiffusion(config)
    except (ValueError, RuntimeError, OverflowError, ZeroDivisionError) as problem:
        raise InputError(
            f"The configuration does not hold together ({problem}); give that of the weights."
        ) from problem


def shapes_in(model: LatentDiffusion) -> dict[str, tuple[int, ...]]:
    """The shapes of all weights of a model, by our names."""
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def fitting(stored: Stored, model: LatentDiffusion) -> tuple[dict[str, Piece], tuple[str, ...]]:
    """The pieces of SONIQUE's published weights by our names, strictly those of the model, and notes on the file.

    The text tower, which lies in a file of its own, is not among them.
    """
    layout = layout_of_sonique(stored.shapes, stored.path)
    given: dict[str, Piece] = {}
    for published, piece in pieces_of(stored, layout.sources).items():
        # An unknown name stands for itself and is refused with the misfits.
        given[our_name(published, model.config) or published] = piece
    expected = {name: shape for name, shape in shapes_in(model).items() if not is_of_tower(name)}
    refuse_misfits(stored.path, given, expected, partial(published_name, config=model.config))
    return given, layout.notes


def filled(
    model: LatentDiffusion,
    pieces: Mapping[str, Piece],
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> LatentDiffusion:
    """The model with those pieces as its weights, ready to run; each piece is read, converted and moved by itself."""
    state = {name: _settled(piece.read().to(device=device, dtype=dtype)) for name, piece in pieces.items()}
    model.load_state_dict(state, strict=True, assign=True)
    _fill_tables(model, torch.device(device))
    return model.requires_grad_(False).eval()


def _parts(
    weights: Path, config: Path | LatentDiffusionConfig | None, text_tower: Path | None, tokenizer: str | Path | None
) -> _Parts:
    stored = read_weights(weights)
    if own_form.is_own_form(stored):
        if config is not None or text_tower is not None or tokenizer is not None:
            raise InputError(
                f"{weights} is a converted checkpoint and holds its configuration, text tower and tokenizer; "
                "leave these options out."
            )
        return _own_parts(stored)
    return _published_parts(stored, config, text_tower, tokenizer)


def _own_parts(stored: Stored) -> _Parts:
    config = own_form.read_config(stored)
    try:
        model = frame(config)
    except InputError as problem:
        raise InputError(f"{stored.path} is damaged: {problem}") from problem
    pieces = {name: Piece(name, shape, partial(stored.read, name)) for name, shape in stored.shapes.items()}
    refuse_misfits(stored.path, pieces, shapes_in(model), str)
    tokenizer = tokenizer_from_json(own_form.read_tokenizer_json(stored), stored.path, model.config.conditioning.text)
    return _Parts(model, pieces, tokenizer, own_form.read_card(stored), stored.files)


def _published_parts(
    stored: Stored, config: Path | LatentDiffusionConfig | None, text_tower: Path | None, tokenizer: str | Path | None
) -> _Parts:
    if text_tower is None:
        raise MissingError(
            f"{stored.path} holds no text tower; give CLAP's checkpoint besides (--text-tower ckpts/clap/clap.ckpt)."
        )
    if tokenizer is None:
        raise MissingError(f"{stored.path} holds no tokenizer; give that of roberta-base (--tokenizer roberta-base).")
    model = frame(config if isinstance(config, LatentDiffusionConfig) else read_configuration(config))
    pieces, notes = fitting(stored, model)
    tower = read_weights(text_tower)
    of_tower, tower_notes = _tower_pieces(tower, model)
    words = open_tokenizer(hub.locate(str(tokenizer)), model.config.conditioning.text)
    known = catalogue.find("sonique")
    files = (*stored.files, *tower.files)
    card = ModelCard(
        source=f"{known.name} ({known.address})",
        licence=known.licence,
        notes=notes + tower_notes,
        made_from=tuple(SourceFile(file.name, file.stat().st_size) for file in files),
    )
    return _Parts(model, pieces | of_tower, words, card, files)


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
    document = read_json(path)
    if not isinstance(document, dict):
        raise InputError(f"{path} holds no configuration; give the best_model.json that belongs to the weights.")
    try:
        return config_from_dict(document) if "unet" in document else config_from_published(document)
    except ValueError as problem:
        raise InputError(f"{path} is no configuration that is known here: {problem}") from problem


def _settled(tensor: Tensor) -> Tensor:
    """The tensor where arithmetic on it is fast and always rounds alike: as it is mapped from the file, if it lies well."""
    if tensor.device.type != "cpu" or tensor.data_ptr() % own_form.ALIGNED == 0:
        return tensor
    return tensor.clone()


def _fill_tables(model: nn.Module, device: torch.device) -> None:
    """Makes the constant tables that no checkpoint stores: the text tower's positions 0, 1, 2, … and its zeros."""
    for module in model.modules():
        for name, table in module.named_buffers(recurse=False):
            if not table.is_meta:
                continue
            if name not in ("position_ids", "token_type_ids"):
                raise AssertionError(f"nothing is known to fill {name} of {type(module).__name__} with")
            values = torch.arange(table.shape[-1], device=device) * int(name == "position_ids")
            module.register_buffer(name, values.expand(table.shape), persistent=False)


def _with_checksums(files: tuple[Path, ...], progress: Progress) -> list[SourceFile]:
    made_from = []
    for place, file in enumerate(files):
        progress("checksums", place / len(files))
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        made_from.append(SourceFile(file.name, file.stat().st_size, digest))
    progress("checksums", 1.0)
    return made_from
