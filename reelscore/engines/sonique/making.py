"""From a request to music: contexts for every passage, noise or a melody under noise, denoised, decoded, finished.

Latents are (takes, channels, n) float32, whatever the network runs in; sound is (channels, samples) in ±1 at the model's rate.
A take hangs on its own seed alone, and all noise is drawn on the CPU, so that a seed means the same everywhere.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from reelscore.audio import Samples
from reelscore.checkpoints import default_weights
from reelscore.checkpoints.sonique import Opened, open_sonique
from reelscore.engines import Music, Request
from reelscore.engines.sonique.options import Options
from reelscore.engines.sonique.plan import Grid, Plan, plan_for, windowing_for
from reelscore.engines.sonique.variation import Melody, holding, laid, sigmas_for, start_of
from reelscore.errors import InputError
from reelscore.finish import finished
from reelscore.hardware import device_for, dtype_for, out_of_memory, overflowed
from reelscore.melody import played, read_recording
from reelscore.models.conditioning import Context
from reelscore.models.denoising import Denoiser, Guidance, stacked
from reelscore.models.latent_diffusion import LatentDiffusion
from reelscore.models.regions import Region, RegionDenoiser, plan_windows
from reelscore.models.sampling import SAMPLERS
from reelscore.models.schedules import step_noise, take_noise
from reelscore.progress import Progress
from reelscore.resident import resident

MOST_LATENTS_AT_ONCE = 8192  # of all windows and takes that go through the network together
_BEHIND = 8  # latents that are decoded beyond the end, so that the last samples have their neighbours
_PUBLISHED_NEGATIVE = (0, 23)  # the seconds that the reference tells with negative tags, whatever the film


def make(request: Request, seeds: Sequence[int], progress: Progress) -> Iterator[Music]:
    """The music of each seed, in their order. Raises MissingError and InputError."""
    options: Options = request.options
    try:
        yield from made_with(load(request, progress), request, seeds, progress)
    except (RuntimeError, MemoryError) as problem:
        if not out_of_memory(problem):
            raise
        shorter = max(options.window_seconds / 2, 6.0)
        raise InputError(
            f"There is not enough memory for windows of {options.window_seconds:g} s; ask for shorter ones"
            f" (--window {shorter:.0f}), for --precision bf16, or for another --device."
        ) from problem


def made_with(opened: Opened, request: Request, seeds: Sequence[int], progress: Progress) -> Iterator[Music]:
    """`make` with a model that is open already."""
    grid = grid_of(opened.model, request.options)
    plan = plan_for(request.brief, request.options, grid)
    denoiser = denoiser_for(opened, plan, grid, request.options)
    together = max(1, MOST_LATENTS_AT_ONCE // plan.length)
    for first in range(0, len(seeds), together):
        batch = seeds[first : first + together]
        latents = denoised(request, opened.model, plan, denoiser, batch, progress)
        for take in range(len(batch)):
            yield _finished(request, opened, plan, latents[take : take + 1], progress)


def load(request: Request, progress: Progress) -> Opened:
    """The model on its device, in memory from the first request on. The U-Net alone runs in the number format that was asked for."""
    options: Options = request.options
    device = device_for(request.hardware)
    dtype = dtype_for(request.hardware, device)
    weights = Path(options.weights) if options.weights else default_weights("sonique")
    parts = (options.config, options.text_tower, options.tokenizer)

    def opened() -> Opened:
        progress("loading", 0.0)
        model = open_sonique(
            weights,
            config=Path(options.config) if options.config else None,
            text_tower=Path(options.text_tower) if options.text_tower else None,
            tokenizer=options.tokenizer or None,
            device=device,
        )
        model.model.unet.to(dtype)
        progress("loading", 1.0)
        return model

    changed = weights.stat().st_mtime_ns if weights.is_file() else 0
    return resident(("sonique", weights.absolute(), changed, parts, str(device), str(dtype)), opened)


def grid_of(model: LatentDiffusion, options: Options) -> Grid:
    """How this model's latents lie in time, and how many go into a window."""
    config = model.config
    per_second = config.sample_rate / config.autoencoder.downsampling
    multiple = config.unet.multiple
    most = max(1, int(options.window_seconds * per_second / multiple)) * multiple
    trained = config.sample_size // config.autoencoder.downsampling
    return Grid(per_second, multiple, trained, most)


