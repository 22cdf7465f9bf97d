"""What a film file holds: the facts that everything after it relies on.

They come from the coded packets themselves and not from what the container's header claims, so they hold for files
without duration, cut-off files and variable frame rates. This reads the file once without decoding it.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Literal, TypeAlias

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from reelscore.errors import MediaError
from reelscore.media.opening import opened, packets, picture_stream, sound_stream

LONGEST_STILL = 3600.0  # seconds between two pictures beyond which a time stamp is taken for damage

# What the file's own edit list does to the picture: nothing, hide some of its beginning or end, join pieces of it.
Edit: TypeAlias = Literal["none", "trimmed", "assembled"]


@dataclass(frozen=True)
class Clip:
    """One film file. Times in seconds; width and height in pixels as displayed, upright and with square pixels.

    `start` is the file's own time of the first picture: every other time in the program counts from there. `duration`
    runs from the first picture to the end of the last. `rotation` is the clockwise turn, in degrees, that a player
    gives the coded picture: 0, 90, 180 or 270.
    """

    path: Path
    duration: float
    start: float
    frames: int
    frame_rate: float
    width: int
    height: int
    rotation: int
    video_codec: str
    container: str
    has_sound: bool
    sound_codec: str | None
    edit: Edit
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class _Span:
    """What the picture's packets say: times in seconds of the file."""

    start: float
    end: float
    frames: int
    frame_rate: float
    edit: Edit


def probe(path: Path) -> Clip:
    """The facts of the film in `path`.

    Raises MediaError where there is no such file, where it is no film (a folder, a still picture, only sound, text)
    and where no picture of it can be decoded.
    """
    path = Path(path)
    with opened(path) as container:
        stream = picture_stream(container, path)
        first = _first_picture(container, stream, path)
        sound = sound_stream(container)
        codec = stream.codec_context.codec.canonical_name
        sound_codec = sound.codec_context.codec.canonical_name if sound else None
        kind = container.format.name
        declared = _declared_duration(container, stream)
        shape = stream.sample_aspect_ratio or Fraction(1)
    with opened(path) as container:
        span = _span(container, picture_stream(container, path), path)
    rotation = turn(first)
    width, height = max(1, round(first.width * shape)), first.height
    return Clip(
        path=path,
        duration=span.end - span.start,
        start=span.start,
        frames=span.frames,
        frame_rate=span.frame_rate,
        width=height if rotation in (90, 270) else width,
        height=width if rotation in (90, 270) else height,
        rotation=rotation,
        video_codec=codec,
        container=kind,
        has_sound=sound is not None,
        sound_codec=sound_codec,
        edit=span.edit,
        remarks=_remarks(declared, span),
    )


def turn(frame: VideoFrame) -> int:
    """The clockwise turn in degrees that shows a frame upright, to the nearest quarter."""
    return round(-frame.rotation / 90) * 90 % 360


def _first_picture(container: InputContainer, stream: VideoStream, path: Path) -> VideoFrame:
    if stream.codec_context is None:
        raise MediaError(f"{path} holds a picture of an unknown kind; convert it to H.264 first.")
    stream.thread_type = "SLICE"
    for packet in packets(container, stream):
        try:
            frames = stream.decode(packet)
        except av.error.FFmpegError:
            continue
        if frames:
            return frames[0]
    try:
        frames = stream.decode(None)
    except av.error.FFmpegError:
        frames = []
    if not frames:
        raise MediaError(f"No picture of {path} can be decoded; the file is damaged or incomplete.")
    return frames[0]


def _declared_duration(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return container.duration / av.time_base
    return None


def _span(container: InputContainer, stream: VideoStream, path: Path) -> _Span:
    """Reads all packets of the picture without decoding; those that the container hides count for nothing."""
    times: list[int] = []
    hidden: list[int] = []
    latest, last_length = -1 << 62, 0
    for packet in packets(container, stream):
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None:
            time = times[-1] + max(last_length, 1) if times else 0
        if packet.is_discard:
            hidden.append(time)
            continue
        if time >= latest:
            latest, last_length = time, packet.duration or 0
        times.append(time)
    if len(times) < 2:
        raise MediaError(f"{path} holds a single picture, not a film; give a video file.")
    unit = float(stream.time_base or 0)
    times.sort()
    steps = [later - earlier for earlier, later in pairwise(times)]
    if max(steps) * unit > LONGEST_STILL:
        raise MediaError(f"The times in {path} jump by {max(steps) * unit:.0f} s; the file is damaged, export it anew.")
    usual = max(round(median(steps)), 1)
    end = latest + (last_length or usual)
    mean = (len(times) - 1) / ((times[-1] - times[0] or usual) * unit)
    return _Span(
        start=times[0] * unit,
        end=end * unit,
        frames=len(times),
        frame_rate=_frame_rate(mean, 1 / (usual * unit), stream.average_rate),
        edit=_edit(hidden, times[0], end),
    )


def _frame_rate(mean: float, usual: float, declared: Fraction | None) -> float:
    """The mean rate; but the declared one where it agrees with what was measured, since containers round times."""
    if declared and any(abs(measured / float(declared) - 1) < 0.01 for measured in (mean, usual)):
        return float(declared)
    return mean


def _edit(hidden: list[int], start: int, end: int) -> Edit:
    if not hidden:
        return "none"
    return "assembled" if any(start <= time < end for time in hidden) else "trimmed"


def _remarks(declared: float | None, span: _Span) -> tuple[str, ...]:
    length = span.end - span.start
    if declared and declared > 1.02 * length + 0.5:
        return (f"The film says that it lasts {declared:.2f} s, but only {length:.2f} s of picture are in the file.",)
    return ()
