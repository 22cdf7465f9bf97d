"""The conditioning of one window of 30 s beside the reference's, on the same weights: `python -m benchmark.watching`.

The published size (CLIP ViT-B/32, the module of the medium model), random weights, float32, 60 frames of the window and 32 of the
whole film, with what guidance needs of a black film. The reference sends the film and as long a black one through everything; ours
makes the black film of one frame (counted here each time, though it is made once per model), and sees each frame once, whichever
stream wants it: of a film no longer than the window all 32. Of a longer one they are seen once per film, and so shared by its
windows; a window that has to pay for all of them alone is shown too.

Time: both in one process, in turn, on one copy of the weights; the least processor time of each counts, on one thread. Memory: each
side in a process of its own, above a process that only holds the weights. Ours needs at most half of the time.

The reference is written anew from its parts: CLIP as transformers has it, attention with its table of scores, and the
transformer of vit-pytorch, whose blocks are those of the reference. Its one file will do:

    pip install --no-deps --target REFERENCE vit-pytorch einops
    PYTHONPATH=REFERENCE python -m benchmark.watching

Where it is not installed, the figure recorded for the whole reference stands in, of another machine.
"""

import argparse
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.running import memory_mib
from reelscore.models.visual import DEVIATION, MEAN, Visual, VisualConfig

LIMIT = 0.5
GREATEST_ERROR = 1e-4
RECORDED_CPU = 22.0
"""Seconds of the reference's own code, without reading frames, on one of two shared cores."""
SIDES = ("reference", "ours", "ours, unshared")
CONFIG = VisualConfig()
Watch = Callable[[], tuple[Tensor, Tensor]]
"""Gives the tokens of the film and those of the black film."""


@torch.inference_mode()
def main() -> int:
    asked = _asked()
    torch.set_num_threads(1)
    if asked.side:
        ways = _ways(_model())
        if asked.side in ways:
            ways[asked.side]()
        print(memory_mib()[0])
        return 0
    print(f"{CONFIG.local_frames} + {CONFIG.global_frames} frames, one thread, torch {torch.__version__}")
    has_reference = _reference_file() is not None
    peaks = {side: _peak_mib(side) for side in ("weights", *SIDES[not has_reference :])}
    ways = _ways(_model())
    rounds = [{side: _timed(way) for side, way in ways.items()} for _ in range(asked.rounds)]
    taken = {side: min(times[side][0] for times in rounds) for side in ways}
    made = {side: tokens for side, (_, tokens) in rounds[-1].items()}
    if not has_reference:
        print("vit-pytorch is not installed: compared with the figure of ANOTHER machine, outputs unchecked")
    reference = taken.setdefault("reference", RECORDED_CPU)
    for side, seconds in taken.items():
        memory = f", {peaks[side] - peaks['weights']:5.0f} MiB above the weights" if side in peaks else ""
        print(f"{side:14s} {seconds:6.2f} s of processor, {seconds / reference:.2f} of the reference{memory}")
    error = max(_apart(made[side], made["reference"]) for side in made) if has_reference else 0.0
    print(f"limit {LIMIT}" + (f"; largest difference of the tokens {error:.1e}" if has_reference else ""))
    return 0 if taken["ours"] <= LIMIT * reference and error <= GREATEST_ERROR else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    return parser.parse_args()


def _peak_mib(side: str) -> float:
    command = [sys.executable, "-W", "ignore", "-m", "benchmark.watching", "--side", side]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)


def _timed(way: Watch) -> tuple[float, tuple[Tensor, Tensor]]:
    """Seconds of the processor, and what was made."""
    before = time.process_time()
    made = way()
    return time.process_time() - before, made


