"""How well tracks fit a brief: parts from 0 to 1, and their weights.

    text     the words (or pictures) of the film against those of the track      0.35; 0.80 where the person said what it should be
    energy   the energy of what would be heard against that of the sections       0.25
    length   whether the track lasts, without being repeated                      0.10
    tempo    the brief's tempo; half and double of it count half                  0.10; 0.70 where the person gave it
    key      the circle of fifths                                                 0.30, only where the person gave it
    cues     strong cues on downbeats or beats                                    0.10, only where there are any
    seams    no seam, and the track's own ending                                  0.05

The score is the mean of the parts by these weights, less for a track that would be heard over and over (`lasting`). All tracks are scored by columns first, with energy and cues by rough guess;
those that come first are scored again with their best windows (`windows`).
"""

from collections.abc import Mapping
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from reelscore.brief import Brief, Key
from reelscore.engines.match.wanted import Wanted, Window
from reelscore.library import Overview
from reelscore.saying import is_wished

Floats: TypeAlias = npt.NDArray[np.float64]
Part: TypeAlias = str
T = TypeVar("T", float, Floats)

_WEIGHTS: dict[Part, float] = {
    "text": 0.35,
    "energy": 0.25,
    "length": 0.10,
    "tempo": 0.10,
    "key": 0.0,
    "cues": 0.10,
    "seams": 0.05,
}
_WISHED = {"text": 0.80, "tempo": 0.70, "key": 0.30}
_NO_TEMPO, _NO_KEY = 0.3, 0.2  # for a track of which it is not known
_TEMPO_REACH = 0.25  # octaves at which a tempo is another one
_OTHER_OCTAVE = 0.5
_FIFTHS = (1.0, 0.6, 0.35, 0.15, 0.0, 0.0, 0.0)  # by steps on the circle of fifths
_RELATIVE = 0.9
_NEARLY = 0.5  # seconds that a track may lack without being too short
# The most for a track that is too short: without a beat to repeat it on, and with one.
_UNEXTENDED, _EXTENDED = 0.3, 0.8
_NOT_TIRING, _TIRING = (
    4,
    0.3,
)  # times that a track may be heard in one film; what is left of the score where it is far more
_GUESSED_WORST = 0.5  # difference of mean energy at which a window that fits is not to be hoped for


def weights_for(brief: Brief, wanted: Wanted) -> dict[Part, float]:
    """The weights for a brief: what the person said counts more, and what is not asked for not at all."""
    weights = dict(_WEIGHTS)
    if brief.prompt.strip() or any(is_wished(brief, f"tags.{tags}") for tags in ("genres", "moods", "instruments")):
        weights["text"] = _WISHED["text"]
    if is_wished(brief, "tempo_bpm"):
        weights["tempo"] = _WISHED["tempo"]
    if is_wished(brief, "key"):
        weights["key"] = _WISHED["key"]
    if not len(wanted.cue_times):
        weights["cues"] = 0.0
    return {part: weight for part, weight in weights.items() if weight}


def scored(parts: Mapping[Part, T], weights: Mapping[Part, float]) -> T:
    """The mean of the parts by their weights: of one track, or of all of them."""
    return sum(weight * parts[part] for part, weight in weights.items()) / sum(weights.values())  # type: ignore[return-value]


def columns(
    overview: Overview, text: Floats, brief: Brief, wanted: Wanted, weights: Mapping[Part, float]
) -> dict[Part, Floats]:
    """The parts that count, of every track, each (n,): what is known of it at once, and a guess of what its windows will show."""
    unknown_tempo = np.isnan(overview.tempo_bpm)
    parts: dict[Part, Floats] = {
        "text": text,
        "energy": _guessed_energy(overview, wanted),
        "length": length_fit(overview, wanted.duration),
        "tempo": tempo_fit(np.asarray(overview.tempo_bpm, np.float64), brief.tempo_bpm),
        "cues": np.where(unknown_tempo, 0.0, 0.5),
        "seams": np.where(np.isnan(overview.ending), 0.5, 0.75),
    }
    if "key" in weights:
        parts["key"] = key_fit(overview.key, brief.key)
    return parts


