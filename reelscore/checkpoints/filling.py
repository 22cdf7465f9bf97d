"""Networks and their weights: built without memory, then filled with pieces as they are read.

Nothing is made at random first, and what lies well in a mapped file is used where it lies.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from reelscore.checkpoints.pieces import Piece
from reelscore.errors import InputError
from reelscore.models.projection import give_back

Model = TypeVar("Model", bound=nn.Module)
Config = TypeVar("Config")

ALIGNED = 64
"""Bytes; arithmetic on tensors that begin at other places may be slower, and round otherwise."""


def frame(kind: Callable[[Config], Model], config: Config) -> Model:
    """The networks without memory for their weights. Raises InputError where the sizes do not go together."""
    try:
        with torch.device("meta"):
            return kind(config)
    except (ValueError, RuntimeError, OverflowError, ZeroDivisionError) as problem:
        raise InputError(
            f"The configuration does not hold together ({problem}); give that of the weights."
        ) from problem


def shapes_in(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """The shapes of all weights of a model, by our names."""
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def filled(
    model: Model,
    pieces: Mapping[str, Piece],
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    exact: tuple[str, ...] = (),
) -> Model:
    """The model with those pieces as its weights, ready to run; each piece is read, converted and moved by itself.

    Weights whose names begin with one of `exact` are float32 whatever `dtype` is.
    """
    state = {}
    tables = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Embedding)}
    for name, piece in pieces.items():
        wanted = torch.float32 if name.startswith(exact) else dtype
        tensor = piece.read().to(device=device, dtype=wanted)
        # Of tables few rows are ever looked at: wherever they lie in the file, the rest of them stays there.
        state[name] = tensor if name in tables else _settled(tensor)
        give_back()
    model.load_state_dict(state, strict=True, assign=True)
    _fill_tables(model, torch.device(device))
    return model.requires_grad_(False).eval()


def _settled(tensor: Tensor) -> Tensor:
    """The tensor where arithmetic on it is fast and always rounds alike: as it is mapped from the file, if it lies well."""
    if tensor.device.type != "cpu" or tensor.data_ptr() % ALIGNED == 0:
        return tensor
    return tensor.clone()


def _fill_tables(model: nn.Module, device: torch.device) -> None:
    """Makes the constant tables of transformers that no checkpoint stores: positions 0, 1, 2, … and zeros."""
    for module in model.modules():
        for name, table in module.named_buffers(recurse=False):
            if not table.is_meta:
                continue
            if name not in ("position_ids", "token_type_ids"):
                raise AssertionError(f"nothing is known to fill {name} of {type(module).__name__} with")
            values = torch.arange(table.shape[-1], device=device) * int(name == "position_ids")
            module.register_buffer(name, values.expand(table.shape), persistent=False)
