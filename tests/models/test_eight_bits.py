"""Weights in eight bits: as near as their rounding allows, whatever the inputs, and nothing of the exact ones kept."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from reelscore.models import eight_bits
from reelscore.models.eight_bits import EightBits, in_eight_bits
from reelscore.models.projection import Projection
from reelscore.models.remembering import Condition
from reelscore.models.token_decoder import TokenDecoder, TokenDecoderConfig

CONFIG = TokenDecoderConfig(dim=64, heads=4, layers=2, inner=256, cardinality=32)


@pytest.fixture(autouse=True)
def no_gradient() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture(params=["x86", "anywhere"])
def each_product(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast product of one family of processors, and the one that every processor has."""
    if request.param == "anywhere":
        monkeypatch.setattr(eight_bits, "FAST_ENGINES", ())
    elif torch.backends.quantized.engine not in eight_bits.FAST_ENGINES:
        pytest.skip("another family of processors")


def projection(inputs: int, *outputs: int) -> Projection:
    """With channels of very different sizes, one of them empty."""
    torch.manual_seed(0)
    plain = Projection(inputs, *outputs)
    plain.weight *= torch.logspace(-3, 3, sum(outputs))[:, None]
    plain.weight[1] = 0
    return plain


def apart(given: Tensor, wanted: Tensor) -> Tensor:
    """How far each output channel (last) is off, in parts of its own size."""
    return (given - wanted).square().mean(dim=0).sqrt() / wanted.square().mean(dim=0).sqrt().clamp_min(1e-12)


@pytest.mark.usefixtures("each_product")
def test_every_channel_has_a_scale_of_its_own() -> None:
    plain, x = projection(96, 40), torch.randn(300, 96)
    given = EightBits(plain)(x)
    assert (given[:, 1] == 0).all()
    assert apart(given, plain(x)).max() < 0.015


def test_inputs_are_kept_far_more_exactly_than_eight_bits() -> None:
    """Weights that eight bits hold exactly leave the rounding of the inputs alone, with a channel that outshines the rest."""
    plain, x = Projection(96, 40), torch.randn(300, 96)
    plain.weight.copy_(torch.randint(-127, 128, (40, 96)).float())
    plain.weight[:, 0] = 127
    assert apart(EightBits(plain)(x), plain(x)).max() < 3e-4
    x[:, 5] *= 40
    given, wanted = EightBits(plain)(x), plain(x)
    plain.weight[:, 5] = 0
    assert ((given - wanted).square().mean() / plain(x).square().mean()).sqrt() < 4e-3


@pytest.mark.usefixtures("each_product")
def test_shapes_and_parts() -> None:
    plain = Projection(16, 8, 24)
    both, x = EightBits(plain), torch.randn(2, 3, 16)
    for part, outputs in enumerate(plain.outputs):
        made = both(x, part)
        assert made.shape == (2, 3, outputs)
        assert apart(made.flatten(0, 1), plain(x, part).flatten(0, 1)).mean() < 0.02


@pytest.mark.usefixtures("each_product")
def test_a_row_is_the_same_alone() -> None:
    plain, x = EightBits(Projection(64, 32)), torch.randn(5, 64) * torch.tensor([[1.0], [100], [0.01], [0], [1]])
    torch.testing.assert_close(plain(x), torch.cat([plain(row[None]) for row in x]), atol=0, rtol=1e-5)
    assert (plain(x)[3] == 0).all()


@pytest.mark.usefixtures("each_product")
def test_a_decoder_stays_near_and_gives_up_its_weights() -> None:
    torch.manual_seed(0)
    decoder = TokenDecoder(CONFIG).eval()
    read = [Condition(torch.randn(9, CONFIG.dim)), Condition(torch.randn(2, CONFIG.dim))]
    codes = torch.randint(CONFIG.cardinality, (2, CONFIG.codebooks, 6))
    exact = decoder(codes, decoder.remember(read))
    assert in_eight_bits(decoder) is decoder
    assert not any(isinstance(module, Projection | nn.Linear) for module in decoder.modules())
    linear = {"qkv", "out", "widen", "narrow", "scores"}
    assert not any(linear & set(name.split(".")) for name in decoder.state_dict())
    memory, kept = decoder.remember(read), decoder.cache(2, 6)
    near = torch.cat([decoder(piece, memory, kept) for piece in codes.split(1, dim=2)], dim=2)
    changed = (near - exact).square().mean() / exact.square().mean()
    assert 0 < changed.sqrt() < 0.03


def test_from_half_precision() -> None:
    decoder = in_eight_bits(TokenDecoder(CONFIG).to(torch.bfloat16))
    memory = decoder.remember([Condition(torch.randn(3, CONFIG.dim))])
    scores = decoder(torch.zeros(1, CONFIG.codebooks, 1, dtype=torch.long), memory, decoder.cache(1, 1))
    assert scores.dtype == torch.float32
    assert scores.isfinite().all()
