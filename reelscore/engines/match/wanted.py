"""What a film wants of a track, and what it is given: a window, in pieces. Times are seconds, of the film or of the track as it is said."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from reelscore.brief import Brief
from reelscore.listening import ENERGY_STEP
from reelscore.tempo import Floats

STRONG = 0.6  # cues that a window is laid on


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a film wants of a window: its duration, energy each `ENERGY_STEP`, strong cues (times, strengths), and when its end is due."""

    duration: float
    energy: Floats
    cue_times: Floats
    cue_strengths: Floats
    ending: float


@dataclass(frozen=True)
class Piece:
    """A stretch of the track: what lies at `source` seconds of it is heard `at` seconds of the film, and so on until the next piece."""

    source: float
    at: float


@dataclass(frozen=True)
class Window:
    """The pieces in order, the first at 0, and how well they fit, each from 0 to 1; `cues` is None where there are no strong ones.

    `first` is the number of the bar with which it begins; `ends` says whether the track's own ending is heard.
    """

    pieces: tuple[Piece, ...]
    duration: float
    energy: float
    cues: float | None
    seams: float
    ends: bool
    first: int

    @property
    def stretches(self) -> tuple[tuple[float, float], ...]:
        """Which seconds of the track are heard, piece by piece."""
        edges = [*(piece.at for piece in self.pieces), self.duration]
        return tuple(
            (piece.source, piece.source + end - piece.at) for piece, end in zip(self.pieces, edges[1:], strict=True)
        )


def wanted_by(brief: Brief) -> Wanted:
    """What a brief wants: the energy of its sections, its strong cues, and its ending."""
    middles = np.minimum(middles_of(max(1, ceil(brief.duration / ENERGY_STEP - 1e-6))), brief.duration)
    ends = [section.end for section in brief.sections]
    energies = np.array([section.energy for section in brief.sections])
    strong = [cue for cue in brief.cues if cue.kind != "ending" and cue.strength >= STRONG and cue.time > 0]
    endings = [cue.time for cue in brief.cues if cue.kind == "ending"]
    return Wanted(
        brief.duration,
        np.asarray(energies[np.minimum(np.searchsorted(ends, middles), len(ends) - 1)], np.float64),
        np.array([cue.time for cue in strong]),
        np.array([cue.strength for cue in strong]),
        endings[-1] if endings else brief.duration,
    )


def middles_of(steps: int) -> Floats:
    """The seconds in the middle of each step of a curve of energy."""
    return np.asarray((np.arange(steps) + 0.5) * ENERGY_STEP, np.float64)
