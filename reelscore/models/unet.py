"""The network that denoises: a one-dimensional U-Net over latents, told the time and a context of text tokens.

Latents are (batch, channels, length) and the length is a multiple of `UNetConfig.multiple`. The context is read once into
a `Memory`, which serves every step of the denoising. The structure is that of the U-Net of audio-diffusion-pytorch
(Schneider et al., Moûsai, 2023) with the changes that Stable Audio 1.0 and SONIQUE use.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi, prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from reelscore.models.attention import TRANSFORMER_GROUPS, Read, Transformer
from reelscore.models.convolution import ResidualBlock, Shrink, spread, stretch


@dataclass(frozen=True)
class UNetConfig:
    """The sizes of the network; as it stands, those of the published weights."""

    in_channels: int = 64
    channels: int = 256
    multipliers: tuple[int, ...] = (4, 4, 4, 5, 5)
    """Channels of the entrance and then of each level, in units of `channels`."""
    factors: tuple[int, ...] = (1, 2, 2, 4)
    """How much coarser each level is than the one above."""
    num_blocks: tuple[int, ...] = (2, 2, 2, 2)
    """Residual blocks on the way down; the way up has one more."""
    attentions: tuple[int, ...] = (1, 3, 3, 3, 3)
    """Transformer layers of each level and, last, of the middle."""
    attention_heads: int = 16
    attention_multiplier: int = 4
    resnet_groups: int = 16
    kernel_multiplier_downsample: int = 2
    context_features: int = 768
    context_length: int = 79

    def __post_init__(self) -> None:
        levels = len(self.factors)
        lengths = (
            (len(self.multipliers), levels + 1),
            (len(self.num_blocks), levels),
            (len(self.attentions), levels + 1),
        )
        if not levels or any(given != wanted for given, wanted in lengths):
            raise ValueError(
                f"{levels} factors need {levels} num_blocks and {levels + 1} multipliers and attentions, not "
                f"{len(self.num_blocks)}, {len(self.multipliers)} and {len(self.attentions)}"
            )
        sizes = (*self.multipliers, *self.factors, *self.num_blocks, *self.attentions)
        if min(*sizes, self.in_channels, self.channels, self.attention_heads, self.resnet_groups) < 1:
            raise ValueError(f"every size of a U-Net is at least 1: {self}")
        if self.channels % 2 or self.kernel_multiplier_downsample % 2:
            raise ValueError(f"channels and kernel_multiplier_downsample must be even: {self}")
        for width in self.widths:
            for parts in (self.attention_heads, self.resnet_groups, TRANSFORMER_GROUPS):
                if width % parts:
                    raise ValueError(f"a level of {width} channels cannot be split into {parts} heads or groups")

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the entrance and of each level."""
        return tuple(self.channels * multiplier for multiplier in self.multipliers)

    @property
    def time_features(self) -> int:
        return 4 * self.channels

    @property
    def multiple(self) -> int:
        """What the length of latents must be a multiple of."""
        return prod(self.factors)


@dataclass(frozen=True)
class Memory:
    """A context as the network's cross-attentions have read it, by transformer and layer."""

    transformers: tuple[tuple[Read, ...], ...]

    @property
    def batch(self) -> int:
        return len(self.transformers[0][0].keys)

    def rows(self, indices: Sequence[int]) -> "Memory":
        """The memory of these rows of the batch, in this order; a row may come more than once."""
        chosen = torch.as_tensor(indices, device=self.transformers[0][0].keys.device)
        return Memory(tuple(tuple(read.rows(chosen) for read in layers) for layers in self.transformers))

    @staticmethod
    def joined(memories: "Sequence[Memory]") -> "Memory":
        """The rows of all memories in one batch."""
        by_transformer = zip(*(memory.transformers for memory in memories), strict=True)
        return Memory(tuple(tuple(map(Read.joined, zip(*layers, strict=True))) for layers in by_transformer))


