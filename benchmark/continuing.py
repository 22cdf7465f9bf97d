"""Music codes as the engines make them: `python -m benchmark.continuing [--device cuda] [--size medium] [--seconds 30]`.

Random weights (what they play is noise, what they cost is the same), the conditioning of a window of 30 s, guidance 3, top-k 250.

On a graphics card: one window from its first frame to its last in bf16, the conditioning read and the step recorded in it, beside
the reference's loop on the same card (fp16 by autocast, as the published program runs it). That is slow, so a stretch of it is
measured and taken for the whole; its first steps are its fastest, which is in its favour. Five times faster than real time is the
aim, real time the floor: exits 1 below it.

On a CPU there is no aim: a short stretch with the small size tells the steps in a second of processor time, one take and four at
once, in float32 and with weights of 8 bits.
"""

import argparse
import time
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from benchmark.token_decoders import (
    FRAME_RATE,
    NULL_TOKENS,
    SIZES,
    Reference,
    conditioning,
    has_reference,
    random_decoder,
)
from reelscore.hardware import Hardware, device_for, dtype_for
from reelscore.models.choosing import Sampling, chosen, exponential, guided
from reelscore.models.continuing import generate
from reelscore.models.eight_bits import in_eight_bits
from reelscore.models.packing import packed
from reelscore.models.token_decoder import TokenDecoder, TokenDecoderConfig

AIM, FLOOR = 5.0, 1.0
"""Seconds of music in a second."""
STRETCH = 24
"""Steps that stand for all: of ours on a CPU, of the reference on a graphics card."""
CPU_TAKES = (1, 4)


def main() -> int:
    asked = _asked()
    device = device_for(Hardware(asked.device))
    if device.type == "cuda":
        return _on_card(SIZES[asked.size or "medium"], device, asked.seconds)
    torch.set_num_threads(1)
    return _on_cpu(SIZES[asked.size or "small"])


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--size", choices=tuple(SIZES), help="medium on a graphics card and small on a CPU by default")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the window on a graphics card")
    return parser.parse_args()


# --- on a graphics card -------------------------------------------------------------------------------------------------


def _on_card(config: TokenDecoderConfig, device: torch.device, seconds: float) -> int:
    frames = round(seconds * FRAME_RATE)
    steps = frames + max(config.delays)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {frames} frames, {config}")
    taken, peak = _window(config, device, dtype_for(Hardware("cuda"), device), frames)
    print(f"ours       {taken:8.2f} s   {seconds / taken:6.2f} times real time   {peak:6.2f} GB at the peak")
    if has_reference():
        torch.cuda.empty_cache()
        of_step, reference_peak = _reference_stretch(config, device)
        whole = of_step * steps
        print(
            f"reference  {whole:8.2f} s   {seconds / whole:6.2f} times real time   {reference_peak:6.2f} GB at the peak "
            f"({steps} times the mean of {STRETCH} steps)"
        )
        print(f"faster by  {whole / taken:8.2f}")
    else:
        print("audiocraft is not installed: ours alone (benchmark/token_decoders.py tells how)")
    print(f"the aim is {AIM:.0f} times real time, the floor {FLOOR:.0f}")
    return 0 if seconds / taken >= FLOOR else 1


def _window(config: TokenDecoderConfig, device: torch.device, dtype: torch.dtype, frames: int) -> tuple[float, float]:
    """Seconds for a whole window, and the peak of the card's memory in GB."""
    decoder = random_decoder(config, device, dtype)
    film, null = conditioning(config, device)

    def made(length: int) -> Tensor:
        return generate(decoder, film, null, length=length, generators=[torch.Generator().manual_seed(0)])

    made(8)  # the first piece waits for kernels to be loaded
    torch.cuda.reset_peak_memory_stats()
    taken = _wall(lambda: made(frames))
    return taken, torch.cuda.max_memory_allocated() / 1e9


@torch.no_grad()
def _reference_stretch(config: TokenDecoderConfig, device: torch.device) -> tuple[float, float]:
    """Seconds for a step of the reference's loop, and the peak of the card's memory in GB."""
    decoder = random_decoder(config, device)
    film, null = conditioning(config, device)
    black = null.repeat(len(film) // NULL_TOKENS, 1)
    reference = Reference(decoder, torch.stack([film, black]))
    sampling, generator = Sampling(), torch.Generator().manual_seed(0)
    temperature = torch.ones(config.codebooks, 1, device=device)
    noise = torch.empty(1, config.codebooks, config.cardinality)
    codes = torch.full((1, config.codebooks, 1), config.cardinality, device=device)

    def step() -> None:
        conditional, unconditional = reference(codes.repeat(2, 1, 1))[:, :, -1].chunk(2)
        scores = guided(conditional, unconditional, sampling.guidance_scale)
        exponential(noise, [generator])
        codes.copy_(chosen(scores, temperature, noise.to(device), sampling).unsqueeze(2))

    def stretch() -> None:
        for _ in range(STRETCH):
            step()

    with torch.autocast(device.type, torch.float16):
        step()
        torch.cuda.reset_peak_memory_stats()
        taken = _wall(stretch)
    return taken / STRETCH, torch.cuda.max_memory_allocated() / 1e9


def _wall(work: Callable[[], object]) -> float:
    torch.cuda.synchronize()
    before = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - before


# --- on a CPU -----------------------------------------------------------------------------------------------------------


def _on_cpu(config: TokenDecoderConfig) -> int:
    print(f"CPU, one thread, torch {torch.__version__}, {STRETCH} steps, {config}")
    for what, prepared in (("float32", packed), ("8 bits", in_eight_bits)):
        _print_steps(what, prepared(random_decoder(config)))
    print(f"real time is {FRAME_RATE} steps in a second")
    return 0


def _print_steps(what: str, decoder: TokenDecoder) -> None:
    for takes in CPU_TAKES:
        steps = _seconds_of_steps(decoder, takes)
        each = sum(steps) / len(steps)
        print(
            f"{what:8} {takes} at once  {1 / each:6.2f} steps in a second, {takes / each:6.2f} of all takes together; "
            f"{each * 1e3:6.1f} ms a step, the fastest {min(steps) * 1e3:.1f}"
        )


def _seconds_of_steps(decoder: TokenDecoder, takes: int) -> list[float]:
    """Processor seconds of each step but the first, before which the conditioning is read."""
    film, null = conditioning(decoder.config)
    told: list[float] = []
    generate(
        decoder,
        film,
        null,
        length=STRETCH + 1 - max(decoder.config.delays),
        generators=[torch.Generator().manual_seed(take) for take in range(takes)],
        watch=lambda _: told.append(time.process_time()),
    )
    return [after - before for before, after in pairwise(told)]


if __name__ == "__main__":
    raise SystemExit(main())
