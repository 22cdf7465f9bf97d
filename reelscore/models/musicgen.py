"""MusicGen whole: what reads the words, what decodes music from them, and the codec that makes the music heard.

After Copet et al., Simple and Controllable Music Generation (arXiv 2306.05284). The words are read by T5's encoder (Raffel et
al., arXiv 1910.10683), one prompt at a time, so that there is no padding. Stereo models have codebooks for left and right in
turns, which come pairwise late.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, cast

from torch import Tensor, nn

from reelscore.models.codec import Codec, CodecConfig
from reelscore.models.token_decoder import TokenDecoder, TokenDecoderConfig


@dataclass(frozen=True)
class TextEncoderConfig:
    """The sizes of T5's encoder; as it stands, T5 base."""

    vocab_size: int = 32128
    width: int = 768
    layers: int = 12
    heads: int = 12
    head_width: int = 64
    inner_width: int = 3072
    distances: int = 32
    """Kinds of distances between words that are told apart."""
    most_distance: int = 128
    """Words farther apart than this count as this far."""
    feed_forward: Literal["relu", "gated-gelu"] = "relu"

    def __post_init__(self) -> None:
        if self.distances < 4 or self.most_distance <= self.distances // 4:
            raise ValueError(
                f"{self.distances} kinds of distances up to {self.most_distance} cannot be told apart; "
                "there must be at least 4, and most_distance must be above a quarter of them."
            )


@dataclass(frozen=True)
class MusicGenConfig:
    """Everything that the networks are built from; the defaults are those of musicgen-small."""

    text: TextEncoderConfig = field(default_factory=TextEncoderConfig)
    decoder: TokenDecoderConfig = field(
        default_factory=lambda: TokenDecoderConfig(dim=1024, heads=16, layers=24, inner=4096)
    )
    codec: CodecConfig = field(default_factory=CodecConfig)

    def __post_init__(self) -> None:
        pairs = (
            ("decoder.codebooks", self.decoder.codebooks, "codec.codebooks", self.codec.codebooks),
            ("decoder.cardinality", self.decoder.cardinality, "codec.cardinality", self.codec.cardinality),
        )
        for name, value, other, its_value in pairs:
            if value != its_value:
                raise ValueError(f"{name} is {value} and {other} {its_value}; they must agree.")


class MusicGen(nn.Module):
    """The networks of one checkpoint together; what is done with them stands elsewhere."""

    def __init__(self, config: MusicGenConfig) -> None:
        super().__init__()
        self.config = config
        self.text = _text_encoder(config.text)
        # Where both sides are equally wide, MusicGen has nothing in between.
        alike = config.text.width == config.decoder.dim
        self.project = nn.Identity() if alike else nn.Linear(config.text.width, config.decoder.dim)
        self.decoder = TokenDecoder(config.decoder)
        self.codec = Codec(config.codec)

    def read_text(self, ids: Tensor) -> Tensor:
        """What the decoder gets to know of a prompt: its tokens' ids (n,), end included, become (n, dim)."""
        hidden = self.text(input_ids=ids[None]).last_hidden_state[0]
        return cast(Tensor, self.project(hidden))

    def null(self) -> Tensor:
        """What the decoder gets where it is told nothing, (1, dim): zeros, whose keys and values are zeros too."""
        return self.decoder.norm.weight.new_zeros(1, self.config.decoder.dim)


def delays_of(codebooks: int, channels: int) -> tuple[int, ...]:
    """The delay pattern of MusicGen: each codebook a step after the one before, left and right together."""
    return tuple(place // channels for place in range(codebooks))


def _text_encoder(config: TextEncoderConfig) -> nn.Module:
    from transformers import T5Config
    from transformers.models.t5.modeling_t5 import T5Stack

    sizes: Any = T5Config(
        vocab_size=config.vocab_size,
        d_model=config.width,
        d_kv=config.head_width,
        d_ff=config.inner_width,
        num_layers=config.layers,
        num_heads=config.heads,
        relative_attention_num_buckets=config.distances,
        relative_attention_max_distance=config.most_distance,
        feed_forward_proj=config.feed_forward,
        is_encoder_decoder=False,
        use_cache=False,
        dropout_rate=0.0,
    )
    return cast(nn.Module, T5Stack(sizes))
