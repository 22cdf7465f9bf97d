"""The catalogue holds together, and what is told about models and files is right."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_musicgen import made, tiny_musicgen
from tiny_sonique import CONFIG, PublishedFiles, published, tiny_sonique
from tiny_vidmuse import CONFIG as VIDMUSE_CONFIG
from tiny_vidmuse import published as published_vidmuse
from tiny_vidmuse import tiny_vidmuse

from reelscore.checkpoints import about, catalogue, describe, listing
from reelscore.checkpoints.catalogue import CATALOGUE, find, known, of_kind
from reelscore.checkpoints.reading import read_weights
from reelscore.checkpoints.sonique import open_sonique
from reelscore.errors import InputError
from reelscore.models.configurations import to_dict
from reelscore.models.latent_diffusion import LatentDiffusion
from reelscore.models.vidmuse import VidMuse


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> PublishedFiles:
    return published(tmp_path_factory.mktemp("published"), "ema")


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sonique(tmp_path_factory.mktemp("converted"))


def test_names_and_ids_are_unique() -> None:
    names = [card.name for card in CATALOGUE]
    ids = [card.hub_id for card in CATALOGUE if card.hub_id]
    assert len(set(names)) == len(names) and len(set(ids)) == len(ids)
    kinds = set(get_args(catalogue.Kind))
    assert {card.kind for card in CATALOGUE} == kinds


@pytest.mark.parametrize("card", CATALOGUE, ids=lambda card: card.name)
def test_every_card_says_where_under_which_terms_and_how(card: catalogue.Card) -> None:
    assert card.address.startswith("https://") and card.licence and card.summary
    assert card.how and (card.hub_id or card.by_hand)
    assert card.size == "unknown size" or card.size.endswith(("GB", "MB"))
    assert ("non-commercial" in card.terms) == bool(card.non_commercial)
    for pattern in card.files:
        assert not pattern.endswith((".bin", ".pt", ".py", "*"))


def test_finding_by_name_or_id() -> None:
    assert find("Qwen3-4B").hub_id == "Qwen/Qwen3-4B-Instruct-2507"
    assert known("mistralai/mistral-7b-instruct-v0.3") is find("mistral-7b")
    assert known("") is None and known("-") is None
    with pytest.raises(InputError, match="sonique"):
        find("no-such")
    assert [card.name for card in of_kind("engine")] == ["sonique", "vidmuse"]
    assert of_kind("words to music")[0].name == "musicgen-small"
    assert known("facebook/musicgen-stereo-melody-large") is find("musicgen-stereo-melody-large")


def test_the_list_of_all_that_is_known() -> None:
    rows = listing()
    assert [row.name for row in rows] == [card.name for card in CATALOGUE]
    assert next(row for row in rows if row.name == "blip2-opt-2.7b").size == "15.5 GB"


def test_a_card_in_words() -> None:
    told = "\n".join(describe("sonique").lines())
    for part in ("no licence stated", "drive.google.com", "stable_ep=220.ckpt", "reelscore models convert", "4.2 GB"):
        assert part in told
    assert json.loads(json.dumps(describe("gemma-3-4b").as_dict()))["terms"] == "Gemma Terms of Use"


def test_a_converted_file_in_words(converted: Path) -> None:
    told = describe(converted).as_dict()
    with torch.device("meta"):
        parts = {
            name: sum(weight.numel() for weight in part.parameters())
            for name, part in LatentDiffusion(CONFIG).named_children()
        }
    assert told["parameters"]["U-Net"] == parts["unet"]
    assert told["parameters"]["autoencoder"] == parts["autoencoder"]
    assert told["parameters"]["text tower"] + told["parameters"]["embeddings of seconds"] == parts["conditioner"]
    assert told["parameters"]["all"] == sum(parts.values())
    assert told["source"] == "made for tests" and told["number format"] == "float32"
    assert told["configuration"]["unet"]["channels"] == 32
    lines = describe(converted).lines()
    assert any(told["made from"][0]["sha256"] in line for line in lines)
    assert all("\n" not in line for line in lines)


def test_published_files_in_words(files: PublishedFiles) -> None:
    told = describe(files.weights).as_dict()
    assert told["form"] == "SONIQUE, training checkpoint with averages"
    assert "averaged" in told["notes"][0]
    assert "CLAP text tower" in describe(files.text_tower).as_dict()["form"]


def test_the_card_of_vidmuse_says_why_its_terms_are_the_strictest() -> None:
    told = "\n".join(describe("vidmuse").lines())
    for part in (
        "hf download HKUSTAudio/VidMuse state_dict.bin --local-dir vidmuse",
        "reelscore models get encodec-32khz && reelscore models convert vidmuse/state_dict.bin",
        "non-commercial use only",
        "MusicGen",
        "CC-BY-4.0",
        "7.9 GB",
    ):
        assert part in told
    assert describe("encodec-32khz").as_dict()["get it"] == "reelscore models get encodec-32khz"


def test_the_cards_of_musicgen() -> None:
    cards = [card for card in CATALOGUE if card.name.startswith("musicgen-")]
    assert len(cards) == 10
    for card in cards:
        assert card.kind == "words to music" and card.terms == "CC-BY-NC-4.0, non-commercial use only"
        assert card.hub_id == f"facebook/{card.name}" and card.size_gb
        assert ("melody" in card.summary) == ("melody" in card.name)
        assert ("stereo" in card.summary) == ("stereo" in card.name)
    assert describe("musicgen-small").as_dict()["get it"] == "reelscore models get musicgen-small"
    told = describe("musicgen-medium").as_dict()
    assert "hf download facebook/musicgen-medium" in told["get it"] and "never run" in told["note"]


def test_files_of_vidmuse_in_words(tmp_path: Path) -> None:
    files = published_vidmuse(tmp_path)
    told = describe(files.weights).as_dict()
    assert told["form"] == "VidMuse, exported" and "non-commercial" in told["terms"]
    with torch.device("meta"):
        model = VidMuse(VIDMUSE_CONFIG)
    counted = {
        name: sum(weight.numel() for weight in part.parameters())
        for name, part in (("CLIP", model.visual.clip), ("visual", model.visual), ("decoder", model.decoder))
    }
    assert told["parameters"] == {
        "CLIP": counted["CLIP"],
        "visual side": counted["visual"] - counted["CLIP"],
        "decoder": counted["decoder"],
        "all": counted["visual"] + counted["decoder"],
    }
    assert any("projections of words" in note for note in told["notes"])
    assert describe(published_vidmuse(tmp_path, "bare").weights).as_dict()["form"] == "VidMuse, bare"
    assert describe(published_vidmuse(tmp_path, "training").weights).as_dict()["form"] == "VidMuse, training checkpoint"


def test_a_converted_vidmuse_in_words(tmp_path: Path) -> None:
    told = describe(tiny_vidmuse(tmp_path)).as_dict()
    assert told["form"] == "VidMuse, converted by Reelscore"
    assert told["configuration"] == to_dict(VIDMUSE_CONFIG)
    with torch.device("meta"):
        codec = VidMuse(VIDMUSE_CONFIG).codec
    assert told["parameters"]["codec"] == sum(weight.numel() for weight in codec.parameters())
    assert told["source"] == "made for tests"


def test_a_folder_of_encodec_in_words(tmp_path: Path) -> None:
    told = describe(published_vidmuse(tmp_path).encodec).as_dict()
    assert told["form"] == "EnCodec" and list(told["parameters"]) == ["encoder", "codebooks", "decoder", "all"]
    codec = VIDMUSE_CONFIG.codec
    assert told["parameters"]["codebooks"] == codec.codebooks * codec.cardinality * codec.width
    assert "non-commercial" in told["terms"]


def test_a_folder_of_musicgen_in_words(tmp_path: Path) -> None:
    told = describe(tiny_musicgen(tmp_path)).as_dict()
    assert told["form"] == "MusicGen"
    assert told["parameters"]["decoder"] == sum(weight.numel() for weight in made().decoder.parameters())
    assert list(told["parameters"]) == ["text encoder", "projection", "decoder", "codec", "all"]


def test_a_folder_of_a_melody_model_in_words(tmp_path: Path) -> None:
    told = describe(tiny_musicgen(tmp_path, melody=True)).as_dict()
    model = made(melody=True)
    projections = [*model.enc_to_dec_proj.parameters(), *model.audio_enc_to_dec_proj.parameters()]
    assert told["form"] == "MusicGen"
    assert told["parameters"]["projection"] == sum(weight.numel() for weight in projections)
    assert list(told["parameters"]) == ["text encoder", "projection", "decoder", "codec", "all"]


def test_what_a_header_says_cannot_write_to_the_terminal(converted: Path, tmp_path: Path) -> None:
    header = dict(read_weights(converted).header)
    card = json.loads(header["card"])
    card |= {"source": "\x1b]0;title\x07", "licence": "two\nlines", "made_by": "\udcff"}
    card["made_from"][0]["name"] = "\x1b[2J"
    save_file(load_file(converted), tmp_path / "m.safetensors", header | {"card": json.dumps(card)})
    assert all(line.isprintable() for line in describe(tmp_path / "m.safetensors").lines())
    opened = open_sonique(tmp_path / "m.safetensors").card
    assert opened.source.isprintable() and opened.licence.isprintable()


def test_other_files_in_words(tmp_path: Path) -> None:
    save_file({"layer.weight": torch.ones(2, 3, dtype=torch.float16)}, tmp_path / "other.safetensors")
    told = describe(tmp_path / "other.safetensors").as_dict()
    assert told["form"] == "unknown weights" and told["number format"] == "float16"
    assert told["parameters"] == {"all": 6}


@pytest.mark.parametrize("name", ["no-such", "", "nul\0", "x" * 5000])
def test_neither_a_model_nor_a_file(name: str) -> None:
    with pytest.raises(InputError, match="no file and no model"):
        describe(name)


def test_a_damaged_file_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError):
        describe(tmp_path / "m.safetensors")


def test_a_file_of_a_newer_kind_is_an_input_error(converted: Path, tmp_path: Path) -> None:
    header = dict(read_weights(converted).header) | {"format": "reelscore.newer"}
    save_file(load_file(converted), tmp_path / "m.safetensors", header)
    with pytest.raises(InputError, match=r"reelscore\.newer.*update Reelscore"):
        describe(tmp_path / "m.safetensors")


def test_the_door_is_light() -> None:
    code = (
        "import sys\nfrom reelscore import checkpoints\nfrom reelscore.checkpoints import catalogue, hub\n"
        "checkpoints.default_weights('sonique'), catalogue.find('sonique')\n"
        "print([name for name in ('torch', 'transformers', 'huggingface_hub', 'safetensors', 'numpy') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_numbers_are_told_with_their_thousands() -> None:
    assert about.Description("title", {"a": {"b": 1234567}, "c": [1, 2]}).lines() == [
        "title",
        "    a:",
        "        b: 1,234,567",
        "    c: 1, 2",
    ]
