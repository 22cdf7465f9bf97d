"""A token decoder whose linear maps hold their weights in eight bits: a quarter of the memory, steps several times faster on a CPU.

Every output channel of a weight has a scale of its own. What goes in is kept far more exactly than eight bits: each row is
split into a coarse part and the rest, both of them integers, and the two go through one product side by side; few rows cost
the same as one there, as it is reading the weights that takes the time. So no row depends on the others, outlying channels
do no harm, and the rounding of the weights is all that changes.
"""

import warnings

import torch
from torch import Tensor, nn

from reelscore.models.projection import Projection, replace_projections
from reelscore.models.token_decoder import TokenDecoder

LARGEST_WEIGHT = 127
LARGEST_INPUT = 63
"""Of the integers that inputs become: with seven bits, no product of old processors (AVX2) overflows its 16 bits."""

FAST_ENGINES = ("x86", "fbgemm")
"""What torch calls its quantised products where they are fast; elsewhere another product takes the same weights."""


class EightBits(nn.Module):
    """The linear maps of a projection with weights of eight bits; for inference in float32 on a CPU."""

    def __init__(self, plain: Projection) -> None:
        super().__init__()
        rounded = [_rounded(part.detach().float()) for part in plain.parts()]
        self.fast = torch.backends.quantized.engine in FAST_ENGINES
        self.packed = [_packed(*part) for part in rounded] if self.fast else []
        self.plain = [] if self.fast else rounded

    def forward(self, x: Tensor, part: int = 0) -> Tensor:
        """x (..., inputs) → (..., outputs of that part)."""
        rows = x.flatten(0, -2)
        made = self._split_product(rows, part) if self.fast else torch._weight_int8pack_mm(rows, *self.plain[part])
        return made.view(*x.shape[:-1], -1)

    def _split_product(self, rows: Tensor, part: int) -> Tensor:
        unit = rows.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(rows.dtype).tiny) / LARGEST_INPUT
        exact = rows / unit
        coarse = exact.round()
        rest = (exact - coarse) * (2 * LARGEST_INPUT)
        both = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            torch.cat([coarse, rest]), 1.0, LARGEST_INPUT + 1, self.packed[part]
        )
        coarse, rest = both.chunk(2)
        return torch.add(coarse, rest, alpha=0.5 / LARGEST_INPUT) * unit


def in_eight_bits(decoder: TokenDecoder) -> TokenDecoder:
    """The same decoder, which gives up the weights of its linear maps for rounded ones; embeddings and norms stay."""
    assert decoder.norm.weight.device.type == "cpu", decoder.norm.weight.device
    replace_projections(decoder.float(), EightBits)
    return decoder


def _rounded(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Integers of eight bits like the weight (outputs, inputs) and the scale of each output."""
    scales = weight.abs().amax(dim=1).clamp_min(torch.finfo(weight.dtype).tiny) / LARGEST_WEIGHT
    return (weight / scales[:, None]).round_().to(torch.int8), scales


def _packed(integers: Tensor, scales: Tensor) -> torch.ScriptObject:
    """What torch's quantised product takes."""
    with warnings.catch_warnings():
        # The tensors of this kind are on their way out of torch's interface; the product is not.
        warnings.filterwarnings("ignore", message=".*quantized tensor creation.*", category=UserWarning)
        zeros = torch.zeros(len(scales), dtype=torch.long)
        weight = torch._make_per_channel_quantized_tensor(integers, scales.double(), zeros, 0)
    packed: torch.ScriptObject = torch.ops.quantized.linear_prepack(weight, None)
    return packed
