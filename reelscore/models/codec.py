"""The codec between sound and codes: EnCodec for music at 32 kHz, four codebooks of 2048 and 50 frames a second.

Codes are int64 (b, codebooks, n), sound is (b, channels, samples), one frame for every `hop_samples`. Inside, tensors are
(b, n, features), where every layer is a product of matrices or a convolution that the CPU is fast at.

Sound and codes go through in pieces, and memory does not grow with their length: what remembers (the LSTM) hands its state
on, and what looks around (the convolutions) gets each piece with as many steps beside it as it can see. The result is that
of the whole, up to rounding, whatever the size of the pieces. A network that takes no gradient must be called without one
(frozen, or under `torch.no_grad()`), else the pieces stay in memory for the way back.

After Défossez et al., High Fidelity Neural Audio Compression (arXiv 2210.13438), as MusicGen uses it (Copet et al., arXiv
2306.05284): convolutions that look both ways, no shortcuts, weight norm folded into plain weights. Stereo is two channels
that are coded alone; their codebooks lie in turns, left first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from reelscore.models.codec_layers import (
    Convolution,
    Recurrence,
    ResidualUnit,
    Seen,
    Upsampling,
    in_context,
    seen_through,
)
from reelscore.models.products import linear


@dataclass(frozen=True)
class CodecConfig:
    """Sizes of the networks; the defaults are those of facebook/encodec_32khz. Raises ValueError, naming the field."""

    sample_rate: int = 32000
    channels: int = 1
    codebooks: int = 4
    """Of all channels together."""
    cardinality: int = 2048
    """Entries of a codebook."""
    width: int = 128
    """Features of an entry."""
    filters: int = 64
    """Features beside the sound; every stage towards the codes doubles them."""
    rates: tuple[int, ...] = (8, 5, 4, 4)
    """How many steps each stage makes of one, from the codes to the sound."""
    kernel: int = 7
    last_kernel: int = 7
    residual_kernel: int = 3
    residual_layers: int = 1
    dilation_growth: int = 2
    compress: int = 2
    """How many times fewer features there are inside a residual unit."""
    lstm_layers: int = 2

    def __post_init__(self) -> None:
        if self.channels not in (1, 2):
            raise ValueError(f"channels is {self.channels}; it must be 1 or 2.")
        if self.codebooks < 1 or self.codebooks % self.channels:
            raise ValueError(f"codebooks is {self.codebooks}; it must be a multiple of channels, {self.channels}.")
        if not self.rates or min(self.rates) < 2:
            raise ValueError(f"rates is {list(self.rates)}; it must hold numbers above 1.")
        for name in ("kernel", "last_kernel", "residual_kernel"):
            if getattr(self, name) % 2 == 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be odd.")
        if self.filters % self.compress:
            raise ValueError(f"filters is {self.filters}; it must be a multiple of compress, {self.compress}.")
        if self.sample_rate % self.hop_samples:
            raise ValueError(f"sample_rate is {self.sample_rate}; it must be a multiple of {self.hop_samples}.")

    @property
    def hop_samples(self) -> int:
        """Samples to a frame."""
        return prod(self.rates)

    @property
    def frame_rate(self) -> int:
        """Frames a second."""
        return self.sample_rate // self.hop_samples


class DownStage(nn.Module):
    """Residual units, then a strided convolution that doubles the features."""

    def __init__(self, features: int, rate: int, config: CodecConfig) -> None:
        super().__init__()
        self.units = _units(features, config)
        self.down = Convolution(features, 2 * features, 2 * rate, stride=rate)

    def forward(self, x: Tensor) -> Tensor:
        for unit in self.units:
            x = unit(x)
        return self.down(functional.elu(x))  # type: ignore[no-any-return]

    def sees(self, made: Seen) -> Seen:
        """What those steps of the result are made of."""
        return seen_through(self.units, self.down.sees(made))


class UpStage(nn.Module):
    """A transposed convolution that halves the features, then residual units."""

    def __init__(self, features: int, rate: int, config: CodecConfig) -> None:
        super().__init__()
        self.up = Upsampling(features, features // 2, rate)
        self.units = _units(features // 2, config)

    def forward(self, x: Tensor) -> Tensor:
        x = self.up(functional.elu(x))
        for unit in self.units:
            x = unit(x)
        return x

    def sees(self, made: Seen) -> Seen:
        """What those steps of the result are made of."""
        return self.up.sees(seen_through(self.units, made))


class Encoder(nn.Module):
    """Sound of one channel (b, samples, 1) → what the codebooks are searched for, (b, n, width)."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        features = config.filters
        self.hop_samples = config.hop_samples
        self.enter = Convolution(1, features, config.kernel)
        self.stages = nn.ModuleList(
            DownStage(features << place, rate, config) for place, rate in enumerate(reversed(config.rates))
        )
        features <<= len(config.rates)
        self.recurrence = Recurrence(features, config.lstm_layers)
        self.leave = Convolution(features, config.width, config.last_kernel)

    def shrink(self, x: Tensor) -> Tensor:
        """Sound → one step for every frame."""
        x = self.enter(x)
        for stage in self.stages:
            x = stage(x)
        return x

    def forward(self, pieces: Iterable[Tensor]) -> Iterator[Tensor]:
        """Each piece but the last has whole frames."""
        hop, around = self.hop_samples, self.reach()
        frames = (
            self.shrink(window.x)[:, window.begin // hop : -(-window.end // hop)]
            for window in in_context(pieces, around * hop)
        )
        for window in in_context(self.recurrence(frames), self.leave.before):
            yield self.leave(functional.elu(window.x))[:, window.begin : window.end]

    def reach(self) -> int:
        """How many frames before and after it have a part in a frame, without the LSTM's memory."""
        seen = self.enter.sees(seen_through(self.stages, Seen(0, 0)))
        return max(-(seen.first // self.hop_samples), seen.last // self.hop_samples)


class Decoder(nn.Module):
    """Entries of the codebooks, added, (b, n, width) → sound of one channel (b, samples, 1)."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        features = config.filters << len(config.rates)
        self.hop_samples = config.hop_samples
        self.enter = Convolution(config.width, features, config.kernel)
        self.recurrence = Recurrence(features, config.lstm_layers)
        self.stages = nn.ModuleList(UpStage(features >> place, rate, config) for place, rate in enumerate(config.rates))
        self.leave = Convolution(config.filters, 1, config.last_kernel)

    def grow(self, x: Tensor) -> Tensor:
        """What the LSTM said of each frame → sound."""
        for stage in self.stages:
            x = stage(x)
        return self.leave(functional.elu(x))  # type: ignore[no-any-return]

    def forward(self, pieces: Iterable[Tensor]) -> Iterator[Tensor]:
        """Sound, piece by piece."""
        entered = (
            self.enter(window.x)[:, window.begin : window.end] for window in in_context(pieces, self.enter.before)
        )
        for window in in_context(self.recurrence(entered), self.reach()):
            yield self.grow(window.x)[:, window.begin * self.hop_samples : window.end * self.hop_samples]

    def reach(self) -> int:
        """How many frames before and after it have a part in the sound of a frame, without the LSTM's memory."""
        seen = seen_through(self.stages, self.leave.sees(Seen(0, self.hop_samples - 1)))
        return max(-seen.first, seen.last)


# On a CPU, few enough that what goes from layer to layer is found near, and enough that weights are read seldom. A GPU has
# no use for small pieces; there only memory counts, some 1 MiB a frame in float32.
FRAMES_ON_CPU, FRAMES_ON_GPU = 128, 1024


class Codec(nn.Module):
    """Sound to codes and back; one that does not encode has the way back alone."""

    def __init__(self, config: CodecConfig, *, encodes: bool = True) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config) if encodes else None
        self.codebooks_of_channel = nn.ModuleList(
            nn.Embedding(config.cardinality, config.width) for _ in range(config.codebooks // config.channels)
        )
        self.decoder = Decoder(config)

    @property
    def sample_rate(self) -> int:
        """Samples a second."""
        return self.config.sample_rate

    @property
    def frame_rate(self) -> int:
        """Frames a second."""
        return self.config.frame_rate

    @property
    def hop_samples(self) -> int:
        """Samples to a frame."""
        return self.config.hop_samples

    @property
    def codebooks(self) -> int:
        """Codebooks of all channels."""
        return self.config.codebooks

    @property
    def channels(self) -> int:
        """1 or 2."""
        return self.config.channels

    def decode(self, codes: Tensor, frames: int | None = None) -> Tensor:
        """The sound of codes (b, codebooks, n), (b, channels, n · hop_samples); `frames`, if given, at a time."""
        nothing = self.decoder.leave.bias.new_zeros(len(codes), self.channels, 0)
        return torch.cat([nothing, *self.decode_pieces(codes, frames)], dim=-1)

    def decode_pieces(self, codes: Tensor, frames: int | None = None) -> Iterator[Tensor]:
        """The same sound in pieces of so many frames, the last one of what is left; each is made when it is asked for."""
        rows = self._channels_as_rows(codes)
        pieces = _split(rows, frames or _usual_frames(rows), dim=2)
        for sound in self.decoder(self._entries(piece) for piece in pieces):
            yield sound.reshape(len(codes), self.channels, -1)

    def encode(self, audio: Tensor, frames: int | None = None) -> Tensor:
        """The codes of a sound (b, channels, samples), (b, codebooks, ⌈samples / hop_samples⌉)."""
        if self.encoder is None:
            raise ValueError("this codec does not encode")
        rows = audio.flatten(0, 1).unsqueeze(-1)
        pieces = _split(rows, (frames or _usual_frames(rows)) * self.hop_samples, dim=1)
        books = len(self.codebooks_of_channel)
        nothing = torch.zeros(len(rows), books, 0, dtype=torch.int64, device=audio.device)
        codes = torch.cat([nothing, *(self._nearest(x) for x in self.encoder(pieces))], dim=-1)
        return codes.view(len(audio), self.channels, books, codes.shape[-1]).transpose(1, 2).flatten(1, 2)

    def _channels_as_rows(self, codes: Tensor) -> Tensor:
        """(b, codebooks, n) → (b · channels, codebooks of one, n)."""
        b, _, n = codes.shape
        return codes.reshape(b, len(self.codebooks_of_channel), self.channels, n).transpose(1, 2).flatten(0, 1)

    def _entries(self, codes: Tensor) -> Tensor:
        """The sum of the entries that codes of one channel name, (b, n, width)."""
        entries = [book(codes[:, place]) for place, book in enumerate(self.codebooks_of_channel)]
        return torch.stack(entries).sum(0)

    def _nearest(self, x: Tensor) -> Tensor:
        """The codes of (b, n, width): in each codebook the entry nearest to what those before have left."""
        codes = []
        for book in self.codebooks_of_channel:
            entries = cast(nn.Embedding, book).weight
            # Squared distances, but for the square of x, which is the same for every entry.
            distances = entries.square().sum(1) - 2 * linear(x, entries)
            codes.append(distances.argmin(-1))
            x = x - entries[codes[-1]]
        return torch.stack(codes, dim=1)


def _units(features: int, config: CodecConfig) -> nn.ModuleList:
    return nn.ModuleList(
        ResidualUnit(features, features // config.compress, config.residual_kernel, config.dilation_growth**place)
        for place in range(config.residual_layers)
    )


def _split(x: Tensor, steps: int, dim: int) -> Sequence[Tensor]:
    """x in pieces of so many steps, none of them empty."""
    return torch.split(x, steps, dim) if x.shape[dim] else ()


def _usual_frames(rows: Tensor) -> int:
    return max(1, (FRAMES_ON_CPU if rows.device.type == "cpu" else FRAMES_ON_GPU) // max(1, len(rows)))
