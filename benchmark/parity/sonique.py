"""SONIQUE's U-Net, autoencoder, conditioner and samplers beside the published ones, on a fixture folder.

Besides io.safetensors, keys.tsv and published_keys.txt the folder holds model_config.json, the published form of the
configuration. Sizes, batch and lengths are read from the files.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmark.parity.comparing import told, told_outputs
from benchmark.parity.loading import loaded, told_published_keys
from benchmark.parity.recipe import shapes_of, sonique_weight
from reelscore.checkpoints.filling import frame
from reelscore.checkpoints.reading import read_json, read_weights
from reelscore.checkpoints.sonique import fitting
from reelscore.checkpoints.sonique_names import is_of_tower
from reelscore.errors import InputError
from reelscore.models.conditioning import Context, TextTowerConfig
from reelscore.models.denoising import Denoiser, Guidance
from reelscore.models.latent_diffusion import LatentDiffusion, LatentDiffusionConfig, config_from_published
from reelscore.models.sampling import SAMPLERS

SECONDS_START, SECONDS_TOTAL = 0, 23
SAMPLER_GUIDANCE = Guidance(3.0, 0.2)
_GUIDED = re.compile(r"unet\.v_cfg(?P<scale>[\d.]+)_rescale(?P<rescale>[\d.]+?)(?P<negative>_negative)?")
_INPUTS = {
    "negative.features",
    "negative.mask",
    "prompt.features",
    "prompt.mask",
    "sampler.noise",
    "sampler.sigmas",
    "sampler.x0",
    "unet.t",
    "unet.x",
    "vae.audio",
    "vae.latents",
}

# --- the fixture --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fixture:
    """One folder, read: its tensors, the salt of its weights, and the model with these weights."""

    tensors: Mapping[str, Tensor]
    model: LatentDiffusion
    keys: int

    def context(self, prompt: str) -> Context:
        """What the conditioner makes of the stored features of `prompt` or `negative`."""
        features, mask = self.tensors[f"{prompt}.features"], self.tensors[f"{prompt}.mask"]
        return self.model.conditioner.context(features, mask, SECONDS_START, SECONDS_TOTAL)


def read_sonique(folder: Path) -> Fixture:
    """The fixture of a folder, its weights loaded through the strict loader, from a file like any other."""
    stored = read_weights(folder / "io.safetensors")
    tensors = {name: stored.read(name) for name in stored.shapes}
    width = tensors["prompt.features"].shape[-1] if "prompt.features" in tensors else 768
    places = tensors["prompt.features"].shape[1] if "prompt.features" in tensors else 77
    document = read_json(folder / "model_config.json")
    try:
        config = config_from_published(document, TextTowerConfig(width=width, heads=1, prompt_tokens=places))
    except ValueError as problem:
        raise InputError(
            f"{folder / 'model_config.json'} is no configuration that is known here: {problem}"
        ) from problem
    salt = stored.header.get("salt", "reelscore")
    weights = {name: sonique_weight(name, shape, salt) for name, shape in shapes_of(folder / "keys.tsv").items()}
    # Fixtures hold what the text tower would say.
    model = loaded(frame(LatentDiffusion, config), weights, fitting, is_of_tower)
    return Fixture(tensors, model, len(weights))


# --- what is compared ---------------------------------------------------------------------------------------------------


def expected(fixture: Fixture) -> list[str]:
    """The names of all tensors that are outputs, known to us or not."""
    return sorted(name for name in fixture.tensors if name not in _INPUTS)


def sonique_output(fixture: Fixture, name: str) -> Tensor | None:
    """Our answer to one expected tensor, or None where we have none."""
    tensors, model = fixture.tensors, fixture.model
    simple: dict[str, Callable[[], Tensor]] = {
        "context": lambda: fixture.context("prompt").tokens,
        "context.mask": lambda: fixture.context("prompt").mask,
        "unet.mapping": lambda: model.unet.time_features(tensors["unet.t"]),
        "unet.v": lambda: _v(fixture, Guidance(1.0, 0.0), negative=False),
        "vae.decoded": lambda: model.autoencoder.decode(tensors["vae.latents"]),
        "vae.encoder_mean_and_scale": lambda: model.autoencoder.encode_moments(tensors["vae.audio"]),
    }
    if name in simple:
        return simple[name]()
    if guided := _GUIDED.fullmatch(name):
        guidance = Guidance(float(guided["scale"]), float(guided["rescale"]))
        return _v(fixture, guidance, negative=guided["negative"] is not None)
    sampler = name.removeprefix("sampler.").replace("_", "-")
    if name.startswith("sampler.") and sampler in SAMPLERS:
        return _sampled(fixture, sampler)
    return None


def _v(fixture: Fixture, guidance: Guidance, *, negative: bool) -> Tensor:
    """The network's answer under guidance, row by row, each at its own time, through the denoiser that makes music.

    The denoiser gives clean latents; in float64 v comes back out of them without loss.
    """
    x, times = fixture.tensors["unet.x"].double(), fixture.tensors["unet.t"]
    prompt = fixture.context("prompt")
    opposite = fixture.context("negative") if negative else None
    rows = []
    for row, t in enumerate(times.expand(len(x)).tolist()):
        denoiser = Denoiser(
            fixture.model.unet, _row(prompt, row), opposite and _row(opposite, row), guidance, as_published=True
        )
        sigma = max(math.tan(t * math.pi / 2), 1e-8)  # without any noise the denoiser says nothing of v
        reach = math.hypot(1.0, sigma)
        noisy = x[row : row + 1] * reach
        rows.append((noisy / (reach * reach) - denoiser(noisy, sigma)) * (reach / sigma))
    return torch.cat(rows).float()


def _sampled(fixture: Fixture, sampler: str) -> Tensor:
    """The sampler's result from the stored start, with the stored noise of every step."""
    tensors = fixture.tensors
    sigmas = [float(sigma) for sigma in tensors["sampler.sigmas"]]
    x = tensors["sampler.x0"]
    context = fixture.context("prompt")
    shared = Context(context.tokens[:1], context.mask[:1]) if len(context.tokens) != len(x) else context
    denoiser = Denoiser(fixture.model.unet, shared, guidance=SAMPLER_GUIDANCE)
    return SAMPLERS[sampler](
        denoiser, x * sigmas[0], sigmas, lambda step, _sigma, _next: tensors["sampler.noise"][step]
    )


def _row(context: Context, row: int) -> Context:
    row = row if len(context.tokens) > 1 else 0
    return Context(context.tokens[row : row + 1], context.mask[row : row + 1])


# --- the report ---------------------------------------------------------------------------------------------------------


def check_sonique(folder: Path) -> bool:
    """Prints every error; whether all tensors are close enough and all keys have a place."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give one of parity fixtures.")
    fixture = read_sonique(folder)
    print(f"{fixture.keys} keys of the fixture mapped, name by name and shape by shape")
    good = told_outputs(
        folder / "io.safetensors",
        expected(fixture),
        lambda name: told(name, sonique_output(fixture, name), fixture.tensors[name]),
    )
    return check_published_keys(folder / "published_keys.txt") and good


def check_published_keys(table: Path) -> bool:
    """Whether the names and shapes of the released checkpoint map strictly onto the published configuration."""
    return told_published_keys(table, frame(LatentDiffusion, LatentDiffusionConfig()), fitting, "weight norm folded")
