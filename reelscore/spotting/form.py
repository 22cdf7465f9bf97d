"""The form of the piece: the letters, roles, energy and emotion of its sections.

Energy follows the film's own movement and pace as far as these differ, and the arc of a piece where they do not: it rises
to one climax at about seven tenths and comes to rest at the end; a long film has such an arc in every chapter as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from reelscore.analysis.facts import Analysis
from reelscore.brief import Section
from reelscore.spotting.emotion import Emotion, Floats, Look, between, emotion, film_pace, look_between, look_emotion
from reelscore.spotting.sections import Turn
from reelscore.spotting.telling import Told, coloured, told_between

Role = Literal["intro", "theme", "build", "climax", "breakdown", "outro"]

_CHAPTER = 6  # sections in a chapter of a long piece
_LONG = 9  # a piece with more sections than this has chapters
_ALIKE = 0.3  # stretches whose measures differ by less in all look alike
_MOST_LETTERS = 4


@dataclass(frozen=True)
class Stretch:
    """One section as the film has it, before it is given its part in the form."""

    start: float
    end: float
    look: Look
    pace: float
    told: Told | None = None

    @property
    def felt(self) -> Emotion:
        """What it says by its look, and a little by the words of its captions."""
        return coloured(look_emotion(self.look), self.told)


@dataclass(frozen=True)
class Wanted:
    """What somebody who read the film wants of one section: an emotion, and how much goes on in it (0 to 1); None is no wish.

    `share` is how much of the section's own emotion gives way.
    """

    emotion: Emotion | None = None
    energy: float | None = None
    share: float = 0.6


def stretches(analysis: Analysis, division: Sequence[Turn]) -> list[Stretch]:
    """The film between the turns of a division."""
    paces = film_pace(analysis.shots)
    edges = [turn.time for turn in division] + [analysis.duration]
    found = []
    for start, end in pairwise(edges):
        inside = [
            pace for shot, pace in zip(analysis.shots, paces, strict=True) if shot.start < end and shot.end > start
        ]
        pace = float(np.mean(inside)) if inside else 0.0
        told = told_between(analysis.captions, start, end)
        found.append(Stretch(start, end, look_between(analysis, start, end), pace, told))
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


def sections_of(
    film: Sequence[Stretch], wanted: Emotion, dynamics: Dynamics, each: Sequence[Wanted] = ()
) -> tuple[Section, ...]:
    """The sections of the brief: with one climax where there are three or more, and the whole emotion centred on `wanted`.

    `each` has what is wanted of every single section, where somebody said so.
    """
    seen = [stretch.felt for stretch in film]
    paces = [min(max(stretch.pace, -2.0), 2.0) for stretch in film]
    drive = np.array([felt.arousal + 0.15 * pace for felt, pace in zip(seen, paces, strict=True)])
    contrast = float(np.clip(np.ptp(drive) / 0.4, 0, 1))
    shape = _shape(film, drive, contrast)
    if each:
        shape, contrast = _as_told(shape, contrast, each)
    climax = _climax(film, shape, contrast)
    energy = _energies(shape, climax, dynamics)
    roles = _roles(energy, climax, dynamics, contrast)
    for number, role in enumerate(roles):
        if role in ("breakdown", "outro"):
            calmer = 0.35 if role == "breakdown" else 0.6
            energy[number] = dynamics.least + calmer * (energy[number] - dynamics.least)
    feelings = _feelings(film, seen, energy, wanted)
    if each:
        feelings = [
            between(felt, told.emotion, told.share) if told.emotion else felt
            for felt, told in zip(feelings, each, strict=True)
        ]
    return tuple(
        Section(
            start=stretch.start,
            end=stretch.end,
            letter=letter,
            role=role,
            energy=round(float(amount), 3),
            valence=round(felt.valence, 3),
            arousal=round(felt.arousal, 3),
            tension=round(min(1.0, felt.tension + 0.15 * (role == "build")), 3),
        )
        for stretch, letter, role, amount, felt in zip(film, letters(film), roles, energy, feelings, strict=True)
    )


def _shape(film: Sequence[Stretch], drive: Floats, contrast: float) -> Floats:
    """How the energy runs, from about 0 to 1: the film's own drive and the arc of a piece, the first the more it has contrast."""
    count, duration = len(film), film[-1].end
    own = (drive - drive.min()) / max(float(np.ptp(drive)), 1e-9)
    middles = np.array([(stretch.start + stretch.end) / 2 for stretch in film]) / duration
    arc = np.interp(middles, [0.0, 0.45, 0.72, 1.0], [0.0, 0.6, 1.0, 0.35])
    if count > _LONG:
        chapters = round(count / _CHAPTER)
        within = np.arange(count) * chapters / count % 1.0
        arc = 0.45 * arc + 0.55 * np.interp(within, [0.0, 0.65, 1.0], [0.0, 1.0, 0.4])
    share = 0.2 + 0.5 * contrast
    return np.asarray(share * own + (1.0 - share) * arc)


