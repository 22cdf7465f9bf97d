"""Configurations of networks as plain nested data, for the headers of our checkpoints, and back again.

A configuration is a frozen dataclass of whole numbers, lists of them, chosen words and further configurations. Reading is
strict: what is unknown, missing, of the wrong kind or beyond all sense raises a ValueError that names the field.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Config = TypeVar("Config")

GREATEST = 2**24
"""No size in a configuration is greater."""
MOST_LAYERS = 64
"""No list in a configuration is longer, and no count of parts greater, lest a broken file keeps us building for ever."""
_COUNTS = ("num_blocks", "attentions", "depth", "codebooks")
"""Counts of parts, besides all names that end in `layers`."""
_LEAST = {"layer": -MOST_LAYERS, "feature_layer_ix": -MOST_LAYERS, "padding_id": 0, "delays": 0}
"""Every other whole number is at least 1."""


def to_dict(config: Any) -> dict[str, Any]:
    """The configuration, a dataclass, as nested dicts, lists, words and numbers that JSON can hold."""
    values = {each.name: getattr(config, each.name) for each in fields(config)}
    return {
        name: to_dict(value) if is_dataclass(value) else list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
    }


def from_dict(kind: type[Config], written: Any, at: str = "") -> Config:
    """What `to_dict` wrote of a configuration of that kind; `at` stands before the names in messages.

    Raises ValueError, naming the field, for any other data.
    """
    if not isinstance(written, Mapping):
        raise ValueError(f"{at.rstrip('.') or 'the configuration'} is {shown(written)}; it must be an object.")
    kinds = get_type_hints(kind)
    for name in written:
        if name not in kinds:
            raise ValueError(f"{at}{name} is not a field of the configuration.")
    for name in kinds:
        if name not in written:
            raise ValueError(f"{at}{name} is missing from the configuration.")
    return kind(**{name: _value(kinds[name], written[name], f"{at}{name}") for name in kinds})


def integer(written: Any, at: str) -> int:
    """A whole number of a configuration. Raises ValueError, naming the field `at`, where it is none or makes no sense."""
    name = at.rpartition(".")[2].partition("[")[0]
    least = _LEAST.get(name, 1)
    most = MOST_LAYERS if name in _COUNTS or name.endswith("layers") else GREATEST
    if type(written) is not int or not least <= written <= most:
        raise ValueError(f"{at} is {shown(written)}; it must be a whole number from {least} to {most}.")
    return written


def integers(written: Any, at: str) -> tuple[int, ...]:
    """A list of whole numbers of a configuration. Raises ValueError, naming the field `at`, for anything else."""
    if not isinstance(written, list | tuple) or not 1 <= len(written) <= MOST_LAYERS:
        raise ValueError(f"{at} is {shown(written)}; it must be a list of whole numbers.")
    return tuple(integer(each, at) for each in written)


def shown(written: Any) -> str:
    """What was written, short enough for a message."""
    text = repr(written)
    return text if len(text) <= 60 else text[:57] + "..."


def _value(kind: Any, written: Any, at: str) -> Any:
    if is_dataclass(kind):
        return from_dict(kind, written, f"{at}.")  # type: ignore[arg-type]
    if get_origin(kind) is Literal:
        return _choice(get_args(kind), written, at)
    return integer(written, at) if kind is int else integers(written, at)


def _choice(known: tuple[str, ...], written: Any, at: str) -> str:
    if not isinstance(written, str) or written not in known:
        raise ValueError(f"{at} is {shown(written)}; it must be one of {', '.join(known)}.")
    return written