def with_window(parts: Mapping[Part, float], window: Window) -> dict[Part, float]:
    """The parts of one track, with what its window showed in place of the guesses."""
    shown = {**parts, "energy": window.energy, "seams": 0.5 * window.seams + 0.5 * window.ends}
    return shown if window.cues is None else {**shown, "cues": window.cues}


def tempo_fit(tempo_bpm: Floats, wanted_bpm: float) -> Floats:
    """1 for the tempo itself, 0 for another, and half for the same beats counted twice or half as fast; NaN is not known."""
    octaves = np.log2(np.where(np.isnan(tempo_bpm), wanted_bpm, np.maximum(tempo_bpm, 1.0)) / wanted_bpm)
    whole = np.round(octaves)
    near = np.clip(1.0 - np.abs(octaves - whole) / _TEMPO_REACH, 0.0, 1.0)
    fit = near * np.where(whole == 0, 1.0, np.where(np.abs(whole) == 1, _OTHER_OCTAVE, 0.0))
    return np.where(np.isnan(tempo_bpm), _NO_TEMPO, fit)


def key_fit(keys: npt.NDArray[np.str_], wanted: str) -> Floats:
    """1 for the key itself, 0.9 for its relatives, less by every step on the circle of fifths; an empty key is not known."""
    told, place = np.unique(keys, return_inverse=True)
    return np.asarray(np.array([_key_fit(str(key), Key.parse(wanted)) for key in told])[place], np.float64)


def _key_fit(key: str, wanted: Key) -> float:
    try:
        own = Key.parse(key)
    except ValueError:
        return _NO_KEY
    steps = abs(_signature(own) - _signature(wanted))
    if own.tonic != wanted.tonic and not steps:
        return _RELATIVE
    return _FIFTHS[min(steps, 12 - steps)]


# How many fifths a mode lies below the major scale on the same tonic.
_FLATTER = {"lydian": -1, "major": 0, "mixolydian": 1, "dorian": 2, "minor": 3, "phrygian": 4}


def _signature(key: Key) -> int:
    """Where the scale lies on the circle of fifths, 0 to 11."""
    return (7 * key.tonic - _FLATTER[key.mode]) % 12


def length_fit(overview: Overview, duration: float) -> Floats:
    """1 for a track that lasts as long as the film; for a shorter one its share of it, less where it cannot well be repeated."""
    share = _share(overview, duration)
    most = np.where(np.isnan(overview.tempo_bpm), _UNEXTENDED, _EXTENDED)
    return np.asarray(np.where(share >= 1.0, 1.0, most * share), np.float64)


def lasting(overview: Overview, duration: float) -> Floats:
    """What is left of the score of each track, 1 or less where the film would hear it more than `_NOT_TIRING` times."""
    return np.asarray(_TIRING + (1.0 - _TIRING) * np.minimum(_NOT_TIRING * _share(overview, duration), 1.0), np.float64)


def _share(overview: Overview, duration: float) -> Floats:
    """Of a film this long, the share that each track lasts."""
    return np.clip((overview.stops - overview.begins + _NEARLY) / duration, 0.0, 1.0)


def _guessed_energy(overview: Overview, wanted: Wanted) -> Floats:
    """By the mean and the spread of the whole track's energy: a window of it will be at most that near."""
    apart = np.abs(overview.energy - float(wanted.energy.mean())) + np.abs(
        overview.energy_spread - float(wanted.energy.std())
    )
    return np.asarray(np.clip(1.0 - apart / _GUESSED_WORST, 0.0, 1.0), np.float64)


def relative(likeness: Floats, spread: float) -> Floats:
    """How near each likeness comes to the best: 1 for that, 0 for what is `spread` or more below it."""
    if not likeness.size:
        return likeness
    return np.asarray(np.clip(1.0 - (likeness.max() - likeness) / spread, 0.0, 1.0))