def _as_told(shape: Floats, contrast: float, each: Sequence[Wanted]) -> tuple[Floats, float]:
    """Shape and contrast where energies were told: these have two thirds of the say, if they tell sections apart at all."""
    energies = [told.energy for told in each if told.energy is not None]
    if not energies or max(energies) - min(energies) < 0.05:
        return shape, contrast
    told = np.array([own if each[n].energy is None else float(each[n].energy or 0.0) for n, own in enumerate(shape)])
    return np.asarray(shape / 3 + told * 2 / 3), max(contrast, float(np.clip(np.ptp(energies) / 0.4, 0, 1)))


def _climax(film: Sequence[Stretch], shape: Floats, contrast: float) -> int:
    """Which section is the climax: the most energetic, rather late than early; never the first, and the last only if the film insists."""
    count, duration = len(film), film[-1].end
    late = np.array([stretch.end > duration / 3 and stretch.start >= 0.2 * duration for stretch in film])
    claim = shape - 0.25 * ~late
    if count >= 3:
        claim[0] -= 9.0
        claim[-1] -= 9.0 if count >= 4 or contrast < 0.5 else 0.0
    return int(np.argmax(claim))


def _energies(shape: Floats, climax: int, dynamics: Dynamics) -> Floats:
    """The shape laid into the dynamics: the climax has the most of it, the others clearly less, the quietest the least."""
    room = dynamics.most - dynamics.least
    if len(shape) == 1:
        return np.array([dynamics.least + 0.6 * room])
    low = float(shape.min())
    share = (shape - low) / max(float(shape.max()) - low, 1e-9)
    energy = dynamics.least + np.minimum(share, 0.85) * room
    energy[climax] = dynamics.most
    return np.asarray(energy)


def _roles(energy: Floats, climax: int, dynamics: Dynamics, contrast: float) -> list[Role]:
    count, room = len(energy), dynamics.most - dynamics.least
    roles: list[Role] = ["theme"] * count
    if count == 1:
        return roles
    if count == 2:
        return (
            ["intro" if energy[0] < dynamics.least + 0.4 * room else "theme", "climax"]
            if climax
            else ["theme", "outro"]
        )
    for number in range(1, count - 1):
        before, here, after = energy[number - 1 : number + 2]
        if min(before, after) - here > 0.12 * room:
            roles[number] = "breakdown"
        elif after - here > 0.15 * room and here >= before and number + 1 == climax:
            roles[number] = "build"
    if climax >= 2 and roles[climax - 1] == "theme":
        roles[climax - 1] = "breakdown" if contrast < 0.3 and count >= 6 else "build"
    roles[climax] = "climax"
    if climax and energy[0] <= dynamics.least + 0.5 * room:
        roles[0] = "intro"
    if climax != count - 1:
        roles[-1] = "outro"
    return roles


_SCALES = ("valence", "arousal", "tension")


def _feelings(film: Sequence[Stretch], seen: Sequence[Emotion], energy: Floats, wanted: Emotion) -> list[Emotion]:
    """The emotion of each section: the film's contour around what is wanted on the whole; more energy is more arousal."""
    length = np.array([stretch.end - stretch.start for stretch in film])
    mean = emotion(*(float(np.average([getattr(felt, scale) for felt in seen], weights=length)) for scale in _SCALES))
    mean_energy = float(np.average(energy, weights=length))
    return [
        emotion(
            wanted.valence + 0.6 * (felt.valence - mean.valence),
            wanted.arousal + 0.5 * (felt.arousal - mean.arousal) + 0.5 * (float(amount) - mean_energy),
            wanted.tension + 0.6 * (felt.tension - mean.tension),
        )
        for felt, amount in zip(seen, energy, strict=True)
    ]


def letters(film: Sequence[Stretch]) -> list[str]:
    """A letter for each section, A to D: the same where the pictures look alike, but never three times running.

    Where all looks alike this makes A A B A A C A A D, the rondo that a long static film needs.
    """
    models: list[Floats] = []
    found: list[int] = []
    contrasting = 0
    for stretch in film:
        look = stretch.look
        model = np.array([look.motion, look.brightness, look.saturation, look.contrast, look.warmth])
        apart = [float(np.abs(model - other).sum()) for other in models]
        number = int(np.argmin(apart)) if apart else 0
        if not apart or (apart[number] > _ALIKE and len(models) < _MOST_LETTERS):
            number = len(models)
            models.append(model)
        if found[-2:] == [number, number]:
            number = [other for other in range(_MOST_LETTERS) if other != number][contrasting % (_MOST_LETTERS - 1)]
            contrasting += 1
        found.append(number)
    order = list(dict.fromkeys(found))
    return [chr(ord("A") + order.index(number)) for number in found]
