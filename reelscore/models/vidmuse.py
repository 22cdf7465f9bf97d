"""VidMuse whole: what sees the film, what decodes music from it, and the codec that makes the music heard."""

from dataclasses import dataclass, field

from torch import nn

from reelscore.models.codec import Codec, CodecConfig
from reelscore.models.token_decoder import TokenDecoder, TokenDecoderConfig
from reelscore.models.visual import PICTURES_PER_SECOND, Visual, VisualConfig


@dataclass(frozen=True)
class VidMuseConfig:
    """Everything that the networks are built from; the defaults are those of the published weights."""

    visual: VisualConfig = field(default_factory=VisualConfig)
    decoder: TokenDecoderConfig = field(default_factory=TokenDecoderConfig)
    codec: CodecConfig = field(default_factory=CodecConfig)

    def __post_init__(self) -> None:
        pairs = (
            ("visual.dim", self.visual.dim, "decoder.dim", self.decoder.dim),
            ("decoder.codebooks", self.decoder.codebooks, "codec.codebooks", self.codec.codebooks),
            ("decoder.cardinality", self.decoder.cardinality, "codec.cardinality", self.codec.cardinality),
        )
        for name, value, other, its_value in pairs:
            if value != its_value:
                raise ValueError(f"{name} is {value} and {other} {its_value}; they must agree.")
        if self.codec.frame_rate % PICTURES_PER_SECOND:
            raise ValueError(
                f"the codec has {self.codec.frame_rate} frames a second; it must be a multiple of {PICTURES_PER_SECOND}, "
                "the pictures a second that are looked at."
            )


class VidMuse(nn.Module):
    """The networks of one checkpoint together; what is done with them stands elsewhere."""

    def __init__(self, config: VidMuseConfig) -> None:
        super().__init__()
        self.config = config
        self.visual = Visual(config.visual)
        self.decoder = TokenDecoder(config.decoder)
        self.codec = Codec(config.codec)
