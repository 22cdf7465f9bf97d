"""A whole piece by the engine `sonique` at the published size: `python -m benchmark.generating [--device cuda] [--precision bf16]`.

Random weights (what they play is noise, what they cost is the same), 23.8 s of music, the engine's own way from the brief to
the sound. Prints the seconds of each stage and the peak of memory: of the process, and on CUDA of the card. There is no aim
on a CPU; on a graphics card it is 2 s and 6 GB.
"""

import argparse
import resource
import time

import torch
from tokenizers import ByteLevelBPETokenizer, Tokenizer

from reelscore.brief import Brief, Section
from reelscore.checkpoints.own_form import ModelCard
from reelscore.checkpoints.sonique import Opened
from reelscore.checkpoints.tokenizer import PromptTokenizer
from reelscore.engines import Request
from reelscore.engines.sonique.making import made_with
from reelscore.engines.sonique.options import Options
from reelscore.hardware import Hardware, device_for, dtype_for
from reelscore.models.autoencoder import AutoencoderConfig
from reelscore.models.conditioning import ConditioningConfig, TextTowerConfig
from reelscore.models.latent_diffusion import LatentDiffusion, LatentDiffusionConfig
from reelscore.models.unet import UNetConfig
from reelscore.spotting import complete

DURATION = 1024 * 1024 / 44_100
WORDS = "ambient cinematic piano strings warm pad calm dreamy bpm 0123456789,"
SECONDS_ON_CARD, GB_ON_CARD = 2.0, 6.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    parser.add_argument("--precision", choices=("auto", "float32", "bf16", "fp16"), default="auto")
    parser.add_argument("--steps", type=int, default=0)
    asked = parser.parse_args()
    hardware = Hardware(asked.device, asked.precision)
    options = Options(steps=asked.steps)
    device, dtype = device_for(hardware), dtype_for(hardware, device_for(hardware))
    opened = _random_model(device, dtype)
    # One section, so that all goes through the network at once, as in the published program.
    brief = complete(Brief(duration=DURATION, sections=(Section(start=0.0, end=DURATION),)))
    request = Request(brief, 0, options, hardware=hardware)
    if device.type == "cuda":
        next(made_with(opened, request, [0], _Clock(device)))  # the first piece waits for kernels to be made
        torch.cuda.reset_peak_memory_stats()
    clock = _Clock(device)
    begun = time.perf_counter()
    music = next(made_with(opened, request, [0], clock))
    taken = time.perf_counter() - begun
    print(
        f"{music.audio.duration:.1f} s of music, {options.step_count} steps of {options.sampler_name}, {device}, {dtype}"
    )
    for stage, seconds in clock.seconds.items():
        print(f"{stage:10} {seconds:8.2f} s")
    print(f"{'all':10} {taken:8.2f} s")
    print(f"process    {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:8.2f} GiB at the peak")
    if device.type != "cuda":
        return 0
    card = torch.cuda.max_memory_allocated() / 1e9
    print(f"card       {card:8.2f} GB at the peak ({torch.cuda.get_device_name()})")
    return 0 if taken <= SECONDS_ON_CARD and card <= GB_ON_CARD else 1


class _Clock:
    """A progress that keeps the time of each stage."""

    def __init__(self, device: torch.device) -> None:
        self.seconds: dict[str, float] = {}
        self._device = device
        self._begun = 0.0

    def __call__(self, stage: str, fraction: float, _told: str = "", /) -> None:
        if fraction not in (0.0, 1.0):
            return
        if self._device.type == "cuda":
            torch.cuda.synchronize()
        if fraction == 0.0:
            self._begun = time.perf_counter()
        else:
            self.seconds[stage] = time.perf_counter() - self._begun


def _random_model(device: torch.device, dtype: torch.dtype) -> Opened:
    """The published configuration with random weights, the U-Net in `dtype`, and a tokenizer of a few words."""
    text = TextTowerConfig()
    config = LatentDiffusionConfig(UNetConfig(), AutoencoderConfig(), ConditioningConfig(text=text))
    with device:
        model = LatentDiffusion(config).eval().requires_grad_(False)
    model.unet.to(dtype)
    trained = ByteLevelBPETokenizer()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained.train_from_iterator([WORDS] * 4, vocab_size=320, special_tokens=specials, show_progress=False)
    tokenizer = Tokenizer.from_str(trained.to_str())
    card = ModelCard(source="random numbers", licence="none needed")
    return Opened(model, PromptTokenizer(tokenizer, text), card)


if __name__ == "__main__":
    raise SystemExit(main())
