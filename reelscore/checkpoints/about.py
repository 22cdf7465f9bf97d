"""What can be told about models: the rows of the catalogue, and what a file of weights holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelscore.checkpoints import catalogue, hub
from reelscore.errors import InputError, MissingError
from reelscore.hardware import require_neural

if TYPE_CHECKING:
    from reelscore.checkpoints.reading import Stored

# By published and by our names: the parts that parameters are counted for.
_PARTS = (
    ("U-Net", ("unet.", "model.model.")),
    ("autoencoder", ("autoencoder.", "pretransform.")),
    ("text tower", ("conditioner.text.", "embeddings.", "encoder.")),
    ("embeddings of seconds", ("conditioner.",)),
)


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
        return told


def listing() -> list[Row]:
    """The models of the catalogue, and whether each is here."""
    return [Row(card.name, card.kind, card.terms, card.size, _here(card)) for card in catalogue.CATALOGUE]


def describe(name_or_path: str) -> Description:
    """What is known of a model of the catalogue, or what a file of weights holds.

    Raises InputError where it is neither, or where the file cannot be read.
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
    from reelscore.checkpoints import own_form
    from reelscore.checkpoints.reading import read_weights
    from reelscore.models.latent_diffusion import config_to_dict

    stored = read_weights(path)
    if not own_form.is_own_form(stored):
        return _of_published(stored)
    config = own_form.read_config(stored)
    card = own_form.read_card(stored)
    facts: dict[str, Any] = {
        "form": "converted by Reelscore",
        "source": card.source,
        "terms": card.licence,
        "number format": _formats(stored),
        "parameters": _parameters(stored.shapes) | {"all": _count(stored.shapes)},
        "configuration": config_to_dict(config),
        "made from": [asdict(file) for file in card.made_from],
        "made by": card.made_by,
    }
    if card.notes:
        facts["notes"] = list(card.notes)
    return Description(str(path), facts)


def _of_published(stored: Stored) -> Description:
    from reelscore.checkpoints.sonique_names import layout_of_sonique, layout_of_text_tower

    try:
        layout = layout_of_text_tower(stored.shapes, stored.path)
        kind = "CLAP text tower"
    except InputError:
        layout = layout_of_sonique(stored.shapes, stored.path)
        known = any(name.startswith(("model.model.", "pretransform.", "conditioner.")) for name in layout.sources)
        kind = "SONIQUE" if known else "unknown weights"
    shapes = {published: stored.shapes[name] for published, name in layout.sources.items()}
    facts: dict[str, Any] = {
        "form": f"{kind}, {layout.name}" if kind != "unknown weights" else kind,
        "tensors": len(stored.shapes),
        "number format": _formats(stored),
        "parameters": _parameters(shapes if kind != "unknown weights" else {}) | {"all": _count(shapes)},
    }
    if layout.notes:
        facts["notes"] = list(layout.notes)
    return Description(str(stored.path), facts)


def _formats(stored: Stored) -> str:
    """The number formats of a file, the commonest first."""
    counted = Counter(stored.formats.values())
    return ", ".join(name for name, _ in counted.most_common())


def _parameters(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    counted = dict.fromkeys((part for part, _ in _PARTS), 0) | {"other": 0}
    for name, shape in shapes.items():
        part = next((part for part, starts in _PARTS if name.startswith(starts)), "other")
        counted[part] += prod(shape)
    return {part: count for part, count in counted.items() if count}


def _count(shapes: Mapping[str, tuple[int, ...]]) -> int:
    return sum(prod(shape) for shape in shapes.values())


def _told(name: str, value: Any, depth: int = 1) -> list[str]:
    indent = "    " * depth
    if isinstance(value, Mapping):
        inside = [line for key, each in value.items() for line in _told(str(key), each, depth + 1)]
        return [f"{indent}{name}:", *inside]
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        each = [f"{indent}    {', '.join(str(part) for part in one.values() if part)}" for one in value]
        return [f"{indent}{name}:", *each]
    if isinstance(value, list):
        value = ", ".join(str(each) for each in value)
    return [f"{indent}{name}: {value:,}" if isinstance(value, int) and value > 9999 else f"{indent}{name}: {value}"]
