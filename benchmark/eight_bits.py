"""What weights of eight bits change in what a token decoder would play: `python -m benchmark.eight_bits`.

Random weights of the size `small`, conditioning of 3000 tokens, guidance 3. The decoder in float32 draws some music; given that
music so far, both decoders score each next code: how far are the scores apart (rms, each code's against the mean of its
codebook), how far the distributions (Kullback and Leibler, nats), and how often is the likeliest code the same? Then both go on
greedily by themselves until they first part. The same decoder in bfloat16, what graphics cards use, stands beside them.

Published weights are not at hand here, so three kinds of random ones are tried. Flat: normal weights as they are drawn, whose
scores hardly differ, so that the least change turns the likeliest code; worse than any trained model. Peaked: the heads scaled so
that the perplexity without guidance is that of a trained MusicGen. Outlying: peaked, weights of Laplace's distribution, whose few
large ones leave the many small ones fewer steps, and one channel in a hundred ten times as loud behind every norm, as in trained
transformers, which ruins simple ways to eight bits. What trained weights would show is not measured. The aim, with each kind:
the distributions are no further from those in float32 than bfloat16's are.
"""

import argparse
from copy import deepcopy
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.token_decoders import SIZES, conditioning, random_decoder
from reelscore.models.choosing import Sampling, guided
from reelscore.models.codebooks import to_steps
from reelscore.models.continuing import generate
from reelscore.models.eight_bits import in_eight_bits
from reelscore.models.packing import packed
from reelscore.models.projection import Projection
from reelscore.models.remembering import Condition
from reelscore.models.token_decoder import TokenDecoder

PERPLEXITY = 150.0
LOUDER, ONE_IN = 10.0, 100
"""Of the channels that stand out."""
KINDS = ("flat", "peaked", "outlying")


@dataclass(frozen=True)
class Change:
    """How far scores (codebooks, frames, cardinality) are from those in float32."""

    apart: float
    divergence: float
    staying: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=sorted(SIZES), default="small")
    parser.add_argument("--frames", type=int, default=60, help="of music, four choices each")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{asked.size}, {asked.frames} frames, torch {torch.__version__}")
    missed = [kind for kind in KINDS if not _holds(kind, asked.size, asked.frames)]
    print(
        f"no further than bfloat16: missed with {', '.join(missed)}" if missed else "no further than bfloat16: reached"
    )
    return 1 if missed else 0


@torch.inference_mode()
def _holds(kind: str, size: str, frames: int) -> bool:
    """Whether the aim is reached with weights of this kind; prints what is found."""
    plain = random_decoder(SIZES[size])
    film, null = conditioning(plain.config)
    _redraw(plain, outlying=kind == "outlying")
    if kind != "flat":
        _peak(plain, film)
    half, rounded = deepcopy(plain).to(torch.bfloat16), in_eight_bits(deepcopy(plain))
    exact = packed(plain)
    music = _continued(exact, film, null, frames, Sampling())
    scores = _scores(exact, music, film, null)
    print(f"{kind}: perplexity {_perplexity(scores[0]):.0f}, under guidance {_perplexity(_guided(scores)):.0f}")
    wanted = _guided(scores)
    changes = {}
    for what, decoder in (("bfloat16", half), ("eight bits", rounded)):
        changes[what] = change = _change(_guided(_scores(decoder, music, film, null)), wanted)
        print(
            f"  {what:10s} scores {change.apart:.2%} apart, {change.divergence:.4f} nats, "
            f"{change.staying:.1%} of the likeliest codes stay"
        )
    greedy = Sampling(temperature=0.0)
    ways = [_continued(decoder, film, null, frames, greedy) for decoder in (exact, rounded)]
    parted = (ways[0] != ways[1]).any(dim=1)[0].nonzero()
    print(f"  alone and greedily they part at frame {int(parted[0])}" if len(parted) else "  alone they never part")
    return changes["eight bits"].divergence <= changes["bfloat16"].divergence


def _continued(decoder: TokenDecoder, film: Tensor, null: Tensor, frames: int, sampling: Sampling) -> Tensor:
    seeded = torch.Generator().manual_seed(3)
    return generate(decoder, film, null, length=frames, generators=[seeded], sampling=sampling)


def _scores(decoder: TokenDecoder, music: Tensor, film: Tensor, null: Tensor) -> Tensor:
    """Scores (2, codebooks, frames, cardinality) of each code of the music given those before it: of the film, of nothing."""
    config = decoder.config
    steps = to_steps(music, config.delays, config.cardinality)
    scores = decoder(steps.repeat(2, 1, 1), decoder.remember([Condition(film), Condition(null)]))
    frames = music.shape[2]
    return torch.stack([scores[:, book, late : late + frames] for book, late in enumerate(config.delays)], dim=1)


def _guided(scores: Tensor) -> Tensor:
    return guided(scores[0], scores[1], Sampling().guidance_scale)


def _change(given: Tensor, wanted: Tensor) -> Change:
    given, wanted = (scores - scores.mean(dim=-1, keepdim=True) for scores in (given, wanted))
    logs = wanted.log_softmax(dim=-1)
    divergence = functional.kl_div(given.log_softmax(dim=-1), logs, reduction="none", log_target=True).sum(dim=-1)
    staying = (given.argmax(dim=-1) == wanted.argmax(dim=-1)).float()
    return Change(float((given - wanted).norm() / wanted.norm()), float(divergence.mean()), float(staying.mean()))


def _perplexity(scores: Tensor) -> float:
    logs = scores.log_softmax(dim=-1)
    return float((-(logs.exp() * logs).sum(dim=-1)).mean().exp())


def _peak(decoder: TokenDecoder, film: Tensor) -> None:
    """Scales the heads until the perplexity on random music is the wanted one."""
    config = decoder.config
    music = torch.randint(config.cardinality, (1, config.codebooks, 32), generator=torch.Generator().manual_seed(4))
    scores = decoder(music, decoder.remember([Condition(film)]))
    low, high = 0.0, 1000.0
    for _ in range(40):
        scale = (low + high) / 2
        low, high = (scale, high) if _perplexity(scores * scale) > PERPLEXITY else (low, scale)
    for head in decoder.scores:
        cast(Projection, head).weight.mul_(scale)


def _redraw(decoder: TokenDecoder, *, outlying: bool) -> None:
    seeded = torch.Generator().manual_seed(5)
    loud = torch.randperm(decoder.config.dim, generator=seeded)[: decoder.config.dim // ONE_IN]
    for module in decoder.modules():
        if isinstance(module, Projection):
            weight, deviation = module.weight, module.weight.shape[1] ** -0.5
            if outlying:
                weight.exponential_(generator=seeded)
                weight.sub_(torch.empty_like(weight).exponential_(generator=seeded)).mul_(deviation * 2**-0.5)
            else:
                weight.normal_(0, deviation, generator=seeded)
        elif isinstance(module, nn.LayerNorm) and outlying:
            module.weight[loud] *= LOUDER


if __name__ == "__main__":
    raise SystemExit(main())
