"""Pieces of a model: tensors that are known by name and shape and read when they are needed, one at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from reelscore.checkpoints.naming import printable
from reelscore.checkpoints.reading import Stored
from reelscore.errors import InputError

# How weight norm (Salimans and Kingma, 2016) is stored: magnitude and direction, in its old and its new style.
_NORMED = (("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1"))
_MOST_SHOWN = 200  # characters of a name that nobody knows


@dataclass(frozen=True)
class Piece:
    """A tensor that is not read yet: its name in messages, its shape, and how to read it."""

    called: str
    shape: tuple[int, ...]
    read: Callable[[], Tensor]


@dataclass(frozen=True)
class Layout:
    """Which tensor of a file stands for which published name, and what was found out on the way."""

    name: str
    sources: Mapping[str, str]
    """From published names to names in the file."""
    notes: tuple[str, ...] = ()


def pieces_of(stored: Stored, sources: Mapping[str, str]) -> dict[str, Piece]:
    """The pieces of a file by published name, with weight norm folded: weight = magnitude · direction / |direction|.

    `sources` leads from published names to names in the file. Raises InputError where half of a pair is missing.
    """
    pieces: dict[str, Piece] = {}
    for published, name in sources.items():
        stem, style = _normed(published)
        if style is None:
            pieces[published] = Piece(published, stored.shapes[name], partial(stored.read, name))
    for published in sources:
        stem, style = _normed(published)
        if style is None:
            continue
        magnitude, direction = (f"{stem}.{leaf}" for leaf in style)
        folded = f"{stem}.weight"
        if other := next((half for half in (magnitude, direction) if half not in sources), None):
            raise InputError(f"{stored.path} does not fit: {other} is missing, though {published} is there.")
        if published == direction:
            if folded in pieces:
                raise InputError(f"{stored.path} does not fit: it holds both {folded} and {published}.")
            pieces[folded] = _folded(stored, sources, magnitude, direction)
    return pieces


def _normed(published: str) -> tuple[str, tuple[str, str] | None]:
    for style in _NORMED:
        for leaf in style:
            if published.endswith(f".{leaf}"):
                return published.removesuffix(f".{leaf}"), style
    return published, None


def _folded(stored: Stored, sources: Mapping[str, str], magnitude: str, direction: str) -> Piece:
    shape = stored.shapes[sources[direction]]
    of_magnitude = stored.shapes[sources[magnitude]]
    wanted = (*shape[:1], *(1 for _ in shape[1:]))
    if of_magnitude != wanted:
        raise InputError(
            f"{stored.path} does not fit: {magnitude} is {in_words(of_magnitude)} and should be {in_words(wanted)}."
        )

    def read() -> Tensor:
        along = stored.read(sources[direction]).to(torch.float32)
        length: Tensor = torch.linalg.vector_norm(along.flatten(1), dim=1).reshape(wanted)
        return along * (stored.read(sources[magnitude]).to(torch.float32) / length)

    return Piece(direction, shape, read)


def renamed(pieces: Mapping[str, Piece], our_name: Callable[[str], str | None]) -> dict[str, Piece]:
    """The pieces by our names; an unknown name stands for itself and is refused with the misfits."""
    return {our_name(published) or published: piece for published, piece in pieces.items()}


def refuse_misfits(
    path: Path, given: Mapping[str, Piece], expected: Mapping[str, tuple[int, ...]], called: Callable[[str], str]
) -> None:
    """Raises InputError where the pieces are not exactly those expected; it names a key of each kind, with both shapes.

    `called` gives the published name of a tensor that is missing.
    """
    missing = [called(name) for name in expected if name not in given]
    unknown = [piece.called for name, piece in given.items() if name not in expected]
    bent = [name for name, piece in given.items() if name in expected and piece.shape != tuple(expected[name])]
    faults = []
    if missing:
        faults.append(f"{missing[0]} is missing{_and_more(missing)}")
    if unknown:
        faults.append(f"{printable(unknown[0][:_MOST_SHOWN])} is unknown{_and_more(unknown)}")
    if bent:
        piece = given[bent[0]]
        shapes = f"is {in_words(piece.shape)} and should be {in_words(expected[bent[0]])}"
        faults.append(f"{piece.called} {shapes}{_and_more(bent)}")
    if faults:
        raise InputError(
            f"{path} does not fit: {', '.join(faults)}; give files that belong together, or download them again."
        )


def in_words(shape: tuple[int, ...]) -> str:
    """A shape as it is written in messages."""
    return " × ".join(str(size) for size in shape) or "a single number"


def _and_more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
