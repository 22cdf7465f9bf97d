"""The options of the engine `sonique`, and what they come to where they are left to the engine."""

from dataclasses import dataclass
from typing import Literal, get_args

from reelscore.engines import refuse_outside
from reelscore.errors import InputError

SamplerName = Literal["auto", "unipc", "dpmpp-2m-sde", "dpmpp-3m-sde", "dpmpp-2s-ancestral", "heun", "dpm-2", "lms"]
Keep = Literal["hint", "loose", "close", "strict"]

FAST_SAMPLER, FAST_STEPS = "unipc", 25
PUBLISHED_SAMPLER, PUBLISHED_STEPS = "dpmpp-2m-sde", 300
MOST_STEPS = 1000
LEAST_WINDOW, MOST_WINDOW = 3.0, 600.0
FAST_WINDOW, PUBLISHED_WINDOW = 95.0, 23.8

# The noise from which a melody is taken up, as its standard deviation beside latents of about 1. What is slower and louder
# than the noise stays: how the whole swells and falls, then the harmony and the rhythm, then the notes, then the instruments.
START_SIGMA: dict[Keep, float] = {"hint": 12.0, "loose": 4.0, "close": 1.5, "strict": 0.5}


@dataclass(frozen=True)
class Options:
    """What the diffusion model is asked for, and where its files are. Raises InputError for a value that cannot be."""

    weights: str = ""
    """The model: the file that `reelscore models convert` wrote, or the published checkpoint. Left out: the file sonique.safetensors in Reelscore's folder of models."""
    config: str = ""
    """For a published checkpoint that is not the released one: its configuration (JSON)."""
    text_tower: str = ""
    """For a published checkpoint: the CLAP weights that go with it."""
    tokenizer: str = ""
    """For a published checkpoint: RoBERTa's tokenizer, a folder, a tokenizer.json, or roberta-base where that has been fetched."""
    steps: int = 0
    """Steps from noise to music; more cost more time. 0 chooses: 25, as published 300."""
    guidance: float = 6.0
    """How strictly the tags are followed: 1 loosely, 3 to 7 well, beyond that harshly."""
    rescale: float = 0.4
    """How far guidance is kept from overdriving the sound: 0 not at all, 1 wholly."""
    sampler: SamplerName = "auto"
    """How the steps are taken; auto is unipc, which needs the fewest, and as published dpmpp-2m-sde."""
    sigma_min: float = 0.03
    """The least noise, from which the last step goes to none."""
    sigma_max: float = 50.0
    """The noise to begin with."""
    negative: str = ""
    """More tags to keep away from, by commas, beside those of --avoid; any words will do."""
    keep: Keep = "close"
    """How much of a melody or a guide is kept: hint, how it swells and falls; loose, its harmony and pulse too; close, its rhythm and tune too; strict, nearly all but its colour."""
    guide: bool = False
    """Let the composer write and play the brief first, and vary that: neural sound with the composer's timing."""
    window: float = 0.0
    """Seconds that are made in one piece at most; longer music is made of overlapping ones. Less needs less memory. 0 chooses: 95, as published 23.8."""
    as_published: bool = False
    """Do as SONIQUE 1.0 did: its tag line, its 300 steps, its masks (negative tags hardly act), one piece of music for the whole film."""

    def __post_init__(self) -> None:
        if not 0 <= self.steps <= MOST_STEPS or self.steps == 1:
            raise InputError(f"--steps {self.steps}: ask for 2 to {MOST_STEPS}, or leave it out.")
        refuse_outside("guidance", self.guidance, 0.0, 50.0)
        refuse_outside("rescale", self.rescale, 0.0, 1.0)
        if self.window:
            refuse_outside("window", self.window, LEAST_WINDOW, MOST_WINDOW)
        for name, choices in (("sampler", get_args(SamplerName)), ("keep", get_args(Keep))):
            if getattr(self, name) not in choices:
                raise InputError(f"--{name} {getattr(self, name)}: the choices are {', '.join(choices)}.")
        for name in ("sigma_min", "sigma_max"):
            refuse_outside(name.replace("_", "-"), getattr(self, name), 0.001, 1000.0)
        if self.sigma_min >= self.sigma_max:
            raise InputError(
                f"--sigma-min {self.sigma_min:g} is not below --sigma-max {self.sigma_max:g}; noise falls from the one to the other."
            )

    @property
    def sampler_name(self) -> str:
        """The sampler, chosen where it is left to the engine."""
        if self.sampler != "auto":
            return self.sampler
        return PUBLISHED_SAMPLER if self.as_published else FAST_SAMPLER

    @property
    def step_count(self) -> int:
        """The steps, chosen where they are left to the engine."""
        return self.steps or (PUBLISHED_STEPS if self.as_published else FAST_STEPS)

    @property
    def window_seconds(self) -> float:
        """The longest window, chosen where it is left to the engine."""
        return self.window or (PUBLISHED_WINDOW if self.as_published else FAST_WINDOW)

    @property
    def start_sigma(self) -> float:
        """The noise from which a melody or a guide is taken up."""
        return min(START_SIGMA[self.keep], self.sigma_max)
