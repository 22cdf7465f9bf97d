"""Every layout of the published weights opens to the same model, strictly; and converting keeps it bit for bit."""

import json
import os
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_sonique import (
    CONFIG,
    PublishedFiles,
    laion_clap,
    published,
    published_weights,
    tiny_sonique,
    training_checkpoint,
)
from torch import Tensor
from transformers import ClapTextConfig, ClapTextModel, ClapTextModelWithProjection

from reelscore.checkpoints.filling import frame
from reelscore.checkpoints.own_form import PRECISIONS, ModelCard, Parts, convert_parts, write_pieces
from reelscore.checkpoints.pieces import Piece
from reelscore.checkpoints.reading import read_weights
from reelscore.checkpoints.sonique import FORMAT, Opened, convert, fitting, open_sonique, read_configuration
from reelscore.errors import InputError, MissingError, OutputError
from reelscore.models.configurations import to_dict
from reelscore.models.latent_diffusion import LatentDiffusion, LatentDiffusionConfig
from reelscore.progress import unseen

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "sonique"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> PublishedFiles:
    return published(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sonique(tmp_path_factory.mktemp("converted"))


@pytest.fixture(scope="module")
def right(converted: Path) -> dict[str, Tensor]:
    return answers(open_sonique(converted))


def opened(files: PublishedFiles, weights: Path | None = None, text_tower: Path | None = None) -> Opened:
    return open_sonique(
        weights or files.weights,
        config=files.config,
        text_tower=text_tower or files.text_tower,
        tokenizer=files.tokenizer,
    )


@torch.inference_mode()
def answers(it: Opened) -> dict[str, Tensor]:
    """What every part of a model says to fixed input."""
    model = it.model
    ids, mask = it.tokenizer(["calm piano, 90 BPM"])
    context = model.conditioner.context(model.conditioner.read_text(ids, mask), mask, 0, 23)
    x = torch.randn(1, 16, 32, generator=torch.Generator().manual_seed(5))
    memory = model.unet.read_context(context.tokens, context.mask)
    return {
        "context": context.tokens,
        "v": model.unet(x, torch.tensor([0.4]), memory),
        "null": model.unet.null_context,
        "sound": model.autoencoder.decode(x),
        "moments": model.autoencoder.encode_moments(torch.sin(torch.arange(4096.0))[None, None] / 2),
    }


def same(mine: dict[str, Tensor], theirs: dict[str, Tensor]) -> bool:
    return all(torch.equal(mine[name], theirs[name]) for name in theirs)


# --- layouts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["exported", "lightning", "ema"])
def test_every_layout_is_the_same_model(tmp_path: Path, right: dict[str, Tensor], layout: str) -> None:
    assert same(answers(opened(published(tmp_path, layout))), right)


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_pickle_of_exported_names(
    files: PublishedFiles, tmp_path: Path, right: dict[str, Tensor], wrapped: bool
) -> None:
    weights = published_weights()
    torch.save({"state_dict": weights} if wrapped else weights, tmp_path / "exported.ckpt")
    assert same(answers(opened(files, tmp_path / "exported.ckpt")), right)


def test_weight_norm_in_its_new_style(files: PublishedFiles, tmp_path: Path, right: dict[str, Tensor]) -> None:
    renamed = {
        name.replace("weight_g", "parametrizations.weight.original0").replace(
            "weight_v", "parametrizations.weight.original1"
        ): weight
        for name, weight in published_weights().items()
    }
    assert any("original1" in name for name in renamed)
    save_file(renamed, tmp_path / "new.safetensors")
    assert same(answers(opened(files, tmp_path / "new.safetensors")), right)


def test_weight_norm_is_folded_as_pytorch_unfolds_it(files: PublishedFiles) -> None:
    stored = read_weights(files.weights)
    pieces, _ = fitting(stored, frame(LatentDiffusion, CONFIG))
    for theirs in ("encoder.encoder.block.0", "encoder.encoder.block.2.block.4", "decoder.decoder.model.1.block.1"):
        theirs = f"pretransform.model.{theirs}"  # noqa: PLW2901
        folded = next(piece for piece in pieces.values() if piece.called == f"{theirs}.weight_v")
        direction = stored.read(f"{theirs}.weight_v")
        module = torch.nn.Conv1d(direction.shape[1], direction.shape[0], direction.shape[2], bias=False)
        normed = torch.nn.utils.parametrizations.weight_norm(module, dim=0)
        normed.load_state_dict(
            {
                "parametrizations.weight.original0": stored.read(f"{theirs}.weight_g"),
                "parametrizations.weight.original1": direction,
            }
        )
        torch.testing.assert_close(folded.read(), normed.weight.detach(), atol=1e-6, rtol=1e-6)


def test_the_averages_replace_the_whole_unet(files: PublishedFiles, tmp_path: Path) -> None:
    """A key that the averages lack is missing, even though the trained U-Net has it."""
    checkpoint = training_checkpoint(published_weights(), averages=True)
    state = checkpoint["state_dict"]
    assert isinstance(state, dict)
    del state["diffusion_ema.ema_model.model.fixed_embedding.embedding.weight"]
    torch.save(checkpoint, tmp_path / "training.ckpt")
    with pytest.raises(InputError, match=r"model\.model\.fixed_embedding\.embedding\.weight is missing"):
        opened(files, tmp_path / "training.ckpt")


def test_what_was_taken_and_left_out_stands_in_the_card(tmp_path: Path) -> None:
    notes = " ".join(opened(published(tmp_path, "ema")).card.notes)
    assert "averaged" in notes and "2 entries" in notes and "LAION" in notes


def test_a_name_that_stands_twice_is_refused(files: PublishedFiles, tmp_path: Path) -> None:
    weights = published_weights()
    name = "model.model.to_time.0.0.weights"
    save_file(weights | {f"diffusion.{name}": weights[name].clone()}, tmp_path / "twice.safetensors")
    with pytest.raises(InputError, match="twice"):
        opened(files, tmp_path / "twice.safetensors")


def test_a_file_of_another_model_is_called_so(files: PublishedFiles) -> None:
    with pytest.raises(InputError, match="holds no SONIQUE"):
        open_sonique(files.text_tower)


# --- the text tower -----------------------------------------------------------------------------------------------------


def tower() -> dict[str, Tensor]:
    start = "module.text_branch."
    return {name.removeprefix(start): weight for name, weight in laion_clap().items() if name.startswith(start)}


@pytest.mark.parametrize("prefix", ["module.text_branch.", "text_branch.", "text_model.", ""])
def test_every_layout_of_clap(files: PublishedFiles, tmp_path: Path, right: dict[str, Tensor], prefix: str) -> None:
    torch.save({prefix + name: weight for name, weight in tower().items()}, tmp_path / "clap.pt")
    assert same(answers(opened(files, text_tower=tmp_path / "clap.pt")), right)


@pytest.mark.parametrize("kind", [ClapTextModel, ClapTextModelWithProjection])
def test_a_folder_that_transformers_wrote(
    files: PublishedFiles, tmp_path: Path, right: dict[str, Tensor], kind: type[ClapTextModel]
) -> None:
    sizes = ClapTextConfig(
        vocab_size=400,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=80,
        projection_dim=8,
    )
    model = kind(sizes)
    inside = model if kind is ClapTextModel else model.text_model
    missing, unknown = inside.load_state_dict(tower(), strict=False)
    assert missing == ["embeddings.token_type_ids"] and not unknown  # a table of zeros
    model.save_pretrained(tmp_path)
    assert same(answers(opened(files, text_tower=tmp_path)), right)


def test_a_file_without_a_text_tower(files: PublishedFiles) -> None:
    with pytest.raises(InputError, match="no CLAP text tower"):
        opened(files, text_tower=files.weights)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop("text_branch.embeddings.LayerNorm.bias"), "text_branch.embeddings.LayerNorm.bias is missing"),
        (lambda t: t.update({"text_branch.encoder.layer.7.more": torch.ones(1)}), "encoder.layer.7.more is unknown"),
        (
            lambda t: t.update({"text_branch.embeddings.word_embeddings.weight": torch.ones(9, 32)}),
            "embeddings.word_embeddings.weight is 9 × 32 and should be 400 × 32",
        ),
    ],
)
def test_the_text_tower_is_strict(
    files: PublishedFiles, tmp_path: Path, change: Callable[[dict[str, Tensor]], object], said: str
) -> None:
    weights = {name.removeprefix("module."): weight for name, weight in laion_clap().items()}
    change(weights)
    torch.save(weights, tmp_path / "clap.pt")
    with pytest.raises(InputError) as refused:
        opened(files, text_tower=tmp_path / "clap.pt")
    assert said in str(refused.value)


