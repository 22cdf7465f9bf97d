"""A folder of MusicGen opens to the same model however transformers saved it, strictly."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_musicgen import config, made, tiny_musicgen, tokenizer
from torch import Tensor
from transformers import (
    AutoTokenizer,
    MusicgenConfig,
    MusicgenForConditionalGeneration,
    MusicgenMelodyConfig,
    MusicgenMelodyForConditionalGeneration,
)

from reelscore.checkpoints.filling import frame, shapes_in
from reelscore.checkpoints.musicgen import Opened, fitting, open_musicgen
from reelscore.checkpoints.musicgen_names import config_from_published
from reelscore.checkpoints.reading import Stored
from reelscore.errors import InputError
from reelscore.models.chroma import MelodyConfig
from reelscore.models.codec import CodecConfig
from reelscore.models.musicgen import MusicGen, MusicGenConfig, TextEncoderConfig
from reelscore.models.remembering import Condition
from reelscore.models.token_decoder import TokenDecoderConfig

SHARED = "text_encoder.shared.weight"
TIED = "text_encoder.encoder.embed_tokens.weight"
TABLE = "decoder.model.decoder.embed_positions.weights"
QUERIES = "decoder.model.decoder.layers.1.encoder_attn.q_proj.weight"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_musicgen(tmp_path_factory.mktemp("musicgen"))


@pytest.fixture(scope="module")
def right(folder: Path) -> dict[str, Tensor]:
    return answers(open_musicgen(folder))


@torch.inference_mode()
def answers(it: Opened) -> dict[str, Tensor]:
    """What every part of a model says to fixed input."""
    model = it.model
    tokens = model.read_text(it.tokenizer("calm piano"))
    drawn = torch.Generator().manual_seed(1)
    codes = torch.randint(model.config.decoder.cardinality, (1, model.codec.codebooks, 5), generator=drawn)
    return {
        "tokens": tokens,
        "scores": model.decoder(codes, model.decoder.remember([Condition(tokens)])),
        "sound": model.codec.decode(codes),
    }


def same(mine: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return all(torch.equal(mine[name], theirs[name]) for name in theirs)


def beside(folder: Path, copy: Path, weights: Mapping[str, Tensor] | None = None, **fields: Any) -> Path:
    """The folder again with other weights or other fields of its configuration."""
    copy.mkdir(exist_ok=True)
    document = json.loads((folder / "config.json").read_text())
    for name, value in fields.items():
        part, _, field = name.rpartition("__")
        (document[part] if part else document)[field] = value
    (copy / "config.json").write_text(json.dumps(document))
    os.link(folder / "tokenizer.json", copy / "tokenizer.json")
    if weights is None:
        os.link(folder / "model.safetensors", copy / "model.safetensors")
    else:
        save_file({name: weight.contiguous() for name, weight in weights.items()}, copy / "model.safetensors")
    return copy


def weights_of(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / "model.safetensors")


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as refused:
        open_musicgen(folder)
    return str(refused.value)


# --- the ways of saving -------------------------------------------------------------------------------------------------


def test_several_parts(tmp_path: Path, right: dict[str, Tensor]) -> None:
    tiny_musicgen(tmp_path, largest_part="300KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 3
    opened = open_musicgen(tmp_path)
    assert same(answers(opened), right)
    assert len(opened.card.made_from) == 1 + len(list(tmp_path.glob("model-*.safetensors")))


def test_a_pickle(folder: Path, tmp_path: Path, right: dict[str, Tensor]) -> None:
    beside(folder, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(weights_of(folder), tmp_path / "pytorch_model.bin")
    assert same(answers(open_musicgen(tmp_path)), right)


@pytest.mark.parametrize("names", [{SHARED}, {TIED}, {SHARED, TIED}, {SHARED, TABLE}])
def test_what_some_versions_save_besides(
    folder: Path, tmp_path: Path, right: dict[str, Tensor], names: set[str]
) -> None:
    weights = weights_of(folder)
    embedding = weights.pop(SHARED)
    tables = {SHARED: embedding, TIED: embedding.clone(), TABLE: torch.zeros(9, 48)}
    beside(folder, tmp_path, weights | {name: tables[name] for name in names})
    assert same(answers(open_musicgen(tmp_path)), right)


def test_old_names_of_weight_norm(folder: Path, tmp_path: Path, right: dict[str, Tensor]) -> None:
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    weights = weights_of(folder)
    for now, then in old.items():
        weights = {name.replace(now, then): weight for name, weight in weights.items()}
    assert weights.keys() != weights_of(folder).keys()
    assert same(answers(open_musicgen(beside(folder, tmp_path, weights))), right)


def test_half_precision_in_the_file_is_read_as_float32(folder: Path, tmp_path: Path) -> None:
    halves = {name: weight.half() for name, weight in weights_of(folder).items()}
    opened = open_musicgen(beside(folder, tmp_path, halves))
    assert {weight.dtype for weight in opened.model.parameters()} == {torch.float32}


def test_the_number_format_is_the_decoder_s(folder: Path) -> None:
    model = open_musicgen(folder, dtype=torch.bfloat16).model
    assert {weight.dtype for weight in model.decoder.parameters()} == {torch.bfloat16}
    others = [weight.dtype for name, weight in model.named_parameters() if not name.startswith("decoder.")]
    assert set(others) == {torch.float32}


def test_without_a_projection(tmp_path: Path) -> None:
    """Where text and decoder are equally wide, MusicGen has nothing between them."""
    sizes = config().to_dict()
    sizes["text_encoder"]["d_model"] = sizes["decoder"]["hidden_size"]
    MusicgenForConditionalGeneration(MusicgenConfig(**sizes)).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    assert "enc_to_dec_proj.weight" not in load_file(tmp_path / "model.safetensors")
    assert answers(open_musicgen(tmp_path))["tokens"].shape[-1] == sizes["decoder"]["hidden_size"]


def test_the_codec_makes_codes_heard_and_no_more(folder: Path) -> None:
    """What encodes must be in the file, and stays there."""
    codec = open_musicgen(folder).model.codec
    assert not any(name.startswith("encoder.") for name in codec.state_dict())
    with pytest.raises(ValueError, match="does not encode"):
        codec.encode(torch.zeros(1, 1, 640))


def test_nothing_is_trained(folder: Path) -> None:
    model = open_musicgen(folder).model
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())


def test_words_become_the_ids_of_transformers(folder: Path) -> None:
    theirs, ours = AutoTokenizer.from_pretrained(folder), open_musicgen(folder).tokenizer
    for prompt in ("calm piano", "", "Étude № 5,  with   violins\nand 🎻", "a" * 3000):
        assert ours(prompt).tolist() == theirs(prompt).input_ids
    assert ours("half \ud83c").tolist() == ours("half ?").tolist()


# --- sizes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("melody", [False, True])
@pytest.mark.parametrize(
    ("dim", "heads", "layers", "channels"), [(1024, 16, 24, 1), (1536, 24, 48, 2), (2048, 32, 48, 1)]
)
def test_small_medium_and_large(dim: int, heads: int, layers: int, channels: int, melody: bool) -> None:
    """Every key and shape that transformers makes of the published sizes has its place; no memory is needed for that."""
    kind = MusicgenMelodyForConditionalGeneration if melody else MusicgenForConditionalGeneration
    sizes = (MusicgenMelodyConfig if melody else MusicgenConfig)(
        text_encoder={"model_type": "t5", "d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12},
        audio_encoder={
            "model_type": "encodec",
            "target_bandwidths": [2.2],
            "sampling_rate": 32000,
            "num_filters": 64,
            "codebook_size": 2048,
            "upsampling_ratios": [8, 5, 4, 4],
            "use_causal_conv": False,
            "use_conv_shortcut": False,
        },
        decoder={
            "hidden_size": dim,
            "ffn_dim": 4 * dim,
            "num_attention_heads": heads,
            "num_hidden_layers": layers,
            "num_codebooks": 4 * channels,
            "audio_channels": channels,
        },
    )
    known = config_from_published(sizes.to_dict())
    assert known.text == TextEncoderConfig()
    assert known.codec == CodecConfig(channels=channels, codebooks=4 * channels)
    delays = (0, 1, 2, 3) if channels == 1 else (0, 0, 1, 1, 2, 2, 3, 3)
    assert known.decoder == TokenDecoderConfig(dim, heads, layers, 4 * dim, 4 * channels, 2048, delays)
    assert known.melody == (MelodyConfig() if melody else None)
    if (dim, channels) == (1024, 1) and not melody:
        assert known == MusicGenConfig()
    with torch.device("meta"):
        state = kind(sizes).state_dict()
    shapes = {name: tuple(weight.shape) for name, weight in state.items()}
    model = frame(MusicGen, known)
    pieces = fitting(Stored(Path("there"), shapes, {}, state.__getitem__, {}, ()), model)
    assert {name: piece.shape for name, piece in pieces.items()} == shapes_in(model)


# --- strictness ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        QUERIES,
        SHARED,
        "enc_to_dec_proj.bias",
        "decoder.lm_heads.3.weight",
        "text_encoder.encoder.final_layer_norm.weight",
        "audio_encoder.decoder.layers.0.conv.bias",
    ],
)
def test_a_missing_key_is_named(folder: Path, tmp_path: Path, name: str) -> None:
    weights = {each: weight for each, weight in weights_of(folder).items() if each != name}
    message = refusal(beside(folder, tmp_path, weights))
    assert f"{name} is missing" in message
    assert str(tmp_path) in message


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("text_encoder.more", (3,), "is unknown"),
        ("decoder.lm_heads.4.weight", (64, 48), "is unknown"),
        ("audio_enc_to_dec_proj.weight", (3,), "is unknown"),
        ("audio_encoder.more", (3,), "is unknown"),
        (QUERIES, (40, 48), "is 40 × 48 and should be 48 × 48"),
        ("audio_encoder.encoder.layers.0.conv.bias", (9,), "is 9 and should be 4"),
    ],
)
def test_other_keys_and_shapes_are_named(
    folder: Path, tmp_path: Path, name: str, shape: tuple[int, ...], said: str
) -> None:
    weights = weights_of(folder) | {name: torch.zeros(shape)}
    assert f"{name} {said}" in refusal(beside(folder, tmp_path, weights))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("model_type", "t5", "only 'musicgen' and 'musicgen_melody' are known"),
        ("model_type", None, "only 'musicgen' and 'musicgen_melody' are known"),
        ("decoder", None, "decoder is None"),
        ("audio_encoder", [], "audio_encoder is []"),
        ("decoder__activation_function", "relu", "decoder.activation_function"),
        ("decoder__scale_embedding", True, "decoder.scale_embedding"),
        ("decoder__cross_attention_hidden_size", 32, "decoder.cross_attention_hidden_size"),
        ("decoder__pad_token_id", 0, "decoder.pad_token_id"),
        ("decoder__num_attention_heads", 5, "48 channels"),
        ("decoder__num_hidden_layers", 2**40, "decoder.layers"),
        ("decoder__audio_channels", 3, "channels is 3"),
        ("decoder__audio_channels", 2, "codebooks"),
        ("decoder__num_codebooks", 8, "codebooks"),
        ("text_encoder__model_type", "bert", "text_encoder.model_type"),
        ("text_encoder__feed_forward_proj", "gated-silu", "text_encoder.feed_forward"),
        ("text_encoder__num_layers", "2", "text_encoder.layers"),
        ("text_encoder__layer_norm_epsilon", 1e-3, "text_encoder.layer_norm_epsilon"),
        ("audio_encoder__use_causal_conv", True, "audio_encoder: use_causal_conv"),
        ("audio_encoder__audio_channels", 2, "audio_encoder.audio_channels"),
    ],
)
def test_other_models_are_refused(folder: Path, tmp_path: Path, field: str, value: Any, said: str) -> None:
    message = refusal(beside(folder, tmp_path, **{field: value}))
    assert said in message
    assert "config.json" in message


def test_what_is_no_folder_of_a_model(folder: Path, tmp_path: Path) -> None:
    assert "is no folder" in refusal(tmp_path / "nowhere")
    assert "config.json" in refusal(tmp_path)
    for text in ("[]", "{", ""):
        (tmp_path / "config.json").write_text(text)
        assert "config.json" in refusal(tmp_path)
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    assert "tokenizer.json" in refusal(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    assert "tokenizer" in refusal(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    assert "no weights" in refusal(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"x" * 100)
    assert "model.safetensors" in refusal(tmp_path)


def test_a_tokenizer_of_another_model(folder: Path, tmp_path: Path) -> None:
    assert "give files that belong together" in refusal(beside(folder, tmp_path / "few", text_encoder__vocab_size=20))
    document = json.loads((folder / "tokenizer.json").read_text()) | {"post_processor": None}
    copy = beside(folder, tmp_path / "endless")
    (copy / "tokenizer.json").unlink()
    (copy / "tokenizer.json").write_text(json.dumps(document))
    assert "does not put an end to words" in refusal(copy)


def test_the_card_says_what_is_known(folder: Path) -> None:
    card = open_musicgen(folder).card
    assert card.source == folder.name
    assert "CC-BY-NC-4.0" in card.licence
    assert [file.name for file in card.made_from] == ["model.safetensors"]


def test_a_snapshot_of_the_hub_has_the_card_of_the_catalogue(folder: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "models--facebook--musicgen-small" / "snapshots" / ("a" * 40)
    snapshot.parent.mkdir(parents=True)
    card = open_musicgen(beside(folder, snapshot)).card
    assert card.source == "musicgen-small (https://huggingface.co/facebook/musicgen-small)"
    assert card.licence == "CC-BY-NC-4.0, non-commercial use only"
    assert [file.name for file in card.made_from] == ["model.safetensors"]


# --- melody models ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def melody_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_musicgen(tmp_path_factory.mktemp("melody"), melody=True)


def test_a_missing_projection_of_the_melody_is_named(melody_folder: Path, tmp_path: Path) -> None:
    weights = {name: weight for name, weight in weights_of(melody_folder).items() if not name.startswith("audio_enc_")}
    assert "audio_enc_to_dec_proj.weight is missing" in refusal(beside(melody_folder, tmp_path, weights))


def test_a_melody_model_has_no_cross_attention(melody_folder: Path, tmp_path: Path) -> None:
    weights = weights_of(melody_folder) | {QUERIES: torch.zeros(48, 48)}
    assert f"{QUERIES} is unknown" in refusal(beside(melody_folder, tmp_path, weights))


@pytest.mark.parametrize(("field", "value"), [("num_chroma", 0), ("chroma_length", "235"), ("chroma_length", -1)])
def test_melodies_of_no_size_are_refused(melody_folder: Path, tmp_path: Path, field: str, value: Any) -> None:
    ours = {"num_chroma": "bins", "chroma_length": "length"}[field]
    assert f"melody.{ours} is {value!r}" in refusal(beside(melody_folder, tmp_path, **{field: value}))


@pytest.mark.parametrize("field", ["num_chroma", "chroma_length"])
def test_melodies_that_would_fill_the_memory_are_refused(melody_folder: Path, tmp_path: Path, field: str) -> None:
    assert "1 to 10000 frames" in refusal(beside(melody_folder, tmp_path, **{field: 2**24}))


def test_the_kinds_are_told_apart(folder: Path, melody_folder: Path, tmp_path: Path) -> None:
    """Weights of one kind under the configuration of the other."""
    assert "is unknown" in refusal(beside(melody_folder, tmp_path / "words", model_type="musicgen"))
    assert "is unknown" in refusal(beside(folder, tmp_path / "melody", model_type="musicgen_melody"))


def test_what_leads_to_the_decoder_stays_exact(melody_folder: Path) -> None:
    model = open_musicgen(melody_folder, dtype=torch.bfloat16).model
    assert model.project_melody.weight.dtype == torch.float32
    told = model.condition(torch.tensor([5, 1]), torch.eye(12))
    assert told.dtype == torch.float32 and model.null().dtype == torch.float32


def test_the_same_seed_makes_the_same_model() -> None:
    mine, again, other = (made(seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(mine[name], again[name]) for name in mine)
    assert not torch.equal(mine[SHARED], other[SHARED])
