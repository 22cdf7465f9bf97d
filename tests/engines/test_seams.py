"""Music longer than a window has no seams: measured under a prior that is known exactly, smooth noise, where a seam would show.

The U-Net's answers are replaced by those of that prior: what the noise hides is then the Wiener filter's estimate within each
window. `benchmark/seams.py` measures the same in sound.
"""

from collections.abc import Callable
from functools import cache
from math import pi, tan

import numpy as np
import pytest
import torch
from torch import Tensor

from reelscore.brief import Brief, Section, Tags
from reelscore.engines import Request
from reelscore.engines.sonique.making import denoised, denoiser_for, grid_of, load
from reelscore.engines.sonique.plan import plan_for
from reelscore.progress import unseen

REACH = 6.0  # latents over which the prior is smooth
Asking = Callable[..., Request]


@cache
def prior(length: int) -> tuple[Tensor, Tensor]:
    """Variances and directions of smooth noise of unit power."""
    at = torch.arange(length, dtype=torch.float64)
    return torch.linalg.eigh(torch.exp(-0.5 * ((at[:, None] - at) / REACH) ** 2) + 1e-6 * torch.eye(length))


def wiener(x: Tensor, t: Tensor, _memory: object) -> Tensor:
    """v of noisy smooth noise x (b, channels, n) at times t."""
    sigma = tan(float(t[0]) * pi / 2)
    reach = (1 + sigma**2) ** 0.5
    variances, directions = prior(x.shape[-1])
    noisy = x.double() * reach
    clean = ((noisy @ directions) * (variances / (variances + sigma**2))) @ directions.T
    return ((x.double() / reach - clean) * (reach / sigma)).float()


@pytest.fixture
def latents_of(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> Callable[[Brief, int], tuple[Tensor, list[int]]]:
    """Clean latents of a brief and seed made in windows of six seconds, and every place where a window begins or ends."""

    def made(brief: Brief, seed: int) -> tuple[Tensor, list[int]]:
        request = asked(brief, seed, window=6.0, guidance=1.0, steps=12)
        opened = load(request, unseen)
        monkeypatch.setattr(opened.model.unet, "forward", wiener)
        grid = grid_of(opened.model, request.options)
        plan = plan_for(request.brief, request.options, grid)
        denoiser = denoiser_for(opened, plan, grid, request.options)
        latents = denoised(request, opened.model, plan, denoiser, [seed], unseen)[0, :, : plan.wanted]
        edges = {edge for window in denoiser.plan.windows for edge in (window.start, window.stop)}
        edges |= {passage.start for passage in plan.passages}
        return latents, sorted(edge for edge in edges if 8 < edge < plan.wanted - 8)

    return made


def jumps(latents: Tensor, places: list[int]) -> np.ndarray:
    """The mean jump into each of the places."""
    return (latents[:, places] - latents[:, [place - 1 for place in places]]).abs().mean(dim=0).numpy()


def test_where_windows_meet_nothing_jumps_and_the_level_stays(
    latents_of: Callable[[Brief, int], tuple[Tensor, list[int]]],
) -> None:
    latents, borders = latents_of(Brief(duration=40.0, tags=Tags(genres=("ambient",))), 1)
    elsewhere = [place for place in range(8, latents.shape[1] - 8) if min(abs(place - edge) for edge in borders) > 8]
    assert len(borders) >= 12
    assert jumps(latents, borders).mean() <= 1.1 * jumps(latents, elsewhere).mean()
    assert jumps(latents, borders).max() <= 1.2 * jumps(latents, elsewhere).max()
    near = [place for edge in borders for place in range(edge - 8, edge + 8)]
    assert latents[:, near].std() == pytest.approx(float(latents[:, elsewhere].std()), rel=0.25)


def test_the_measure_sees_pieces_put_end_to_end(
    latents_of: Callable[[Brief, int], tuple[Tensor, list[int]]],
) -> None:
    piece = Brief(duration=6.0, sections=(Section(start=0.0, end=6.0),))
    pieces = [latents_of(piece, seed)[0] for seed in range(4)]
    joined = torch.cat(pieces, dim=1)
    length = pieces[0].shape[1]
    borders = [length, 2 * length, 3 * length]
    elsewhere = [place for place in range(8, joined.shape[1]) if min(abs(place - edge) for edge in borders) > 8]
    assert jumps(joined, borders).min() > 2 * jumps(joined, elsewhere).max()