# --- strictness ---------------------------------------------------------------------------------------------------------

NAMES = [
    "model.model.to_in.block.block1.project.weight",
    "model.model.upsamples.0.transformer.blocks.0.cross_attention.to_kv.weight",
    "conditioner.conditioners.seconds_total.int_embedder.weight",
    "pretransform.model.encoder.proj_out.weight",
    "pretransform.model.decoder.decoder.model.2.block.2.block.0.alpha",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_key_is_named_as_published(files: PublishedFiles, tmp_path: Path, name: str) -> None:
    weights = published_weights()
    del weights[name]
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(InputError) as refused:
        opened(files, tmp_path / "model.safetensors")
    assert f"{name} is missing" in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("leaf", ["weight_g", "weight_v"])
def test_half_of_a_weight_norm_is_named(files: PublishedFiles, tmp_path: Path, leaf: str) -> None:
    name = f"pretransform.model.decoder.decoder.model.0.{leaf}"
    weights = published_weights()
    del weights[name]
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=f"{name} is missing"):
        opened(files, tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    "name",
    [
        "model.model.more.weight",
        "pretransform.model.encoder.encoder.block.9.alpha",
        "losses.weight",
        "model.model.to_in",
    ],
)
def test_an_unknown_key_is_named(files: PublishedFiles, tmp_path: Path, name: str) -> None:
    save_file(published_weights() | {name: torch.ones(2)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=f"{name} is unknown"):
        opened(files, tmp_path / "model.safetensors")


@pytest.mark.parametrize("name", [*NAMES, "pretransform.model.decoder.decoder.model.0.weight_v"])
def test_a_key_of_another_shape_is_named_with_both_shapes(files: PublishedFiles, tmp_path: Path, name: str) -> None:
    weights = published_weights()
    shape = tuple(weights[name].shape)
    weights[name] = torch.ones(*shape, 2)
    if name.endswith("weight_v"):
        weights[name.replace("weight_v", "weight_g")] = torch.ones(shape[0], *(1 for _ in shape))
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(InputError) as refused:
        opened(files, tmp_path / "model.safetensors")
    words = " × ".join(map(str, shape))
    assert f"{name} is {words} × 2 and should be {words}" in str(refused.value)


def test_a_magnitude_of_another_shape(files: PublishedFiles, tmp_path: Path) -> None:
    name = "pretransform.model.decoder.decoder.model.0.weight_g"
    save_file(published_weights() | {name: torch.ones(3, 1, 1)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=f"{name} is 3 × 1 × 1 and should be"):
        opened(files, tmp_path / "model.safetensors")


def test_the_released_checkpoint_fits_the_published_configuration_key_by_key() -> None:
    lines = [line.split(" ") for line in (FIXTURES / "published_keys.txt").read_text().splitlines()]
    shapes = {name: tuple(json.loads(shape)) for name, shape, _ in lines}
    assert len(shapes) == 1048
    stored = replace(read_weights(FIXTURES / "io.safetensors"), shapes=shapes)
    pieces, notes = fitting(stored, frame(LatentDiffusion, LatentDiffusionConfig()))
    assert len(pieces) == 1048 - 60  # as many pairs of weight norm
    assert not notes


def test_weights_of_other_sizes_do_not_fit_the_published_configuration(files: PublishedFiles) -> None:
    with pytest.raises(InputError, match=r"does not fit: .* should be"):
        open_sonique(files.weights, text_tower=files.text_tower, tokenizer=files.tokenizer)


# --- what is needed besides ---------------------------------------------------------------------------------------------


def test_what_is_not_given_is_asked_for(files: PublishedFiles, converted: Path) -> None:
    with pytest.raises(MissingError, match="--text-tower"):
        open_sonique(files.weights, tokenizer=files.tokenizer)
    with pytest.raises(MissingError, match="--tokenizer"):
        open_sonique(files.weights, text_tower=files.text_tower)
    with pytest.raises(InputError, match="leave these options out"):
        open_sonique(converted, text_tower=files.text_tower)
    with pytest.raises(InputError, match="no file of weights"):
        open_sonique(files.weights.with_name("absent.ckpt"))


@pytest.mark.parametrize(
    "text", ["{}", "[]", "", "null", '{"unet": 3}', '{"unet": {"channels": 1e400}}', '{"model": {"diffusion": []}}']
)
def test_a_configuration_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError) as refused:
        read_configuration(tmp_path / "config.json")
    assert "config.json" in str(refused.value) and "\n" not in str(refused.value)


def test_the_published_form_of_the_configuration() -> None:
    read = read_configuration(FIXTURES / "model_config.json")
    assert (read.unet.channels, read.autoencoder.decoder_width, read.conditioning.text.layer) == (32, 64, -2)
    assert read_configuration(None) == LatentDiffusionConfig()


# --- our own form -------------------------------------------------------------------------------------------------------


def test_converting_keeps_everything_bit_for_bit(
    files: PublishedFiles, converted: Path, right: dict[str, Tensor]
) -> None:
    assert same(answers(opened(files)), right)
    again = open_sonique(converted)
    assert again.model.config == CONFIG
    assert again.card.source == "made for tests" and again.card.licence == "none needed"
    assert [len(file.sha256) for file in again.card.made_from] == [64, 64]
    assert again.tokenizer.to_json() == opened(files).tokenizer.to_json()


def test_a_converted_file_is_plain_safetensors_with_our_names(converted: Path) -> None:
    tensors = load_file(converted)
    assert set(tensors) == set(open_sonique(converted).model.state_dict())
    header = read_weights(converted).header
    assert json.loads(header["config"]) == to_dict(CONFIG)


def test_nothing_is_random_and_nothing_is_trained(converted: Path) -> None:
    state = torch.get_rng_state()
    model = open_sonique(converted).model
    assert torch.equal(torch.get_rng_state(), state)
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())
    assert not any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_halves_the_matrices_alone(converted: Path, tmp_path: Path, precision: str) -> None:
    half = convert(converted, tmp_path / "half.safetensors", precision=precision)
    assert half.stat().st_size < 0.6 * converted.stat().st_size
    assert [file.name for file in open_sonique(half).card.made_from] == [
        "model.safetensors",
        "clap.ckpt",
        converted.name,
    ]
    whole, halved = load_file(converted), load_file(half)
    for name, tensor in whole.items():
        kept = torch.float32 if tensor.ndim < 2 else PRECISIONS[precision]
        assert halved[name].dtype == kept
        assert torch.equal(halved[name], tensor.to(kept))
    assert {weight.dtype for weight in open_sonique(half, dtype=torch.bfloat16).model.parameters()} == {torch.bfloat16}
    assert {weight.dtype for weight in open_sonique(half).model.parameters()} == {torch.float32}


