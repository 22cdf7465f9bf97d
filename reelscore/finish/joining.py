"""Pieces of sound laid one after another: cross-fades where one goes over into the next, without a bump, a dip, a click or a jump in level."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples
from reelscore.loudness import Floats, Meter, lufs

CROSSFADE = 0.1
REACH = 1.0
MOST_JUMP_DB = 3.0
_AIM_DB = 2.5  # of a jump that is eased; what is measured otherwise may find a little more
_HEARD = 0.4  # seconds on both sides of a join over which levels are compared (BS.1770's momentary window)
_SILENT_DB = -60.0  # what comes after silence, or goes over into it, is a beginning or an end and not a jump
_EASE_DB_A_SECOND = 4.0
_LEAST_EASE = 2.0
_ROUNDS = 6
_SETTLING = 0.1  # seconds that the meter's filters take
_EDGE = 0.01  # seconds over which a sound that meets nothing begins or ends


@dataclass(frozen=True, eq=False)
class Laid:
    """A piece of sound (channels, n) in its place: its sample `anchor` sounds at sample `at` of the result, where it takes over.

    What lies before the anchor is its lead, heard as it fades in.
    """

    sound: Samples
    anchor: int
    at: int

    @property
    def begins(self) -> int:
        """Where in the result its first sample would lie."""
        return self.at - self.anchor

    @property
    def stops(self) -> int:
        """Where in the result its sound is over."""
        return self.begins + int(self.sound.shape[1])


def nearest_beat(
    time: float,
    beats: Sequence[float] | npt.NDArray[np.float64],
    downbeats: Sequence[float] | npt.NDArray[np.float64] = (),
    reach: float = REACH,
) -> float:
    """Where a join at `time` had better lie: on a downbeat within half of `reach`, else on a beat within `reach`, else where it is."""
    for times, within in ((downbeats, reach / 2), (beats, reach)):
        if len(times):
            nearest = min(times, key=lambda each: abs(each - time))
            if abs(nearest - time) <= within:
                return float(nearest)
    return time


def joined(
    pieces: Sequence[Laid], length_samples: int, rate: int, *, crossfade: float = CROSSFADE, ease: bool = True
) -> Samples:
    """The pieces one after another, (channels, length_samples): each from its `at` until the next takes over, the last to the end.

    The first piece lies at 0, and they rise. Each goes over into the next within `crossfade` seconds around the join, as far as there
    is sound on both sides; where there is none, there is silence. With `ease`, whichever side of a join is louder by more than
    `MOST_JUMP_DB` is made softer there, over some seconds; nothing is ever made louder. Raises ValueError for pieces that do not fit.
    """
    _check(pieces, length_samples)
    stops = [*(piece.at for piece in pieces[1:]), length_samples]
    joins = [_join(pieces, stops, number, crossfade, rate) for number in range(1, len(pieces))]
    arriving = [_Ramp(0, np.zeros(0, np.float32)), *(arriving for _, arriving in joins)]
    leaving = [*(leaving for leaving, _ in joins), _last_ramp(pieces[-1], length_samples, rate)]
    reigns = [_Reign(*each, rate) for each in zip(pieces, stops, arriving, leaving, strict=True)]
    if ease:
        for old, new in pairwise(reigns):
            _meet(old, new)
    result = np.zeros((pieces[0].sound.shape[0], length_samples), np.float32)
    for reign in reigns:
        if reign.comes.first < reign.goes.last:
            result[:, reign.comes.first : reign.goes.last] += reign.heard(reign.comes.first, reign.goes.last)
    return result


@dataclass(frozen=True, eq=False)
class _Ramp:
    """Gains of a piece from the sample `first` of the result on, as it comes or goes."""

    first: int
    gains: Samples

    @property
    def last(self) -> int:
        return self.first + len(self.gains)


@dataclass(eq=False)
class _Reign:
    """A piece from where it comes to where it goes, and how much softer than given: at its start, at its end, and beyond both.

    What it has before its start and behind its end is its neighbours' time, and eased as they are there.
    """

    piece: Laid
    stop: int
    comes: _Ramp
    goes: _Ramp
    rate: int
    from_db: float = 0.0
    to_db: float = 0.0
    lead_db: float = 0.0
    tail_db: float = 0.0

    def heard(self, first: int, last: int) -> Samples:
        """What of it is heard between two samples of the result."""
        begins, ends = max(first, self.comes.first), min(last, self.goes.last)
        part = np.zeros((self.piece.sound.shape[0], last - first), np.float32)
        if begins < ends:
            gains = self._gains(begins, ends)
            _shape(gains, begins, self.comes)
            _shape(gains, begins, self.goes)
            sound = self.piece.sound[:, begins - self.piece.begins : ends - self.piece.begins]
            part[:, begins - first : ends - first] = sound * gains
        return part

    def _gains(self, first: int, last: int) -> Samples:
        """The gains between two samples, 0 dB between its two ends."""
        at = np.arange(first, last)
        level_db = np.zeros(last - first)
        for edge, inwards, eased_db, beyond_db in (
            (self.piece.at, 1, self.from_db, self.lead_db),
            (self.stop, -1, self.to_db, self.tail_db),
        ):
            inside = inwards * (at - edge) / self.rate
            if eased_db < 0:
                room = (self.stop - self.piece.at) / self.rate / 2
                held = min(_HEARD, room / 4)
                easing = min(max(_LEAST_EASE, -eased_db / _EASE_DB_A_SECOND), room - held)
                level_db += eased_db * _come_down((inside - held) / easing)
            if beyond_db < 0:
                level_db += beyond_db * _come_down(inside / _EDGE + 0.5)
        return np.asarray(10.0 ** (level_db / 20.0), np.float32)


def _come_down(along: Floats) -> Floats:
    """From 1 at 0 to 0 at 1, smoothly, and level on both sides."""
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.clip(along, 0.0, 1.0)))


def _meet(old: _Reign, new: _Reign) -> None:
    """Makes the louder side of a join softer until the level there jumps no more than it may."""
    window = round(_HEARD * old.rate)
    at, first, last = new.piece.at, max(new.piece.at - window, old.piece.at), min(new.piece.at + window, new.stop)
    for _ in range(_ROUNDS):
        before, behind = _levels_db(old, new, first, at, last)
        if min(before.min(), behind.min()) < _SILENT_DB:
            return
        too_loud_db = _too_loud(behind - before)
        if too_loud_db > 0:
            new.from_db = old.tail_db = new.from_db - too_loud_db
        else:
            old.to_db = new.lead_db = old.to_db + too_loud_db


def _too_loud(jumps: Floats) -> float:
    """By how many dB what is behind is too loud, or (negative) too soft, where it jumps by so much to the ear and in power."""
    low, high = float(jumps.max()) - _AIM_DB, float(jumps.min()) + _AIM_DB
    if low <= high:
        return float(np.clip(0.0, low, high))
    # Bass gave way to treble or the other way round: both cannot be had, and the ear goes before.
    return float(np.clip((low + high) / 2, jumps[0] - _AIM_DB, jumps[0] + _AIM_DB))


def _levels_db(old: _Reign, new: _Reign, first: int, at: int, last: int) -> tuple[Floats, Floats]:
    """How loud the two together are from `first` to `at`, and from there to `last`: to the ear (LUFS), and in power."""
    settling = min(round(_SETTLING * old.rate), first)
    sound = old.heard(first - settling, last) + new.heard(first - settling, last)
    meter = Meter(old.rate, step=1 / old.rate)
    meter.add(sound)
    powers = np.stack([meter.energies(), np.einsum("cn,cn->n", sound, sound, dtype=np.float64)])[:, settling:]
    return lufs(powers[:, : at - first].mean(axis=1)), lufs(powers[:, at - first :].mean(axis=1))


def _check(pieces: Sequence[Laid], length_samples: int) -> None:
    if not pieces or pieces[0].at != 0:
        raise ValueError("pieces to join begin with one that lies at 0")
    places = [*(piece.at for piece in pieces), length_samples]
    if any(after <= before for before, after in pairwise(places)):
        raise ValueError(f"pieces to join lie one after another within the result, not at {places}")
    if len({piece.sound.shape[0] for piece in pieces}) > 1:
        raise ValueError("pieces to join differ in their channels")
    if any(not 0 <= piece.anchor <= piece.sound.shape[1] for piece in pieces):
        raise ValueError("the anchor of a piece lies within its sound")


def _join(
    pieces: Sequence[Laid], stops: Sequence[int], number: int, crossfade: float, rate: int
) -> tuple[_Ramp, _Ramp]:
    """How the piece before leaves and the one of that number arrives, within half of the time that each of them has."""
    old, new = pieces[number - 1], pieces[number]
    half = max(1, min(round(crossfade * rate / 2), (new.at - old.at) // 2, (stops[number] - new.at) // 2))
    edge = max(1, min(round(_EDGE * rate), half))
    # An attack without a lead is not to be dulled: it comes at once, and the piece before makes way for it.
    behind = half if new.anchor >= edge else edge
    first, last = max(new.at - half, new.begins), min(new.at + behind, old.stops, new.stops)
    if last - first < edge:
        return _falling(min(new.at, old.stops), edge), _Ramp(max(new.begins, new.at - edge), _half_cosine(edge)[::-1])
    leaving, arriving = _complementary(
        old.sound[:, first - old.begins : last - old.begins], new.sound[:, first - new.begins : last - new.begins]
    )
    return _Ramp(first, leaving), _Ramp(first, arriving)


def _last_ramp(piece: Laid, length_samples: int, rate: int) -> _Ramp:
    """How the last piece leaves: as it is, but without a click where its sound is over before the result is."""
    if piece.stops >= length_samples:
        return _Ramp(length_samples, np.zeros(0, np.float32))
    return _falling(max(piece.stops, piece.at), round(_EDGE * rate))


def _falling(until: int, length: int) -> _Ramp:
    return _Ramp(until - length, _half_cosine(length))


def _half_cosine(length: int) -> Samples:
    return _come_down((np.arange(length) + 0.5) / length).astype(np.float32)


def _complementary(old: Samples, new: Samples) -> tuple[Samples, Samples]:
    """Gains for two sounds of one length that keep the power of their sum: equal power where they are strangers, equal gain where they are the same."""
    angle = (np.arange(old.shape[1]) + 0.5) * (np.pi / 2 / old.shape[1])
    alike = float(np.vdot(old, new)) / (np.sqrt(float(np.vdot(old, old)) * float(np.vdot(new, new))) + 1e-12)
    together = np.sqrt(1.0 + max(alike, 0.0) * np.sin(2 * angle))
    return (np.cos(angle) / together).astype(np.float32), (np.sin(angle) / together).astype(np.float32)


def _shape(gains: Samples, begins: int, ramp: _Ramp) -> None:
    """Puts a ramp onto the gains of a piece, whose first is for the sample `begins` of the result."""
    first, last = max(ramp.first, begins), min(ramp.last, begins + len(gains))
    if first < last:
        gains[first - begins : last - begins] *= ramp.gains[first - ramp.first : last - ramp.first]
