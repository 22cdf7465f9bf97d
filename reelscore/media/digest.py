"""A fingerprint of the coded picture or sound: the same whatever container carries it, how its units are framed there, and how it is tagged."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from reelscore.errors import MediaError
from reelscore.media.opening import opened, packets, picture_stream, sound_stream

_START_CODE = b"\x00\x00\x01"
_TEMPORAL_DELIMITER = b"\x12\x00"


class CodedHash:
    """SHA-256 over one stream's coded packets up to the last that is shown or sounds; filled packet by packet while a film plays.

    H.264 and H.265 lie in MP4 and Matroska as units with their length before them, in transport streams with start
    codes between them, and AV1 may come with delimiters that MP4 leaves out: only the units themselves are hashed.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._shown: hashlib._Hash | None = None  # as it was after the last picture shown, where hidden ones followed
        self._codec = ""
        self._length_bytes = 0

    def begin(self, stream: VideoStream | AudioStream) -> None:
        """Takes from the stream how its units are framed."""
        self._codec = stream.codec_context.codec.canonical_name
        self._length_bytes = _length_bytes(self._codec, bytes(stream.codec_context.extradata or b""))

    def add(self, packet: "Packet[Stream]") -> None:
        """Takes in one packet. What an edit list hides counts only where something shown may build on it."""
        if packet.is_discard and self._shown is None:
            self._shown = self._hash.copy()
        elif not packet.is_discard:
            self._shown = None
        coded = bytes(packet)
        if self._codec in ("h264", "hevc"):
            units = _lengthed(coded, self._length_bytes) if self._length_bytes else _started(coded)
            for unit in filter(None, (unit.rstrip(b"\x00") for unit in units)):  # zeros after a unit are padding
                self._hash.update(len(unit).to_bytes(4, "big"))
                self._hash.update(unit)
        elif self._codec == "av1":
            self._hash.update(coded.removeprefix(_TEMPORAL_DELIMITER))
        else:
            self._hash.update(coded)

    def hexdigest(self) -> str:
        return (self._shown or self._hash).hexdigest()


def picture_sha256(path: Path) -> str:
    """The CodedHash of a film's picture, without decoding it. Raises MediaError."""
    with opened(Path(path)) as container:
        return _sha256(container, picture_stream(container, path))


def sound_sha256(path: Path) -> str:
    """The CodedHash of the sound of a file, without decoding it. Raises MediaError, also where there is none."""
    with opened(Path(path)) as container:
        stream = sound_stream(container)
        if stream is None:
            raise MediaError(f"{path} holds no sound; give a file with sound.")
        return _sha256(container, stream)


def _sha256(container: InputContainer, stream: VideoStream | AudioStream) -> str:
    digest = CodedHash()
    digest.begin(stream)
    for packet in packets(container, stream):
        digest.add(packet)
    return digest.hexdigest()


def _length_bytes(codec: str, header: bytes) -> int:
    """How many bytes say a unit's length (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1); 0 where start codes part the units."""
    if header[:3] in (b"\x00\x00\x00", _START_CODE):
        return 0
    if codec == "h264" and len(header) >= 7:
        return (header[4] & 3) + 1
    if codec == "hevc" and len(header) >= 23:
        return (header[21] & 3) + 1
    return 0


def _lengthed(coded: bytes, length_bytes: int) -> Iterator[bytes]:
    at = 0
    while at + length_bytes <= len(coded):
        length = int.from_bytes(coded[at : at + length_bytes], "big")
        at += length_bytes
        yield coded[at : at + length]
        at += length


def _started(coded: bytes) -> Iterator[bytes]:
    return iter(coded.split(_START_CODE)[1:])
