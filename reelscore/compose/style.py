"""What a style is made of: layers (who plays what, and when), and the taste of its harmony, tune, timing and accents."""

from dataclasses import dataclass, field
from typing import Literal

from reelscore.compose.harmony import Colour
from reelscore.compose.melody import Taste
from reelscore.compose.players import Player

Role = Literal["lead", "double", "counter", "pad", "figure", "pulse", "bass", "kit", "colour"]


@dataclass(frozen=True)
class Layer:
    """One part of a style.

    `instruments` are tried in order; the layer plays where the energy lies from `enters` up to `leaves`, and not in
    sections whose role is in `silent_in`. `low` and `high` bound its register within the instrument's range. `bright`
    layers crowd the voice and draw back under speech. `rings` lets it take part in accents.
    """

    name: str
    role: Role
    instruments: tuple[str, ...]
    play: Player
    enters: float = 0.0
    leaves: float = 1.01
    gain_db: float = -6.0
    pan: float = 0.0
    reverb_db: float = -14.0
    low: int = 0
    high: int = 127
    silent_in: tuple[str, ...] = ()
    bright: bool = False
    accents: bool = True


@dataclass(frozen=True)
class Accents:
    """How a style hits a cue: what is struck, and whether booms, risers and crashes belong to it."""

    struck: tuple[str, ...] = ("grand piano", "pizzicato strings", "harp", "marimba", "vibraphone")
    struck_gain_db: float = -3.0
    boom: bool = True
    riser: bool = True
    breath: float = 0.16


@dataclass(frozen=True)
class Style:
    """One style of the composer.

    `swing` is how much later the off-beats come, as a share of `swing_unit` beats; `looseness` is the spread of human
    timing in seconds. `span_lu` is how much louder an energy of
    0.95 is than one of 0.3. `bright` and `dark` are progressions that replace the common ones in bright and dark modes.
    """

    name: str
    layers: tuple[Layer, ...]
    taste: Taste = field(default_factory=Taste)
    colour: Colour = "triad"
    bars_per_chord: float = 1
    bright: tuple[str, ...] = ()
    dark: tuple[str, ...] = ()
    cadences: bool = True
    swing: float = 0.0
    swing_unit: float = 0.5
    looseness: float = 0.006
    pumping_db: float = 0.0
    span_lu: float = 8.0
    accents: Accents = field(default_factory=Accents)
