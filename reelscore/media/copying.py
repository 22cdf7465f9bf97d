"""Streams of a film carried over as they are: which of them the new container takes, and their packets in its time."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import AttachmentStream, DataStream, Discard, Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from reelscore.media.opening import is_cover, opened, packets

MP4_KINDS = frozenset({"mp4", "mov"})
REORDERED_PACKETS = 32  # more pictures than this never wait for their decoding time to become known
PER_FILE_TAGS = frozenset({"duration"})  # what a container says of a stream by itself


def holds_stream(kind: str, stream: Stream) -> bool:
    """Whether the container FFmpeg calls `kind` takes this stream as it is."""
    return any(_header_holds(kind, stream, tag) for tag in _tags(stream, kind))


def carry(result: OutputContainer, stream: Stream, kind: str) -> Stream:
    """A new stream in `result` that takes the packets of `stream`, with its language, titles and role."""
    tag = next((tag for tag in _tags(stream, kind) if _header_holds(kind, stream, tag)), None)
    new = _from_template(result, stream, tag)
    new.metadata.update({key: value for key, value in stream.metadata.items() if key.lower() not in PER_FILE_TAGS})
    new.disposition = stream.disposition
    return new


def attach_cover(result: OutputContainer, cover: Stream, path: Path) -> None:
    """The cover of the film in `path` as an attachment, which is what Matroska makes of it."""
    kind = cover.codec_context.codec.canonical_name
    kind = "jpeg" if kind == "mjpeg" else kind
    with opened(path) as source:
        picture = next((bytes(packet) for packet in packets(source, source.streams[cover.index])), b"")
    result.add_attachment(cover.metadata.get("filename", f"cover.{kind}"), f"image/{kind}", picture)


def extras(source: InputContainer, picture: VideoStream) -> list[Stream]:
    """What else the film holds that should come along: other pictures, subtitles, covers, attachments, data; no sound.

    Left out is what the new container makes again by itself: the tracks behind chapters and time code.
    """
    return [
        stream
        for stream in source.streams
        if stream.index != picture.index
        and stream.type != "audio"
        and not (isinstance(stream, DataStream) and (stream.discard == Discard.all or "timecode" in stream.metadata))
    ]


def name(stream: Stream) -> str:
    """What a stream is called in a sentence for the user."""
    if isinstance(stream, AttachmentStream):
        return f"The attachment {stream.name or stream.index}"
    if isinstance(stream, VideoStream):
        return "The cover picture" if is_cover(stream) else f"A second picture (stream {stream.index})"
    if isinstance(stream, SubtitleStream):
        language = f" in {stream.language}" if stream.language else ""
        return f"A subtitle{language} ({stream.codec_context.name if stream.codec_context else 'unknown kind'})"
    return f"A data stream ({stream.name or 'unknown kind'})"


def _tags(stream: Stream, kind: str) -> tuple[str | None, ...]:
    """Four-letter names to try for a stream, best first: its own, the one Apple's players want, the container's own."""
    if kind not in MP4_KINDS or not isinstance(stream, VideoStream) or is_cover(stream):
        return (None,)
    tags: list[str | None] = []
    context = stream.codec_context
    if "mp4" in stream.container.format.name.split(","):
        tags.append(context.codec_tag)
    if context.codec.canonical_name == "hevc" and bytes(context.extradata or b"")[:1] == b"\x01":
        tags.append("hvc1")
    return (*tags, None)


def _from_template(result: OutputContainer, stream: Stream, tag: str | None) -> Stream:
    if isinstance(stream, AttachmentStream):
        return result.add_attachment(stream.name or f"{stream.index}", stream.mimetype or "", stream.data)
    new = result.add_stream_from_template(stream, opaque=True)
    if tag is not None:
        new.codec_context.codec_tag = tag
    return new


def _header_holds(kind: str, stream: Stream, tag: str | None) -> bool:
    if not isinstance(stream, AttachmentStream | DataStream) and stream.codec_context is None:
        return False
    if isinstance(stream, AttachmentStream) or (is_cover(stream) and kind != "mp4"):
        return kind == "matroska"
    try:
        with av.open(io.BytesIO(), "w", format=kind) as trial:
            _from_template(trial, stream, tag)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True


@dataclass
class Clock:
    """Packets of one stream moved to the new file's time, with the decoding times that their container left out.

    Matroska stores no decoding times, and the first packets of reordered pictures come without; muxers want them,
    rising and never after the time of showing.
    """

    shift: int  # in units of the stream's time base
    step: int  # one picture's length in the same units
    before_zero: bool  # whether times before the first picture may stay; without pictures they begin with it
    _waiting: "list[Packet[Stream]]" = field(default_factory=list)
    _last: int | None = None

    def feed(self, packet: "Packet[Stream]") -> "Iterator[Packet[Stream]]":
        packet.pts = None if packet.pts is None else packet.pts - self.shift
        packet.dts = None if packet.dts is None else packet.dts - self.shift
        if not self.before_zero and packet.pts is not None and packet.pts < 0:
            _begin_at_zero(packet)
        self._waiting.append(packet)
        if self._last is not None or packet.dts is not None or len(self._waiting) > REORDERED_PACKETS:
            yield from self.flush()

    def flush(self) -> "Iterator[Packet[Stream]]":
        """The packets that still wait."""
        waiting, self._waiting = self._waiting, []
        if self._last is None:
            self._date(waiting)
        for packet in waiting:
            yield self._ordered(packet)

    def _date(self, waiting: "list[Packet[Stream]]") -> None:
        """Decoding times for the first packets, backwards from the first that is known."""
        if not waiting:
            return
        known = waiting[-1].dts
        if known is None:
            shown = [packet.pts or 0 for packet in waiting]
            known = min(shown) + (len(waiting) - 1) * self.step
            known -= max(0, *(min(shown) + n * self.step - time for n, time in enumerate(shown)))
        for steps, packet in enumerate(reversed(waiting)):
            if packet.dts is None:
                packet.dts = known - steps * self.step

    def _ordered(self, packet: "Packet[Stream]") -> "Packet[Stream]":
        earliest = None if self._last is None else self._last + 1
        time = packet.dts
        if time is None or (earliest is not None and time < earliest):
            time = earliest
        if packet.pts is None or (time is not None and packet.pts < time):
            if packet.pts is not None and (earliest is None or packet.pts >= earliest):
                time = packet.pts
            else:
                packet.pts = time
        packet.dts = self._last = time
        return packet


def _begin_at_zero(packet: "Packet[Stream]") -> None:
    """A caption that began before the first picture begins with it: a time below 0 would move the whole film."""
    if packet.duration and packet.pts is not None:
        packet.duration = max(0, packet.duration + packet.pts)
    packet.pts = packet.dts = 0
