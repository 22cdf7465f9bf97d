"""The samplers and what they start from: exact solutions, orders of convergence, distributions, and the published fixtures."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from models.known_networks import published
from torch import Tensor

from reelscore.models.conditioning import Context
from reelscore.models.denoising import Denoiser, Guidance
from reelscore.models.sampling import (
    EVALUATIONS,
    SAMPLERS,
    STOCHASTIC,
    integral_weights,
    order_for,
    schedule_for,
    steps_of,
)
from reelscore.models.schedules import (
    Schedule,
    bent_sigmas,
    karras_sigmas,
    log_uniform_sigmas,
    step_noise,
    take_noise,
)

SCHEDULES = (log_uniform_sigmas, karras_sigmas, bent_sigmas)
VARIANCES = torch.tensor([4.0, 1.0, 0.2, 0.01], dtype=torch.float64).view(1, 4, 1)


def linear(x: Tensor, sigma: float) -> Tensor:
    """The denoiser of independent normal data of the variances, one a channel."""
    return x * (VARIANCES / (VARIANCES + sigma**2)).to(x)


def silent(_step: int, _sigma: float, _after: float) -> Tensor:
    raise AssertionError("a deterministic sampler asked for noise")


def normal(shape: tuple[int, ...], seed: int = 0) -> Callable[[int, float, float], Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return lambda _step, _sigma, _after: torch.randn(shape, generator=generator, dtype=torch.float64)


def error_of_flow(name: str, steps: int) -> float:
    """The largest error of a deterministic sampler against the exact solution of the flow of normal data."""
    sigmas = log_uniform_sigmas(steps, 0.05, 20.0)[:-1]
    x = torch.ones(1, 4, 1, dtype=torch.float64) * 20
    exact = x * ((VARIANCES + sigmas[-1] ** 2) / (VARIANCES + sigmas[0] ** 2)).sqrt()
    return (SAMPLERS[name](linear, x, sigmas, silent) - exact).abs().max().item()


@pytest.mark.parametrize(("name", "order"), [("heun", 2), ("dpm-2", 2), ("lms", 3), ("unipc", 3)])
def test_deterministic_samplers_are_of_their_order(name: str, order: int) -> None:
    errors = [error_of_flow(name, steps) for steps in (60, 120, 240)]
    assert errors[-1] < 2e-3
    for coarse, fine in pairwise(errors):
        assert coarse / fine > 2 ** (order - 0.5)


@pytest.mark.parametrize("name", sorted(STOCHASTIC))
def test_stochastic_samplers_draw_from_the_data(name: str) -> None:
    shape = (1, 4, 16_000)
    sigmas = log_uniform_sigmas(40, 0.02, 30.0)
    noise = normal(shape)
    out = SAMPLERS[name](linear, noise(0, 0, 0) * sigmas[0], sigmas, noise)
    torch.testing.assert_close(out.var(dim=2), VARIANCES[..., 0], rtol=0.06, atol=0.0)
    assert (out.mean(dim=2) / VARIANCES[..., 0].sqrt()).abs().max() < 0.03


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 3, 9])
def test_a_known_target_is_met_exactly(name: str, steps: int) -> None:
    target = torch.linspace(-1, 1, 8, dtype=torch.float64).view(1, 4, 2)
    noise = normal((1, 4, 2))
    sigmas = log_uniform_sigmas(steps, 0.03, 50.0)
    out = SAMPLERS[name](lambda _x, _sigma: target, noise(0, 0, 0) * 50, sigmas, noise)
    torch.testing.assert_close(out, target, atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", SAMPLERS)
def test_what_is_said_of_each_sampler_is_true(name: str) -> None:
    asked: list[float] = []
    seen: list[int] = []

    def denoise(x: Tensor, sigma: float) -> Tensor:
        asked.append(sigma)
        return linear(x, sigma)

    start = normal((1, 4, 16))(0, 0, 0) * 30
    sigmas = schedule_for(name)(7, 0.03, 30.0)
    outs = [
        SAMPLERS[name](denoise, start, sigmas, normal((1, 4, 16), seed), lambda step, _denoised: seen.append(step))
        for seed in (1, 1, 2)
    ]
    assert torch.equal(outs[0], outs[1])
    assert torch.equal(outs[0], outs[2]) == (name not in STOCHASTIC)
    # Steps that go down to 0 ask once.
    assert len(asked) == 3 * (6 * EVALUATIONS.get(name, 1) + 1)
    assert seen == 3 * list(range(7))
    assert min(asked) == pytest.approx(0.03)


@pytest.mark.parametrize("name", SAMPLERS)
def test_what_is_watched_is_the_clean_signal(name: str) -> None:
    watched: list[Tensor] = []
    noise = normal((1, 4, 16))
    out = SAMPLERS[name](
        linear, noise(0, 0, 0) * 30, log_uniform_sigmas(9, 0.03, 30.0), noise, lambda _, clean: watched.append(clean)
    )
    # Only lms takes its last step with more than the last of its predictions.
    assert (watched[-1] - out).abs().max() <= (0.05 if name == "lms" else 0)


def test_unipc_takes_long_steps_with_fewer_predictions() -> None:
    assert [order_for(bent_sigmas(steps, 0.03, 50.0)) for steps in (1, 12, 18, 25, 100)] == [3, 2, 3, 3, 3]


@pytest.mark.parametrize(
    "sigmas", [[], [1.0], [0.0, 0.0], [1.0, 2.0], [1.0, 1.0], [2.0, 1.0, -1.0], [math.inf, 0.0], [math.nan, 0.0]]
)
def test_sigmas_that_do_not_fall_are_refused(sigmas: list[float]) -> None:
    with pytest.raises(ValueError, match="sigmas must be"):
        steps_of(sigmas)


@given(
    st.lists(st.floats(-3, 3), min_size=1, max_size=4),
    st.lists(st.floats(-3, 3).map(lambda x: round(x, 1)), min_size=4, max_size=4, unique=True),
    st.floats(-2, 2),
    st.floats(0.01, 3),
)
def test_integrals_of_polynomials_are_exact(
    coefficients: list[float], nodes: list[float], start: float, span: float
) -> None:
    polynomial = np.polynomial.Polynomial(coefficients)
    values = [polynomial(node) for node in nodes]
    whole = polynomial.integ()
    plain = sum(
        weight * value for weight, value in zip(integral_weights(nodes, start, start + span), values, strict=True)
    )
    assert plain == pytest.approx(whole(start + span) - whole(start), abs=1e-6 * (1 + max(map(abs, values))) * 1e3)


def test_the_decaying_integral_is_exact() -> None:
    # The integral of u * r * exp(-r * (h - u)) from 0 to h is h - (1 - exp(-r * h)) / r.
    rate, h = 2.0, 0.7
    weights = integral_weights([0.0, -0.5], 0.0, h, rate)
    assert sum(weights) == pytest.approx(1 - math.exp(-rate * h), abs=1e-14)
    assert weights[1] * -0.5 == pytest.approx(h - (1 - math.exp(-rate * h)) / rate, abs=1e-14)


class TestSchedules:
    @given(st.sampled_from(SCHEDULES), st.integers(1, 300), st.floats(1e-3, 0.5), st.floats(1.0, 200.0))
    def test_sigmas_fall_from_most_to_least_to_nothing(
        self, schedule: Schedule, steps: int, least: float, most: float
    ) -> None:
        sigmas = schedule(steps, least, most)
        assert len(sigmas) == steps + 1 == len(steps_of(sigmas)) + 1
        assert sigmas[0] == most and sigmas[-1] == 0
        assert steps == 1 or sigmas[-2] == least

    @pytest.mark.parametrize(
        ("schedule", "into"),
        [
            (log_uniform_sigmas, math.log),
            (karras_sigmas, lambda sigma: sigma ** (1 / 7)),
            (bent_sigmas, lambda sigma: math.asinh(math.log(sigma) / 2)),
        ],
    )
    def test_each_is_even_in_its_measure(self, schedule: Schedule, into: Callable[[float], float]) -> None:
        strides = np.diff([into(sigma) for sigma in schedule(12, 0.03, 80.0)[:-1]])
        assert strides == pytest.approx(strides[0])

    def test_the_log_uniform_one_is_the_published_one(self) -> None:
        stored, _, _ = published()
        assert log_uniform_sigmas(6, 0.03, 50.0) == pytest.approx(stored["sampler.sigmas"].tolist(), rel=1e-5)

    @pytest.mark.parametrize(
        ("steps", "least", "most"), [(0, 0.03, 50), (5, 0, 50), (5, 3, 2), (5, 2, 2), (5, 1, math.inf)]
    )
    def test_nonsense_is_refused(self, steps: int, least: float, most: float) -> None:
        with pytest.raises(ValueError, match="cannot go from sigma"):
            log_uniform_sigmas(steps, least, most)


class TestNoise:
    def test_a_take_is_the_same_beside_others(self) -> None:
        together = take_noise([3, 4, 5], 8, 20, draw=2)
        assert together.dtype == torch.float32 and together.shape == (3, 8, 20)
        assert torch.equal(take_noise([4], 8, 20, draw=2), together[[1]])

    def test_what_is_longer_begins_as_what_is_shorter(self) -> None:
        assert torch.equal(take_noise([7], 8, 50)[..., :21], take_noise([7], 8, 21))

    def test_every_step_has_its_own(self) -> None:
        noise = step_noise([1, 2], 16, 4000)
        drawn = torch.cat([take_noise([1, 2], 16, 4000), noise(0, 9, 3), noise(1, 3, 1)]).flatten(1)
        assert torch.equal(noise(1, 3, 1), noise(1, 3, 1))
        assert (torch.corrcoef(drawn) - torch.eye(6)).abs().max() < 0.02
        assert drawn.std(dim=1) == pytest.approx(1, abs=0.01)

    @pytest.mark.parametrize("name", SAMPLERS)
    def test_a_take_comes_out_the_same_beside_others(self, name: str) -> None:
        def made(seeds: list[int]) -> Tensor:
            start = take_noise(seeds, 4, 16) * 30
            return SAMPLERS[name](linear, start, log_uniform_sigmas(6, 0.03, 30.0), step_noise(seeds, 4, 16))

        assert torch.equal(made([5, 6, 7])[[1]], made([6]))


@pytest.mark.parametrize("name", ["dpmpp-2m-sde", "dpmpp-3m-sde", "heun"])
def test_parity_with_the_published_samplers(name: str) -> None:
    stored, unet, _ = published()
    denoiser = Denoiser(unet, Context(stored["context"], stored["context.mask"]), guidance=Guidance(3.0, 0.2))
    sigmas = stored["sampler.sigmas"].tolist()
    noise = stored["sampler.noise"]
    out = SAMPLERS[name](denoiser, stored["sampler.x0"] * sigmas[0], sigmas, lambda step, _sigma, _after: noise[step])
    assert (out - stored["sampler." + name.replace("-", "_")]).abs().max() < 1e-4
