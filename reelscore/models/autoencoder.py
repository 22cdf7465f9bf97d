"""The autoencoder between sound and latents: snake activations, dilated residual units, strided convolutions, a Gaussian bottleneck.

Sound is (batch, channels, samples) in ±1; latents are (batch, latent channels, n), one for every `downsampling` samples.
Sound goes through piece by piece: every layer keeps the few samples at the end of a piece that the next one needs (a `Stream`),
so the result does not depend on the size of the pieces, nothing is computed twice, and memory grows by the result alone.

A network that takes no gradient is called under `torch.inference_mode()` or with its parameters frozen, else the pieces stay
in memory for the way back.

After Kumar et al., High-Fidelity Audio Compression with Improved RVQGAN (arXiv 2306.06546), with the codebooks replaced by the
bottleneck of a variational autoencoder. Weight norm is folded into plain weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

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
        for name in ("audio_channels", "latent_channels", "encoder_width", "decoder_width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        for name in ("encoder_strides", "decoder_rates"):
            strides = getattr(self, name)
            if not strides or any(stride < 2 or stride % 2 for stride in strides):
                raise ValueError(f"{name} is {list(strides)}; it must hold even numbers.")
        if prod(self.encoder_strides) != self.downsampling:
            raise ValueError(
                f"encoder_strides multiply to {prod(self.encoder_strides)} and decoder_rates to {self.downsampling};"
                " they must agree."
            )
        if self.decoder_width % (halvings := 2 ** len(self.decoder_rates)):
            raise ValueError(f"decoder_width is {self.decoder_width}; it must be a multiple of {halvings}.")

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

    def begins(self, layer: nn.Module) -> bool:
        """Whether the piece is the first that comes to the layer."""
        return layer not in self._tails

    def joined(self, layer: nn.Module, x: Tensor, zeros: int = 0) -> Tensor:
        """The piece after what the layer kept of the one before; so many zeros stand before the first and after the last."""
        if not self.begins(layer):
            x = torch.cat((self._tails[layer], x), dim=-1)
        elif zeros:
            x = functional.pad(x, (zeros, 0))
        return functional.pad(x, (0, zeros)) if self.ends and zeros else x

    def keep(self, layer: nn.Module, tail: Tensor) -> None:
        """Keeps the end of a piece for the next one, as a copy, so that the piece itself can go."""
        self._tails[layer] = tail.clone()


class Layer(NamedTuple):
    """A layer of a network that sound flows through."""

    run: Callable[[Tensor, Stream], Tensor]
    load: int
    """Numbers in the largest tensor it makes, for each step that goes in."""


class Snake(nn.Module):
    """x + sin²(αx)/α, one α a channel (Liu et al., arXiv 2006.08195)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        wave = (self.alpha * x).sin_().square_()
        return torch.addcmul(x, wave, (self.alpha + 1e-9).reciprocal())


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
        x = stream.joined(self, x, self.padding)
        steps = max(0, (x.shape[-1] - self.span) // self.stride + 1)
        stream.keep(self, x[..., steps * self.stride :])
        if not steps:
            return x.new_empty(x.shape[0], self.weight.shape[0], 0)
        return functional.conv1d(x, self.weight, self.bias, self.stride, 0, self.dilation)


class Mix(nn.Conv1d):
    """A convolution within each step, which needs no memory; a piece may be too short to hold a step."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if x.shape[-1] else x.new_empty(x.shape[0], self.out_channels, 0)


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
        inside, outside, _ = self.weight.shape
        if not x.shape[-1]:
            return x.new_empty(x.shape[0], outside, 0)
        begins = stream.begins(self)
        x = stream.joined(self, x, 1)
        stream.keep(self, x[..., -1:])
        # Every output is the first half of the kernel at its step and the second half at the step before. As a product of
        # matrices this is several times as fast as a transposed convolution of few steps and many channels.
        halves = (x.transpose(1, 2) @ self.weight.view(inside, -1)).view(x.shape[0], -1, outside, 2, self.rate)
        y = halves[:, 1:, :, 0] + halves[:, :-1, :, 1] + self.bias[:, None]
        y = y.transpose(1, 2).reshape(x.shape[0], outside, -1)
        cut = self.rate // 2
        return y[..., cut if begins else 0 : -cut if stream.ends else None]


class ResidualUnit(nn.Module):
    """x plus two convolutions of it, the first one dilated."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.snake = Snake(channels)
        self.spread = Convolution(channels, channels, 7, dilation=dilation)
        self.inner_snake = Snake(channels)
        self.mix = Mix(channels, channels, 1)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        y = self.mix(self.inner_snake(self.spread(self.snake(x), stream)))
        # The convolution waits for the samples after; so must x.
        x = stream.joined(self, x)
        stream.keep(self, x[..., y.shape[-1] :])
        return y.add_(x[..., : y.shape[-1]])  # type: ignore[no-any-return]


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
        self.project = Mix(width, 2 * config.latent_channels, 1)

    def layers(self) -> list[Layer]:
        """Its layers in order."""
        width = len(self.enter.bias)
        stages = [Layer(stage, width << place) for place, stage in enumerate(self.stages)]
        return [Layer(self.enter, width), *stages, Layer(self._end, len(self.leave.bias))]

    def _end(self, x: Tensor, stream: Stream) -> Tensor:
        return self.project(self.leave(self.snake(x), stream))  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """Latents → sound."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        width = config.decoder_width
        self.enter = Convolution(config.latent_channels, width, 7)
        self.rates = config.decoder_rates
        self.stages = nn.ModuleList(UpStage(width >> stage, rate) for stage, rate in enumerate(config.decoder_rates))
        width >>= len(config.decoder_rates)
        self.snake = Snake(width)
        self.leave = Convolution(width, config.audio_channels, 7)

    def layers(self) -> list[Layer]:
        """Its layers in order."""
        width = len(self.enter.bias)
        stages = [Layer(stage, (width >> place + 1) * self.rates[place]) for place, stage in enumerate(self.stages)]
        return [Layer(self.enter, width), *stages, Layer(self._end, width >> len(stages))]

    def _end(self, x: Tensor, stream: Stream) -> Tensor:
        return torch.tanh(self.leave(self.snake(x), stream))


class Autoencoder(nn.Module):
    """Sound to latents and back; `most_latents`, where given, go through at a time."""

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def encode_moments(self, audio: Tensor, most_latents: int | None = None) -> Tensor:
        """Raw mean and scale, (batch, 2 · latent channels, n); the sound is filled up with silence to whole latents."""
        samples = self.config.downsampling
        audio = functional.pad(audio, (0, -audio.shape[-1] % samples))
        return _through(self.encoder.layers(), audio, samples * (most_latents or _usual_latents(audio)))

    def encode(self, audio: Tensor, noise: Tensor | None = None, most_latents: int | None = None) -> Tensor:
        """Latents of a sound: their mean or, with standard normal noise of their shape, a draw around it."""
        mean, scale = self.encode_moments(audio, most_latents).chunk(2, dim=1)
        return mean if noise is None else mean + noise * (functional.softplus(scale) + 1e-4)

    def decode(self, latents: Tensor, most_latents: int | None = None) -> Tensor:
        """The sound of latents, (batch, channels, n · downsampling), within ±1."""
        return _through(self.decoder.layers(), latents, most_latents or _usual_latents(latents))


# On a CPU, small enough that what goes from step to step within a layer is found near, large enough that weights are read
# and threads are woken seldom: both ways from here it was slower. A GPU has no use for small parts; there only memory
# counts, some 3 MiB a latent in float32.
LATENTS_ON_CPU, LATENTS_ON_GPU = 128, 512
NUMBERS_A_PART = 2**20
"""In the largest tensor that a part is turned into, for each thread."""


def _usual_latents(x: Tensor) -> int:
    return max(1, (LATENTS_ON_CPU if x.device.type == "cpu" else LATENTS_ON_GPU) // x.shape[0])


def _through(layers: list[Layer], x: Tensor, most_steps: int) -> Tensor:
    """What the layers make of x, fed in pieces of at most so many steps."""
    stream, out = Stream(), []
    pieces = torch.split(x, most_steps, dim=-1)
    for place, piece in enumerate(pieces):
        y = piece
        for layer in layers:
            y = _in_parts(layer, y, stream, ends=place == len(pieces) - 1)
        out.append(y)
    return torch.cat(out, dim=-1)


def _in_parts(layer: Layer, x: Tensor, stream: Stream, *, ends: bool) -> Tensor:
    """What one layer makes of a piece; on a CPU in parts."""
    most_steps = x.shape[-1]
    if x.device.type == "cpu":
        most_steps = torch.get_num_threads() * NUMBERS_A_PART // (layer.load * x.shape[0])
    parts, out = torch.split(x, max(1, most_steps), dim=-1), []
    for place, part in enumerate(parts):
        stream.ends = ends and place == len(parts) - 1
        out.append(layer.run(part, stream))
    return torch.cat(out, dim=-1)
