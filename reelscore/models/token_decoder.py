"""The autoregressive decoder of music tokens, as MusicGen (Copet et al., 2023) and VidMuse have it.

Codes are int64 (rows, codebooks, n), already delayed; `cardinality` is the special token. What conditions the music is read
once into a `Memory`, the music so far stays in a `Cache` (models/remembering.py), so that a step costs one position alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from reelscore.models.projection import Projection
from reelscore.models.remembering import Bank, Cache, Condition, Memory, Past

LONGEST_PERIOD = 10_000.0
"""Of the waves that tell positions, in radians."""


@dataclass(frozen=True)
class TokenDecoderConfig:
    """The sizes of the decoder; as it stands, those of VidMuse's published weights."""

    dim: int = 1536
    heads: int = 24
    layers: int = 48
    inner: int = 6144
    codebooks: int = 4
    cardinality: int = 2048
    delays: tuple[int, ...] = (0, 1, 2, 3)
    """Steps by which each codebook comes later than the music frame that it belongs to."""

    def __post_init__(self) -> None:
        if min(self.heads, self.layers, self.inner, self.codebooks, self.cardinality) < 1:
            raise ValueError(f"every size of a decoder is at least 1: {self}")
        if self.dim < 4 or self.dim % 2 or self.dim % self.heads:
            raise ValueError(f"{self.dim} channels are not even, at least 4 and a multiple of {self.heads} heads")
        if len(self.delays) != self.codebooks or min(self.delays) < 0:
            raise ValueError(f"{self.codebooks} codebooks need as many delays of at least 0, not {self.delays}")


class SelfAttention(nn.Module):
    """Each position looks at itself and at what came before."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Projection(dim, 3 * dim)
        self.out = Projection(dim, dim)

    def forward(self, x: Tensor, past: Past | None) -> Tensor:
        asked, keys, values = (_split(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        if past is None:
            found = functional.scaled_dot_product_attention(asked, keys, values, is_causal=True)
        else:
            found = past.found(asked, keys, values)
        return cast(Tensor, self.out(_joined(found)))


class CrossAttention(nn.Module):
    """Each position looks at the whole condition of its row."""

    QUERIES, KEYS_VALUES = 0, 1
    """The parts of `qkv`."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Projection(dim, dim, 2 * dim)
        self.out = Projection(dim, dim)

    def read(self, condition: Condition) -> Bank:
        keys, values = self.qkv(condition.tokens[None], self.KEYS_VALUES).chunk(2, dim=-1)
        return Bank.of(_split(keys, self.heads)[0], _split(values, self.heads)[0], condition.rows)

    def forward(self, x: Tensor, banks: Sequence[Bank]) -> Tensor:
        asked = torch.split(_split(self.qkv(x, self.QUERIES), self.heads), [bank.rows for bank in banks])
        found = [bank.found(some) for bank, some in zip(banks, asked, strict=True)]
        return cast(Tensor, self.out(_joined(torch.cat(found))))


class Layer(nn.Module):
    """Self-attention, cross-attention and two linear maps, each behind a norm and added to what it was given."""

    def __init__(self, config: TokenDecoderConfig) -> None:
        super().__init__()
        self.norm_self = nn.LayerNorm(config.dim)
        self.self_attention = SelfAttention(config.dim, config.heads)
        self.norm_cross = nn.LayerNorm(config.dim)
        self.cross_attention = CrossAttention(config.dim, config.heads)
        self.norm_feed = nn.LayerNorm(config.dim)
        self.widen = Projection(config.dim, config.inner)
        self.narrow = Projection(config.inner, config.dim)

    def forward(self, x: Tensor, banks: Sequence[Bank], past: Past | None) -> Tensor:
        """x (rows, n, dim) → as much."""
        x = x + self.self_attention(self.norm_self(x), past)
        x = x + self.cross_attention(self.norm_cross(x), banks)
        return x + cast(Tensor, self.narrow(functional.gelu(self.widen(self.norm_feed(x)))))


class TokenDecoder(nn.Module):
    """Codes so far → scores of the codes that come next."""

    def __init__(self, config: TokenDecoderConfig) -> None:
        super().__init__()
        self.config = config
        # One more for the special token.
        self.tokens = nn.ModuleList(nn.Embedding(config.cardinality + 1, config.dim) for _ in range(config.codebooks))
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.dim)
        self.scores = nn.ModuleList(Projection(config.dim, config.cardinality) for _ in range(config.codebooks))

    def remember(self, conditions: Sequence[Condition]) -> Memory:
        """Keys and values of every cross-attention for a batch of as many rows as the conditions have together."""
        for tokens, rows in conditions:
            if tokens.ndim != 2 or not len(tokens) or tokens.shape[1] != self.config.dim or rows < 1:
                raise ValueError(
                    f"a condition is (n, {self.config.dim}) for at least a row, not {tuple(tokens.shape)} for {rows}"
                )
        own = self.norm.weight
        given = [Condition(tokens.to(own.device, own.dtype), rows) for tokens, rows in conditions]
        layers = (cast(Layer, layer).cross_attention for layer in self.layers)
        return Memory(tuple(tuple(map(attention.read, given)) for attention in layers))

    def cache(self, rows: int, length: int) -> Cache:
        """Space for the keys and values of so many rows and positions in all layers."""
        config = self.config
        return Cache(
            self.norm.weight.detach(),
            layers=config.layers,
            rows=rows,
            heads=config.heads,
            length=length,
            width=config.dim // config.heads,
        )

    def forward(self, codes: Tensor, memory: Memory, cache: Cache | None = None, *, last_only: bool = False) -> Tensor:
        """Scores, float32 (rows, codebooks, n, cardinality), of what follows each position of codes (rows, codebooks, n).

        Without a cache the codes are all there is; with one they follow what it holds and are added to it. `last_only`
        gives the scores of the last position alone.
        """
        rows, codebooks, count = codes.shape
        if codebooks != self.config.codebooks or rows != memory.rows or not count:
            raise ValueError(
                f"codes are ({memory.rows}, {self.config.codebooks}, n) for this memory, not {tuple(codes.shape)}"
            )
        if cache is not None and (cache.rows != rows or cache.used + count > cache.length):
            raise ValueError(
                f"a cache of {cache.rows} rows and {cache.length} places, {cache.used} of them used, "
                f"takes no {count} more for {rows} rows"
            )
        pasts = [None] * len(self.layers) if cache is None else cache.pasts(count)
        positions = torch.arange(count, device=codes.device) if pasts[0] is None else pasts[0].positions
        x = cast(Tensor, sum(table(codes[:, book]) for book, table in enumerate(self.tokens)))
        x = x + waves(positions, self.config.dim).to(x.dtype)
        for layer, banks, past in zip(self.layers, memory.layers, pasts, strict=True):
            x = layer(x, banks, past)
        if cache is not None:
            cache.advance(count)
        x = self.norm(x[:, -1:] if last_only else x)
        return torch.stack([head(x).float() for head in self.scores], dim=1)


def waves(positions: Tensor, dim: int) -> Tensor:
    """Positions (n,) as waves, float32 (n, dim): first the cosines, then the sines, periods growing to the longest."""
    half = dim // 2
    steps = torch.arange(half, device=positions.device, dtype=torch.float32) / (half - 1)
    angles = positions[:, None].float() / torch.full((), LONGEST_PERIOD, device=positions.device) ** steps
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def _split(x: Tensor, heads: int) -> Tensor:
    """(b, n, dim) → (b, heads, n, channels of a head)."""
    return x.view(*x.shape[:-1], heads, -1).transpose(1, 2)


def _joined(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)
