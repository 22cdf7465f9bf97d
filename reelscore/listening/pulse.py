"""The pulse of a recording: tempo, beats and, as an estimate, where the bars begin.

Three steps. The tempo along the time is the path of least effort through autocorrelations of the onset strength. Dynamic programming
lays a grid of half beats on it (Ellis 2007, as librosa has it), and `reelscore.listening.metre` tells which of its places are beats
and which begin bars. At last the beats are moved onto the onsets that they stand for, as a smooth whole.
"""

from dataclasses import dataclass

import numpy as np

from reelscore.audio import Samples
from reelscore.listening.curves import Curves, curves_of, sounding
from reelscore.listening.metre import metre_of
from reelscore.listening.settling import settled
from reelscore.tempo import Floats

USUAL_BPM = 100.0
SLOWEST_BPM, FASTEST_BPM = 40.0, 220.0
_WINDOW = 12.0  # seconds over which the tempo counts as steady
_STEP = 2.0
_LONGEST_LAG = 4.0
_INERTIA = 60.0  # how dear a change of tempo is: the cost of doubling it within one step
_TIGHTNESS = 300.0  # of the beats to the tempo
_FINER = 2  # librosa rounds a beat to whole hops, so they are made finer
_PLACES = 2  # of the grid for each beat: what lies between them is tracked as well
_LEAST_BEATS = 3
_SHORTEST = 1.0  # seconds in which there can be a pulse
_EARLY = 0.05  # seconds before the first sound that a beat may lie
_LEAST_ONSET_DB = 1.0  # strength, over all bands, below which nothing begins
_LEAST_CONFIDENCE = 0.15  # below which beats are no better than guessed
_SURE_LIKENESS = 0.5


@dataclass(frozen=True, eq=False)
class Pulse:
    """Beats in seconds (rising), those of them on which a bar seems to begin, the median tempo, and how sure all this is (0 to 1).

    Where nothing beats there are no beats, the confidence is 0 and the tempo is 0.
    """

    tempo_bpm: float
    beats: Floats
    downbeats: Floats
    confidence: float


NO_PULSE = Pulse(0.0, np.zeros(0), np.zeros(0), 0.0)


def pulse_of(samples: Samples, rate: int, *, near_bpm: float | None = None) -> Pulse:
    """The pulse of a sound (channels, n); of the tempi that fit, the one nearest to `near_bpm` where that is given."""
    return pulse_in(curves_of(samples, rate), near_bpm)


def pulse_in(curves: Curves, near_bpm: float | None = None) -> Pulse:
    """The pulse of a sound whose curves are known."""
    strength = curves.onsets.sum(axis=0)
    if curves.duration < _SHORTEST or np.count_nonzero(strength > _LEAST_ONSET_DB) < _LEAST_BEATS:
        return NO_PULSE
    tempo_bpm, likeness = _tempo_path(strength, curves.hop, near_bpm)
    grid = _tracked(strength, curves.hop, tempo_bpm)
    if len(grid) < _LEAST_BEATS:
        return NO_PULSE
    metre = metre_of(curves, grid, near_bpm)
    beats = settled(metre.beats, strength, curves.hop)
    begins, stops = sounding(curves)
    heard = (beats >= begins - _EARLY) & (beats < stops)
    beats = np.maximum(beats, 0.0)
    confidence = _confidence(beats[heard], strength, curves.hop, likeness)
    if np.count_nonzero(heard) < _LEAST_BEATS or confidence < _LEAST_CONFIDENCE:
        return NO_PULSE
    found_bpm = 60.0 / float(np.median(np.diff(beats[heard])))
    return Pulse(found_bpm, beats[heard], beats[heard & metre.begins_bar], confidence)


def _confidence(beats: Floats, strength: Floats, hop: float, likeness: float) -> float:
    """How sure a pulse is (0 to 1): beats stand out of what is around them, and the sound is like itself a beat later."""
    from scipy.ndimage import maximum_filter1d

    if not len(beats):
        return 0.0
    highest = maximum_filter1d(strength, round(0.07 / hop))
    on = np.clip(np.round(beats / hop).astype(int), 0, len(strength) - 1)
    above_db = (np.median(highest[on]) - np.median(highest)) / 3
    standing_out = 1.0 - np.exp(-max(0.0, float(above_db)))
    return float(np.sqrt(standing_out * np.clip(likeness / _SURE_LIKENESS, 0.0, 1.0)))


