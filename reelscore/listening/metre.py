"""Which places of a grid are beats, and which of the beats begin bars.

A tracked grid may lie a level too high or too low in the metre, or half a beat off. So every place of the grid, and every place half-way
between two, is held against what it should be: something begins on beats, above all in the bass, and harmony changes where bars begin.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reelscore.listening.curves import Curves
from reelscore.tempo import Floats

USUAL_BPM, USUAL_OCTAVES = 105.0, 0.55  # of tempi that people tap, and how far about it they lie (Moelants 2002)
KNOWN_OCTAVES = 0.12
HARMONY = 1.0  # of 1 for the onsets
SUB = 1
LOST_BAR, LOST_BEAT = 15.0, 40.0  # how dear it is to lose the place in the bar, or the beat
_REACH = 3  # hops about a place within which its onset is looked for
_SPAN = 1.0  # seconds of harmony before and behind a place


@dataclass(frozen=True, eq=False)
class Metre:
    """Beats and, of them, the first of each bar, in seconds; `clearness` is how well they stand out (0 to 1)."""

    beats: Floats
    begins_bar: npt.NDArray[np.bool_]
    clearness: float


@dataclass(frozen=True)
class _Reading:
    """A way to count: a beat is so many places, a bar so many beats."""

    places: int
    beats: int


def metre_of(curves: Curves, grid: Floats, near_bpm: float | None) -> Metre:
    """How the grid (seconds, rising) is best counted; near `near_bpm` where that is given."""
    places = grid if SUB == 1 else np.sort(np.concatenate([grid, (grid[:-1] + grid[1:]) / 2]))
    onsets = _standard(_onsets_at(curves, places))
    changes = _standard(_changes_at(curves, places))
    place_bpm = 60.0 / float(np.median(np.diff(places)))
    best_score, best, best_path = -np.inf, _Reading(2, 4), np.zeros(0, int)
    for reading in (_Reading(1, 4), _Reading(2, 4), _Reading(2, 3), _Reading(4, 4), _Reading(4, 3), _Reading(1,3)):
        score, path = _count(reading, onsets, changes)
        score += _likelihood(place_bpm / reading.places, near_bpm) - (0.1 if reading.beats == 3 else 0.0)
        if score > best_score:
            best_score, best, best_path = score, reading, path
    on_beat = best_path % best.places == 0
    return Metre(places[on_beat], best_path[on_beat] == 0, 0.0)


def _likelihood(tempo_bpm: float, near_bpm: float | None) -> float:
    octaves = np.log2(tempo_bpm / (near_bpm or USUAL_BPM))
    return float(-0.5 * (octaves / (KNOWN_OCTAVES if near_bpm else USUAL_OCTAVES)) ** 2)


def _count(reading: _Reading, onsets: Floats, changes: Floats) -> tuple[float, np.ndarray]:
    """How well the places fit when they are counted so, and the position of each in its bar."""
    size = reading.places * reading.beats
    position = np.arange(size)
    beat, bar = position % reading.places == 0, position == 0
    weight_beat = (beat - beat.mean()) / max(beat.std(), 1e-9)
    weight_bar = (bar - bar.mean()) / bar.std()
    fit = onsets[:, None] * weight_beat + HARMONY * changes[:, None] * weight_bar
    follows = (position[None, :] - position[:, None]) % size  # how far on, from each position to each
    cost = np.where(follows == 1, 0.0, np.where((follows - 1) % reading.places == 0, LOST_BAR, LOST_BEAT))
    score = fit[0].copy()
    links = np.zeros((len(onsets), size), int)
    for place in range(1, len(onsets)):
        reach = score[:, None] - cost
        links[place] = reach.argmax(axis=0)
        score = reach.max(axis=0) + fit[place]
    path = np.zeros(len(onsets), int)
    path[-1] = int(score.argmax())
    for place in range(len(onsets) - 1, 0, -1):
        path[place - 1] = links[place, path[place]]
    return float(score.max() / len(onsets)), path


def _onsets_at(curves: Curves, places: Floats) -> Floats:
    """How strongly something begins at each place, in all bands alike."""
    from scipy.ndimage import maximum_filter1d

    highest = maximum_filter1d(curves.onsets, 2 * _REACH + 1, axis=1)
    at = np.clip(np.round(places / curves.hop).astype(int), 0, highest.shape[1] - 1)
    return np.asarray(np.sqrt(highest[:, at]).sum(axis=0))


def _changes_at(curves: Curves, places: Floats) -> Floats:
    """How far the harmony behind each place lies from that before it (0 to 1)."""
    chroma = np.sqrt(curves.chroma)
    sums = np.concatenate([np.zeros((len(chroma), 1)), np.cumsum(chroma, axis=1)], axis=1)

    def harmony(first: Floats, last: Floats) -> Floats:
        edges = np.clip(np.stack([first, last]) / curves.chroma_hop, 0, chroma.shape[1])
        low = np.floor(edges).astype(int)
        rest = edges - low
        high = np.minimum(low + 1, chroma.shape[1])
        first_sum, last_sum = sums[:, low] * (1 - rest) + sums[:, high] * rest, None
        vector = first_sum[:, 1] - first_sum[:, 0]
        return vector / np.maximum(np.linalg.norm(vector, axis=0), 1e-9)

    return 1.0 - (harmony(places - _SPAN, places) * harmony(places, places + _SPAN)).sum(axis=0)


def _standard(values: Floats) -> Floats:
    return (values - values.mean()) / max(float(values.std()), 1e-9)
