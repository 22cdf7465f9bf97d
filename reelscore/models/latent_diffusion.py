"""The whole latent diffusion model of one checkpoint, its configuration, and the configuration as it is published.

That is the JSON of SONIQUE and stable-audio-tools (`diffusion_cond` over a `dac` autoencoder); it is only read, and
strictly: what is not known, missing or of the wrong kind raises a ValueError that names the field. Our own written form is
that of `models.configurations`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, replace
from typing import Any

from torch import nn

from reelscore.models.autoencoder import Autoencoder, AutoencoderConfig
from reelscore.models.conditioning import Conditioner, ConditioningConfig, TextTowerConfig
from reelscore.models.configurations import integer, integers, shown
from reelscore.models.unet import UNet, UNetConfig


@dataclass(frozen=True)
class LatentDiffusionConfig:
    """Everything that the networks are built from; the defaults are SONIQUE's."""

    unet: UNetConfig = field(default_factory=UNetConfig)
    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    conditioning: ConditioningConfig = field(default_factory=ConditioningConfig)
    sample_rate: int = 44100
    sample_size: int = 1048576
    """Samples of the music that the model was trained on."""

    def __post_init__(self) -> None:
        pairs = (
            (
                "unet.in_channels",
                self.unet.in_channels,
                "autoencoder.latent_channels",
                self.autoencoder.latent_channels,
            ),
            ("unet.context_features", self.unet.context_features, "conditioning.features", self.conditioning.features),
            ("unet.context_length", self.unet.context_length, "the tokens of a context", self._context_tokens),
        )
        for name, value, other, its_value in pairs:
            if value != its_value:
                raise ValueError(f"{name} is {value} and {other} {its_value}; they must agree.")

    @property
    def _context_tokens(self) -> int:
        return self.conditioning.text.prompt_tokens + 2


class LatentDiffusion(nn.Module):
    """The networks of one checkpoint together; what is done with them stands elsewhere."""

    def __init__(self, config: LatentDiffusionConfig) -> None:
        super().__init__()
        self.config = config
        self.unet = UNet(config.unet)
        self.autoencoder = Autoencoder(config.autoencoder)
        self.conditioner = Conditioner(config.conditioning)


# --- the published form -------------------------------------------------------------------------------------------------

CONTEXT = ("prompt", "seconds_start", "seconds_total")
"""What the published models are told, in the order of their tokens."""


class _Table:
    """One object of the published JSON: fields are taken out one by one, and none may be left."""

    def __init__(self, written: Any, at: str) -> None:
        if not isinstance(written, Mapping):
            raise ValueError(f"{at} is {shown(written)}; it must be an object.")
        self._left = dict(written)
        self._at = at

    def __enter__(self) -> _Table:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self._left:
            raise ValueError(f"{self._named(next(iter(self._left)))} is not a known field.")

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def _named(self, name: str) -> str:
        return f"{self._at}.{name}" if self._at else name

    def take(self, name: str, default: Any = MISSING) -> Any:
        if name not in self._left and default is MISSING:
            raise ValueError(f"{self._named(name)} is missing.")
        return self._left.pop(name, default)

    def integer(self, name: str, default: Any = MISSING) -> int:
        return integer(self.take(name, default), self._named(name))

    def integers(self, name: str) -> tuple[int, ...]:
        return integers(self.take(name), self._named(name))

    def inside(self, name: str) -> _Table:
        return _Table(self.take(name), self._named(name))

    def only(self, name: str, wanted: Any, default: Any = MISSING) -> None:
        """Takes a field that must have this one value, or that may be left out where there is a default."""
        given = self.take(name, default)
        if given != wanted:
            raise ValueError(f"{self._named(name)} is {shown(given)}; only {shown(wanted)} is known.")

    def ignore(self, *names: str) -> None:
        """Drops what says nothing about the networks."""
        for name in names:
            self._left.pop(name, None)


def config_from_published(published: Mapping[str, Any], text: TextTowerConfig | None = None) -> LatentDiffusionConfig:
    """The configuration of a published JSON, whole or its `model` alone; the text tower is not in it and is CLAP's by default.

    Raises ValueError, naming the field, for what is not known.
    """
    plain = LatentDiffusionConfig()
    text = text or TextTowerConfig()
    if not isinstance(published, Mapping) or "model" not in published:
        return _read_model(_Table(published, ""), text, plain.sample_rate, plain.sample_size, None)
    with _Table(published, "") as whole:
        whole.only("model_type", "diffusion_cond")
        rate, size = whole.integer("sample_rate"), whole.integer("sample_size")
        channels = whole.integer("audio_channels")
        whole.ignore("training")
        return _read_model(whole.inside("model"), text, rate, size, channels)


