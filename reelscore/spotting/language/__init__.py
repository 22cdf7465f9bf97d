"""Language models that advise on a brief: one on this machine, or any behind an OpenAI-compatible address.

A model is given messages and answers with text; what the text means is read in `answers`, and nothing of it is trusted.
What can be known at once to be wrong (an address that is none, a model that is not here, an extra that is not installed) is
raised when the model is opened. Whatever goes wrong later (refused, time-out, a broken model) is a NoAnswerError with a
reason, and the rules write the brief.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

from reelscore.checkpoints import catalogue, hub
from reelscore.errors import InputError, MissingError
from reelscore.hardware import Hardware, require_neural

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class LanguageChoice:
    """Which language model advises on the brief."""

    model: str
    """A preset, a model id, a folder, or the http(s) address of an OpenAI-compatible server."""
    server_model: str = ""
    """The model's name at the server; left out, the first that the server lists."""
    timeout: float = 60.0
    """The longest that one answer may take, in seconds; after that the rules answer."""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class NoAnswerError(Exception):
    """A language model gave no answer; the message is the reason in a few words, fit to follow "did not answer: "."""


class LanguageModel(Protocol):
    """Whatever answers messages with text. `name` is what the brief calls it."""

    @property
    def name(self) -> str: ...

    def answer(self, messages: Sequence[Message], most_tokens: int, seed: int = 0, schema: Schema | None = None) -> str:
        """The text that follows the messages, of at most `most_tokens` tokens; the same messages and seed ask for the same text.

        `schema` is the JSON schema that the text should obey where the model can be held to one. Raises NoAnswerError.
        """
        ...


def open_language_model(choice: LanguageChoice, hardware: Hardware = Hardware()) -> LanguageModel:
    """The language model of a choice, ready to be asked; nothing is loaded or sent before the first question.

    Raises InputError for an address that is none, an unknown model, a folder without one; MissingError for a model or an extra that is not here.
    """
    if not 0 < choice.timeout <= 3600:
        raise InputError(
            f"A language model cannot be given {choice.timeout:g} s to answer; give more than 0 and at most 3600."
        )
    if "://" in choice.model:
        if find_spec("openai") is None:
            raise MissingError(
                'A language model at a server needs more packages; install: pip install "reelscore[llm]".'
            )
        from reelscore.spotting.language.server import open_server

        return open_server(choice)
    if choice.server_model:
        raise InputError(
            f"{choice.server_model!r} names a model at a server, but {choice.model!r} is no http:// or https:// address."
        )
    require_neural()
    folder = hub.locate(choice.model)
    _refuse_no_model(choice.model, folder)
    from reelscore.spotting.language.local import open_local

    name = folder.resolve().name if folder == Path(choice.model) else choice.model
    return open_local(name, folder, hardware, choice.timeout)


def _refuse_no_model(reference: str, folder: Path) -> None:
    """Raises InputError where a folder cannot be a language model in the form of transformers."""
    card = catalogue.known(reference)
    if card and card.kind != "language model":
        raise InputError(
            f"{card.name} is no language model but a {card.kind}; `reelscore models list` shows which are."
        )
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder} is no language model in the form of transformers: it has no config.json.")
    if not any(folder.glob("tokenizer*")):
        raise InputError(f"{folder} is no language model in the form of transformers: it has no tokenizer.")
    if not any(folder.glob("*.safetensors")):
        raise InputError(f"{folder} has no weights as safetensors; pickles are not loaded.")
