"""The published names of the U-Net and of the two number embedders, and what they are called here."""

from reelscore.checkpoints.naming import patterns, translated

_BLOCK = {
    "block1.groupnorm": "norm_in",
    "block1.project": "conv_in",
    "to_scale_shift.to_scale_shift.1": "modulation",
    "block2.groupnorm": "norm_out",
    "block2.project": "conv_out",
    "to_out": "bypass",
}
_ATTENTION = {
    "norm": "norm",
    "norm_context": "norm_context",
    "to_q": "queries",
    "to_kv": "keys_values",
    "attention.to_out": "out",
}
_LAYER = {
    **{f"attention.{theirs}": f"self_attention.{ours}" for theirs, ours in _ATTENTION.items()},
    **{f"cross_attention.{theirs}": f"cross_attention.{ours}" for theirs, ours in _ATTENTION.items()},
    "feed_forward.0": "widen",
    "feed_forward.2": "narrow",
}
_TRANSFORMER = {"to_in.0": "norm", "to_in.1": "enter", "to_out.1": "leave"}
_ALONE = {
    "model.model.fixed_embedding.embedding.weight": "unet.null_context",
    "model.model.to_time.0.0.weights": "unet.time.frequencies",
    "conditioner.conditioners.prompt.proj_out.weight": "conditioner.project.weight",
    "conditioner.conditioners.prompt.proj_out.bias": "conditioner.project.bias",
    "conditioner.conditioners.seconds_start.int_embedder.weight": "conditioner.seconds_start.weight",
    "conditioner.conditioners.seconds_total.int_embedder.weight": "conditioner.seconds_total.weight",
}
_TIME = {"to_time.0.1": "time.enter", "to_mapping.0": "time.mix_in", "to_mapping.2": "time.mix_out"}

# Where a part stands, in theirs and in ours; {} is a number that both share.
_PLACES = (
    ("to_in.block", "entrance", _BLOCK),
    ("to_out.block", "exit", _BLOCK),
    ("bottleneck.pre_block", "middle.block_in", _BLOCK),
    ("bottleneck.post_block", "middle.block_out", _BLOCK),
    ("downsamples.{}.blocks.{}", "down.{}.blocks.{}", _BLOCK),
    ("upsamples.{}.blocks.{}", "up.{}.blocks.{}", _BLOCK),
    ("bottleneck.transformer.blocks.{}", "middle.transformer.layers.{}", _LAYER),
    ("downsamples.{}.transformer.blocks.{}", "down.{}.transformer.layers.{}", _LAYER),
    ("upsamples.{}.transformer.blocks.{}", "up.{}.transformer.layers.{}", _LAYER),
    ("bottleneck.transformer", "middle.transformer", _TRANSFORMER),
    ("downsamples.{}.transformer", "down.{}.transformer", _TRANSFORMER),
    ("upsamples.{}.transformer", "up.{}.transformer", _TRANSFORMER),
    ("downsamples.{}", "down.{}", {"downsample": "shrink"}),
    ("upsamples.{}", "up.{}", {"upsample": "stretch"}),
)


def _pairs() -> list[tuple[str, str]]:
    """Every name in theirs and in ours, with {} for numbers."""
    parts = [(f"model.model.{theirs}", f"unet.{ours}") for theirs, ours in _TIME.items()]
    parts += [
        (f"model.model.{place}.{theirs}", f"unet.{room}.{ours}")
        for place, room, names in _PLACES
        for theirs, ours in names.items()
    ]
    both = [(f"{theirs}.{leaf}", f"{ours}.{leaf}") for theirs, ours in parts for leaf in ("weight", "bias")]
    return [*_ALONE.items(), *both]


_OURS = patterns(_pairs())
_THEIRS = patterns((ours, theirs) for theirs, ours in _pairs())


def name_in_unet(published: str) -> str | None:
    """The name in `LatentDiffusion` of a published key of the U-Net or of a number embedder; None if it is neither's.

    Only the name changes: the tensor keeps its shape.
    """
    return translated(published, _OURS)


def published_name_of_unet(ours: str) -> str | None:
    """The published key of a name in `LatentDiffusion`; None if it is neither the U-Net's nor a number embedder's."""
    return translated(ours, _THEIRS)
