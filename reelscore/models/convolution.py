"""Convolutions over time and the residual block that the U-Net is made of. Tensors are (batch, length, channels)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from reelscore.models.products import convolve, linear


class Norm(nn.GroupNorm):
    """Group norm that leaves the order in memory as it finds it."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2).unsqueeze(2)).squeeze(2).transpose(1, 2)


class Convolution(nn.Conv1d):
    """Three places wide; the length stays."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__(channels, out_channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        return convolve(x, self.weight, self.bias)


class Pointwise(nn.Conv1d):
    """One place wide."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__(channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight.squeeze(-1), self.bias)


class Shrink(nn.Conv1d):
    """A convolution that keeps one in `factor` of its places; the length must be a multiple of the factor."""

    def __init__(self, channels: int, out_channels: int, factor: int, reach: int) -> None:
        super().__init__(channels, out_channels, factor * reach + 1, stride=factor)
        around = factor * reach + 1 - factor
        # The odd place of the padding goes to the left.
        self.around = (around - around // 2, around // 2)

    def forward(self, x: Tensor) -> Tensor:
        if self.kernel_size == (3,) and self.stride == (1,):
            return convolve(x, self.weight, self.bias)
        return super().forward(functional.pad(x.transpose(1, 2), self.around)).transpose(1, 2)


class Stretch(nn.ConvTranspose1d):
    """A transposed convolution that makes the length `factor` times as long."""

    def __init__(self, channels: int, out_channels: int, factor: int) -> None:
        super().__init__(channels, out_channels, 2 * factor, stride=factor, padding=factor // 2)
        self.surplus = factor % 2

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        return super().forward(x.transpose(1, 2), output_size)[..., self.surplus :].transpose(1, 2)


def stretch(channels: int, out_channels: int, factor: int) -> Convolution | Stretch:
    """The layer that makes the length `factor` times as long; for 1 a plain convolution."""
    return Convolution(channels, out_channels) if factor == 1 else Stretch(channels, out_channels, factor)


class ResidualBlock(nn.Module):
    """Two normed convolutions beside a bypass; the time features scale and shift what the second norm gives."""

    def __init__(self, channels: int, out_channels: int, groups: int, time_features: int) -> None:
        super().__init__()
        self.norm_in = Norm(groups, channels)
        self.conv_in = Convolution(channels, out_channels)
        self.modulation = nn.Linear(time_features, 2 * out_channels)
        self.norm_out = Norm(groups, out_channels)
        self.conv_out = Convolution(out_channels, out_channels)
        self.bypass = nn.Identity() if channels == out_channels else Pointwise(channels, out_channels)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """x (b, n, channels) and time (b or a part of b, time_features) → (b, n, out_channels)."""
        in_place = not torch.is_grad_enabled()
        modulation = spread(self.modulation(functional.silu(time)), len(x))
        scale, shift = modulation.unsqueeze(1).chunk(2, dim=-1)
        inner = self.conv_in(functional.silu(self.norm_in(x), inplace=in_place))
        inner = torch.addcmul(shift, self.norm_out(inner), scale + 1)
        made: Tensor = self.conv_out(functional.silu(inner, inplace=in_place))
        return made.add_(self.bypass(x))


def spread(x: Tensor, rows: int) -> Tensor:
    """x, all its rows again and again until there are so many of them."""
    return x if len(x) == rows else x.repeat(rows // len(x), *(1 for _ in x.shape[1:]))