def _apart(ours: tuple[Tensor, Tensor], theirs: tuple[Tensor, Tensor]) -> float:
    """The largest difference; our black film has the tokens of one frame, which theirs repeats."""
    black = ours[1].repeat(len(theirs[1]) // len(ours[1]), 1)
    return max(float((ours[0] - theirs[0]).abs().max()), float((black - theirs[1]).abs().max()))


def _ways(model: Visual) -> dict[str, Watch]:
    """Each side by name; the reference only where it is installed."""
    seeded = torch.Generator().manual_seed(1)
    local = torch.randint(0, 256, (CONFIG.local_frames, 224, 224, 3), generator=seeded, dtype=torch.uint8)
    shared = torch.linspace(0, CONFIG.local_frames - 1, CONFIG.global_frames).long()
    ways: dict[str, Watch] = {
        SIDES[1]: partial(_ours, model, local, shared),
        SIDES[2]: partial(_ours_unshared, model, local, local[shared]),
    }
    if _reference_file():
        ways = {SIDES[0]: _reference(model, local, local[shared]), **ways}
    return ways


def _ours(model: Visual, local: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
    features = model.features(local)
    return model.embed(features, features[shared]), _black(model)


def _ours_unshared(model: Visual, local: Tensor, overall: Tensor) -> tuple[Tensor, Tensor]:
    return model.embed(model.features(local), model.features(overall)), _black(model)


def _black(model: Visual) -> Tensor:
    # Forgets the black film that it remembers.
    return model.eval().null()


def _model() -> Visual:
    """Random weights, of sizes that keep the numbers within bounds."""
    model = Visual(CONFIG).eval()
    seeded = torch.Generator().manual_seed(0)
    for name, value in model.state_dict().items():
        drawn = torch.randn(value.shape, generator=seeded)
        if name.endswith("position"):
            value.copy_(0.02 * drawn)
        elif value.dim() > 1:
            value.copy_(drawn * (0.8 / drawn[0].numel() ** 0.5))
        else:
            value.copy_(0.05 * drawn + float(name.endswith("weight")))
    return model


# --- the reference's way -------------------------------------------------------------------------------------------------


def _reference_file() -> Path | None:
    """The one file of vit-pytorch that holds the transformer; None where it or what it imports is not installed."""
    package = importlib.util.find_spec("vit_pytorch")
    if package is None or not package.submodule_search_locations or importlib.util.find_spec("einops") is None:
        return None
    return Path(package.submodule_search_locations[0]) / "vit.py"


def _reference(model: Visual, local: Tensor, overall: Tensor) -> Watch:
    """Film and black film through everything, from pixels that are made ready already."""
    films = [_ready(torch.cat([frames, torch.zeros_like(frames)])) for frames in (local, overall)]
    positions = model.local_position, model.global_position
    streams = _transformer(model.local), _transformer(model.across)

    def watch() -> tuple[Tensor, Tensor]:
        seen = []
        for pixels, position, stream in zip(films, positions, streams, strict=True):
            hidden = model.clip(pixel_values=pixels).last_hidden_state
            hidden += position
            seen.append(stream(hidden).unflatten(0, (2, -1)).flatten(1, 2))
        film, black = model.project(_crossed(model.fusion, *seen))
        return film, black

    return watch


def _ready(frames: Tensor) -> Tensor:
    shares = frames.permute(0, 3, 1, 2).float() / 255
    return (shares - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)


def _transformer(stream: nn.Module) -> nn.Module:
    """vit-pytorch's transformer, holding the weights of a stream of ours."""
    spec = importlib.util.spec_from_file_location("reference_vit", _reference_file() or "")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    transformer: nn.Module = module.Transformer(CONFIG.width, CONFIG.depth, CONFIG.heads, CONFIG.head_dim, CONFIG.inner)
    transformer.load_state_dict(dict(_as_theirs(stream.state_dict().items())), assign=True)
    return transformer.eval()


def _as_theirs(named: Iterable[tuple[str, Tensor]]) -> Iterable[tuple[str, Tensor]]:
    theirs = {
        "norm_attention": "0.norm",
        "qkv": "0.to_qkv",
        "out": "0.to_out.0",
        "norm_feed": "1.net.0",
        "widen": "1.net.1",
        "narrow": "1.net.4",
    }
    for name, value in named:
        *before, part, leaf = name.split(".")
        yield ".".join([*before, theirs[part] if before else part, leaf]), value


def _crossed(fusion: nn.Module, local: Tensor, overall: Tensor) -> Tensor:
    """Attention (2, n, width) to (2, m, width) with all its scores at once."""

    def split(x: Tensor) -> Tensor:
        return x.unflatten(-1, (CONFIG.fusion_heads, -1)).transpose(1, 2)

    queries, keys, values = split(fusion.queries(local)), split(fusion.keys(overall)), split(fusion.values(overall))
    scores = (queries @ keys.transpose(-2, -1) / queries.shape[-1] ** 0.5).softmax(dim=-1)
    found = fusion.norm_found((scores @ values).transpose(1, 2).flatten(2) + local)
    mixed: Tensor = fusion.norm_mixed(fusion.mix(found) + found)
    return mixed


if __name__ == "__main__":
    raise SystemExit(main())
