"""The tempo map: where every beat of the music falls in seconds, and how the beats group into bars.

A beat is a quarter note. Positions in beats are floats counted from 0 (the first downbeat, at time 0); between two beats
the tempo is constant. A ramp is a stretch of beats over which a change of tempo is written on purpose.
"""

from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

Floats = npt.NDArray[np.float64]


class Ramp(BaseModel):
    """A written accelerando or ritardando: from beat `first` to beat `last`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: Annotated[int, Field(ge=0)]
    last: Annotated[int, Field(gt=0)]

    @model_validator(mode="after")
    def _run_forward(self) -> Self:
        if self.first >= self.last:
            raise ValueError(f"a ramp from beat {self.first} to beat {self.last} does not run forward")
        return self


class TempoMap(BaseModel):
    """Beat times in seconds (rising, the first is 0), beats in each bar, and the ramps.

    `beats` has one entry more than the bars have beats: the last is the end of the last bar.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    beats: tuple[float, ...]
    bars: tuple[Annotated[int, Field(ge=1, le=12)], ...]
    ramps: tuple[Ramp, ...] = ()

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if not self.bars:
            raise ValueError("there is no bar; a tempo map has at least one")
        if len(self.beats) != sum(self.bars) + 1:
            raise ValueError(
                f"{len(self.beats)} beat times do not fit bars of {sum(self.bars)} beats (one more time than beats is needed)"
            )
        if self.beats[0] != 0.0:
            raise ValueError(f"the first beat is at {self.beats[0]} s, not at 0")
        if not all(0.1 <= after - before <= 4.0 for before, after in zip(self.beats, self.beats[1:], strict=False)):
            raise ValueError("beat times rise by 0.1 to 4 seconds from one to the next (600 to 15 BPM)")
        for ramp in self.ramps:
            if ramp.last >= len(self.beats):
                raise ValueError(
                    f"a ramp runs to beat {ramp.last}, but the last of the beat times is number {len(self.beats) - 1}"
                )
        return self

    @classmethod
    def steady(cls, tempo_bpm: float, duration: float, beats_per_bar: int = 4) -> Self:
        """A map of one tempo and metre whose bars cover `duration` seconds."""
        bars = max(1, int(np.ceil(duration * tempo_bpm / 60.0 / beats_per_bar - 1e-9)))
        beats = np.arange(bars * beats_per_bar + 1) * (60.0 / tempo_bpm)
        return cls(beats=tuple(beats.tolist()), bars=(beats_per_bar,) * bars)

    @property
    def end(self) -> float:
        """Seconds at which the last bar ends."""
        return self.beats[-1]

    @property
    def tempo_bpm(self) -> float:
        """The median tempo over the beats."""
        return 60.0 / float(np.median(np.diff(self.beats)))

    @property
    def bar_starts(self) -> tuple[int, ...]:
        """The beat on which each bar begins."""
        return tuple(np.concatenate([[0], np.cumsum(self.bars[:-1])]).astype(int).tolist())

    @property
    def downbeats(self) -> tuple[float, ...]:
        """Seconds at which each bar begins."""
        return tuple(self.beats[beat] for beat in self.bar_starts)

    def time_at(self, beat: float) -> float:
        """Seconds of a position in beats; before the first and after the last beat the tempo stays what it was."""
        return float(self.times_at(np.array([beat]))[0])

    def beat_at(self, time: float) -> float:
        """Position in beats of a time in seconds; the inverse of `time_at`."""
        return float(self.beats_at(np.array([time]))[0])

    def times_at(self, beats: Floats) -> Floats:
        """`time_at` for an array."""
        return _extended_interpolation(beats, np.arange(len(self.beats), dtype=float), np.asarray(self.beats))

    def beats_at(self, times: Floats) -> Floats:
        """`beat_at` for an array."""
        return _extended_interpolation(times, np.asarray(self.beats), np.arange(len(self.beats), dtype=float))


def _extended_interpolation(at: Floats, x: Floats, y: Floats) -> Floats:
    """Piecewise linear y(x), continued beyond both ends with the slope there."""
    step = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    slope = (y[step + 1] - y[step]) / (x[step + 1] - x[step])
    return np.asarray(y[step] + (at - x[step]) * slope)
