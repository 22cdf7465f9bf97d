"""The form: which bars belong to which section, and how they fall into phrases.

Form follows bars: a section owns the bars whose downbeats lie nearest to it. Positions are beats of the tempo map,
times are seconds. A phrase is 1 to 7 bars, four as a rule, and is the unit in which players are asked to play.
"""

from bisect import bisect_left
from dataclasses import dataclass

from reelscore.brief import Brief, Section
from reelscore.tempo import TempoMap

SHORTEST_RING = 0.8
WANTED_RING = 2.5


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its first beat, how many beats it has (fewer where the piece ends inside it), and its metre."""

    first: int
    beats: float
    metre: int

    @property
    def end(self) -> float:
        return self.first + self.beats


@dataclass(frozen=True)
class Phrase:
    """Bars that belong together. `number` counts within the section from 0 to `of` − 1, `place` within the piece.

    `energy` is the energy at the phrase's start and `energy_to` the one it grows or falls to.
    """

    section: Section
    section_number: int
    bars: tuple[Bar, ...]
    number: int
    of: int
    place: int
    energy: float
    energy_to: float
    opens_piece: bool
    closes_piece: bool
    next_role: str | None

    @property
    def start(self) -> float:
        return float(self.bars[0].first)

    @property
    def end(self) -> float:
        return self.bars[-1].end

    @property
    def opens_section(self) -> bool:
        return self.number == 0

    @property
    def closes_section(self) -> bool:
        return self.number == self.of - 1


@dataclass(frozen=True)
class Form:
    """The phrases in order, and the ending: its time in seconds, its beat, and how strong it is."""

    tempo_map: TempoMap
    duration: float
    phrases: tuple[Phrase, ...]
    ending: float
    ending_beat: float
    ending_strength: float


def lay_out(brief: Brief, tempo_map: TempoMap) -> Form:
    """The form of a brief whose tempo map and sections are complete."""
    ending = ending_of(brief, tempo_map)
    ending_beat = tempo_map.beat_at(ending)
    # A bar line within a hair of the ending is the ending.
    nearest = round(ending_beat)
    if abs(tempo_map.time_at(nearest) - ending) < 0.045:
        ending_beat = float(nearest)
    bars = _bars_until(tempo_map, ending_beat)
    owned = _bars_of_sections(brief, tempo_map, bars)
    strength = next((cue.strength for cue in brief.cues if cue.kind == "ending"), 0.8)
    return Form(tempo_map, brief.duration, tuple(_phrases(owned)), ending, ending_beat, strength)


def ending_of(brief: Brief, tempo_map: TempoMap) -> float:
    """When the final chord is struck: the last `ending` cue, or else the last downbeat (or beat) that leaves it room to ring."""
    asked = [cue.time for cue in brief.cues if cue.kind == "ending"]
    if asked:
        return asked[-1]
    for room, candidates in (
        (WANTED_RING, tempo_map.downbeats),
        (WANTED_RING / 2, tempo_map.beats),
        (SHORTEST_RING, tempo_map.beats),
    ):
        latest = brief.duration - room
        fitting = [time for time in candidates if latest - 6.0 <= time <= latest]
        if fitting:
            return fitting[-1]
    return 0.0


def _bars_until(tempo_map: TempoMap, last_beat: float) -> list[Bar]:
    """The bars that begin before `last_beat`; the one it falls in is cut there."""
    bars: list[Bar] = []
    for first, metre in zip(tempo_map.bar_starts, tempo_map.bars, strict=True):
        if first >= last_beat - 1e-6:
            break
        bars.append(Bar(first, min(float(metre), last_beat - first), metre))
    return bars


def _bars_of_sections(brief: Brief, tempo_map: TempoMap, bars: list[Bar]) -> list[tuple[Section, list[Bar]]]:
    """Each section with the bars nearest to it; sections shorter than half a bar may own none and are left out."""
    downbeats = [tempo_map.beats[bar.first] for bar in bars]
    firsts: list[int] = []
    for section in brief.sections:
        at = bisect_left(downbeats, section.start)
        near = [index for index in (at - 1, at) if 0 <= index < len(bars)]
        firsts.append(min(near, key=lambda index: abs(downbeats[index] - section.start)) if near else len(bars))
        if at == len(bars) and bars and section.start > downbeats[-1]:
            end = tempo_map.time_at(bars[-1].end)
            if abs(end - section.start) < abs(downbeats[-1] - section.start):
                firsts[-1] = len(bars)
    if firsts:
        firsts[0] = 0
    limits = [*firsts[1:], len(bars)]
    owned = [(section, bars[a:b]) for section, a, b in zip(brief.sections, firsts, limits, strict=True)]
    return [(section, inside) for section, inside in owned if inside]


def _phrases(owned: list[tuple[Section, list[Bar]]]) -> list[Phrase]:
    phrases: list[Phrase] = []
    for section_number, (section, bars) in enumerate(owned):
        lengths = phrase_lengths(len(bars))
        before = owned[section_number - 1][0].energy if section_number else section.energy
        after = owned[section_number + 1][0] if section_number + 1 < len(owned) else None
        at = 0
        for number, length in enumerate(lengths):
            start, end = _energies(section, before, number, len(lengths))
            last = after is None and number == len(lengths) - 1
            phrases.append(
                Phrase(
                    section=section,
                    section_number=section_number,
                    bars=tuple(bars[at : at + length]),
                    number=number,
                    of=len(lengths),
                    place=len(phrases),
                    energy=start,
                    energy_to=end,
                    opens_piece=not phrases,
                    closes_piece=last,
                    next_role=after.role if after else None,
                )
            )
            at += length
    return phrases


def phrase_lengths(bars: int) -> list[int]:
    """How many bars each phrase has: fours, with what is left over in the last (never a lone bar after a phrase)."""
    if bars <= 5:
        return [bars] if bars else []
    fours, rest = divmod(bars, 4)
    if rest == 1:
        return [4] * (fours - 1) + [5]
    return [4] * fours + ([rest] if rest else [])


def _energies(section: Section, before: float, number: int, of: int) -> tuple[float, float]:
    """Energy at a phrase's two ends: builds climb, outros sink, long sections breathe in waves of four phrases."""
    energy = section.energy
    if section.role == "build":
        low = min(max(before, energy - 0.25), energy)
        span = max(energy + 0.08 - low, 0.0)
        return min(low + span * number / of, 1.0), min(low + span * (number + 1) / of, 1.0)
    if section.role == "outro":
        step = 0.12 / of
        return max(energy - step * number, 0.0), max(energy - step * (number + 1), 0.0)
    if of > 4:
        wave = (-0.05, 0.0, 0.05, 0.0)
        level = min(max(energy + wave[number % 4], 0.0), 1.0)
        return level, level
    return energy, energy
