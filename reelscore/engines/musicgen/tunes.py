"""What a melody model follows: a recording, or the composer's playing, in the film's time; and as chroma in a window's.

Sound is mono, float32 (1, n), at the codec's rate. A recording that ends early begins again, as often as the film lasts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from reelscore.audio import Samples
from reelscore.engines import Request
from reelscore.engines.musicgen.plan import LEARNED
from reelscore.melody import played, read_recording
from reelscore.models.chroma import MelodyConfig, chroma
from reelscore.progress import Progress

# The composer's players whose notes are no melody and would drown it: what was taken out of the recordings in training.
_NO_MELODY = ("drums", "bass", "effects")


@dataclass(frozen=True, eq=False)
class Tune:
    """A sound in the film's time."""

    sound: Samples
    rate: int

    def chroma(self, stretches: Sequence[tuple[float, float]], config: MelodyConfig) -> Tensor:
        """The chroma (frames, bins) of stretches of film time, from and to in seconds, one behind the other."""
        places = [np.arange(round(start * self.rate), round(end * self.rate)) for start, end in stretches]
        heard = self.sound.take(np.concatenate(places), axis=1, mode="wrap")
        return chroma(torch.from_numpy(heard), config)


def recorded(request: Request, rate: int) -> Tune | None:
    """The recording to follow, if there is one."""
    if not request.melody:
        return None
    most = round((request.brief.duration + LEARNED) * rate)
    return Tune(read_recording(request.melody, rate, 1, most), rate)


def composed(request: Request, seed: int, rate: int, progress: Progress) -> Tune:
    """What the composer plays to the brief with that seed."""
    return Tune(played(request.brief, seed, rate, 1, progress, without=_NO_MELODY), rate)
