"""Levels: how loud each part is over time, in dB on top of its gain: the sections' energy, the breath before hits, the pump."""

from collections.abc import Sequence

import numpy as np

from reelscore.compose.accents import Hit
from reelscore.compose.form import Form

Curve = list[tuple[float, float]]


def section_curve(form: Form, range_db: float) -> Curve:
    """The form's energy as a level: `range_db` between an energy of 0.25 and 0.95; builds grow, the rest turns quickly."""
    times_at = form.tempo_map.time_at
    curve: Curve = []
    for phrase in form.phrases:
        start, end = times_at(phrase.start), times_at(phrase.end)
        turn = min(0.25, (end - start) / 4)
        curve.append((start, _level(phrase.energy, range_db)))
        curve.append((end - turn, _level(phrase.energy_to, range_db)))
    if not curve:
        return [(0.0, _level(0.6, range_db))]
    return curve


def _level(energy: float, range_db: float) -> float:
    return range_db * (min(max(energy, 0.1), 1.0) - 0.95) / 0.7


def breath_curve(hits: Sequence[Hit]) -> Curve:
    """A dip before each hit, deeper for stronger ones, over by the time of the hit."""
    curve: Curve = []
    for hit in hits:
        depth = -(2.0 + 5.0 * hit.strength)
        start = hit.time - hit.breath
        if hit.breath < 0.03 or start < 0:
            continue
        curve += [(start, 0.0), (start + hit.breath * 0.5, depth), (hit.time - 0.02, depth), (hit.time - 0.007, 0.0)]
    return curve


def last_breath(form: Form, depth_db: float = 14.0) -> Curve:
    """The diminuendo of the final chord, as a bow or a breath runs out: so the hall, too, is still by the last frame."""
    ring = form.duration - form.ending
    if ring < 0.6:
        return []
    return [(form.ending + 0.25 * ring, 0.0), (form.ending + 0.8 * ring, -depth_db)]


def pump_curve(form: Form, depth_db: float, starts: Sequence[float]) -> Curve:
    """Ducks after every kick, as a compressor keyed by it would."""
    curve: Curve = []
    edge = -1.0
    for start in starts:
        if start < edge or start >= form.ending:
            continue
        curve += [(start, 0.0), (start + 0.015, -depth_db), (start + 0.09, -depth_db * 0.7), (start + 0.26, 0.0)]
        edge = start + 0.27
    return curve


def levels_for(curves: Sequence[Curve], end: float) -> tuple[tuple[float, float], ...]:
    """The sum of several curves as one list of breakpoints."""
    used = [curve for curve in curves if curve]
    if not used:
        return ()
    times = np.unique(np.round(np.concatenate([[time for time, _ in curve] for curve in used]), 4))
    times = times[(times >= 0) & (times <= end)]
    total = sum(np.interp(times, [time for time, _ in curve], [level for _, level in curve]) for curve in used)
    return tuple((float(time), round(float(level), 2)) for time, level in zip(times, total, strict=True))
