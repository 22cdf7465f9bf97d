"""The options of the engine `vidmuse`, and what the published way makes of them."""

from dataclasses import dataclass

from reelscore.engines import refuse_outside
from reelscore.errors import InputError

LEAST_CONTEXT, MOST_CONTEXT = 0.5, 25.0
PUBLISHED_CONTEXT = 0.5
MOST_STEER = 0.5


@dataclass(frozen=True)
class Options:
    """What the model is asked for, and where its files are. Raises InputError for a value that cannot be."""

    weights: str = ""
    """The model: the file that `reelscore models convert` wrote, or the published state_dict.bin. Left out: the file vidmuse.safetensors in Reelscore's folder of models."""
    encodec: str = ""
    """For the published state_dict.bin: the folder of facebook/encodec_32khz, where it is not among the fetched models."""
    temperature: float = 1.0
    """How freely tokens are chosen: less is more predictable, more is wilder."""
    top_k: int = 250
    """Choose among this many of the likeliest tokens; 0 chooses among all."""
    top_p: float = 0.0
    """Choose among the likeliest tokens that together have this probability, in place of top-k; 0 is off."""
    guidance: float = 3.0
    """How far the film outweighs a black picture: 1 plainly, 3 as published, beyond that harshly."""
    context: float = 12.0
    """Seconds of the music before it that each window knows at least; as published 0.5."""
    int8: bool = False
    """Hold the decoder's weights in 8 bits: faster and smaller on the CPU, a little less exact."""
    steer: float = 0.1
    """How far the energy of the brief's sections moves the temperature: by this share of it up or down. 0 is not at all, as published too."""
    as_published: bool = False
    """Do as VidMuse's release does: its frames, its windows, 0.5 s of context, its one random state (the seed has no effect), one channel."""

    def __post_init__(self) -> None:
        refuse_outside("temperature", self.temperature, 0.05, 5.0)
        refuse_outside("guidance", self.guidance, 1.0, 20.0)
        refuse_outside("context", self.context, LEAST_CONTEXT, MOST_CONTEXT)
        refuse_outside("steer", self.steer, 0.0, MOST_STEER)
        refuse_outside("top-p", self.top_p, 0.0, 1.0)
        if self.top_k < 0:
            raise InputError(f"--top-k {self.top_k}: give 0 for all tokens, or the number to choose among.")
        if self.as_published and self.context not in (Options.context, PUBLISHED_CONTEXT):
            raise InputError(
                f"--context {self.context:g} contradicts --as-published, which goes on from {PUBLISHED_CONTEXT:g} s; leave one of them out."
            )

    @property
    def context_seconds(self) -> float:
        """The music that a window goes on from."""
        return PUBLISHED_CONTEXT if self.as_published else self.context

    @property
    def steering(self) -> float:
        """How far energy moves the temperature."""
        return 0.0 if self.as_published else self.steer
