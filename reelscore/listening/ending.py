"""How a recording begins and ends.

A real ending is a final chord: something begins at about the level of the whole, and from then on the sound only dies away. Where
things go on to begin while all grows softer, the recording is faded out; that is an end, but no chord that a cut could lead to, and
`ending` is None. Where the sound is still there when it stops, it is cut.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from reelscore.audio import Samples
from reelscore.listening.curves import LEVEL_STEP, Curves, curves_of, sounding
from reelscore.loudness import integrated, lufs
from reelscore.tempo import Floats

Manner = Literal["chord", "fade", "cut", "silent"]

_CUT_LU = -18.0  # against the body: what stops from here up has been cut
_BODY_LU = -14.0  # a final chord begins within this of the body
_LAST = 0.15  # seconds before the end that tell whether it was cut
_ATTACK = 0.3  # seconds within which a chord reaches its level
_SHORTEST, _LONGEST = 0.3, 15.0  # seconds of a final chord
_BEFORE, _FADING_LU = 8.0, -6.0  # a chord so far below the seconds before it is part of a fade-out
_FEW = 2  # beginnings that may still come while a chord dies away: an echo, a key let go
_WEAK = 0.15  # of the strongest beginning of the last seconds: below it is the shimmer of what dies away
_ECHO = 0.6  # of a chord's strength that a later beginning may have
_LEAST_DB = 0.7  # of onset strength, that something begins
_USUAL = 0.25  # of the strength of strong beginnings, the same


@dataclass(frozen=True)
class Ends:
    """Where sound begins and stops, in seconds, and in which manner it does: with a final chord, faded out, or cut.

    `ending` is where the final chord begins, None without one.
    """

    begins: float
    stops: float
    ending: float | None
    manner: Manner


def ends_of(samples: Samples, rate: int) -> Ends:
    """How a sound (channels, n) begins and ends."""
    return ends_in(curves_of(samples, rate))


def ends_in(curves: Curves) -> Ends:
    """How a sound whose curves are known begins and ends."""
    level_lufs = lufs(curves.energies)
    begins, stops = sounding(curves)
    if begins >= stops:
        return Ends(0.0, 0.0, None, "silent")
    body_lufs = integrated(curves.energies, LEVEL_STEP)
    last = slice(_step(stops - _LAST - LEVEL_STEP), _step(stops - LEVEL_STEP))
    if not np.isfinite(body_lufs) or level_lufs[last].max(initial=-np.inf) > body_lufs + _CUT_LU:
        return Ends(begins, stops, None, "cut")
    chord = _final_chord(curves, level_lufs, body_lufs, stops)
    return Ends(begins, stops, chord, "fade" if chord is None else "chord")


def _final_chord(curves: Curves, level_lufs: Floats, body_lufs: float, stops: float) -> float | None:
    """Where it begins: the last that clearly begins, at a level that is not already falling; None in a fade-out."""
    onsets, strengths = _onsets(curves, stops)
    reached = np.array([level_lufs[_step(each) : _step(each + _ATTACK) + 1].max() for each in onsets])
    for number in range(len(onsets) - 1, max(-1, len(onsets) - 2 - _FEW), -1):
        chord, strength = float(onsets[number]), strengths[number]
        if strength * _ECHO < strengths[number + 1 :].max(initial=0.0):
            return None
        before = reached[(onsets < chord) & (onsets > chord - _BEFORE)]
        least_lufs = max(body_lufs + _BODY_LU, float(np.median(before)) + _FADING_LU if len(before) else -np.inf)
        if reached[number] >= least_lufs and _SHORTEST <= stops - chord <= _LONGEST:
            return chord
    return None


def _onsets(curves: Curves, stops: float) -> tuple[Floats, Floats]:
    """The times before `stops` at which something clearly begins, and how strongly it does."""
    from librosa.util import peak_pick

    strength = curves.onsets.mean(axis=0)[: round(stops / curves.hop)]
    if not strength.any():
        return np.zeros(0), np.zeros(0)
    peaks = peak_pick(strength, pre_max=5, post_max=6, pre_avg=20, post_avg=21, delta=_LEAST_DB / 2, wait=8)
    usual = float(np.percentile(strength[peaks], 90)) if len(peaks) else 0.0
    latest = float(strength[-round(_BEFORE / curves.hop) :].max())
    clear = peaks[strength[peaks] > max(_LEAST_DB, _USUAL * usual, _WEAK * latest)]
    return np.asarray(clear * curves.hop), strength[clear]


def _step(time: float) -> int:
    return max(0, round(time / LEVEL_STEP))
