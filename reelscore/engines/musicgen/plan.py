"""Which music is made in which piece: the scenes of a brief, what each is told, and how many frames of codes it takes.

Times are seconds of the film, frames those of the codec, 50 a second. A scene is made some seconds longer than it lasts, so that
the place where the next one takes over can move to a beat. How much is made hangs on the brief and on options alone and not on
what is played, so that several takes go through the decoder together.
"""

from dataclasses import dataclass
from math import ceil, floor

from reelscore.brief import Brief, Section
from reelscore.engines.musicgen.options import Options
from reelscore.engines.musicgen.prompts import Prompt, prompt_for, published_prompt
from reelscore.finish.joining import REACH

LEAST_SCENE = 3.0  # seconds; a shorter section is played with its neighbour
LEARNED = 30.0  # seconds that the model takes in at once
OVERRUN = (
    2.0 * REACH
)  # seconds that a scene goes on beyond its end: where a join may move to, and as much again to hear beats in
_HAIR = 1e-6  # of a frame: what is so little too long is rounding


@dataclass(frozen=True)
class Scene:
    """A stretch of the film that is told one thing."""

    start: float
    end: float
    prompt: Prompt


@dataclass(frozen=True)
class Part:
    """What is made for a scene: it goes on from `known` frames and makes `made` more."""

    scene: Scene
    known: int
    made: int


@dataclass(frozen=True)
class Theme:
    """A theme of `made` frames, cut somewhere near `length` of them."""

    prompt: Prompt
    length: int
    made: int


@dataclass(frozen=True)
class Plan:
    """The parts in order, and what they all take up, where it is a theme. `context` is in frames, and so is what is `learned`."""

    parts: tuple[Part, ...]
    theme: Theme | None
    context: int
    learned: int

    @property
    def total(self) -> int:
        """All frames that are made."""
        return sum(part.made for part in self.parts) + (self.theme.made if self.theme else 0)

    @property
    def longest(self) -> int:
        """The frames of the longest window."""
        whole = [part.known + part.made for part in self.parts] + ([self.theme.made] if self.theme else [])
        return min(self.learned, max(whole))


def plan_for(brief: Brief, options: Options, frame_rate: int) -> Plan:
    """The parts of a brief's music."""
    learned, context = round(LEARNED * frame_rate), round(options.context_seconds * frame_rate)
    if options.as_published:
        scenes = published_scenes(brief)
        parts = tuple(Part(scene, 0, whole_seconds(scene) * frame_rate) for scene in scenes)
        return Plan(parts, None, context, learned)
    scenes = scenes_of(brief)
    theme = None
    if options.carried == "theme" and len(scenes) > 1:
        theme = Theme(prompt_for(brief, None), context, context + round(OVERRUN * frame_rate))
    parts = tuple(_part(scenes, number, options, theme, frame_rate) for number in range(len(scenes)))
    return Plan(parts, theme, context, learned)


def scenes_of(brief: Brief) -> tuple[Scene, ...]:
    """The brief's sections as scenes: short ones with a neighbour, and neighbours that are told the same as one."""
    scenes: list[Scene] = []
    for start, end, section in _long_enough(brief):
        prompt = prompt_for(brief, section)
        if scenes and scenes[-1].prompt == prompt:
            scenes[-1] = Scene(scenes[-1].start, end, prompt)
        else:
            scenes.append(Scene(start, end, prompt))
    return tuple(scenes) or (Scene(0.0, brief.duration, prompt_for(brief, None)),)


def published_scenes(brief: Brief) -> tuple[Scene, ...]:
    """Every section as it stands."""
    return tuple(Scene(each.start, each.end, published_prompt(brief, each)) for each in brief.sections)


def whole_seconds(scene: Scene) -> int:
    """The length of a scene as it was typed into the published demo."""
    return max(1, round(scene.end - scene.start))


def _part(scenes: tuple[Scene, ...], number: int, options: Options, theme: Theme | None, frame_rate: int) -> Part:
    scene = scenes[number]
    # A join may lie as much as REACH before the scene, and the first beat of a piece that does not go on as much after its start.
    early = (REACH if options.carried == "tail" else 2 * REACH) if number else 0.0
    late = OVERRUN if number < len(scenes) - 1 else 0.0
    made = max(1, ceil((scene.end - scene.start + early + late) * frame_rate - _HAIR))
    known = 0.0
    if theme:
        known = options.context - REACH
    elif options.carried == "tail" and number:
        known = min(options.context, scene.start - REACH)
    # No more than there is, however a join is rounded.
    return Part(scene, floor(known * frame_rate + _HAIR), made)


def _long_enough(brief: Brief) -> list[tuple[float, float, Section]]:
    """Start, end and section of what is long enough to be heard by itself.

    The shortest section goes to the neighbour that is nearer to it in energy, and so on; what is said is what the longer one says.
    """
    spans = [(section.start, section.end, section) for section in brief.sections]
    while len(spans) > 1:
        short = min(range(len(spans)), key=lambda place: _length(spans[place]))
        if _length(spans[short]) >= LEAST_SCENE:
            break
        others = [place for place in (short - 1, short + 1) if 0 <= place < len(spans)]
        other = min(others, key=lambda place: abs(spans[place][2].energy - spans[short][2].energy))
        first, last = sorted((short, other))
        speaking = max(spans[first], spans[last], key=_length)[2]
        spans[first : last + 1] = [(spans[first][0], spans[last][1], speaking)]
    return spans


def _length(span: tuple[float, float, Section]) -> float:
    return span[1] - span[0]