@torch.no_grad()
def denoiser_for(opened: Opened, plan: Plan, grid: Grid, options: Options) -> RegionDenoiser:
    """The denoiser of the whole piece: every passage under its own line and seconds, away from the negative line."""
    positive = stacked(
        [_context(opened, each.lines.positive, each.seconds_start, each.seconds_total) for each in plan.passages]
    )
    negative: Context | None = None
    if plan.passages[0].lines.negative:
        negative = stacked(
            [
                _context(
                    opened,
                    each.lines.negative,
                    *(_PUBLISHED_NEGATIVE if options.as_published else (each.seconds_start, each.seconds_total)),
                )
                for each in plan.passages
            ]
        )
    guidance = Guidance(options.guidance, options.rescale)
    denoiser = Denoiser(opened.model.unet, positive, negative, guidance, as_published=options.as_published)
    regions = [Region(each.start, each.end, row) for row, each in enumerate(plan.passages)]
    windows = plan_windows(plan.length, regions, windowing_for(grid))
    longest = max(window.stop - window.start for window in windows.windows)
    return RegionDenoiser(denoiser, windows, batch_windows=max(1, MOST_LATENTS_AT_ONCE // longest))


def _context(opened: Opened, line: str, seconds_start: int, seconds_total: int) -> Context:
    conditioner = opened.model.conditioner
    device = conditioner.seconds_start.weight.device
    ids, mask = (each.to(device) for each in opened.tokenizer([line]))
    return conditioner.context(conditioner.read_text(ids, mask), mask, seconds_start, seconds_total)


@torch.no_grad()
def denoised(
    request: Request,
    model: LatentDiffusion,
    plan: Plan,
    denoiser: RegionDenoiser,
    seeds: Sequence[int],
    progress: Progress,
) -> Tensor:
    """Clean latents of the takes, (takes, channels, plan.length)."""
    options: Options = request.options
    device = model.unet.null_context.device
    channels = model.config.unet.in_channels
    melody = _melody(request, model, plan, seeds, progress)
    sigmas = sigmas_for(options, melody)
    x = start_of(take_noise(seeds, channels, plan.length, device), melody, sigmas[0])
    denoise = denoiser if melody is None or melody.is_whole else holding(denoiser, melody)
    progress("denoising", 0.0)

    def watch(step: int, _denoised: Tensor) -> None:
        progress("denoising", (step + 1) / (len(sigmas) - 1))

    noise = step_noise(seeds, channels, plan.length, device)
    latents = SAMPLERS[options.sampler_name](denoise, x, sigmas, noise, watch)
    if not torch.isfinite(latents).all():
        raise overflowed(request.hardware)
    return latents


def _melody(
    request: Request, model: LatentDiffusion, plan: Plan, seeds: Sequence[int], progress: Progress
) -> Melody | None:
    """The latents of what is varied: of the recording for all takes, or of the composer's playing for each seed."""
    options: Options = request.options
    coder, rate = model.autoencoder, model.config.sample_rate
    channels, size = coder.config.audio_channels, plan.length * coder.config.downsampling
    if options.guide:
        sounds = [played(request.brief, seed, rate, channels, progress) for seed in seeds]
    elif request.melody:
        sounds = [read_recording(request.melody, rate, channels, size)]
    else:
        return None
    # Behind a melody that lasts as long as the music there is silence to hold: it is over, and nothing new is wanted there.
    needed = round((request.brief.duration - 0.1) * rate)
    sounds = [
        np.pad(sound, ((0, 0), (0, size - sound.shape[1]))) if sound.shape[1] >= needed else sound for sound in sounds
    ]
    progress("encoding", 0.0)
    latents = torch.cat([_encoded(model, sound) for sound in sounds])
    progress("encoding", 1.0)
    return laid(latents.expand(len(seeds), -1, -1), plan.length, options.start_sigma)


def _encoded(model: LatentDiffusion, sound: Samples) -> Tensor:
    device = model.unet.null_context.device
    return model.autoencoder.encode(torch.from_numpy(np.ascontiguousarray(sound)).to(device)[None])


@torch.no_grad()
def _finished(request: Request, opened: Opened, plan: Plan, latents: Tensor, progress: Progress) -> Music:
    """The sound of one take's latents, of the brief's exact length."""
    options: Options = request.options
    rate = opened.model.config.sample_rate
    length = round(request.brief.duration * rate)
    progress("decoding", 0.0)
    sound = _decoded(opened.model, plan, latents, length)
    progress("decoding", 1.0)
    audio = finished(sound, rate, request.brief, widen=not options.as_published)
    return Music(audio, remarks=_remarks(request, opened, plan), licence=opened.card.licence)


def _decoded(model: LatentDiffusion, plan: Plan, latents: Tensor, length: int) -> Samples:
    """The sound of latents (1, channels, n), (sound's channels, length) at the model's rate."""
    sound: Samples = model.autoencoder.decode(latents[..., : plan.wanted + _BEHIND])[0, :, :length].cpu().numpy()
    return sound


def _remarks(request: Request, opened: Opened, plan: Plan) -> tuple[str, ...]:
    options: Options = request.options
    remarks = [f"The weights are those of {opened.card.source}; licence: {opened.card.licence}."]
    said = list(dict.fromkeys(passage.lines.positive for passage in plan.passages))
    remarks.append(f"Tags{', changing with the scenes' if len(said) > 1 else ''}: {'; '.join(said)}.")
    if plan.passages[0].lines.negative:
        remarks.append(f"Kept away from: {plan.passages[0].lines.negative}.")
    if options.guide:
        remarks.append(f"Varied from the composer's playing; kept: {options.keep}.")
    if request.melody:
        remarks.append(f"Varied from {request.melody}; kept: {options.keep}.")
    return tuple(remarks)
