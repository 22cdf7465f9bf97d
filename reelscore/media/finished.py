"""A finished film or sound file, as a listener meets it: the whole of its sound, and whether there is a picture."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from reelscore.audio import Samples
from reelscore.errors import MediaError
from reelscore.media.opening import is_cover, opened, packets, sound_stream


def holds_picture(path: Path) -> bool:
    """Whether the file is a film and not sound alone. Raises MediaError where it is neither."""
    with opened(path) as container:
        films = [stream for stream in container.streams.video if not is_cover(stream)]
        if not films and not container.streams.audio:
            raise MediaError(f"{path} holds neither picture nor sound; give a finished film or sound file.")
        return bool(films)


def whole_sound(path: Path, start: float = 0.0, rate: int = 48_000) -> Iterator[Samples]:
    """The sound from `start` (in the file's own time) until it ends by itself, in blocks (2, n); none where there is none.

    Unlike `soundtrack` it is neither cut nor filled up at its end, so its length can be compared with the picture's. Only
    what a coder put in to fill its last packet is left out, where the container says so.
    """
    with opened(path) as container:
        sound = sound_stream(container)
        if sound is None:
            return
        resampler = av.AudioResampler("fltp", "stereo", rate)
        track = _Track(start, rate, sound)
        for frame in _frames(container, sound):
            yield from track.opening(_time(frame, sound, start))
            frame.pts = None
            for piece in resampler.resample(frame):
                yield from track.following(np.asarray(piece.to_ndarray(), np.float32))
        for piece in resampler.resample(None) if track.opened else ():
            yield from track.following(np.asarray(piece.to_ndarray(), np.float32))
        yield from track.ending()


class _Track:
    """Lays decoded sound from `start` on, and tells the sound's own end from the filling of its last packet."""

    def __init__(self, start: float, rate: int, sound: AudioStream) -> None:
        self.opened = False
        self._start = start
        self._rate = rate
        self._early = 0  # samples still to be left out because they lie before `start`
        self._left = 1 << 62  # samples until the end that the container states
        self._beyond: list[Samples] = []
        self._filling = rate * (sound.codec_context.frame_size or 0) / (sound.codec_context.sample_rate or rate)
        if sound.duration is not None and sound.time_base is not None:
            ends = float(((sound.start_time or 0) + sound.duration) * sound.time_base)
            self._left = max(0, round((ends - start) * rate))

    def opening(self, begins: float) -> Iterator[Samples]:
        """Silence where the sound begins after `start`; counts only once."""
        if self.opened:
            return
        self.opened = True
        late = round((begins - self._start) * self._rate)
        self._early = max(0, -late)
        if late > 0:
            yield from self.following(np.zeros((2, late), np.float32))

    def following(self, samples: Samples) -> Iterator[Samples]:
        skipped = min(self._early, samples.shape[1])
        self._early -= skipped
        samples = samples[:, skipped:]
        inside = samples[:, : self._left]
        self._left -= inside.shape[1]
        if inside.shape[1]:
            yield inside
        if inside.shape[1] < samples.shape[1]:
            self._beyond.append(samples[:, inside.shape[1] :])

    def ending(self) -> Iterator[Samples]:
        """What lies beyond the stated end, unless it is no more than a packet's filling."""
        if sum(piece.shape[1] for piece in self._beyond) > self._filling:
            yield from self._beyond


def _time(frame: VideoFrame | AudioFrame, stream: VideoStream | AudioStream, otherwise: float) -> float:
    """A frame's own time in the file; the last ones out of a decoder have no time base and take the stream's."""
    base = frame.time_base or stream.time_base
    return float(frame.pts * base) if frame.pts is not None and base else otherwise


def _frames(container: InputContainer, sound: AudioStream) -> Iterator[AudioFrame]:
    """What of the sound can be decoded."""
    for packet in chain(packets(container, sound), (None,)):
        try:
            yield from sound.decode(packet)
        except av.error.FFmpegError:
            continue
