"""What VidMuse sees: frames of film → tokens that the decoder of music attends to.

CLIP's vision tower (Radford et al., "Learning transferable visual models from natural language supervision", 2021) makes
`places` tokens of each frame: one for the whole and one for each square of pixels. Two streams read them: the local one the
frames of the window that is scored, the overall one a few frames of the whole film. Then what the window shows asks what the
film shows (Tian et al., "VidMuse: a simple video-to-music generation framework with long-short-term modeling", 2024).

The published code, and so the published weights, let a stream attend over the places of one frame at a time
(`attends="patches"`): nothing there knows the order of frames, the tokens of a frame do not depend on the other frames of its
stream, and a black film comes to the same tokens for every frame. The paper describes attention within the whole clip and
within the whole film; `attends="time"` takes it at its word, for those who train. That a place attends to the same place of
every frame, and that times are added as sinusoids, is ours: so the weights have the same names and shapes either way.

Frames of pixels are uint8 (n, height, width, 3), RGB; features and a stream's tokens (n, places, width), in order of frames.
"""

from dataclasses import dataclass
from typing import Literal, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from reelscore.models.products import linear, linear_gelu, on_bare_cpu

Attends = Literal["patches", "time"]
"""Over what a stream attends: the places of one frame, or the frames at one place."""
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
"""Of the red, green and blue, from 0 to 1, of the pictures that CLIP learned from (its `preprocessor_config.json`)."""
PICTURES_PER_SECOND = 2
"""How often a window's footage is looked at."""
LONGEST_PERIOD = 10_000.0
"""Of the sinusoids that tell times, in seconds over 2π; the shortest is 1."""
FRAMES_AT_ONCE = 32
"""Frames that go through the tower at once."""
ROWS_AT_ONCE = 512
"""Tokens that go through a stream at once on a CPU, in whole groups: more are no faster."""


