"""Transformers inside the U-Net: attention within the music and from the music to its context.

Tensors are (batch, length, channels). Nothing here knows positions, so any length will do.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from reelscore.models.convolution import Pointwise, norm
from reelscore.models.products import linear

KeysValues = tuple[Tensor, Tensor]
"""Keys and values of one attention, each (batch, heads, places, channels of a head)."""

TRANSFORMER_GROUPS = 32


class Attention(nn.Module):
    """Multi-head attention with a norm of its own for what asks and for what is asked."""

    def __init__(self, channels: int, heads: int, context_features: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.norm_context = nn.LayerNorm(context_features)
        self.queries = nn.Linear(channels, channels, bias=False)
        self.keys_values = nn.Linear(context_features, 2 * channels, bias=False)
        self.out = nn.Linear(channels, channels)

    def read(self, context: Tensor, mask: Tensor | None = None) -> KeysValues:
        """Keys and values of context (b, places, features).

        The mask (b, places) multiplies both: a place with mask 0 keeps the score 0 and a share of the attention, and
        brings nothing. The released weights were trained so.
        """
        keys, values = linear(self.norm_context(context), self.keys_values.weight).chunk(2, dim=-1)
        if mask is not None:
            shown = mask.to(keys.dtype).unsqueeze(-1)
            keys, values = keys * shown, values * shown
        return self._split(keys), self._split(values)

    def forward(self, x: Tensor, read: KeysValues) -> Tensor:
        """What x (b, n, channels) finds in the keys and values that were read."""
        found = functional.scaled_dot_product_attention(self._split(linear(self.norm(x), self.queries.weight)), *read)
        return linear(found.transpose(1, 2).flatten(2), self.out.weight, self.out.bias)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class TransformerLayer(nn.Module):
    """Self-attention, cross-attention and two linear maps, each added to what it was given."""

    def __init__(self, channels: int, heads: int, multiplier: int, context_features: int) -> None:
        super().__init__()
        self.self_attention = Attention(channels, heads, channels)
        self.cross_attention = Attention(channels, heads, context_features)
        self.widen = nn.Linear(channels, multiplier * channels)
        self.narrow = nn.Linear(multiplier * channels, channels)

    def forward(self, x: Tensor, context: KeysValues) -> Tensor:
        x = self.self_attention(x, self.self_attention.read(x)).add_(x)
        keys, _ = context
        # Up to here nothing differs between the contexts of one row.
        x = x.repeat(len(keys) // len(x), 1, 1) if len(keys) != len(x) else x
        x = self.cross_attention(x, context).add_(x)
        # No norm before these two: the published network has none.
        parts = x.flatten(0,1).split(512) if not torch.is_grad_enabled() else (x,)
        for part in parts:
            part += linear(functional.gelu(linear(part, self.widen.weight, self.widen.bias)), self.narrow.weight, self.narrow.bias)
        return x


class Transformer(nn.Module):
    """A stack of layers between a norm and two 1 x 1 convolutions; what goes in is not added to what comes out."""

    def __init__(self, channels: int, layers: int, heads: int, multiplier: int, context_features: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(TRANSFORMER_GROUPS, channels, eps=1e-6)
        self.enter = Pointwise(channels, channels)
        self.layers = nn.ModuleList(
            TransformerLayer(channels, heads, multiplier, context_features) for _ in range(layers)
        )
        self.leave = Pointwise(channels, channels)

    def read_context(self, tokens: Tensor, mask: Tensor) -> tuple[KeysValues, ...]:
        """Keys and values of the context for every layer."""
        return tuple(layer.cross_attention.read(tokens, mask) for layer in self.layers)

    def forward(self, x: Tensor, context: Sequence[KeysValues]) -> Tensor:
        """x (b, n, channels) → (b, n, channels)."""
        x = self.enter(norm(x, self.norm))
        for layer, read in zip(self.layers, context, strict=True):
            x = layer(x, read)
        return self.leave(x)


def joined(parts: Sequence[KeysValues]) -> KeysValues:
    """The keys and values of several batches as one batch."""
    return torch.cat([keys for keys, _ in parts]), torch.cat([values for _, values in parts])
