"""MusicGen as transformers saves it: its configuration and the names of its tensors.

That is MusicgenForConditionalGeneration and, for models that follow a melody, MusicgenMelodyForConditionalGeneration. There
queries, keys and values are tensors of their own, which lie in one here, in this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reelscore.checkpoints.encodec_names import codec_config_from_published
from reelscore.checkpoints.naming import patterns, translated
from reelscore.models.chroma import MelodyConfig
from reelscore.models.configurations import from_dict, integer, shown
from reelscore.models.musicgen import MusicGenConfig, TextEncoderConfig, delays_of
from reelscore.models.token_decoder import TokenDecoderConfig

CODEC = "audio_encoder."
"""What the names of the codec begin with."""

# Ours and theirs, with what theirs is where it is not written: transformers leaves defaults out.
_TEXT_SIZES = {
    "vocab_size": ("vocab_size", 32128),
    "width": ("d_model", 512),
    "layers": ("num_layers", 6),
    "heads": ("num_heads", 8),
    "head_width": ("d_kv", 64),
    "inner_width": ("d_ff", 2048),
    "distances": ("relative_attention_num_buckets", 32),
    "most_distance": ("relative_attention_max_distance", 128),
}
_DECODER_SIZES = {
    "dim": ("hidden_size", 1024),
    "heads": ("num_attention_heads", 16),
    "layers": ("num_hidden_layers", 24),
    "inner": ("ffn_dim", 4096),
    "codebooks": ("num_codebooks", 4),
    "cardinality": ("vocab_size", 2048),
}
# What our networks can do, and what is meant where it is not written.
_TEXT_ONLY = {"model_type": ("t5", "t5"), "layer_norm_epsilon": (1e-6, 1e-6)}
_DECODER_ONLY = {
    "activation_function": ("gelu", "gelu"),
    "scale_embedding": (False, False),
    "cross_attention_hidden_size": (None, None),
}
_MELODY_SIZES = {"bins": ("num_chroma", 12), "length": ("chroma_length", 235)}
_DECODER_LAYER = {
    "self_attn.out_proj": "self_attention.out",
    "encoder_attn.out_proj": "cross_attention.out",
    "self_attn_layer_norm": "norm_self",
    "encoder_attn_layer_norm": "norm_cross",
    "final_layer_norm": "norm_feed",
    "fc1": "widen",
    "fc2": "narrow",
}
_SIDE = "decoder.model.decoder"
_WEIGHTS = {
    "decoder.tokens.{}": f"{_SIDE}.embed_tokens.{{}}",
    "decoder.norm": f"{_SIDE}.layer_norm",
    "decoder.scores.{}": "decoder.lm_heads.{}",
    "project": "enc_to_dec_proj",
    "project_melody": "audio_enc_to_dec_proj",
    **{f"decoder.layers.{{}}.{ours}": f"{_SIDE}.layers.{{}}.{theirs}" for theirs, ours in _DECODER_LAYER.items()},
}
_PUBLISHED = patterns(
    (f"{ours}.{leaf}", f"{theirs}.{leaf}") for ours, theirs in _WEIGHTS.items() for leaf in ("weight", "bias")
)
_ATTENTIONS = patterns(
    (f"decoder.layers.{{}}.{ours}.qkv.weight", f"{_SIDE}.layers.{{}}.{theirs}")
    for ours, theirs in (("self_attention", "self_attn"), ("cross_attention", "encoder_attn"))
)
_EMBEDDING = "text_encoder.shared.weight"
_TABLES = ("text_encoder.encoder.embed_tokens.weight", f"{_SIDE}.embed_positions.weights")
"""What some versions of transformers save besides: the same embedding again, and a constant table."""


def config_from_published(document: Mapping[str, Any]) -> MusicGenConfig:
    """The configuration of a config.json of MusicGen. Raises ValueError, naming the field, for what is not known."""
    kind = document.get("model_type")
    if kind not in ("musicgen", "musicgen_melody"):
        raise ValueError(f"model_type is {shown(kind)}; only 'musicgen' and 'musicgen_melody' are known.")
    parts = {name: _inside(document, name) for name in ("text_encoder", "decoder", "audio_encoder")}
    decoder, channels = _decoder(parts["decoder"])
    try:
        codec = codec_config_from_published(parts["audio_encoder"])
    except ValueError as problem:
        raise ValueError(f"audio_encoder: {problem}") from problem
    if codec.channels != 1:
        raise ValueError(f"audio_encoder.audio_channels is {codec.channels}; only 1 is known.")
    codec = replace(codec, channels=channels, codebooks=codec.codebooks * channels)
    melody = _melody(document) if kind == "musicgen_melody" else None
    return MusicGenConfig(_text(parts["text_encoder"]), decoder, codec, melody)


def _melody(document: Mapping[str, Any]) -> MelodyConfig:
    return MelodyConfig(**_sizes(document, _MELODY_SIZES, "melody."))


def _inside(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = document.get(name)
    if not isinstance(part, Mapping):
        raise ValueError(f"{name} is {shown(part)}; it must be an object.")
    return part


def _text(part: Mapping[str, Any]) -> TextEncoderConfig:
    _refuse_others(part, _TEXT_ONLY, "text_encoder")
    sizes = _sizes(part, _TEXT_SIZES, "text_encoder.")
    return from_dict(
        TextEncoderConfig, sizes | {"feed_forward": part.get("feed_forward_proj", "relu")}, "text_encoder."
    )


def _decoder(part: Mapping[str, Any]) -> tuple[TokenDecoderConfig, int]:
    """The decoder's configuration, and the channels that it makes."""
    _refuse_others(part, _DECODER_ONLY, "decoder")
    sizes = _sizes(part, _DECODER_SIZES, "decoder.")
    channels = integer(part.get("audio_channels", 1), "decoder.audio_channels")
    special = part.get("pad_token_id", 2048)
    if special != sizes["cardinality"]:
        raise ValueError(
            f"decoder.pad_token_id is {shown(special)}; only {sizes['cardinality']}, vocab_size, is known."
        )
    delays = delays_of(sizes["codebooks"], channels)
    return from_dict(TokenDecoderConfig, sizes | {"delays": delays}, "decoder."), channels


