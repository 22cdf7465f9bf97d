"""The weights behind the parity fixtures, as `benchmark.parity` makes them: from names and shapes alone, so that none need to be stored.

A tensor depends on its published name, its shape and the salt in the fixture's header (the README of each folder of fixtures).
"""

from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from benchmark.parity.recipe import Weight, shapes_of, vidmuse_weight
from benchmark.parity.recipe import sonique_weight as weight

_FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SONIQUE, VIDMUSE = _FIXTURES / "sonique", _FIXTURES / "vidmuse"
"""The folders of the fixtures."""


def weights(shapes: Mapping[str, tuple[int, ...]], salt: str, recipe: Weight = weight) -> dict[str, Tensor]:
    """The tensors of many keys by published name; SONIQUE's by default."""
    return {name: recipe(name, shape, salt) for name, shape in shapes.items()}


def vidmuse_weights(folder: Path = VIDMUSE) -> dict[str, Tensor]:
    """The whole state dict behind a VidMuse fixture, by published name."""
    _, salt = fixture(folder)
    return weights(shapes_of_fixture(folder), salt, vidmuse_weight)


def shapes_of_fixture(folder: Path = SONIQUE) -> dict[str, tuple[int, ...]]:
    """Published names and shapes of the fixture's small configuration, all parts of the model."""
    return shapes_of(folder / "keys.tsv")


def published_shapes(folder: Path = SONIQUE) -> dict[str, tuple[int, ...]]:
    """Published names and shapes of the released checkpoint: 1,048 keys of SONIQUE, 852 of VidMuse."""
    return shapes_of(folder / "published_keys.txt")


def fixture(folder: Path = SONIQUE) -> tuple[dict[str, Tensor], str]:
    """The stored inputs and expected outputs by name, and the salt of the weights they came from."""
    with safe_open(folder / "io.safetensors", framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()["salt"]  # noqa: SIM118
