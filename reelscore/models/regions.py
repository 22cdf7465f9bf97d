"""Music longer than one pass of the network, and music whose condition changes on the way.

The latents are covered by windows, each under one condition. In every step of the sampler each window is denoised for itself,
and the answers are blended with smooth weights that sum to 1 everywhere (after Bar-Tal et al. 2023, MultiDiffusion): each
step has one picture of the whole, so nothing is joined afterwards and there is no seam. Positions and lengths are counted in
latents.

What overlaps is denoised twice. Three minutes of the published model cost 1.13 times their latents in each step in windows
of 1,024 under one condition, and with the usual Windowing 1.29 times in sections of 15 s, 1.61 times in sections of 7.5 s.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from reelscore.models.denoising import Denoiser


@dataclass(frozen=True)
class Region:
    """A stretch of the music, from start to before stop, under one condition: a row of the denoiser's contexts."""

    start: int
    stop: int
    condition: int = 0


@dataclass(frozen=True)
class Windowing:
    """How windows are laid; all in latents (43 of them are a second of the published model)."""

    most_latents: int = 4096
    """The longest window; what the memory of the device allows."""
    overlap: int = 128
    """Over how much two windows under the same condition cross-fade, at least."""
    fade: int = 64
    """Over how much one condition goes over into the next; less where regions are shorter than that."""
    reach: int = 64
    """How far a window sees beyond its cross-fades, where the neighbours have something to see."""
    least_latents: int = 256
    """The shortest window; shorter regions are seen with more of their neighbours."""

    multiple: int = 16
    """What the lengths of windows are a multiple of, as the network wants it."""

    def __post_init__(self) -> None:
        if min(self.overlap, self.fade, self.reach) < 0 or min(self.least_latents, self.multiple) < 1:
            raise ValueError(f"lengths of windows cannot be negative: {self}")
        if self.most_latents < self.multiple or self.overlap > self.most_latents // 2:
            raise ValueError(f"windows of at most {self.most_latents} cannot overlap by {self.overlap}")


@dataclass(frozen=True, eq=False)
class Window:
    """A stretch that goes through the network under one condition, and what its answer counts there: weights (stop - start,)."""

    start: int
    stop: int
    condition: int
    weights: Tensor


@dataclass(frozen=True, eq=False)
class Plan:
    """The windows that cover latents of one length. One that covers all of it may end beyond it."""

    length: int
    windows: tuple[Window, ...]

    @property
    def cost(self) -> float:
        """Latents that go through the network in one evaluation, per latent of the music."""
        return sum(window.stop - window.start for window in self.windows) / self.length


class RegionDenoiser:
    """A denoiser over all of the latents, (b, channels, plan.length), made of one that knows windows.

    At most `batch_windows` windows go through the network at a time, those of the several takes counted one by one.
    """

    def __init__(self, denoiser: Denoiser, plan: Plan, batch_windows: int = 4) -> None:
        if max(window.condition for window in plan.windows) >= denoiser.contexts:
            raise ValueError(f"the windows ask for more than the {denoiser.contexts} contexts there are")
        home = denoiser.unet.null_context.device
        self.denoiser = denoiser
        self.plan = Plan(plan.length, tuple(replace(one, weights=one.weights.to(home)) for one in plan.windows))
        self.batch_windows = batch_windows

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        """Clean latents of x with noise of deviation sigma."""
        if x.shape[-1] != self.plan.length:
            raise ValueError(f"the windows are laid for {self.plan.length} latents, not {x.shape[-1]}")
        end = max(window.stop for window in self.plan.windows)
        seen = mirrored(x, end)
        blend = torch.zeros_like(seen)
        for batch in self._batches(len(x)):
            parts = torch.stack([seen[take, :, window.start : window.stop] for window, take in batch])
            answers = self.denoiser.under(parts, sigma, [window.condition for window, _ in batch])
            for (window, take), answer in zip(batch, answers, strict=True):
                blend[take, :, window.start : window.stop] += answer * window.weights
        return blend[..., : self.plan.length]

    def _batches(self, takes: int) -> list[list[tuple[Window, int]]]:
        """Windows of one length with the take they are of, in batches."""
        by_length: dict[int, list[tuple[Window, int]]] = {}
        for window in self.plan.windows:
            same = by_length.setdefault(window.stop - window.start, [])
            same += [(window, take) for take in range(takes)]
        most = self.batch_windows
        return [same[at : at + most] for same in by_length.values() for at in range(0, len(same), most)]