@dataclass(frozen=True)
class VisualConfig:
    """The sizes of the visual side; as it stands, CLIP ViT-B/32 before VidMuse's medium decoder."""

    dim: int = 1536
    """Width of the tokens that come out: the decoder's."""
    width: int = 768
    clip_layers: int = 12
    clip_heads: int = 12
    clip_inner: int = 3072
    image_size: int = 224
    patch_size: int = 32
    depth: int = 2
    heads: int = 24
    head_dim: int = 64
    inner: int = 3072
    fusion_heads: int = 3
    attends: Attends = "patches"
    local_frames: int = 60
    """Of a window of 30 s."""
    global_frames: int = 32
    """Of the whole film."""

    def __post_init__(self) -> None:
        if self.image_size % self.patch_size:
            raise ValueError(f"frames of {self.image_size} pixels cannot be cut into squares of {self.patch_size}")
        for what, heads in (("a tower", self.clip_heads), ("a fusion", self.fusion_heads)):
            if self.width % heads:
                raise ValueError(f"{what} of width {self.width} cannot be split into {heads} heads")
        if self.attends == "time" and self.width % 2:
            raise ValueError(f"times cannot be told in tokens of the odd width {self.width}")

    @property
    def places(self) -> int:
        """Tokens of a frame: the whole, then the squares of pixels row by row."""
        return (self.image_size // self.patch_size) ** 2 + 1


class StreamLayer(nn.Module):
    """Self-attention and two linear maps, each behind a norm and added to what it was given."""

    def __init__(self, width: int, heads: int, head_dim: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * heads * head_dim, bias=False)
        self.out = nn.Linear(heads * head_dim, width)
        self.norm_feed = nn.LayerNorm(width)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """x (groups, n, width), where a group attends to itself → the same shape."""
        x = x + self._attended(self.norm_attention(x))
        inner = linear_gelu(self.norm_feed(x), self.widen.weight, self.widen.bias)
        return x + linear(inner, self.narrow.weight, self.narrow.bias)

    def _attended(self, x: Tensor) -> Tensor:
        groups, length, _ = x.shape
        asked = linear(x, self.qkv.weight).view(groups, length, 3, self.heads, -1)
        queries, keys, values = asked.permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(queries, keys, values)
        return linear(found.transpose(1, 2).flatten(2), self.out.weight, self.out.bias)


class Stream(nn.Module):
    """A stack of layers and a norm behind it."""

    def __init__(self, config: VisualConfig) -> None:
        super().__init__()
        sizes = (config.width, config.heads, config.head_dim, config.inner)
        self.layers = nn.ModuleList(StreamLayer(*sizes) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor) -> Tensor:
        """x (groups, n, width), where a group attends to itself → the same shape."""
        if not on_bare_cpu(x):
            return self._through(x)
        made = torch.empty_like(x)
        at_once = max(ROWS_AT_ONCE // x.shape[1], 1)
        for first in range(0, len(x), at_once):
            made[first : first + at_once] = self._through(x[first : first + at_once])
        return made

    def _through(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return cast(Tensor, self.norm(x))


class Fusion(nn.Module):
    """Attention from the local stream to the overall one, then a linear map, each added to what it was given, with a norm
    behind."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.queries = nn.Linear(width, width)
        self.keys = nn.Linear(width, width)
        self.values = nn.Linear(width, width)
        self.mix = nn.Linear(width, width)
        self.norm_found = nn.LayerNorm(width)
        self.norm_mixed = nn.LayerNorm(width)
        # Who trains begins with a map that changes nothing.
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)

    def forward(self, local: Tensor, overall: Tensor) -> Tensor:
        """local (n, width) and overall (m, width) → (n, width)."""
        queries = self._split(local, self.queries)
        keys, values = self._split(overall, self.keys), self._split(overall, self.values)
        # A batch of one: the kernels that keep no table of n × m scores want four dimensions.
        found = functional.scaled_dot_product_attention(queries[None], keys[None], values[None])[0]
        x = self.norm_found(found.transpose(0, 1).flatten(1) + local)
        return cast(Tensor, self.norm_mixed(linear(x, self.mix.weight, self.mix.bias) + x))

    def _split(self, x: Tensor, by: nn.Linear) -> Tensor:
        return linear(x, by.weight, by.bias).view(len(x), self.heads, -1).transpose(0, 1)


class Visual(nn.Module):
    """The whole visual side. CLIP is frozen; gradients reach everything behind it."""

    def __init__(self, config: VisualConfig) -> None:
        super().__init__()
        self.config = config
        self.clip = _tower(config).requires_grad_(False)
        self.local_position = nn.Parameter(torch.randn(1, config.places, config.width))
        self.global_position = nn.Parameter(torch.randn(1, config.places, config.width))
        self.local = Stream(config)
        self.across = Stream(config)
        self.fusion = Fusion(config.width, config.fusion_heads)
        self.project = nn.Linear(config.width, config.dim)
        self._black: dict[tuple[int, torch.device, torch.dtype], Tensor] = {}
        self.register_load_state_dict_post_hook(lambda module, _: module._black.clear())  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def features(self, pixels: Tensor) -> Tensor:
        """CLIP's tokens (n, places, width) of frames (n, image_size, image_size, 3), on the weights' device and of their
        kind. No gradient flows from here."""
        return torch.cat([self._seen(some) for some in torch.split(pixels, FRAMES_AT_ONCE)])

    def local_tokens(self, features: Tensor, times: Tensor | None = None) -> Tensor:
        """What the local stream makes of its frames' features: the same shape.

        With attends="patches" each frame's tokens are its own, so neighbouring windows may share them. With "time" the
        times (n,) must be given, in seconds from the start of the window.
        """
        return self._streamed(self.local, features + self.local_position, times)

    def overall_tokens(self, features: Tensor, times: Tensor | None = None) -> Tensor:
        """The same for the overall stream; times before the window are below zero."""
        return self._streamed(self.across, features + self.global_position, times)

    def fused(self, local: Tensor, overall: Tensor) -> Tensor:
        """The conditioning tokens (frames * places, dim) of a window from the tokens of its frames and of the film's."""
        found = self.fusion(local.flatten(0, 1), overall.flatten(0, 1))
        return linear(found, self.project.weight, self.project.bias)

    def embed(
        self,
        local: Tensor,
        overall: Tensor,
        *,
        local_times: Tensor | None = None,
        overall_times: Tensor | None = None,
    ) -> Tensor:
        """The conditioning tokens (frames * places, dim) of a window from the features of its frames and of the film's;
        times as the two streams want them."""
        return self.fused(self.local_tokens(local, local_times), self.overall_tokens(overall, overall_times))

    def null(self, frames: int = 1) -> Tensor:
        """The conditioning tokens of a black film.

        With attends="patches" (places, dim) whatever the frames: for attention, tokens that repeat are no different from
        these. With "time" (frames * places, dim), the film being as long as the window. Remembered where no gradient is
        asked for.
        """
        frames = frames if self.config.attends == "time" else 1
        if torch.is_grad_enabled():
            return self._made_of_black(frames)
        wanted = frames, self.local_position.device, self.local_position.dtype
        if wanted not in self._black:
            self._black[wanted] = self._made_of_black(frames)
        return self._black[wanted]

    def train(self, mode: bool = True) -> Self:
        """As usual, but the tower never trains."""
        self._black.clear()
        super().train(mode)
        self.clip.eval()
        return self

    def _seen(self, pixels: Tensor) -> Tensor:
        shares = pixels.to(self.local_position.device).permute(0, 3, 1, 2).float() / 255
        mean, deviation = (shares.new_tensor(each).view(3, 1, 1) for each in (MEAN, DEVIATION))
        seen = self.clip(pixel_values=(shares - mean) / deviation)
        return cast(Tensor, seen.last_hidden_state)

    def _streamed(self, stream: Stream, x: Tensor, times: Tensor | None) -> Tensor:
        if self.config.attends == "patches":
            return cast(Tensor, stream(x))
        if times is None:
            raise ValueError("a model that attends over time must be told the times of its frames")
        told = x + _told(times, x)
        return cast(Tensor, stream(told.transpose(0, 1)).transpose(0, 1))

    def _made_of_black(self, frames: int) -> Tensor:
        side = self.config.image_size
        black = self.features(torch.zeros(1, side, side, 3, dtype=torch.uint8)).expand(frames, -1, -1)
        times = torch.arange(frames) / PICTURES_PER_SECOND
        return self.embed(black, black, local_times=times, overall_times=times)


def _told(times: Tensor, x: Tensor) -> Tensor:
    """Times (n,) as sinusoids (n, 1, width), of the kind that x is (Vaswani et al., "Attention is all you need", 2017)."""
    half = x.shape[-1] // 2
    slower = LONGEST_PERIOD ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angles = times.to(slower)[:, None, None] * slower
    return torch.cat([angles.cos(), angles.sin()], dim=-1).to(x.dtype)


def _tower(config: VisualConfig) -> nn.Module:
    """CLIP's vision tower without the norm and the map that the published files hold too and nobody reads."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    sizes = CLIPVisionConfig(
        hidden_size=config.width,
        num_hidden_layers=config.clip_layers,
        num_attention_heads=config.clip_heads,
        intermediate_size=config.clip_inner,
        image_size=config.image_size,
        patch_size=config.patch_size,
        hidden_act="quick_gelu",
    )
    tower = CLIPVisionModel(sizes)
    tower.add_module("post_layernorm", nn.Identity())
    return tower
