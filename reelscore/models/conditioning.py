"""What the network is told: the words of the prompt and two numbers of seconds, as one row of tokens.

The words are read by the text tower of CLAP (RoBERTa; Wu et al., "Large-scale contrastive language-audio pretraining",
2023), from one of its inner layers, with nothing added.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class TextTowerConfig:
    """The sizes of the text tower; as it stands, RoBERTa base as CLAP uses it."""

    vocab_size: int = 50265
    width: int = 768
    layers: int = 12
    heads: int = 12
    inner_width: int = 3072
    most_positions: int = 514
    padding_id: int = 1
    prompt_tokens: int = 77
    """Every prompt is cut or padded to so many tokens."""
    layer: int = -2
    """Which hidden state is read: 0 is the embeddings, -1 the last layer."""

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"a text tower of width {self.width} cannot be split into {self.heads} heads")
        if not -self.layers - 1 <= self.layer <= self.layers:
            raise ValueError(f"a text tower of {self.layers} layers has no hidden state {self.layer}")
        if self.prompt_tokens + self.padding_id + 1 > self.most_positions:
            raise ValueError(f"{self.prompt_tokens} tokens do not fit into {self.most_positions} positions")


@dataclass(frozen=True)
class ConditioningConfig:
    """The sizes of the conditioner; as it stands, those of the published weights."""

    features: int = 768
    """Width of the tokens that the network gets."""
    most_seconds: int = 512
    """Greater numbers of seconds count as this one."""
    text: TextTowerConfig = field(default_factory=TextTowerConfig)


class Context(NamedTuple):
    """What the network is told: tokens (b, places, features), and mask (b, places), 1 where a token counts and else 0."""

    tokens: Tensor
    mask: Tensor


class TextTower(nn.Module):
    """RoBERTa without its pooler, read at one layer."""

    def __init__(self, config: TextTowerConfig) -> None:
        from transformers import RobertaConfig, RobertaModel

        super().__init__()
        self.layer = config.layer
        sizes = RobertaConfig(
            vocab_size=config.vocab_size,
            hidden_size=config.width,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            intermediate_size=config.inner_width,
            max_position_embeddings=config.most_positions,
            pad_token_id=config.padding_id,
            type_vocab_size=1,
            layer_norm_eps=1e-5,
        )
        self.roberta = RobertaModel(sizes, add_pooling_layer=False)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Token ids and mask (b, n), int64 → (b, n, width)."""
        read = self.roberta(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        hidden: Tensor = read.hidden_states[self.layer]
        return hidden


class Conditioner(nn.Module):
    """Makes the context from a prompt's tokens and two whole numbers of seconds."""

    def __init__(self, config: ConditioningConfig) -> None:
        super().__init__()
        self.config = config
        width = config.text.width
        self.text = TextTower(config.text)
        self.project = nn.Identity() if width == config.features else nn.Linear(width, config.features)
        self.seconds_start = nn.Embedding(config.most_seconds + 1, config.features)
        self.seconds_total = nn.Embedding(config.most_seconds + 1, config.features)

    def read_text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The features (b, n, text.width) of prompts as token ids (b, n) with their mask (b, n), both int64."""
        features: Tensor = self.text(ids, mask)
        return features

    def context(self, features: Tensor, mask: Tensor, seconds_start: int, seconds_total: int) -> Context:
        """The context of features (b, n, text.width) and their mask (b, n), for music that is the part of a piece of
        `seconds_total` that begins at `seconds_start`; both are clamped to what the network knows.

        The tokens are the text's, then the start, then the total: n + 2 of them.
        """
        start = self._second(self.seconds_start, seconds_start, len(features))
        total = self._second(self.seconds_total, seconds_total, len(features))
        tokens = torch.cat([self.project(features), start, total], dim=1)
        return Context(tokens, torch.cat([mask.to(tokens.dtype), mask.new_ones(len(mask), 2).to(tokens.dtype)], dim=1))

    def _second(self, known: nn.Embedding, seconds: int, batch: int) -> Tensor:
        row = min(max(int(seconds), 0), self.config.most_seconds)
        return known.weight[row].expand(batch, 1, -1)
