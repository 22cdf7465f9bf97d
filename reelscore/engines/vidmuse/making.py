"""From a request to music: the film's windows one after another, in each the codes of all takes, then sound, then finished.

Codes are int64 (takes, codebooks, music frames). Every window is played to its own footage and goes on from the codes before
it, so that all of them together are one stream of codes, which the codec makes sound of in one go: no two sounds are ever
joined. A take hangs on its own seed alone, and chance is drawn on the CPU, so that no device brings its own.
"""

from collections.abc import Iterator, Sequence
from itertools import repeat
from pathlib import Path

import torch
from torch import Tensor

from reelscore.checkpoints import default_weights
from reelscore.checkpoints.vidmuse import Opened, open_vidmuse
from reelscore.engines import Music, Request
from reelscore.engines.vidmuse.footage import conditions, plan_for
from reelscore.engines.vidmuse.options import Options
from reelscore.engines.vidmuse.steering import steered, temperatures
from reelscore.engines.vidmuse.windows import Plan, Reach, Window
from reelscore.finish import finished
from reelscore.hardware import device_for, dtype_for
from reelscore.media import Clip, probe
from reelscore.models.choosing import Sampling, published_generator
from reelscore.models.continuing import generate
from reelscore.models.vidmuse import VidMuse
from reelscore.progress import Progress
from reelscore.resident import resident
from reelscore.tokens import chance, quickened, sounding, takes_at_once, telling, trouble_told


def make(request: Request, seeds: Sequence[int], progress: Progress) -> Iterator[Music]:
    """The music of each seed, in their order. Raises MissingError and InputError."""
    with trouble_told(request.hardware):
        yield from made_with(load(request, progress), request, seeds, progress)


def load(request: Request, progress: Progress) -> Opened:
    """The model on its device, in memory from the first request on. All but the codec runs in the number format that was asked for."""
    options: Options = request.options
    device = device_for(request.hardware)
    dtype = dtype_for(request.hardware, device)
    weights = Path(options.weights) if options.weights else default_weights("vidmuse")

    def opened() -> Opened:
        progress("loading", 0.0)
        model = open_vidmuse(weights, encodec=options.encodec or None, device=device, dtype=dtype)
        quickened(model.model.decoder, int8=options.int8)
        progress("loading", 1.0)
        return model

    changed = weights.stat().st_mtime_ns if weights.exists() else 0
    kept_as = (str(device), str(dtype), options.int8)
    return resident(("vidmuse", weights.absolute(), changed, options.encodec, *kept_as), opened)


def made_with(opened: Opened, request: Request, seeds: Sequence[int], progress: Progress) -> Iterator[Music]:
    """`make` with a model that is open already."""
    options: Options = request.options
    film = probe(request.film) if request.film else None
    plan = plan_for(
        film,
        request.brief.duration,
        reach_of(opened.model),
        context=options.context_seconds,
        as_published=options.as_published,
    )
    # As published every seed gives the same music: it is made once.
    distinct = seeds[:1] if options.as_published else seeds
    for codes in played(opened.model, request, film, plan, distinct, progress).unsqueeze(1):
        music = _finished(request, opened, codes, progress)
        yield from repeat(music, len(seeds) // len(distinct))


def reach_of(model: VidMuse) -> Reach:
    """How much of a film and of music this model takes in at once."""
    visual = model.visual.config
    return Reach(visual.local_frames, visual.global_frames, model.codec.frame_rate)


@torch.no_grad()
def played(
    model: VidMuse, request: Request, film: Clip | None, plan: Plan, seeds: Sequence[int], progress: Progress
) -> Tensor:
    """The codes of all takes, on the CPU: (takes, codebooks, plan.length).

    What a window shows is looked at once for all takes and then forgotten, so that a long film needs no more memory than a short one.
    """
    options: Options = request.options
    guided = film is not None and options.guidance != 1
    longest = max(window.end - window.start for window in plan.windows)
    size = takes_at_once(model.decoder.config, longest, guided=guided)
    batches = [slice(first, first + size) for first in range(0, len(seeds), size)]
    generators = [chance(seed) for seed in seeds]
    codes = torch.empty(len(seeds), model.codec.codebooks, plan.length, dtype=torch.long)
    total, done = plan.length * len(batches), 0
    seen = conditions(film, model.visual, plan, as_published=options.as_published, progress=progress)
    for window, tokens in zip(plan.windows, seen, strict=True):
        new = slice(window.start + window.context, window.end)
        for batch in batches:
            watch = telling(progress, done - window.context, total, request.brief.duration)
            watch(window.context)
            drawn = [_published(model) for _ in generators[batch]] if options.as_published else generators[batch]
            continued = generate(
                model.decoder,
                tokens,
                model.visual.null(len(window.pictures)) if guided else None,
                length=window.end - window.start,
                generators=drawn,
                prompt=codes[batch, :, window.start : new.start].to(tokens.device),
                sampling=sampling_in(window, request, guided=guided, frame_rate=model.codec.frame_rate),
                watch=watch,
            )
            codes[batch, :, new] = continued[..., window.context :].cpu()
            done += window.made
    return codes


def sampling_in(window: Window, request: Request, *, guided: bool, frame_rate: int) -> Sampling:
    """How the codes of a window are chosen, its frames of context included."""
    options: Options = request.options
    times = [(frame + 0.5) / frame_rate for frame in range(window.start, window.end)]
    return Sampling(
        temperature=temperatures(request.brief, options.temperature, options.steering, times),
        top_k=options.top_k,
        top_p=options.top_p,
        guidance_scale=options.guidance if guided else 1.0,
    )


def _published(model: VidMuse) -> torch.Generator:
    """The random state in which the published program begins every window."""
    visual = model.visual.config
    return published_generator((1, 3, visual.global_frames, visual.image_size, visual.image_size))


@torch.no_grad()
def _finished(request: Request, opened: Opened, codes: Tensor, progress: Progress) -> Music:
    """The sound of one take's codes, of the brief's exact length."""
    options: Options = request.options
    sound = sounding(opened.model.codec, codes, progress)
    audio = finished(sound, opened.model.codec.sample_rate, request.brief, widen=not options.as_published)
    return Music(audio, remarks=_remarks(request, opened), licence=opened.card.licence)


def _remarks(request: Request, opened: Opened) -> tuple[str, ...]:
    options: Options = request.options
    remarks = [f"The weights are those of {opened.card.source}; licence: {opened.card.licence}."]
    unused = "vidmuse reads no text and keeps no beat: the brief's prompt, tags, key, tempo and cues have no effect"
    if options.steering:
        energies = sorted(section.energy for section in request.brief.sections)
        reached = (steered(options.temperature, options.steering, each) for each in (energies[0], energies[-1]))
        told = " to ".join(dict.fromkeys(f"{temperature:.2f}" for temperature in reached))
        unused += f"; only the energy of its sections counts, which sets the temperature ({told})"
    remarks.append(f"{unused}.")
    if request.film is None:
        remarks.append("There is no film to look at: this is what the model plays to a black picture.")
    if options.as_published:
        remarks.append("As published the random state is always the same: the seed has no effect.")
    return tuple(remarks)
