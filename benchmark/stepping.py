"""One guided step of the token decoder beside the reference's, on the same weights: `python -m benchmark.stepping`.

The size `small`, random weights, conditioning of 3000 tokens (30 s of film) and, for guidance, that of a black film: to the
reference as long, to ours the 50 tokens that it comes to. Both first read the same music (`--position`); then they take the
same steps in turn in one process, on one thread; the least processor time of each counts, and what the first step gives is
compared. Ours needs a 24th of the reference's time in float32 and a 38th with weights of eight bits. How these change what is
chosen is for `benchmark.eight_bits` to tell. Several takes are rows of one batch. Memory is what a process that made steps of
one kind alone holds after them, less what importing torch takes.

The reference is audiocraft's transformer; benchmark/token_decoders.py tells how to install it. Where it is not installed, the
figure recorded for it with the size `small` on another machine stands in.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor

from benchmark.running import memory_mib, side_of
from benchmark.token_decoders import NULL_TOKENS, SIZES, Reference, conditioning, has_reference, random_decoder
from reelscore.models.eight_bits import in_eight_bits
from reelscore.models.packing import packed
from reelscore.models.remembering import Condition, Memory
from reelscore.models.token_decoder import TokenDecoder, TokenDecoderConfig

LEAST = {"float32": 24.0, "eight bits": 38.0}
"""Times faster than the reference."""
GREATEST_ERROR = 1e-4
RECORDED_CPU = 5.523
"""Seconds of the reference's step, size `small`, on another machine."""
PREPARED: dict[str, Callable[[TokenDecoder], TokenDecoder]] = {"float32": packed, "eight bits": in_eight_bits}
MANY_TAKES = (2, 4, 8)
Step = Callable[[Tensor], Tensor]


def main() -> int:
    asked = _asked()
    torch.set_num_threads(1)
    if asked.side:
        print(json.dumps(_turns(asked) if asked.side == "turns" else {"mib": _held_mib(asked.side, asked)}))
        return 0
    with_reference = has_reference()
    if not with_reference and asked.size != "small":
        print("audiocraft is not installed, and its step is recorded for the size small alone: nothing to compare with")
        return 1
    print(f"{asked.size}, position {asked.position}, one thread, torch {torch.__version__}")
    taken = _in_fresh_process("turns", asked)
    sides = (*(("reference",) if with_reference else ()), *PREPARED)
    held = {side: _in_fresh_process(side, asked)["mib"] for side in sides}
    if not with_reference:
        print("audiocraft is not installed: compared with a figure of ANOTHER machine (small), outputs unchecked")
        taken["reference"] = RECORDED_CPU
        print(f"reference  {RECORDED_CPU * 1e3:7.0f} ms of processor, recorded")
    missed = []
    for side in sides:
        ratio = taken["reference"] / taken[side]
        print(f"{side:10s} {taken[side] * 1e3:7.0f} ms of processor   {held[side]:6.0f} MiB held   ", end="")
        print(f"{ratio:.1f} times faster (at least {LEAST[side]:.0f})" if side in LEAST else "")
        missed += [side] if ratio < LEAST.get(side, 0.0) else []
    for side in PREPARED:
        many = ", ".join(f"{count}: {taken[f'{side} {count}'] * 1e3:.0f} ms" for count in MANY_TAKES)
        print(f"{side:10s} takes in one batch {many}; the conditioning is read in {taken[f'{side} read']:.1f} s")
    if with_reference:
        print(f"largest difference of float32's scores: {taken['float32 off']:.1e} (at most {GREATEST_ERROR:.0e})")
        print(f"eight bits change the scores by {taken['eight bits apart']:.1%} (rms)")
        missed += ["scores"] if taken["float32 off"] > GREATEST_ERROR else []
    return 1 if missed else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=sorted(SIZES), default="small")
    parser.add_argument("--position", type=int, default=500, help="music frames that were made before the step")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", choices=("turns", "reference", *PREPARED), help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_fresh_process(side: str, asked: argparse.Namespace) -> dict[str, float]:
    return side_of("stepping", {"side": side} | {name: getattr(asked, name) for name in ("size", "position", "rounds")})


