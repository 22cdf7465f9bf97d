"""How near each sampler comes with few steps: `python -m benchmark.samplers [--seed N]`.

Three toy problems whose denoiser is known exactly: a mixture of Gaussians, the same under guidance 6 towards some of its
parts, and a Gaussian with a spectrum that falls like that of latents. Sigma runs from 50 to 0.03 and to 0, as published.
Deterministic samplers are measured against 1,000 Heun steps of the flow from the same start; stochastic ones against 1,000
steps of dpmpp-2m-sde along the same Brownian path. Beside the root mean square of the error stands the sliced Wasserstein
distance of the results to the data, and the largest that as many true samples have for want of numbers (the floor).

The claim: the fast sampler at 25 steps is no worse than dpmpp-2m-sde at 100, in error everywhere and in distance to the data
as far as the floor allows to tell.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from reelscore.models.sampling import EVALUATIONS, SAMPLERS, STOCHASTIC, schedule_for
from reelscore.models.schedules import karras_sigmas, log_uniform_sigmas

LEAST, MOST = 0.03, 50.0
STEPS = (10, 25, 50, 100)
FINE = 1000
POINTS, DIRECTIONS, FLOORS, MANY = 1024, 32, 100, 100
FAST, FAST_STEPS, SLOW, SLOW_STEPS = "unipc", 25, "dpmpp-2m-sde", 100
ROWS = (
    *((name, schedule_for(name), " (2 evaluations a step)" * (EVALUATIONS.get(name, 1) - 1)) for name in SAMPLERS),
    (FAST, log_uniform_sigmas, ", even in ln(sigma)"),
    (FAST, karras_sigmas, ", Karras's sigmas"),
)


@dataclass(frozen=True)
class Problem:
    """A denoiser of points (n, dimensions), and samples of its data where it has any."""

    name: str
    dimensions: int
    denoise: Callable[[Tensor, float], Tensor]
    draw: Callable[[int, torch.Generator], Tensor] | None


@dataclass(frozen=True)
class Mixture:
    """Normal parts with their own centre and their own width along every dimension, each (parts, dimensions)."""

    centres: Tensor
    widths: Tensor
    shares: Tensor

    def denoise(self, x: Tensor, sigma: float) -> Tensor:
        """The mean of the data given x = data + sigma * noise."""
        variances = self.widths**2 + sigma**2
        # Written as products of small matrices: (x - centre)**2 / variance, multiplied out.
        apart = x**2 @ (1 / variances).T - 2 * x @ (self.centres / variances).T
        alone = (self.centres**2 / variances + variances.log()).sum(dim=1) - 2 * self.shares.log()
        shares = (-(apart + alone) / 2).softmax(dim=1)
        kept = self.widths**2 / variances
        return shares @ (self.centres * (1 - kept)) + x * (shares @ kept)

    def draw(self, points: int, generator: torch.Generator) -> Tensor:
        part = torch.multinomial(self.shares, points, replacement=True, generator=generator)
        return self.centres[part] + self.widths[part] * normal((points, self.centres.shape[1]), generator)


class BrownianPath:
    """Noise for any row of sigmas from one path.

    The noise that a step of the reversed diffusion takes is an increment of Brownian motion in the time 1/sigma**2: so
    two steps together take what one step over both takes.
    """

    def __init__(self, rows: Sequence[Sequence[float]], shape: tuple[int, int], generator: torch.Generator) -> None:
        times = sorted({sigma**-2 for row in rows for sigma in row if sigma})
        lengths = torch.tensor(times, dtype=torch.float64).diff().sqrt()
        steps = normal((len(lengths), *shape), generator) * lengths[:, None, None]
        self.way = torch.cat([torch.zeros(1, *shape, dtype=torch.float64), steps.cumsum(dim=0)])
        self.place = {time: index for index, time in enumerate(times)}

    def noise(self, _step: int, sigma: float, after: float) -> Tensor:
        start, stop = sigma**-2, after**-2
        return (self.way[self.place[stop]] - self.way[self.place[start]]) / math.sqrt(stop - start)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    seed = parser.parse_args().seed
    threads = torch.get_num_threads()
    # The tensors are so small that several threads would only wait for each other.
    torch.set_num_threads(1)
    try:
        return max([measured(problem, seed) for problem in problems(seed)])
    finally:
        torch.set_num_threads(threads)


def problems(seed: int) -> list[Problem]:
    generator = torch.Generator().manual_seed(seed)
    dimensions, parts = 8, 12
    centres = normal((parts, dimensions), generator) * 0.9
    widths = torch.rand(parts, dimensions, generator=generator, dtype=torch.float64)
    widths = 0.03 * (0.5 / 0.03) ** widths
    even = torch.full((parts,), 1 / parts, dtype=torch.float64)
    prompted = 0.6 ** torch.arange(parts, dtype=torch.float64)
    everything, asked = Mixture(centres, widths, even), Mixture(centres, widths, prompted / prompted.sum())

    def guided(x: Tensor, sigma: float) -> Tensor:
        away = everything.denoise(x, sigma)
        return away + 6 * (asked.denoise(x, sigma) - away)

    spectrum = torch.logspace(math.log10(4), -3, 12, dtype=torch.float64)
    return [
        Problem("mixture", dimensions, everything.denoise, everything.draw),
        Problem("mixture, guided", dimensions, guided, None),
        Problem(
            "spectrum",
            len(spectrum),
            lambda x, sigma: x * (spectrum / (spectrum + sigma**2)),
            lambda points, generator: normal((points, len(spectrum)), generator) * spectrum.sqrt(),
        ),
    ]


def measured(problem: Problem, seed: int) -> int:
    """Prints the table of one problem; 1 where the claim does not hold."""
    generator = torch.Generator().manual_seed(seed)
    shape = (POINTS, problem.dimensions)
    fine = log_uniform_sigmas(FINE, LEAST, MOST)
    path = BrownianPath([log_uniform_sigmas(steps, LEAST, MOST) for steps in (*STEPS, FINE)], shape, generator)
    start = normal(shape, generator) * MOST
    flow = SAMPLERS["heun"](problem.denoise, start, fine, path.noise)
    diffusion = SAMPLERS[SLOW](problem.denoise, start, fine, path.noise)
    far = distance_to(problem, generator)
    floor = [far(problem.draw(POINTS, generator)) for _ in range(FLOORS)] if problem.draw else []
    print(f"\n{problem.name}: error" + (f", distance to the data (floor {max(floor):.3f})" if floor else ""))
    print(f"{'steps':42s}" + "".join(f"{steps:>18d}" for steps in STEPS))
    errors: dict[tuple[str, int], float] = {}
    distances: dict[tuple[str, int], float] = {}
    for name, schedule, remark in ROWS:
        cells = []
        for steps in STEPS:
            out = SAMPLERS[name](problem.denoise, start, schedule(steps, LEAST, MOST), path.noise)
            exact = diffusion if name in STOCHASTIC else flow
            error, distance = float((out - exact).square().mean().sqrt()), far(out)
            if schedule is schedule_for(name):
                errors[name, steps], distances[name, steps] = error, distance
            cells.append(f"{error:.2g}" + (f"  {distance:.3f}" if floor else ""))
        print(f"{name + remark:42s}" + "".join(f"{cell:>18s}" for cell in cells), flush=True)
    fast, slow = (FAST, FAST_STEPS), (SLOW, SLOW_STEPS)
    missed = errors[fast] > errors[slow] or distances[fast] > max([distances[slow], *floor])
    print(
        f"{FAST} at {FAST_STEPS} steps has {errors[fast] / errors[slow]:.2f} times the error of {SLOW} at {SLOW_STEPS}"
        f" (at most 1){'   missed' if missed else ''}"
    )
    return int(missed)


def distance_to(problem: Problem, generator: torch.Generator) -> Callable[[Tensor], float]:
    """The sliced Wasserstein distance of points to the problem's data, given by MANY times as many samples."""
    directions = torch.nn.functional.normalize(normal((problem.dimensions, DIRECTIONS), generator), dim=0)
    if problem.draw is None:
        return lambda _points: 0.0
    sorted_data = (problem.draw(MANY * POINTS, generator) @ directions).sort(dim=0).values
    data = sorted_data.unflatten(0, (POINTS, MANY)).mean(dim=1)
    return lambda points: float(((points @ directions).sort(dim=0).values - data).abs().mean())


def normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


if __name__ == "__main__":
    raise SystemExit(main())
