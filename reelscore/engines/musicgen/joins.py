"""Where one scene's music goes over into the next: on the beat that is nearest to the film's turn, as the sound itself has it."""

from dataclasses import dataclass

from reelscore.audio import Samples
from reelscore.finish.joining import REACH, nearest_beat
from reelscore.listening import pulse_of

AROUND = 12.0  # seconds on both sides that are listened to, as far as there is sound
LEAST_SURE = (
    0.35  # the confidence of beats below which there is hardly a pulse, and a join lies as well where the film turns
)


@dataclass(frozen=True)
class Meeting:
    """A place in a sound, in seconds, and whether a beat is there."""

    time: float
    on_beat: bool


def beat_near(sound: Samples, rate: int, time: float, tempo_bpm: float) -> Meeting:
    """The beat of a sound (channels, n) that a join near `time` had better lie on; `time` itself where none is near."""
    first = max(0, round((time - AROUND) * rate))
    heard = sound[:, first : max(0, round((time + AROUND) * rate))]
    pulse = pulse_of(heard, rate, near_bpm=tempo_bpm)
    if pulse.confidence < LEAST_SURE:
        return Meeting(time, False)
    asked = time - first / rate
    found = nearest_beat(asked, pulse.beats, pulse.downbeats, REACH)
    return Meeting(time + found - asked, abs(found - asked) > 0 or asked in pulse.beats)
