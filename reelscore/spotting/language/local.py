"""A language model on this machine, through `transformers`: any causal model with its tokenizer, loaded once in a process.

Decoding is greedy, so that the same question has the same answer. Weights are read from this machine only, and code that
comes with a model is never run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from jinja2 import TemplateError
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from reelscore.checkpoints.hub import quiet
from reelscore.hardware import Hardware, device_for, dtype_for, out_of_memory, quantization_for
from reelscore.resident import resident
from reelscore.spotting.language import Message, NoAnswerError, Schema

_ROOM_TO_THINK = 1500  # tokens more for a model whose template makes it think in any case


@dataclass(frozen=True)
class _Loaded:
    """A model and its tokenizer; one question at a time, for the hooks that watch the time are the model's own."""

    model: Any
    tokenizer: Any
    turn: Lock = field(default_factory=Lock)


class _OutOfTimeError(Exception):
    """The time is over."""


class LocalModel:
    """A language model in a folder; it is loaded at the first question and stays in memory."""

    def __init__(self, name: str, folder: Path, hardware: Hardware, timeout: float) -> None:
        self.name = name
        self._folder = folder
        self._hardware = hardware
        self._timeout = timeout
        self._device = device_for(hardware)
        self._quantization = quantization_for(hardware, self._device)

    def answer(self, messages: Sequence[Message], most_tokens: int, seed: int = 0, schema: Schema | None = None) -> str:  # noqa: ARG002
        """What the model says; the time begins when it is loaded. Raises NoAnswerError. Greedy, so that no seed is needed; a schema it is only told of."""
        loaded = self._loaded()
        prompt = rendered(loaded.tokenizer, messages)
        with loaded.turn, _understood_failures("answer", self._device), _watched(loaded.model, self._timeout):
            return _generated(loaded, prompt, most_tokens)

    def _loaded(self) -> _Loaded:
        dtype = dtype_for(self._hardware, self._device)
        key = (
            "language model",
            str(self._folder.resolve()),
            str(self._device),
            str(dtype),
            self._hardware.low_resource,
        )

        def load() -> _Loaded:
            placing: dict[str, Any] = {}
            if self._quantization is not None:
                placing = {"quantization_config": self._quantization, "device_map": {"": self._device}}
            model: Any = AutoModelForCausalLM.from_pretrained(
                self._folder, dtype=dtype, local_files_only=True, **placing
            )
            if not placing:
                model.to(self._device)
            # Where the package mistral-common is installed, it would bring a tokenizer that cannot show its chat template.
            tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True, mistral_format=False)
            return _Loaded(model.eval(), tokenizer)

        with _understood_failures("be loaded", self._device), quiet():
            return resident(key, load)


def open_local(name: str, folder: Path, hardware: Hardware, timeout: float) -> LocalModel:
    """The model in a folder. Raises InputError and MissingError where the machine cannot run it as asked for."""
    return LocalModel(name, folder, hardware, timeout)


def rendered(tokenizer: Any, messages: Sequence[Message]) -> str:
    """The conversation in the model's own form, ready for its answer; as plain paragraphs where it has no form of its own.

    A model that takes no system turn, or leaves it out, gets it at the head of the first user turn.
    """
    if not getattr(tokenizer, "chat_template", None):
        return "\n\n".join([*(message.content for message in messages), ""])
    turns = [{"role": message.role, "content": message.content} for message in messages]

    def in_form(of: list[dict[str, str]]) -> str:
        # Templates take what they know of these and pass over the rest.
        return str(
            tokenizer.apply_chat_template(
                of, tokenize=False, add_generation_prompt=True, enable_thinking=False, thinking=False
            )
        )

    if turns[0]["role"] != "system":
        return _or_no_answer(lambda: in_form(turns))
    try:
        text = in_form(turns)
    except (TemplateError, TypeError, ValueError):
        text = ""
    if turns[0]["content"] in text:
        return text
    folded = {"role": "user", "content": f"{turns[0]['content']}\n\n{turns[1]['content']}"}
    return _or_no_answer(lambda: in_form([folded, *turns[2:]]))


def _or_no_answer(render: Callable[[], str]) -> str:
    try:
        return render()
    except (TemplateError, TypeError, ValueError) as problem:
        raise NoAnswerError("its chat template takes no such conversation") from problem


def _generated(loaded: _Loaded, prompt: str, most_tokens: int) -> str:
    model, tokenizer = loaded.model, loaded.tokenizer
    # The template has put in every special token already.
    ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=not tokenizer.chat_template)["input_ids"]
    if prompt.rstrip().endswith(("<think>", "<thinking>")):
        most_tokens += _ROOM_TO_THINK
    room = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if ids.shape[1] == 0 or (room and ids.shape[1] + most_tokens > room):
        raise NoAnswerError(
            f"the question has {ids.shape[1]} tokens, and the model reads {room or 'none'} with its answer"
        )
    ids = ids.to(model.device)
    with torch.inference_mode():
        told = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=_greedy(model, tokenizer, most_tokens)
        )
    return str(tokenizer.decode(told[0, ids.shape[1] :], skip_special_tokens=True))


def _greedy(model: Any, tokenizer: Any, most_tokens: int) -> GenerationConfig:
    own = model.generation_config
    end = own.eos_token_id if own.eos_token_id is not None else tokenizer.eos_token_id
    first_end = end[0] if isinstance(end, list) and end else end
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else first_end
    return GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=most_tokens, do_sample=False, eos_token_id=end, pad_token_id=pad
    )


@contextmanager
def _watched(model: Any, timeout: float) -> Iterator[None]:
    """Ends the model's work when the time is over: before each token, and within a long prompt before each layer."""
    end = time.monotonic() + timeout

    def watch(module: torch.nn.Module, inputs: Any) -> None:  # noqa: ARG001
        if time.monotonic() > end:
            raise _OutOfTimeError

    layers = [layer for part in model.modules() if isinstance(part, torch.nn.ModuleList) for layer in part]
    hooks = [layer.register_forward_pre_hook(watch) for layer in (model, *layers)]
    try:
        yield
    except _OutOfTimeError:
        raise NoAnswerError(f"time-out after {timeout:g} s") from None
    finally:
        for hook in hooks:
            hook.remove()


# What transformers, safetensors and torch raise over files and settings that do not fit together.
_FAILURES = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ImportError,
    RuntimeError,
    MemoryError,
    SafetensorError,
)


@contextmanager
def _understood_failures(task: str, device: torch.device) -> Iterator[None]:
    """What goes wrong in files and memory, as NoAnswerError in a few words."""
    try:
        yield
    except Exception as problem:
        # The tokenizers package knows no exception of its own: what it cannot read is a bare Exception.
        if not isinstance(problem, _FAILURES) and type(problem) is not Exception:
            raise
        if out_of_memory(problem):
            raise NoAnswerError(
                f"it needs more memory than {device.type} has; take a smaller one, or low_resource on CUDA"
            ) from problem
        first_line = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise NoAnswerError(f"it cannot {task}: {first_line[:120]}") from problem