def test_the_same_files_give_the_same_bytes(files: PublishedFiles, tmp_path: Path) -> None:
    made = [
        convert(
            files.weights,
            tmp_path / name,
            text_tower=files.text_tower,
            tokenizer=files.tokenizer,
            config=files.config,
        ).read_bytes()
        for name in ("one.safetensors", "two.safetensors")
    ]
    assert made[0] == made[1]
    assert (8 + int.from_bytes(made[0][:8], "little")) % 64 == 0


def test_names_that_utf_8_cannot_hold(files: PublishedFiles, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"m\xff.ckpt")
    try:
        odd.write_bytes(files.text_tower.read_bytes())
    except OSError:
        pytest.skip("this file system wants names in UTF-8")
    target = convert(
        files.weights, tmp_path / "m.safetensors", text_tower=odd, tokenizer=files.tokenizer, config=files.config
    )
    assert open_sonique(target).card.made_from[1].name == odd.name


def piece(shape: tuple[int, ...], fault: Exception | None = None, fill: float = 1.0) -> Piece:
    def read() -> Tensor:
        if fault:
            raise fault
        return torch.full(shape, fill)

    return Piece("some.weight", shape, read)


def write(target: Path, pieces: dict[str, Piece], precision: str = "float32") -> None:
    write_pieces(target, pieces, {}, precision, unseen)


