"""Whether cues are heard: `python -m benchmark.accents [--seed N]`.

One brief in every style, rendered; onsets by librosa, nothing read from the score. For each style: the onset strength at
the cues against that at random times, the share of cues with a detected onset within 50 ms beside the share of random
times that have one (the chance), and the loudness range.
"""

import argparse
from collections.abc import Iterator

import librosa
import numpy as np
import numpy.typing as npt

from benchmark.briefs import brief_of
from reelscore.audio import Samples
from reelscore.compose import compose
from reelscore.loudness import measure
from reelscore.sound import render
from reelscore.vocabulary import GENRES

HOP, TOLERANCE, DRAWS = 256, 0.05, 4000
STRENGTH, RATE, RANGE_LU = 2.0, 0.95, 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    seed = parser.parse_args().seed
    missed = 0
    hits, cues_seen = 0.0, 0
    print(f"{'style':12s} strength ratio   onset at cue   by chance   loudness range")
    for genre in GENRES:
        brief = brief_of(genre)
        audio = render(compose(brief, seed), seed=seed)
        cues = np.array([cue.time for cue in brief.cues])
        times = np.random.default_rng(seed).uniform(0.5, brief.duration - 0.5, DRAWS)
        envelope, onsets = heard(audio.samples.mean(axis=0), audio.rate)
        ratio = peaks(envelope, cues, audio.rate).mean() / peaks(envelope, times, audio.rate).mean()
        rate, chance = near(onsets, cues).mean(), near(onsets, times).mean()
        range_lu = measure(blocks_of(audio.samples), audio.rate).range_lu
        ok = ratio >= STRENGTH and range_lu >= RANGE_LU
        missed += not ok
        hits, cues_seen = hits + rate * len(cues), cues_seen + len(cues)
        print(
            f"{genre:12s} {ratio:14.2f} {rate:14.2f} {chance:11.2f} {range_lu:13.1f} LU{'' if ok else '   missed'}",
            flush=True,
        )
    print(
        f"all styles: an onset within ±50 ms of {hits / cues_seen:.1%} of cues (at least {RATE:.0%}); {missed} styles miss a figure"
    )
    return 0 if not missed and hits / cues_seen >= RATE else 1


def heard(mono: npt.NDArray[np.float32], rate: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """librosa's onset strength by frame, and the seconds of its onsets."""
    envelope = librosa.onset.onset_strength(y=mono, sr=rate, hop_length=HOP)
    return envelope, librosa.onset.onset_detect(onset_envelope=envelope, sr=rate, hop_length=HOP, units="time")


def peaks(envelope: npt.NDArray[np.float64], times: npt.NDArray[np.float64], rate: int) -> npt.NDArray[np.float64]:
    """The greatest onset strength within the tolerance of each time."""
    reach = round(TOLERANCE * rate / HOP)
    frames = np.round(times * rate / HOP).astype(int)
    return np.array([envelope[max(0, frame - reach) : frame + reach + 1].max(initial=0.0) for frame in frames])


def near(onsets: npt.NDArray[np.float64], times: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Whether an onset lies within the tolerance of each time."""
    if not onsets.size:
        return np.zeros(len(times), bool)
    return np.abs(times[:, None] - onsets[None, :]).min(axis=1) <= TOLERANCE


def blocks_of(samples: Samples, length: int = 48000) -> Iterator[Samples]:
    for start in range(0, samples.shape[1], length):
        yield samples[:, start : start + length]


if __name__ == "__main__":
    raise SystemExit(main())
