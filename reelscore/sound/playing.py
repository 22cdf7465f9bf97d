"""Playing: the notes of one part become dry sound, block by block, each note on its sample.

A note is played once and kept: velocity is stepped and the exact level put on afterwards, lengths are stepped by a few per cent, and
one of a few takes is chosen, so that a piece of thousands of notes asks its instruments for some hundreds. What is kept never
changes what is heard; it only saves playing it again.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log
from threading import Lock

import numpy as np

from reelscore.audio import Samples
from reelscore.compose.score import Note, Part
from reelscore.sound.patches.patch import Patch
from reelscore.vocabulary import INSTRUMENTS, Instrument

# Struck and plucked things change more with force than what is bowed, blown or held; drums have more takes instead.
VELOCITY_STEPS = 10
DRUM_VELOCITY_STEPS = 8
SUSTAINED_VELOCITY_STEPS = 6
# Between two steps of velocity only the level is put right; a patch grows a little faster than its velocity.
LOUDNESS_EXPONENT = 1.5
# Lengths are rounded to the nearest of steps 10 % apart: a release 5 % early or late is within what players do.
LENGTH_RATIO = 1.1
SHORTEST = 0.05
TAKES = {"drums": 4}
FEWER_TAKES = 2
# A closed or a pedalled hi-hat ends what an open one was ringing; a muted triangle an open one.
CHOKED_BY = {46: (42, 44, 46), 81: (80, 81)}
CHOKE = 0.012
SILENCE_DB = -84.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """What identifies a played note: two of the same Stroke are the same samples."""

    instrument: str
    pitch: int
    velocity: float
    duration: float
    take: int


class NoteCache:
    """Played notes, the latest used kept, never more than `limit_bytes` of them; may be used from several threads."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._notes: OrderedDict[Stroke, Samples] = OrderedDict()
        self._lock = Lock()
        self.held_bytes = 0

    def find(self, stroke: Stroke) -> Samples | None:
        """The note, where it is kept."""
        with self._lock:
            if stroke not in self._notes:
                return None
            self._notes.move_to_end(stroke)
            return self._notes[stroke]

    def keep(self, stroke: Stroke, samples: Samples) -> None:
        """Keeps a note and lets go of those longest unused."""
        with self._lock:
            if stroke in self._notes or samples.nbytes > self._limit_bytes:
                return
            self._notes[stroke] = samples
            self.held_bytes += samples.nbytes
            while self.held_bytes > self._limit_bytes:
                self.held_bytes -= self._notes.popitem(last=False)[1].nbytes


@dataclass(frozen=True, slots=True)
class _Event:
    """A note in samples: its first, the stroke that sounds, the gain that makes it exact, and where it is choked, if it is."""

    first: int
    stroke: Stroke
    gain: float
    choked_after: int | None


class Player:
    """One part and its instrument. `play` gives the part's dry sound, each call the samples that follow the last call's."""

    def __init__(self, part: Part, patch: Patch, rate: int, cache: NoteCache, seed: int) -> None:
        self._patch = patch
        self._rate = rate
        self._cache = cache
        self._events = _events(part, rate, seed)
        self._firsts = [event.first for event in self._events]
        self._now = 0
        self._ahead = np.zeros((2, 0), np.float32)

    def missing(self, length: int) -> set[Stroke]:
        """The notes that begin within the next `length` samples and are not kept yet: to be learned, or played when they come."""
        return {event.stroke for event in self._within(length) if self._cache.find(event.stroke) is None}

    def learn(self, stroke: Stroke) -> Samples:
        """Plays a note and has it kept."""
        played = self._patch.play(stroke.pitch, stroke.velocity, stroke.duration, self._rate, stroke.take)
        sound = _without_silent_end(played)
        self._cache.keep(stroke, sound)
        return sound

    def _within(self, length: int) -> tuple[_Event, ...]:
        begin, end = (bisect_left(self._firsts, self._now + offset) for offset in (0, length))
        return self._events[begin:end]

    def play(self, length: int) -> Samples | None:
        """The next `length` samples (2, length); None where all of them are silence."""
        events = self._within(length)
        sounds = [self._sound(event) for event in events]
        offsets = [event.first - self._now for event in events]
        self._now += length
        reach = max((offset + sound.shape[1] for offset, sound in zip(offsets, sounds, strict=True)), default=0)
        if not sounds and not self._ahead.shape[1]:
            return None
        heard = np.zeros((2, max(reach, length, self._ahead.shape[1])), np.float32)
        heard[:, : self._ahead.shape[1]] = self._ahead
        for offset, sound in zip(offsets, sounds, strict=True):
            heard[:, offset : offset + sound.shape[1]] += sound
        self._ahead = heard[:, length:].copy()
        return heard[:, :length]

    def _sound(self, event: _Event) -> Samples:
        sound = self._cache.find(event.stroke)
        if sound is None:
            sound = self.learn(event.stroke)
        exact = sound * np.float32(event.gain)
        if event.choked_after is not None and event.choked_after < exact.shape[1]:
            exact = _choked(exact, event.choked_after, round(CHOKE * self._rate))
        return exact


