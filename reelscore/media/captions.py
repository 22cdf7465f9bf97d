"""Subtitles rewritten in the text format of the new container, where it cannot take them as they are."""

from fractions import Fraction

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream

FORMATS = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}  # by container
TEXT = frozenset({"ass", "mov_text", "ssa", "subrip", "text", "webvtt"})  # what can be rewritten: not pictures of words
STYLED = frozenset({"ass", "ssa"})


class Rewriting:
    """One subtitle of a film on its way into another text format, caption by caption at the same times."""

    def __init__(self, result: OutputContainer, captions: SubtitleStream, kind: str) -> None:
        captions.codec_context.open(strict=False)
        self._reader = _subtitle_context(captions)
        self.stream = result.add_stream(FORMATS[kind])
        self._writer = _subtitle_context(self.stream)
        self._writer.subtitle_header = self._reader.subtitle_header
        self._writer.time_base = self.stream.time_base = captions.time_base or Fraction(1, 1000)
        self.stream.metadata.update(captions.metadata)
        self.stream.disposition = captions.disposition

    def rewrite(self, packet: "Packet[Stream]") -> "Packet[Stream] | None":
        """The same caption in the new format; None for one that says nothing or cannot be read."""
        try:
            said = self._reader.decode2(packet)
            if said is None:
                return None
            written: Packet[Stream] = self._writer.encode_subtitle(said)
        except (av.error.FFmpegError, UnicodeDecodeError):
            return None
        written.pts, written.dts, written.duration = packet.pts, packet.dts, packet.duration
        written.time_base = packet.time_base
        return written


def rewritable(stream: Stream) -> bool:
    """Whether a stream is a subtitle made of text."""
    return isinstance(stream, SubtitleStream) and stream.codec_context is not None and _kind(stream) in TEXT


def is_styled(stream: Stream) -> bool:
    """Whether a subtitle has fonts, colours and places that plainer formats lose."""
    return isinstance(stream, SubtitleStream) and _kind(stream) in STYLED


def _subtitle_context(stream: Stream) -> SubtitleCodecContext:
    context = stream.codec_context
    assert isinstance(context, SubtitleCodecContext)
    return context


def _kind(stream: Stream) -> str:
    return stream.codec_context.codec.canonical_name
