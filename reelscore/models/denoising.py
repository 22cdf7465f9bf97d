"""From noisy latents to clean ones: the v-network as a denoiser, with guidance towards a context and away from another.

Noisy latents are x = clean + sigma * noise, as samplers see them (float32). The network was trained on the arc
cos(a) * clean + sin(a) * noise, told t = a * 2/pi, and answers v = cos(a) * noise - sin(a) * clean (Salimans & Ho 2022);
tan(a) = sigma carries one over to the other. Whatever number format the network runs in, x, sigma, guidance and the result
stay float32.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from reelscore.models.conditioning import Context
from reelscore.models.unet import Memory


@dataclass(frozen=True)
class Guidance:
    """How strongly the music obeys the prompt."""

    scale: float = 6.0
    """How far to go from the answer to no prompt (or the negative one) towards the answer to the prompt; at 1 only the latter is asked for."""
    rescale: float = 0.4
    """Share of the result that is brought back to the spread of the answer to the prompt, against overdriven sound."""


class Network(Protocol):
    """What is asked of the U-Net: v of x (b, channels, n) under each of the k contexts of its rows, (k * b, channels, n)."""

    @property
    def null_context(self) -> Tensor: ...

    def read_context(self, tokens: Tensor, mask: Tensor) -> Memory: ...

    def __call__(self, x: Tensor, t: Tensor, memory: Memory) -> Tensor: ...


class Denoiser:
    """Clean latents from noisy ones, each row under one of the contexts that were read at the start.

    `positive` holds one or more contexts, `negative` one for all of them or one for each. A negative prompt acts with its own
    tokens under its own mask. `as_published` does what the reference does: places that the negative prompt leaves empty hold
    the null context, and all of it lies under the mask of the positive prompt, so that what is longer than that is not heard.
    Without a negative prompt the null context, always under the mask of the positive one, as in training, stands in its place.
    """

    def __init__(
        self,
        unet: Network,
        positive: Context,
        negative: Context | None = None,
        guidance: Guidance = Guidance(),
        *,
        as_published: bool = False,
    ) -> None:
        self.unet = unet
        self.guidance = guidance
        self.contexts = len(positive.tokens)
        if negative is not None and len(negative.tokens) not in (1, self.contexts):
            raise ValueError(f"{self.contexts} contexts take 1 or as many negative ones, not {len(negative.tokens)}")
        self._towards = self._read(positive)
        self._away: Memory | None = None
        if guidance.scale != 1:
            self._away = self._read(_opposite(positive, negative, unet.null_context, as_published))
        self._rows: tuple[int, ...] = ()
        self._memory: Memory | None = None

    @property
    def dtype(self) -> torch.dtype:
        """The number format that the network runs in."""
        return self.unet.null_context.dtype

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        """Clean latents of x (b, channels, n) with noise of deviation sigma: row i under context i, or all under the only one."""
        rows = range(self.contexts) if self.contexts > 1 else [0] * len(x)
        return self.under(x, sigma, rows)

    @torch.no_grad()
    def under(self, x: Tensor, sigma: float, rows: Sequence[int]) -> Tensor:
        """The same, row i under context rows[i]."""
        if len(rows) != len(x):
            raise ValueError(f"{len(x)} rows of latents need as many contexts, not {len(rows)}")
        reach = math.hypot(1.0, sigma)
        t = torch.full((len(x),), math.atan(sigma) * 2 / math.pi, dtype=torch.float32, device=x.device)
        # The memory has twice the rows of x: the network denoises each row under both of its contexts.
        v = self.unet((x / reach).to(self.dtype), t, self._memory_of(tuple(rows))).to(x.dtype)
        if self._away is not None:
            towards, away = v.chunk(2)
            v = guided(towards, away, self.guidance)
        return x / (reach * reach) - v * (sigma / reach)

    def _read(self, context: Context) -> Memory:
        home = self.unet.null_context
        with torch.no_grad():
            return self.unet.read_context(context.tokens.to(home), context.mask.to(home))

    def _memory_of(self, rows: tuple[int, ...]) -> Memory:
        """The rows under their contexts, then the same rows under the opposites; the last answer is kept."""
        if self._memory is None or rows != self._rows:
            halves = [half.rows(rows) for half in (self._towards, self._away) if half is not None]
            self._rows, self._memory = rows, Memory.joined(halves) if len(halves) > 1 else halves[0]
        return self._memory


def guided(towards: Tensor, away: Tensor, guidance: Guidance) -> Tensor:
    """v beyond the answer to the prompt, seen from the answer to the other; (b, channels, n) each.

    Rescaled as by Lin et al. 2024, "Common diffusion noise schedules and sample steps are flawed", but place by place: the
    deviation is that over the channels.
    """
    v = away + (towards - away) * guidance.scale
    if guidance.rescale:
        excess = towards.std(dim=1, keepdim=True) / v.std(dim=1, keepdim=True).clamp_min(1e-12)
        v = v * (guidance.rescale * excess + (1 - guidance.rescale))
    return v


def stacked(contexts: Sequence[Context]) -> Context:
    """Several contexts as the rows of one."""
    return Context(torch.cat([one.tokens for one in contexts]), torch.cat([one.mask for one in contexts]))


def _opposite(positive: Context, negative: Context | None, null: Tensor, as_published: bool) -> Context:
    """What the guidance leads away from, a row for each context."""
    nothing = null.expand(len(positive.tokens), -1, -1)
    if negative is None:
        return Context(nothing, positive.mask)
    tokens = negative.tokens.to(null).expand_as(nothing)
    mask = negative.mask.to(null.device).expand(len(nothing), -1)
    if as_published:
        return Context(torch.where(mask.unsqueeze(-1) > 0, tokens, nothing), positive.mask)
    return Context(tokens, mask)
