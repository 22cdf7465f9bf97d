"""Weights by recipe on their way into a model: through its strict loader, from a file like any other."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmark.parity.recipe import shapes_of
from reelscore.checkpoints.filling import filled, shapes_in
from reelscore.checkpoints.pieces import Piece
from reelscore.checkpoints.reading import Stored, read_weights
from reelscore.errors import InputError

Model = TypeVar("Model", bound=nn.Module)
Fitting = Callable[[Stored, Model], tuple[dict[str, Piece], tuple[str, ...]]]
"""A loader's way from the tensors of a published file to the pieces of a model. Raises InputError where they do not fit."""


def loaded(
    model: Model, weights: Mapping[str, Tensor], fitting: Fitting[Model], is_silent: Callable[[str], bool]
) -> Model:
    """The model with these weights by their published names; parts that fixtures do without are zeros that take no memory."""
    nothing = torch.zeros(())
    silent = {
        name: Piece(name, shape, partial(nothing.expand, shape))
        for name, shape in shapes_in(model).items()
        if is_silent(name)
    }
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "weights.safetensors"
        save_file(dict(weights), file)
        pieces, _ = fitting(read_weights(file), model)
        return filled(model, pieces | silent)


def told_published_keys(table: Path, model: Model, fitting: Fitting[Model], remark: str) -> bool:
    """Prints whether the names and shapes of the released checkpoint map strictly onto a model of the published sizes."""
    shapes = shapes_of(table)

    def unread(name: str) -> Tensor:
        raise AssertionError(f"{name} is known by its shape alone")

    try:
        pieces, _ = fitting(Stored(table, shapes, {}, unread, {}, (table,)), model)
    except InputError as problem:
        print(problem)
        return False
    print(f"{len(shapes)} published keys mapped onto {len(pieces)} tensors, {remark}")
    return True
