"""What is known of a stretch of film, in words: what a captioner says of it, and what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from reelscore.analysis.facts import Analysis
from reelscore.spotting.clauses import bared
from reelscore.spotting.emotion import Look, look_between
from reelscore.spotting.telling import captions_between, seeming

_LONGEST_CAPTION = 220


@dataclass(frozen=True)
class SceneFacts:
    """One scene in words; its times are seconds.

    `people` says how they seem to feel. `seen` and `people` are "" where nobody could say.
    """

    start: float
    end: float
    seen: str
    people: str
    movement: str
    light: str
    cutting: str
    speech: str


def scene_facts(analysis: Analysis, start: float, end: float) -> SceneFacts:
    """What is known of the stretch."""
    look = look_between(analysis, start, end)
    return SceneFacts(
        start=start,
        end=end,
        seen=bared(caption_of(analysis, start, end), _LONGEST_CAPTION),
        people=_people(analysis, start, end),
        movement=in_words(look.motion, _MOVEMENTS),
        light=_light(look),
        cutting=in_words(look.shot_length, _CUTTINGS),
        speech=share_in_words(spoken_share(analysis, start, end)),
    )


def caption_of(analysis: Analysis, start: float, end: float) -> str:
    """The caption that says most of a stretch: of those that cover it best, the one that says least of anything else."""
    if not analysis.captions:
        return ""

    def claim(place: int) -> tuple[float, float]:
        caption = analysis.captions[place]
        shared = min(caption.end, end) - max(caption.start, start)
        return (round(shared, 3), -(caption.end - caption.start))

    best = max(range(len(analysis.captions)), key=claim)
    return analysis.captions[best].text if claim(best)[0] > 0 else ""


def _people(analysis: Analysis, start: float, end: float) -> str:
    """How the people of a stretch seem to feel; "" where nobody could say."""
    feelings = seeming(captions_between(analysis.captions, start, end))
    return f"seem {', '.join(dict.fromkeys(feelings))}" if feelings else ""


def spoken_share(analysis: Analysis, start: float, end: float) -> float:
    """The share of a stretch in which somebody speaks."""
    spoken = sum(max(0.0, min(each.end, end) - max(each.start, start)) for each in analysis.speech)
    return min(1.0, spoken / max(end - start, 1e-9))


_MOVEMENTS = ((0.08, "still"), (0.2, "calm"), (0.4, "lively"), (1.1, "hectic"))
_LIGHTS = ((0.18, "dark"), (0.32, "dim"), (0.55, "ordinary light"), (1.1, "bright"))
_COLOURS = ((0.03, "black and white"), (0.15, "pale colours"), (0.45, "natural colours"), (1.1, "vivid colours"))
_CUTTINGS = ((1.5, "very fast"), (3.0, "fast"), (7.0, "ordinary"), (1e9, "slow"))


def in_words(amount: float, words: Sequence[tuple[float, str]]) -> str:
    """The word for an amount: the first of those, each with what it is below, that it is not too much for."""
    return next((word for most, word in words if amount < most), words[-1][1])


def _light(look: Look) -> str:
    parts = [in_words(look.brightness, _LIGHTS), in_words(look.saturation, _COLOURS)]
    if abs(look.warmth) > 0.2:
        parts.append("warm" if look.warmth > 0 else "cold")
    return ", ".join(parts)


def share_in_words(share: float) -> str:
    """How much of a stretch somebody speaks."""
    return in_words(share, ((0.02, "none"), (0.3, "a little"), (0.7, "about half"), (1.1, "nearly throughout")))
