"""From a request to music: a plan, what melody models follow, takes in batches, and each take's pieces joined and finished."""

from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path

import numpy as np

from reelscore.audio import Samples
from reelscore.checkpoints.hub import locate_folder
from reelscore.checkpoints.musicgen import Opened, open_musicgen
from reelscore.engines import Music, Request
from reelscore.engines.musicgen.options import Options
from reelscore.engines.musicgen.plan import Plan, plan_for
from reelscore.engines.musicgen.playing import Player, Take
from reelscore.engines.musicgen.remarks import remarks_for
from reelscore.engines.musicgen.tunes import composed, recorded
from reelscore.finish import finished
from reelscore.finish.joining import joined
from reelscore.hardware import device_for, dtype_for
from reelscore.models.musicgen import MusicGen
from reelscore.progress import Progress
from reelscore.resident import resident
from reelscore.tokens import quickened, takes_at_once, trouble_told

MOST_SOUND = 3600.0  # seconds of sound of all takes that are played together, which wait in pieces


def make(request: Request, seeds: Sequence[int], progress: Progress) -> Iterator[Music]:
    """The music of each seed, in their order. Raises MissingError and InputError."""
    with trouble_told(request.hardware):
        yield from made_with(load(request, progress), request, seeds, progress)


def load(request: Request, progress: Progress) -> Opened:
    """The model on its device, in memory from the first request on; the decoder runs in the number format that was asked for."""
    options: Options = request.options
    device = device_for(request.hardware)
    dtype = dtype_for(request.hardware, device)
    folder = locate_folder(options.model, "words to music")

    def opened() -> Opened:
        progress("loading", 0.0)
        model = open_musicgen(folder, device=device, dtype=dtype)
        quickened(model.model.decoder, int8=options.int8)
        progress("loading", 1.0)
        return model

    kept_as = (str(device), str(dtype), options.int8)
    return resident(("musicgen", folder.absolute(), _changed(folder), *kept_as), opened)


def made_with(opened: Opened, request: Request, seeds: Sequence[int], progress: Progress) -> Iterator[Music]:
    """`make` with a model that is open already."""
    model, rate = opened.model, opened.model.codec.sample_rate
    plan = plan_for(request.brief, request.options, model.codec.frame_rate)
    together = at_once(model, plan, request)
    player = Player(opened, request, plan, len(seeds), ceil(len(seeds) / together), progress)
    recording = recorded(request, rate)
    for first in range(0, len(seeds), together):
        batch = seeds[first : first + together]
        tunes = [composed(request, seed, rate, progress) if request.options.guide else recording for seed in batch]
        takes = player.play(batch, tunes)
        while takes:
            yield _finished(opened, request, plan, takes.pop(0))


def at_once(model: MusicGen, plan: Plan, request: Request) -> int:
    """How many takes are played together."""
    guided = request.options.guidance != 1
    room = takes_at_once(model.decoder.config, plan.longest, guided=guided)
    return max(1, min(room, int(MOST_SOUND // request.brief.duration)))


def _finished(opened: Opened, request: Request, plan: Plan, take: Take) -> Music:
    """One take's music, of the brief's exact length."""
    options: Options = request.options
    rate = opened.model.codec.sample_rate
    audio = finished(_whole(request, take, rate), rate, request.brief, widen=not options.as_published)
    remarks = remarks_for(request, opened.card, plan, take.moved)
    return Music(audio, remarks=remarks, licence=opened.card.licence)


def _whole(request: Request, take: Take, rate: int) -> Samples:
    """All pieces of a take as one sound."""
    if request.options.as_published:
        return np.concatenate([piece.sound for piece in take.laid], axis=1)
    return joined(take.laid, round(request.brief.duration * rate), rate)


def _changed(folder: Path) -> tuple[int, ...]:
    """What tells that files of a folder were exchanged."""
    return tuple(sorted(file.stat().st_mtime_ns for file in folder.iterdir() if file.is_file()))
