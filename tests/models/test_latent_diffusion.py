"""The configuration of a whole model: read from the published JSON, written to our headers, refused where unknown."""

import copy
import json
from typing import Any

import pytest
import torch
from models.recipe import SONIQUE, published_shapes

from reelscore.checkpoints.autoencoder_names import name_in_autoencoder
from reelscore.checkpoints.unet_names import name_in_unet
from reelscore.models.autoencoder import AutoencoderConfig
from reelscore.models.conditioning import ConditioningConfig, TextTowerConfig
from reelscore.models.configurations import from_dict, to_dict
from reelscore.models.latent_diffusion import (
    LatentDiffusion,
    LatentDiffusionConfig,
    config_from_published,
)
from reelscore.models.unet import UNetConfig

INNER: dict[str, Any] = json.loads((SONIQUE / "model_config.json").read_text())


def whole(channels: int = 1, sample_size: int = 1048576) -> dict[str, Any]:
    """A published JSON in its outer form, of the published sizes."""
    model = copy.deepcopy(INNER)
    autoencoder = model["pretransform"]["config"]
    autoencoder["io_channels"] = channels
    autoencoder["encoder"]["config"] |= {"in_channels": channels, "d_model": 128}
    autoencoder["decoder"]["config"] |= {"out_channels": channels, "channels": 1536}
    model["diffusion"]["config"] |= {
        "channels": 256,
        "resnet_groups": 16,
        "multipliers": [4, 4, 4, 5, 5],
        "attentions": [1, 3, 3, 3, 3],
        "attention_heads": 16,
    }
    return {
        "model_type": "diffusion_cond",
        "sample_size": sample_size,
        "sample_rate": 44100,
        "audio_channels": channels,
        "model": model,
        "training": {"learning_rate": 4e-5, "demo": {"demo_every": 2000}},
    }


