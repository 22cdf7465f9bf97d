"""VidMuse's configuration: parts that do not go together are refused by name."""

from dataclasses import replace

import pytest

from reelscore.models.codec import CodecConfig
from reelscore.models.token_decoder import TokenDecoderConfig
from reelscore.models.vidmuse import VidMuseConfig
from reelscore.models.visual import VisualConfig

WIDE = TokenDecoderConfig(dim=2048, heads=32)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"decoder": WIDE}, r"visual\.dim is 1536 and decoder\.dim 2048"),
        ({"codec": CodecConfig(codebooks=8)}, r"decoder\.codebooks is 4 and codec\.codebooks 8"),
        ({"codec": CodecConfig(cardinality=1024)}, r"decoder\.cardinality is 2048 and codec\.cardinality 1024"),
        ({"codec": CodecConfig(sample_rate=48_000)}, "75 frames a second"),
        ({"codec": CodecConfig(sample_rate=640)}, "1 frames a second"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(VidMuseConfig(), **change)


def test_parts_that_go_together() -> None:
    assert VidMuseConfig(VisualConfig(dim=2048), WIDE).decoder.dim == 2048