@pytest.mark.parametrize(
    "fault", [InputError("damaged"), MemoryError(), KeyboardInterrupt(), OSError(28, "No space left")]
)
def test_an_error_in_the_midst_leaves_nothing(tmp_path: Path, fault: Exception) -> None:
    target = tmp_path / "model.safetensors"
    with pytest.raises((type(fault), OutputError)):
        write(target, {"a": piece((64, 64)), "b": piece((8, 8), fault), "c": piece((8, 8))})
    assert not list(tmp_path.iterdir())


def test_an_error_in_the_midst_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "model.safetensors"
    target.write_bytes(b"old")
    with pytest.raises(InputError):
        write(target, {"a": piece((8, 8)), "b": piece((8, 8), InputError("damaged"))})
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"] and target.read_bytes() == b"old"


@pytest.mark.parametrize(("fill", "precision"), [(float("nan"), "float32"), (float("inf"), "bf16"), (1e6, "fp16")])
def test_numbers_that_are_none_are_refused(tmp_path: Path, fill: float, precision: str) -> None:
    with pytest.raises(InputError, match="not finite"):
        write(tmp_path / "model.safetensors", {"a": piece((2, 2), fill=fill)}, precision)
    assert not list(tmp_path.iterdir())


def test_memory_holds_one_tensor_at_a_time(tmp_path: Path) -> None:
    held: list[int] = []
    living: dict[str, Tensor] = {}

    def reading(name: str) -> Piece:
        def read() -> Tensor:
            held.append(len(living))
            tensor = torch.ones(256, 256)
            living[name] = weakref.proxy(tensor, lambda _: living.pop(name))
            return tensor

        return Piece(name, (256, 256), read)

    write(tmp_path / "model.safetensors", {name: reading(name) for name in "abcdef"})
    assert len(held) == 6 and max(held) <= 1


