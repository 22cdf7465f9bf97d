"""Float32 weights laid out as oneDNN reads them: the fastest exact way through few rows that a CPU was found to offer.

With plain weights each product first rearranges them, which costs few rows most; long sequences gain little.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from reelscore.models.projection import Projection, replace_projections
from reelscore.models.token_decoder import TokenDecoder

FEWEST_ROWS = 4
"""Rows that oneDNN reads such weights fast for; fewer are filled up with zeros, which cost nothing."""


class PackedProjection(nn.Module):
    """The linear maps of a projection with their weights rearranged; for inference in float32 on a CPU."""

    def __init__(self, plain: Projection) -> None:
        super().__init__()
        weights = (part.detach() for part in plain.parts())
        self.packed = [torch.ops.mkldnn._reorder_linear_weight(weight, FEWEST_ROWS) for weight in weights]

    def forward(self, x: Tensor, part: int = 0) -> Tensor:
        """x (..., inputs) → (..., outputs of that part)."""
        rows = x.flatten(0, -2)
        missing = max(FEWEST_ROWS - len(rows), 0)
        filled = functional.pad(rows, (0, 0, 0, missing)) if missing else rows
        made = torch.ops.mkldnn._linear_pointwise(filled, self.packed[part], None, "none", [], "")
        return cast(Tensor, made)[: len(rows)].view(*x.shape[:-1], -1)


def packed(decoder: TokenDecoder) -> TokenDecoder:
    """The same decoder, which gives up its plain weights for rearranged ones; unchanged where torch has no oneDNN."""
    weight = decoder.norm.weight
    assert weight.device.type == "cpu", weight.device
    assert weight.dtype == torch.float32, weight.dtype
    if torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        replace_projections(decoder, PackedProjection)
    return decoder
