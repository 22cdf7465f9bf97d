"""What is said where: the piece as passages of latents, each with its line of tags and its place in the piece.

The model was trained on stretches of whole tracks and told two numbers with each: the second of the track at which the
stretch begins, and how many seconds the whole track lasts (a track shorter than a stretch was followed by silence). A brief
is such a track. So every passage is told where in the film it begins and how long the film is; at the film's end the
model is at the end of a track and closes it, and a short film leaves room behind itself for the last chord to ring out.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor

from reelscore.brief import Brief, Section
from reelscore.engines.sonique.options import Options
from reelscore.engines.sonique.tagline import Lines, lines, published_lines
from reelscore.models.regions import Windowing

LEAST_PASSAGE = 2.0  # seconds; a shorter section is heard with the words of its neighbour


@dataclass(frozen=True)
class Passage:
    """The latents from `start` to `end`, what is said of them, and their place in the piece in whole seconds."""

    start: int
    end: int
    lines: Lines
    seconds_start: int
    seconds_total: int


@dataclass(frozen=True)
class Plan:
    """Passages that follow one another from latent 0 to `length`; the music is the first `wanted` of them."""

    passages: tuple[Passage, ...]
    length: int
    wanted: int


@dataclass(frozen=True)
class Grid:
    """How latents lie in time: so many in a second, the network takes multiples of `multiple`, and learned on `trained` of them.

    `most` of them go through it in one window.
    """

    per_second: float
    multiple: int
    trained: int
    most: int


def plan_for(brief: Brief, options: Options, grid: Grid) -> Plan:
    """The passages of a brief: one for each section that is said something else of, or one for all as published."""
    wanted = ceil(brief.duration * grid.per_second)
    length = ceil(max(wanted, grid.trained) / grid.multiple) * grid.multiple
    if options.as_published:
        said = published_lines(brief, options.negative)
        whole = Passage(0, length, said, 0, int(brief.duration))
        return Plan((whole,), length, wanted)
    stretches = _stretches(brief, options)
    edges = [round(start * grid.per_second) for start, _ in stretches] + [length]
    most = _most_at_once(grid) if len(stretches) > 1 or length > grid.most else length
    total = ceil(brief.duration)
    passages = tuple(
        Passage(first, last, said, floor((first + 0.5) / grid.per_second), total)  # half a latent: edges were rounded
        for (edge, after), (_, said) in zip(pairwise(edges), stretches, strict=True)
        for first, last in _pieces(edge, after, most)
    )
    return Plan(passages, length, wanted)


def windowing_for(grid: Grid) -> Windowing:
    """How windows overlap and fade: over two to three seconds of the published model, and shorter windows in proportion."""
    share = grid.most // 8
    return Windowing(
        grid.most, overlap=min(128, 2 * share), fade=min(96, share), reach=min(64, share), multiple=grid.multiple
    )


def _most_at_once(grid: Grid) -> int:
    """The longest passage that one window holds together with what it sees and fades on both sides."""
    windowing = windowing_for(grid)
    return grid.most - windowing.fade - 2 * windowing.reach


def _pieces(start: int, end: int, most: int) -> list[tuple[int, int]]:
    """A stretch in even pieces of at most `most`, so that each can be told where it lies in the piece."""
    count = ceil((end - start) / most)
    edges = [start + round(number * (end - start) / count) for number in range(count + 1)] if count else []
    return list(pairwise(edges))


def _stretches(brief: Brief, options: Options) -> list[tuple[float, Lines]]:
    """When each line begins to count; neighbours that say the same are one."""
    stretches: list[tuple[float, Lines]] = []
    for section in _long_enough(brief):
        said = lines(brief, section, options.negative)
        if not stretches or stretches[-1][1] != said:
            stretches.append((section.start if stretches else 0.0, said))
    return stretches or [(0.0, lines(brief, None, options.negative))]


def _long_enough(brief: Brief) -> list[Section]:
    """The sections, but those too short to be heard on their own; always one where there is any."""
    heard = [section for section in brief.sections if section.end - section.start >= LEAST_PASSAGE]
    return heard or list(brief.sections[:1])