def test_writing_over_what_is_read_is_refused(converted: Path, tmp_path: Path) -> None:
    before = converted.read_bytes()
    with pytest.raises(OutputError, match="destroy"):
        convert(converted, converted, precision="bf16")
    link = tmp_path / "link.safetensors"
    os.link(converted, link)
    with pytest.raises(OutputError, match="destroy"):
        convert(converted, link)
    assert converted.read_bytes() == before


def test_a_full_disk_is_told_before_anything_is_written(
    converted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reelscore.checkpoints import own_form

    monkeypatch.setattr(own_form, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(OutputError, match="needs"):
        convert(converted, tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())


def test_an_unknown_precision(converted: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="float32, bf16, fp16"):
        convert(converted, tmp_path / "model.safetensors", precision="int4")


def with_header(converted: Path, target: Path, **changes: str | None) -> Path:
    """The same tensors under another header."""
    header = dict(read_weights(converted).header) | changes
    save_file(load_file(converted), target, {name: text for name, text in header.items() if text is not None})
    return target


def hostile(changes: dict[str, object]) -> str:
    document = to_dict(CONFIG)
    for path, value in changes.items():
        *rooms, last = path.split(".")
        inside = document
        for room in rooms:
            inside = inside[room]
        inside[last] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "2"},
        {"version": None},
        {"config": None},
        {"config": "[" * 50_000},
        {"config": "3"},
        {"config": hostile({"unet.channels": 2**40})},
        {"config": hostile({"unet.channels": 2**20})},
        {"config": hostile({"unet.attentions": [10**9, 1, 1, 1, 1]})},
        {"config": hostile({"conditioning.text.layers": 10**9})},
        {"config": hostile({"conditioning.text.layers": 60})},
        {"config": hostile({"unet.resnet_groups": 0})},
        {"config": hostile({"autoencoder.decoder_rates": [0, 8, 4, 4]})},
        {"config": hostile({"unet.more": 1})},
        {"card": "{}"},
        {"card": '{"source": "a", "licence": "b", "made_from": [3]}'},
        {"card": '{"source": "a", "licence": "b", "notes": 3}'},
        {"tokenizer": None},
        {"tokenizer": "{}"},
    ],
)
def test_a_header_of_ours_is_not_believed(converted: Path, tmp_path: Path, changes: dict[str, str | None]) -> None:
    path = with_header(converted, tmp_path / "model.safetensors", **changes)
    with pytest.raises(InputError) as refused:
        open_sonique(path)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_a_converted_file_is_strict(converted: Path, tmp_path: Path) -> None:
    tensors, header = load_file(converted), dict(read_weights(converted).header)
    tensors["unet.more"] = torch.ones(1)
    save_file(tensors, tmp_path / "more.safetensors", header)
    with pytest.raises(InputError, match=r"unet\.more is unknown"):
        open_sonique(tmp_path / "more.safetensors")
    del tensors["unet.more"], tensors["unet.null_context"]
    save_file(tensors, tmp_path / "less.safetensors", header)
    with pytest.raises(InputError, match=r"unet\.null_context is missing"):
        open_sonique(tmp_path / "less.safetensors")


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.999])
def test_a_converted_file_that_was_cut_off(converted: Path, tmp_path: Path, share: float) -> None:
    whole = converted.read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match="cannot be read"):
        open_sonique(tmp_path / "model.safetensors")


