"""The score: notes on a tempo map, one part per instrument, and its MIDI file.

Times are seconds from the first frame, already humanised; pitches are MIDI notes (60 is middle C; for drums the General
MIDI percussion key); velocities run from 0 to 1. Parts are in score order, top to bottom.
"""

from dataclasses import dataclass

from reelscore.brief import Key
from reelscore.tempo import TempoMap


@dataclass(frozen=True, slots=True)
class Note:
    """One note. `cue` marks a note that is there to hit a cue: its start is that cue's time to the sample."""

    start: float
    duration: float
    pitch: int
    velocity: float
    cue: bool = False


@dataclass(frozen=True)
class Part:
    """What one player plays, and where that player sits in the mix.

    `instrument` is a name of the vocabulary, `gain_db` the part's place in the gain table, `pan` runs from −1 (left) to 1,
    `reverb_db` is the send to the hall. `levels` are (seconds, dB) breakpoints on top of `gain_db`, joined linearly: swells,
    layers that come nearer or draw back.
    """

    name: str
    role: str
    instrument: str
    notes: tuple[Note, ...]
    gain_db: float = 0.0
    pan: float = 0.0
    reverb_db: float = -12.0
    levels: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Marker:
    """A word at a time: a section's name or a cue."""

    time: float
    text: str


@dataclass(frozen=True)
class Score:
    """A whole piece. `duration` is the film's; every note ends within it."""

    duration: float
    key: Key
    tempo_map: TempoMap
    parts: tuple[Part, ...]
    markers: tuple[Marker, ...] = ()
