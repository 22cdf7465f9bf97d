"""Films opened as what they are: one local file of a known kind, whatever its name or its content ask for.

A film comes from a stranger. FFmpeg never sees its name (names can hold protocols, patterns and lists of further
files), only its bytes; playlists and everything else that leads to other files is refused.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from reelscore.errors import MediaError

log = logging.getLogger(__name__)

FILM_KINDS = (
    "3gp 3g2 amv apng apv asf asf_o av1 avi avs2 avs3 cavsvideo dhav dirac dnxhd dv evc flv gif gxf h261 h263 h264 hevc "
    "ivf kux live_flv m4v matroska mj2 mjpeg mov mp4 mpeg mpegts mpegvideo mxf nsv nut nuv obu ogg rm swf vc1 vvc webm "
    "wtv y4m yuv4mpegpipe"
)
SOUND_KINDS = "aac ac3 aiff amr amrnb amrwb ape au caf dts dtshd eac3 flac m4a mp3 truehd tta voc w64 wav wv"
PICTURE_KINDS = (
    "bmp_pipe dds_pipe dpx_pipe exr_pipe gif_pipe j2k_pipe jpeg_pipe jpegls_pipe jpegxl_pipe pam_pipe pbm_pipe "
    "pcx_pipe pgm_pipe photocd_pipe png_pipe ppm_pipe psd_pipe qoi_pipe sgi_pipe svg_pipe tiff_pipe webp_pipe xpm_pipe"
)
PICTURE_BRANDS = frozenset({"avif", "heic", "heix", "heim", "heis", "mif1"})
READ_BYTES = 1 << 18
FAULTS_UNTIL_END = 64  # a container that fails this often in a row has nothing more to give


class _Bytes:
    """A file's bytes and nothing else: no name for FFmpeg to make something of."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.tell = file.tell
        self._seek = file.seek

    def seek(self, offset: int, whence: int) -> int:
        """The new position, or −1 where a damaged file leads to no place at all."""
        try:
            return self._seek(offset, whence)
        except (OSError, ValueError):
            return -1


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """The container in `path`, open for reading. Raises MediaError in words for the user."""
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError as problem:
        raise MediaError(f"{path} does not exist; check the name of the film.") from problem
    except IsADirectoryError as problem:
        raise MediaError(f"{path} is a folder; give the film itself.") from problem
    except OSError as problem:
        raise MediaError(f"{path} cannot be opened ({problem.strerror}); give a film that can be read.") from problem
    except ValueError as problem:
        raise MediaError(f"{path!s} is no file name ({problem}); check the name of the film.") from problem
    with file, _container(path, file) as container:
        yield container


def _container(path: Path, file: BinaryIO) -> InputContainer:
    kinds = ",".join(f"{FILM_KINDS} {SOUND_KINDS} {PICTURE_KINDS}".split())
    try:
        container = av.open(
            _Bytes(file),
            "r",
            container_options={"format_whitelist": kinds, "protocol_whitelist": "file"},
            metadata_errors="replace",
            buffer_size=READ_BYTES,
        )
    except (av.error.FFmpegError, OSError) as problem:
        raise MediaError(
            f"{path} cannot be read as a film: it is empty, damaged from the start, or another kind of file."
        ) from problem
    brand = container.metadata.get("major_brand", "").strip()
    if container.format.name in PICTURE_KINDS.split() or brand in PICTURE_BRANDS:
        container.close()
        raise MediaError(f"{path} is a picture, not a film; give a video file.")
    return container


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream that shows the film: among moving pictures the default one, then the largest, then the first."""
    films = [stream for stream in container.streams.video if not is_cover(stream)]
    if not films:
        held = "only sound" if container.streams.audio else "no moving picture"
        raise MediaError(f"{path} holds {held}; give a video file.")
    return max(films, key=lambda s: (bool(s.disposition & Disposition.default), _area(s), -s.index))


def _area(stream: VideoStream) -> int:
    return stream.codec_context.width * stream.codec_context.height if stream.codec_context else 0


def is_cover(stream: Stream) -> bool:
    """Whether a picture stream is a cover or a thumbnail and not part of the film."""
    return bool(
        stream.disposition & (Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails)
    )


def sound_stream(container: InputContainer) -> AudioStream | None:
    """The stream that a player would sound: the default one, then the one with most channels, then the first."""
    sounds = [stream for stream in container.streams.audio if stream.codec_context is not None]
    if not sounds:
        return None
    return max(
        sounds,
        key=lambda s: (bool(s.disposition & Disposition.default), s.codec_context.layout.nb_channels, -s.index),
    )


def packets(container: InputContainer, *streams: Stream) -> "Iterator[Packet[Stream]]":
    """The coded packets of `streams`, in the order of the file; where it is damaged, those that can be read.

    Empty packets are left out: a decoder would take them for the end.
    """
    for stream in container.streams:
        stream.discard = av.stream.Discard.default if stream in streams else av.stream.Discard.all
    faults = 0
    while faults < FAULTS_UNTIL_END:
        try:
            for packet in container.demux(*streams):
                if packet.size:
                    faults = 0
                    yield packet
            return
        except av.error.FFmpegError as problem:
            faults += 1
            log.debug("the container is damaged: %s", problem)
        except IndexError:
            return  # PyAV's way of ending when streams appeared on the way, as in transport streams
