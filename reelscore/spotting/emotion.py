"""Emotion in three numbers, from the picture and into music.

Valence and arousal run from −1 to 1, tension from 0 to 1. What a picture's colour, movement and cutting say is read with
published formulas; how music would have to be played to say the same is found by turning a fitted model of listeners'
ratings round. Everything here is a plain function of numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import log2

import numpy as np
import numpy.typing as npt

from reelscore.analysis.facts import Analysis, Shot
from reelscore.vocabulary import MOODS

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Emotion:
    """Valence and arousal (−1 to 1) and tension (0 to 1)."""

    valence: float
    arousal: float
    tension: float


def emotion(valence: float, arousal: float, tension: float) -> Emotion:
    """An emotion with every number brought into its range."""
    return Emotion(_within(valence, -1, 1), _within(arousal, -1, 1), _within(tension, 0, 1))


def between(one: Emotion, other: Emotion, share: float) -> Emotion:
    """The emotion that lies `share` of the way from `one` to `other`."""
    return emotion(
        one.valence + share * (other.valence - one.valence),
        one.arousal + share * (other.arousal - one.arousal),
        one.tension + share * (other.tension - one.tension),
    )


def distance(one: Emotion, other: Emotion) -> float:
    """How far apart two emotions are; tension counts half."""
    return float(
        np.sqrt(
            (one.valence - other.valence) ** 2
            + (one.arousal - other.arousal) ** 2
            + 0.5 * (one.tension - other.tension) ** 2
        )
    )


# ── From the picture ──────────────────────────────────────────────────────────────────────────────────────────────────

# Mean and spread of brightness and saturation in ordinary footage, against which a film counts as bright or dark.
_BRIGHTNESS = (0.42, 0.17)
_SATURATION = (0.32, 0.18)


@dataclass(frozen=True)
class Look:
    """What a stretch of film looks like: means of the analysis' measures, and the mean length of its shots in seconds.

    `liveliest` is the movement that only a tenth of the stretch exceeds.
    """

    motion: float
    liveliest: float
    brightness: float
    saturation: float
    contrast: float
    warmth: float
    shot_length: float


def colour_emotion(brightness: float, saturation: float, contrast: float, warmth: float) -> Emotion:
    """What colour says: P = .69 B + .22 S and A = −.31 B + .60 S on standard scores, clipped at ±2 and halved.

    Valdez & Mehrabian 1994, J. Exp. Psychol. Gen. 123(4):394–409. Reds excite a little more (Wilms & Oberfeld 2018);
    darkness and hard contrast add tension.
    """
    if saturation < 0.03:
        # Black and white is a choice of style and no lack of joy.
        saturation = _SATURATION[0]
    bright = _within((brightness - _BRIGHTNESS[0]) / _BRIGHTNESS[1], -2, 2) / 2
    saturated = _within((saturation - _SATURATION[0]) / _SATURATION[1], -2, 2) / 2
    return emotion(
        0.69 * bright + 0.22 * saturated,
        -0.31 * bright + 0.60 * saturated + 0.15 * warmth,
        0.1 + 0.8 * max(0.0, 0.35 - brightness) + 0.3 * max(0.0, contrast - 0.4),
    )


def motion_arousal(motion: float) -> float:
    """Arousal of movement on the screen: −1 where nothing moves, 1 where everything does (Hanjalic & Xu 2005: it rises with it)."""
    return _within(2.2 * max(motion, 0.0) ** 0.6 - 1.0, -1, 1)


def cutting_arousal(shot_length: float) -> float:
    """Arousal of the cutting: 0 at five seconds a shot, 1 at a second and a quarter, −1 at twenty seconds."""
    return _within(log2(5.0 / max(shot_length, 0.05)) / 2.0, -1, 1)


def look_emotion(look: Look) -> Emotion:
    """What a stretch of film says by colour, movement and cutting together."""
    colour = colour_emotion(look.brightness, look.saturation, look.contrast, look.warmth)
    moving = motion_arousal(0.6 * look.motion + 0.4 * look.liveliest)
    arousal = 0.5 * moving + 0.35 * cutting_arousal(look.shot_length) + 0.3 * colour.arousal
    # Fast and dark together is danger; fast and bright is fun.
    danger = max(0.0, arousal) * max(0.0, -colour.valence)
    return emotion(
        0.75 * colour.valence + 0.15 * look.warmth + 0.12 - 0.3 * danger, arousal, colour.tension + 0.5 * danger
    )


def look_between(analysis: Analysis, start: float, end: float) -> Look:
    """The means of the analysis' measures from `start` to `end`: from its curves, else from its shots, else an ordinary look."""
    curves = analysis.curves
    first = int(start / curves.step) if curves.step > 0 else 0
    last = max(first + 1, round(end / curves.step)) if curves.step > 0 else 0
    shots = [shot for shot in analysis.shots if shot.start < end and shot.end > start]
    measures = {}
    for name, ordinary in (
        ("motion", 0.2),
        ("brightness", _BRIGHTNESS[0]),
        ("saturation", _SATURATION[0]),
        ("contrast", 0.5),
        ("warmth", 0.0),
    ):
        along = getattr(curves, name)[first:last]
        if along:
            measures[name] = float(np.mean(along))
        elif shots:
            weights = [min(shot.end, end) - max(shot.start, start) for shot in shots]
            measures[name] = float(np.average([getattr(shot, name) for shot in shots], weights=weights))
        else:
            measures[name] = ordinary
    along = curves.motion[first:last]
    liveliest = float(np.quantile(along, 0.9)) if along else measures["motion"]
    return Look(liveliest=liveliest, shot_length=_shot_length(shots), **measures)


