"""EnCodec as transformers saves it: every version of it opens to the same codec, and nothing else does."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_vidmuse import CONFIG, encodec
from torch import Tensor
from transformers import EncodecConfig, EncodecModel

from reelscore.checkpoints.encodec_names import codec_config_from_published, codec_pieces
from reelscore.checkpoints.filling import filled, frame, shapes_in
from reelscore.checkpoints.reading import Stored, read_weights
from reelscore.errors import InputError
from reelscore.models.codec import Codec, CodecConfig

PUBLISHED: dict[str, Any] = {
    "architectures": ["EncodecModel"],
    "audio_channels": 1,
    "chunk_length_s": None,
    "codebook_dim": 128,
    "codebook_size": 2048,
    "compress": 2,
    "dilation_growth_rate": 2,
    "hidden_size": 128,
    "kernel_size": 7,
    "last_kernel_size": 7,
    "model_type": "encodec",
    "norm_type": "weight_norm",
    "normalize": False,
    "num_filters": 64,
    "num_lstm_layers": 2,
    "num_residual_layers": 1,
    "overlap": None,
    "pad_mode": "reflect",
    "residual_kernel_size": 3,
    "sampling_rate": 32000,
    "target_bandwidths": [2.2],
    "torch_dtype": "float32",
    "transformers_version": "4.31.0.dev0",
    "trim_right_ratio": 1.0,
    "upsampling_ratios": [8, 5, 4, 4],
    "use_causal_conv": False,
    "use_conv_shortcut": False,
}
"""What config.json of facebook/encodec_32khz says."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encodec(tmp_path_factory.mktemp("codec") / "encodec")


def sound(weights: Path, part: str = "") -> Tensor:
    codec = filled(frame(Codec, CONFIG.codec), codec_pieces(read_weights(weights), CONFIG.codec, part))
    codes = torch.randint(CONFIG.codec.cardinality, (1, 4, 5), generator=torch.Generator().manual_seed(2))
    return codec.decode(codes)


def test_the_published_configuration_is_the_default() -> None:
    assert codec_config_from_published(PUBLISHED) == CodecConfig()


def test_what_transformers_leaves_out_is_known(folder: Path) -> None:
    document = json.loads((folder / "config.json").read_text())
    assert codec_config_from_published(document) == CONFIG.codec
    short = {name: value for name, value in document.items() if EncodecConfig().to_dict().get(name) != value}
    assert len(short) < len(document)
    assert codec_config_from_published(short) == CONFIG.codec


def test_the_published_weights_have_their_place() -> None:
    """All that transformers makes of the published configuration, key by key; 56.9 million numbers are trained."""
    with torch.device("meta"):
        theirs = EncodecModel(EncodecConfig(**PUBLISHED))
    state = theirs.state_dict()
    shapes = {name: tuple(weight.shape) for name, weight in state.items()}
    pieces = codec_pieces(Stored(Path("there"), shapes, {}, state.__getitem__, {}, ()), CodecConfig())
    codec = frame(Codec, CodecConfig())
    assert {name: piece.shape for name, piece in pieces.items()} == shapes_in(codec)
    trained = sum(weight.numel() for name, weight in codec.named_parameters() if not name.startswith("codebooks"))
    magnitudes = sum(weight.numel() for name, weight in state.items() if name.endswith("original0"))
    assert trained + magnitudes == sum(weight.numel() for weight in theirs.parameters()) == 56_884_674


def old(name: str) -> str:
    return name.replace("parametrizations.weight.original0", "weight_g").replace(
        "parametrizations.weight.original1", "weight_v"
    )


def test_old_names_of_weight_norm(folder: Path, tmp_path: Path) -> None:
    state = load_file(folder / "model.safetensors")
    renamed = {old(name): weight for name, weight in state.items()}
    assert renamed.keys() != state.keys()
    save_file(renamed, tmp_path / "model.safetensors")
    torch.save(renamed, tmp_path / "old.bin")
    assert torch.equal(sound(tmp_path), sound(folder))
    assert torch.equal(sound(tmp_path / "old.bin"), sound(folder))


def test_the_codec_inside_a_larger_model(folder: Path, tmp_path: Path) -> None:
    state = {f"audio_encoder.{name}": weight for name, weight in load_file(folder / "model.safetensors").items()}
    weights = tmp_path / "model.safetensors"
    save_file(state | {"decoder.other": torch.zeros(1)}, weights)
    assert torch.equal(sound(weights, "audio_encoder."), sound(folder))
    save_file({name: weight for name, weight in state.items() if not name.endswith(".embed")}, weights)
    with pytest.raises(InputError, match=r"audio_encoder\.quantizer\.layers\.0\.codebook\.embed is missing"):
        sound(weights, "audio_encoder.")
    save_file(state | {"audio_encoder.other": torch.zeros(1)}, weights)
    with pytest.raises(InputError, match=r"audio_encoder\.other is unknown"):
        sound(weights, "audio_encoder.")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("use_causal_conv", True),
        ("use_conv_shortcut", True),
        ("norm_type", "time_group_norm"),
        ("normalize", True),
        ("chunk_length_s", 1.0),
        ("pad_mode", "constant"),
        ("model_type", "dac"),
        ("codebook_dim", 64),
        ("upsampling_ratios", [8, 5, "4", 4]),
        ("upsampling_ratios", []),
        ("num_lstm_layers", 0),
        ("num_filters", 2**60),
        ("sampling_rate", "32000"),
        ("target_bandwidths", []),
        ("target_bandwidths", "much"),
        ("target_bandwidths", [float("nan")]),
        ("target_bandwidths", [0.001]),
    ],
)
def test_other_codecs_are_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"is |are "):
        codec_config_from_published(PUBLISHED | {field: value})
