"""How a recording begins and ends."""

from dataclasses import dataclass
from typing import Literal

from reelscore.audio import Samples

Manner = Literal["chord", "fade", "cut", "silent"]


@dataclass(frozen=True)
class Ends:
    """Where sound begins and stops, in seconds, and how it stops.

    `ending` is where the final chord begins, None without a real ending: a recording that is faded out has an end, but no final chord.
    """

    begins: float
    stops: float
    ending: float | None
    manner: Manner


def ends_of(samples: Samples, rate: int) -> Ends:
    """How a sound (channels, n) begins and ends."""
    return Ends(0.0, samples.shape[1] / rate, None, "cut")
