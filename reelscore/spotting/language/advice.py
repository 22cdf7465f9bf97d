"""What a language model advises on a brief."""

from dataclasses import dataclass

from reelscore.spotting.language import LanguageModel
from reelscore.spotting.language.answers import Suggestion, read_answer
from reelscore.spotting.language.conversation import Reply, asked_of
from reelscore.spotting.language.question import ASKING_AGAIN, Question, messages_for, schema_for


@dataclass(frozen=True)
class Advice:
    """What a language model said of a film, if anything."""

    reply: Reply[Suggestion]

    @property
    def model(self) -> str:
        return self.reply.model

    @property
    def suggestion(self) -> Suggestion | None:
        return self.reply.said

    @property
    def source(self) -> str:
        """Who wrote the brief, for its sources."""
        if self.suggestion is None:
            return f"rule: all that was not asked for; the language model {self.model} {self.reply.failure}"
        said = ", ".join(self.suggestion.parts)
        return f"model {self.model}: {said}{' (its second answer)' if self.reply.repaired else ''}; rule: the rest"


def advice_on(question: Question, writer: LanguageModel, seed: int = 0) -> Advice:
    """What the model suggests for the film. Never raises for an answer."""
    scenes = len(question.scenes)
    messages, schema = messages_for(question), schema_for(scenes)

    def read(text: str) -> tuple[Suggestion, tuple[str, ...]]:
        answer = read_answer(text, scenes)
        return answer.suggestion, answer.faults

    return Advice(asked_of(writer, messages, question.most_tokens, schema, read, ASKING_AGAIN, seed))
