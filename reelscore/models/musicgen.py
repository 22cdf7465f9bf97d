"""MusicGen whole: what reads the words, what decodes music from them, and the codec that makes the music heard.

After Copet et al., Simple and Controllable Music Generation (arXiv 2306.05284). The words are read by T5's encoder (Raffel et
al., arXiv 1910.10683), one prompt at a time, so that there is no padding. Stereo models have codebooks for left and right in
turns, which come pairwise late. Melody models look at no words beside the music: a melody's chroma and then the words stand
before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from reelscore.models.chroma import MelodyConfig
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
    melody: MelodyConfig | None = None
    """None where the model follows words alone."""

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
        dim = config.decoder.dim
        self.project = _between(config.text.width, dim)
        if config.melody is not None:
            self.project_melody = _between(config.melody.bins, dim)
        self.decoder = TokenDecoder(config.decoder, "before" if config.melody else "beside")
        self.codec = Codec(config.codec, encodes=False)

    def condition(self, ids: Tensor, chroma: Tensor | None = None) -> Tensor:
        """What the decoder gets to know of a prompt and, of a melody model, of a melody: (n, dim).

        The ids (m,) are those of the words, their end included; chroma (frames, bins) may have any length, and without one
        the model goes by the words. Raises ValueError for chroma that this model does not know.
        """
        words = self.read_text(ids)
        if self.config.melody is None:
            if chroma is not None:
                raise ValueError("this model follows no melody")
            return words
        return torch.cat([self._read_melody(chroma), words])

    def read_text(self, ids: Tensor) -> Tensor:
        """The words alone: their tokens' ids (n,), end included, become (n, dim)."""
        hidden = self.text(input_ids=ids[None]).last_hidden_state[0]
        return cast(Tensor, self.project(hidden))

    def null(self) -> Tensor:
        """What the decoder gets where it is told nothing, (n, dim).

        Beside the music that is one token of zeros, whose keys and values are zeros too. Before it, it is what stands for no
        melody; in the place of the words the decoder fills up with zeros.
        """
        if self.config.melody is None:
            return self.decoder.norm.weight.new_zeros(1, self.config.decoder.dim)
        return self._read_melody(None)

    def _read_melody(self, chroma: Tensor | None) -> Tensor:
        """(frames, bins), repeated or cut to the model's length, (length, dim); without a melody, C all along."""
        melody = self.config.melody
        assert melody is not None
        weight = self.decoder.norm.weight
        if chroma is None:
            chroma = functional.one_hot(torch.zeros(1, dtype=torch.long), melody.bins)
        if chroma.ndim != 2 or not len(chroma) or chroma.shape[1] != melody.bins:
            raise ValueError(f"chroma is (frames, {melody.bins}), not {tuple(chroma.shape)}")
        told = chroma[torch.arange(melody.length) % len(chroma)]
        return cast(Tensor, self.project_melody(told.to(weight.device, torch.float32)))


def delays_of(codebooks: int, channels: int) -> tuple[int, ...]:
    """The delay pattern of MusicGen: each codebook a step after the one before, left and right together."""
    return tuple(place // channels for place in range(codebooks))


def _between(width: int, dim: int) -> nn.Module:
    """What leads to the decoder's width; where both are equally wide, MusicGen has nothing in between."""
    return nn.Identity() if width == dim else nn.Linear(width, dim)


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
