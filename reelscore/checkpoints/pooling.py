"""How models of sentences make one vector of a text, as the files of sentence-transformers state it.

`modules.json` names the steps: a network in the form of transformers, a pooling, and often a normalisation. Anything else
in the chain is refused, for vectors without it would mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reelscore.checkpoints.reading import read_json
from reelscore.errors import InputError

Pooling = Callable[[Tensor, Tensor], Tensor]

_STEPS = "modules.json"


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    weights = mask[:, :, None].float()
    return (hidden.float() * weights).sum(1) / weights.sum(1).clamp(min=1)


def _first(hidden: Tensor, mask: Tensor) -> Tensor:
    return _at(hidden, mask.argmax(1))  # the first that is not filling, on whichever side that stands


def _last(hidden: Tensor, mask: Tensor) -> Tensor:
    return _at(hidden, mask.shape[1] - 1 - mask.flip(1).argmax(1))


def _greatest(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden.float().masked_fill(mask[:, :, None] == 0, -torch.inf).amax(1)


def _at(hidden: Tensor, places: Tensor) -> Tensor:
    return hidden[torch.arange(hidden.shape[0], device=hidden.device), places]


POOLINGS: Mapping[str, Pooling] = {
    "mean": _mean,
    "mean_sqrt_len": _mean,  # differs from the mean by its length alone, and lengths are made 1
    "cls": _first,
    "max": _greatest,
    "lasttoken": _last,
}
"""From hidden states (b, t, d) and their mask (b, t) to vectors (b, d), by the names that sentence-transformers gives them."""


@dataclass(frozen=True)
class SentenceLayout:
    """Where in a folder the network lies, and what is done before and after it."""

    model: Path
    pooling: str
    longest: int | None
    """The most tokens of a text; None where only the network's own limit holds."""
    lower_case: bool


def is_sentence_layout(folder: Path) -> bool:
    """Whether a folder is laid out as those of sentence-transformers."""
    return (folder / _STEPS).is_file()


def sentence_layout(name: str, folder: Path) -> SentenceLayout:
    """The layout of a folder of sentence-transformers. Raises InputError where it is none or has steps that are not known."""
    if not is_sentence_layout(folder):
        raise InputError(
            f"{name} does not say how it makes one vector of a text (there is no {_STEPS} in {folder}); "
            "give a model in the layout of sentence-transformers."
        )
    steps = _steps(name, folder)
    kinds = [kind for kind, _ in steps]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise InputError(
            f"{name} makes its vectors by {', '.join(kinds) or 'no step'}; only a Transformer, a Pooling and a Normalize "
            "in this order are known here, so give another."
        )
    network, pooled = steps[0][1], steps[1][1]
    longest, lower_case = _reading(network)
    return SentenceLayout(network, _stated_pooling(name, pooled), longest, lower_case)


def _steps(name: str, folder: Path) -> list[tuple[str, Path]]:
    """The kinds of the steps in order, each with the folder of its files; folders are bare names within this one."""
    listed = read_json(folder / _STEPS)
    if not isinstance(listed, list) or not all(isinstance(step, dict) for step in listed):
        raise InputError(f"{folder / _STEPS} is no list of steps; fetch {name} anew.")
    steps = []
    for step in listed:
        path = str(step.get("path", ""))
        if path and (path != Path(path).name or "\\" in path or path in (".", "..")):
            raise InputError(f"{folder / _STEPS} leads out of its folder, to {path!r}; it is not followed.")
        steps.append((str(step.get("type", "")).rpartition(".")[2], folder / path))
    return steps


def _stated_pooling(name: str, folder: Path) -> str:
    path = folder / "config.json"
    if not path.is_file():
        raise InputError(f"{name} does not say how it pools (there is no {path}); fetch it anew.")
    stated = read_json(path)
    modes = _modes(stated) if isinstance(stated, dict) else []
    if len(modes) != 1 or modes[0] not in POOLINGS:
        raise InputError(
            f"{name} pools by {' and '.join(modes) or 'nothing'}, which is not known here; give one that pools by "
            f"{', '.join(POOLINGS)}."
        )
    return modes[0]


def _modes(stated: Mapping[str, Any]) -> list[str]:
    """The ways of pooling: a name or a list of them in newer files, one flag for each in older ones."""
    named = stated.get("pooling_mode")
    if named is not None:
        return [str(mode) for mode in named] if isinstance(named, list) else [str(named)]
    flags = [flag for flag, is_set in stated.items() if flag.startswith("pooling_mode_") and is_set is True]
    return [flag.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token") for flag in flags]


def _reading(network: Path) -> tuple[int | None, bool]:
    """The most tokens of a text, if that is stated, and whether it is to be given small letters only."""
    paths = sorted(network.glob("sentence_*_config.json"))  # named after the kind of the network
    stated = read_json(paths[0]) if paths else {}
    stated = stated if isinstance(stated, dict) else {}
    longest = stated.get("max_seq_length")
    return longest if type(longest) is int else None, stated.get("do_lower_case") is True