def _events(part: Part, rate: int, seed: int) -> tuple[_Event, ...]:
    """The part's notes in order of time, as what is to be played when."""
    instrument = INSTRUMENTS[part.instrument]
    takes = TAKES.get(instrument.family, FEWER_TAKES)
    steps = _velocity_steps(instrument)
    notes = sorted(part.notes, key=lambda note: (note.start, note.pitch))
    struck: dict[int, int] = {}
    events = []
    chokes = _choke_times(notes) if instrument.drums else {}
    for index, note in enumerate(notes):
        velocity = min(max(ceil(note.velocity * steps), 1), steps) / steps
        # takes go round, so that the same take never sounds twice running
        struck[note.pitch] = struck.get(note.pitch, seed) + 1
        stroke = Stroke(
            part.instrument,
            note.pitch,
            velocity,
            _stepped(note.duration, instrument.family),
            struck[note.pitch] % takes,
        )
        gain = (min(max(note.velocity, 0.0), 1.0) / velocity) ** LOUDNESS_EXPONENT
        first = max(round(note.start * rate), 0)
        choke = chokes.get(index)
        events.append(_Event(first, stroke, gain, None if choke is None else round(choke * rate) - first))
    return tuple(events)


def _velocity_steps(instrument: Instrument) -> int:
    if instrument.drums:
        return DRUM_VELOCITY_STEPS
    return SUSTAINED_VELOCITY_STEPS if instrument.sustained else VELOCITY_STEPS


def _stepped(duration: float, family: str) -> float:
    """The length that is played for a written one: exact for effects, which end on a cue, and stepped for all else."""
    if family == "effects":
        return duration
    if family == "drums":
        return max(0.25, ceil(duration / 0.25 - 1e-9) * 0.25)
    steps = round(log(max(duration, SHORTEST) / SHORTEST) / log(LENGTH_RATIO))
    return SHORTEST * LENGTH_RATIO**steps


def _choke_times(notes: Sequence[Note]) -> dict[int, float]:
    """For each note (by index) that a later one ends before its own end: when."""
    choked: dict[int, float] = {}
    for index, note in enumerate(notes):
        enders = CHOKED_BY.get(note.pitch, ())
        later = (after.start for after in notes[index + 1 :] if after.pitch in enders and after.start > note.start)
        first = next(later, None) if enders else None
        if first is not None:
            choked[index] = first
    return choked


def _choked(sound: Samples, after: int, fade: int) -> Samples:
    """The sound, ended by a hand: faded away over `fade` samples from `after` on."""
    ended = sound[:, : after + fade]
    count = ended.shape[1] - after
    ended[:, after:] *= np.linspace(1.0, 0.0, fade + 1, dtype=np.float32)[1 : count + 1] ** 2
    return ended


def _without_silent_end(played: Samples) -> Samples:
    """The note up to its last sample that can be heard beside its loudest, with what was cut there faded."""
    loudness = np.max(np.abs(played), axis=0)
    audible = np.flatnonzero(loudness > loudness.max(initial=0.0) * 10.0 ** (SILENCE_DB / 20.0))
    if not len(audible):
        return np.zeros((2, 0), np.float32)
    end = min(int(audible[-1]) + 65, played.shape[1])
    kept = played[:, :end].astype(np.float32, copy=True)
    kept[:, -64:] *= np.linspace(1.0, 0.0, min(64, end), dtype=np.float32)
    return kept
