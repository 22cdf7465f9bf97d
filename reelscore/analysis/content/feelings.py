"""Whether people are seen in a scene and how they feel: yes-or-no questions, put to captioners that can be asked.

About feelings is asked only where people are seen, and only of the pictures that show them. Every answer is a number from 0
(surely not) to 1 (surely). A captioner declares that it can be asked by being an `Answering`.

Models that caption say yes too readily: to any question about any picture, so that the same people are happy, sad and angry.
Each question is therefore put to a blank picture as well, as contextual calibration puts it to an input without content (Zhao
et al. 2021, arXiv 2102.09690), and what speaks for yes there is taken off the other answers. Unlike in the paper nothing is
ever added, for of a blank picture the right answer to each of these questions is no.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Protocol, runtime_checkable

from reelscore.analysis.content.captioner import Tick
from reelscore.analysis.content.frames import Frame

PEOPLE_QUESTION = "Are there people in the picture?"
FEELING_QUESTIONS: Mapping[str, str] = {
    "happy": "Are the people happy?",
    "sad": "Are the people sad?",
    "angry": "Are the people angry?",
    "anxious": "Are the people anxious?",
    "afraid": "Are the people afraid?",
    "calm": "Are the people calm?",
    "affectionate": "Are the people affectionate with each other?",
    "excited": "Are the people excited?",
}
_SEEN = 0.6  # how sure a model must be that people are in a picture, to be asked how they feel; 0.5 is all that a blank gets
_DECIMALS = 3


@runtime_checkable
class Answering(Protocol):
    """A captioner that answers yes-or-no questions about one picture."""

    blank: Frame
    """A picture of nothing: all of the mean colour of what the model was trained on."""
    biases: dict[str, float]
    """What the model has said of the blank so far, by question; empty when it is loaded."""

    def log_odds(self, frame: Frame, questions: Sequence[str]) -> list[float]:
        """For each question ln(p / (1 − p)) of the answer yes, as the model has it."""


@dataclass(frozen=True)
class People:
    """How sure it is that people are seen in a scene, and how sure that they feel each of `FEELING_QUESTIONS`."""

    seen: float
    feelings: dict[str, float] = field(default_factory=dict)


def people_in(model: Answering, frames: Sequence[Frame], tick: Tick) -> People:
    """What the model answers about the people in these frames of one scene, of which there is at least one.

    People are seen where any frame shows them; a feeling is the mean over the frames that do, so that it must last.
    """
    seen, felt = [], []
    for number, frame in enumerate(frames):
        (sure,) = answers(model, frame, (PEOPLE_QUESTION,))
        tick((number + 0.5) / len(frames))
        seen.append(sure)
        if sure > _SEEN:
            felt.append(answers(model, frame, tuple(FEELING_QUESTIONS.values())))
        tick((number + 1) / len(frames))
    means = [round(fmean(each), _DECIMALS) for each in zip(*felt, strict=True)]
    return People(round(max(seen), _DECIMALS), dict(zip(FEELING_QUESTIONS, means, strict=False)))


def answers(model: Answering, frame: Frame, questions: Sequence[str]) -> list[float]:
    """How sure the model is of yes to each question about a picture, less its bias; 0 to 1. A blank is asked about once."""
    if unknown := [question for question in questions if question not in model.biases]:
        model.biases.update(zip(unknown, model.log_odds(model.blank, unknown), strict=True))
    said = model.log_odds(frame, questions)
    return [_share(odds - max(0.0, model.biases[each])) for odds, each in zip(said, questions, strict=True)]


def _share(log_odds: float) -> float:
    """The logistic function, safe at both ends."""
    return 0.5 * (1.0 + math.tanh(0.5 * log_odds))
