"""What a sampler starts from: the row of sigmas, and the noise of each take.

Sigmas fall from `most` to `least` in as many numbers as there are steps, and then to 0. Noise is made on the CPU in float32,
so that a seed means the same on every device.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

Schedule = Callable[[int, float, float], list[float]]
"""`schedule(steps, least, most)`: steps + 1 sigmas."""


def log_uniform_sigmas(steps: int, least: float, most: float) -> list[float]:
    """Even in ln(sigma), which is even in the logarithm of signal to noise: as published (polyexponential, rho 1)."""
    return _through(steps, least, most, math.log, math.exp)


def karras_sigmas(steps: int, least: float, most: float, rho: float = 7.0) -> list[float]:
    """Even in sigma^(1/rho): finer where there is little noise (Karras et al. 2022, formula 5)."""
    return _through(steps, least, most, lambda sigma: sigma ** (1 / rho), lambda at: at**rho)


def bent_sigmas(steps: int, least: float, most: float, width: float = 2.0) -> list[float]:
    """Even in asinh(ln(sigma)/width): finest about sigma 1, where noise and music are equally loud, coarser away from it."""
    return _through(
        steps,
        least,
        most,
        lambda sigma: math.asinh(math.log(sigma) / width),
        lambda at: math.exp(width * math.sinh(at)),
    )


def take_noise(
    seeds: Sequence[int], channels: int, length: int, device: torch.device | str = "cpu", draw: int = 0
) -> Tensor:
    """Unit normal noise (takes, channels, length), float32: a take for every seed.

    A take's noise hangs on its seed and the number of the draw alone, not on the takes beside it; what is longer begins as
    what is shorter.
    """
    takes = [
        np.random.default_rng([seed, draw]).standard_normal((length, channels), dtype=np.float32).T for seed in seeds
    ]
    return torch.from_numpy(np.ascontiguousarray(takes)).to(device)


def step_noise(
    seeds: Sequence[int], channels: int, length: int, device: torch.device | str = "cpu"
) -> Callable[[int, float, float], Tensor]:
    """The noise of each step of a stochastic sampler: draw 0 is the start, and step i takes draw i + 1."""

    def noise(step: int, _sigma: float, _after: float) -> Tensor:
        return take_noise(seeds, channels, length, device, draw=step + 1)

    return noise


def _through(
    steps: int, least: float, most: float, into: Callable[[float], float], back: Callable[[float], float]
) -> list[float]:
    """Even in what `into` makes of sigma, with 0 after the last."""
    if steps < 1 or not 0 < least <= most < math.inf or (steps > 1 and least == most):
        raise ValueError(f"{steps} steps cannot go from sigma {most} to {least}")
    if steps == 1:
        return [most, 0.0]
    first, last = into(most), into(least)
    inner = [back(first + (last - first) * step / (steps - 1)) for step in range(1, steps - 1)]
    return [most, *inner, least, 0.0]
