"""What every captioner can do, and how one is made to answer: always the likeliest word, never more than a few sentences."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from reelscore.analysis.content.frames import Frame

Tick: TypeAlias = Callable[[float], None]
"""Called with the fraction of an answer that may be over, after every word; what it raises ends the work."""


class Captioner(Protocol):
    """A model that says what is seen in the frames of a film."""

    name: str

    def scene(self, frames: Sequence[Frame], tick: Tick) -> str:
        """What the scene shows: one line, "" where the model said nothing usable."""

    def film(self, frames: Sequence[Frame], captions: Sequence[str], tick: Tick) -> str:
        """What the whole film shows, from frames of all its parts or from the captions of its scenes."""


def generated(model: Any, inputs: Any, settings: Any, tick: Tick) -> Any:
    """The tokens that the model says after `inputs`, without them; with the settings of `greedy` the same every time."""
    import torch
    from transformers import StoppingCriteriaList

    with torch.inference_mode():
        said = model.generate(
            **inputs,
            generation_config=settings,
            stopping_criteria=StoppingCriteriaList([_ticking(tick, settings.max_new_tokens)]),
        )[0]
    prompt = inputs.get("input_ids")
    if prompt is None or getattr(model.config, "is_encoder_decoder", False):
        return said
    length = prompt.shape[1]
    return said[length:] if said.shape[0] >= length and bool((said[:length] == prompt[0]).all()) else said


def greedy(model: Any, most_tokens: int) -> Any:
    """The model's own settings without chance: no sampling, no beams, a bounded length."""
    from copy import deepcopy

    settings = deepcopy(model.generation_config)
    for choice in ("temperature", "top_p", "top_k", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff"):
        setattr(settings, choice, None)
    settings.do_sample, settings.num_beams, settings.num_return_sequences = False, 1, 1
    settings.max_new_tokens, settings.max_length, settings.min_length = most_tokens, None, 0
    if settings.pad_token_id is None:
        ends = settings.eos_token_id
        settings.pad_token_id = ends[0] if isinstance(ends, list) and ends else ends if isinstance(ends, int) else 0
    return settings


def yes_over_no(tokenizer: Any, logits: Any) -> list[float]:
    """ln(p / (1 − p)) of yes in each row of `logits` (answers, words) of an answer's first word: all that begin a yes against all that begin a no."""
    import torch

    yes, no = (torch.logsumexp(logits[:, _beginnings(tokenizer, word)], dim=1) for word in ("yes", "no"))
    return [float(each) for each in yes - no]


def _beginnings(tokenizer: Any, word: str) -> list[int]:
    """The tokens that are the word, however it is written; not the pieces of which it may be made."""
    forms = [space + form for form in (word, word.capitalize(), word.upper()) for space in ("", " ")]
    tokens = {token for form in forms for token in tokenizer(form, add_special_tokens=False)["input_ids"]}
    known = [token for token in tokens if tokenizer.decode([token]).strip().lower() == word]
    if not known:
        raise ValueError(f"its tokenizer has no token for the word {word!r}")
    return sorted(known)


def _ticking(tick: Tick, most_tokens: int) -> Any:
    import torch
    from transformers import StoppingCriteria

    class Ticking(StoppingCriteria):  # type: ignore[misc, unused-ignore]
        """Stops nothing; tells after every token how far the answer is."""

        def __init__(self) -> None:
            self.said = 0

        def __call__(self, input_ids: Any, scores: Any, **rest: Any) -> Any:  # noqa: ARG002 - the signature is theirs
            self.said += 1
            tick(min(self.said / most_tokens, 1.0))
            return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)

    return Ticking()
