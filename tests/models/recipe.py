"""The weights behind the parity fixtures: made from names and shapes alone, so that none need to be stored.

A tensor depends on its published name, its shape and the salt in the fixture's header (tests/fixtures/sonique/README.md).
"""

import zlib
from collections.abc import Mapping
from math import prod, sqrt
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

SONIQUE = Path(__file__).resolve().parents[1] / "fixtures" / "sonique"
"""The folder of the fixtures."""


def weight(name: str, shape: tuple[int, ...], salt: str) -> Tensor:
    """The float32 tensor of one published state-dict key."""
    drawn = np.random.default_rng(zlib.crc32(f"{salt}:{name}".encode())).standard_normal(shape, dtype=np.float32)
    leaf = name.rpartition(".")[2]
    if len(shape) >= 2 and leaf not in ("weight_g", "alpha"):
        made = drawn * 0.8 / sqrt(prod(shape[1:]))
    elif leaf == "weight_g":
        made = 0.65 + 0.065 * drawn
    elif leaf == "alpha":
        made = 1 + 0.1 * np.abs(drawn)
    elif leaf in ("weight", "gamma", "scale"):
        made = 1 + 0.1 * drawn
    elif leaf == "weights":
        made = drawn
    else:
        made = 0.05 * drawn
    return torch.from_numpy(np.asarray(made, dtype=np.float32))


def weights(shapes: Mapping[str, tuple[int, ...]], salt: str) -> dict[str, Tensor]:
    """The tensors of many keys by published name."""
    return {name: weight(name, shape, salt) for name, shape in shapes.items()}


def shapes_of_fixture(folder: Path = SONIQUE) -> dict[str, tuple[int, ...]]:
    """Published names and shapes of the fixture's small configuration, all parts of the model."""
    rows = (line.split("\t") for line in (folder / "keys.tsv").read_text().splitlines())
    return {name: tuple(int(size) for size in shape.split(",") if size) for name, shape in rows}


def published_shapes(folder: Path = SONIQUE) -> dict[str, tuple[int, ...]]:
    """Published names and shapes of the released checkpoint: 1,048 keys."""
    rows = (line.split(" ") for line in (folder / "published_keys.txt").read_text().splitlines())
    return {name: tuple(int(size) for size in shape.strip("[]").split(",") if size) for name, shape, _ in rows}


def fixture(folder: Path = SONIQUE) -> tuple[dict[str, Tensor], str]:
    """The stored inputs and expected outputs by name, and the salt of the weights they came from."""
    with safe_open(folder / "io.safetensors", framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()["salt"]  # noqa: SIM118
