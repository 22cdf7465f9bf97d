"""The little that a brief can do to a model without words: its energy moves how freely the tokens are chosen.

A passage of energy 1 is played at a temperature that is higher by the share `steer`, one of energy 0 lower by as much, and one
of energy 0.5 as asked for. Wilder choices sound busier and tamer ones calmer, in tendency; nothing is promised about
a moment. Guidance stays the same throughout.
"""

from collections.abc import Sequence

import numpy as np

from reelscore.brief import Brief

TURN = 1.0  # seconds within which the temperature goes from that of one section to that of the next


def steered(temperature: float, steer: float, energy: float) -> float:
    """The temperature for this energy."""
    return temperature * (1.0 + steer * (2.0 * energy - 1.0))


def temperatures(brief: Brief, temperature: float, steer: float, times: Sequence[float]) -> tuple[float, ...]:
    """The temperature at each of the times, in seconds of the film, with a ramp where one section passes into the next."""
    corners: list[tuple[float, float]] = []
    for section in brief.sections:
        ramp = min(TURN, section.end - section.start) / 2
        moved = steered(temperature, steer, section.energy)
        corners += [(section.start + ramp, moved), (section.end - ramp, moved)]
    at, moved_there = zip(*corners, strict=True)
    return tuple(np.interp(times, at, moved_there).tolist())