class TimeFeatures(nn.Module):
    """Time as learned waves, and three linear maps."""

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(torch.randn(channels // 2))
        self.enter = nn.Linear(channels + 1, features)
        self.mix_in = nn.Linear(features, features)
        self.mix_out = nn.Linear(features, features)

    def forward(self, t: Tensor) -> Tensor:
        """t (b,) → (b, features). The waves are float32 whatever the weights are."""
        turns = t.float().unsqueeze(1)
        angles = 2 * pi * turns * self.frequencies.float()
        waves = torch.cat([turns, angles.sin(), angles.cos()], dim=1).to(self.enter.weight.dtype)
        x = functional.gelu(self.enter(waves))
        return functional.gelu(self.mix_out(functional.gelu(self.mix_in(x))))


class DownLevel(nn.Module):
    """One step down: coarser, through residual blocks and a transformer; each of them leaves a skip."""

    def __init__(self, config: UNetConfig, level: int) -> None:
        super().__init__()
        above, width = config.widths[level : level + 2]
        self.shrink = Shrink(above, width, config.factors[level], config.kernel_multiplier_downsample)
        self.blocks = nn.ModuleList(_block(config, width, width) for _ in range(config.num_blocks[level]))
        self.transformer = _transformer(config, level, width)

    def forward(self, x: Tensor, time: Tensor, context: Sequence[Read]) -> list[Tensor]:
        """The skips in the order they were made; the last is the level's output."""
        x = self.shrink(x)
        skips = []
        for block in self.blocks:
            x = block(x, time)
            skips.append(x)
        return [*skips, self.transformer(x, context)]


class UpLevel(nn.Module):
    """One step up: residual blocks that take the skips of the same level, a transformer, and finer."""

    def __init__(self, config: UNetConfig, level: int) -> None:
        super().__init__()
        above, width = config.widths[level : level + 2]
        self.blocks = nn.ModuleList(_block(config, 2 * width, width) for _ in range(config.num_blocks[level] + 1))
        self.transformer = _transformer(config, level, width)
        self.stretch = stretch(width, above, config.factors[level])

    def forward(self, x: Tensor, skips: list[Tensor], time: Tensor, context: Sequence[Read]) -> Tensor:
        """Takes the skips from the end of their list."""
        for block in self.blocks:
            x = block(torch.cat([x, spread(skips.pop(), len(x)) * 2**-0.5], dim=-1), time)
        finer: Tensor = self.stretch(self.transformer(x, context))
        return finer


class Middle(nn.Module):
    """The coarsest level: a transformer between two residual blocks."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        width = config.widths[-1]
        self.block_in = _block(config, width, width)
        self.transformer = _transformer(config, -1, width)
        self.block_out = _block(config, width, width)

    def forward(self, x: Tensor, time: Tensor, context: Sequence[Read]) -> Tensor:
        x = self.transformer(self.block_in(x, time), context)
        made: Tensor = self.block_out(x, time)
        return made


class UNet(nn.Module):
    """Predicts v from noisy latents, the time and the context."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        levels = range(len(config.factors))
        self.null_context = nn.Parameter(torch.randn(config.context_length, config.context_features))
        self.time = TimeFeatures(config.channels, config.time_features)
        self.entrance = ResidualBlock(config.in_channels, config.widths[0], 1, config.time_features)
        self.down = nn.ModuleList(DownLevel(config, level) for level in levels)
        self.middle = Middle(config)
        self.up = nn.ModuleList(UpLevel(config, level) for level in reversed(levels))
        self.exit = ResidualBlock(config.widths[0], config.in_channels, 1, config.time_features)

    def read_context(self, tokens: Tensor, mask: Tensor) -> Memory:
        """What every cross-attention needs of tokens (b, places, context_features); mask (b, places) is 1 where one counts."""
        rooms = (*self.down, self.middle, *self.up)
        return Memory(tuple(room.transformer.read_context(tokens, mask) for room in rooms))

    def time_features(self, t: Tensor) -> Tensor:
        """What the residual blocks are told of the time t (b,) in 0..1: (b, time_features)."""
        features: Tensor = self.time(t)
        return features

    def forward(self, x: Tensor, t: Tensor, memory: Memory) -> Tensor:
        """v (memory.batch, in_channels, n) of latents x (b, in_channels, n) at times t (b,) in 0..1.

        The memory holds b rows, or k times b for k contexts of each x: then row i of x serves the memory's rows i, b + i,
        2b + i …, and what does not depend on the context is computed once.
        Raises ValueError where the length is no multiple of `config.multiple`, or the memory's batch none of b.
        """
        if x.shape[-1] % self.config.multiple or not x.shape[-1]:
            raise ValueError(f"latents are a multiple of {self.config.multiple} long, not {x.shape[-1]}")
        if memory.batch % len(x):
            raise ValueError(f"a memory of {memory.batch} rows does not fit latents of {len(x)} rows")
        contexts = iter(memory.transformers)
        time = self.time_features(t)
        entered = x = self.entrance(x.transpose(1, 2), time)
        skips: list[list[Tensor]] = []
        for level in self.down:
            skips.append(level(x, time, next(contexts)))
            x = skips[-1][-1]
        x = self.middle(x, time, next(contexts))
        for level in self.up:
            x = level(x, skips.pop(), time, next(contexts))
        v: Tensor = self.exit(x + spread(entered, len(x)), time)
        return v.transpose(1, 2)


def _block(config: UNetConfig, channels: int, out_channels: int) -> ResidualBlock:
    return ResidualBlock(channels, out_channels, config.resnet_groups, config.time_features)


def _transformer(config: UNetConfig, level: int, width: int) -> Transformer:
    return Transformer(
        width,
        config.attentions[level],
        config.attention_heads,
        config.attention_multiplier,
        config.context_features,
    )
