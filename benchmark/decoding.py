"""The autoencoder beside the reference's, on the same weights: `python -m benchmark.decoding`.

The published size, random weights, float32, 23.8 s of sound. Each side gets a fresh process, in turn; what counts is the best
wall clock of the call itself and the peak of the process. Ours needs at most 0.6 of the reference's time and memory to decode.

The reference is the package descript-audio-codec, which SONIQUE's autoencoder is made of. Its layers alone will do:

    pip install --no-deps --target REFERENCE descript-audio-codec
    PYTHONPATH=REFERENCE python -m benchmark.decoding

Where it is not installed, figures that were recorded for it stand in, of other machines, and only on the CPU.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.running import side_of
from reelscore.checkpoints.autoencoder_names import name_in_autoencoder
from reelscore.models.autoencoder import Autoencoder, AutoencoderConfig

LIMIT = 0.6
GREATEST_ERROR = 1e-4
UNKNOWN = float("nan")
RECORDED = {
    "decode": {"wall": 56.0, "cpu": UNKNOWN, "peak_mib": 2659.0},
    "encode": {"wall": 110.0, "cpu": UNKNOWN, "peak_mib": UNKNOWN},
}
"""The reference on two shared cores of other machines, at 1,024 latents."""
CONFIG = AutoencoderConfig()


def main() -> int:
    asked = _asked()
    if asked.side:
        _measure_here(asked)
        return 0
    has_reference = find_spec("dac") is not None
    print(
        f"{asked.latents} latents, {asked.device}, {asked.threads or torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    if not has_reference:
        if asked.device != "cpu" or asked.latents != 1024:
            raise SystemExit(
                "descript-audio-codec is not installed, and its figures are recorded for 1,024 latents on the CPU"
            )
        print("descript-audio-codec is not installed: compared with figures of OTHER machines, outputs unchecked")
    met = {what: _compare(what, asked, has_reference) for what in ("decode", "encode") if asked.what in (None, what)}
    print(f"limit for decode: {LIMIT}")
    return 0 if met.get("decode", True) else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latents", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="threads of torch; left out, its own choice")
    parser.add_argument("--what", choices=("decode", "encode"), help="measure only this")
    parser.add_argument("--side", choices=("ours", "reference"), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(what: str, asked: argparse.Namespace, has_reference: bool) -> bool:
    """Measures both sides in turn and prints them; whether limits and parity are met."""
    best: dict[str, dict[str, float]] = {} if has_reference else {"reference": RECORDED[what]}
    error = 0.0
    with tempfile.TemporaryDirectory() as name:
        outs = {side: Path(name) / f"{side}.npy" for side in ("ours", "reference")}
        for _ in range(asked.rounds):
            for side in ("reference", "ours") if has_reference else ("ours",):
                taken = _in_fresh_process(side, what, asked, outs[side])
                best[side] = {key: min(value, best.get(side, taken)[key]) for key, value in taken.items()}
        if has_reference:
            error = float(np.abs(np.load(outs["ours"]) - np.load(outs["reference"])).max())
    for side, taken in best.items():
        print(
            f"{what} {side:9s} {taken['wall']:7.2f} s wall {taken['cpu']:7.2f} s cpu  peak {taken['peak_mib']:6.0f} MiB"
        )
    ratios = {key: best["ours"][key] / best["reference"][key] for key in best["ours"]}
    print(
        f"{what} ours / reference: time {ratios['wall']:.2f} (cpu {ratios['cpu']:.2f}), memory {ratios['peak_mib']:.2f}"
        + (f", largest difference {error:.1e}" if has_reference else ""),
        flush=True,
    )
    return ratios["wall"] <= LIMIT and ratios["peak_mib"] <= LIMIT and error <= GREATEST_ERROR


def _in_fresh_process(side: str, what: str, asked: argparse.Namespace, out: Path) -> dict[str, float]:
    given = {
        "side": side,
        "what": what,
        "out": out,
        "latents": asked.latents,
        "device": asked.device,
        "threads": asked.threads,
    }
    return side_of("decoding", given)


@torch.inference_mode()
def _measure_here(asked: argparse.Namespace) -> None:
    """Measures one side in this process and prints it as JSON."""
    torch.set_num_threads(asked.threads or torch.get_num_threads())
    torch.backends.cudnn.allow_tf32 = False
    device = torch.device(asked.device)
    run = (_ours if asked.side == "ours" else _reference)(asked.what, device)
    seeded = torch.Generator().manual_seed(0)
    shape = (64, asked.latents) if asked.what == "decode" else (1, asked.latents * CONFIG.downsampling)
    x = torch.randn(1, *shape, generator=seeded).to(device) * (1.0 if asked.what == "decode" else 0.1)
    run(x[..., : x.shape[-1] // 16])
    _wait(device)
    wall, cpu = time.perf_counter(), time.process_time()
    made = run(x)
    _wait(device)
    taken = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak_mib": _peak_mib(device)}
    np.save(asked.out, made.float().cpu().numpy())
    print(json.dumps(taken))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def _peak_mib(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 2**20


def _ours(what: str, device: torch.device) -> Callable[[Tensor], Tensor]:
    with torch.device("meta"):
        model = Autoencoder(CONFIG)
    side = "decoder" if what == "decode" else "encoder"
    part = getattr(model, side).to_empty(device=device)
    for name, value in part.state_dict().items():
        value.copy_(_weight(f"autoencoder.{side}.{name}", value.shape))
    return model.decode if what == "decode" else model.encode_moments


def _reference(what: str, device: torch.device) -> Callable[[Tensor], Tensor]:
    _stand_in_for_unused_packages()
    from dac.model.dac import Decoder, Encoder

    config = CONFIG
    if what == "decode":
        part = nn.ModuleDict(
            {"decoder": Decoder(config.latent_channels, config.decoder_width, list(config.decoder_rates))}
        )
    else:
        width = config.encoder_width * 2 ** len(config.encoder_strides)
        part = nn.ModuleDict(
            {
                "encoder": Encoder(config.encoder_width, list(config.encoder_strides), width),
                "proj_out": nn.Conv1d(width, 2 * config.latent_channels, 1),
            }
        )
    held = part.state_dict()
    for name, value in held.items():
        if name.endswith("weight_g"):
            continue
        ours = name_in_autoencoder(f"pretransform.model.{what}r.{name.removesuffix('_v')}")
        assert ours is not None, name
        value.copy_(_weight(ours, value.shape))
        if name.endswith("_v"):
            # Weight norm with the norm that the weights have: it then changes nothing.
            held[name[:-1] + "g"].copy_(value.flatten(1).norm(dim=1)[:, None, None])
    part.to(device)
    return nn.Sequential(*part.children())


def _weight(name: str, shape: torch.Size) -> Tensor:
    """The same random weights for both sides, of a size that keeps the sound within bounds."""
    drawn = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape, dtype=np.float32)
    if name.endswith("alpha"):
        return torch.from_numpy(1 + 0.1 * np.abs(drawn))
    return torch.from_numpy(drawn * (0.65 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.05)).float()


def _stand_in_for_unused_packages() -> None:
    """Lets the reference's layers be imported without the packages that only its training and its files need."""
    if not find_spec("audiotools"):
        audiotools = MagicMock()
        audiotools.ml.BaseModel = type("BaseModel", (nn.Module,), {"INTERN": [], "EXTERN": []})
        sys.modules |= {"audiotools": audiotools, "audiotools.ml": audiotools.ml}
    sys.modules |= {name: MagicMock() for name in ("argbind", "einops") if not find_spec(name)}


if __name__ == "__main__":
    raise SystemExit(main())
