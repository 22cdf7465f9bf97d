"""How the film's pictures reach the model: out of the file once, small, looked at once, and each window given its own.

Pictures are uint8 (side, side, 3), RGB and upright, the whole picture squashed into a square as the model learned it. They are
taken by time, whatever the film's frame rate.

Those that tell of the whole film are wanted before the first window. From a long film they are fetched by skipping through it, and
the others come while the music is made. A film of a few minutes, where skipping would save nothing, is played once, and its
small pictures wait: 0.15 MB each, 120 MB at most of 32 overall ones. Beside them one window's pictures and features are held
and those of the overall pictures, so memory does not grow with the film.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from torch import Tensor

from reelscore.engines.vidmuse.windows import Plan, Reach, Window, plan_windows, published_plan
from reelscore.errors import MediaError
from reelscore.media.probe import Clip
from reelscore.media.squares import Averaged, Pixels, Sampled
from reelscore.media.stills import WORTH_A_LEAP, drawn_at, picture_times
from reelscore.models.visual import PICTURES_PER_SECOND, Visual
from reelscore.progress import Progress, unseen


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of the film: when it is first shown, and uint8 (side, side, 3), RGB."""

    time: float
    rgb: Pixels


def plan_for(
    film: Clip | None,
    duration: float,
    reach: Reach | None = None,
    *,
    context: float = 12.0,
    as_published: bool = False,
) -> Plan:
    """The windows of music of this duration to a film, and the pictures of it that are wanted.

    `context` is the music in seconds that a window goes on from; as published it does not count. Without a film the plan is
    that of a black one.
    """
    if not as_published:
        return plan_windows(duration, context, reach)
    if film is None:
        black = [number / PICTURES_PER_SECOND for number in range(ceil(duration * PICTURES_PER_SECOND))]
        return published_plan(duration, PICTURES_PER_SECOND, black, reach)
    return published_plan(duration, film.frame_rate, picture_times(film), reach)


def conditions(
    film: Clip | None,
    visual: Visual,
    plan: Plan,
    *,
    as_published: bool = False,
    progress: Progress = unseen,
) -> Iterator[Tensor]:
    """What the decoder attends to in each window in turn: tokens (n, dim) as `visual.embed` would give them.

    Nothing is decoded before it is wanted, and every picture goes through CLIP once. Without a film each window gets
    `visual.null`, the black film, so that guidance away from that film changes nothing. Raises MediaError where
    the film cannot be read any more.
    """
    if film is None:
        for window in plan.windows:
            yield _black(visual, window)
        return
    reel = _Reel(film, plan, visual.config.image_size, progress, as_published=as_published)
    eye = _Eye(visual, reel.pictures(plan.overall))
    for window in plan.windows:
        reel.forget_before(window.pictures[0])
        yield eye.tokens(reel.pictures(window.pictures), window.pictures, plan.overall)


def pictures_at(
    film: Clip, times: Sequence[float], side: int = 224, *, as_published: bool = False
) -> Iterator[Picture]:
    """For each of the rising `times` the picture that is shown then, squashed into a square; one of them after the other.

    Where one picture is shown at several times it is the same object. Raises MediaError where no picture can be decoded.
    """
    last: Picture | None = None
    for still in drawn_at(film, times, (Sampled if as_published else Averaged)(film, side)):
        if last is None or last.time != still.time:
            last = Picture(still.time, np.ascontiguousarray(still.bgr[:, :, ::-1]))
        yield last
    if last is None and times:
        raise MediaError(f"No picture of {film.path} can be decoded any more; leave the file in place until the end.")


class _Reel:
    """The pictures of a film by the times at which a plan wants them: first the overall ones, then the windows' in order."""

    def __init__(self, film: Clip, plan: Plan, side: int, progress: Progress, *, as_published: bool) -> None:
        overall = set(plan.overall)
        local = {time for window in plan.windows for time in window.pictures}
        # From a long film the overall ones are fetched alone; all of its pictures would be too many to wait here.
        is_long = max(local) > WORTH_A_LEAP * len(plan.overall)
        first = sorted(overall if is_long else overall | local)
        self._waiting: dict[float, Picture] = {}
        progress("looking", 0.0)
        for time, picture in zip(first, pictures_at(film, first, side, as_published=as_published), strict=True):
            self._waiting[time] = picture
            progress("looking", len(self._waiting) / len(first))
        later = sorted(local.difference(first))
        self._coming = zip(later, pictures_at(film, later, side, as_published=as_published), strict=True)

    def pictures(self, times: Sequence[float]) -> list[Picture]:
        """The pictures at the times; what lies on the way there in the film waits."""
        missing = set(times).difference(self._waiting)
        while missing:
            time, picture = next(self._coming)
            self._waiting[time] = picture
            missing.discard(time)
        return [self._waiting[time] for time in times]

    def forget_before(self, start: float) -> None:
        """No picture before `start` will be asked for any more."""
        self._waiting = {time: picture for time, picture in self._waiting.items() if time >= start}


class _Eye:
    """What the visual side makes of pictures. Each is looked at once: features of the overall ones stay, and the last window's."""

    @torch.no_grad()
    def __init__(self, visual: Visual, overall: Sequence[Picture]) -> None:
        self._visual = visual
        self._known: dict[float, Tensor] = {}
        self._look_at(overall)
        self._overall = dict(self._known)
        self._film = self._features(overall)
        # Where a picture's tokens hang on that picture alone, the film's are the same for every window.
        self._film_tokens = visual.overall_tokens(self._film) if visual.config.attends == "patches" else None

    @torch.no_grad()
    def tokens(self, pictures: Sequence[Picture], times: Sequence[float], overall_times: Sequence[float]) -> Tensor:
        """The conditioning (n, dim) of a window that sees the pictures at these times of the film."""
        self._look_at(pictures)
        shown = {picture.time for picture in pictures}
        self._known = {time: each for time, each in self._known.items() if time in shown or time in self._overall}
        local_times, film_times = (torch.tensor(each) - times[0] for each in (times, overall_times))
        of_film = self._film_tokens
        if of_film is None:
            of_film = self._visual.overall_tokens(self._film, film_times)
        return self._visual.fused(self._visual.local_tokens(self._features(pictures), local_times), of_film)

    def _look_at(self, pictures: Sequence[Picture]) -> None:
        new = {picture.time: picture.rgb for picture in pictures if picture.time not in self._known}
        if new:
            seen = self._visual.features(torch.from_numpy(np.stack(list(new.values()))))
            # Copies: a part of the whole would keep all of it in memory.
            self._known.update((time, each.clone()) for time, each in zip(new, seen, strict=True))

    def _features(self, pictures: Sequence[Picture]) -> Tensor:
        """(n, places, width) in the order of the pictures."""
        return torch.stack([self._known[picture.time] for picture in pictures])


@torch.no_grad()
def _black(visual: Visual, window: Window) -> Tensor:
    return visual.null(len(window.pictures))
