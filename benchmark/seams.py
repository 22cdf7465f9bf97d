"""Whether the joins of long music are heard: `python -m benchmark.seams [--seed N]`.

A minute in one style, several takes of it, made by the engine `sonique` in windows of six seconds; and for contrast pieces of six
seconds, made one by one and put end to end. Where windows begin, end and go over into one another three things are measured:

    step    how far the level in the 40 ms behind lies from that in the 40 ms before, in dB
    flux    how far the spectrum behind lies from that before, mean over the bands, in dB
    click   the greatest bend from one sample to the next within 2 ms, against the neighbourhood

They are no higher than elsewhere where their mean lies within what the same borders give when they are moved along the music at
random (below the 95th percentile). The pieces end to end must fail, which shows that the measures see seams.

The model is a stand-in, `benchmark.mosaic`: SONIQUE's published weights were not at hand, and random weights know no music.
"""

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from benchmark.briefs import brief_of
from benchmark.mosaic import HOP, RATE, model_of
from reelscore.brief import Brief
from reelscore.checkpoints.sonique import Opened
from reelscore.engines import Request
from reelscore.engines.sonique.making import denoised, denoiser_for, grid_of
from reelscore.engines.sonique.options import Options
from reelscore.engines.sonique.plan import plan_for
from reelscore.progress import unseen
from reelscore.spotting import complete

Sound = npt.NDArray[np.float32]

STYLE, WINDOW, STEPS, TAKES = "cinematic", 6.0, 16, 3
MOVES, HIGH = 2000, 95.0
EDGE, GRAIN = 0.5, 0.005  # seconds at the ends that are left out, and between the times that are looked at
_SIDE = round(0.04 * RATE)
_BENT = round(0.002 * RATE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    seed = parser.parse_args().seed
    print("stand-in model: patches of the composer's other pieces (published weights were not at hand)")
    brief = brief_of(STYLE)
    model = model_of([(brief, seed + 100), (brief, seed + 101)])
    seeds = range(seed, seed + TAKES)
    ours = report("overlapping windows", [in_windows(model, brief, each) for each in seeds], seed)
    naive = report("end to end", [end_to_end(model, brief, each) for each in seeds], seed)
    heard = [name for name, percentile in ours.items() if percentile > HIGH]
    seen = [name for name, percentile in naive.items() if percentile > HIGH]
    print(f"seams in overlapping windows: {', '.join(heard) or 'none'}; end to end: {', '.join(seen) or 'none'}")
    return 1 if heard or not seen else 0


def in_windows(model: Opened, brief: Brief, seed: int) -> tuple[Sound, list[float]]:
    """The music as the engine makes it, before its ending, and the times of all borders inside."""
    request = Request(brief, seed, Options(guidance=1.0, window=WINDOW, steps=STEPS))
    grid = grid_of(model.model, request.options)
    plan = plan_for(brief, request.options, grid)
    with torch.inference_mode():
        denoiser = denoiser_for(model, plan, grid, request.options)
        latents = denoised(request, model.model, plan, denoiser, [seed], unseen)
        sound = model.model.autoencoder.decode(latents[..., : plan.wanted])[0, 0].numpy()
    edges = {passage.start for passage in plan.passages}
    for window in denoiser.plan.windows:
        edges |= {window.start, window.stop}
    return sound, _inside(sorted(edges), len(sound))


def end_to_end(model: Opened, brief: Brief, seed: int) -> tuple[Sound, list[float]]:
    """Pieces as long as a window, each of its own noise and decoded by itself, one after another."""
    pieces = []
    for number in range(int(brief.duration / WINDOW)):
        part = complete(Brief(duration=WINDOW, tags=brief.tags))
        pieces.append(in_windows(model, part, 1000 * seed + number)[0][: round(WINDOW * RATE)])
    ends = np.cumsum([len(piece) for piece in pieces[:-1]])
    return np.concatenate(pieces), [float(end / RATE) for end in ends]


def _inside(edges: list[int], length: int) -> list[float]:
    times = [edge * HOP / RATE for edge in edges]
    return [time for time in times if EDGE < time < length / RATE - EDGE]


def report(name: str, takes: list[tuple[Sound, list[float]]], seed: int) -> dict[str, float]:
    """Prints each measure at the borders and elsewhere; returns among how many percent of moved borders the true ones lie."""
    generator = np.random.default_rng(seed)
    moves = generator.uniform(size=(MOVES, len(takes)))
    percentiles = {}
    print(f"\n{name}: {len(takes)} takes, {sum(len(borders) for _, borders in takes)} borders")
    for measure, of in MEASURES.items():
        there, moved, elsewhere = np.zeros(0), np.zeros((MOVES, 0)), np.zeros(0)
        for take, (sound, borders) in enumerate(takes):
            times = np.arange(EDGE, len(sound) / RATE - EDGE, GRAIN)
            along = of(sound, times)
            places = np.round((np.array(borders) - EDGE) / GRAIN).astype(int)
            shifts = np.round(moves[:, take] * len(times)).astype(int)
            there = np.append(there, along[places % len(times)])
            moved = np.append(moved, along[(places[None] + shifts[:, None]) % len(times)], axis=1)
            elsewhere = np.append(elsewhere, along)
        percentiles[measure] = float((moved.mean(axis=1) < there.mean()).mean() * 100)
        print(
            f"  {measure:6s} {there.mean():7.2f} at the borders, {elsewhere.mean():7.2f} on the whole:"
            f" above {percentiles[measure]:5.1f} % of moved borders",
            flush=True,
        )
    return percentiles


def _step(sound: Sound, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    before, behind = _sides(sound, times)
    return np.abs(_level(behind) - _level(before))


def _flux(sound: Sound, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    window = np.hanning(_SIDE)
    before, behind = (np.abs(np.fft.rfft(side * window, axis=1)) ** 2 for side in _sides(sound, times))
    pooled = [side[:, : side.shape[1] // 8 * 8].reshape(len(side), -1, 8).sum(axis=2) for side in (before, behind)]
    loud = [10 * np.log10(side + 1e-4) for side in pooled]
    return np.abs(loud[1] - loud[0]).mean(axis=1)


def _click(sound: Sound, times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    bend = np.abs(np.diff(sound, 2))
    at = np.round(times * RATE).astype(int)
    sharpest = np.array([bend[each - _BENT : each + _BENT].max() for each in at])
    around = np.array([bend[each - _SIDE : each + _SIDE].mean() for each in at])
    return sharpest / (around + 1e-6)


MEASURES: dict[str, Callable[[Sound, npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
    "step": _step,
    "flux": _flux,
    "click": _click,
}


def _sides(sound: Sound, times: npt.NDArray[np.float64]) -> tuple[Sound, Sound]:
    """The sound before and behind each time, (times, samples) each."""
    at = np.round(times * RATE).astype(int)
    return np.stack([sound[each - _SIDE : each] for each in at]), np.stack([sound[each : each + _SIDE] for each in at])


def _level(sides: Sound) -> npt.NDArray[np.float64]:
    return 10 * np.log10(np.square(sides, dtype=np.float64).mean(axis=1) + 1e-8)


if __name__ == "__main__":
    raise SystemExit(main())