def _tempo_path(strength: Floats, hop: float, near_bpm: float | None) -> tuple[Floats, float]:
    """The tempo at every hop, within the octave around the known or usual one, and how like itself the sound is at it (up to 1)."""
    usual_bpm = near_bpm or USUAL_BPM
    likeness, centres = _likenesses(strength, hop)
    lags = np.arange(likeness.shape[1], dtype=np.float64)
    shortest, longest = 60.0 / (usual_bpm * 2**0.5) / hop, 60.0 / (usual_bpm / 2**0.5) / hop
    periods = np.exp(np.linspace(np.log(shortest), np.log(longest), 97))
    combs = np.stack([_comb(row, lags, periods) for row in likeness])
    octaves = np.log2(periods * hop * usual_bpm / 60.0)
    wanted = combs - 0.1 * (octaves / (0.1 if near_bpm else 0.7)) ** 2
    away = np.abs(np.log2(periods[:, None] / periods[None, :]))
    overall = wanted.mean(axis=0)
    score = wanted[0] + overall
    back = []
    for comb in wanted[1:]:
        reach = score[None, :] - _INERTIA * away**2 - 0.5 * away
        back.append(reach.argmax(axis=1))
        score = reach.max(axis=1) + comb + overall
    path = [int(score.argmax())]
    for links in reversed(back):
        path.append(int(links[path[-1]]))
    path.reverse()
    clearness = float(np.clip(np.mean([comb[at] for comb, at in zip(combs, path, strict=True)]), 0.0, 1.0))
    found = 60.0 / (periods[path] * hop)
    return np.interp(np.arange(len(strength)), centres, found), clearness


def _likenesses(strength: Floats, hop: float) -> tuple[Floats, Floats]:
    """Autocorrelation (windows, lags) of the strength, 1 at lag 0, and the hop in the middle of each window."""
    from librosa import autocorrelate

    size = min(len(strength), round(_WINDOW / hop))
    starts = np.unique(np.append(np.arange(0, len(strength) - size, round(_STEP / hop)), len(strength) - size))
    most = min(round(_LONGEST_LAG / hop), size - 1)
    compressed = np.sqrt(strength)
    windows = np.stack([compressed[start : start + size] for start in starts])
    windows -= windows.mean(axis=1, keepdims=True)
    likeness = autocorrelate(windows, max_size=most, axis=1)
    likeness /= (1.0 - np.arange(most) / size)[None, :]
    return likeness / np.maximum(likeness[:, :1], 1e-9), starts + size / 2.0


def _comb(likeness: Floats, lags: Floats, periods: Floats) -> Floats:
    """How like itself the strength is after one, two and four periods."""
    total, weights = np.zeros(len(periods)), np.zeros(len(periods))
    for times, weight in ((1, 1.0), (2, 1.0), (3, 0.5), (4, 1.0)):
        inside = periods * times <= lags[-1]
        total += weight * inside * np.interp(periods * times, lags, likeness)
        weights += weight * inside
    return total / np.maximum(weights, 1.0)


def _tracked(strength: Floats, hop: float, tempo_bpm: Floats) -> Floats:
    """A grid in seconds along the strength, `_PLACES` for each beat of about that tempo."""
    from librosa.beat import beat_track

    fine = np.arange(0, len(strength) - 1 + 1e-9, 1 / _FINER)
    at = np.arange(len(strength))
    _, hops = beat_track(
        onset_envelope=np.interp(fine, at, strength),
        sr=_FINER / hop,
        hop_length=1,
        bpm=np.interp(fine, at, tempo_bpm) * _PLACES,
        tightness=_TIGHTNESS,
        trim=False,
    )
    return np.asarray(hops * hop / _FINER)
