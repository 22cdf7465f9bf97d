"""A new sound track beside an untouched picture: everything else of the film is copied, packet by packet.

The first picture lies at time 0 of the new file, and so does the first sample of the sound; all that is copied keeps
its distance to the first picture.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.container.core import Chapter
from av.stream import AttachmentStream, Stream
from av.video.stream import VideoStream

from reelscore.audio import Samples
from reelscore.errors import InputError, OutputError
from reelscore.media.encode import CODECS, Codec, Encoder, add_track, exactly, fitting_rate, holds, local
from reelscore.media.copying import MP4_KINDS, Clock, carry, extras, holds_stream, name
from reelscore.media.opening import opened, packets, picture_stream
from reelscore.media.probe import Clip
from reelscore.outputs import written_whole
from reelscore.progress import Progress, unseen

# FFmpeg's name of the container and the codec of its sound, by the suffix of the film's name.
FILMS = {
    ".mp4": ("mp4", "aac"),
    ".m4v": ("mp4", "aac"),
    ".mov": ("mov", "aac"),
    ".mkv": ("matroska", "opus"),
    ".webm": ("webm", "opus"),
}
OWN_TAGS = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "duration"})


def mux(
    clip: Clip,
    blocks: Iterable[Samples],
    rate: int,
    target: Path,
    *,
    sound_codec: str | None = None,
    progress: Progress = unseen,
) -> tuple[str, ...]:
    """Writes the film of `clip` to `target` with `blocks` as its only sound; says in sentences what could not be kept.

    Blocks are (channels, samples) at `rate` from the first picture on; what goes beyond the picture is cut, what is
    missing is silence. The suffix of `target` says the container, `sound_codec` ("aac", "opus", "flac", "pcm") the
    codec where the container's usual one is not wanted. Raises InputError where these do not fit each other or
    the film, OutputError where nothing can be written; whatever happens, no half file is left.
    """
    target = Path(target)
    kind, codec = _container_and_codec(target, sound_codec)
    if target.exists() and target.samefile(clip.path):
        raise InputError(f"{target} is the film itself; give another name for the result.")
    with opened(clip.path) as source:
        picture = picture_stream(source, clip.path)
        _check_picture(picture, clip, target, kind)
        with written_whole(target) as temporary:
            try:
                with av.open(local(temporary), "w", format=kind, container_options=_options(source, kind)) as result:
                    sound = exactly(blocks, round(clip.duration * rate))
                    return _write(source, picture, result, kind, clip, sound, rate, codec, progress)
            except av.error.FFmpegError as problem:
                if isinstance(problem, OSError):
                    raise
                raise OutputError(f"{clip.path} cannot be copied into {target} ({problem.strerror}).") from problem


def _container_and_codec(target: Path, sound_codec: str | None) -> tuple[str, Codec]:
    kind, usual = FILMS.get(target.suffix.lower(), ("", ""))
    if not kind:
        raise InputError(
            f"{target} does not say a film format that can be written; end its name in {', '.join(FILMS)}."
        )
    if sound_codec is not None and sound_codec not in CODECS:
        raise InputError(f"There is no sound codec {sound_codec!r}; choose {', '.join(CODECS)}.")
    codec = CODECS[sound_codec or usual]
    if not holds(kind, codec):
        fitting = ", ".join(name for name, other in CODECS.items() if holds(kind, other))
        raise InputError(f"A {target.suffix} film cannot hold {codec.name} sound; choose {fitting}.")
    return kind, codec


def _check_picture(picture: VideoStream, clip: Clip, target: Path, kind: str) -> None:
    if holds_stream(kind, picture):
        return
    fitting = [suffix for suffix, (other, _) in FILMS.items() if holds_stream(other, picture)]
    remedy = f"end its name in {', '.join(fitting)}" if fitting else "convert the film to H.264 first"
    raise InputError(f"{target} cannot hold the film's picture as it is ({clip.video_codec}); {remedy}.")


def _options(source: InputContainer, kind: str) -> dict[str, str]:
    if kind not in MP4_KINDS:
        return {}
    # Tags of the iTunes kind have fixed names; those that cameras write (place, lens, make) need the other kind.
    named = any("." in key for key in source.metadata)
    return {"movflags": "+faststart+use_metadata_tags" if named else "+faststart"}


def _write(
    source: InputContainer,
    picture: VideoStream,
    result: OutputContainer,
    kind: str,
    clip: Clip,
    sound: Iterator[Samples],
    rate: int,
    codec: Codec,
    progress: Progress,
) -> tuple[str, ...]:
    first = next(sound)
    remarks: list[str] = []
    carried: dict[int, Stream] = {picture.index: carry(result, picture, kind)}
    track = _Track(result, add_track(result, codec, fitting_rate(codec, rate), first.shape[0]), chain([first], sound), rate)
    for stream in extras(source, picture):
        if holds_stream(kind, stream):
            carried[stream.index] = carry(result, stream, kind)
        else:
            remarks.append(f"{name(stream)} was left out: a {kind} film cannot hold it.")
    result.metadata.update({key: value for key, value in source.metadata.items() if key.lower() not in OWN_TAGS})
    result.set_chapters(_chapters(source, clip))
    _copy(source, picture, result, carried, clip, track, progress)
    track.finish()
    progress("mux", 1.0)
    return tuple(remarks)


def _chapters(source: InputContainer, clip: Clip) -> list[Chapter]:
    """The chapters in the new file's time, without those that end before the first picture."""
    moved: list[Chapter] = []
    for chapter in source.chapters():
        shift = round(clip.start / float(chapter["time_base"] or 1))
        if chapter["end"] > shift:
            chapter["start"], chapter["end"] = max(0, chapter["start"] - shift), chapter["end"] - shift
            moved.append(chapter)
    return moved


def _copy(
    source: InputContainer,
    picture: VideoStream,
    result: OutputContainer,
    carried: dict[int, Stream],
    clip: Clip,
    track: "_Track",
    progress: Progress,
) -> None:
    """All packets of the carried streams, with the sound kept just ahead of the picture so that little waits."""
    streams = [stream for stream in source.streams if stream.index in carried]
    moving = [stream for stream in streams if not isinstance(stream, AttachmentStream)]
    clocks = {stream.index: _clock(stream, clip) for stream in moving}
    ready = chain(
        ((source.streams[packet.stream_index], packet_ready)
        for packet in packets(source, *moving)
        for packet_ready in clocks[packet.stream_index].feed(packet)),
        ((stream, packet_ready) for stream in moving for packet_ready in clocks[stream.index].flush()),
    )
    for stream, packet in ready:
        if stream.index == picture.index:
            time = float((packet.dts or 0) * packet.time_base)
            track.reach(time)
            progress("mux", min(max(time / clip.duration, 0.0), 1.0))
        elif packet.pts is not None and packet.pts < 0:
            _begin_at_zero(packet)
        packet.stream = carried[stream.index]
        result.mux(packet)
