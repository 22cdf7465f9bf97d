"""One guided denoising step beside the reference's, on the same weights: `python -m benchmark.denoising`.

The published size, random weights, float32, 1024 latents (23.8 s of sound), a prompt of usual length, guidance 6 with rescale
0.4. Time: both sides in one process, in turn, on one copy of the weights; the least processor time of each counts, on one
thread, since threads that wait for each other count as work; their outputs are compared. Memory: each side in a process of its
own, from a file of weights to the end of a step, the reference as its own loader does it (build, read, copy). Ours needs at
most 0.6 of the reference's time, of its peak, and of what a step adds to the weights.

The reference is the U-Net in the package stable-audio-tools, which SONIQUE's copy is made of. Its one file will do:

    pip install --no-deps --target REFERENCE stable-audio-tools einops einops-exts packaging
    PYTHONPATH=REFERENCE python -m benchmark.denoising

Where it is not installed, the figures recorded for it stand in: another machine of two shared cores, whole model in memory.
"""

import argparse
import importlib.util
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmark.running import memory_mib, side_of
from reelscore.checkpoints.unet_names import name_in_unet, published_name_of_unet
from reelscore.models.denoising import Guidance, guided
from reelscore.models.unet import UNet, UNetConfig

LIMIT = 0.6
GREATEST_ERROR = 1e-4
RECORDED_CPU = 16.3
RECORDED_PEAK_MIB = 5.9 * 1024
CONFIG = UNetConfig()
PROMPT_TOKENS = 14
GUIDANCE = Guidance(6.0, 0.4)
Step = Callable[[], Tensor]


