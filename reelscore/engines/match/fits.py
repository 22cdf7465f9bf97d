"""How well what is heard of a track fits the film: its energy, and its beats on the cues."""

from collections.abc import Sequence

import numpy as np

from reelscore.engines.match.wanted import Piece, Wanted, middles_of
from reelscore.library import Track
from reelscore.tempo import Floats

MET, MISSED = 0.03, 0.12  # seconds off a beat at which a cue is met, and at which it is missed
ON_A_BEAT = 0.6  # what a cue on a beat that is no downbeat counts
_LEVEL = 0.5  # how much of the difference between the film's energy and the track's is forgiven
_MOST_STRETCH = 2.0  # of the track's ups and downs, where the film has greater ones
_PHRASE = 5  # steps of energy over which it is smoothed: shorter ups and downs are those of the beat
_WORST = 0.4  # mean difference of energy that counts as no fit at all
_TOLERANCE = 1e-6


def energy_fit(track: Track, wanted: Wanted, pieces: Sequence[Piece]) -> float:
    """How well the energy of what is heard follows that of the film until its final chord, 0 to 1.

    It is the ups and downs that count: of a difference in level throughout half is forgiven, and a track with small ones is heard as
    if they were greater, up to twice.
    """
    times = middles_of(len(wanted.energy))
    times = times[: max(1, int(np.searchsorted(times, wanted.ending)))]
    due = wanted.energy[: len(times)]
    curve = np.asarray(track.energy, np.float64) if len(track.energy) else np.full(1, 0.5)
    smooth = np.convolve(np.pad(curve, _PHRASE // 2, "edge"), np.full(_PHRASE, 1 / _PHRASE), "valid")
    heard = np.interp(_sources(pieces, times), middles_of(len(smooth)), smooth)
    apart = float(np.abs(due - stretched(heard, due)).mean())
    return max(0.0, 1.0 - apart / _WORST)


def stretched(heard: Floats, due: Floats) -> Floats:
    """The energy that is heard, on the scale of the one that is due: nearer to its level, and with ups and downs more like its own."""
    level, spread = float(heard.mean()), float(heard.std())
    stretch = min(max(float(due.std()) / max(spread, 1e-6), 1.0), _MOST_STRETCH)
    return np.asarray(level + _LEVEL * (float(due.mean()) - level) + stretch * (heard - level))


def cue_fit(track: Track, wanted: Wanted, pieces: Sequence[Piece]) -> float | None:
    """How many strong cues meet a downbeat, or for less a beat, weighed by their strength; None where there are none."""
    if not len(wanted.cue_times):
        return None
    sources = _sources(pieces, wanted.cue_times)
    downbeats, beats = (np.asarray(times, np.float64) for times in (track.downbeats, track.beats))
    fit = np.maximum(met(_off(sources, downbeats)), ON_A_BEAT * met(_off(sources, beats)))
    return float(np.average(fit, weights=wanted.cue_strengths))


def _sources(pieces: Sequence[Piece], times: Floats) -> Floats:
    """Which seconds of the track are heard at these times of the film."""
    at = np.array([piece.at for piece in pieces])
    source = np.array([piece.source for piece in pieces])
    piece = np.maximum(np.searchsorted(at, times + _TOLERANCE, side="right") - 1, 0)
    return np.asarray(source[piece] + times - at[piece])


def _off(times: Floats, beats: Floats) -> Floats:
    """How far each time is from the nearest of the rising beats."""
    if not len(beats):
        return np.full(len(times), np.inf)
    after = np.clip(np.searchsorted(beats, times), 1, len(beats) - 1) if len(beats) > 1 else np.zeros(len(times), int)
    return np.asarray(np.minimum(np.abs(beats[after] - times), np.abs(beats[np.maximum(after - 1, 0)] - times)))


def met(off: Floats) -> Floats:
    """How well cues are met that lie so many seconds off a beat."""
    return np.asarray(np.clip((MISSED - off) / (MISSED - MET), 0.0, 1.0))