def put(written: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with one field replaced; a path is written with dots, places of lists as numbers."""
    changed = copy.deepcopy(written)
    *rooms, last = path.split(".")
    at: Any = changed
    for room in rooms:
        at = at[int(room) if room.isdigit() else room]
    at[int(last) if last.isdigit() else last] = value
    return changed


def test_reads_the_published_sizes() -> None:
    assert config_from_published(whole()) == LatentDiffusionConfig()


def test_reads_the_model_alone() -> None:
    config = config_from_published(INNER)
    assert config.autoencoder == AutoencoderConfig(encoder_width=8, decoder_width=64)
    assert config.unet.multipliers == (2, 2, 2, 3, 3)
    assert (config.unet.channels, config.unet.attention_heads, config.unet.resnet_groups) == (32, 4, 8)
    assert (config.sample_rate, config.sample_size) == (44100, 1048576)


def test_reads_the_stereo_configuration() -> None:
    config = config_from_published(whole(channels=2, sample_size=4194304))
    assert config.autoencoder.audio_channels == 2
    assert config.sample_size == 4194304
    with torch.device("meta"):
        model = LatentDiffusion(config)
    assert model.autoencoder.encoder.enter.weight.shape == (128, 2, 7)
    assert model.autoencoder.decoder.leave.weight.shape == (2, 96, 7)


def test_context_length_may_be_left_out() -> None:
    published = copy.deepcopy(INNER)
    del published["diffusion"]["config"]["context_embedding_max_length"]
    assert config_from_published(published) == config_from_published(INNER)


def test_text_tower_is_given_and_its_layer_read() -> None:
    tower = TextTowerConfig(vocab_size=300, width=768, layers=3, heads=4, inner_width=32)
    published = put(INNER, "conditioning.configs.0.config.feature_layer_ix", -1)
    read = config_from_published(published, tower).conditioning.text
    assert (read.vocab_size, read.layers, read.layer) == (300, 3, -1)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("model_type", "autoencoder", "model_type"),
        ("sample_rate", "44100", "sample_rate"),
        ("sample_size", 0, "sample_size"),
        ("audio_channels", 2, "audio_channels"),
        ("surprise", 1, "surprise"),
        ("model.io_channels", 32, "io_channels"),
        ("model.pretransform", None, "pretransform"),
        ("model.pretransform.type", "wavelet", "pretransform.type"),
        ("model.pretransform.scale", 0.5, "scale"),
        ("model.pretransform.config.encoder.type", "oobleck", "encoder.type"),
        ("model.pretransform.config.encoder.config.use_snake", True, "use_snake"),
        ("model.pretransform.config.encoder.config.latent_dim", 64, "latent_dim"),
        ("model.pretransform.config.decoder.config.rates", [8, 8, 4, 2], "decoder_rates"),
        ("model.pretransform.config.decoder.config.rates", "8844", "rates"),
        ("model.pretransform.config.bottleneck.type", "rvq", "bottleneck.type"),
        ("model.pretransform.config.downsampling_ratio", 512, "downsampling_ratio"),
        ("model.conditioning.configs", {}, "conditioning.configs"),
        ("model.conditioning.configs.0.type", "t5", r"configs\[0\]\.type"),
        ("model.conditioning.configs.0.config.use_text_features", False, "use_text_features"),
        ("model.conditioning.configs.2.config.max_val", 256, "max_val"),
        ("model.conditioning.configs.1", "seconds_start", r"configs\[1\]"),
        ("model.diffusion.type", "dit", "diffusion.type"),
        ("model.diffusion.cross_attention_cond_ids", ["prompt"], "cross_attention_cond_ids"),
        ("model.diffusion.config.use_context_time", False, "use_context_time"),
        ("model.diffusion.config.channels", 25.6, "channels"),
        ("model.diffusion.config.channels", True, "channels"),
        ("model.diffusion.config.channels", 10**12, "channels"),
        ("model.diffusion.config.num_blocks", [2, 2, 2, 10**6], "num_blocks"),
        ("model.diffusion.config.context_embedding_max_length", 77, "context_length"),
        ("model.diffusion.config.context_embedding_features", 512, "context_features"),
    ],
)
def test_unknown_values_are_named(path: str, value: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        config_from_published(put(whole(), path, value))


@pytest.mark.parametrize("given", [{}, [], None, {"model": []}, {"model": {}}])
def test_other_data_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match=r"missing|object"):
        config_from_published(given)


TINY = LatentDiffusionConfig(
    UNetConfig(
        in_channels=8,
        channels=32,
        multipliers=(1, 1),
        factors=(2,),
        num_blocks=(1,),
        attentions=(1, 1),
        attention_heads=2,
        resnet_groups=4,
        context_features=16,
        context_length=12,
    ),
    AutoencoderConfig(2, 8, 4, (2, 2), 16, (2, 2)),
    ConditioningConfig(16, 30, TextTowerConfig(100, 16, 2, 2, 32, 40, prompt_tokens=10)),
    sample_rate=8000,
    sample_size=4096,
)


@pytest.mark.parametrize("config", [LatentDiffusionConfig(), TINY], ids=["published", "tiny"])
def test_written_and_read_again(config: LatentDiffusionConfig) -> None:
    written = json.loads(json.dumps(to_dict(config)))
    assert from_dict(LatentDiffusionConfig, written) == config


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("surprise", 1, "surprise"),
        ("unet.surprise", 1, "unet.surprise"),
        ("unet", [], "unet"),
        ("unet.channels", "32", "unet.channels"),
        ("unet.factors", 2, "unet.factors"),
        ("unet.factors", [2.0], "unet.factors"),
        ("conditioning.text.layers", 10**6, "conditioning.text.layers"),
        ("conditioning.features", 24, "conditioning.features"),
        ("autoencoder.latent_channels", 4, "latent_channels"),
        ("autoencoder.decoder_rates", [4, 2], "decoder_rates"),
    ],
)
def test_a_header_that_does_not_fit_is_named(path: str, value: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        from_dict(LatentDiffusionConfig, put(to_dict(TINY), path, value))


def test_a_missing_field_is_named() -> None:
    written = to_dict(TINY)
    del written["unet"]["attention_heads"]
    with pytest.raises(ValueError, match=r"unet\.attention_heads is missing"):
        from_dict(LatentDiffusionConfig, written)


def test_every_published_key_has_its_place() -> None:
    """All 1,048 keys of the released checkpoint and nothing else, text tower aside."""
    wanted = published_shapes()
    assert len(wanted) == 1048
    with torch.device("meta"):
        there = {
            name: tuple(value.shape) for name, value in LatentDiffusion(LatentDiffusionConfig()).state_dict().items()
        }
    plain = {name.removesuffix("_v"): shape for name, shape in wanted.items() if not name.endswith("_g")}
    placed = {name_in_unet(name) or name_in_autoencoder(name): shape for name, shape in plain.items()}
    assert placed == {name: shape for name, shape in there.items() if not name.startswith("conditioner.text.")}
