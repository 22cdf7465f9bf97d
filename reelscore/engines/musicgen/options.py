"""The options of the engine `musicgen`, and what the published way makes of them."""

from dataclasses import dataclass
from typing import Literal, get_args

from reelscore.engines import refuse_outside
from reelscore.errors import InputError

Carry = Literal["tail", "theme", "nothing"]

LEAST_CONTEXT, MOST_CONTEXT = 2.0, 25.0
PUBLISHED_CONTEXT = 12.0  # of the published demo where music goes on beyond what the model learned
DEFAULT_WEIGHTS = "musicgen-small"


@dataclass(frozen=True)
class Options:
    """What the model is asked for, and which it is. Raises InputError for a value that cannot be."""

    weights: str = ""
    """The model: one of `reelscore models list`, a Hugging Face id, or a folder. Left out: musicgen-small."""
    temperature: float = 1.0
    """How freely tokens are chosen: less is more predictable, more is wilder."""
    top_k: int = 250
    """Choose among this many of the likeliest tokens; 0 chooses among all."""
    top_p: float = 0.0
    """Choose among the likeliest tokens that together have this probability, in place of top-k; 0 is off."""
    guidance: float = 3.0
    """How strictly the words are followed: 1 loosely, 3 as published, beyond that harshly."""
    carry: Carry = "tail"
    """What goes on from scene to scene: tail, the music itself; theme, a theme that is made first and that every scene takes up; nothing."""
    context: float = 10.0
    """Seconds of music that a scene goes on from, and that a long scene remembers of itself; also the length of the theme."""
    int8: bool = False
    """Hold the decoder's weights in 8 bits: faster and smaller on the CPU, a little less exact."""
    guide: bool = False
    """Let the composer write and play the brief first, and have a melody model follow its harmony and tune."""
    as_published: bool = False
    """Do as the authors of Making Music for Videos did: each scene's words alone, each scene for itself, whole seconds, hard joins."""

    def __post_init__(self) -> None:
        refuse_outside("temperature", self.temperature, 0.05, 5.0)
        refuse_outside("guidance", self.guidance, 1.0, 20.0)
        refuse_outside("context", self.context, LEAST_CONTEXT, MOST_CONTEXT)
        refuse_outside("top-p", self.top_p, 0.0, 1.0)
        if self.top_k < 0:
            raise InputError(f"--top-k {self.top_k}: give 0 for all tokens, or the number to choose among.")
        if self.carry not in get_args(Carry):
            raise InputError(f"--carry {self.carry}: the choices are {', '.join(get_args(Carry))}.")
        if self.as_published and self.carry == "theme":
            raise InputError(
                "--carry theme contradicts --as-published, where nothing is carried; leave one of them out."
            )

    @property
    def carried(self) -> Carry:
        """What goes on from scene to scene; as published nothing."""
        return "nothing" if self.as_published else self.carry

    @property
    def context_seconds(self) -> float:
        """The music that more music goes on from."""
        return PUBLISHED_CONTEXT if self.as_published else self.context

    @property
    def model(self) -> str:
        """The model by name, id or folder."""
        return self.weights or DEFAULT_WEIGHTS
