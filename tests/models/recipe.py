"""The weights behind the parity fixtures, as `benchmark.parity` makes them: from names and shapes alone, so that none need to be stored.

A tensor depends on its published name, its shape and the salt in the fixture's header (tests/fixtures/sonique/README.md).
"""

from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from benchmark.parity import shapes_of
from benchmark.parity import sonique_weight as weight

SONIQUE = Path(__file__).resolve().parents[1] / "fixtures" / "sonique"
"""The folder of the fixtures."""


def weights(shapes: Mapping[str, tuple[int, ...]], salt: str) -> dict[str, Tensor]:
    """The tensors of many keys by published name."""
    return {name: weight(name, shape, salt) for name, shape in shapes.items()}


def shapes_of_fixture(folder: Path = SONIQUE) -> dict[str, tuple[int, ...]]:
    """Published names and shapes of the fixture's small configuration, all parts of the model."""
    return shapes_of(folder / "keys.tsv")


def published_shapes(folder: Path = SONIQUE) -> dict[str, tuple[int, ...]]:
    """Published names and shapes of the released checkpoint: 1,048 keys."""
    return shapes_of(folder / "published_keys.txt")


def fixture(folder: Path = SONIQUE) -> tuple[dict[str, Tensor], str]:
    """The stored inputs and expected outputs by name, and the salt of the weights they came from."""
    with safe_open(folder / "io.safetensors", framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()["salt"]  # noqa: SIM118
