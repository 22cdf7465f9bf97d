"""Levels: how loud each part is over time, in dB on top of its gain: the sections' energy, the breath before hits, the pump."""

from collections.abc import Sequence

import numpy as np

from reelscore.compose.accents import STRONG, Hit
from reelscore.compose.arrange import Draft
from reelscore.compose.form import Form
from reelscore.vocabulary import INSTRUMENTS

# How long a note counts as sounding, in seconds, and how its power grows with its velocity.
RING = {"held": 30.0, "struck": 0.7, "drums": 0.18}
VELOCITY_POWER = 3.0
# The most that a level may turn down.
MOST_HELP_DB = 9.0

Curve = list[tuple[float, float]]


def written_curve(form: Form, span_lu: float) -> Curve:
    """The form's energy as a level: `span_lu` between an energy of 0.3 and 0.95; builds grow, the rest turns quickly."""
    return _over_phrases(form, [(_level(p.energy, span_lu), _level(p.energy_to, span_lu)) for p in form.phrases])


def section_curve(form: Form, drafts: Sequence[Draft], span_lu: float) -> Curve:
    """The level that takes every section to its written loudness, whatever the number and force of those who play in it.

    What the arrangement makes of a section is estimated from its notes; only what is missing, or too much, is put on top.
    The section that needs the least help stands at 0 dB.
    """
    estimates = _estimated_db(form, drafts)
    wanted: dict[int, list[float]] = {}
    for phrase in form.phrases:
        wanted.setdefault(phrase.section_number, []).append(_level((phrase.energy + phrase.energy_to) / 2, span_lu))
    means = {number: float(np.mean(levels)) for number, levels in wanted.items()}
    helped = {number: means[number] - estimates[number] for number in means}
    top = max(helped.values(), default=0.0)
    levels: list[tuple[float, float]] = []
    for phrase in form.phrases:
        number = phrase.section_number
        ground = max(helped[number] - top, -MOST_HELP_DB)
        # Within a section the players grow too: the level does half of it.
        ends = [0.5 * (_level(energy, span_lu) - means[number]) for energy in (phrase.energy, phrase.energy_to)]
        levels.append((ground + ends[0], ground + ends[1]))
    return _over_phrases(form, levels)


def _over_phrases(form: Form, levels: Sequence[tuple[float, float]]) -> Curve:
    times_at = form.tempo_map.time_at
    curve: Curve = []
    for phrase, (opens, closes) in zip(form.phrases, levels, strict=True):
        start, end = times_at(phrase.start), times_at(phrase.end)
        turn = min(0.25, (end - start) / 4)
        curve.append((start, opens))
        curve.append((end - turn, closes))
    return curve or [(0.0, 0.0)]


def _estimated_db(form: Form, drafts: Sequence[Draft]) -> dict[int, float]:
    """How loud each section's notes will be together: power over time, by gain, velocity and how long a note sounds."""
    spans: dict[int, tuple[float, float]] = {}
    for phrase in form.phrases:
        begun = spans.get(phrase.section_number, (form.tempo_map.time_at(phrase.start), 0.0))[0]
        spans[phrase.section_number] = (begun, form.tempo_map.time_at(phrase.end))
    powers = dict.fromkeys(spans, 1e-6)
    for draft in drafts:
        facts = INSTRUMENTS[draft.chair.instrument]
        longest = RING["drums" if facts.drums else "held" if facts.sustained else "struck"]
        weight = 10.0 ** (draft.chair.layer.gain_db / 10.0)
        notes = [note for note in draft.notes if not note.cue]
        starts = np.array([note.start for note in notes])
        power = np.array([note.velocity**VELOCITY_POWER * min(note.duration, longest) for note in notes])
        for number, (start, end) in spans.items():
            inside = (starts >= start - 0.05) & (starts < end - 0.05)
            powers[number] += weight * float(power[inside].sum()) / max(end - start, 0.1)
    return {number: 10.0 * float(np.log10(power)) for number, power in powers.items()}


def _level(energy: float, span_lu: float) -> float:
    return span_lu * (min(max(energy, 0.1), 1.0) - 0.95) / 0.65


def breath_curve(hits: Sequence[Hit]) -> Curve:
    """A dip before each hit that has a breath, deep before strong ones, over by the time of the hit."""
    curve: Curve = []
    for hit in hits:
        depth = -6.0 if hit.strength >= STRONG else -2.5
        start = hit.time - hit.breath
        if hit.breath < 0.03 or start < 0:
            continue
        curve += [(start, 0.0), (start + hit.breath * 0.6, depth), (hit.time - 0.015, depth), (hit.time - 0.005, 0.0)]
    return curve


def last_breath(form: Form, sustained: bool) -> Curve:
    """The diminuendo of the final chord, as a bow or a breath runs out, with the hall still by the last frame.

    What is struck dies away by itself and is only seen off at the end.
    """
    ring = form.duration - form.ending
    if ring < 0.6:
        return []
    held = ((0.25, 0.0), (0.5, -4.5), (0.7, -10.0), (0.83, -19.0), (0.92, -36.0), (1.0, -66.0))
    struck = ((0.6, 0.0), (0.8, -4.0), (0.92, -20.0), (1.0, -66.0))
    return [(form.ending + part * ring, level) for part, level in (held if sustained else struck)]


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
