"""What a patch is: a function that plays one note, and how long that note may sound after its written end."""

from dataclasses import dataclass
from typing import Protocol

from reelscore.audio import Samples


class Play(Protocol):
    """Plays one whole note with its tail: float32 (2, n), the same for the same arguments, silent at both its ends.

    `pitch` is a MIDI note (69 is 440 Hz; a percussion key for kits), `velocity` runs from 0 to 1, `duration` is the written
    length in seconds, `rate` is in Hz, and `variation` (0 to 3) picks one of several takes of the same note.
    """

    def __call__(self, pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples: ...


@dataclass(frozen=True)
class Patch:
    """One instrument: `play` gives a note, `tail` is the longest that a note sounds after its written end, in seconds."""

    play: Play
    tail: float
