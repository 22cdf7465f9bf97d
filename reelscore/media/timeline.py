"""Decoded sound laid on the film's clock: gaps become silence, overlaps are cut, the ends are exactly the film's."""

from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame

from reelscore.audio import Samples

SLACK = 0.02  # seconds a packet's time may be off before the sound is moved: containers round times
LOUDEST = 2.0  # decoders overshoot ±1 by a little; more than this is damage


class SoundTimeline:
    """Takes decoded frames in order and gives blocks of one second: float32 (channels, rate) from the first picture on.

    Together the blocks hold exactly round(duration · rate) samples.
    """

    def __init__(self, start: float, duration: float, rate: int, channels: int) -> None:
        self.rate = rate
        self.channels = channels
        self._start = start
        self._total = round(duration * rate)
        self._laid = 0  # samples laid on the clock so far
        self._overlap = 0  # samples of the present run that lie before what is laid already
        self._waiting: list[Samples] = []
        self._waiting_samples = 0
        self._resampler: av.AudioResampler | None = None
        self._kind: tuple[str, str, int] | None = None
        self._heard = 0.0  # where the next frame belongs if nothing is missing, in seconds of the film

    def add(self, frame: AudioFrame, file_time: float | None) -> Iterator[Samples]:
        """The blocks that `frame` completes; without a time it follows the frame before."""
        time = self._heard if file_time is None else file_time - self._start
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or kind != self._kind or abs(time - self._heard) > SLACK:
            yield from self._end_run()
            yield from self._begin_run(time, kind)
        self._heard += frame.samples / frame.sample_rate
        frame.pts = None
        for piece in self._resample(frame):
            yield from self._lay(piece)

    def end(self) -> Iterator[Samples]:
        """What is left, with silence until the end of the film."""
        yield from self._end_run()
        yield from self._lay_silence(self._total - self._laid)
        if self._waiting_samples:
            yield _sane(np.concatenate(self._waiting, axis=1))

    def _begin_run(self, time: float, kind: tuple[str, str, int]) -> Iterator[Samples]:
        """Makes ready for sound that follows without a gap from `time`."""
        self._resampler = av.AudioResampler("fltp", "mono" if self.channels == 1 else "stereo", self.rate)
        self._kind, self._heard = kind, time
        ahead = round(time * self.rate) - self._laid
        self._overlap = max(0, -ahead)
        yield from self._lay_silence(ahead)

    def _end_run(self) -> Iterator[Samples]:
        for piece in self._resample(None):
            yield from self._lay(piece)
        self._resampler = None

    def _resample(self, frame: AudioFrame | None) -> Iterator[Samples]:
        if self._resampler is not None:
            for piece in self._resampler.resample(frame):
                yield np.asarray(piece.to_ndarray(), np.float32)

    def _lay(self, samples: Samples) -> Iterator[Samples]:
        dropped = min(self._overlap, samples.shape[1])
        self._overlap -= dropped
        samples = samples[:, dropped : dropped + self._total - self._laid]
        yield from self._push(samples)

    def _lay_silence(self, count: int) -> Iterator[Samples]:
        left = min(count, self._total - self._laid)
        while left > 0:
            yield from self._push(np.zeros((self.channels, min(left, self.rate)), np.float32))
            left -= self.rate

    def _push(self, samples: Samples) -> Iterator[Samples]:
        if not samples.shape[1]:
            return
        self._laid += samples.shape[1]
        self._waiting.append(samples)
        self._waiting_samples += samples.shape[1]
        if self._waiting_samples >= self.rate:
            joined = np.concatenate(self._waiting, axis=1)
            whole = joined.shape[1] // self.rate * self.rate
            self._waiting, self._waiting_samples = [joined[:, whole:]], joined.shape[1] - whole
            for first in range(0, whole, self.rate):
                yield _sane(joined[:, first : first + self.rate])


def _sane(samples: Samples) -> Samples:
    """The samples without what damage makes of some: numbers beyond all measure, or none at all."""
    return np.clip(np.nan_to_num(samples), -LOUDEST, LOUDEST).astype(np.float32, copy=False)
