"""Sound encoders: which codec a container takes, and blocks of samples as coded packets with exact times."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from reelscore.audio import Samples
from reelscore.errors import InputError
from reelscore.outputs import written_whole


@dataclass(frozen=True)
class Codec:
    """A sound codec as people name it: FFmpeg's encoder, bits per second for a stereo track (0: lossless)."""

    name: str
    encoder: str
    bit_rate: int
    rates: tuple[int, ...] = ()  # the sample rates it takes; empty for any


CODECS = {
    codec.name: codec
    for codec in (
        Codec("aac", "aac", 320_000),  # below, its cold start can overshoot by more than 2 dB
        Codec("opus", "libopus", 192_000, (48_000, 24_000, 16_000, 12_000, 8_000)),
        Codec("flac", "flac", 0),
        Codec("pcm", "pcm_s24le", 0),
        Codec("mp3", "libmp3lame", 320_000, (48_000, 44_100, 32_000)),
    )
}

# The container and the codec of a sound file, by the suffix of its name.
SOUND_FILES = {
    ".wav": ("wav", "pcm"),
    ".flac": ("flac", "flac"),
    ".m4a": ("ipod", "aac"),
    ".mp4": ("mp4", "aac"),
    ".ogg": ("ogg", "opus"),
    ".opus": ("opus", "opus"),
    ".mp3": ("mp3", "mp3"),
}


def add_track(container: OutputContainer, codec: Codec, rate: int, channels: int) -> AudioStream:
    """A new sound stream in `container` for samples of `rate` Hz. Raises ValueError where the container cannot hold it."""
    stream = container.add_stream(codec.encoder, rate=rate)
    assert isinstance(stream, AudioStream)
    stream.codec_context.layout = "mono" if channels == 1 else "stereo"
    if codec.bit_rate:
        stream.bit_rate = codec.bit_rate * channels // 2
    if codec.name == "flac":
        stream.codec_context.format = "s32"
    stream.time_base = Fraction(1, rate)
    return stream


def holds(kind: str, codec: Codec, rate: int = 48_000) -> bool:
    """Whether the container FFmpeg calls `kind` takes this codec."""
    try:
        with av.open(io.BytesIO(), "w", format=kind) as trial:
            add_track(trial, codec, rate, 2)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True


class Encoder:
    """Samples in, coded packets out; the first sample belongs to time 0 and the encoder's own delay comes before it."""

    def __init__(self, stream: AudioStream, rate: int) -> None:
        self.time = 0.0  # how far the sound is encoded, in seconds
        self._stream = stream
        self._rate = rate
        self._done_samples = 0

    def encode(self, samples: Samples) -> "list[Packet[AudioStream]]":
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(samples), format="fltp", layout="mono" if samples.shape[0] == 1 else "stereo"
        )
        frame.sample_rate = self._rate
        frame.time_base = Fraction(1, self._rate)
        frame.pts = self._done_samples
        self._done_samples += samples.shape[1]
        self.time = self._done_samples / self._rate
        return self._stream.encode(frame)

    def flush(self) -> "list[Packet[AudioStream]]":
        return self._stream.encode(None)


def encode_sound(blocks: Iterable[Samples], rate: int, target: Path) -> None:
    """Writes blocks (channels, samples) as a sound file, of the kind that the suffix of `target` says.

    WAV and FLAC hold 24 bits; M4A and MP4 AAC, Ogg and Opus Opus, MP3 MP3, at a rate where nobody hears a loss.
    Raises InputError for another suffix and OutputError where the file cannot be written.
    """
    refuse_unfit_sound(target)
    kind, codec_name = SOUND_FILES[target.suffix.lower()]
    codec = CODECS[codec_name]
    with written_whole(target) as temporary, av.open(local(temporary), "w", format=kind) as container:
        encoder: Encoder | None = None
        for block in blocks:
            if encoder is None:
                encoder = Encoder(add_track(container, codec, fitting_rate(codec, rate), block.shape[0]), rate)
            container.mux(encoder.encode(block))
        if encoder is None:
            raise ValueError("encode_sound needs at least one block")
        container.mux(encoder.flush())


def refuse_unfit_sound(target: Path) -> None:
    """Raises InputError where `encode_sound` could not write `target` for its suffix."""
    if target.suffix.lower() not in SOUND_FILES:
        known = ", ".join(SOUND_FILES)
        raise InputError(f"{target} does not say a sound format that can be written; end its name in {known}.")


def fitting_rate(codec: Codec, rate: int) -> int:
    """The sample rate to encode at: the one given where the codec takes it, else its best."""
    return rate if not codec.rates or rate in codec.rates else codec.rates[0]


def local(path: Path) -> str:
    """A path as FFmpeg must be told it to take it for a file and nothing else."""
    return f"file:{path.absolute()}"


def exactly(blocks: Iterable[Samples], length_samples: int) -> Iterator[Samples]:
    """The same sound with exactly `length_samples` samples: cut, or followed by silence."""
    left, channels = length_samples, 2
    for block in blocks:
        channels = block.shape[0]
        if left > 0 and block.shape[1]:
            yield block[:, :left]
        left -= block.shape[1]
        if left <= 0:
            return
    while left > 0:
        yield np.zeros((channels, min(left, 48_000)), np.float32)
        left -= 48_000
