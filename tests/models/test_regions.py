"""Windows over long latents and over changing conditions, by networks whose answers are known."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from models.known_networks import CHANNELS, PLAIN, Known, clean, prompt
from torch import Tensor

from reelscore.models.denoising import Denoiser
from reelscore.models.regions import (
    Plan,
    Region,
    RegionDenoiser,
    Windowing,
    mirrored,
    plan_windows,
)
from reelscore.models.sampling import SAMPLERS
from reelscore.models.schedules import bent_sigmas, step_noise, take_noise
from reelscore.models.unet import Memory

SMALL = Windowing(most_latents=96, overlap=32, fade=16, reach=16, least_latents=48)


class Near(Known):
    """A network that sees REACH latents to either side, and nothing beyond the end of what it is given."""

    REACH = 6

    def __call__(self, x: Tensor, t: Tensor, memory: Memory) -> Tensor:
        assert x.shape[-1] % 16 == 0
        self.lengths = [*getattr(self, "lengths", []), (len(x), x.shape[-1])]
        seen = torch.nn.functional.avg_pool1d(x, 2 * self.REACH + 1, 1, self.REACH)
        return super().__call__(seen, t, memory)


def latents(takes: int, length: int, seed: int = 3) -> Tensor:
    return take_noise(range(seed, seed + takes), CHANNELS, length)


def weights_of(plan: Plan, condition: int | None = None) -> Tensor:
    total = torch.zeros(max(window.stop for window in plan.windows))
    for window in plan.windows:
        if condition in (None, window.condition):
            total[window.start : window.stop] += window.weights
    return total[: plan.length]


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Region], Windowing, Plan]:
    lengths = draw(st.lists(st.integers(1, 300), min_size=1, max_size=8))
    ends = [sum(lengths[: index + 1]) for index in range(len(lengths))]
    conditions = draw(st.lists(st.integers(0, 3), min_size=len(lengths), max_size=len(lengths)))
    regions = [
        Region(end - length, end, condition) for length, end, condition in zip(lengths, ends, conditions, strict=True)
    ]
    multiple = draw(st.sampled_from([1, 4, 16, 24]))
    most = draw(st.integers(multiple, 400))
    windowing = Windowing(
        most_latents=most,
        overlap=draw(st.integers(0, most // 2)),
        fade=draw(st.integers(0, 80)),
        reach=draw(st.integers(0, 80)),
        least_latents=draw(st.integers(1, 200)),
        multiple=multiple,
    )
    return regions, windowing, plan_windows(ends[-1], regions, windowing)


@given(plans())
@settings(max_examples=300, deadline=None)
def test_every_place_is_covered_once(made: tuple[list[Region], Windowing, Plan]) -> None:
    regions, windowing, plan = made
    torch.testing.assert_close(weights_of(plan), torch.ones(plan.length), atol=1e-6, rtol=0)
    for window in plan.windows:
        size = window.stop - window.start
        assert len(window.weights) == size
        assert size % windowing.multiple == 0 and windowing.multiple <= size <= windowing.most_latents
        assert window.start >= 0 and (window.stop <= plan.length or window.start == 0)
        assert (window.weights >= -1e-6).all() and (window.weights[plan.length - window.start :] == 0).all()
    for region in regions:
        share = weights_of(plan, region.condition)[region.start : region.stop]
        half = windowing.fade // 2
        assert (share[half : len(share) - half] > 1 - 1e-6).all()
        assert share.numel() == 0 or share.min() > 0.5 - 1e-6


@pytest.mark.parametrize("length", [16, 64, 100, 1003])
def test_what_fits_into_one_pass_is_one_plain_pass(length: int) -> None:
    plan = plan_windows(length, [Region(0, 7), Region(7, length)])
    network, x = Near(), latents(3, length)
    answer = RegionDenoiser(Denoiser(network, prompt(0.5), guidance=PLAIN), plan)(x, 0.8)
    padded = -(-length // 16) * 16
    assert network.lengths == [(3, padded)] and len(plan.windows) == 1
    assert torch.equal(answer, Denoiser(Near(), prompt(0.5), guidance=PLAIN)(mirrored(x, padded), 0.8)[..., :length])


def test_windows_give_what_the_whole_gives() -> None:
    """Where the network sees less far than windows overlap; the ends are ends for both."""
    length, x = 640, latents(2, 640)
    whole = Denoiser(Near(), prompt(0.5))(x, 0.8)
    for most in (96, 112, 320):
        plan = plan_windows(length, windowing=replace(SMALL, most_latents=most))
        assert len(plan.windows) > 1
        torch.testing.assert_close(
            RegionDenoiser(Denoiser(Near(), prompt(0.5)), plan)(x, 0.8), whole, atol=1e-5, rtol=0
        )


def test_regions_of_one_condition_give_what_the_whole_gives() -> None:
    """Contexts that say the same under different names: the windows of regions leave no seam either."""
    length, x = 400, latents(1, 400)
    regions = [Region(0, 90, 0), Region(90, 110, 1), Region(110, 333, 2), Region(333, 400, 0)]
    plan = plan_windows(length, regions, SMALL)
    answer = RegionDenoiser(Denoiser(Near(), prompt(0.5, 0.5, 0.5)), plan)(x, 0.8)
    torch.testing.assert_close(answer, Denoiser(Near(), prompt(0.5))(x, 0.8), atol=1e-5, rtol=0)


def test_one_condition_goes_over_into_the_next() -> None:
    length, change, sigma = 300, 130, 0.8
    plan = plan_windows(length, [Region(0, change, 0), Region(change, length, 1)], SMALL)
    x = torch.zeros(1, CHANNELS, length)
    answer = RegionDenoiser(Denoiser(Known(), prompt(0.2, 0.8), guidance=PLAIN), plan)(x, sigma)
    first, second = (clean(torch.zeros(()), sigma, 4 * value) for value in (0.2, 0.8))
    half = SMALL.fade // 2
    torch.testing.assert_close(answer[..., : change - half], first.expand(1, CHANNELS, change - half))
    torch.testing.assert_close(answer[..., change + half :], second.expand(1, CHANNELS, length - change - half))
    between = answer[0, 0, change - half - 1 : change + half + 1]
    assert (between.diff() >= 0).all() and (between.diff() < 0.15 * (second - first)).all()
    assert between[half : half + 2].mean() == pytest.approx(((first + second) / 2).item())


def test_takes_are_the_same_beside_others_and_in_small_batches() -> None:
    length, regions = 500, [Region(0, 250, 1), Region(250, 500, 0)]
    plan, x = plan_windows(length, regions, SMALL), latents(3, 500)
    network = Near()
    together = RegionDenoiser(Denoiser(network, prompt(0.2, 0.8)), plan, batch_windows=4)(x, 0.5)
    assert max(rows for rows, _ in network.lengths) <= 4
    assert sum(rows * size for rows, size in network.lengths) == pytest.approx(3 * plan.cost * length)
    for take in range(3):
        alone = RegionDenoiser(Denoiser(Near(), prompt(0.2, 0.8)), plan, batch_windows=1)(x[[take]], 0.5)
        torch.testing.assert_close(together[[take]], alone, atol=1e-6, rtol=1e-5)


def test_contexts_are_read_once() -> None:
    network = Near()
    denoiser = RegionDenoiser(Denoiser(network, prompt(0.2, 0.8)), plan_windows(200, windowing=SMALL))
    for sigma in (3.0, 1.0, 0.1):
        denoiser(latents(1, 200), sigma)
    assert network.readings == 2


@pytest.mark.parametrize("length", [1, 2, 5, 15, 17])
def test_short_latents_are_mirrored_and_trimmed(length: int) -> None:
    x = latents(2, length)
    plan = plan_windows(length)
    answer = RegionDenoiser(Denoiser(Known(), prompt(0.5), guidance=PLAIN), plan)(x, 0.5)
    torch.testing.assert_close(answer, clean(x, 0.5, 2.0))


def test_the_mirror_runs_back_and_forth() -> None:
    x = torch.arange(4.0).view(1, 1, 4)
    assert mirrored(x, 11).flatten().tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2]
    assert torch.equal(mirrored(x, 4), x)


def test_the_cost_of_long_music_stays_low() -> None:
    """Three minutes: in one piece by windows of 24 s, and in sections of 15 s in one pass each."""
    length = 7752
    by_windows = plan_windows(length, windowing=Windowing(most_latents=1024))
    sections = [Region(start, min(start + 646, length), start // 646) for start in range(0, length, 646)]
    by_sections = plan_windows(length, sections)
    assert by_windows.cost < 1.14 and by_sections.cost < 1.30
    assert max(b.start - a.stop for a, b in pairwise(by_windows.windows)) <= -128


@pytest.mark.parametrize(
    "regions",
    [
        [Region(0, 50)],
        [Region(10, 100)],
        [Region(0, 50), Region(60, 100)],
        [Region(0, 60), Region(50, 100)],
        [Region(0, 0)],
    ],
)
def test_gaps_between_regions_are_refused(regions: list[Region]) -> None:
    with pytest.raises(ValueError, match="regions must"):
        plan_windows(100, regions)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot overlap"):
        Windowing(most_latents=64, overlap=33)
    with pytest.raises(ValueError, match="cannot be negative"):
        Windowing(fade=-1)
    with pytest.raises(ValueError, match="more than the 1 contexts"):
        RegionDenoiser(Denoiser(Known(), prompt(0.5)), plan_windows(50, [Region(0, 20, 0), Region(20, 50, 1)]))
    with pytest.raises(ValueError, match="not 49"):
        RegionDenoiser(Denoiser(Known(), prompt(0.5)), plan_windows(50))(latents(1, 49), 1.0)


class Smooth(Known):
    """Knows clean latents to be normal and smooth: neighbours nearly alike, places far from each other free."""

    @staticmethod
    def covariance(length: int) -> Tensor:
        places = torch.arange(length, dtype=torch.float64)
        return torch.exp(-((places[:, None] - places) ** 2) / (2 * 6.0**2))

    def __call__(self, x: Tensor, t: Tensor, _memory: Memory) -> Tensor:
        sigma = math.tan(t[0].item() * math.pi / 2)
        reach = math.hypot(1, sigma)
        known = self.covariance(x.shape[-1])
        noisy = x.double() * reach
        clean = noisy @ torch.linalg.solve(known + sigma**2 * torch.eye(len(known)), known)
        return ((noisy / reach**2 - clean) * reach / sigma).to(x)


def test_no_seam_is_left() -> None:
    """Jumps from place to place are as in the data, at joins as elsewhere; windows set side by side show what a seam is."""

    def jumps(windowing: Windowing) -> Tensor:
        plan = plan_windows(length, [Region(0, change, 0), Region(change, length, 1)], windowing)
        assert len(plan.windows) > 3
        denoiser = RegionDenoiser(Denoiser(Smooth(), prompt(0.5, 0.5), guidance=PLAIN), plan, batch_windows=400)
        start = take_noise(range(40), CHANNELS, length) * 20
        out = SAMPLERS["unipc"](denoiser, start, bent_sigmas(12, 0.02, 20.0), step_noise([], CHANNELS, length))
        return out.diff(dim=-1).square().mean(dim=(0, 1))

    length, change = 220, 100
    known = Smooth.covariance(2)
    expected = float(known[0, 0] + known[1, 1] - 2 * known[0, 1])
    blended = jumps(SMALL)
    assert blended.max() < 1.5 * expected
    assert jumps(replace(SMALL, overlap=0, fade=0, reach=0))[change - 1] > 10 * expected