def _refuse_others(part: Mapping[str, Any], known: Mapping[str, tuple[Any, Any]], at: str) -> None:
    for name, (wanted, meant) in known.items():
        if part.get(name, meant) != wanted:
            raise ValueError(f"{at}.{name} is {shown(part.get(name, meant))}; only {shown(wanted)} is known.")


def _sizes(part: Mapping[str, Any], known: Mapping[str, tuple[str, int]], at: str) -> dict[str, Any]:
    return {ours: integer(part.get(name, meant), f"{at}{ours}") for ours, (name, meant) in known.items()}


def is_musicgen(names: Iterable[str]) -> bool:
    """Whether a file with those names is one of MusicGen in the form of transformers, whole or not."""
    return any(
        name.startswith(("enc_to_dec_proj.", "audio_enc_to_dec_proj.", f"{_SIDE}.", f"{CODEC}quantizer."))
        for name in names
    )


def is_looked_up(name: str) -> bool:
    """Whether that is the published name of a table of which few rows are ever looked at; all other weights are computed with."""
    return name in (_EMBEDDING, *_TABLES) or name.startswith(f"{_SIDE}.embed_tokens.")


def published_names(ours: str) -> tuple[str, ...]:
    """The published names of a tensor of `MusicGen`, the codec's excepted: three of queries, keys and values, else one."""
    if ours == "text.embed_tokens.weight":
        return (_EMBEDDING,)
    if ours.startswith("text."):
        return (f"text_encoder.encoder.{ours.removeprefix('text.')}",)
    if attention := translated(ours, _ATTENTIONS):
        return tuple(f"{attention}.{each}_proj.weight" for each in "qkv")
    return (translated(ours, _PUBLISHED) or ours,)


def sources_in(names: Mapping[str, Any]) -> dict[str, str]:
    """From published names to names in a file, without the codec's, and without what is there twice or constant."""
    sources = {name: name for name in names if not name.startswith(CODEC) and name not in _TABLES}
    if _EMBEDDING not in sources and _TABLES[0] in names:
        sources[_EMBEDDING] = _TABLES[0]
    return sources