def _read_model(
    model: _Table, text: TextTowerConfig, rate: int, size: int, channels: int | None
) -> LatentDiffusionConfig:
    with model:
        autoencoder = _read_autoencoder(model.inside("pretransform"), channels)
        conditioning = _read_conditioning(model.inside("conditioning"), text)
        unet = _read_unet(model.inside("diffusion"), conditioning)
        model.only("io_channels", autoencoder.latent_channels, autoencoder.latent_channels)
    return LatentDiffusionConfig(unet, autoencoder, conditioning, rate, size)


def _read_autoencoder(pretransform: _Table, channels: int | None) -> AutoencoderConfig:
    with pretransform:
        pretransform.only("type", "autoencoder")
        pretransform.only("scale", 1.0, 1.0)
        pretransform.ignore("iterate_batch", "model_half", "chunked")
        with pretransform.inside("config") as whole:
            latents, sound = whole.integer("latent_dim"), whole.integer("io_channels")
            with whole.inside("bottleneck") as bottleneck:
                bottleneck.only("type", "vae")
            with whole.inside("encoder") as encoder, _dac(encoder) as sizes:
                sizes.only("in_channels", sound, 1)
                sizes.only("latent_dim", 2 * latents)
                encoder_width, strides = sizes.integer("d_model"), sizes.integers("strides")
            with whole.inside("decoder") as decoder, _dac(decoder) as sizes:
                sizes.only("out_channels", sound, 1)
                sizes.only("latent_dim", latents)
                decoder_width, rates = sizes.integer("channels"), sizes.integers("rates")
            config = AutoencoderConfig(sound, latents, encoder_width, strides, decoder_width, rates)
            whole.only("downsampling_ratio", config.downsampling)
    if channels not in (None, sound):
        raise ValueError(f"audio_channels is {channels} and io_channels of the autoencoder {sound}; they must agree.")
    return config


def _dac(side: _Table) -> _Table:
    side.only("type", "dac")
    return side.inside("config")


def _read_conditioning(conditioning: _Table, text: TextTowerConfig) -> ConditioningConfig:
    most_seconds = []
    with conditioning:
        features = conditioning.integer("cond_dim")
        inputs = conditioning.take("configs")
        if not isinstance(inputs, list) or len(inputs) != len(CONTEXT):
            raise ValueError(f"conditioning.configs must be a list of {', '.join(CONTEXT)}.")
        for place, name in enumerate(CONTEXT):
            with _Table(inputs[place], f"conditioning.configs[{place}]") as one:
                one.only("id", name)
                one.only("type", "clap_text" if name == "prompt" else "int")
                with one.inside("config") as sizes:
                    if name == "prompt":
                        sizes.only("use_text_features", True)
                        sizes.only("finetune", False, False)
                        sizes.ignore("audio_model_type", "enable_fusion", "clap_ckpt_path", "project_out")
                        text = replace(text, layer=sizes.integer("feature_layer_ix"))
                    else:
                        sizes.only("min_val", 0)
                        most_seconds.append(sizes.integer("max_val"))
    if len(set(most_seconds)) > 1:
        raise ValueError(f"max_val of seconds_start and seconds_total are {most_seconds}; they must agree.")
    return ConditioningConfig(features, most_seconds[0], text)


def _read_unet(diffusion: _Table, conditioning: ConditioningConfig) -> UNetConfig:
    with diffusion:
        diffusion.only("type", "adp_cfg_1d")
        diffusion.only("cross_attention_cond_ids", list(CONTEXT))
        with diffusion.inside("config") as sizes:
            for name, wanted in (("use_nearest_upsample", False), ("use_skip_scale", True), ("use_context_time", True)):
                sizes.only(name, wanted)
            channels = sizes.integer("in_channels")
            sizes.only("out_channels", channels, channels)
            return UNetConfig(
                in_channels=channels,
                channels=sizes.integer("channels"),
                multipliers=sizes.integers("multipliers"),
                factors=sizes.integers("factors"),
                num_blocks=sizes.integers("num_blocks"),
                attentions=sizes.integers("attentions"),
                attention_heads=sizes.integer("attention_heads"),
                attention_multiplier=sizes.integer("attention_multiplier"),
                resnet_groups=sizes.integer("resnet_groups"),
                kernel_multiplier_downsample=sizes.integer("kernel_multiplier_downsample"),
                context_features=sizes.integer("context_embedding_features"),
                context_length=sizes.integer("context_embedding_max_length", conditioning.text.prompt_tokens + 2),
            )
