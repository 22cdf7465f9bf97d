"""Networks whose answers are known: one by its formula, and the small one of the parity fixtures."""

import json
import math
from dataclasses import dataclass, field
from functools import cache

import torch
from models.recipe import SONIQUE, fixture, shapes_of_fixture, weights
from torch import Tensor

from reelscore.checkpoints.unet_names import name_in_unet
from reelscore.models.attention import Read
from reelscore.models.conditioning import Context
from reelscore.models.denoising import Guidance
from reelscore.models.latent_diffusion import config_from_published
from reelscore.models.unet import Memory, UNet

CHANNELS, PLACES, SPREAD = 4, 6, 0.5
PLAIN = Guidance(scale=1)
"""Asks for the prompt alone."""


@dataclass
class Known:
    """Knows clean latents to be normal, of deviation SPREAD about the sum of the tokens that the mask lets pass."""

    null_context: Tensor = field(default_factory=lambda: torch.full((PLACES, CHANNELS), 0.25))
    readings: int = 0
    asked: list[tuple[int, int]] = field(default_factory=list)
    formats: set[torch.dtype] = field(default_factory=set)

    def read_context(self, tokens: Tensor, mask: Tensor) -> Memory:
        self.readings += 1
        values = tokens * mask.unsqueeze(-1)
        return Memory(((Read(tokens.unsqueeze(1), values.unsqueeze(1)),),))

    def __call__(self, x: Tensor, t: Tensor, memory: Memory) -> Tensor:
        self.asked.append((len(x), memory.batch))
        self.formats |= {x.dtype}
        assert t.dtype == torch.float32
        k = memory.batch // len(x)
        mean = memory.transformers[0][0].values.sum(dim=(1, 2)).unsqueeze(-1)
        sigma = torch.tan(t.double() * math.pi / 2).to(x.dtype).repeat(k).view(-1, 1, 1)
        reach = (1 + sigma**2).sqrt()
        noisy = x.repeat(k, 1, 1) * reach
        clean = mean + (noisy - mean) * SPREAD**2 / (SPREAD**2 + sigma**2)
        return (noisy / reach**2 - clean) * reach / sigma


def prompt(*values: float, length: int = 4, places: int = PLACES) -> Context:
    """A context for each value: tokens that hold it, in all places, the first `length` of which count."""
    tokens = torch.stack([torch.full((places, CHANNELS), value) for value in values])
    mask = (torch.arange(places) < length).float().expand(len(values), -1)
    return Context(tokens, mask)


def clean(x: Tensor, sigma: float, mean: float | Tensor) -> Tensor:
    """What such a network knows to be under the noise."""
    return mean + (x - mean) * SPREAD**2 / (SPREAD**2 + sigma**2)


@cache
def published() -> tuple[dict[str, Tensor], UNet, Tensor]:
    """The fixture, its U-Net, and the two tokens of seconds (1, 2, features): 0 and 23."""
    stored, salt = fixture()
    made = {name_in_unet(name): tensor for name, tensor in weights(shapes_of_fixture(), salt).items()}
    config = config_from_published(json.loads((SONIQUE / "model_config.json").read_text()))
    unet = UNet(config.unet).eval()
    unet.load_state_dict(
        {name.removeprefix("unet."): tensor for name, tensor in made.items() if name and name.startswith("unet.")}
    )
    rows = made["conditioner.seconds_start.weight"][0], made["conditioner.seconds_total.weight"][23]
    return stored, unet, torch.stack(rows).unsqueeze(0)