def test_other_safetensors_with_our_format_word(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="holds no SONIQUE"):
        open_sonique(tmp_path / "model.safetensors")


def test_a_model_of_another_kind_builds_too(tmp_path: Path) -> None:
    """Stereo, as Stable Audio 1.0 is."""
    stereo = replace(CONFIG, autoencoder=replace(CONFIG.autoencoder, audio_channels=2))
    model = LatentDiffusion(stereo)
    pieces = {name: Piece(name, tuple(t.shape), t.detach) for name, t in model.state_dict().items()}
    from tiny_sonique import tokenizer as made

    text = (made(tmp_path / "words") / "tokenizer.json").read_text()
    parts = Parts(model, pieces, ModelCard("mine", "mine"), ())
    convert_parts(parts, tmp_path / "m.safetensors", FORMAT, "float32", unseen, tokenizer=text)
    again = open_sonique(tmp_path / "m.safetensors").model
    assert again.config == stereo
    assert again.autoencoder.decode(torch.zeros(1, 16, 1)).shape == (1, 2, 1024)


def test_the_tiny_model_is_heard(converted: Path) -> None:
    """What other tests lean on: sound of a sensible level, small enough to make on the spot."""
    assert converted.stat().st_size < 10e6
    it = open_sonique(converted)
    latents = torch.randn(1, 16, 64, generator=torch.Generator().manual_seed(2))
    peak = float(it.model.autoencoder.decode(latents).abs().max())
    assert 0.1 < peak < 0.9
