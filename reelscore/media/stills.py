"""Single pictures of a film at given times: a short film is played once, a long one is skipped through.

Times are seconds from the first picture. Pictures are upright and keep their shape.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from math import floor

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from reelscore.media.opening import opened, packets, picture_stream
from reelscore.media.probe import Clip
from reelscore.media.shrink import Shrink

_PLAYED = 30.0  # seconds of film up to which skipping saves nothing
# Seconds between wanted pictures from which the film is skipped; key pictures are rarely 10 s apart.
WORTH_A_LEAP = 12.0
_EARLIER = (0.0, 2.0, 8.0)  # seconds before it at which a leap is tried


@dataclass(frozen=True, eq=False)
class Still:
    """One picture of the film: its time in seconds and uint8 (height, width, 3), BGR."""

    time: float
    bgr: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class _Shown:
    """A decoded frame and when it is first shown."""

    time: float
    frame: VideoFrame


def stills_at(clip: Clip, times: Sequence[float], longer_side: int) -> Iterator[Still]:
    """For each of the rising `times` the picture that is shown then, at most `longer_side` pixels on its longer side.

    One still for each time, in order. Where the film is damaged it is the last picture before that can be decoded, and
    for the times after its end the last of all; nothing comes where no picture can be decoded.
    """
    return drawn_at(clip, times, _Shrunk(clip, min(longer_side, max(clip.width, clip.height))))


def drawn_at(
    clip: Clip, times: Sequence[float], draw: Callable[[VideoFrame], npt.NDArray[np.uint8]]
) -> Iterator[Still]:
    """The same, where `draw` makes the BGR picture of a decoded frame, which lies as it was coded: see `Clip.rotation`."""
    left = list(times)
    last: Still | None = None
    passes = (_by_leaps, _by_playing) if clip.duration > _PLAYED else (_by_playing,)
    for one_pass in passes:
        if not left:
            return
        with opened(clip.path) as container:
            stream = picture_stream(container, clip.path)
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = os.cpu_count() or 1
            for shown in one_pass(clip, container, stream, tuple(left)):
                if last is None or last.time != shown.time:
                    last = Still(shown.time, draw(shown.frame))
                left.pop(0)
                yield last
    if last is not None:
        for _ in left:
            yield last


def picture_times(clip: Clip) -> tuple[float, ...]:
    """When each picture of the film is first shown, rising; read from the coded packets without decoding them."""
    with opened(clip.path) as container:
        stream = picture_stream(container, clip.path)
        unit = float(stream.time_base or 0)
        times: list[float] = []
        for packet in packets(container, stream):
            if packet.is_discard:
                continue
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is not None:
                times.append(max(0.0, stamp * unit - clip.start))
            else:  # bare pictures, one after the other
                times.append(times[-1] + 1 / clip.frame_rate if times else 0.0)
    return tuple(time for time in sorted(times) if time < clip.duration)


class _Shrunk:
    """Frames as small pictures, finely: at twice the size first, then by the mean over squares, so that nothing flickers."""

    def __init__(self, clip: Clip, longer_side: int) -> None:
        scale = longer_side / max(clip.width, clip.height)
        self._size = (max(1, round(clip.width * scale)), max(1, round(clip.height * scale)))
        self._shrink = Shrink(clip, min(2 * longer_side, max(clip.width, clip.height)))

    def __call__(self, frame: VideoFrame) -> npt.NDArray[np.uint8]:
        return np.asarray(cv2.resize(self._shrink(frame), self._size, interpolation=cv2.INTER_AREA), np.uint8)


def _by_playing(clip: Clip, container: InputContainer, stream: VideoStream, times: Sequence[float]) -> Iterator[_Shown]:
    return _picked(_decoded(clip, container, stream), times)


def _by_leaps(clip: Clip, container: InputContainer, stream: VideoStream, times: Sequence[float]) -> Iterator[_Shown]:
    """What `times` want, by a leap to each group of them; ends early where leaping costs more than playing, or cannot be."""
    seen_until = -1.0
    for group in _groups(times):
        frames = _leap(clip, container, stream, group[0], seen_until)
        if frames is None:
            return
        for shown in _picked(frames, group):
            seen_until = shown.time
            yield shown


def _leap(
    clip: Clip, container: InputContainer, stream: VideoStream, time: float, seen_until: float
) -> Iterator[_Shown] | None:
    """What can be decoded from a key picture before `time` on.

    None where the file cannot be entered there, where its pictures have no times of their own, and where the leap leads
    back behind what was seen already. Some containers enter at no key picture, so that the first to be decoded is too
    late; then the leap begins earlier.
    """
    for earlier in _EARLIER:
        aim = max(0.0, time - earlier) + clip.start
        try:
            container.seek(floor(aim / float(stream.time_base or 1)), stream=stream)
        except (av.error.FFmpegError, OverflowError):
            return None
        frames = _decoded(clip, container, stream, timed_only=True)
        first = next(frames, None)
        if first is None or first.time < seen_until:
            return None
        if first.time <= time + 1e-6:
            return chain([first], frames)
    return None


def _groups(times: Sequence[float]) -> list[list[float]]:
    """The times, parted where a leap is worth it."""
    groups = [[times[0]]]
    for before, after in pairwise(times):
        if after - before > WORTH_A_LEAP:
            groups.append([])
        groups[-1].append(after)
    return groups


def _picked(frames: Iterator[_Shown], times: Sequence[float]) -> Iterator[_Shown]:
    """For each time the frame that is shown then: the last that does not come after it, else the first."""
    before: _Shown | None = None
    place = 0
    for shown in frames:
        while shown.time > times[place] + 1e-6:
            yield before or shown
            place += 1
            if place == len(times):
                return
        before = shown
    if before is not None:
        yield from (before for _ in times[place:])


def _decoded(
    clip: Clip, container: InputContainer, stream: VideoStream, *, timed_only: bool = False
) -> Iterator[_Shown]:
    """What can be decoded from here on, in order; with `timed_only` it ends at the first frame without a time of its own."""
    last = -1 / clip.frame_rate
    for packet in chain(packets(container, stream), (None,)):
        try:
            frames = stream.decode(packet)
        except av.error.FFmpegError:
            continue
        for frame in frames:
            unit = frame.time_base or stream.time_base
            time = max(0.0, frame.pts * float(unit) - clip.start) if frame.pts is not None and unit else None
            if time is None and timed_only:
                return
            if time is None:
                time = last + 1 / clip.frame_rate
            elif time <= last:
                time = last + 0.5 / clip.frame_rate
            if time < clip.duration:
                yield _Shown(time, frame)
                last = time
