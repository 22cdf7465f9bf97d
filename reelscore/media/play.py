"""A film played once: its pictures small and upright, its sound on the same clock, in flat memory.

Times are seconds from the first picture, taken from the file's time stamps and never from frame numbers.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from reelscore.audio import Samples
from reelscore.media.digest import CodedHash
from reelscore.media.opening import opened, packets, picture_stream, sound_stream
from reelscore.media.probe import Clip
from reelscore.media.shrink import Shrink
from reelscore.media.timeline import SoundTimeline
from reelscore.progress import Progress, unseen


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame: when it is first shown, its number from 0, and its pixels, uint8 (height, width, 3) in BGR, upright."""

    time: float
    index: int
    bgr: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Sound:
    """A stretch of the original sound from `time` on: float32 (1, samples) at the rate that was asked for."""

    time: float
    samples: Samples


@dataclass
class Damage:
    """What could not be decoded, or not wholly; filled while a film plays."""

    picture_packets: int = 0
    patched_pictures: int = 0  # the decoder filled in what was missing of them
    sound_packets: int = 0
    sound_missing: bool = False  # a sound stream is there but nothing of it could be decoded

    @property
    def remarks(self) -> tuple[str, ...]:
        """The same in sentences for the user; none where all went well."""
        said = []
        if damaged := self.picture_packets + self.patched_pictures:
            said.append(f"{damaged} pictures of the film are damaged.")
        if self.sound_missing:
            said.append("The film's own sound cannot be decoded; it counts as silence.")
        elif self.sound_packets:
            said.append(f"{self.sound_packets} pieces of the film's own sound are damaged; they count as silence.")
        return tuple(said)


def play(
    clip: Clip,
    *,
    picture_width: int = 160,
    sound_rate: int = 16_000,
    digest: CodedHash | None = None,
    damage: Damage | None = None,
    progress: Progress = unseen,
) -> Iterator[Picture | Sound]:
    """Every picture of the film, and its sound in mono in blocks of one second, in one pass over the file.

    Pictures are `picture_width` pixels on their longer side. The blocks of sound leave no gap and end with the
    picture; there are none where the film has no sound. What is damaged is passed over and counted in `damage`;
    `digest` takes in the coded picture on the way.
    """
    damage = damage if damage is not None else Damage()
    with opened(clip.path) as container:
        stream = picture_stream(container, clip.path)
        sound = sound_stream(container)
        pictures = _Pictures(clip, stream, picture_width, damage)
        sounds = _Sounds(clip, sound, sound_rate, 1, damage) if sound else None
        if digest is not None:
            digest.begin(stream)
        for packet in packets(container, *([stream, sound] if sound else [stream])):
            if packet.stream_index == stream.index:
                if digest is not None:
                    digest.add(packet)
                for picture in pictures.decode(packet):
                    yield picture
                    if picture.index % 16 == 0:
                        progress("analysis", min(picture.time / clip.duration, 1.0))
            elif sounds:
                yield from sounds.decode(packet)
        yield from pictures.decode(None)
        if sounds:
            yield from sounds.end()
        progress("analysis", 1.0)


def soundtrack(clip: Clip, rate: int = 48_000, channels: int = 2, *, damage: Damage | None = None) -> Iterator[Samples]:
    """The film's own sound in blocks of one second, (channels, rate); the last may be shorter.

    Together they are exactly round(duration · rate) samples from the first picture on. Gaps, damage, a missing start
    or end and a film without sound are silence.
    """
    damage = damage if damage is not None else Damage()
    with opened(clip.path) as container:
        sound = sound_stream(container)
        if sound is None:
            yield from _silence(clip, rate, channels)
            return
        sounds = _Sounds(clip, sound, rate, channels, damage)
        for packet in packets(container, sound):
            for block in sounds.decode(packet):
                yield block.samples
        for block in sounds.end():
            yield block.samples


def _silence(clip: Clip, rate: int, channels: int) -> Iterator[Samples]:
    return SoundTimeline(clip.start, clip.duration, rate, channels).end()


class _Pictures:
    """Coded picture in, small pictures out."""

    def __init__(self, clip: Clip, stream: VideoStream, width: int, damage: Damage) -> None:
        stream.thread_type = "AUTO"
        # More threads than cores: the decoders go on while the pictures that they gave are looked at.
        stream.codec_context.thread_count = (os.cpu_count() or 1) + 2
        stream.codec_context.options = {"skip_loop_filter": "noref"}
        self._stream = stream
        self._clip = clip
        self._damage = damage
        self._shrink = Shrink(clip, width)
        self._index = 0
        self._last = -1 / clip.frame_rate

    def decode(self, packet: "Packet[Stream] | None") -> Iterator[Picture]:
        try:
            frames = self._stream.decode(packet)
        except av.error.FFmpegError:
            self._damage.picture_packets += 1
            return
        for frame in frames:
            self._damage.patched_pictures += frame.is_corrupt
            time = self._time(frame)
            if time >= self._clip.duration:
                continue
            yield Picture(time, self._index, self._shrink(frame))
            self._index += 1
            self._last = time

    def _time(self, frame: VideoFrame) -> float:
        """The frame's time; where it has none, a frame after the one before, and where it cannot be true, half a frame."""
        unit = frame.time_base or self._stream.time_base  # frames that come out at the end have lost theirs
        if frame.pts is None or not unit:
            return self._last + 1 / self._clip.frame_rate
        time = max(0.0, frame.pts * float(unit) - self._clip.start)
        return time if time > self._last else self._last + 0.5 / self._clip.frame_rate


class _Sounds:
    """Coded sound in, blocks of one second out."""

    def __init__(self, clip: Clip, stream: AudioStream, rate: int, channels: int, damage: Damage) -> None:
        self._stream = stream
        self._damage = damage
        self._timeline = SoundTimeline(clip.start, clip.duration, rate, channels)
        self._seconds = 0
        self._decoded = False

    def decode(self, packet: "Packet[Stream] | None") -> Iterator[Sound]:
        try:
            frames = self._stream.decode(packet)
        except av.error.FFmpegError:
            self._damage.sound_packets += 1
            return
        for frame in frames:
            self._decoded = True
            unit = frame.time_base or self._stream.time_base
            time = frame.pts * float(unit) if frame.pts is not None and unit else None
            yield from self._timed(self._timeline.add(frame, time))

    def end(self) -> Iterator[Sound]:
        yield from self.decode(None)
        yield from self._timed(self._timeline.end())
        self._damage.sound_missing = not self._decoded

    def _timed(self, blocks: Iterator[Samples]) -> Iterator[Sound]:
        for block in blocks:
            yield Sound(float(self._seconds), block)
            self._seconds += 1
