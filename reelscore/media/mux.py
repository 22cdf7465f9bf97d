"""A new sound track beside an untouched picture: everything else of the film is copied, packet by packet.

The first picture lies at time 0 of the new file, and so does the first sample of the sound; all that is copied keeps
its distance to the first picture.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from reelscore.audio import Samples
from reelscore.errors import OutputError
from reelscore.media.captions import Rewriting, is_styled, rewritable
from reelscore.media.copying import MP4_KINDS, Clock, attach_cover, carry, extras, holds_stream, name
from reelscore.media.encode import Codec, Encoder, add_track, exactly, fitting_rate, local
from reelscore.media.fitting import FILMS, container_and_codec, refuse_unfit
from reelscore.media.opening import is_cover, opened, packets, picture_stream
from reelscore.media.probe import Clip
from reelscore.outputs import written_whole
from reelscore.progress import Progress, unseen

if TYPE_CHECKING:
    from av.container.core import Chapter

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
    refuse_unfit(clip, target, sound_codec)
    kind, codec = container_and_codec(target, sound_codec)
    with opened(clip.path) as source, written_whole(target) as temporary:
        try:
            with av.open(local(temporary), "w", format=kind, container_options=_options(source, kind)) as result:
                sound = _Track(result, codec, rate, exactly(blocks, round(clip.duration * rate)))
                return _Transfer(clip, source, result, target).run(sound, progress)
        except av.error.FFmpegError as problem:
            if isinstance(problem, OSError):
                raise
            raise OutputError(f"{clip.path} cannot be copied into {target} ({problem.strerror}).") from problem


def _options(source: InputContainer, kind: str) -> dict[str, str]:
    if kind not in MP4_KINDS:
        return {}
    # Tags of the iTunes kind have fixed names; those that cameras write (place, lens, make) need the other kind.
    named = any("." in key for key in source.metadata)
    return {"movflags": "+faststart+use_metadata_tags" if named else "+faststart"}


class _Track:
    """The new sound, encoded block by block as the picture advances."""

    def __init__(self, result: OutputContainer, codec: Codec, rate: int, blocks: Iterator[Samples]) -> None:
        first = next(blocks)  # the first block says how many channels there are
        self._blocks = chain([first], blocks)
        self._result = result
        self._codec = codec
        self._rate = rate
        self._channels = first.shape[0]

    def begin(self) -> None:
        """Gives the sound its stream in the result."""
        stream = add_track(self._result, self._codec, fitting_rate(self._codec, self._rate), self._channels)
        self._encoder = Encoder(stream, self._rate)

    def reach(self, time: float) -> None:
        """Writes sound until just after `time`."""
        while self._encoder.time <= time and (block := next(self._blocks, None)) is not None:
            self._result.mux(self._encoder.encode(block))

    def finish(self) -> None:
        self.reach(float("inf"))
        self._result.mux(self._encoder.flush())


class _Transfer:
    """One film on its way into a new file: the picture first, then the new sound, then what else it holds."""

    def __init__(self, clip: Clip, source: InputContainer, result: OutputContainer, target: Path) -> None:
        self._clip = clip
        self._source = source
        self._result = result
        self._suffix = target.suffix.lower()
        self._kind = FILMS[self._suffix][0]
        self._picture = picture_stream(source, clip.path)
        self._carried: dict[int, Stream] = {}
        self._rewritings: dict[int, Rewriting] = {}
        self._unhidden = 0  # pictures beyond the end that others build on and that the new file cannot hide

    def run(self, sound: _Track, progress: Progress) -> tuple[str, ...]:
        self._carry(self._picture)
        sound.begin()
        remarks = [self._take(stream) for stream in extras(self._source, self._picture)]
        tags = self._source.metadata
        self._result.metadata.update({key: value for key, value in tags.items() if key.lower() not in OWN_TAGS})
        self._result.set_chapters(self._chapters())
        for stream, packet in self._packets():
            if stream is self._picture and packet.dts is not None:
                time = float(packet.dts * packet.time_base)
                sound.reach(time)
                progress("mux", min(max(time / self._clip.duration, 0.0), 1.0))
            packet.stream = self._carried[stream.index]
            self._result.mux(packet)
        sound.finish()
        progress("mux", 1.0)
        if self._unhidden:
            remarks.append(f"{self._unhidden} hidden pictures follow the end, because earlier ones build on them.")
        return tuple(remark for remark in remarks if remark)

    def _take(self, stream: Stream) -> str:
        """Gives a stream its place in the result as best it can; what is lost in a sentence, or nothing."""
        if holds_stream(self._kind, stream):
            self._carry(stream)
            return ""
        if rewritable(stream) and isinstance(stream, SubtitleStream):
            self._rewritings[stream.index] = Rewriting(self._result, stream, self._kind)
            self._carried[stream.index] = self._rewritings[stream.index].stream
            return f"{name(stream)} became plain text, without its styles." if is_styled(stream) else ""
        return f"{name(stream)} was left out: {self._suffix} films cannot hold it."

    def _carry(self, stream: Stream) -> None:
        if is_cover(stream) and self._kind == "matroska":
            attach_cover(self._result, stream, self._clip.path)
        else:
            self._carried[stream.index] = carry(self._result, stream, self._kind)

    def _chapters(self) -> "list[Chapter]":
        """The chapters in the new file's time, without those that end before the first picture."""
        moved: list[Chapter] = []
        for chapter in self._source.chapters():
            shift = round(self._clip.start / float(chapter["time_base"] or 1))
            if chapter["end"] > shift:
                chapter["start"], chapter["end"] = max(0, chapter["start"] - shift), chapter["end"] - shift
                moved.append(chapter)
        return moved

    def _packets(self) -> "Iterator[tuple[Stream, Packet[Stream]]]":
        """The carried packets in the new file's time, each with the stream that it came from."""
        streams = [s for s in self._source.streams if s.index in self._carried and not isinstance(s, AttachmentStream)]
        clocks = {stream.index: self._clock(stream) for stream in streams}
        behind: list[Packet[Stream]] = []  # pictures that the edit list hides; they go if none that is shown needs them
        for packet in packets(self._source, *streams):
            stream = self._source.streams[packet.stream_index]
            ready = [packet]
            if stream is self._picture:
                behind.append(packet)
                ready, behind = ([], behind) if packet.is_discard else (behind, [])
            for part in ready:
                self._unhidden += part.is_discard and self._is_past_end(part)
                yield from self._worded(stream, clocks[stream.index].feed(part))
        for stream in streams:
            yield from self._worded(stream, clocks[stream.index].flush())

    def _is_past_end(self, packet: "Packet[Stream]") -> bool:
        end = self._clip.start + self._clip.duration - 0.5 / self._clip.frame_rate
        return packet.pts is not None and float(packet.pts * packet.time_base) >= end

    def _worded(self, stream: Stream, timed: "Iterator[Packet[Stream]]") -> "Iterator[tuple[Stream, Packet[Stream]]]":
        """The packets as they are, or in the words of another caption format."""
        rewriting = self._rewritings.get(stream.index)
        for packet in timed:
            written = rewriting.rewrite(packet) if rewriting else packet
            if written is not None:
                yield stream, written

    def _clock(self, stream: Stream) -> Clock:
        unit = float(stream.time_base or 1)
        step = max(1, round(1 / (self._clip.frame_rate * unit)))
        return Clock(round(self._clip.start / unit), step, before_zero=isinstance(stream, VideoStream))
