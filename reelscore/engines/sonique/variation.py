"""Where the way from noise to music begins, and how a melody is held on the way.

A variation starts from the melody's latents under noise of a middling deviation (Meng et al. 2022, SDEdit): what is finer than
that noise is made anew. A melody that ends before the music does is held until the noise has fallen to that deviation: as
long as its denoised part is the melody itself, every sampler leaves exactly the melody under its noise there, while the rest
comes about from nothing but noise, in the melody's company.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log

import torch
from torch import Tensor

from reelscore.engines.sonique.options import Options
from reelscore.errors import InputError
from reelscore.models.sampling import schedule_for
from reelscore.models.schedules import log_uniform_sigmas

Denoise = Callable[[Tensor, float], Tensor]

FEWEST_STEPS = 4
GIVING_WAY = 16  # latents over which a melody that ends early gives way to what is new


@dataclass(frozen=True, eq=False)
class Melody:
    """A melody's latents (takes, channels, n), how much of each place it holds (n,), from 1 to 0, and down to which noise."""

    latents: Tensor
    share: Tensor
    sigma: float

    @property
    def is_whole(self) -> bool:
        """Whether it holds every place, so that the way can begin at its noise."""
        return bool((self.share == 1).all())


def laid(latents: Tensor, length: int, sigma: float) -> Melody:
    """Latents (takes, channels, m) of a melody laid at the start of `length` places; behind them nothing is held."""
    melody = torch.zeros(*latents.shape[:2], length, device=latents.device)
    share = torch.zeros(length, device=latents.device)
    known = min(latents.shape[-1], length)
    melody[..., :known] = latents[..., :known]
    share[:known] = 1.0
    if known < length:
        fading = min(GIVING_WAY, known)
        ramp = (torch.arange(fading, device=latents.device) + 0.5) / fading
        share[known - fading : known] = (1 + torch.cos(torch.pi * ramp)) / 2
    return Melody(melody, share, sigma)


def start_of(noise: Tensor, melody: Melody | None, sigma: float) -> Tensor:
    """Noisy latents at the first of the sigmas."""
    return noise * sigma if melody is None else melody.latents * melody.share + noise * sigma


def holding(denoise: Denoise, melody: Melody) -> Denoise:
    """A denoiser that finds the melody where it is held, as long as there is more noise than its own."""

    def held(x: Tensor, sigma: float) -> Tensor:
        found = denoise(x, sigma)
        # What a schedule calls the melody's own noise may differ from it in the last digit.
        if sigma <= melody.sigma * (1 + 1e-6):
            return found
        return found + (melody.latents - found) * melody.share

    return held


def sigmas_for(options: Options, melody: Melody | None) -> list[float]:
    """The noise from step to step, and 0 in the end: from the most there is, or from a whole melody's own with as many fewer steps.

    As published, a melody takes as many steps as anything. Raises InputError where no noise is left to take away.
    """
    steps, least, most = options.step_count, options.sigma_min, options.sigma_max
    if melody is not None and least >= melody.sigma:
        raise InputError(
            f"--sigma-min {least:g} is not below {melody.sigma:g}, the noise from which --keep {options.keep} takes up a melody;"
            " lower it or keep less."
        )
    if melody is not None and melody.is_whole:
        if not options.as_published:
            steps = max(FEWEST_STEPS, ceil(steps * log(melody.sigma / least) / log(most / least)))
        most = melody.sigma
    schedule = log_uniform_sigmas if options.as_published else schedule_for(options.sampler_name)
    return schedule(steps, least, most)
