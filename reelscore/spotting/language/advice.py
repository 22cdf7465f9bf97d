"""Asking a language model about a film: one question, one repair, and what came of it."""

import re
from dataclasses import dataclass

from reelscore.spotting.language import LanguageModel, NoAnswerError
from reelscore.spotting.language.answers import Suggestion, read_answer, without_thoughts
from reelscore.spotting.language.question import Question, messages_for, messages_for_repair, schema_for

_LONGEST_NAME = 120
_LONGEST_REASON = 200


@dataclass(frozen=True)
class Advice:
    """What a language model said of a film; `failure` says why there is no suggestion, in words that follow its name."""

    model: str
    suggestion: Suggestion | None = None
    failure: str = ""
    repaired: bool = False

    @property
    def source(self) -> str:
        """Who wrote the brief, for its sources."""
        if self.suggestion is None:
            return f"rule: all that was not asked for; the language model {self.model} {self.failure}"
        said = ", ".join(self.suggestion.parts)
        return f"model {self.model}: {said}{' (its second answer)' if self.repaired else ''}; rule: the rest"


def advice_on(question: Question, writer: LanguageModel, seed: int = 0) -> Advice:
    """What the model suggests for the film; it is asked a second time where its answer cannot be used. Never raises for an answer."""
    asked = messages_for(question)
    schema = schema_for(len(question.scenes))
    scenes = len(question.scenes)
    try:
        text = writer.answer(asked, question.most_tokens, seed, schema)
    except NoAnswerError as reason:
        return Advice(_named(writer), failure=_did_not(reason))
    first = read_answer(text, scenes)
    if not first.faults:
        return Advice(_named(writer), first.suggestion)
    try:
        again = messages_for_repair(asked, without_thoughts(text), first.faults)
        second = read_answer(writer.answer(again, question.most_tokens, seed, schema), scenes).suggestion
        why = "gave two answers that cannot be used"
    except NoAnswerError as reason:
        second, why = Suggestion(), f"gave an answer that cannot be used, and then {_did_not(reason)}"
    found = second.completed_by(first.suggestion)
    if not found.parts:
        return Advice(_named(writer), failure=why)
    return Advice(_named(writer), found, repaired=bool(second.parts))


def _named(writer: LanguageModel) -> str:
    return _line(writer.name, _LONGEST_NAME) or "without a name"


def _did_not(reason: NoAnswerError) -> str:
    return f"did not answer: {_line(str(reason), _LONGEST_REASON)}"


def _line(text: str, longest: int) -> str:
    """A text as it can stand in a brief: on one line, without control characters and halves of letters."""
    written = text[: 4 * longest].encode("utf-8", "replace").decode("utf-8")
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", written).split())[:longest]