@torch.inference_mode()
def _turns(asked: argparse.Namespace) -> dict[str, float]:
    """The least seconds of a step of each side, in turn, how far apart what they give, and ours with several takes."""
    config = SIZES[asked.size]
    plain = random_decoder(config)
    film, null = conditioning(config)
    taken: dict[str, float] = {}
    steps: dict[str, Step] = {}
    decoders = {side: prepare(deepcopy(plain)) for side, prepare in PREPARED.items()}
    memories: dict[str, Memory] = {}
    for side, decoder in decoders.items():
        before = time.process_time()
        memories[side] = decoder.remember([Condition(film), Condition(null)])
        taken[f"{side} read"] = time.process_time() - before
        steps[side] = _our_step(decoder, memories[side], asked.position + asked.rounds + 1)
    if has_reference():
        steps["reference"] = Reference(plain, torch.stack([film, _as_long(null, film)]))
    music = _codes(config, asked.position + asked.rounds + 1)
    before_step, *following = torch.split(music, [asked.position, *[1] * (asked.rounds + 1)], dim=2)
    for step in steps.values():
        step(before_step)
    scores = {side: step(following[0]) for side, step in steps.items()}
    rounds = [{side: _seconds(step, codes) for side, step in steps.items()} for codes in following[1:]]
    taken |= {side: min(round_[side] for round_ in rounds) for side in steps}
    if "reference" in scores:
        off = {side: scores[side] - scores["reference"] for side in PREPARED}
        taken["float32 off"] = float(off["float32"].abs().max())
        taken["eight bits apart"] = float(off["eight bits"].norm() / scores["reference"].norm())
    del steps
    for side, decoder in decoders.items():
        for count in MANY_TAKES:
            memory = Memory(
                tuple(tuple(bank._replace(rows=count) for bank in layer) for layer in memories[side].layers)
            )
            taken[f"{side} {count}"] = _with_takes(decoder, memory, asked)
    return taken


def _with_takes(decoder: TokenDecoder, memory: Memory, asked: argparse.Namespace) -> float:
    """The least seconds of a step of several takes; the music before it is silence, which costs as much as any."""
    cache = decoder.cache(memory.rows, asked.position + asked.rounds)
    cache.rewind(asked.position)
    codes = _codes(decoder.config, 1)[:1].expand(memory.rows, -1, -1)
    return min(_seconds(lambda codes: decoder(codes, memory, cache), codes) for _ in range(asked.rounds))


@torch.inference_mode()
def _held_mib(side: str, asked: argparse.Namespace) -> float:
    """What a process holds, after two steps of one side, above what it held before there was a decoder."""
    config = SIZES[asked.size]
    before = _resident_mib()
    decoder = random_decoder(config)
    film, null = conditioning(config)
    if side == "reference":
        step: Step = Reference(decoder, torch.stack([film, _as_long(null, film)]))
    else:
        prepared = PREPARED[side](decoder)
        step = _our_step(prepared, prepared.remember([Condition(film), Condition(null)]), 2)
    for codes in torch.split(_codes(config, 2), 1, dim=2):
        step(codes)
    return _resident_mib() - before


def _our_step(decoder: TokenDecoder, memory: Memory, length: int) -> Step:
    cache = decoder.cache(memory.rows, length)
    return lambda codes: decoder(codes, memory, cache)


def _as_long(null: Tensor, film: Tensor) -> Tensor:
    """The conditioning of a black film: all its frames give the same tokens."""
    return null.repeat(len(film) // NULL_TOKENS, 1)


def _codes(config: TokenDecoderConfig, count: int) -> Tensor:
    """The same random music for both rows of a guided step."""
    seeded = torch.Generator().manual_seed(2)
    return torch.randint(config.cardinality, (1, config.codebooks, count), generator=seeded).repeat(2, 1, 1)


def _seconds(step: Step, codes: Tensor) -> float:
    """Of processor time."""
    before = time.process_time()
    step(codes)
    return time.process_time() - before


def _resident_mib() -> float:
    """What the process holds now; its peak where the system does not tell."""
    peak, now = memory_mib()
    return peak if math.isnan(now) else now


if __name__ == "__main__":
    raise SystemExit(main())
