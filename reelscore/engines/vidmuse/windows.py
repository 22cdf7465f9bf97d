"""Which music is made in which window, and which of the film's pictures each window sees.

Music is counted in the codec's frames, 50 a second; pictures are named by their times in seconds. The model learned on windows
of 30 s with two pictures a second, and longer music goes on, window after window, from the end of what is there already.

`plan_windows` gives every window its own footage. `published_plan` is what the release does, its mistakes included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from reelscore.models.visual import PICTURES_PER_SECOND
from reelscore.tokens import even_starts

_HAIR = 1e-6  # of a frame or a second: what is so little too long is rounding


@dataclass(frozen=True)
class Reach:
    """How much the model takes in at once: `pictures` of a window and `overall` of the whole film.

    `music_rate` is the codec's frames a second, an even number.
    """

    pictures: int = 60
    overall: int = 32
    music_rate: int = 50

    @property
    def step(self) -> int:
        """Frames of music from one picture to the next."""
        return self.music_rate // PICTURES_PER_SECOND

    def music(self, duration: float) -> int:
        """The frames of music that cover `duration`."""
        return max(1, ceil(duration * self.music_rate - _HAIR))


@dataclass(frozen=True)
class Window:
    """Frames of music from `start` up to `end`, of which the first `context` are there already; and the pictures seen, by time."""

    start: int
    end: int
    context: int
    pictures: tuple[float, ...]

    @property
    def made(self) -> int:
        """The frames of music that are new."""
        return self.end - self.start - self.context


@dataclass(frozen=True)
class Plan:
    """Windows in order, the new frames of each following on those of the one before; and the pictures that tell of the whole film."""

    windows: tuple[Window, ...]
    overall: tuple[float, ...]

    @property
    def length(self) -> int:
        """The frames of music of all the windows."""
        return self.windows[-1].end


def plan_windows(duration: float, context: float = 12.0, reach: Reach | None = None) -> Plan:
    """Windows as long as the model learned, evenly over the film, each with the pictures of its own stretch.

    Pictures lie at 0, 0.5, 1 … s, and a window begins on one of them. It knows at least `context` seconds of the music before
    it, or as much as leaves room for one picture of new music. The last window ends with the film. The overall pictures
    are among those of the windows.
    """
    reach = reach or Reach()
    length = reach.music(duration)
    pictures = ceil(length / reach.step)
    stride = reach.pictures - ceil(context * PICTURES_PER_SECOND - _HAIR)
    windows: list[Window] = []
    for first in even_starts(pictures, reach.pictures, stride):
        behind = min(first + reach.pictures, pictures)
        seen = tuple(number / PICTURES_PER_SECOND for number in range(first, behind))
        windows.append(_following(windows, first * reach.step, min(behind * reach.step, length), seen))
    spread = (floor(number * (pictures - 1) / max(1, reach.overall - 1) + 0.5) for number in range(reach.overall))
    return Plan(tuple(windows), tuple(number / PICTURES_PER_SECOND for number in spread))


def published_plan(duration: float, frame_rate: float, shown: Sequence[float], reach: Reach | None = None) -> Plan:
    """What the release does with a film of this duration and frame rate whose pictures are `shown` at these times.

    It counts whole seconds; takes every ceil(frame_rate / 2)th picture as if that were two a second, and the last one for those
    that are missing; keeps half a second of context; and shows the last window pictures from too early in the film (of 45 s
    those of 15 to 30.5 s with the music of 29.5 to 45 s). Where the release would end, at a whole second, the last window goes
    on to the film's end, and one more follows by the same rules where the last is full. It fails on films below a second;
    these are taken for one of a second.
    """
    reach = reach or Reach()
    wanted = PICTURES_PER_SECOND * max(1, floor(duration + _HAIR))
    length, counted = reach.music(duration), wanted * reach.step
    left = list(shown[:: ceil(frame_rate / PICTURES_PER_SECOND - _HAIR)][:wanted])
    left += left[-1:] * (wanted - len(left))
    stride = max(1, reach.pictures - 1)
    windows: list[Window] = []
    while not windows or windows[-1].end < length:
        start = len(windows) * stride * reach.step
        end = min(start + reach.pictures * reach.step, length)
        seen = max(1, (min(end, counted) - start) // reach.step)
        windows.append(_following(windows, start, end, tuple(left[:seen])))
        left = left[-reach.pictures :] if len(left) - stride < reach.pictures else left[stride:]
    return Plan(tuple(windows), _published_overall(shown, reach.overall))


def _following(windows: Sequence[Window], start: int, end: int, pictures: tuple[float, ...]) -> Window:
    return Window(start, end, windows[-1].end - start if windows else 0, pictures)


def _published_overall(shown: Sequence[float], count: int) -> tuple[float, ...]:
    # torch's own, in its float32: one picture more or less hangs on its rounding.
    from torch import linspace

    return tuple(shown[int(number)] for number in linspace(0, len(shown) - 1, count).tolist())
