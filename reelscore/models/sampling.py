"""Samplers: from noise to a sample, given a denoiser. Plain functions of tensors and numbers.

Everything is written for data with noise of standard deviation sigma added (Karras et al. 2022): `denoise(x, sigma)` is the
expected clean signal. Sigmas fall from step to step, their last may be 0; n + 1 of them make n steps.
Between two sigmas the deterministic samplers follow the probability flow dx/dsigma = (x - denoised)/sigma; the stochastic ones
the reversed diffusion, which in lambda = -ln(sigma) forgets x twice as fast and is fed with fresh noise.
All arithmetic on sigmas is done in Python's floats; tensors keep their number format, which should be float32.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from torch import Tensor

from reelscore.models.schedules import Schedule, bent_sigmas, log_uniform_sigmas

Denoise = Callable[[Tensor, float], Tensor]
Noise = Callable[[int, float, float], Tensor]
"""`noise(step, sigma, sigma_next)`: unit normal noise of the sample's shape for the step between two sigmas."""
Watch = Callable[[int, Tensor], None]
"""`watch(step, denoised)`: told after each step, with what the step took for the clean signal."""


LONGEST_STEP = 0.45
"""Of lambda, on average, up to which a third prediction makes unipc better: 18 steps from sigma 50 to 0.03."""


_GAUSS = np.polynomial.legendre.leggauss(32)


class Sampler(Protocol):
    """One way from x, noised to the first of the sigmas, to the last of them."""

    def __call__(
        self, denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: Noise, watch: Watch = ..., /
    ) -> Tensor: ...


def unwatched(step: int, denoised: Tensor, /) -> None:
    """The steps that nobody watches."""


def heun(denoise: Denoise, x: Tensor, sigmas: Sequence[float], _noise: Noise, watch: Watch = unwatched, /) -> Tensor:
    """Heun's second-order steps of the flow; two evaluations a step (Karras et al. 2022, algorithm 1)."""
    for step, (sigma, after) in enumerate(steps_of(sigmas)):
        denoised = denoise(x, sigma)
        slope = (x - denoised) / sigma
        ahead = x + slope * (after - sigma)
        if after:
            slope = (slope + (ahead - denoise(ahead, after)) / after) / 2
        x = x + slope * (after - sigma)
        watch(step, denoised)
    return x


def dpm_2(denoise: Denoise, x: Tensor, sigmas: Sequence[float], _noise: Noise, watch: Watch = unwatched, /) -> Tensor:
    """Midpoint steps of the flow, the middle taken between the logarithms of sigma; two evaluations a step."""
    for step, (sigma, after) in enumerate(steps_of(sigmas)):
        denoised = denoise(x, sigma)
        slope = (x - denoised) / sigma
        if after:
            middle = math.sqrt(sigma * after)
            between = x + slope * (middle - sigma)
            slope = (between - denoise(between, middle)) / middle
        x = x + slope * (after - sigma)
        watch(step, denoised)
    return x


def lms(denoise: Denoise, x: Tensor, sigmas: Sequence[float], _noise: Noise, watch: Watch = unwatched, /) -> Tensor:
    """Linear multistep of fourth order: the last four slopes, as a polynomial of sigma, integrated over the step."""
    slopes: list[Tensor] = []
    past: list[float] = []
    for step, (sigma, after) in enumerate(steps_of(sigmas)):
        denoised = denoise(x, sigma)
        slopes, past = [(x - denoised) / sigma, *slopes[:3]], [sigma, *past[:3]]
        x = x + weighted(integral_weights(past, sigma, after), slopes)
        watch(step, denoised)
    return x


def dpmpp_2s_ancestral(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: Noise, watch: Watch = unwatched, /
) -> Tensor:
    """Single steps of DPM-Solver++ of second order to below the next sigma, then noise up to it; two evaluations a step."""
    for step, (sigma, after) in enumerate(steps_of(sigmas)):
        denoised = denoise(x, sigma)
        below = after * after / sigma
        if after:
            middle = math.sqrt(sigma * below)
            between = x * (middle / sigma) + denoised * (1 - middle / sigma)
            x = x * (below / sigma) + denoise(between, middle) * (1 - below / sigma)
            x = x + noise(step, sigma, after) * math.sqrt(after * after - below * below)
        else:
            x = denoised
        watch(step, denoised)
    return x


def dpmpp_2m_sde(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: Noise, watch: Watch = unwatched, /
) -> Tensor:
    """DPM-Solver++ of second order for the diffusion, from two predictions, midpoint form (Lu et al. 2022)."""
    earlier: tuple[Tensor, float] | None = None
    for step, (sigma, after) in enumerate(steps_of(sigmas)):
        denoised = denoise(x, sigma)
        if after:
            length = math.log(sigma / after)
            drawn = -math.expm1(-2 * length)
            aim = denoised
            if earlier:
                aim = denoised + (denoised - earlier[0]) * (length / earlier[1] / 2)
            x = x * (after / sigma * math.exp(-length)) + aim * drawn
            x = x + noise(step, sigma, after) * (after * math.sqrt(drawn))
            earlier = denoised, length
        else:
            x = denoised
        watch(step, denoised)
    return x


