"""Transformers inside the U-Net: attention within the music and from the music to its context.

Tensors are (batch, length, channels). Nothing here knows positions, so any length will do.
"""

from collections.abc import Sequence
from math import log
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from reelscore.models.convolution import Norm, Pointwise, spread
from reelscore.models.products import linear, linear_gelu, on_bare_cpu

TRANSFORMER_GROUPS = 32
ROWS_AT_ONCE = 512
"""Rows that go through the widest part of a layer at once on a CPU, so that it stays in the cache."""


class Read(NamedTuple):
    """Keys and values of one attention, each (batch, heads, places, channels of a head).

    Where `silent` is a number, the last place stands for so many whose keys and values are zero.
    """

    keys: Tensor
    values: Tensor
    silent: int | None = None

    def rows(self, indices: Tensor) -> "Read":
        return Read(self.keys[indices], self.values[indices], self.silent)

    @staticmethod
    def joined(parts: "Sequence[Read]") -> "Read":
        """The rows of all parts, which were made from contexts of one length."""
        most = max(part.keys.shape[2] for part in parts)
        # A silent place is the same alone as among the others.
        grown = [(part, (0, 0, 0, most - part.keys.shape[2])) for part in parts]
        first, by = grown[0]
        return Read(
            torch.cat([functional.pad(part.keys, more) for part, more in grown]),
            torch.cat([functional.pad(part.values, more) for part, more in grown]),
            None if first.silent is None else first.silent - by[-1],
        )


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

    def read(self, context: Tensor, mask: Tensor | None = None) -> Read:
        """Keys and values of context (b, places, features).

        The mask (b, places) multiplies both: a place with mask 0 keeps the score 0 and a share of the attention, and
        brings nothing. The published weights were trained so.
        """
        both = linear(self.norm_context(context), self.keys_values.weight)
        if mask is not None:
            both = both * mask.to(both.dtype).unsqueeze(-1)
        if mask is None or not on_bare_cpu(both):
            keys, values = both.chunk(2, dim=-1)
            return Read(self._split(keys), self._split(values))
        silent_last = (mask == 0).to(torch.uint8).argsort(dim=1, stable=True)
        kept = int((mask != 0).sum(dim=1).max())
        both = both.take_along_dim(silent_last[:, :kept, None], dim=1)
        keys, values = functional.pad(both, (0, 0, 0, 1)).chunk(2, dim=-1)
        return Read(self._split(keys), self._split(values), mask.shape[1] - kept)

    def forward(self, x: Tensor, read: Read) -> Tensor:
        """What x (b, n, channels) finds in what was read."""
        asking = self.norm(x)
        places = read.keys.shape[2]
        if read.silent is None:
            weight = None
        elif places * (x.shape[2] + x.shape[1] * self.heads) < x.shape[1] * x.shape[2]:
            return self._found_in_few(asking, read)
        else:
            weight = asking.new_tensor([[0.0] * (places - 1) + [_log(read.silent)]])
        asked = self._split(linear(asking, self.queries.weight))
        found = functional.scaled_dot_product_attention(asked, read.keys, read.values, weight)
        return linear(found.transpose(1, 2).flatten(2), self.out.weight, self.out.bias)

    def _found_in_few(self, asking: Tensor, read: Read) -> Tensor:
        """The same with the two linear maps of x done to the few places instead, head by head."""
        batch, heads, places, width = read.keys.shape
        ask = self.queries.weight.view(heads, width, -1)
        give = self.out.weight.view(-1, heads, width).permute(1, 2, 0)
        keys = _by_head(read.keys * width**-0.5, ask)
        scores = torch.bmm(asking, keys.transpose(1, 2)).view(batch, -1, heads, places)
        scores[..., -1] = _log(read.silent or 0)
        return torch.baddbmm(self.out.bias, scores.softmax(dim=-1).flatten(2), _by_head(read.values, give))

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class TransformerLayer(nn.Module):
    """Self-attention, cross-attention and two linear maps, each added to what it was given."""

    def __init__(self, channels: int, heads: int, multiplier: int, context_features: int) -> None:
        super().__init__()
        self.self_attention = Attention(channels, heads, channels)
        self.cross_attention = Attention(channels, heads, context_features)
        self.widen = nn.Linear(channels, multiplier * channels)
        self.narrow = nn.Linear(multiplier * channels, channels)

    def forward(self, x: Tensor, context: Read) -> Tensor:
        """x (b, n, channels) and the context of b rows or a multiple of b → as many rows as the context has."""
        x = self.self_attention(x, self.self_attention.read(x)).add_(x)
        # Up to here a row is the same under all its contexts.
        x = spread(x, len(context.keys))
        x = self.cross_attention(x, context).add_(x)
        if not on_bare_cpu(x):
            return x + self._fed(x)
        rows = x.view(-1, x.shape[-1])
        for first in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[first : first + ROWS_AT_ONCE]
            some.add_(self._fed(some))
        return x

    def _fed(self, x: Tensor) -> Tensor:
        """The two linear maps; the published network has no norm before them."""
        inner = linear_gelu(x, self.widen.weight, self.widen.bias)
        return linear(inner, self.narrow.weight, self.narrow.bias)


class Transformer(nn.Module):
    """A stack of layers between a norm and two 1 x 1 convolutions; what goes in is not added to what comes out."""

    def __init__(self, channels: int, layers: int, heads: int, multiplier: int, context_features: int) -> None:
        super().__init__()
        self.norm = Norm(TRANSFORMER_GROUPS, channels, eps=1e-6)
        self.enter = Pointwise(channels, channels)
        self.layers = nn.ModuleList(
            TransformerLayer(channels, heads, multiplier, context_features) for _ in range(layers)
        )
        self.leave = Pointwise(channels, channels)

    def read_context(self, tokens: Tensor, mask: Tensor) -> tuple[Read, ...]:
        """Keys and values of the context for every layer."""
        return tuple(cast(TransformerLayer, layer).cross_attention.read(tokens, mask) for layer in self.layers)

    def forward(self, x: Tensor, context: Sequence[Read]) -> Tensor:
        """x (b, n, channels) → (rows of the context, n, channels)."""
        x = self.enter(self.norm(x))
        for layer, read in zip(self.layers, context, strict=True):
            x = layer(x, read)
        return cast(Tensor, self.leave(x))


def _by_head(read: Tensor, maps: Tensor) -> Tensor:
    """Keys or values (b, heads, places, width), each head through its own map (heads, width, c): (b, heads * places, c)."""
    batch, heads, places, width = read.shape
    mapped = torch.bmm(read.transpose(0, 1).reshape(heads, batch * places, width), maps)
    return mapped.view(heads, batch, places, -1).transpose(0, 1).reshape(batch, heads * places, -1)


def _log(number: int) -> float:
    return log(number) if number else float("-inf")