def _shot_length(shots: Sequence[Shot]) -> float:
    """Mean length of these shots, as if one of five seconds were among them: a single short shot says little of the cutting."""
    return (sum(shot.end - shot.start for shot in shots) + 5.0) / (len(shots) + 1)


def film_pace(shots: Sequence[Shot]) -> Floats:
    """Pace of each shot: how much shorter than the median it is, plus half of how much more moves than on average.

    In standard deviations, smoothed over neighbouring shots. Adams, Dorai & Venkatesh 2002, IEEE Trans. Multimedia 4(4).
    """
    if not shots:
        return np.zeros(0)
    lengths = np.array([shot.end - shot.start for shot in shots])
    motions = np.array([shot.motion for shot in shots])
    pace = (np.median(lengths) - lengths) / max(float(lengths.std()), 1e-6)
    pace = pace + 0.5 * (motions - motions.mean()) / max(float(motions.std()), 1e-6)
    around = np.exp(-0.5 * np.arange(-3, 4) ** 2)
    weight = np.convolve(np.ones(len(pace)), around, "full")[3 : 3 + len(pace)]
    return np.asarray(np.convolve(pace, around, "full")[3 : 3 + len(pace)] / weight)


# ── Into music ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Manner:
    """How music is played: mode, notes in a second, register (MIDI note), level (dB), articulation (1 legato to 4 staccato), timbre."""

    major: bool
    notes_per_second: float
    register: float
    level_db: float
    articulation: float
    timbre: str


# Ratings from 1 to 7 as linear in the cues: constant, major, notes per second, register, level, articulation, trumpet, horn.
_RATINGS = {
    "happy": (-2.07, 1.789, 0.258, 0.039, -0.003, 0.185, -0.083, 0.041),
    "sad": (5.92, -1.673, -0.293, -0.009, -0.012, -0.207, -0.227, -0.319),
    "scary": (5.68, -0.771, 0.062, -0.050, 0.052, -0.036, 0.516, 0.403),
    "peaceful": (2.14, 0.417, -0.219, 0.024, -0.050, -0.094, -0.719, -0.841),
}
_CUES = (
    (False, True),
    (1.2, 2.0, 2.8, 4.4, 6.0),
    (53.0, 59.0, 65.0, 71.0, 77.0, 83.0),
    (-10.0, -5.0, 0.0, 5.0, 10.0),
    (1.0, 2.0, 3.0, 4.0),
    ("flute", "horn", "trumpet"),
)


def predicted_ratings(manner: Manner) -> dict[str, float]:
    """How happy, sad, scary and peaceful listeners would call music played like this, from 1 to 7.

    Linear model fitted to the public ratings of Eerola, Friberg & Bresin 2013 (Front. Psychol. 4:487; doi:10.7910/DVN/IFOBRN,
    CC0); it explains 80 to 89 % of their variance.
    """
    cues = _numbers(manner)
    return {name: float(cues @ np.array(weights)) for name, weights in _RATINGS.items()}


