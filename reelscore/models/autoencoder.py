"""The autoencoder between sound and latents: snake activations, dilated residual units, strided convolutions, a Gaussian bottleneck.

Sound is (batch, channels, samples) in ±1; latents are (batch, latent channels, n), one for every `downsampling` samples.
Sound goes through piece by piece: every layer keeps the few samples at the end of a piece that the next one needs (a `Stream`),
so the result does not depend on the size of the pieces, nothing is computed twice, and memory grows by the result alone.

After Kumar et al., High-Fidelity Audio Compression with Improved RVQGAN (arXiv 2306.06546), with the codebooks replaced by the
bottleneck of a variational autoencoder. Weight norm is folded into plain weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

DILATIONS = (1, 3, 9)
"""Of the residual units in every stage."""


@dataclass(frozen=True)
class AutoencoderConfig:
    """Widths and strides; the defaults are SONIQUE's. Raises ValueError, naming the field, for what cannot be built."""

    audio_channels: int = 1
    latent_channels: int = 64
    encoder_width: int = 128
    """Channels after the encoder's first convolution; each stage doubles them."""
    encoder_strides: tuple[int, ...] = (4, 4, 8, 8)
    decoder_width: int = 1536
    """Channels after the decoder's first convolution; each stage halves them."""
    decoder_rates: tuple[int, ...] = (8, 8, 4, 4)

    def __post_init__(self) -> None:
        for name in ("encoder_strides", "decoder_rates"):
            strides = getattr(self, name)
            if not strides or any(stride < 2 or stride % 2 for stride in strides):
                raise ValueError(f"{name} is {list(strides)}; it must hold even numbers.")
        if prod(self.encoder_strides) != self.downsampling:
            raise ValueError(
                f"encoder_strides multiply to {prod(self.encoder_strides)} and decoder_rates to {self.downsampling};"
                " they must agree."
            )
        if self.decoder_width % 2 ** len(self.decoder_rates):
            raise ValueError(
                f"decoder_width is {self.decoder_width}; it must be halved {len(self.decoder_rates)} times."
            )

    @property
    def downsampling(self) -> int:
        """Samples to a latent."""
        return prod(self.decoder_rates)


class Stream:
    """What the layers remember between two pieces of one sound. A stream is fed from one sound, in order, once."""

    def __init__(self) -> None:
        self.ends = False
        """Whether the piece that goes through now is the last."""
        self._tails: dict[nn.Module, Tensor] = {}

    def take(self, layer: nn.Module) -> Tensor | None:
        """What the layer kept of the piece before; none at the beginning."""
        return self._tails.pop(layer, None)

    def keep(self, layer: nn.Module, tail: Tensor) -> None:
        """Keeps the end of a piece for the next one, as a copy, so that the piece itself can go."""
        if not self.ends:
            self._tails[layer] = tail.clone()


