"""Where the music goes down for speech, and how: one curve from 0 (music in front) to 1 (speech in front).

The music is down before the first word, stays down through the pauses within a conversation, and comes back slowly in a long
pause only: lowering it between single lines is what listeners hear as pumping.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reelscore.brief import Span

DOWN = 0.25  # seconds that the way down takes; it ends with the first word
STAY = 0.2  # seconds that the music stays down after the last word
UP = 1.0  # seconds that the way up takes
LONG_PAUSE = 2.0  # the music comes back in pauses of at least this many seconds


@dataclass(frozen=True)
class Conversation:
    """Spans of speech with no long pause between them: the music goes down once for all of them."""

    spans: tuple[Span, ...]

    @property
    def start(self) -> float:
        return self.spans[0].start

    @property
    def end(self) -> float:
        return max(span.end for span in self.spans)


def conversations(speech: Sequence[Span]) -> tuple[Conversation, ...]:
    """Speech, in order of time, grouped at its long pauses."""
    groups: list[Conversation] = []
    for span in sorted(speech, key=lambda span: span.start):
        if groups and span.start - groups[-1].end < LONG_PAUSE:
            groups[-1] = Conversation((*groups[-1].spans, span))
        else:
            groups.append(Conversation((span,)))
    return tuple(groups)


def reach(conversation: Conversation) -> tuple[float, float]:
    """When the music begins to go down for a conversation and when it is back, in seconds."""
    return conversation.start - DOWN, conversation.end + STAY + UP


def lowering(conversation: Conversation, knots: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How far the music is down for one conversation at each of the times `knots` (seconds): 0 not at all, 1 wholly."""
    first, last = reach(conversation)
    return np.asarray(_eased((knots - first) / DOWN) * _eased((last - knots) / UP))


def _eased(way: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(way, 0.0, 1.0)))
