"""Whether a guide keeps the composer's timing: `python -m benchmark.guide [--seed N]`.

One brief in several styles, made by the engine `sonique` without a guide and with one at each strength. Onsets are found in the
finished sound; nothing is read from the score. For each: the share of the brief's cues with an onset within 50 ms, beside the
share of random times that have one (the chance), and how much of the guide's own sound is left (correlation of the samples). The composer's
own playing, through the autoencoder and back, is the most that can be had.

The model is a stand-in, `benchmark.mosaic`: SONIQUE's published weights were not at hand, and random weights know no music.
"""

import argparse
from collections.abc import Iterator
from typing import get_args

import numpy as np
import numpy.typing as npt
import torch

from benchmark.accents import near
from benchmark.briefs import brief_of
from benchmark.mosaic import RATE, model_of, playing
from reelscore.audio import Audio, resample
from reelscore.brief import Brief
from reelscore.checkpoints.sonique import Opened
from reelscore.engines import Request
from reelscore.engines.sonique.making import made_with
from reelscore.engines.sonique.options import Keep, Options
from reelscore.progress import unseen
from reelscore.report.onsets import RATE as HEARING_RATE
from reelscore.report.onsets import Floats, Listener, onsets

Sound = npt.NDArray[np.float32]

STYLES = ("funk", "cinematic", "rock")
DRAWS = 4000
KEPT = 0.9  # of the cues that the composer's playing hits, with the guide kept as it is unless asked otherwise


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    seed = parser.parse_args().seed
    print("stand-in model: patches of the composer's other pieces (published weights were not at hand)")
    hits: dict[str, list[float]] = {}
    for style in STYLES:
        brief = brief_of(style)
        model = model_of([(brief, seed + 100), (brief, seed + 101)])
        guide = playing(brief, seed)
        print(f"\n{style:12s} onset at cue   by chance   likeness to the guide")
        for name, audio in _ways(model, brief, guide, seed):
            found = heard(audio)
            hit, chance = near(found, _cues(brief)).mean(), near(found, _random_times(brief, seed)).mean()
            likeness = np.corrcoef(audio.samples.mean(axis=0), guide[0])[0, 1]
            hits.setdefault(name, []).append(hit)
            print(f"  {name:12s} {hit:10.2f} {chance:11.2f} {likeness:16.2f}", flush=True)
    mean = {name: float(np.mean(rates)) for name, rates in hits.items()}
    print("\nall styles: " + ", ".join(f"{name} {rate:.0%}" for name, rate in mean.items()))
    usual = Options().keep
    kept = mean[usual] >= KEPT * mean["composer"] and mean[usual] > mean["no guide"]
    print(
        f"a guide kept '{usual}' holds {mean[usual] / mean['composer']:.0%} of the cues that the composer hits (at least {KEPT:.0%})"
    )
    return 0 if kept else 1


def _ways(model: Opened, brief: Brief, guide: Sound, seed: int) -> Iterator[tuple[str, Audio]]:
    """The ways to make the piece, by name, with the sound of each."""
    coder = model.model.autoencoder
    coded = coder.decode(coder.encode(torch.from_numpy(guide)[None]))[0, :, : guide.shape[1]]
    yield "composer", Audio(coded.numpy(), RATE)
    ways = [("no guide", Options(guidance=1.0))]
    ways += [(keep, Options(guidance=1.0, guide=True, keep=keep)) for keep in get_args(Keep)]
    for name, options in ways:
        yield name, next(made_with(model, Request(brief, seed, options), [seed], unseen)).audio


def heard(audio: Audio) -> Floats:
    """The seconds at which something begins in a sound."""
    listener = Listener()
    listener.add(resample(audio, HEARING_RATE).samples)
    return onsets(listener.finish().strength)


def _cues(brief: Brief) -> Floats:
    return np.array([cue.time for cue in brief.cues])


def _random_times(brief: Brief, seed: int) -> Floats:
    return np.random.default_rng(seed).uniform(0.5, brief.duration - 0.5, DRAWS)


if __name__ == "__main__":
    raise SystemExit(main())
