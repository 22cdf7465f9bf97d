"""Where one scene's music goes over into the next: on the beat that is nearest to the film's turn, as the sound itself has it."""

from dataclasses import dataclass

import numpy as np

from reelscore.audio import Samples
from reelscore.finish.joining import REACH, nearest_beat
from reelscore.listening import pulse_of
from reelscore.tempo import Floats

AROUND = (12.0, 9.0, 15.0)  # seconds on both sides that are listened to, as far as there is sound, time and again
ALIKE = 0.03  # seconds within which two hearings tell of the same beat
LEAST_SURE = (
    0.35  # confidence of beats below which there is hardly a pulse, and a join lies as well where the film turns
)


@dataclass(frozen=True)
class Meeting:
    """A place in a sound, in seconds, and whether a beat is there."""

    time: float
    on_beat: bool


def beat_near(sound: Samples, rate: int, time: float, tempo_bpm: float) -> Meeting:
    """The beat of a sound (channels, n) that a join near `time` had better lie on; `time` itself where none is near.

    A pulse may be heard off the beat in one stretch and not in another, so a beat counts that two hearings agree on.
    """
    heard: list[tuple[Meeting, Floats]] = []
    for around in AROUND:
        meeting, beats = _heard_near(sound, rate, time, tempo_bpm, around)
        for earlier, its_beats in heard:
            for one, others in ((earlier, beats), (meeting, its_beats)):
                if one.on_beat and np.abs(others - one.time).min(initial=np.inf) <= ALIKE:
                    return one
        heard.append((meeting, beats))
    return Meeting(time, False)


def _heard_near(sound: Samples, rate: int, time: float, tempo_bpm: float, around: float) -> tuple[Meeting, Floats]:
    """The beat to join on, and all beats, as they are heard in so many seconds on both sides."""
    first = max(0, round((time - around) * rate))
    pulse = pulse_of(sound[:, first : max(0, round((time + around) * rate))], rate, near_bpm=tempo_bpm)
    if pulse.confidence < LEAST_SURE:
        return Meeting(time, False), np.zeros(0)
    asked = time - first / rate
    found = nearest_beat(asked, pulse.beats, pulse.downbeats, REACH)
    on_beat = abs(found - asked) > 0 or asked in pulse.beats
    return Meeting(time + found - asked, on_beat), pulse.beats + first / rate