class Snake(nn.Module):
    """x + sin²(αx)/α, one α a channel (Liu et al., arXiv 2006.08195)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.sin(self.alpha * x).square() / (self.alpha + 1e-9)


class Convolution(nn.Module):
    """A convolution over a stream, with zeros before its beginning and after its end."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outside, inside, kernel))
        self.bias = nn.Parameter(torch.empty(outside))
        self.stride, self.dilation = stride, dilation
        self.span = (kernel - 1) * dilation + 1
        self.padding = (self.span - stride + 1) // 2
        nn.init.trunc_normal_(self.weight, std=0.02)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        if self.span > 1:
            x = functional.pad(x, (0, self.padding)) if stream.ends else x
            tail = stream.take(self)
            x = functional.pad(x, (self.padding, 0)) if tail is None else torch.cat((tail, x), dim=-1)
        steps = max(0, (x.shape[-1] - self.span) // self.stride + 1)
        stream.keep(self, x[..., steps * self.stride :])
        if not steps:
            return x.new_empty(x.shape[0], self.weight.shape[0], 0)
        return functional.conv1d(x, self.weight, self.bias, self.stride, 0, self.dilation)


class Upsampling(nn.Module):
    """A transposed convolution over a stream, its kernel twice its rate: n steps become rate · n."""

    def __init__(self, inside: int, outside: int, rate: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inside, outside, 2 * rate))
        self.bias = nn.Parameter(torch.empty(outside))
        self.rate = rate
        nn.init.trunc_normal_(self.weight, std=0.02)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        if not x.shape[-1]:
            return x.new_empty(x.shape[0], self.weight.shape[1], 0)
        # Each step reaches `rate` samples into the next, so the step before the piece is gone through once more and cut off.
        before = stream.take(self)
        stream.keep(self, x[..., -1:])
        first = self.rate // 2 if before is None else self.rate
        x = x if before is None else torch.cat((before, x), dim=-1)
        y = functional.conv_transpose1d(x, self.weight, self.bias, self.rate)
        return y[..., first : -self.rate // 2] if stream.ends else y[..., first : -self.rate]


class ResidualUnit(nn.Module):
    """x plus two convolutions of it, the first one dilated."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.snake = Snake(channels)
        self.spread = Convolution(channels, channels, 7, dilation=dilation)
        self.inner_snake = Snake(channels)
        self.mix = Convolution(channels, channels, 1)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        y = self.mix(self.inner_snake(self.spread(self.snake(x), stream)), stream)
        # The convolution waits for the samples after; so must x.
        held = stream.take(self)
        x = x if held is None else torch.cat((held, x), dim=-1)
        stream.keep(self, x[..., y.shape[-1] :])
        return x[..., : y.shape[-1]] + y


class DownStage(nn.Module):
    """Residual units, then a strided convolution that doubles the channels."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.units = nn.ModuleList(ResidualUnit(channels, dilation) for dilation in DILATIONS)
        self.snake = Snake(channels)
        self.down = Convolution(channels, 2 * channels, 2 * stride, stride=stride)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        for unit in self.units:
            x = unit(x, stream)
        return self.down(self.snake(x), stream)  # type: ignore[no-any-return]


class UpStage(nn.Module):
    """A transposed convolution that halves the channels, then residual units."""

    def __init__(self, channels: int, rate: int) -> None:
        super().__init__()
        self.snake = Snake(channels)
        self.up = Upsampling(channels, channels // 2, rate)
        self.units = nn.ModuleList(ResidualUnit(channels // 2, dilation) for dilation in DILATIONS)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        x = self.up(self.snake(x), stream)
        for unit in self.units:
            x = unit(x, stream)
        return x


class Encoder(nn.Module):
    """Sound → mean and scale of the latents, raw."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        width = config.encoder_width
        self.enter = Convolution(config.audio_channels, width, 7)
        self.stages = nn.ModuleList(
            DownStage(width << stage, stride) for stage, stride in enumerate(config.encoder_strides)
        )
        width <<= len(config.encoder_strides)
        self.snake = Snake(width)
        self.leave = Convolution(width, width, 3)
        self.project = Convolution(width, 2 * config.latent_channels, 1)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        x = self.enter(x, stream)
        for stage in self.stages:
            x = stage(x, stream)
        return self.project(self.leave(self.snake(x), stream), stream)  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """Latents → sound."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        width = config.decoder_width
        self.enter = Convolution(config.latent_channels, width, 7)
        self.stages = nn.ModuleList(UpStage(width >> stage, rate) for stage, rate in enumerate(config.decoder_rates))
        width >>= len(config.decoder_rates)
        self.snake = Snake(width)
        self.leave = Convolution(width, config.audio_channels, 7)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        x = self.enter(x, stream)
        for stage in self.stages:
            x = stage(x, stream)
        return torch.tanh(self.leave(self.snake(x), stream))


class Autoencoder(nn.Module):
    """Sound to latents and back; `most_latents` is the size of the pieces, in latents, that go through at a time."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def encode_moments(self, audio: Tensor, most_latents: int | None = None) -> Tensor:
        """Raw mean and scale, (batch, 2 · latent channels, n); the sound is filled up with silence to whole latents."""
        audio = functional.pad(audio, (0, -audio.shape[-1] % self.config.downsampling))
        piece = self._piece(audio, most_latents) * self.config.downsampling
        return _through(self.encoder, audio, piece)

    def encode(self, audio: Tensor, noise: Tensor | None = None, most_latents: int | None = None) -> Tensor:
        """Latents of a sound: their mean or, with standard normal noise of their shape, a draw around it."""
        mean, scale = self.encode_moments(audio, most_latents).chunk(2, dim=1)
        return mean if noise is None else mean + noise * (functional.softplus(scale) + 1e-4)

    def decode(self, latents: Tensor, most_latents: int | None = None) -> Tensor:
        """The sound of latents, (batch, channels, n · downsampling), within ±1."""
        return _through(self.decoder, latents, self._piece(latents, most_latents))

    def _piece(self, x: Tensor, most_latents: int | None) -> int:
        if most_latents is not None:
            return max(1, most_latents)
        return 32 if x.device.type == "cpu" else 512


def _through(network: nn.Module, x: Tensor, piece: int) -> Tensor:
    """What the network makes of x, fed piece by piece."""
    stream = Stream()
    out = []
    for start in range(0, x.shape[-1], piece):
        stream.ends = start + piece >= x.shape[-1]
        out.append(network(x[..., start : start + piece], stream))
    return torch.cat(out, dim=-1)
