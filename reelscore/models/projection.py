"""Linear maps without a bias, and the way to put other kinds of them in their place.

Kinds that are made for steps on a CPU alone (models/packing.py, models/eight_bits.py) keep their weights in a form of their
own and know no gradients; they are called in the same way.
"""

import ctypes
import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn

from reelscore.models.products import linear


class Projection(nn.Module):
    """A linear map; with several sizes of outputs, as many maps of the same inputs with their weights in one."""

    def __init__(self, inputs: int, *outputs: int) -> None:
        super().__init__()
        self.outputs = outputs
        self.weight = nn.Parameter(torch.empty(sum(outputs), inputs))
        nn.init.uniform_(self.weight, -(inputs**-0.5), inputs**-0.5)

    def forward(self, x: Tensor, part: int = 0) -> Tensor:
        """x (..., inputs) → (..., outputs of that part)."""
        return linear(x, self.parts()[part])

    def parts(self) -> tuple[Tensor, ...]:
        """The weight of each map, (outputs, inputs)."""
        return torch.split(self.weight, list(self.outputs))


def replace_projections(network: nn.Module, make: Callable[[Projection], nn.Module]) -> None:
    """Puts what `make` gives in the place of every projection, one after the other, so that no two copies are held."""
    for module in network.modules():
        for name, child in list(module.named_children()):
            if isinstance(child, Projection):
                setattr(module, name, make(child))
                del child
                give_back()


def give_back() -> None:
    """Gives freed memory back to the system where the C library would keep it, as glibc does with pieces of some MiB."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
