"""From the names in VidMuse's published files to ours: where each tensor belongs, and which ones nobody reads.

The published names are those of audiocraft's language model with VidMuse's visual side in it:

    emb.… transformer.… out_norm.… linears.…         the decoder of music
    visual_encoder_model.vision_model.…               CLIP's vision tower
    local_temporal_transformer.… global_temporal_transformer.… multi_head_cross_attention.… …    what reads it

Only names change: every tensor keeps its shape.
"""

import re
from collections.abc import Iterable, Iterator

from reelscore.checkpoints.naming import patterns, translated
from reelscore.checkpoints.pieces import Layout
from reelscore.checkpoints.reading import Stored
from reelscore.errors import InputError

_BOTH = ("weight", "bias")
_TOWER, _OUR_TOWER = "visual_encoder_model.vision_model", "visual.clip"
_OF_CLIP_LAYER = (
    *(f"self_attn.{name}" for name in ("q_proj", "k_proj", "v_proj", "out_proj")),
    *("layer_norm1", "layer_norm2", "mlp.fc1", "mlp.fc2"),
)
_STREAMS = {"local_temporal_transformer": "visual.local", "global_temporal_transformer": "visual.across"}
_OF_STREAM_LAYER = {
    "0.norm": "norm_attention",
    "0.fn.to_out.0": "out",
    "1.norm": "norm_feed",
    "1.fn.net.0": "widen",
    "1.fn.net.3": "narrow",
}
_OF_FUSION = {
    "query": "queries",
    "key": "keys",
    "value": "values",
    "final_linear": "mix",
    "norm1": "norm_found",
    "norm2": "norm_mixed",
}
_OF_DECODER_LAYER = {
    "self_attn.in_proj_weight": "self_attention.qkv.weight",
    "self_attn.out_proj.weight": "self_attention.out.weight",
    "cross_attention.in_proj_weight": "cross_attention.qkv.weight",
    "cross_attention.out_proj.weight": "cross_attention.out.weight",
    "linear1.weight": "widen.weight",
    "linear2.weight": "narrow.weight",
    **{
        f"{theirs}.{leaf}": f"{ours}.{leaf}"
        for theirs, ours in (("norm1", "norm_self"), ("norm_cross", "norm_cross"), ("norm2", "norm_feed"))
        for leaf in _BOTH
    },
}
# Of the published files and of no use here.
_LEFT_OUT = (
    (re.compile(r"condition_provider\.conditioners\.\w+\.output_proj\.(weight|bias)"), "projections of words"),
    (
        re.compile(r"visual_encoder_model\.(vision_model\.post_layernorm\.(weight|bias)|visual_projection\.weight)"),
        "tensors of CLIP behind the features that are used",
    ),
    (re.compile(r"visual_encoder_model\.vision_model\.embeddings\.position_ids"), "tables of positions"),
)
_ONLY_HERE = (
    "multi_head_cross_attention.",
    "local_temporal_transformer.",
    "visual_feature_proj.",
    "local_pos_embedding",
)
_GLOBAL = ("global_temporal_transformer.", "global_pos_embedding", "multi_head_cross_attention.")


def _pairs() -> Iterator[tuple[str, str]]:
    """Every name in theirs and in ours, with {} for numbers."""
    yield "local_pos_embedding", "visual.local_position"
    yield "global_pos_embedding", "visual.global_position"
    yield f"{_TOWER}.embeddings.class_embedding", f"{_OUR_TOWER}.embeddings.class_embedding"
    for name in ("patch_embedding", "position_embedding"):
        yield f"{_TOWER}.embeddings.{name}.weight", f"{_OUR_TOWER}.embeddings.{name}.weight"
    for theirs, ours in _STREAMS.items():
        yield f"{theirs}.layers.{{}}.0.fn.to_qkv.weight", f"{ours}.layers.{{}}.qkv.weight"
    for theirs, ours in _modules():
        for leaf in _BOTH:
            yield f"{theirs}.{leaf}", f"{ours}.{leaf}"
    yield "emb.{}.weight", "decoder.tokens.{}.weight"
    yield "linears.{}.weight", "decoder.scores.{}.weight"
    for theirs, ours in _OF_DECODER_LAYER.items():
        yield f"transformer.layers.{{}}.{theirs}", f"decoder.layers.{{}}.{ours}"


def _modules() -> Iterator[tuple[str, str]]:
    """Those of them that have a weight and a bias."""
    yield f"{_TOWER}.pre_layrnorm", f"{_OUR_TOWER}.pre_layrnorm"
    for name in _OF_CLIP_LAYER:
        yield f"{_TOWER}.encoder.layers.{{}}.{name}", f"{_OUR_TOWER}.encoder.layers.{{}}.{name}"
    for stream, our_stream in _STREAMS.items():
        yield f"{stream}.norm", f"{our_stream}.norm"
        for theirs, ours in _OF_STREAM_LAYER.items():
            yield f"{stream}.layers.{{}}.{theirs}", f"{our_stream}.layers.{{}}.{ours}"
    for theirs, ours in _OF_FUSION.items():
        yield f"multi_head_cross_attention.{theirs}", f"visual.fusion.{ours}"
    yield "visual_feature_proj", "visual.project"
    yield "out_norm", "decoder.norm"


_OURS = patterns(_pairs())
_THEIRS = patterns((ours, theirs) for theirs, ours in _pairs())


def is_vidmuse(names: Iterable[str]) -> bool:
    """Whether a file with those names is one of VidMuse's model, whole or not."""
    return any(name.startswith(_ONLY_HERE) for name in names)


def layout_of_vidmuse(stored: Stored) -> Layout:
    """What is read of a published file and, as notes, what is not.

    Raises InputError where it is of another model, or of one that cannot be run: without the stream that sees the whole film.
    """
    if not is_vidmuse(stored.shapes):
        raise InputError(
            f"{stored.path} holds no VidMuse; give the published state_dict.bin, or the file converted from it."
        )
    if not any(name.startswith(_GLOBAL) for name in stored.shapes):
        raise InputError(
            f"{stored.path} was trained without the stream that sees the whole film (if_add_gobal off), and such a model "
            "cannot be run; give the published state_dict.bin or another one with it."
        )
    kept, counted = {}, dict.fromkeys((what for _, what in _LEFT_OUT), 0)
    for name in stored.shapes:
        what = next((what for pattern, what in _LEFT_OUT if pattern.fullmatch(name)), None)
        if what is None:
            kept[name] = name
        else:
            counted[what] += 1
    kind = "training checkpoint" if "model" in stored.inside else "exported" if stored.inside else "bare"
    dropped = [f"{what} ({count})" for what, count in counted.items() if count]
    notes = [f"Left out, because nobody reads them: {', '.join(dropped)}."] if dropped else []
    if "model" in stored.inside:
        notes.append(f"The weights were taken from {'.'.join(stored.inside)} of a checkpoint of training.")
    if "xp.cfg" in stored.header:
        notes.append("The settings of its training (xp.cfg) were not read; all sizes are those of the tensors.")
    return Layout(kind, kept, tuple(notes))


def our_name(published: str) -> str | None:
    """The name in `VidMuse` of a published name, or None where there is no such thing."""
    return translated(published, _OURS)


def published_name(ours: str) -> str:
    """The published name of a tensor of `VidMuse` but the codec's, which lies in files of its own."""
    return translated(ours, _THEIRS) or ours