def dpmpp_3m_sde(
    denoise: Denoise, x: Tensor, sigmas: Sequence[float], noise: Noise, watch: Watch = unwatched, /
) -> Tensor:
    """The same of third order, from three predictions: their parabola over the step, with 1 for the step's length."""
    past: list[tuple[Tensor, float]] = []
    for step, (sigma, after) in enumerate(steps_of(sigmas)):
        denoised = denoise(x, sigma)
        if after:
            length = math.log(sigma / after)
            drawn = -math.expm1(-2 * length)
            rise = 1 - drawn / (2 * length)
            # The exact integral of the parabola gives its bend twice as much; the published sampler does not.
            bend = (1 - rise / length) / 2
            x = x * (after / sigma * math.exp(-length)) + denoised * drawn
            if past:
                back = past[0][1] / length
                slope = (denoised - past[0][0]) / back
                if len(past) == 2:
                    further = past[1][1] / length
                    curve = (slope - (past[0][0] - past[1][0]) / further) / (back + further)
                    x = x + curve * bend
                    slope = slope + curve * back
                x = x + slope * rise
            x = x + noise(step, sigma, after) * (after * math.sqrt(drawn))
            past = [(denoised, length), *past[:1]]
        else:
            x = denoised
        watch(step, denoised)
    return x


def unipc(denoise: Denoise, x: Tensor, sigmas: Sequence[float], _noise: Noise, watch: Watch = unwatched, /) -> Tensor:
    """The flow by predictions as a polynomial of lambda, integrated exactly against the decay of x; one evaluation a step.

    A step sets out with the last three predictions; the one made where it arrives then mends it, as the fourth, before the
    next step sets out (UniPC of order 3, Zhao et al. 2023, in the form with coefficients for uneven steps). Where steps are
    too long for parabolas it is of order 2: with two, mended by the third. This is the fast one; bent_sigmas suit it, and
    benchmark/samplers.py compares it with the others.
    """
    order = order_for(sigmas)
    predictions: list[Tensor] = []
    lambdas: list[float] = []
    left = x
    for step, (sigma, after) in enumerate(steps_of(sigmas)):
        here = -math.log(sigma)
        denoised = denoise(x, sigma)
        if predictions:
            x = _carried(left, [denoised, *predictions], [here, *lambdas], lambdas[0], here)
        predictions, lambdas, left = [denoised, *predictions[: order - 1]], [here, *lambdas[: order - 1]], x
        x = _carried(x, predictions, lambdas, here, -math.log(after)) if after else denoised
        watch(step, denoised)
    return x


def order_for(sigmas: Sequence[float]) -> int:
    """The predictions that unipc steps with: 3 where its steps of lambda are short on average, else 2; that to sigma 0 is none."""
    steps = [math.log(sigma / after) for sigma, after in steps_of(sigmas) if after]
    return 3 if sum(steps) <= LONGEST_STEP * len(steps) else 2


def _carried(x: Tensor, predictions: Sequence[Tensor], lambdas: Sequence[float], here: float, there: float) -> Tensor:
    """x moved along the flow from one lambda to another, the predictions at some lambdas given."""
    return x * math.exp(here - there) + weighted(integral_weights(lambdas, here, there, rate=1.0), predictions)


def steps_of(sigmas: Sequence[float]) -> list[tuple[float, float]]:
    """Each step's two sigmas. Raises ValueError unless they fall, from above 0 to 0 or above."""
    numbers = [float(sigma) for sigma in sigmas]
    pairs = list(pairwise(numbers))
    if not pairs or not math.isfinite(numbers[0]) or not all(sigma > after >= 0 for sigma, after in pairs):
        raise ValueError(f"sigmas must be two or more numbers that fall to 0 or above, not {numbers}")
    return pairs


def integral_weights(nodes: Sequence[float], start: float, stop: float, rate: float = 0.0) -> list[float]:
    """What the value at each node counts in the integral of their polynomial from start to stop.

    Without a rate a plain integral; with one, the integral against rate * exp(-rate * (stop - at)).
    """
    points, spread = _GAUSS
    at = start + (stop - start) * (points + 1) / 2
    spread = spread * (stop - start) / 2
    if rate:
        spread = spread * rate * np.exp(-rate * (stop - at))
    weights = []
    for node in nodes:
        others = [other for other in nodes if other != node]
        basis = np.prod([(at - other) / (node - other) for other in others], axis=0) if others else np.ones_like(at)
        weights.append(float((spread * basis).sum()))
    return weights


def weighted(weights: Sequence[float], tensors: Sequence[Tensor]) -> Tensor:
    """The sum of the tensors, each times its weight."""
    total = tensors[0] * weights[0]
    for weight, tensor in zip(weights[1:], tensors[1:], strict=True):
        total = total + tensor * weight
    return total


SAMPLERS: dict[str, Sampler] = {
    "unipc": unipc,
    "dpmpp-2m-sde": dpmpp_2m_sde,
    "dpmpp-3m-sde": dpmpp_3m_sde,
    "dpmpp-2s-ancestral": dpmpp_2s_ancestral,
    "heun": heun,
    "dpm-2": dpm_2,
    "lms": lms,
}
"""By the names of the field, the fast one first."""

EVALUATIONS = {"dpmpp-2s-ancestral": 2, "heun": 2, "dpm-2": 2}
"""How often these ask the denoiser in a step; the others ask once."""

STOCHASTIC = frozenset({"dpmpp-2m-sde", "dpmpp-3m-sde", "dpmpp-2s-ancestral"})
"""Those that take noise at every step."""


def schedule_for(sampler: str) -> Schedule:
    """The row of sigmas that suits a sampler: the published one for all but the fast one."""
    return bent_sigmas if sampler == "unipc" else log_uniform_sigmas
