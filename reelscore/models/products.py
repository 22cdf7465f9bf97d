"""Linear maps and convolutions over (batch, length, channels), the fastest exact way that the machine and the moment allow.

In float32 on a CPU, and where no gradient is asked for, linear maps go to oneDNN, which is faster than the BLAS that torch
asks by itself, and convolutions to Winograd's algorithm, which halves the multiplications (Winograd, "Arithmetic complexity
of computations", 1980; Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016). Elsewhere both are
torch's own. The ways differ by rounding alone.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

OUTPUTS = 4
"""Outputs of a convolution with three taps that Winograd's algorithm makes at once, from six inputs and six products."""

# The convolution as a product of polynomials, told by their values at 0, ±3/4, ±3/2 and infinity: these points round to
# two thirds of the error of the usual 0, ±1, ±2. The factors in front make the inputs' matrix exact in binary.
_INPUTS = (
    (81 / 64, 0, -45 / 16, 0, 1, 0),
    (0, 27 / 16, 9 / 4, -3 / 4, -1, 0),
    (0, -27 / 16, 9 / 4, 3 / 4, -1, 0),
    (0, -27 / 32, -9 / 16, 3 / 2, 1, 0),
    (0, 27 / 32, -9 / 16, -3 / 2, 1, 0),
    (0, 81 / 64, 0, -45 / 16, 0, 1),
)
_WEIGHTS = (
    (64 / 81, 0, 0),
    (128 / 243, 32 / 81, 8 / 27),
    (128 / 243, -32 / 81, 8 / 27),
    (32 / 243, 16 / 81, 8 / 27),
    (32 / 243, -16 / 81, 8 / 27),
    (0, 0, 1),
)
_RESULTS = (
    (1, 1, 1, 1, 1, 0),
    (0, 3 / 4, -3 / 4, 3 / 2, -3 / 2, 0),
    (0, 9 / 16, 9 / 16, 9 / 4, 9 / 4, 0),
    (0, 27 / 64, -27 / 64, 27 / 8, -27 / 8, 1),
)
# Below so many places, batch included, the weights' way into products costs more than the products save.
_FEWEST_PLACES = 384
# Channels whose weights are on their way at once: their products' weights stay in the cache and take little memory.
_CHANNELS_AT_ONCE = 256


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x (..., c), weight (o, c) and bias (o,) → (..., o)."""
    if _onednn is not None and _is_plain(x, weight):
        return _onednn(x, weight, bias, "none", [], "")
    return functional.linear(x, weight, bias)


def convolve(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The convolution of x (b, n, c) with weight (o, c, 3), bias (o,), and a zero before and after: (b, n, o)."""
    if _is_plain(x, weight) and x.shape[0] * x.shape[1] >= _FEWEST_PLACES:
        return winograd(x, weight, bias)
    return functional.conv1d(x.transpose(1, 2), weight, bias, padding=1).transpose(1, 2)


def winograd(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """What `convolve` gives, by Winograd's algorithm."""
    batch, length, channels = x.shape
    tiles = -(-length // OUTPUTS)
    inputs, weights, results = (torch.tensor(rows, dtype=x.dtype) for rows in (_INPUTS, _WEIGHTS, _RESULTS))
    padded = functional.pad(x, (0, 0, 1, OUTPUTS * tiles - length + 1))
    last = OUTPUTS * (tiles - 1) + 1
    taken = torch.stack([padded[:, place : place + last : OUTPUTS] for place in range(len(_INPUTS))])
    taken = (inputs @ taken.flatten(1)).view(len(_INPUTS), batch * tiles, channels)
    made = x.new_empty(batch, tiles, OUTPUTS, len(weight))
    for some, part, its_bias in zip(
        weight.split(_CHANNELS_AT_ONCE), made.split(_CHANNELS_AT_ONCE, -1), bias.split(_CHANNELS_AT_ONCE), strict=True
    ):
        factors = (weights @ some.reshape(-1, 3).T).view(len(_WEIGHTS), len(some), channels)
        products = torch.stack([linear(value, factor) for value, factor in zip(taken, factors, strict=True)])
        given = (results @ products.flatten(1)).view(OUTPUTS, batch, tiles, len(some))
        torch.add(given.permute(1, 2, 0, 3), its_bias, out=part)
    return made.flatten(1, 2)[:, :length]


def _is_plain(x: Tensor, weight: Tensor) -> bool:
    """Whether this is float32 on the CPU and nobody will ask for a gradient."""
    return x.device.type == "cpu" and x.dtype == weight.dtype == torch.float32 and not torch.is_grad_enabled()


def _found() -> Callable[..., Tensor] | None:
    """oneDNN's linear map as torch's compiler calls it; None where torch was built without it."""
    if not torch.backends.mkldnn.is_available():
        return None
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)


_onednn = _found()
