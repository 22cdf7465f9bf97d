"""The U-Net: parity with the published one, its names, its promises, and the fast ways beside the plain ones."""

from collections.abc import Iterator

import pytest
import torch
from models import recipe
from torch import Tensor
from torch.nn import functional

from reelscore.checkpoints.unet_names import name_in_unet, published_name_of_unet
from reelscore.models import products
from reelscore.models.attention import Attention
from reelscore.models.convolution import Norm, Shrink, stretch
from reelscore.models.unet import Memory, UNet, UNetConfig

FIXTURE = UNetConfig(
    channels=32, multipliers=(2, 2, 2, 3, 3), attentions=(1, 1, 2, 1, 1), attention_heads=4, resnet_groups=8
)
TINY = UNetConfig(
    in_channels=8,
    channels=16,
    multipliers=(2, 2, 4),
    factors=(1, 2),
    num_blocks=(1, 2),
    attentions=(1, 1, 2),
    attention_heads=2,
    resnet_groups=4,
    context_features=24,
    context_length=9,
)


@pytest.fixture
def tiny() -> UNet:
    torch.manual_seed(0)
    return UNet(TINY).eval()


@pytest.fixture
def winograd_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_FEWEST_PLACES", 0)


@pytest.fixture
def no_gradient() -> Iterator[None]:
    with torch.no_grad():
        yield


def fixture_network() -> tuple[UNet, dict[str, Tensor]]:
    values, salt = recipe.fixture()
    names = {theirs: name_in_unet(theirs) for theirs in recipe.shapes_of_fixture()}
    made = recipe.weights(
        {theirs: shape for theirs, shape in recipe.shapes_of_fixture().items() if names[theirs] is not None}, salt
    )
    network = UNet(FIXTURE).eval()
    named = {str(names[theirs]): value for theirs, value in made.items()}
    network.load_state_dict(
        {name.removeprefix("unet."): value for name, value in named.items() if name.startswith("unet.")}
    )
    return network, values


def contexts(batch: int, places: int = TINY.context_length, features: int = TINY.context_features) -> Tensor:
    return torch.randn(batch, places, features, generator=torch.Generator().manual_seed(1))


def masks(*shown: int, places: int = TINY.context_length) -> Tensor:
    """Masks that show so many places, the last among them."""
    mask = (torch.arange(places) < torch.tensor(shown)[:, None] - 1).float()
    mask[:, -1] = 1
    return mask


def latents(batch: int, length: int) -> Tensor:
    return torch.randn(batch, TINY.in_channels, length, generator=torch.Generator().manual_seed(2))


# Parity


@pytest.mark.parametrize("recorded", [False, True], ids=["fast", "plain"])
def test_published_outputs(recorded: bool) -> None:
    network, values = fixture_network()
    with torch.set_grad_enabled(recorded):
        mapping = network.time_features(values["unet.t"])
        memory = network.read_context(values["context"], values["context.mask"])
        v = network(values["unet.x"], values["unet.t"], memory)
    torch.testing.assert_close(mapping, values["unet.mapping"], atol=1e-6, rtol=0)
    torch.testing.assert_close(v, values["unet.v"], atol=1e-5, rtol=0)


@pytest.mark.usefixtures("winograd_always", "no_gradient")
def test_published_outputs_by_winograd() -> None:
    network, values = fixture_network()
    memory = network.read_context(values["context"], values["context.mask"])
    v = network(values["unet.x"], values["unet.t"], memory)
    torch.testing.assert_close(v, values["unet.v"], atol=2e-5, rtol=0)


def test_every_published_key_has_its_place_and_shape() -> None:
    with torch.device("meta"):
        network = UNet(UNetConfig())
    published = {theirs: name_in_unet(theirs) for theirs in recipe.published_shapes()}
    shapes = recipe.published_shapes()
    ours = {name: shapes[theirs] for theirs, name in published.items() if name and name.startswith("unet.")}
    assert ours == {f"unet.{name}": tuple(value.shape) for name, value in network.state_dict().items()}
    assert len(ours) == 806
    embedders = {name: shapes[theirs] for theirs, name in published.items() if name and name not in ours}
    assert embedders == {"conditioner.seconds_start.weight": (513, 768), "conditioner.seconds_total.weight": (513, 768)}


