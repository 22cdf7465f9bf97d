"""The autoregressive decoder of music tokens, as MusicGen (Copet et al., 2023) and VidMuse have it.

Codes are int64 (rows, codebooks, n), already delayed; `cardinality` is the special token. What conditions the music is read
once into a `Memory`, the music so far stays in a `Cache` (models/remembering.py), so that a step costs one position alone.

A condition stands beside the music, where cross-attention looks at it, or before it, as the beginning of what self-attention
looks at; then the positions of the music are counted on from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from reelscore.models.projection import Projection
from reelscore.models.remembering import Bank, Cache, Condition, Memory, Past, found_after

Place = Literal["beside", "before"]
"""Where what conditions the music stands."""
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

    def read(self, x: Tensor, rows: int) -> tuple[Tensor, Bank]:
        """What the places of a condition (1, n, dim) find among themselves, and what the music after them finds there."""
        asked, keys, values = self._parts(x)
        found = functional.scaled_dot_product_attention(asked, keys, values, is_causal=True)
        return cast(Tensor, self.out(_joined(found))), Bank(keys[0].contiguous(), values[0].contiguous(), rows)

    def forward(self, x: Tensor, past: Past | None, before: Sequence[Bank] = ()) -> Tensor:
        asked, keys, values = self._parts(x)
        if past is not None:
            found = past.found(asked, keys, values)
        elif before:
            found = found_after(before, asked, keys, values)
        else:
            found = functional.scaled_dot_product_attention(asked, keys, values, is_causal=True)
        return cast(Tensor, self.out(_joined(found)))

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        asked, keys, values = (_split(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        return asked, keys, values


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
    """Self-attention, cross-attention and two linear maps, each behind a norm and added to what it was given.

    Where the condition stands before the music, there is no cross-attention.
    """

    def __init__(self, config: TokenDecoderConfig, condition: Place) -> None:
        super().__init__()
        self.norm_self = nn.LayerNorm(config.dim)
        self.self_attention = SelfAttention(config.dim, config.heads)
        self.crosses = condition == "beside"
        if self.crosses:
            self.norm_cross = nn.LayerNorm(config.dim)
            self.cross_attention = CrossAttention(config.dim, config.heads)
        self.norm_feed = nn.LayerNorm(config.dim)
        self.widen = Projection(config.dim, config.inner)
        self.narrow = Projection(config.inner, config.dim)

    def forward(self, x: Tensor, banks: Sequence[Bank], past: Past | None) -> Tensor:
        """x (rows, n, dim) → as much."""
        x = x + self.self_attention(self.norm_self(x), past, () if self.crosses else banks)
        if self.crosses:
            x = x + self.cross_attention(self.norm_cross(x), banks)
        return self._fed(x)

    def read(self, x: Tensor, rows: int) -> tuple[Tensor, Bank]:
        """A condition (1, n, dim) that stands before the music, for the next layer and for the music of so many rows."""
        found, bank = self.self_attention.read(self.norm_self(x), rows)
        return self._fed(x + found), bank

    def _fed(self, x: Tensor) -> Tensor:
        return x + cast(Tensor, self.narrow(functional.gelu(self.widen(self.norm_feed(x)))))


class TokenDecoder(nn.Module):
    """Codes so far → scores of the codes that come next."""

    def __init__(self, config: TokenDecoderConfig, condition: Place = "beside") -> None:
        super().__init__()
        self.config = config
        self.condition = condition
        # One more for the special token.
        self.tokens = nn.ModuleList(nn.Embedding(config.cardinality + 1, config.dim) for _ in range(config.codebooks))
        self.layers = nn.ModuleList(Layer(config, condition) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.dim)
        self.scores = nn.ModuleList(Projection(config.dim, config.cardinality) for _ in range(config.codebooks))

    def remember(self, conditions: Sequence[Condition]) -> Memory:
        """What every layer keeps of the conditions, for a batch of as many rows as they have together.

        Before the music, shorter conditions are filled up with zeros, so that all music begins at one position; so it is in
        the padded batches of the published programs.
        """
        for tokens, rows in conditions:
            if tokens.ndim != 2 or not len(tokens) or tokens.shape[1] != self.config.dim or rows < 1:
                raise ValueError(
                    f"a condition is (n, {self.config.dim}) for at least a row, not {tuple(tokens.shape)} for {rows}"
                )
        own = self.norm.weight
        given = [Condition(tokens.to(own.device, own.dtype), rows) for tokens, rows in conditions]
        if self.condition == "before":
            return self._read_before(given)
        layers = (cast(Layer, layer).cross_attention for layer in self.layers)
        return Memory(tuple(tuple(map(attention.read, given)) for attention in layers))

    def _read_before(self, conditions: Sequence[Condition]) -> Memory:
        length = max(len(tokens) for tokens, _ in conditions)
        banks = []
        for tokens, rows in conditions:
            filled = functional.pad(tokens, (0, 0, 0, length - len(tokens)))
            x, of_layers = self._placed(filled[None], torch.arange(length, device=tokens.device)), []
            for layer in self.layers:
                x, bank = cast(Layer, layer).read(x, rows)
                of_layers.append(bank)
            banks.append(of_layers)
        return Memory(tuple(zip(*banks, strict=True)), before=length)

    def cache(self, rows: int, length: int, memory: Memory | None = None) -> Cache:
        """Space for the keys and values of so many rows and positions in all layers.

        Where conditions stand before the music, they are put there too, so the cache is for that memory alone.
        """
        config = self.config
        kept = Cache(
            self.norm.weight.detach(),
            layers=config.layers,
            rows=rows,
            heads=config.heads,
            length=length,
            width=config.dim // config.heads,
            before=memory.before if memory else 0,
        )
        if memory and memory.before:
            kept.begin(memory)
        return kept

    def forward(self, codes: Tensor, memory: Memory, cache: Cache | None = None, *, last_only: bool = False) -> Tensor:
        """Scores, float32 (rows, codebooks, n, cardinality), of what follows each position of codes (rows, codebooks, n).

        Without a cache the codes are all there is; with one they follow what it holds and are added to it. `last_only`
        gives the scores of the last position alone.
        """
        self._refuse_misfits(codes, memory, cache)
        count = codes.shape[2]
        pasts = [None] * len(self.layers) if cache is None else cache.pasts(count)
        positions = memory.before + torch.arange(count, device=codes.device) if pasts[0] is None else pasts[0].positions
        x = cast(Tensor, sum(table(codes[:, book]) for book, table in enumerate(self.tokens)))
        x = self._placed(x, positions)
        for layer, banks, past in zip(self.layers, memory.layers, pasts, strict=True):
            x = layer(x, banks, past)
        if cache is not None:
            cache.advance(count)
        x = self.norm(x[:, -1:] if last_only else x)
        return torch.stack([head(x).float() for head in self.scores], dim=1)

    def _refuse_misfits(self, codes: Tensor, memory: Memory, cache: Cache | None) -> None:
        rows, codebooks, count = codes.shape
        if codebooks != self.config.codebooks or rows != memory.rows or not count:
            raise ValueError(
                f"codes are ({memory.rows}, {self.config.codebooks}, n) for this memory, not {tuple(codes.shape)}"
            )
        if cache is None:
            return
        if cache.rows != rows or cache.used + count > cache.length:
            raise ValueError(
                f"a cache of {cache.rows} rows and {cache.length} places, {cache.used} of them used, "
                f"takes no {count} more for {rows} rows"
            )
        if cache.before != memory.before:
            raise ValueError(f"a cache that begins after {cache.before} places is none for a memory of {memory.before}")

    def _placed(self, x: Tensor, positions: Tensor) -> Tensor:
        return x + waves(positions, self.config.dim).to(x.dtype)


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
