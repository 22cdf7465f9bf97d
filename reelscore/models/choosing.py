"""The choice of the next codes from a decoder's scores: guidance, temperature, top-k, top-p.

Scores and noise are float32 (takes, codebooks, cardinality), temperatures (codebooks, 1), codes int64 (takes, codebooks).
A draw is a race: the code with the largest p / e wins, each e drawn from the exponential distribution. This draws from p
exactly, needs no search, and takes the same random numbers to the same codes as `torch.multinomial` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

PUBLISHED_SEED = 1234
"""To which the published program sets torch's random state before each window, whatever seed the user gives."""


@dataclass(frozen=True)
class Sampling:
    """How the next codes are chosen; as it stands, the way of the published programs."""

    temperature: float | Sequence[float] = 1.0
    """Above 1 bolder, below 1 safer, 0 always the likeliest; one number, or one for each music frame."""
    top_k: int = 250
    """Only so many of the likeliest codes are drawn from; 0 for all."""
    top_p: float = 0.0
    """Only the likeliest codes that together reach this share are drawn from, instead of top_k; 0 for no such limit."""
    guidance_scale: float = 3.0
    """How far to go from the answer to the null condition towards that to the condition; at 1 only the latter is asked for."""

    def __post_init__(self) -> None:
        if not self.temperatures or not all(0 <= each < float("inf") for each in self.temperatures):
            raise ValueError(f"temperatures are numbers of at least 0, not {self.temperature}")
        if self.top_k < 0 or not 0 <= self.top_p <= 1:
            raise ValueError(f"top_k is at least 0 and top_p within 0 and 1, not {self.top_k} and {self.top_p}")

    @property
    def temperatures(self) -> tuple[float, ...]:
        """The one temperature, or that of each music frame."""
        return tuple(self.temperature) if isinstance(self.temperature, Sequence) else (self.temperature,)

    @cached_property
    def draws(self) -> Literal["never", "always", "sometimes"]:
        """Whether there is anything to draw: never where all temperatures are 0."""
        if not any(self.temperatures):
            return "never"
        return "always" if all(self.temperatures) else "sometimes"


def guided(conditional: Tensor, null: Tensor, scale: float) -> Tensor:
    """Scores led away from those under the null condition (classifier-free guidance, Ho & Salimans, 2022)."""
    return null + (conditional - null) * scale


def chosen(scores: Tensor, temperature: Tensor, noise: Tensor, sampling: Sampling) -> Tensor:
    """The next codes. The temperature counts, not the one in `sampling`; where it is 0, the likeliest code is taken."""
    if sampling.draws == "never":
        return scores.argmax(dim=-1)
    if sampling.draws == "always":
        return drawn(torch.softmax(scores / temperature, dim=-1), noise, sampling)
    cold = temperature == 0
    raced = drawn(torch.softmax(scores / temperature.masked_fill(cold, 1.0), dim=-1), noise, sampling)
    return torch.where(cold.squeeze(-1), scores.argmax(dim=-1), raced)


def drawn(p: Tensor, noise: Tensor, sampling: Sampling) -> Tensor:
    """One draw from each row of probabilities p (..., cardinality), less those that top-p or else top-k leaves out."""
    if sampling.top_p:
        falling, codes = p.sort(dim=-1, descending=True)
        # The race is run in falling order, as the published program runs it.
        winner = _race(_within_share(falling, sampling.top_p), noise)
        return codes.gather(-1, winner.unsqueeze(-1)).squeeze(-1)
    if 0 < sampling.top_k < p.shape[-1]:
        p = _likeliest(p, sampling.top_k)
    return _race(p, noise)


def exponential(noise: Tensor, generators: Sequence[torch.Generator]) -> None:
    """Fills noise (takes, ...) on the CPU, each take from its own generator.

    Takes that all have one and the same generator draw from it together, as the rows of a batch do in the published programs.
    """
    if all(generator is generators[0] for generator in generators):
        noise.exponential_(generator=generators[0])
        return
    for own, generator in zip(noise, generators, strict=True):
        own.exponential_(generator=generator)


def published_generator(shape: Sequence[int]) -> torch.Generator:
    """The random state that the published program samples a window with on a CPU: a seed of its own, then a mask is drawn of
    the shape of the whole film's frames, (1, 3, 32, 224, 224)."""
    generator = torch.Generator().manual_seed(PUBLISHED_SEED)
    torch.rand(tuple(shape), generator=generator)
    return generator


def _likeliest(p: Tensor, count: int) -> Tensor:
    """p without what is less likely than the `count` likeliest; those that tie with the last of them stay."""
    least = p.topk(count, dim=-1).values[..., -1:]
    kept = p * (p >= least)
    return kept / kept.sum(dim=-1, keepdim=True)


def _within_share(falling: Tensor, share: float) -> Tensor:
    """Falling probabilities without those before which the share is exceeded already."""
    kept = falling * (falling.cumsum(dim=-1) - falling <= share)
    return kept / kept.sum(dim=-1, keepdim=True)


def _race(p: Tensor, noise: Tensor) -> Tensor:
    return (p / noise).argmax(dim=-1)