def test_names_go_both_ways() -> None:
    for theirs in {**recipe.published_shapes(), **recipe.shapes_of_fixture()}:
        ours = name_in_unet(theirs)
        assert ours is None or published_name_of_unet(ours) == theirs
    assert name_in_unet("pretransform.model.encoder.proj_out.bias") is None
    assert name_in_unet("model.model.downsamples.0.blocks.0.block3.project.weight") is None
    assert published_name_of_unet("autoencoder.decoder.first.weight") is None


# Promises


@pytest.mark.usefixtures("no_gradient")
@pytest.mark.parametrize("length", [2, 6, 34])
def test_any_multiple_is_a_length(tiny: UNet, length: int) -> None:
    assert TINY.multiple == 2
    memory = tiny.read_context(contexts(2), masks(9, 4))
    v = tiny(latents(2, length), torch.tensor([0.2, 0.9]), memory)
    assert v.shape == (2, TINY.in_channels, length)
    assert v.isfinite().all()


@pytest.mark.parametrize("length", [0, 3, 35])
def test_other_lengths_are_refused(tiny: UNet, length: int) -> None:
    memory = tiny.read_context(contexts(1), masks(9))
    with pytest.raises(ValueError, match=f"multiple of 2 long, not {length}"):
        tiny(torch.zeros(1, TINY.in_channels, length), torch.tensor([0.5]), memory)


def test_a_memory_that_does_not_fit_is_refused(tiny: UNet) -> None:
    memory = tiny.read_context(contexts(3), masks(9, 9, 9))
    with pytest.raises(ValueError, match="3 rows does not fit latents of 2"):
        tiny(latents(2, 4), torch.tensor([0.5, 0.5]), memory)


@pytest.mark.parametrize(
    "wrong",
    [{"factors": (1, 2, 2)}, {"attentions": (1, 0, 1)}, {"attention_heads": 3}, {"channels": 15}, {"multipliers": ()}],
    ids=str,
)
def test_sizes_that_do_not_fit_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        UNetConfig(**{**TINY.__dict__, **wrong})


@pytest.mark.usefixtures("no_gradient")
def test_rows_of_a_memory_are_its_contexts_alone(tiny: UNet) -> None:
    shown = masks(9, 3, 5)
    memory = tiny.read_context(contexts(3), shown)
    x, t = latents(2, 32), torch.tensor([0.3, 0.7])
    picked = tiny(x, t, memory.rows([2, 1]))
    for row, context in enumerate((2, 1)):
        alone = tiny.read_context(contexts(3)[context : context + 1], shown[context : context + 1])
        torch.testing.assert_close(picked[row], tiny(x[row : row + 1], t[row : row + 1], alone)[0])


@pytest.mark.usefixtures("no_gradient")
def test_joined_memories_are_each_alone(tiny: UNet) -> None:
    # Prompts of different lengths: what is silent differs between them.
    parts = [tiny.read_context(contexts(2)[[row]], masks(shown)) for row, shown in enumerate((3, 8))]
    joined = Memory.joined(parts)
    assert joined.batch == 2
    x, t = latents(2, 32), torch.tensor([0.3, 0.7])
    both = tiny(x, t, joined)
    for row, part in enumerate(parts):
        torch.testing.assert_close(both[row], tiny(x[row : row + 1], t[row : row + 1], part)[0])


@pytest.mark.parametrize("recorded", [False, True], ids=["fast", "plain"])
def test_several_contexts_of_one_row_are_as_repeated_rows(tiny: UNet, recorded: bool) -> None:
    with torch.set_grad_enabled(recorded):
        memory = tiny.read_context(contexts(4), masks(9, 3, 5, 7))
        x, t = latents(2, 32), torch.tensor([0.3, 0.7])
        repeated = tiny(torch.cat([x, x]), torch.cat([t, t]), memory)
        torch.testing.assert_close(tiny(x, t, memory), repeated)


def test_gradients_reach_every_weight(tiny: UNet) -> None:
    tiny.train()
    tokens = torch.cat([contexts(1), tiny.null_context[None]])
    v = tiny(latents(2, 32), torch.tensor([0.3, 0.7]), tiny.read_context(tokens, masks(9, 4)))
    v.square().mean().backward()
    assert [name for name, value in tiny.named_parameters() if value.grad is None] == []
    assert all(value.grad.isfinite().all() for value in tiny.parameters() if value.grad is not None)


