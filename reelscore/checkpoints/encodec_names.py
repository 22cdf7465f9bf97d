"""EnCodec as transformers saves it: its configuration, and where each of its tensors belongs in our codec.

There the layers of a side are numbered through, those without weights too: with one residual unit in a stage,

    encoder.layers     0 convolution, then for every stage: unit, —, convolution; at the end LSTM, —, convolution
    decoder.layers     0 convolution, 1 LSTM, then for every stage: —, transposed convolution, unit; at the end —, convolution

Weight norm is folded away, and the weights of transposed convolutions lie here with the step first and the input last.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from math import ceil, log2
from typing import Any

from torch import Tensor

from reelscore.checkpoints.filling import frame, shapes_in
from reelscore.checkpoints.pieces import Piece, pieces_of, refuse_misfits
from reelscore.checkpoints.reading import Stored
from reelscore.models.codec import Codec, CodecConfig
from reelscore.models.configurations import from_dict, integer, integers, shown

# Ours and theirs, with what theirs is where it is not written: transformers leaves defaults out.
_SIZES = {
    "sample_rate": ("sampling_rate", 24000),
    "channels": ("audio_channels", 1),
    "cardinality": ("codebook_size", 1024),
    "width": ("hidden_size", 128),
    "filters": ("num_filters", 32),
    "kernel": ("kernel_size", 7),
    "last_kernel": ("last_kernel_size", 7),
    "residual_kernel": ("residual_kernel_size", 3),
    "residual_layers": ("num_residual_layers", 1),
    "dilation_growth": ("dilation_growth_rate", 2),
    "compress": ("compress", 2),
    "lstm_layers": ("num_lstm_layers", 2),
}
# What our codec can do, and what is meant where it is not written.
_ONLY = {
    "model_type": ("encodec", "encodec"),
    "norm_type": ("weight_norm", "weight_norm"),
    "pad_mode": ("reflect", "reflect"),
    "normalize": (False, False),
    "chunk_length_s": (None, None),
    "use_causal_conv": (False, True),
    "use_conv_shortcut": (False, True),
}
BOOKKEEPING = ("inited", "cluster_size", "embed_avg")
"""What the names end with of what training kept account in."""


def codec_config_from_published(document: Mapping[str, Any]) -> CodecConfig:
    """The configuration of a config.json of EnCodec. Raises ValueError, naming the field, for what is not known."""
    for name, (wanted, meant) in _ONLY.items():
        if document.get(name, meant) != wanted:
            raise ValueError(f"{name} is {shown(document.get(name, meant))}; only {shown(wanted)} is known.")
    sizes: dict[str, Any] = {ours: integer(document.get(name, meant), ours) for ours, (name, meant) in _SIZES.items()}
    if document.get("codebook_dim") not in (None, sizes["width"]):
        raise ValueError(f"codebook_dim is {shown(document['codebook_dim'])} and hidden_size {sizes['width']}.")
    rates = integers(document.get("upsampling_ratios", (8, 5, 4, 2)), "upsampling_ratios")
    # Built once with any number of codebooks, to know how often codes come.
    rate = from_dict(CodecConfig, sizes | {"rates": rates, "codebooks": sizes["channels"]}).frame_rate
    return from_dict(
        CodecConfig, sizes | {"rates": rates, "codebooks": _codebooks(document, rate, sizes["cardinality"])}
    )


def _codebooks(document: Mapping[str, Any], rate: int, cardinality: int) -> int:
    """As many as the greatest bandwidth, in kilobits a second, pays for."""
    bandwidths = document.get("target_bandwidths", (24.0,))
    last = bandwidths[-1] if isinstance(bandwidths, list | tuple) and bandwidths else None
    if not isinstance(last, int | float) or isinstance(last, bool) or not 0 < last < 1e6:
        raise ValueError(f"target_bandwidths is {shown(bandwidths)}; it must be a list of numbers.")
    return int(1000 * last // (rate * max(ceil(log2(cardinality)), 1)))


def codec_pieces(stored: Stored, config: CodecConfig, part: str = "") -> dict[str, Piece]:
    """The pieces of EnCodec in a file by the names of `Codec`: of the names that begin with `part`.

    Raises InputError where they are not exactly those of the configuration.
    """
    mine = [name for name in stored.shapes if name.startswith(part) and not name.endswith(BOOKKEEPING)]
    published_names = {name: part + published for name, published in _names(config)}
    names = {published: name for name, published in published_names.items()}
    given = {}
    for published, piece in pieces_of(stored, {name: name for name in mine}).items():
        # An unknown name stands for itself and is refused with the misfits.
        name = names.get(published, published)
        given[name] = _turned(piece) if name.endswith(".up.weight") else piece
    refuse_misfits(stored.path, given, shapes_in(frame(Codec, config)), published_names.__getitem__)
    return given


def _turned(piece: Piece) -> Piece:
    """(inside, outside, step) → (step, outside, inside)."""
    if len(piece.shape) != 3:
        return piece

    def read() -> Tensor:
        return piece.read().permute(2, 1, 0).contiguous()

    inside, outside, step = piece.shape
    return Piece(piece.called, (step, outside, inside), read)


def _names(config: CodecConfig) -> Iterator[tuple[str, str]]:
    """Every name in `Codec` and in a file, weight norm folded."""
    for mine, theirs in (*_encoder(config), *_decoder(config)):
        leaves = _lstm_leaves(config) if mine.endswith(".lstm") else ("weight", "bias")
        yield from ((f"{mine}.{leaf}", f"{theirs}.{leaf}") for leaf in leaves)
    for place in range(config.codebooks // config.channels):
        yield f"codebooks_of_channel.{place}.weight", f"quantizer.layers.{place}.codebook.embed"


def _lstm_leaves(config: CodecConfig) -> Iterator[str]:
    for layer in range(config.lstm_layers):
        yield from (f"{kind}_{of}_l{layer}" for kind in ("weight", "bias") for of in ("ih", "hh"))


def _encoder(config: CodecConfig) -> Iterator[tuple[str, str]]:
    side, step = partial("encoder.layers.{}{}".format), config.residual_layers + 2
    yield "encoder.enter", side(0, ".conv")
    for stage in range(len(config.rates)):
        for unit in range(config.residual_layers):
            yield from _unit(f"encoder.stages.{stage}.units.{unit}", side(1 + step * stage + unit, ".block"))
        yield f"encoder.stages.{stage}.down", side(step * (stage + 1), ".conv")
    end = step * len(config.rates) + 1
    yield "encoder.recurrence.lstm", side(end, ".lstm")
    yield "encoder.leave", side(end + 2, ".conv")


def _decoder(config: CodecConfig) -> Iterator[tuple[str, str]]:
    side, step = partial("decoder.layers.{}{}".format), config.residual_layers + 2
    yield "decoder.enter", side(0, ".conv")
    yield "decoder.recurrence.lstm", side(1, ".lstm")
    for stage in range(len(config.rates)):
        yield f"decoder.stages.{stage}.up", side(3 + step * stage, ".conv")
        for unit in range(config.residual_layers):
            yield from _unit(f"decoder.stages.{stage}.units.{unit}", side(4 + step * stage + unit, ".block"))
    yield "decoder.leave", side(3 + step * len(config.rates), ".conv")


def _unit(mine: str, theirs: str) -> Iterator[tuple[str, str]]:
    yield f"{mine}.spread", f"{theirs}.1.conv"
    yield f"{mine}.mix", f"{theirs}.3.conv"
