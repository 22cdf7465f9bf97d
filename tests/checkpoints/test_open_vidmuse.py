"""Every layout of the published weights opens to the same model, strictly; and converting keeps it bit for bit."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from models import recipe
from safetensors.torch import load_file, save_file
from tiny_vidmuse import (
    CONFIG,
    PublishedFiles,
    exported,
    published,
    published_weights,
    tiny_vidmuse,
    training_checkpoint,
)
from torch import Tensor
from transformers import EncodecModel

from reelscore.checkpoints.filling import frame, shapes_in
from reelscore.checkpoints.own_form import PRECISIONS
from reelscore.checkpoints.reading import read_weights
from reelscore.checkpoints.vidmuse import Opened, configuration_of, convert, fitting, open_vidmuse
from reelscore.checkpoints.vidmuse_names import our_name, published_name
from reelscore.errors import InputError, MissingError
from reelscore.models.codec import CodecConfig
from reelscore.models.configurations import to_dict
from reelscore.models.remembering import Condition
from reelscore.models.vidmuse import VidMuse, VidMuseConfig


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> PublishedFiles:
    return published(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vidmuse(tmp_path_factory.mktemp("converted"))


@pytest.fixture(scope="module")
def right(converted: Path) -> dict[str, Tensor]:
    return answers(open_vidmuse(converted))


@torch.inference_mode()
def answers(it: Opened) -> dict[str, Tensor]:
    """What every part of a model says to fixed input."""
    model = it.model
    drawn = torch.Generator().manual_seed(3)
    pixels = torch.randint(256, (2, 224, 224, 3), generator=drawn, dtype=torch.uint8)
    codes = torch.randint(CONFIG.decoder.cardinality, (1, 4, 7), generator=drawn)
    features = model.visual.features(pixels)
    tokens = model.visual.embed(features, features)
    return {
        "tokens": tokens,
        "null": model.visual.null(),
        "scores": model.decoder(codes, model.decoder.remember([Condition(tokens)])),
        "sound": model.codec.decode(codes),
        "codes": model.codec.encode(torch.sin(torch.arange(6400.0))[None, None] / 2),
    }


def same(mine: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return all(torch.equal(mine[name], theirs[name]) for name in theirs)


def saved(folder: Path, weights: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    torch.save(exported(weights), folder / "state_dict.bin")
    return folder / "state_dict.bin"


# --- layouts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["exported", "legacy", "bare", "training"])
def test_every_layout_is_the_same_model(tmp_path: Path, right: dict[str, Tensor], layout: Any) -> None:
    files = published(tmp_path, layout)
    assert same(answers(open_vidmuse(files.weights, encodec=files.encodec)), right)


def test_safetensors_of_published_names(files: PublishedFiles, tmp_path: Path, right: dict[str, Tensor]) -> None:
    save_file(published_weights(), tmp_path / "model.safetensors")
    assert same(answers(open_vidmuse(tmp_path / "model.safetensors", encodec=files.encodec)), right)


def test_a_training_checkpoint_without_best_weights_gives_its_last(
    files: PublishedFiles, tmp_path: Path, right: dict[str, Tensor]
) -> None:
    checkpoint = training_checkpoint(published_weights()) | {"best_state": {}, "model": published_weights()}
    torch.save(checkpoint, tmp_path / "checkpoint.th")
    opened = open_vidmuse(tmp_path / "checkpoint.th", encodec=files.encodec)
    assert same(answers(opened), right)
    assert any("taken from model " in note for note in opened.card.notes)


def test_settings_that_are_no_text_are_refused(files: PublishedFiles, tmp_path: Path) -> None:
    """As audiocraft leaves them in checkpoints of training: objects of OmegaConf, whose making would run code."""
    from argparse import Namespace

    torch.save(training_checkpoint(published_weights()) | {"xp.cfg": Namespace(lr=1)}, tmp_path / "checkpoint.th")
    with pytest.raises(InputError, match=r"argparse\.Namespace"):
        open_vidmuse(tmp_path / "checkpoint.th", encodec=files.encodec)


def test_what_was_taken_and_left_out_stands_in_the_card(files: PublishedFiles) -> None:
    card = open_vidmuse(files.weights, encodec=files.encodec).card
    notes = " ".join(card.notes)
    for part in (
        "projections of words (2)",
        "of CLIP behind the features that are used (3)",
        "positions (1)",
        "xp.cfg",
    ):
        assert part in notes
    assert "non-commercial" in card.licence
    assert [file.name for file in card.made_from] == ["state_dict.bin", "model.safetensors"]


def test_the_codec_says_what_the_one_of_transformers_says(files: PublishedFiles) -> None:
    codec = open_vidmuse(files.weights, encodec=files.encodec).model.codec
    theirs = EncodecModel.from_pretrained(files.encodec).eval()
    codes = torch.randint(CONFIG.codec.cardinality, (1, 4, 20), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(codec.decode(codes), theirs.decode(codes[None], [None])[0], atol=1e-5, rtol=0)


# --- names and sizes ----------------------------------------------------------------------------------------------------


def test_the_released_checkpoint_fits_key_by_key_and_its_sizes_are_read_from_it() -> None:
    shapes = recipe.published_shapes(recipe.VIDMUSE)
    assert len(shapes) == 852
    stored = replace(read_weights(recipe.VIDMUSE / "io.safetensors"), shapes=shapes)
    assert configuration_of(stored, CodecConfig()) == VidMuseConfig()
    model = frame(VidMuse, VidMuseConfig())
    pieces, notes = fitting(stored, model)
    assert {name for name in shapes_in(model) if not name.startswith("codec.")} == set(pieces)
    assert len(pieces) == 852 - 5
    assert len(notes) == 1


def test_the_fixture_s_own_sizes_are_read_from_it() -> None:
    """Fewer layers and channels in the decoder, CLIP as wide as it is."""
    stored = replace(read_weights(recipe.VIDMUSE / "io.safetensors"), shapes=recipe.shapes_of_fixture(recipe.VIDMUSE))
    config = configuration_of(stored, CodecConfig())
    assert (config.decoder.dim, config.decoder.heads, config.decoder.layers) == (64, 4, 2)
    assert (config.visual.clip_layers, config.visual.clip_heads, config.visual.clip_inner) == (2, 12, 256)
    fitting(stored, frame(VidMuse, config))


@pytest.mark.parametrize(("dim", "heads", "layers"), [(1024, 16, 24), (1536, 24, 48), (2048, 32, 48)])
def test_small_medium_and_large(dim: int, heads: int, layers: int) -> None:
    visual = replace(VidMuseConfig().visual, dim=dim, heads=heads)
    decoder = replace(VidMuseConfig().decoder, dim=dim, heads=heads, layers=layers, inner=4 * dim)
    config = VidMuseConfig(visual, decoder)
    shapes = {
        published_name(name): shape
        for name, shape in shapes_in(frame(VidMuse, config)).items()
        if not name.startswith("codec.")
    }
    stored = replace(read_weights(recipe.VIDMUSE / "io.safetensors"), shapes=shapes)
    assert configuration_of(stored, CodecConfig()) == config


def test_names_lead_there_and_back() -> None:
    published = recipe.published_shapes(recipe.VIDMUSE)
    ours = {name: our_name(name) for name in published if our_name(name)}
    assert len(ours) == 847
    assert all(published_name(name) == back for back, name in ours.items() if name)
    for strange in ("emb.00.weight", "emb.-1.weight", "emb.١.weight", "emb." + "9" * 5000 + ".weight", ""):
        assert our_name(strange) is None


# --- strictness ---------------------------------------------------------------------------------------------------------

NAMES = [
    "emb.3.weight",
    "linears.0.weight",
    "transformer.layers.1.cross_attention.in_proj_weight",
    "transformer.layers.0.norm_cross.bias",
    "visual_encoder_model.vision_model.embeddings.class_embedding",
    "visual_encoder_model.vision_model.encoder.layers.0.mlp.fc1.weight",
    "local_temporal_transformer.layers.0.0.fn.to_qkv.weight",
    "global_temporal_transformer.layers.1.1.fn.net.3.weight",
    "multi_head_cross_attention.final_linear.weight",
    "visual_feature_proj.weight",
    "local_pos_embedding",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_key_is_named_as_published(files: PublishedFiles, tmp_path: Path, name: str) -> None:
    weights = published_weights()
    del weights[name]
    said = refusal(saved(tmp_path, weights), files)
    assert f"{name} is missing" in said


@pytest.mark.parametrize(
    "name",
    [
        "transformer.layers.0.more.weight",
        "transformer.layers.0.linear1.bias",
        "visual_encoder_model.vision_model.head.weight",
        "visual_encoder_model.text_model.embeddings.weight",
        "condition_provider.conditioners.self_wav.chroma.weight",
        "linears.0.bias",
        "more",
    ],
)
def test_an_unknown_key_is_named(files: PublishedFiles, tmp_path: Path, name: str) -> None:
    assert f"{name} is unknown" in refusal(saved(tmp_path, published_weights() | {name: torch.ones(2)}), files)


@pytest.mark.parametrize("name", NAMES)
def test_a_bent_key_is_named(files: PublishedFiles, tmp_path: Path, name: str) -> None:
    weights = published_weights()
    weights[name] = weights[name][..., None].repeat_interleave(2, -1)
    assert name in refusal(saved(tmp_path, weights), files)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("local_temporal_transformer.layers.0.0.fn.to_qkv.weight", (5, 192)),
        ("visual_encoder_model.vision_model.embeddings.patch_embedding.weight", (16, 3, 32, 32)),
        ("visual_encoder_model.vision_model.embeddings.patch_embedding.weight", (0, 3, 32, 32)),
        ("visual_encoder_model.vision_model.embeddings.position_embedding.weight", (0, 192)),
        ("linears.0.weight", (64, 0)),
        ("linears.0.weight", (65, 64)),
        ("visual_feature_proj.weight", (32, 192)),
    ],
)
def test_sizes_that_make_no_sense(files: PublishedFiles, tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    assert "state_dict.bin" in refusal(saved(tmp_path, published_weights() | {name: torch.ones(shape)}), files)


def test_huge_numbers_of_layers_are_refused_before_any_is_built(files: PublishedFiles, tmp_path: Path) -> None:
    for name in ("transformer.layers.99999.norm1.bias", "emb.65535.weight", "transformer.layers." + "9" * 5000 + ".x"):
        refusal(saved(tmp_path, published_weights() | {name: torch.ones(64)}), files)


def test_a_model_that_sees_its_window_alone_is_refused(files: PublishedFiles, tmp_path: Path) -> None:
    alone = {
        name: weight
        for name, weight in published_weights().items()
        if not name.startswith(("global_", "multi_head_cross_attention."))
    }
    assert "without the stream that sees the whole film" in refusal(saved(tmp_path, alone), files)


def test_a_file_of_another_model_is_called_so(files: PublishedFiles, tmp_path: Path) -> None:
    shared = ("emb.", "transformer.", "linears.", "out_norm.", "condition_provider.")
    musicgen = {name: weight for name, weight in published_weights().items() if name.startswith(shared)}
    for weights in (saved(tmp_path, musicgen), files.encodec):
        assert "holds no VidMuse" in refusal(weights, files)


def test_a_name_that_would_write_to_the_terminal(files: PublishedFiles, tmp_path: Path) -> None:
    said = refusal(saved(tmp_path, published_weights() | {"\x1b[2J\n" + "x" * 10**6: torch.ones(2)}), files)
    assert "?[2J?xxx" in said and said.isprintable() and len(said) < 1000


def refusal(weights: Path, files: PublishedFiles, **options: Any) -> str:
    with pytest.raises(InputError) as refused:
        open_vidmuse(weights, **({"encodec": files.encodec} | options))
    assert "\n" not in str(refused.value)
    return str(refused.value)


# --- the codec beside it ------------------------------------------------------------------------------------------------


def test_the_codec_is_asked_for_where_it_is_not_here(
    files: PublishedFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match="reelscore models get encodec-32khz"):
        open_vidmuse(files.weights)


def test_a_folder_that_is_no_codec(files: PublishedFiles, tmp_path: Path) -> None:
    assert "is no folder" in refusal(files.weights, files, encodec=files.encodec / "model.safetensors")
    assert "no weights" in refusal(files.weights, files, encodec=tmp_path)
    save_file(load_file(files.encodec / "model.safetensors"), tmp_path / "model.safetensors")
    assert "config.json" in refusal(files.weights, files, encodec=tmp_path)
    for text in ("[]", "{}", '{"model_type": "t5"}', "", "[" * 100_000):
        (tmp_path / "config.json").write_text(text)
        assert "config.json" in refusal(files.weights, files, encodec=tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("codebook_size", 128),
        ("num_filters", 8),
        ("num_filters", 2**40),
        ("num_lstm_layers", 10**9),
        ("num_residual_layers", 10**9),
        ("upsampling_ratios", [8, 5, 4]),
        ("upsampling_ratios", [0, 5, 4, 4]),
        ("upsampling_ratios", [2] * 10_000),
        ("upsampling_ratios", "8544"),
        ("target_bandwidths", [24.0]),
        ("target_bandwidths", []),
        ("use_causal_conv", True),
        ("sampling_rate", 0),
        ("audio_channels", 7),
    ],
)
def test_a_codec_of_other_sizes_is_refused(files: PublishedFiles, tmp_path: Path, field: str, value: Any) -> None:
    folder = tmp_path / "codec"
    folder.mkdir()
    os.link(files.encodec / "model.safetensors", folder / "model.safetensors")
    document = json.loads((files.encodec / "config.json").read_text()) | {field: value}
    (folder / "config.json").write_text(json.dumps(document))
    refusal(files.weights, files, encodec=folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.pop("decoder.layers.0.conv.bias"),
        lambda w: w.update({"decoder.layers.99.conv.bias": torch.ones(1)}),
        lambda w: w.update({"quantizer.layers.0.codebook.embed": torch.ones(3, 3)}),
    ],
)
def test_the_codec_is_strict(
    files: PublishedFiles, tmp_path: Path, change: Callable[[dict[str, Tensor]], object]
) -> None:
    weights = load_file(files.encodec / "model.safetensors")
    change(weights)
    save_file(weights, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((files.encodec / "config.json").read_bytes())
    assert str(tmp_path) in refusal(files.weights, files, encodec=tmp_path)


# --- our own form -------------------------------------------------------------------------------------------------------


def test_converting_keeps_everything_bit_for_bit(converted: Path, files: PublishedFiles) -> None:
    mine, theirs = open_vidmuse(converted), open_vidmuse(files.weights, encodec=files.encodec)
    assert mine.model.config == theirs.model.config == CONFIG
    assert same(mine.model.state_dict(), theirs.model.state_dict())
    assert mine.card.source == "made for tests" and mine.card.licence == "none needed"
    assert [len(file.sha256) for file in mine.card.made_from] == [64, 64]


def test_a_converted_file_is_plain_safetensors_with_our_names(converted: Path) -> None:
    assert set(load_file(converted)) == set(open_vidmuse(converted).model.state_dict())
    header = read_weights(converted).header
    assert header["format"] == "reelscore.vidmuse" and "tokenizer" not in header
    assert json.loads(header["config"]) == to_dict(CONFIG)


def test_nothing_is_random_and_nothing_is_trained(converted: Path) -> None:
    state = torch.get_rng_state()
    model = open_vidmuse(converted).model
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module.training for module in model.modules())
    assert not any(weight.requires_grad for weight in model.parameters())
    assert not any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_halves_all_matrices_but_the_codec_s(converted: Path, tmp_path: Path, precision: Any) -> None:
    half = convert(converted, tmp_path / "half.safetensors", precision=precision)
    whole, halved = load_file(converted), load_file(half)
    for name, tensor in whole.items():
        kept = torch.float32 if tensor.ndim < 2 or name.startswith("codec.") else PRECISIONS[precision]
        assert halved[name].dtype == kept
        assert torch.equal(halved[name], tensor.to(kept))
    assert [file.name for file in open_vidmuse(half).card.made_from][-1] == converted.name


def test_the_number_format_is_the_decoder_s_and_the_codec_s_is_whole(converted: Path, files: PublishedFiles) -> None:
    for opened in (
        open_vidmuse(converted, dtype=torch.bfloat16),
        open_vidmuse(files.weights, encodec=files.encodec, dtype=torch.bfloat16),
    ):
        model = opened.model
        assert {weight.dtype for weight in model.codec.parameters()} == {torch.float32}
        assert {weight.dtype for part in (model.decoder, model.visual) for weight in part.parameters()} == {
            torch.bfloat16
        }


def test_a_converted_file_needs_no_codec(converted: Path, files: PublishedFiles) -> None:
    assert "leave that option out" in refusal(converted, files)


def hostile(changes: dict[str, object]) -> str:
    document = to_dict(CONFIG)
    for path, value in changes.items():
        part, name = path.split(".")
        document[part][name] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "2"},
        {"version": None},
        {"config": None},
        {"config": "[" * 50_000},
        {"config": "3"},
        {"config": "{}"},
        {"config": hostile({"decoder.dim": 2**40})},
        {"config": hostile({"decoder.layers": 10**9})},
        {"config": hostile({"decoder.layers": 60})},
        {"config": hostile({"decoder.heads": 7})},
        {"config": hostile({"decoder.delays": [0, 1, 2]})},
        {"config": hostile({"decoder.delays": [0, -1, 2, 3]})},
        {"config": hostile({"decoder.cardinality": 63})},
        {"config": hostile({"decoder.inner": 2**24})},
        {"config": hostile({"visual.depth": 10**6})},
        {"config": hostile({"visual.dim": 32})},
        {"config": hostile({"visual.attends": "nothing"})},
        {"config": hostile({"visual.attends": 3})},
        {"config": hostile({"visual.image_size": 225})},
        {"config": hostile({"visual.fusion_heads": 7})},
        {"config": hostile({"codec.rates": [2**20, 2**20, 2**20, 2**20]})},
        {"config": hostile({"codec.rates": [1] * 64})},
        {"config": hostile({"codec.kernel": 2**23 + 1})},
        {"config": hostile({"codec.residual_layers": 10**6})},
        {"config": hostile({"codec.residual_layers": 64, "codec.dilation_growth": 2**24})},
        {"config": hostile({"codec.channels": 2})},
        {"card": "{}"},
        {"format": "reelscore.latent_diffusion"},
        {"format": "reelscore.newer"},
    ],
)
def test_a_header_of_ours_is_not_believed(
    converted: Path, files: PublishedFiles, tmp_path: Path, changes: dict[str, str | None]
) -> None:
    header = dict(read_weights(converted).header) | changes
    path = tmp_path / "model.safetensors"
    save_file(load_file(converted), path, {name: text for name, text in header.items() if text is not None})
    assert str(path) in refusal(path, files, encodec=None)


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.999])
@pytest.mark.parametrize("kind", ["published", "converted"])
def test_what_was_cut_off(converted: Path, files: PublishedFiles, tmp_path: Path, kind: str, share: float) -> None:
    source = converted if kind == "converted" else files.weights
    whole = source.read_bytes()
    (tmp_path / source.name).write_bytes(whole[: int(len(whole) * share)])
    assert "cannot be read" in refusal(tmp_path / source.name, files)


def test_a_pickle_with_code_is_refused_and_does_not_run(files: PublishedFiles, tmp_path: Path) -> None:
    witness = tmp_path / "ran"

    class Running:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(witness),)

    torch.save(exported(published_weights()) | {"xp.cfg": Running()}, tmp_path / "state_dict.bin")
    assert "mkdir" in refusal(tmp_path / "state_dict.bin", files)
    assert not witness.exists()


def test_a_pickle_that_holds_itself(files: PublishedFiles, tmp_path: Path) -> None:
    round_and_round: dict[str, Any] = {}
    round_and_round["best_state"] = {"model": round_and_round}
    torch.save(round_and_round, tmp_path / "state_dict.bin")
    assert "no tensors" in refusal(tmp_path / "state_dict.bin", files)


def test_numbers_that_are_none_are_not_converted(files: PublishedFiles, tmp_path: Path) -> None:
    weights = published_weights()
    weights["emb.1.weight"][3, 3] = float("nan")
    with pytest.raises(InputError, match=r"emb\.1\.weight holds numbers that are not finite"):
        convert(saved(tmp_path, weights), tmp_path / "model.safetensors", encodec=files.encodec)
    assert not (tmp_path / "model.safetensors").exists()


def test_a_large_pickle_is_mapped_and_not_copied(files: PublishedFiles, tmp_path: Path) -> None:
    """Opening 128 MB inside best_state takes hardly any memory of its own."""
    pytest.importorskip("resource")
    with zipfile.ZipFile(files.weights) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    torch.save(exported({f"a.{k}": torch.ones(8_000_000) for k in range(4)}), tmp_path / "large.bin")
    code = (
        "import sys, resource\nfrom pathlib import Path\nfrom reelscore.checkpoints.reading import read_weights\n"
        "read_weights(Path(sys.argv[2]))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "stored = read_weights(Path(sys.argv[1]))\n"
        "assert len(stored.shapes) == 4 and stored.inside == ('best_state',)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "large.bin", files.weights], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) < 32_000  # KiB


# --- the tiny model -----------------------------------------------------------------------------------------------------


def test_the_tiny_model_is_heard_and_differs_with_its_codes(converted: Path) -> None:
    """What other tests lean on: sound of a sensible level, small enough to make on the spot."""
    assert converted.stat().st_size < 20e6
    codec = open_vidmuse(converted).model.codec
    drawn = torch.Generator().manual_seed(2)
    sounds = [codec.decode(torch.randint(CONFIG.codec.cardinality, (1, 4, 200), generator=drawn)) for _ in range(2)]
    for sound in sounds:
        assert 0.05 < float(sound.abs().max()) < 1
        # No hum on one spot: it moves, and around nought.
        assert float(sound.mean().abs()) < 0.1 * float(sound.std())
    assert float((sounds[0] - sounds[1]).std()) > 0.5 * float(sounds[0].std())


def test_other_seeds_are_other_models(tmp_path: Path, converted: Path) -> None:
    other = load_file(tiny_vidmuse(tmp_path, seed=1))
    mine = load_file(converted)
    assert all(not torch.equal(other[name], mine[name]) for name in mine if mine[name].ndim > 1)