def plan_windows(length: int, regions: Sequence[Region] = (), windowing: Windowing = Windowing()) -> Plan:
    """The windows over so many latents; without regions all is under condition 0.

    Raises ValueError unless the regions follow each other from 0 to the length.
    """
    sections = _merged(regions or [Region(0, length)])
    if length < 1 or sections[0].start or sections[-1].stop != length:
        raise ValueError(f"regions must cover 0 to {length}, not {sections[0].start} to {sections[-1].stop}")
    fades = [_even(min(windowing.fade, a.stop - a.start, b.stop - b.start)) for a, b in pairwise(sections)]
    rises = [
        torch.ones(length),
        *(_rise(length, b.start - fade // 2, fade) for b, fade in zip(sections[1:], fades, strict=True)),
        torch.zeros(length),
    ]
    windows: list[Window] = []
    for section, (rise, fall), coming, going in zip(sections, pairwise(rises), [0, *fades], [*fades, 0], strict=True):
        begin, end = section.start - coming // 2, section.stop + going // 2
        windows += _windows_over(begin, end, section.condition, rise - fall, windowing)
    return Plan(length, tuple(windows))


def mirrored(x: Tensor, length: int) -> Tensor:
    """x (b, channels, n), carried on to the length by running back and forth in itself, so that its noise stays what it was."""
    n = x.shape[-1]
    if length <= n:
        return x
    way = torch.arange(length, device=x.device) % max(2 * n - 2, 1)
    return x[..., torch.where(way < n, way, 2 * n - 2 - way)]


def _windows_over(begin: int, end: int, condition: int, share: Tensor, windowing: Windowing) -> list[Window]:
    """Windows over a stretch of the music, whose weights there sum to its share of the whole, (length,)."""
    length = len(share)
    starts, size = _laid(begin, end, length, windowing)
    shared = min((a + size - b for a, b in pairwise(starts)), default=0)
    # What a window says near its edges, where it sees one side only, does not count.
    span = shared - 2 * (shared // 4)
    rises = [torch.ones(length), *(_rise(length, (a + size + b - span) // 2, span) for a, b in pairwise(starts))]
    windows = []
    for start, rise, fall in zip(starts, rises, [*rises[1:], torch.zeros(length)], strict=True):
        inside = (share * (rise - fall))[start : start + size]
        windows.append(Window(start, start + size, condition, functional.pad(inside, (0, size - len(inside)))))
    return windows


def _laid(begin: int, end: int, length: int, windowing: Windowing) -> tuple[list[int], int]:
    """Where windows over begin to end start, and how long each of them is."""
    most = windowing.most_latents // windowing.multiple * windowing.multiple
    wide_begin, wide_end = max(0, begin - windowing.reach), min(length, end + windowing.reach)
    needed = wide_end - wide_begin
    up = partial(_rounded_up, multiple=windowing.multiple)
    if up(end - begin) <= most:
        size = min(max(up(needed), up(windowing.least_latents)), most, up(length))
        start = begin - (size - (end - begin)) // 2
        return [min(max(start, 0), max(length - size, 0))], size
    count = math.ceil((needed - windowing.overlap) / (most - windowing.overlap))
    size = min(up(math.ceil((needed + (count - 1) * windowing.overlap) / count)), most)
    return [wide_begin + round(step * (needed - size) / (count - 1)) for step in range(count)], size


def _merged(regions: Sequence[Region]) -> list[Region]:
    """The regions with neighbours under the same condition as one. Raises ValueError where one does not follow the other."""
    merged: list[Region] = []
    for region in regions:
        if region.stop <= region.start or (merged and merged[-1].stop != region.start):
            raise ValueError(f"regions must follow each other without gaps; {region} does not")
        if merged and merged[-1].condition == region.condition:
            merged[-1] = Region(merged[-1].start, region.stop, region.condition)
        else:
            merged.append(region)
    return merged


def _rise(length: int, start: int, span: int) -> Tensor:
    """From 0 before start to 1 after start + span, (length,), as half a cosine."""
    at = (torch.arange(length, dtype=torch.float64) + 0.5 - start) / max(span, 1e-9)
    return ((1 - torch.cos(math.pi * at.clamp(0, 1))) / 2).float()


def _rounded_up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def _even(length: int) -> int:
    return length - length % 2