def main() -> int:
    asked = _asked()
    torch.set_num_threads(asked.threads)
    if asked.side:
        print(json.dumps(_turns(asked) if asked.side == "both" else _from_file(asked.side, asked)))
        return 0
    has_reference = _reference_file() is not None
    print(f"{asked.latents} latents, {asked.device}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        asked.weights = Path(folder) / "weights.safetensors"
        save_file(_random_weights(), asked.weights)
        together = _in_fresh_process("both", asked)
        taken = {
            side: _in_fresh_process(side, asked) for side in (("reference", "ours") if has_reference else ("ours",))
        }
    if not has_reference:
        print(
            "stable-audio-tools is not installed: compared with recorded figures of ANOTHER machine, outputs unchecked"
        )
        together |= {"reference": RECORDED_CPU}
        taken["reference"] = {"peak_mib": RECORDED_PEAK_MIB, "above_mib": float("nan")}
    for side in ("reference", "ours"):
        print(
            f"{side:9s} {together[side]:6.2f} s of processor   peak {taken[side]['peak_mib']:6.0f} MiB, "
            f"of it {taken[side]['above_mib']:5.0f} above what the process held before the step"
        )
    ratios = {"time": together["ours"] / together["reference"]}
    for key, what in (("peak_mib", "peak"), ("above_mib", "peak above the weights")):
        ratios[what] = taken["ours"][key] / taken["reference"][key]
    print(
        "ours / reference: "
        + ", ".join(f"{what} {ratio:.2f}" for what, ratio in ratios.items())
        + f" (at most {LIMIT})"
    )
    if has_reference:
        print(f"largest difference of the outputs: {together['error']:.1e} (at most {GREATEST_ERROR:.0e})")
    print(
        f"ours in bf16 (--precision bf16; no aim): {together['bf16']:.2f} s of processor, "
        f"{together['bf16'] / together['reference']:.2f} of the reference; {together['bf16_apart']:.1%} (rms) off float32"
    )
    # What was not measured (a ratio that is not a number) is not missed.
    missed = any(ratio > LIMIT for ratio in ratios.values()) or together.get("error", 0.0) > GREATEST_ERROR
    return 1 if missed else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latents", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--device", default="cpu", help="cpu, or cuda: there seconds of wall clock and the device's memory"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of torch; more only where nothing else runs")
    parser.add_argument("--side", choices=("ours", "reference", "both"), help=argparse.SUPPRESS)
    parser.add_argument("--weights", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_fresh_process(side: str, asked: argparse.Namespace) -> dict[str, float]:
    return side_of(
        "denoising",
        {"side": side} | {name: getattr(asked, name) for name in ("latents", "rounds", "device", "threads", "weights")},
    )


@torch.inference_mode()
def _turns(asked: argparse.Namespace) -> dict[str, float]:
    """The least seconds of each side, in turn on the same tensors, and the largest difference of what they give."""
    device = torch.device(asked.device)
    weights = load_file(asked.weights, device=asked.device)
    ours = _our_network(weights)
    steps = {"ours": _our_step(ours, asked.latents, device)}
    if _reference_file():
        with torch.device("meta"):
            network = _reference_network()
        network.load_state_dict(weights, assign=True)
        steps["reference"] = _reference_step(network, asked.latents, device)
    outputs = {side: step().float().cpu() for side, step in steps.items()}
    rounds = [{side: _seconds(step, device) for side, step in steps.items()} for _ in range(asked.rounds)]
    taken = {side: min(taken[side] for taken in rounds) for side in steps}
    if "reference" in outputs:
        taken["error"] = float((outputs["ours"] - outputs["reference"]).abs().max())
    half = _our_step(ours.to(torch.bfloat16), asked.latents, device)
    apart = half().cpu() - outputs["ours"]
    taken["bf16"] = min(_seconds(half, device) for _ in range(asked.rounds))
    taken["bf16_apart"] = float(apart.square().mean().sqrt() / outputs["ours"].square().mean().sqrt())
    return taken


@torch.inference_mode()
def _from_file(side: str, asked: argparse.Namespace) -> dict[str, float]:
    """The peak from the file of weights to the end of a step, and how far the step rises above what was held before."""
    device = torch.device(asked.device)
    if side == "ours":
        our = _our_network(load_file(asked.weights, device=asked.device))
        short, step = (_our_step(our, latents, device) for latents in (CONFIG.multiple, asked.latents))
    else:
        network = _reference_network()
        network.load_state_dict(load_file(asked.weights))
        network.to(device)
        short, step = (_reference_step(network, latents, device) for latents in (CONFIG.multiple, asked.latents))
    # Touches every weight: pages of a mapped file are held from then on.
    short()
    loaded, held = _memory_mib(device)
    _forget_peak(device)
    step()
    peak, _ = _memory_mib(device)
    return {"peak_mib": max(peak, loaded), "above_mib": peak - held}


def _seconds(step: Step, device: torch.device) -> float:
    """Of processor time, all threads together; of wall clock where another device works."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    before = clock()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - before


def _memory_mib(device: torch.device) -> tuple[float, float]:
    """The peak so far and what is held now; where the system does not tell, now is not a number."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20, torch.cuda.memory_allocated() / 2**20
    return memory_mib()


def _forget_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    elif Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")


def _random_weights() -> dict[str, Tensor]:
    """Weights by the reference's names, of sizes that keep the numbers within bounds."""
    with torch.device("meta"):
        shapes = {f"unet.{name}": value.shape for name, value in UNet(CONFIG).state_dict().items()}
    seeded = torch.Generator().manual_seed(0)
    drawn = {}
    for name, shape in shapes.items():
        published = published_name_of_unet(name)
        assert published is not None, name
        value = torch.randn(shape, generator=seeded)
        if len(shape) > 1:
            value *= 0.8 / value[0].numel() ** 0.5
        elif not name.endswith("frequencies"):
            value = 0.05 * value + float(name.endswith("weight"))
        drawn[published.removeprefix("model.model.")] = value
    return drawn


def _context(device: torch.device) -> tuple[Tensor, Tensor]:
    """Tokens and mask of a prompt of usual length and the two numbers."""
    tokens = torch.randn(1, CONFIG.context_length, CONFIG.context_features, generator=torch.Generator().manual_seed(1))
    mask = (torch.arange(CONFIG.context_length) < PROMPT_TOKENS).float()[None]
    mask[:, -2:] = 1
    return tokens.to(device), mask.to(device)


def _noisy(latents: int, device: torch.device) -> tuple[Tensor, Tensor]:
    x = torch.randn(1, CONFIG.in_channels, latents, generator=torch.Generator().manual_seed(2))
    return x.to(device), torch.tensor([0.6], device=device)


def _our_network(weights: dict[str, Tensor]) -> UNet:
    with torch.device("meta"):
        network = UNet(CONFIG)
    ours = {name_in_unet(f"model.model.{name}") or name: value for name, value in weights.items()}
    network.load_state_dict({name.removeprefix("unet."): value for name, value in ours.items()}, assign=True)
    return network.eval()


def _our_step(network: UNet, latents: int, device: torch.device) -> Step:
    dtype = network.null_context.dtype
    x, t = _noisy(latents, device)
    tokens, mask = (each.to(dtype) for each in _context(device))
    memory = network.read_context(torch.cat([tokens, network.null_context[None]]), torch.cat([mask, mask]))
    return lambda: guided(*network(x.to(dtype), t, memory).float().chunk(2), GUIDANCE)


def _reference_file() -> Path | None:
    """The one file of the reference's package that holds the network; None where it or what it imports is not installed."""
    package = importlib.util.find_spec("stable_audio_tools")
    if package is None or not package.submodule_search_locations or importlib.util.find_spec("einops_exts") is None:
        return None
    return Path(package.submodule_search_locations[0]) / "models" / "adp.py"


def _reference_network() -> nn.Module:
    """The reference's network, from its file alone: the package as a whole imports much that is not needed."""
    spec = importlib.util.spec_from_file_location("reference_adp", _reference_file() or "")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network: nn.Module = module.UNetCFG1d(
        in_channels=CONFIG.in_channels,
        context_embedding_features=CONFIG.context_features,
        context_embedding_max_length=CONFIG.context_length,
        channels=CONFIG.channels,
        resnet_groups=CONFIG.resnet_groups,
        kernel_multiplier_downsample=CONFIG.kernel_multiplier_downsample,
        multipliers=list(CONFIG.multipliers),
        factors=list(CONFIG.factors),
        num_blocks=list(CONFIG.num_blocks),
        attentions=list(CONFIG.attentions),
        attention_heads=CONFIG.attention_heads,
        attention_multiplier=CONFIG.attention_multiplier,
        use_nearest_upsample=False,
        use_skip_scale=True,
        use_context_time=True,
    )
    return network.eval()


def _reference_step(network: nn.Module, latents: int, device: torch.device) -> Step:
    x, t = _noisy(latents, device)
    tokens, mask = _context(device)
    return lambda: network(
        x,
        t,
        embedding=tokens,
        embedding_mask=mask,
        embedding_scale=GUIDANCE.scale,
        batch_cfg=True,
        rescale_cfg=True,
        scale_phi=GUIDANCE.rescale,
    )


if __name__ == "__main__":
    raise SystemExit(main())
