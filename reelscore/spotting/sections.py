"""Where the music turns: sections at the film's changes of scene, with their letters, roles, energy and emotion.

A section lasts at least 4 s. It begins where the scene changes, not at each cut; in long static stretches it begins after
whole phrases of bars, and such a free beginning may be moved to a downbeat once the tempo map is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log2
from typing import Literal

import numpy as np

from reelscore.analysis.facts import Analysis, Shot
from reelscore.brief import Section
from reelscore.spotting.emotion import Emotion, Floats, Look, emotion, film_pace, look_between, look_emotion
from reelscore.tempo import TempoMap

Role = Literal["intro", "theme", "build", "climax", "breakdown", "outro"]

SHORTEST = 4.0
_LONGEST = 45.0
_ONE_SECTION = 8.0  # films shorter than this have a single section
_STATIC = 16.0  # stretches without any cut that are longer than this may be divided freely


@dataclass(frozen=True)
class Turn:
    """A place where a section may begin; `strength` says how much the film asks for it. A free turn follows no picture."""

    time: float
    strength: float
    free: bool = False


def turns(analysis: Analysis, bar: float) -> list[Turn]:
    """Every place where a section may begin, in order: the shots, and in long shots every second bar (`bar` in seconds)."""
    usable = [shot for shot in analysis.shots if 0 < shot.start < analysis.duration]
    found = [Turn(shot.start, _scene_strength(shot)) for shot in usable]
    edges = [0.0, *(turn.time for turn in found), analysis.duration]
    for start, end in pairwise(edges):
        if end - start > _STATIC:
            found += _free_turns(analysis, start, end, bar)
    return sorted(found, key=lambda turn: turn.time)


def _scene_strength(shot: Shot) -> float:
    """How much a shot looks like a new scene: by how different it is; a fade or dissolve says that time goes by, a view seen before that it does not."""
    gradual = {"fade": 0.35, "dissolve": 0.2}.get(shot.opens_with, 0.0)
    returning = 0.35 if shot.returns_to is not None else 0.0
    return min(1.0, max(0.0, shot.change + gradual - returning))


def _free_turns(analysis: Analysis, start: float, end: float, bar: float) -> list[Turn]:
    """Turns inside a stretch without cuts: on every second bar, better on every fourth, better still where movement changes."""
    found = []
    for number in range(2, int((end - start) / bar), 2):
        time = start + number * bar
        if end - time < SHORTEST:
            break
        novelty = abs(_motion(analysis, time, time + 4.0) - _motion(analysis, time - 4.0, time))
        found.append(Turn(time, 0.12 - 0.1 * (number % 4 > 0) + min(0.2, novelty), free=True))
    return found


def _motion(analysis: Analysis, start: float, end: float) -> float:
    return look_between(analysis, max(0.0, start), min(end, analysis.duration)).motion


def divide(duration: float, candidates: Sequence[Turn]) -> list[Turn]:
    """The turns at which sections begin, the first at 0: together they ask for most while sections keep a musical length.

    The best division is found over all of them (dynamic programming); no section is shorter than 4 s, and none longer than
    45 s where there is any turn to divide it at.
    """
    opening = Turn(0.0, 1.0)
    if duration < _ONE_SECTION:
        return [opening]
    inner = [turn for turn in candidates if SHORTEST <= turn.time <= duration - SHORTEST]
    places = [opening, *inner, Turn(duration, 0.0)]
    times = np.array([turn.time for turn in places])
    ideal = min(max(duration / 4.0, 6.0), 22.0)
    best, came_from = [0.0] + [-inf] * (len(places) - 1), [0] * len(places)
    for here in range(1, len(places)):
        asked = 1.6 * (places[here].strength - 0.38) if here < len(places) - 1 else 0.0
        first = int(np.searchsorted(times, times[here] - 1.5 * _LONGEST))
        for before in range(max(0, first - 1), here):
            value = best[before] + asked - _length_cost(times[here] - times[before], ideal)
            if value > best[here]:
                best[here], came_from[here] = value, before
    chosen, place = [], came_from[-1]
    while place:
        chosen.append(places[place])
        place = came_from[place]
    return [opening, *reversed(chosen)]


def _length_cost(length: float, ideal: float) -> float:
    if length < SHORTEST:
        return inf
    return 0.8 * log2(length / ideal) ** 2 + (3.0 + length / _LONGEST if length > _LONGEST else 0.0)


@dataclass(frozen=True)
class Stretch:
    """One section as the film has it, before it is given its part in the form."""

    start: float
    end: float
    look: Look
    pace: float


def stretches(analysis: Analysis, division: Sequence[Turn]) -> list[Stretch]:
    """The film between the turns of a division."""
    paces = film_pace(analysis.shots)
    edges = [turn.time for turn in division] + [analysis.duration]
    found = []
    for start, end in pairwise(edges):
        inside = [
            pace for shot, pace in zip(analysis.shots, paces, strict=True) if shot.start < end and shot.end > start
        ]
        found.append(Stretch(start, end, look_between(analysis, start, end), float(np.mean(inside)) if inside else 0.0))
    return found


@dataclass(frozen=True)
class Dynamics:
    """The range that the energy of the sections may use."""

    least: float
    most: float


def dynamics_of(wanted: Emotion, energy: float | None) -> Dynamics:
    """0.3 to 0.9 for an ordinary film, less for a calm one; `energy` is what the person said (−1.5 to 1.5)."""
    asked = energy or 0.0
    most = min(max(0.9 + 0.35 * min(wanted.arousal, 0.0) + 0.1 * max(wanted.arousal, 0.0) + 0.15 * asked, 0.35), 1.0)
    least = min(max(0.3 + 0.12 * min(wanted.arousal, 0.0) + 0.1 * asked, 0.1), most - 0.2)
    return Dynamics(least, most)


def sections_of(film: Sequence[Stretch], wanted: Emotion, dynamics: Dynamics) -> tuple[Section, ...]:
    """The sections of the brief: with one climax where there are three or more, and the whole emotion centred on `wanted`.

    Energy follows the film's own movement and pace as far as it has any, and the arc of a piece otherwise.
    """
    seen = [look_emotion(stretch.look) for stretch in film]
    drive = np.array(
        [felt.arousal + 0.15 * max(-2.0, min(2.0, stretch.pace)) for felt, stretch in zip(seen, film, strict=True)]
    )
    length = np.array([stretch.end - stretch.start for stretch in film])
    contrast = float(np.clip(np.ptp(drive) / 0.4, 0, 1))
    energy, climax = _energies(film, drive, contrast, dynamics)
    roles = _roles(drive, energy, climax, contrast)
    for number, role in enumerate(roles):
        if role == "breakdown":
            energy[number] = min(energy[number], dynamics.least + 0.3 * (dynamics.most - dynamics.least))
    mean = [float(np.average([getattr(felt, scale) for felt in seen], weights=length)) for scale in _SCALES]
    mean_energy = float(np.average(energy, weights=length))
    sections = []
    for stretch, felt, letter, role, amount in zip(film, seen, letters(film), roles, energy, strict=True):
        livelier = 0.5 * (float(amount) - mean_energy)
        here = emotion(
            wanted.valence + 0.6 * (felt.valence - mean[0]),
            wanted.arousal + 0.5 * (felt.arousal - mean[1]) + livelier,
            wanted.tension + 0.6 * (felt.tension - mean[2]) + (0.15 if role == "build" else 0.0),
        )
        sections.append(
            Section(
                start=stretch.start,
                end=stretch.end,
                letter=letter,
                role=role,
                energy=round(float(amount), 3),
                valence=round(here.valence, 3),
                arousal=round(here.arousal, 3),
                tension=round(here.tension, 3),
            )
        )
    return tuple(sections)


_SCALES = ("valence", "arousal", "tension")


def _energies(film: Sequence[Stretch], drive: Floats, contrast: float, dynamics: Dynamics) -> tuple[Floats, int]:
    """The energy of each section within `dynamics`, and which one is the climax."""
    count, duration = len(film), film[-1].end
    if count == 1:
        return np.array([0.4 * dynamics.least + 0.6 * dynamics.most]), 0
    own = (drive - drive.min()) / max(float(np.ptp(drive)), 1e-9)
    middles = np.array([(stretch.start + stretch.end) / 2 for stretch in film]) / duration
    arc = np.interp(middles, [0.0, 0.45, 0.72, 1.0], [0.0, 0.6, 1.0, 0.35])
    share = 0.25 + 0.45 * contrast
    shape = share * own + (1.0 - share) * arc
    late_enough = shape - 0.25 * (middles < 1 / 3)
    if count >= 3:
        late_enough[0] -= 2.0
    if count >= 4:
        late_enough[-1] -= 2.0
    climax = int(np.argmax(late_enough))
    others = np.delete(shape, climax)
    low, high = float(others.min()), max(float(others.max()), float(others.min()) + 1e-9)
    top = dynamics.most - 0.12 * (dynamics.most - dynamics.least)
    energy = dynamics.least + (shape - low) / (high - low) * (top - dynamics.least)
    if high - low < 1e-6:
        energy = np.full(count, dynamics.least)
    energy[climax] = dynamics.most
    return np.clip(energy, dynamics.least, dynamics.most), climax


def _roles(drive: Floats, energy: Floats, climax: int, contrast: float) -> list[Role]:
    count = len(drive)
    roles: list[Role] = ["theme"] * count
    if count == 1:
        return roles
    if count == 2:
        return ["intro" if energy[0] < 0.45 else "theme", "climax"] if climax == 1 else ["theme", "outro"]
    roles[climax] = "climax"
    if climax != 0 and energy[0] <= np.median(energy):
        roles[0] = "intro"
    if climax != count - 1:
        roles[-1] = "outro"
    before = climax - 1
    if before >= 1:
        dips = drive[before] < drive[before - 1] - 0.1
        roles[before] = "breakdown" if dips or (contrast < 0.3 and count >= 6) else "build"
    return roles


def letters(film: Sequence[Stretch]) -> list[str]:
    """A letter for each section: the same where the pictures look alike, but never three times running, and four at most."""
    models: list[Floats] = []
    found: list[int] = []
    for stretch in film:
        look = stretch.look
        model = np.array([look.motion, look.brightness, look.saturation, look.contrast, look.warmth])
        apart = [float(np.abs(model - other).sum()) for other in models]
        number = int(np.argmin(apart)) if apart else 0
        if not apart or (apart[number] > 0.3 and len(models) < 4):
            number = len(models)
            models.append(model)
        if found[-2:] == [number, number]:
            number = 1 if number == 0 else 0
            if number == len(models):
                models.append(model)
        found.append(number)
    return [chr(ord("A") + number) for number in found]


def on_downbeats(sections: Sequence[Section], division: Sequence[Turn], tempo_map: TempoMap) -> tuple[Section, ...]:
    """The same sections with every free beginning moved to the nearest downbeat; those that the film gave stay."""
    starts = [turn.time for turn in division]
    downbeats = np.asarray(tempo_map.downbeats)
    for number, turn in enumerate(division):
        if turn.free and number:
            after = starts[number + 1] if number + 1 < len(starts) else sections[-1].end
            nearest = float(downbeats[np.argmin(np.abs(downbeats - turn.time))])
            if starts[number - 1] + SHORTEST <= nearest <= after - SHORTEST:
                starts[number] = nearest
    ends = [*starts[1:], sections[-1].end]
    return tuple(
        section.model_copy(update={"start": start, "end": end})
        for section, start, end in zip(sections, starts, ends, strict=True)
    )
