"""Linear maps and convolutions over (batch, length, channels), the fastest exact way that the machine and the moment allow.

In float32 on a CPU, and where no gradient is asked for, linear maps go to oneDNN, which is faster than the BLAS that torch
asks by itself, and convolutions to Winograd's algorithm, which halves the multiplications (Winograd, "Arithmetic complexity
of computations", 1980; Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016). Elsewhere both are
torch's own. The ways differ by rounding alone.
"""

from collections.abc import Callable
from math import log2

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
# For fewer places than this, batch included, making the weights ready costs more than the products save.
_FEWEST_PLACES = 128
# Weights that are made ready at once: what comes of them stays in the cache and takes little memory.
_WEIGHTS_AT_ONCE = 2**18


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x (..., c), weight (o, c) and bias (o,) → (..., o)."""
    if _onednn is not None and on_bare_cpu(x):
        return _onednn(x, weight, bias, "none", [], "")
    return functional.linear(x, weight, bias)


def linear_gelu(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The (exact) GELU of the same."""
    if _onednn is not None and on_bare_cpu(x):
        return _onednn(x, weight, bias, "gelu", [], "none")
    return functional.gelu(functional.linear(x, weight, bias))


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The convolution of x (b, n, c) with weight (o, c, 3), bias (o,), and a zero before and after: (b, n, o)."""
    if on_bare_cpu(x) and x.shape[0] * x.shape[1] >= _FEWEST_PLACES:
        return winograd(x, weight, bias)
    return functional.conv1d(x.transpose(1, 2), weight, bias, padding=1).transpose(1, 2)


def winograd(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """What `convolve` gives, by Winograd's algorithm."""
    batch, length, channels = x.shape
    tiles = -(-length // OUTPUTS)
    taken = _matrix(_INPUTS, x) @ _windows(x, tiles).flatten(1)
    taken = taken.view(len(_INPUTS), batch * tiles, channels)
    made = x.new_empty(batch, tiles, OUTPUTS, len(weight))
    at_once = 2 ** round(log2(max(_WEIGHTS_AT_ONCE / channels, 1)))
    ready = x.new_empty(len(_WEIGHTS), min(at_once, len(weight)) * channels)
    for first in range(0, len(weight), at_once):
        some = weight[first : first + at_once]
        factors = torch.mm(_matrix(_WEIGHTS, x), some.reshape(-1, 3).T, out=ready[:, : len(some) * channels])
        factors = factors.view(len(_WEIGHTS), len(some), channels)
        products = torch.stack([linear(value, factor) for value, factor in zip(taken, factors, strict=True)])
        results = (_matrix(_RESULTS, x) @ products.flatten(1)).view(OUTPUTS, batch, tiles, len(some))
        made[..., first : first + at_once] = results.permute(1, 2, 0, 3)
    if bias is not None:
        made += bias
    return made.flatten(1, 2)[:, :length]


def on_bare_cpu(x: Tensor) -> bool:
    """Whether x is float32 on the CPU and nobody will ask for a gradient."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_grad_enabled()


def _windows(x: Tensor, tiles: int) -> Tensor:
    """What each tile of four outputs sees, by place: (6, b, tiles, c)."""
    batch, length, channels = x.shape
    if length % OUTPUTS:
        x = functional.pad(x, (0, 0, 0, OUTPUTS * tiles - length))
    quads = x.reshape(batch, tiles, OUTPUTS, channels)
    seen = x.new_empty(len(_INPUTS), batch, tiles, channels)
    seen[1:-1] = quads.permute(2, 0, 1, 3)
    seen[0, :, 0] = 0
    seen[0, :, 1:] = quads[:, :-1, -1]
    seen[-1, :, :-1] = quads[:, 1:, 0]
    seen[-1, :, -1] = 0
    return seen


def _matrix(rows: tuple[tuple[float, ...], ...], x: Tensor) -> Tensor:
    return torch.tensor(rows, dtype=x.dtype)


def _found() -> Callable[..., Tensor] | None:
    """oneDNN's linear map as torch's compiler calls it; None where torch was built without it."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return None
    return getattr(torch.ops.mkldnn, "_linear_pointwise", None)


_onednn = _found()