@pytest.mark.usefixtures("no_gradient")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64], ids=str)
def test_other_number_formats(tiny: UNet, dtype: torch.dtype) -> None:
    x, t = latents(1, 32), torch.tensor([0.3])
    exact = tiny(x, t, tiny.read_context(contexts(1), masks(5)))
    tiny.to(dtype)
    v = tiny(x.to(dtype), t, tiny.read_context(contexts(1).to(dtype), masks(5).to(dtype)))
    assert v.dtype == dtype
    assert (v.float() - exact).square().mean() < 1e-3 * exact.square().mean()


# Parts


@pytest.mark.parametrize("recorded", [False, True], ids=["fast", "plain"])
@pytest.mark.parametrize("length", [2, 40])
def test_masked_places_keep_the_score_nought(recorded: bool, length: int) -> None:
    """Attention written out by hand: masked keys and values are zero, and their places take part in the softmax."""
    torch.manual_seed(0)
    attention = Attention(8, 2, 6)
    x, context, mask = (
        torch.randn(2, length, 8),
        torch.randn(2, 5, 6),
        torch.tensor([[1, 1, 0, 0, 1], [1, 0, 0, 0, 1.0]]),
    )
    with torch.set_grad_enabled(recorded):
        given = attention(x, attention.read(context, mask))
    asked = functional.linear(attention.norm(x), attention.queries.weight)
    keys, values = (attention.keys_values(attention.norm_context(context)) * mask[..., None]).chunk(2, dim=-1)
    found = torch.zeros_like(x)
    for head in (slice(0, 4), slice(4, 8)):
        scores = asked[..., head] @ keys[..., head].transpose(1, 2) / 2
        assert (scores[0, :, 2:4] == 0).all()
        found[..., head] = scores.softmax(dim=-1) @ values[..., head]
    torch.testing.assert_close(given, attention.out(found))


@pytest.mark.usefixtures("no_gradient")
@pytest.mark.parametrize("length", [2, 40])
def test_a_context_with_nothing_masked(length: int) -> None:
    torch.manual_seed(0)
    attention, x, context = Attention(32, 2, 6), torch.randn(2, length, 32), torch.randn(2, 5, 6)
    torch.testing.assert_close(
        attention(x, attention.read(context, torch.ones(2, 5))), attention(x, attention.read(context))
    )


@pytest.mark.parametrize("length", [1, 3, 4, 5, 64])
@pytest.mark.parametrize("out_channels", [1, 70])
def test_winograd_is_the_convolution(length: int, out_channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_WEIGHTS_AT_ONCE", 32 * 6)
    seeded = torch.Generator().manual_seed(0)
    x, weight, bias = (
        torch.randn(*shape, generator=seeded, dtype=torch.float64)
        for shape in ((2, length, 6), (out_channels, 6, 3), (out_channels,))
    )
    plain = functional.conv1d(x.transpose(1, 2), weight, bias, padding=1).transpose(1, 2)
    torch.testing.assert_close(products.winograd(x, weight, bias), plain, atol=1e-12, rtol=1e-12)


@pytest.mark.usefixtures("no_gradient")
def test_fast_products_are_the_plain_ones() -> None:
    seeded = torch.Generator().manual_seed(0)
    x, weight, bias = (torch.randn(*shape, generator=seeded) for shape in ((2, 7, 12), (5, 12), (5,)))
    torch.testing.assert_close(products.linear(x, weight, bias), functional.linear(x, weight, bias))
    torch.testing.assert_close(products.linear(x.transpose(0, 1), weight), functional.linear(x.transpose(0, 1), weight))
    torch.testing.assert_close(
        products.linear_gelu(x, weight, bias), functional.gelu(functional.linear(x, weight, bias))
    )


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_shrinking_and_stretching_keep_places(factor: int) -> None:
    """An impulse comes out where it went in; the kernels' middles tell where that is."""
    shrink = Shrink(1, 1, factor, 2)
    torch.nn.init.zeros_(shrink.bias)
    torch.nn.init.zeros_(shrink.weight)
    around = factor + 1
    shrink.weight.data[0, 0, around - around // 2] = 1
    sequence = torch.arange(24.0).reshape(1, 24, 1)
    torch.testing.assert_close(shrink(sequence), sequence[:, ::factor])
    grow = stretch(1, 1, factor)
    assert grow(sequence).shape == (1, 24 * factor, 1)


def test_norm_is_group_norm() -> None:
    norm = Norm(2, 4)
    x = torch.randn(2, 5, 4)
    torch.testing.assert_close(norm(x), functional.group_norm(x.transpose(1, 2), 2).transpose(1, 2))
