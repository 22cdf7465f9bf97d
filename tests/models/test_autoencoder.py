"""The autoencoder: parity with the published one, and the same result whatever the size of the pieces."""

import pytest
import torch
from models.recipe import fixture, published_shapes, shapes_of_fixture, weights
from torch import Tensor
from torch.nn import functional

from reelscore.checkpoints.autoencoder_names import name_in_autoencoder, published_name_of_autoencoder
from reelscore.models import autoencoder
from reelscore.models.autoencoder import Autoencoder, AutoencoderConfig, Stream, Upsampling

SMALL = AutoencoderConfig(encoder_width=8, decoder_width=64)
TINY = AutoencoderConfig(
    audio_channels=2, latent_channels=4, encoder_width=4, encoder_strides=(2, 4), decoder_width=16, decoder_rates=(4, 2)
)


def folded(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weight norm multiplied out: each row of `weight_v` gets the length in `weight_g`."""
    made = {name: value for name, value in published.items() if not name.endswith(("weight_g", "weight_v"))}
    for name, value in published.items():
        if name.endswith("weight_v"):
            length = published[name[:-1] + "g"] / value.flatten(1).norm(dim=1)[:, None, None]
            made[name.removesuffix("_v")] = value * length
    return made


def of_autoencoder(names: dict) -> dict:
    return {name: value for name, value in names.items() if name.startswith("pretransform.")}


def ours(published: str) -> str:
    name = name_in_autoencoder(published)
    assert name is not None, published
    return name.removeprefix("autoencoder.")


@pytest.fixture(scope="module")
def io() -> dict[str, Tensor]:
    return fixture()[0]


@pytest.fixture(scope="module")
def published() -> Autoencoder:
    """The fixture's small autoencoder."""
    given = folded(of_autoencoder(weights(of_autoencoder(shapes_of_fixture()), fixture()[1])))
    network = Autoencoder(SMALL).eval().requires_grad_(False)
    network.load_state_dict({ours(name): value for name, value in given.items()})
    return network


def network_of(config: AutoencoderConfig) -> Autoencoder:
    """A network whose every weight matters, biases too."""
    made = Autoencoder(config).eval()
    seeded = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, value in made.named_parameters():
            drawn = torch.randn(value.shape, generator=seeded)
            # An α near 0 would magnify rounding, not test anything.
            spread = 0.3 if value.ndim == 1 else value[0].numel() ** -0.5
            value.copy_(1 + 0.3 * drawn.abs() if name.endswith("alpha") else spread * drawn)
    return made.requires_grad_(False)


@pytest.fixture(scope="module")
def tiny() -> Autoencoder:
    """In float64: random weights magnify rounding, and what is compared here must be equal but for rounding."""
    return network_of(TINY).double()


# --- parity -------------------------------------------------------------------------------------------------------------


def test_encodes_as_published(published: Autoencoder, io: dict[str, Tensor]) -> None:
    got = published.encode_moments(io["vae.audio"])
    torch.testing.assert_close(got, io["vae.encoder_mean_and_scale"], rtol=0, atol=1e-5)


def test_decodes_as_published(published: Autoencoder, io: dict[str, Tensor]) -> None:
    torch.testing.assert_close(published.decode(io["vae.latents"]), io["vae.decoded"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("most_latents", [1, 3, 16])
def test_parity_holds_in_pieces(published: Autoencoder, io: dict[str, Tensor], most_latents: int) -> None:
    sound = published.decode(io["vae.latents"], most_latents)
    torch.testing.assert_close(sound, io["vae.decoded"], rtol=0, atol=1e-5)
    moments = published.encode_moments(io["vae.audio"], most_latents)
    torch.testing.assert_close(moments, io["vae.encoder_mean_and_scale"], rtol=0, atol=1e-5)


def test_all_published_keys_have_their_place() -> None:
    wanted = of_autoencoder(published_shapes())
    assert len(wanted) == 240
    with torch.device("meta"):
        there = {name: tuple(value.shape) for name, value in Autoencoder(AutoencoderConfig()).state_dict().items()}
    plain = {name.removesuffix("_v"): shape for name, shape in wanted.items() if not name.endswith("_g")}
    assert {ours(name): shape for name, shape in plain.items()} == there


def test_names_go_both_ways() -> None:
    for name in of_autoencoder(published_shapes()):
        plain = name.removesuffix("_g").removesuffix("_v")
        assert published_name_of_autoencoder(f"autoencoder.{ours(plain)}") == plain


@pytest.mark.parametrize(
    "name",
    [
        "encoder.encoder.block.0.weight",
        "pretransform.model.encoder.encoder.block.0.alpha",
        "pretransform.model.encoder.encoder.block.0.block.3.alpha",
        "pretransform.model.encoder.encoder.block.1.block.3.weight",
        "pretransform.model.encoder.encoder.block.1.block.3.block.0.alpha",
        "pretransform.model.encoder.encoder.block.1.block.0.block.4.weight",
        "pretransform.model.decoder.decoder.model.1.block.5.weight",
        "pretransform.model.decoder.decoder.model.1.block.1.alpha",
        "pretransform.model.decoder.decoder.model.6.weight_g",
        "pretransform.model.decoder.proj_out.weight",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    assert name_in_autoencoder(name) is None


@pytest.mark.parametrize(
    "name", ["unet.time.frequencies", "decoder.enter.weight", "autoencoder.decoder.stages.9.snake.alpha"]
)
def test_names_that_were_never_published(name: str) -> None:
    assert published_name_of_autoencoder(name) is None


# --- pieces -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 2, 3, 11, 40])
@pytest.mark.parametrize("most_latents", [1, 2, 7])
@pytest.mark.parametrize("numbers_a_part", [1, 300, 2**20])
def test_size_of_pieces_changes_nothing(
    tiny: Autoencoder, monkeypatch: pytest.MonkeyPatch, length: int, most_latents: int, numbers_a_part: int
) -> None:
    seeded = torch.Generator().manual_seed(length)
    latents = torch.randn(2, 4, length, generator=seeded, dtype=torch.float64)
    audio = torch.randn(2, 2, 8 * length, generator=seeded, dtype=torch.float64)
    sound, moments = tiny.decode(latents, 1000), tiny.encode_moments(audio, 1000)
    assert sound.shape == audio.shape
    assert moments.shape == (2, 8, length)
    monkeypatch.setattr(autoencoder, "NUMBERS_A_PART", numbers_a_part)
    torch.testing.assert_close(tiny.decode(latents, most_latents), sound, rtol=0, atol=1e-9)
    torch.testing.assert_close(tiny.encode_moments(audio, most_latents), moments, rtol=0, atol=1e-9)


def test_upsampling_is_a_transposed_convolution() -> None:
    layer = Upsampling(6, 3, 4)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 6, 9)
    stream = Stream()
    stream.ends = True
    wanted = functional.conv_transpose1d(x, layer.weight, layer.bias, stride=4, padding=2)
    torch.testing.assert_close(layer(x, stream), wanted)


def test_one_sound_does_not_hear_the_other(tiny: Autoencoder) -> None:
    """Nothing stays from call to call, and nothing goes from row to row of a batch."""
    latents = torch.randn(3, 4, 9, dtype=torch.float64)
    together = tiny.decode(latents, 2)
    for row, sound in zip(latents, together, strict=True):
        torch.testing.assert_close(tiny.decode(row[None], 2)[0], sound, rtol=0, atol=1e-9)


def test_a_begun_latent_is_filled_with_silence(tiny: Autoencoder) -> None:
    audio = torch.randn(1, 2, 61, dtype=torch.float64)
    filled = functional.pad(audio, (0, 3))
    assert torch.equal(tiny.encode_moments(audio), tiny.encode_moments(filled))


# --- what it promises ---------------------------------------------------------------------------------------------------


def test_latents_are_mean_and_drawn(tiny: Autoencoder) -> None:
    audio = torch.randn(1, 2, 80, dtype=torch.float64)
    moments = tiny.encode_moments(audio)
    mean, scale = moments[:, :4], moments[:, 4:]
    noise = torch.randn(1, 4, 10, dtype=torch.float64)
    assert torch.equal(tiny.encode(audio), mean)
    by_hand = mean + noise * (torch.log1p(torch.exp(scale)) + 1e-4)
    torch.testing.assert_close(tiny.encode(audio, noise), by_hand, rtol=1e-12, atol=1e-12)


def test_sound_stays_within_bounds(tiny: Autoencoder) -> None:
    sound = tiny.decode(100 * torch.randn(1, 4, 12, dtype=torch.float64))
    assert sound.abs().max() <= 1
    assert sound.abs().max() > 0.9


def test_bf16_is_near(published: Autoencoder, io: dict[str, Tensor]) -> None:
    coarse = Autoencoder(SMALL).eval().requires_grad_(False)
    coarse.load_state_dict(published.state_dict())
    coarse.to(torch.bfloat16)
    sound = coarse.decode(io["vae.latents"].bfloat16(), 5)
    assert sound.dtype == torch.bfloat16
    wanted = io["vae.decoded"]
    assert (sound.float() - wanted).square().mean() < 1e-3 * wanted.square().mean()
    assert coarse.encode(io["vae.audio"].bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("most_latents", [3, 100])
def test_gradients_are_those_of_the_function(most_latents: int) -> None:
    network = network_of(TINY).double().requires_grad_(True)
    weights = list(network.parameters())
    latents = torch.randn(1, 4, 7, dtype=torch.float64)

    def loss() -> Tensor:
        sound = network.decode(latents, most_latents)
        return (network.encode(sound, torch.ones_like(latents), most_latents) - latents).square().mean()

    slopes = torch.autograd.grad(loss(), weights)
    for _ in range(5):
        direction = [torch.randn_like(weight) for weight in weights]
        values = []
        for step in (1e-7, -2e-7):  # to one side of the point, then to the other
            with torch.no_grad():
                torch._foreach_add_(weights, direction, alpha=step)
                values.append(float(loss()))
        with torch.no_grad():
            torch._foreach_add_(weights, direction, alpha=1e-7)
        wanted = sum(float((slope * way).sum()) for slope, way in zip(slopes, direction, strict=True))
        assert (values[0] - values[1]) / 2e-7 == pytest.approx(wanted, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("encoder_strides", (3, 2)),
        ("encoder_strides", ()),
        ("decoder_rates", (4, 4)),
        ("decoder_width", 6),
        ("latent_channels", 0),
    ],
)
def test_what_cannot_be_built_is_named(field: str, value: object) -> None:
    fields = {"encoder_strides": (2, 4), "decoder_width": 16, "decoder_rates": (4, 2)} | {field: value}
    with pytest.raises(ValueError, match=field):
        AutoencoderConfig(**fields)
