"""What can be told about models: the rows of the catalogue, and what a file of weights holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelscore.checkpoints import catalogue, hub
from reelscore.checkpoints.naming import printable
from reelscore.errors import InputError, MissingError
from reelscore.hardware import require_neural

if TYPE_CHECKING:
    from reelscore.checkpoints.reading import Stored
    from reelscore.checkpoints.recognising import Family


@dataclass(frozen=True)
class Row:
    """One line of the catalogue."""

    name: str
    kind: str
    terms: str
    size: str
    here: bool


@dataclass(frozen=True)
class Description:
    """What is known of a model or a file of weights: a title, and facts in the order in which they are told."""

    title: str
    facts: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Everything as data that JSON can hold."""
        return {"title": self.title, **self.facts}

    def lines(self) -> list[str]:
        """Everything as lines to read."""
        told = [self.title]
        for name, value in self.facts.items():
            told += _told(name, value)
        return [printable(line) for line in told]


def listing() -> list[Row]:
    """The models of the catalogue, and whether each is here."""
    return [Row(card.name, card.kind, card.terms, card.size, _here(card)) for card in catalogue.CATALOGUE]


def describe(name_or_path: str) -> Description:
    """What is known of a model of the catalogue, or what a file of weights holds.

    Raises InputError where it is neither, or where the file cannot be read or is of a newer kind.
    """
    card = catalogue.known(name_or_path)
    path = Path(name_or_path)
    try:
        there = bool(name_or_path.strip()) and path.exists()
    except (OSError, ValueError):
        there = False
    if there:
        return _of_file(path)
    if card is None:
        names = ", ".join(card.name for card in catalogue.CATALOGUE)
        raise InputError(f"There is no file and no model {name_or_path!r}; the names are {names}.")
    return _of_card(card)


def _here(card: catalogue.Card) -> bool:
    try:
        return hub.is_here(card)
    except MissingError:  # without the extra nothing of the Hub is here
        return False


def _of_card(card: catalogue.Card) -> Description:
    facts = {
        "kind": card.kind,
        "what it is": card.summary,
        "described at": card.address,
        "size": card.size,
        "terms": card.terms,
        "here": "yes" if _here(card) else "no",
        "get it": card.how,
    }
    if card.convert:
        facts["convert it"] = card.convert
    if card.note:
        facts["note"] = card.note
    return Description(card.name, facts)


def _of_file(path: Path) -> Description:
    require_neural()
    from reelscore.checkpoints.own_form import format_of
    from reelscore.checkpoints.reading import read_weights
    from reelscore.checkpoints.recognising import recognised

    stored = read_weights(path)
    family = recognised(stored)
    if not (ours := format_of(stored)):
        return _of_published(stored, family)
    if family.config is None:
        raise InputError(
            f"{path} is of a kind that this Reelscore does not know ({printable(ours)}); update Reelscore."
        )
    return _of_converted(stored, family, family.config)


def _of_converted(stored: Stored, family: Family, kind_of_config: type[Any]) -> Description:
    from reelscore.checkpoints import own_form
    from reelscore.models.configurations import to_dict

    config = own_form.read_config(stored, kind_of_config)
    card = own_form.read_card(stored)
    facts: dict[str, Any] = {
        "form": f"{family.title}, converted by Reelscore",
        "source": card.source,
        "terms": card.licence,
        "number format": _formats(stored),
        "parameters": _parameters(stored.shapes, family),
        "configuration": to_dict(config),
        "made from": [asdict(file) for file in card.made_from],
        "made by": card.made_by,
    }
    if card.notes:
        facts["notes"] = list(card.notes)
    return Description(str(stored.path), facts)


def _of_published(stored: Stored, family: Family) -> Description:
    from reelscore.checkpoints.recognising import layout_of

    layout = layout_of(stored, family)
    shapes = {published: stored.shapes[name] for published, name in layout.sources.items()}
    facts: dict[str, Any] = {
        "form": f"{family.title}, {layout.name}" if layout.name else family.title,
        "tensors": len(stored.shapes),
        "number format": _formats(stored),
        "parameters": _parameters(shapes, family),
    }
    if family.name:
        facts["terms"] = catalogue.find(family.name).terms
    if layout.notes:
        facts["notes"] = list(layout.notes)
    return Description(str(stored.path), facts)


def _formats(stored: Stored) -> str:
    """The number formats of a file, the commonest first."""
    counted = Counter(stored.formats.values())
    return ", ".join(name for name, _ in counted.most_common())


def _parameters(shapes: Mapping[str, tuple[int, ...]], family: Family) -> dict[str, int]:
    """How many numbers each part of a model holds, and all of them."""
    counted = dict.fromkeys(family.parts, 0) | {"other": 0, "all": 0}
    for name, shape in shapes.items():
        part = next((part for part, starts in family.parts.items() if name.startswith(starts)), "other")
        counted[part] += prod(shape)
        counted["all"] += prod(shape)
    if not family.parts:
        return {"all": counted["all"]}
    return {part: count for part, count in counted.items() if count}


def _told(name: str, value: Any, depth: int = 1) -> list[str]:
    indent = "    " * depth
    if isinstance(value, Mapping):
        inside = [line for key, each in value.items() for line in _told(str(key), each, depth + 1)]
        return [f"{indent}{name}:", *inside]
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        each = [f"{indent}    {', '.join(str(part) for part in one.values() if part)}" for one in value]
        return [f"{indent}{name}:", *each]
    if isinstance(value, list):
        sentences = all(str(each).endswith(".") for each in value)
        value = (" " if sentences else ", ").join(str(each) for each in value)
    return [f"{indent}{name}: {value:,}" if isinstance(value, int) and value > 9999 else f"{indent}{name}: {value}"]