def predicted_emotion(manner: Manner) -> Emotion:
    """The emotion that listeners would hear, each scale stretched to what the model can reach at all."""
    return Emotion(*(float(value) for value in _felt(_numbers(manner)[None, :])[0]))


def manner_for(wanted: Emotion, previous: Manner | None = None) -> Manner:
    """The way of playing whose predicted emotion lies nearest to `wanted`, out of 3,600; near `previous` where that costs little."""
    manners, cues, felt = _all_manners()
    target = np.array([wanted.valence, wanted.arousal, wanted.tension])
    cost = ((felt - target) ** 2) @ np.array([1.0, 1.0, 0.5])
    if previous is not None:
        spread = cues.std(axis=0) + 1e-9
        cost = cost + 0.01 * (((cues - _numbers(previous)) / spread) ** 2).sum(axis=1)
    return manners[int(np.argmin(cost))]


def tempo_for(arousal: float) -> float:
    """The tempo of an arousal in BPM: 84 at rest, about 1.9 times as fast for each step of 1, held between 56 and 168."""
    return _within(84.0 * 2.0 ** (0.9 * arousal), 56.0, 168.0)


# How often a melody in each mode was judged the happier of two: Temperley & Tan 2013, Music Percept. 30(3):237–257.
MODE_BRIGHTNESS = {
    "major": 0.83,
    "mixolydian": 0.64,
    "lydian": 0.58,
    "dorian": 0.40,
    "minor": 0.34,
    "phrygian": 0.21,
}


def mode_for(wanted: Emotion, modes: Sequence[str]) -> str:
    """The one of `modes` that is as bright as `wanted` is pleasant, and on the side (major or minor) that the model would take."""
    bright = 0.52 + 0.31 * wanted.valence
    major = manner_for(wanted).major
    return min(
        modes, key=lambda mode: abs(MODE_BRIGHTNESS[mode] - bright) + 0.12 * (major != (MODE_BRIGHTNESS[mode] > 0.5))
    )


def mood_emotion(mood: str, degree: float = 1.0) -> Emotion:
    """Where a mood of the vocabulary lies; `degree` below 1 brings it nearer to nothing at all, above 1 takes it further."""
    table = MOODS[mood]
    return emotion(table.valence * degree, table.arousal * degree, 0.15 + (table.tension - 0.15) * degree)


def nearest_moods(wanted: Emotion, without: Sequence[str] = ()) -> list[str]:
    """All moods of the vocabulary but those in `without`, the nearest first."""
    return sorted(
        (mood for mood in MOODS if mood not in without), key=lambda mood: distance(wanted, mood_emotion(mood))
    )


def _numbers(manner: Manner) -> Floats:
    return np.array(
        [
            1.0,
            float(manner.major),
            manner.notes_per_second,
            manner.register,
            manner.level_db,
            manner.articulation,
            float(manner.timbre == "trumpet"),
            float(manner.timbre == "horn"),
        ]
    )


def _raw_feeling(cues: Floats) -> Floats:
    """Valence, arousal and fear before stretching; rows as in `cues`."""
    happy, sad, scary, peaceful = (cues @ np.array(_RATINGS[name]) for name in ("happy", "sad", "scary", "peaceful"))
    return np.stack([(happy + peaceful - sad - scary) / 2, (happy + scary - sad - peaceful) / 2, scary], axis=1)


def _felt(cues: Floats) -> Floats:
    low, high = _reach()
    share = (_raw_feeling(cues) - low) / (high - low)
    return np.asarray(share * np.array([2.0, 2.0, 1.0]) - np.array([1.0, 1.0, 0.0]))


@cache
def _reach() -> tuple[Floats, Floats]:
    """The least and the most of each scale that any way of playing reaches."""
    raw = _raw_feeling(np.stack([_numbers(Manner(*cues)) for cues in product(*_CUES)]))
    return raw.min(axis=0), raw.max(axis=0)


@cache
def _all_manners() -> tuple[list[Manner], Floats, Floats]:
    manners = [Manner(*cues) for cues in product(*_CUES)]
    cues = np.stack([_numbers(manner) for manner in manners])
    return manners, cues, _felt(cues)


def _within(value: float, low: float, high: float) -> float:
    return float(min(max(value, low), high))
