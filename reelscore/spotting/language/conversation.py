"""Asking a language model: one question, one repair, whatever is asked and however the answer is read."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from reelscore.spotting.clauses import bared
from reelscore.spotting.language import LanguageModel, Message, NoAnswerError, Schema
from reelscore.spotting.language.reading import without_thoughts

_LONGEST_NAME = 120
_LONGEST_REASON = 200
_LONGEST_SHOWN = 1500  # characters of a first answer


class Said(Protocol):
    """What an answer was understood as."""

    @property
    def parts(self) -> tuple[str, ...]:
        """What it says something about; nothing where it cannot be used."""

    def completed_by(self, other: Self) -> Self:
        """This, and where it is silent what the other says."""


Content = TypeVar("Content", bound=Said)
Reader = Callable[[str], tuple[Content, Sequence[str]]]
"""Reads an answer: what was understood, and what was wrong in sentences for whoever wrote it; none where it can be used as it is."""


@dataclass(frozen=True)
class Reply(Generic[Content]):
    """What came of a question; `failure` says why nothing was said, in words that follow the model's name."""

    model: str
    said: Content | None = None
    failure: str = ""
    repaired: bool = False
    silent: bool = False
    """Whether there was no answer at all, so that another question would be asked in vain."""


def asked_of(
    writer: LanguageModel,
    messages: Sequence[Message],
    most_tokens: int,
    schema: Schema,
    read: Reader[Content],
    asking_again: str,
    seed: int = 0,
) -> Reply[Content]:
    """What the model says; it is asked a second time, with `asking_again`, where its answer cannot be used. Never raises for an answer."""
    name = _line(writer.name, _LONGEST_NAME) or "without a name"
    try:
        text = writer.answer(messages, most_tokens, seed, schema)
    except NoAnswerError as reason:
        return Reply(name, failure=_did_not(reason), silent=True)
    first, faults = read(text)
    if not faults:
        return Reply(name, first)
    again = (
        *messages,
        Message("assistant", bared(without_thoughts(text), _LONGEST_SHOWN) or "…"),
        Message("user", f"That cannot be used: {'; '.join(faults)}. {asking_again}"),
    )
    try:
        second, _ = read(writer.answer(again, most_tokens, seed, schema))
        found, why = second.completed_by(first), "gave two answers that cannot be used"
    except NoAnswerError as reason:
        second, found = None, first
        why = f"gave an answer that cannot be used, and then {_did_not(reason)}"
    if not found.parts:
        return Reply(name, failure=why)
    return Reply(name, found, repaired=second is not None and bool(second.parts))


def _did_not(reason: NoAnswerError) -> str:
    return f"did not answer: {_line(str(reason), _LONGEST_REASON)}"


def _line(text: str, longest: int) -> str:
    """A text as it can stand in a brief: on one line, without control characters and halves of letters."""
    written = text[: 4 * longest].encode("utf-8", "replace").decode("utf-8")
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", written).split())[:longest]
