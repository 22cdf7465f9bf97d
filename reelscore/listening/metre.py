"""Which places of a grid are beats, and which of the beats begin bars.

A tracked grid may lie a level too high or too low in the metre, and says nothing of bars. So every place of the grid, and every place
half-way between two, is held against what it should be: something begins on beats; harmony changes and the bass strikes where bars
begin, and in bars of four the treble on the second and the last beat. The best way to count, and the best path through it, are found together.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reelscore.listening.curves import Curves
from reelscore.tempo import Floats

_USUAL_BPM, _USUAL_OCTAVES = 100.0, 0.75  # of tempi that people tap, and how far about it they lie (Moelants 2002)
_KNOWN_OCTAVES = 0.15
_HARMONY, _BASS, _BACKBEAT = 1.2, 0.4, 0.4  # of 1 for the onsets
_CLEAR_CHANGE = 0.04  # deviation of the changes of harmony where there is harmony
_LOST_BAR, _LOST_BEAT = 15.0, 40.0  # how dear it is to lose the place in the bar, or the beat
_RARE_THREE = 0.05  # by which a bar of three must fit better
_REACH = 0.03  # seconds about a place within which its onset is looked for
_SPAN = 0.7  # seconds of harmony before and behind a place


@dataclass(frozen=True, eq=False)
class Metre:
    """Beats in seconds, and which of them begin bars."""

    beats: Floats
    begins_bar: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Reading:
    """A way to count: a beat is so many places, a bar so many beats."""

    places: int
    beats: int


_READINGS = tuple(_Reading(places, beats) for places in (2, 4, 8) for beats in (4, 3))


def metre_of(curves: Curves, grid: Floats, near_bpm: float | None) -> Metre:
    """How the grid (seconds, rising; about twice as fast as beats) is best counted; near `near_bpm` where that is given."""
    places = np.sort(np.concatenate([grid, (grid[:-1] + grid[1:]) / 2]))
    evidence = _evidence(curves, places)
    place_bpm = 60.0 / float(np.median(np.diff(places)))
    best_score, best, best_path = -np.inf, _READINGS[0], np.zeros(0, int)
    for reading in _READINGS:
        fit, path = _count(reading, evidence)
        score = fit + _likelihood(place_bpm / reading.places, near_bpm)
        if reading.beats == 3:
            score -= _RARE_THREE
        if score > best_score:
            best_score, best, best_path = score, reading, path
    on_beat = best_path % best.places == 0
    return Metre(places[on_beat], best_path[on_beat] == 0)


@dataclass(frozen=True, eq=False)
class _Evidence:
    """What is heard at each place, each about 0 and some 1 in size."""

    onsets: Floats
    bass: Floats
    treble: Floats
    changes: Floats


def _evidence(curves: Curves, places: Floats) -> _Evidence:
    bass, middle, treble = _onsets_at(curves, places)
    changes = _changes_at(curves, places)
    # Without harmony its changes are noise, and must not be blown up to count.
    clear = min(1.0, float(changes.std()) / _CLEAR_CHANGE)
    return _Evidence(
        _standard(bass + middle + treble), _standard(bass), _standard(middle + treble), clear * _standard(changes)
    )


def _likelihood(tempo_bpm: float, near_bpm: float | None) -> float:
    octaves = np.log2(tempo_bpm / (near_bpm or _USUAL_BPM))
    return float(-0.5 * (octaves / (_KNOWN_OCTAVES if near_bpm else _USUAL_OCTAVES)) ** 2)


def _count(reading: _Reading, evidence: _Evidence) -> tuple[float, npt.NDArray[np.int64]]:
    """How well the places fit when they are counted so, and the position of each in its bar."""
    size = reading.places * reading.beats
    position = np.arange(size)
    on_beat = position % reading.places == 0
    begins = position == 0
    back = on_beat & (position // reading.places % 2 == 1) if reading.beats == 4 else on_beat & ~begins
    fit = (
        evidence.onsets[:, None] * _standard(on_beat)
        + (_HARMONY * evidence.changes + _BASS * evidence.bass)[:, None] * _standard(begins)
        + _BACKBEAT * (evidence.treble - evidence.bass)[:, None] * _standard(back)
    )
    follows = (position[None, :] - position[:, None]) % size  # how far on, from each position to each
    cost = np.where(follows == 1, 0.0, np.where((follows - 1) % reading.places == 0, _LOST_BAR, _LOST_BEAT))
    score = fit[0].copy()
    links = np.zeros((len(fit), size), np.int64)
    for place in range(1, len(fit)):
        reach = score[:, None] - cost
        links[place] = reach.argmax(axis=0)
        score = reach.max(axis=0) + fit[place]
    path = np.zeros(len(fit), np.int64)
    path[-1] = int(score.argmax())
    for place in range(len(fit) - 1, 0, -1):
        path[place - 1] = links[place, path[place]]
    return float(score.max() / len(fit)), path


def _onsets_at(curves: Curves, places: Floats) -> Floats:
    """How strongly something begins at each place, in each band."""
    from scipy.ndimage import maximum_filter1d

    highest = maximum_filter1d(curves.onsets, 2 * round(_REACH / curves.hop) + 1, axis=1)
    at = np.clip(np.round(places / curves.hop).astype(int), 0, highest.shape[1] - 1)
    return np.asarray(np.sqrt(highest[:, at]))


def _changes_at(curves: Curves, places: Floats) -> Floats:
    """How far the harmony behind each place lies from that before it (0 to 1)."""
    chroma = np.sqrt(curves.chroma)
    sums = np.concatenate([np.zeros((len(chroma), 1)), np.cumsum(chroma, axis=1)], axis=1)
    at = np.arange(sums.shape[1]) * curves.chroma_hop

    def harmony(first: Floats, last: Floats) -> Floats:
        span = np.stack([np.interp(last, at, row) - np.interp(first, at, row) for row in sums])
        return np.asarray(span / np.maximum(np.linalg.norm(span, axis=0), 1e-9))

    return np.asarray(1.0 - (harmony(places - _SPAN, places) * harmony(places, places + _SPAN)).sum(axis=0))


def _standard(values: npt.ArrayLike) -> Floats:
    """The values about 0, with a standard deviation of 1."""
    numbers = np.asarray(values, np.float64)
    centred = numbers - numbers.mean()
    return np.asarray(centred / max(float(centred.std()), 1e-9))
