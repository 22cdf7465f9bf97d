"""The mixing desk: a channel for each part, groups of channels with their rooms and tone, and the sum under one gain.

Levels come from the score's gain table and nothing is normalised, so what the arrangement builds is what is heard. Everything in
a group is linear; what is not (compressor, ceiling) is one curve of gain taken from the sum and put on each group alike. That
is why stems add up to the music.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, sin, sqrt

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples, gain_from_db
from reelscore.compose.score import Part
from reelscore.sound.effects import (
    HALL,
    STUDIO,
    Filter,
    GainCurve,
    Glue,
    MonoBass,
    Reverb,
    Room,
    high_pass,
    high_shelf,
    response,
)
from reelscore.sound.playing import Player
from reelscore.vocabulary import INSTRUMENTS, Family

# Patches play at −20 dBFS; a full score of ten parts comes out near −18 LUFS with this, its peaks just under the ceiling.
MASTER_DB = -4.0
MONO_BELOW_HZ = 100.0
# What lies below is not heard from any loudspeaker of a laptop or a phone and only takes level away from the rest.
RUMBLE_HZ = 30.0
LEVEL_STEP_SAMPLES = 256

# Below these frequencies (Hz) a family only muddies the bass; with a bass playing, all that share its register step back further.
CLEAR_BELOW_HZ: dict[Family, float] = {
    "keys": 35.0,
    "mallets": 90.0,
    "plucked": 60.0,
    "strings": 40.0,
    "woodwind": 90.0,
    "brass": 55.0,
    "voices": 90.0,
    "pads": 55.0,
    "synths": 70.0,
}
CLEAR_BELOW_BASS_HZ = 85.0
PRESENCE_HZ = 2500.0


@dataclass(frozen=True)
class Tone:
    """How bright the desk is set: dB above 2.5 kHz for each family, and shelves (Hz, dB) for the whole."""

    presence_db: Mapping[Family, float]
    shelves: tuple[tuple[float, float], ...]


# Synthesised tones have fewer high partials, and less of bow, breath and hammer, than the instruments have; many of them
# together are darker than a recording.
SYNTHESISED = Tone(
    {
        "keys": 5.0,
        "mallets": 2.0,
        "plucked": 4.0,
        "strings": 6.0,
        "woodwind": 4.5,
        "brass": 5.0,
        "voices": 5.0,
        "pads": 3.0,
        "synths": 1.0,
        "bass": 3.0,
    },
    ((1800.0, 2.5), (5000.0, 7.5), (7500.0, 5.0)),
)
SAMPLED = Tone({}, ((5000.0, 5.0),))
# Instruments that are recorded close, in a small room; all others sit in the hall.
CLOSE: tuple[str, ...] = (
    "drum kit",
    "brushes",
    "electronic kit",
    "shaker",
    "upright bass",
    "electric bass",
    "synth bass",
    "electric guitar",
    "distorted guitar",
)


class Channel:
    """One part on the desk: its player, its place between left and right, its level over time."""

    def __init__(self, part: Part, player: Player, rate: int, tone: Tone, with_bass: bool) -> None:
        self.room = STUDIO if part.instrument in CLOSE else HALL
        self.send = np.float32(gain_from_db(part.reverb_db))
        self.player = player
        self._filter = tone_of(part, rate, tone, with_bass)
        self._levels = part.levels
        self._rate = rate
        self._now = 0
        angle = (min(max(part.pan, -1.0), 1.0) + 1.0) * pi / 4
        level = gain_from_db(part.gain_db + MASTER_DB) * sqrt(2.0)
        self._sides = np.array([[cos(angle)], [sin(angle)]], np.float32) * np.float32(level)

    def play(self, length: int) -> Samples | None:
        """The part's next `length` samples as they go to the sum; None for silence."""
        dry = self.player.play(length)
        begin, self._now = self._now, self._now + length
        if dry is None:
            return None
        if self._filter is not None:
            dry = self._filter(dry)
        if self._levels:
            return dry * (level_curve(self._levels, begin, length, self._rate) * self._sides)
        return dry * self._sides


def level_curve(levels: Sequence[tuple[float, float]], begin: int, length: int, rate: int) -> Samples:
    """The gain (length,) from sample `begin` on of breakpoints (seconds, dB) joined by straight lines in dB.

    Laid on a grid that counts from the score's first sample, 5 ms apart, which also rounds a step off to where it does not click.
    """
    step = LEVEL_STEP_SAMPLES
    first, last = begin // step, -(-(begin + length) // step)
    times, levels_db = zip(*sorted(levels), strict=True)
    points_db = np.interp(np.arange(first, last + 1) * (step / rate), times, levels_db)
    points = np.power(10.0, points_db / 20.0).astype(np.float32)
    ramp = np.arange(step, dtype=np.float32) / np.float32(step)
    curve = points[:-1, np.newaxis] + np.diff(points)[:, np.newaxis] * ramp
    return np.asarray(curve.reshape(-1)[begin - first * step :][:length], np.float32)


