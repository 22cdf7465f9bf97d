"""Whether our networks give what the published ones give: `python -m benchmark.parity sonique FOLDER`.

The folder holds what the published implementation answered on weights that follow a recipe: io.safetensors (inputs and
expected outputs; the salt of the weights in its header), model_config.json, keys.tsv (names and shapes of these weights) and
published_keys.txt (names and shapes of the released checkpoint). Sizes, batch and lengths are read from the files.

Prints the largest absolute error of every tensor, and how many published keys found their place. Exits 1 above 1e-4 or where
a key or a tensor has no place.
"""

import argparse
import math
import re
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from reelscore.checkpoints.pieces import Piece
from reelscore.checkpoints.reading import Stored, read_json, read_weights
from reelscore.checkpoints.sonique import filled, fitting, frame, shapes_in
from reelscore.checkpoints.sonique_names import is_of_tower
from reelscore.errors import InputError, ReelscoreError
from reelscore.models.conditioning import Context, TextTowerConfig
from reelscore.models.denoising import Denoiser, Guidance
from reelscore.models.latent_diffusion import LatentDiffusion, LatentDiffusionConfig, config_from_published
from reelscore.models.sampling import SAMPLERS

TOLERANCE = 1e-4
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

Shapes = dict[str, tuple[int, ...]]


# --- the weights --------------------------------------------------------------------------------------------------------


def sonique_weight(name: str, shape: tuple[int, ...], salt: str) -> Tensor:
    """The weight of one published key by the fixtures' recipe: a function of salt, name and shape alone."""
    x = np.random.default_rng(zlib.crc32(f"{salt}:{name}".encode())).standard_normal(shape, dtype=np.float32)
    leaf = name.rpartition(".")[2]
    if len(shape) >= 2 and leaf not in ("weight_g", "alpha"):
        value = x * 0.8 / math.sqrt(math.prod(shape[1:]))
    elif leaf == "weight_g":
        value = 0.65 + 0.065 * x
    elif leaf == "alpha":
        value = 1 + 0.1 * np.abs(x)
    elif leaf in ("weight", "gamma", "scale"):
        value = 1 + 0.1 * x
    elif leaf == "weights":
        value = x
    else:
        value = 0.05 * x
    return torch.from_numpy(np.asarray(value, dtype=np.float32))


def shapes_of(table: Path) -> Shapes:
    """Names and shapes in a table of either form: `name<tab>2,3` or `name [2,3] torch.float32`."""
    shapes = {}
    for line in _text(table).splitlines():
        name, shape, *_ = [*line.split(), "", ""]
        try:
            shapes[name] = tuple(int(size) for size in shape.strip("[]").split(",") if size)
        except ValueError as problem:
            raise InputError(f"{table} has a line that is no name and shape: {line[:80]!r}.") from problem
    return {name: shape for name, shape in shapes.items() if name}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as problem:
        raise InputError(f"Cannot read {path}: {problem}; give a folder of parity fixtures.") from problem


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
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "weights.safetensors"
        save_file(weights, file)
        model = frame(config)
        pieces, _ = fitting(read_weights(file), model)
        filled(model, pieces | _silent_tower(model))
    return Fixture(tensors, model, len(weights))


def _silent_tower(model: LatentDiffusion) -> dict[str, Piece]:
    """A text tower of zeros that takes no memory: fixtures hold its output instead."""
    nothing = torch.zeros(())
    return {
        name: Piece(name, shape, lambda shape=shape: nothing.expand(shape))
        for name, shape in shapes_in(model).items()
        if is_of_tower(name)
    }


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
    good = True
    with torch.inference_mode():
        for name in expected(fixture):
            try:
                error = _largest_error(sonique_output(fixture, name), fixture.tensors[name])
            except KeyError as absent:
                raise InputError(f"{folder / 'io.safetensors'} lacks {absent}, which {name} is made from.") from absent
            good &= error <= TOLERANCE
            print(f"{name:40} {error:10.2e}  {'' if error <= TOLERANCE else 'MISSED'}".rstrip(), flush=True)
    return check_published_keys(folder / "published_keys.txt") and good


def _largest_error(ours: Tensor | None, theirs: Tensor) -> float:
    """Infinite where there is nothing to compare, or something that is not a number."""
    if ours is None or ours.shape != theirs.shape or not theirs.numel():
        return math.inf
    error = float((ours.double() - theirs.double()).abs().max())
    return error if math.isfinite(error) else math.inf


def check_published_keys(table: Path) -> bool:
    """Maps the names and shapes of the released checkpoint strictly onto the published configuration."""
    shapes = shapes_of(table)

    def unread(name: str) -> Tensor:
        raise AssertionError(f"{name} is known by its shape alone")

    stored = Stored(table, shapes, {}, unread, {}, (table,))
    try:
        pieces, _ = fitting(stored, frame(LatentDiffusionConfig()))
    except InputError as problem:
        print(problem)
        return False
    print(f"{len(shapes)} published keys mapped onto {len(pieces)} tensors, weight norm folded")
    return True


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmark.parity", description=__doc__)
    models = parser.add_subparsers(dest="model", required=True)
    models.add_parser("sonique", help="U-Net, autoencoder, conditioner and samplers").add_argument("folder", type=Path)
    asked = parser.parse_args(arguments)
    checks = {"sonique": check_sonique}
    try:
        good = checks[asked.model](asked.folder)
    except ReelscoreError as problem:
        print(problem, file=sys.stderr)
        return 1
    print("parity" if good else f"no parity: an error is above {TOLERANCE:g}, or a key or tensor has no place")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
