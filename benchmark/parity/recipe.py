"""What every fixture folder shares: its tables, and the weights that nobody needs to store because they follow a recipe.

A weight is a function of the salt in the header of io.safetensors, of its published name and of its shape: a standard normal
`x`, drawn from a generator seeded with the CRC-32 of "salt:name", scaled by a rule of the model it belongs to.
"""

import math
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reelscore.errors import InputError

MOST_NUMBERS = 2**30
"""No tensor of a fixture or of a released checkpoint is larger."""
_ROW = re.compile(r"(?P<name>\S+)(?P<shape>|\s+[\[(]?(\d{1,12}(, ?\d{1,12})*,?)?[\])]?)(?:\s+torch\.\w+)?")

Shape = tuple[int, ...]
Shapes = dict[str, Shape]
Weight = Callable[[str, Shape, str], Tensor]
"""The weight of one published key: of its name, its shape and the salt."""


def sonique_weight(name: str, shape: Shape, salt: str) -> Tensor:
    """The weight of one key of SONIQUE's layout."""
    x, leaf = _normal(name, shape, salt), _leaf(name)
    if len(shape) >= 2 and leaf not in ("weight_g", "alpha"):
        return _tensor(x * 0.8 / math.sqrt(math.prod(shape[1:])))
    if leaf == "weight_g":
        return _tensor(0.65 + 0.065 * x)
    if leaf == "alpha":
        return _tensor(1 + 0.1 * np.abs(x))
    if leaf in ("weight", "gamma", "scale"):
        return _tensor(1 + 0.1 * x)
    return _tensor(x if leaf == "weights" else 0.05 * x)


def vidmuse_weight(name: str, shape: Shape, salt: str) -> Tensor:
    """The weight of one key of VidMuse's layout."""
    x, leaf = _normal(name, shape, salt), _leaf(name)
    if leaf.endswith("pos_embedding"):
        return _tensor(0.02 * x)
    if len(shape) >= 2:
        return _tensor(x * 0.8 / math.sqrt(math.prod(shape[1:])))
    return _tensor(1 + 0.1 * x if leaf == "weight" else 0.05 * x)


def shapes_of(table: Path) -> Shapes:
    """Names and shapes in a table: `name<tab>2,3`, `name [2,3] torch.float32` or `name<tab>(2, 3)<tab>torch.float32`."""
    shapes = {}
    for line in text_of(table).splitlines():
        if not line.strip():
            continue
        row = _ROW.fullmatch(line.strip())
        shape = tuple(int(size) for size in re.findall(r"\d+", row["shape"])) if row else ()
        if not row or math.prod(shape) > MOST_NUMBERS:
            raise InputError(f"{table} has a line that is no name and shape: {line[:80]!r}.")
        shapes[row["name"]] = shape
    return shapes


def text_of(path: Path) -> str:
    """A text file of a fixture folder; one that cannot be read is an InputError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as problem:
        raise InputError(f"Cannot read {path}: {problem}; give a folder of parity fixtures.") from problem


def _normal(name: str, shape: Shape, salt: str) -> NDArray[np.float32]:
    return np.random.default_rng(zlib.crc32(f"{salt}:{name}".encode())).standard_normal(shape, dtype=np.float32)


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]


def _tensor(value: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.asarray(value, dtype=np.float32))