def tone_of(part: Part, rate: int, tone: Tone, with_bass: bool) -> Filter | None:
    """The filter of a part's channel; None for drums and effects, which sound as they are struck."""
    family = INSTRUMENTS[part.instrument].family
    sections = []
    if family in CLEAR_BELOW_HZ:
        sections.append(high_pass(max(CLEAR_BELOW_HZ[family], CLEAR_BELOW_BASS_HZ if with_bass else 0.0), rate))
    if family in tone.presence_db:
        sections.append(high_shelf(PRESENCE_HZ, tone.presence_db[family], rate))
    return Filter(np.concatenate(sections).astype(np.float32)) if sections else None


class Group:
    """Channels that leave the desk together: all of them for the music alone, one part's for a stem."""

    def __init__(
        self, name: str, channels: Sequence[Channel], rooms: dict[Room, Samples], tone: Tone, rate: int
    ) -> None:
        self.name = name
        self.channels = channels
        self._reverbs = {
            room: Reverb(heard) for room, heard in rooms.items() if any(channel.room == room for channel in channels)
        }
        self._mono_bass = MonoBass(MONO_BELOW_HZ, rate)
        shelves = [high_shelf(corner_hz, gain_db, rate) for corner_hz, gain_db in tone.shelves]
        self._tone = Filter(np.concatenate([high_pass(RUMBLE_HZ, rate), *shelves]).astype(np.float64))

    def mix(self, strips: Sequence[Samples | None], length: int) -> Samples:
        """The sum of what the group's channels play, a strip of `length` samples for each, in their rooms."""
        sounding = [(channel, strip) for channel, strip in zip(self.channels, strips, strict=True) if strip is not None]
        layers = [strip for _, strip in sounding]
        for room, reverb in self._reverbs.items():
            send = added(strip * channel.send for channel, strip in sounding if channel.room == room)
            heard = reverb(send, length)
            if heard is not None:
                layers.append(heard)
        total = added(layers)
        if total is None:
            return np.zeros((2, length), np.float32)
        return self._tone(self._mono_bass(total))


def added(blocks: Iterator[Samples] | Sequence[Samples]) -> Samples | None:
    """The sum of blocks of one shape, in their order so that it is the same every time; None of none."""
    total: Samples | None = None
    for block in blocks:
        if total is None:
            total = block.copy()
        else:
            total += block
    return total


def open_rooms(parts: Sequence[Part], rate: int) -> dict[Room, Samples]:
    """The responses of the rooms that the parts play in."""
    wanted = {STUDIO if part.instrument in CLOSE else HALL for part in parts}
    return {room: response(room, rate) for room in (HALL, STUDIO) if room in wanted}


class Sum:
    """The end of the desk: holds sound back until its gain is settled, then gives sum and groups under that gain."""

    def __init__(self, rate: int, length: int, fade: float = 0.1) -> None:
        self._curve = GainCurve(rate, Glue())
        self._length = length
        self._fade = round(fade * rate)
        self._given = 0
        self._waiting: list[Samples] | None = None

    def settle(self, streams: Sequence[Samples], last: bool) -> list[Samples]:
        """Takes the next block of each stream, the sum first, and gives as much of each as is settled and within the length."""
        gain = self._curve(streams[0], last)
        waiting = self._waiting or [np.zeros((2, 0), np.float32) for _ in streams]
        whole = [np.concatenate(pair, axis=1) for pair in zip(waiting, streams, strict=True)]
        self._waiting = [stream[:, len(gain) :].copy() for stream in whole]
        gain = gain[: self._length - self._given] * self._ending(len(gain))
        self._given += len(gain)
        return [stream[:, : len(gain)] * gain for stream in whole]

    def _ending(self, count: int) -> npt.NDArray[np.float32]:
        """1, and over the last samples of the whole a way down to 0: a sound that the end cuts off does not click."""
        left = self._length - self._given - np.arange(min(count, self._length - self._given), dtype=np.float32)
        return np.sin(np.clip((left - 1) / max(self._fade, 1), 0.0, 1.0) * np.float32(pi / 2)) ** 2
