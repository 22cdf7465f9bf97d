"""VidMuse's model from its files: opened in our own form, or from the published files, or converted from these.

Published are a pickle (`state_dict.bin`) and, beside it, the name of the codec that it was trained with, EnCodec at 32 kHz,
whose folder is needed too. All sizes are read from names and shapes. Strict: a key that is unknown, missing or of another
shape is an InputError that names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import Any

import torch

from reelscore.checkpoints import hub, own_form
from reelscore.checkpoints.encodec_names import codec_config_from_published, codec_pieces
from reelscore.checkpoints.filling import filled, frame, shapes_in
from reelscore.checkpoints.own_form import ModelCard, Parts, Precision
from reelscore.checkpoints.pieces import Piece, in_words, pieces_of, refuse_misfits, renamed
from reelscore.checkpoints.reading import Stored, read_configuration, read_weights
from reelscore.checkpoints.vidmuse_names import layout_of_vidmuse, our_name, published_name
from reelscore.errors import InputError
from reelscore.models.codec import CodecConfig
from reelscore.models.configurations import from_dict, to_dict
from reelscore.models.vidmuse import VidMuse, VidMuseConfig
from reelscore.models.visual import VisualConfig
from reelscore.progress import Progress, unseen

FORMAT = "reelscore.vidmuse"
ENCODEC = "encodec-32khz"
"""The codec that VidMuse was trained with, by its name in the catalogue."""

_CODEC = "codec."
_HEAD_CHANNELS = 64
"""Of every attention that CLIP and the two streams have; nothing in a file tells it."""


@dataclass(frozen=True)
class Opened:
    """A model that is ready to run: networks on their device, and its card."""

    model: VidMuse
    card: ModelCard


def open_vidmuse(
    weights: Path,
    *,
    encodec: str | Path | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Opened:
    """The model in a converted file; or in the published file, which needs EnCodec besides.

    `encodec` is a folder or a name of the catalogue and defaults to the codec that VidMuse was trained with; a converted
    file holds its own. `dtype` is that of the decoder and the visual side; the codec is float32. Raises InputError and
    MissingError.
    """
    parts = _parts(weights, encodec)
    return Opened(filled(parts.frame, parts.pieces, device, dtype, parts.exact), parts.card)


def convert(
    weights: Path,
    target: Path,
    *,
    encodec: str | Path | None = None,
    precision: Precision = "float32",
    source: str | None = None,
    licence: str | None = None,
    progress: Progress = unseen,
) -> Path:
    """Writes the model of the published files as one file of our own form, whole or not at all; returns its path.

    A file of our own form may be converted too, to another precision. Memory holds one tensor at a time.
    """
    own_form.known_precision(precision)
    parts = _parts(weights, encodec)
    return own_form.convert_parts(parts, target, FORMAT, precision, progress, source=source, licence=licence)


def fitting(stored: Stored, model: VidMuse) -> tuple[dict[str, Piece], tuple[str, ...]]:
    """The pieces of VidMuse's published weights by our names, strictly those of the model, and notes on the file.

    The codec, which lies in files of its own, is not among them.
    """
    layout = layout_of_vidmuse(stored)
    given = renamed(pieces_of(stored, layout.sources), our_name)
    expected = {name: shape for name, shape in shapes_in(model).items() if not name.startswith(_CODEC)}
    refuse_misfits(stored.path, given, expected, published_name)
    return given, layout.notes


def configuration_of(stored: Stored, codec: CodecConfig) -> VidMuseConfig:
    """The configuration of a published file, from its names and shapes, with that of its codec.

    What shapes do not tell is as in the published code: 3 heads where the two streams meet, 64 channels to every other head,
    codebooks that come one step later each. Raises InputError where the sizes cannot be read or make no sense.
    """
    try:
        return from_dict(VidMuseConfig, sizes_in(stored) | {"codec": to_dict(codec)})
    except ValueError as problem:
        raise InputError(
            f"{stored.path} does not hold together: {problem} Give files that belong together."
        ) from problem


def sizes_in(stored: Stored) -> dict[str, Any]:
    """The sizes of the visual side and of the decoder of a published file, unchecked, as a configuration has them."""
    return {"visual": _visual_sizes(stored), "decoder": _decoder_sizes(stored)}


def _visual_sizes(stored: Stored) -> dict[str, Any]:
    tower = "visual_encoder_model.vision_model"
    width, _, patch, _ = _shape(stored, f"{tower}.embeddings.patch_embedding.weight", 4)
    places, _ = _shape(stored, f"{tower}.embeddings.position_embedding.weight", 2)
    inner, _ = _shape(stored, f"{tower}.encoder.layers.0.mlp.fc1.weight", 2)
    return to_dict(VisualConfig()) | {
        "dim": _shape(stored, "visual_feature_proj.weight", 2)[0],
        "width": width,
        "clip_layers": _count(stored, f"{tower}.encoder.layers."),
        "clip_heads": width // _HEAD_CHANNELS,
        "clip_inner": inner,
        "image_size": isqrt(max(places - 1, 0)) * patch,
        "patch_size": patch,
        "depth": _count(stored, "local_temporal_transformer.layers."),
        "heads": _heads(stored),
        "head_dim": _HEAD_CHANNELS,
        "inner": _shape(stored, "local_temporal_transformer.layers.0.1.fn.net.0.weight", 2)[0],
    }


def _decoder_sizes(stored: Stored) -> dict[str, Any]:
    codebooks = max(_count(stored, "emb."), _count(stored, "linears."))
    cardinality, dim = _shape(stored, "linears.0.weight", 2)
    return {
        "dim": dim,
        # The streams have as many heads as the decoder, whose own shapes do not tell them.
        "heads": _heads(stored),
        "layers": _count(stored, "transformer.layers."),
        "inner": _shape(stored, "transformer.layers.0.linear1.weight", 2)[0],
        "codebooks": codebooks,
        "cardinality": cardinality,
        "delays": list(range(min(codebooks, 1000))),
    }


def _heads(stored: Stored) -> int:
    rows, _ = _shape(stored, "local_temporal_transformer.layers.0.0.fn.to_qkv.weight", 2)
    return rows // (3 * _HEAD_CHANNELS)


def _shape(stored: Stored, name: str, axes: int) -> tuple[int, ...]:
    shape = stored.shapes.get(name)
    if shape is None:
        raise InputError(f"{stored.path} does not fit: {name} is missing; download it again.")
    if len(shape) != axes:
        raise InputError(
            f"{stored.path} does not fit: {name} is {in_words(shape)} and should have {axes} sizes; download it again."
        )
    return shape


def _count(stored: Stored, start: str) -> int:
    """How many numbered parts there are whose names begin so: one more than the greatest number."""
    numbers = [name.removeprefix(start).partition(".")[0] for name in stored.shapes if name.startswith(start)]
    return 1 + max((int(number) for number in numbers if number.isdecimal() and len(number) < 6), default=-1)


def _parts(weights: Path, encodec: str | Path | None) -> Parts[VidMuse]:
    stored = read_weights(weights)
    if not own_form.format_of(stored):
        return _published_parts(stored, encodec or ENCODEC)
    if encodec is not None:
        raise InputError(f"{weights} is a converted checkpoint and holds its codec; leave that option out.")
    return own_form.own_parts(stored, FORMAT, VidMuse, VidMuseConfig, (_CODEC,))


def _published_parts(stored: Stored, encodec: str | Path) -> Parts[VidMuse]:
    layout_of_vidmuse(stored)  # what cannot be run is said before the codec is asked for
    folder = hub.locate(str(encodec))
    of_codec = read_weights(folder)
    model = frame(VidMuse, configuration_of(stored, _codec_config(folder)))
    pieces, notes = fitting(stored, model)
    codec = codec_pieces(of_codec, model.config.codec)
    files = (*stored.files, *of_codec.files)
    card = own_form.card_of("vidmuse", notes, files)
    return Parts(model, pieces | _within(_CODEC, codec), card, files, (_CODEC,))


def _codec_config(folder: Path) -> CodecConfig:
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give the folder of EnCodec, which holds its config.json too.")
    return read_configuration(folder / "config.json", "EnCodec", codec_config_from_published)


def _within(part: str, pieces: Mapping[str, Piece]) -> dict[str, Piece]:
    return {part + name: piece for name, piece in pieces.items()}
