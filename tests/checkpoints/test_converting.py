"""One verb converts whichever model a file is of, and says what does not belong to it."""

from pathlib import Path

import pytest
import tiny_musicgen
import tiny_sonique
import tiny_vidmuse
import torch
from safetensors.torch import load_file, save_file

from reelscore.checkpoints import default_weights
from reelscore.checkpoints.converting import Beside, convert
from reelscore.checkpoints.reading import read_weights
from reelscore.checkpoints.recognising import ENCODEC, MUSICGEN, SONIQUE, TEXT_TOWER, UNKNOWN, VIDMUSE, recognised
from reelscore.errors import InputError, MissingError, OutputError


@pytest.fixture(scope="module")
def vidmuse(tmp_path_factory: pytest.TempPathFactory) -> tiny_vidmuse.PublishedFiles:
    return tiny_vidmuse.published(tmp_path_factory.mktemp("vidmuse"))


@pytest.fixture(scope="module")
def sonique(tmp_path_factory: pytest.TempPathFactory) -> tiny_sonique.PublishedFiles:
    return tiny_sonique.published(tmp_path_factory.mktemp("sonique"), "ema")


def refusal(weights: Path, beside: Beside = Beside(), target: Path | None = None) -> str:
    with pytest.raises(InputError) as refused:
        convert(weights, target or weights.with_name("never.safetensors"), beside)
    assert "\n" not in str(refused.value)
    assert not weights.with_name("never.safetensors").exists()
    return str(refused.value)


def beside_sonique(files: tiny_sonique.PublishedFiles) -> Beside:
    return Beside(files.text_tower, str(files.tokenizer), files.config)


def test_every_file_is_told_by_its_names(
    vidmuse: tiny_vidmuse.PublishedFiles, sonique: tiny_sonique.PublishedFiles, tmp_path: Path
) -> None:
    save_file({"layer.weight": torch.ones(2)}, tmp_path / "other.safetensors")
    musicgen = tiny_musicgen.tiny_musicgen(tmp_path / "musicgen")
    found = [
        recognised(read_weights(path))
        for path in (
            vidmuse.weights,
            vidmuse.encodec,
            sonique.weights,
            sonique.text_tower,
            musicgen,
            tmp_path / "other.safetensors",
        )
    ]
    assert found == [VIDMUSE, ENCODEC, SONIQUE, TEXT_TOWER, MUSICGEN, UNKNOWN]


def test_both_models_go_where_their_engines_look(
    vidmuse: tiny_vidmuse.PublishedFiles,
    sonique: tiny_sonique.PublishedFiles,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REELSCORE_CACHE", str(tmp_path / "cache"))
    assert convert(vidmuse.weights, beside=Beside(encodec=str(vidmuse.encodec))) == default_weights("vidmuse")
    assert convert(sonique.weights, beside=beside_sonique(sonique)) == default_weights("sonique")
    assert recognised(read_weights(default_weights("vidmuse"))) is VIDMUSE
    assert recognised(read_weights(default_weights("sonique"))) is SONIQUE


def test_a_folder_that_cannot_be_made(
    vidmuse: tiny_vidmuse.PublishedFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for cache in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("REELSCORE_CACHE", str(cache))
        with pytest.raises(OutputError, match="REELSCORE_CACHE"):
            convert(vidmuse.weights, beside=Beside(encodec=str(vidmuse.encodec)))


def test_a_converted_file_is_converted_to_another_precision(
    vidmuse: tiny_vidmuse.PublishedFiles, sonique: tiny_sonique.PublishedFiles, tmp_path: Path
) -> None:
    beside = (Beside(encodec=str(vidmuse.encodec)), beside_sonique(sonique))
    for name, weights, files in zip(("v", "s"), (vidmuse.weights, sonique.weights), beside, strict=True):
        whole = convert(weights, tmp_path / f"{name}.safetensors", files)
        half = convert(whole, tmp_path / f"{name}-half.safetensors", precision="bf16")
        assert torch.bfloat16 in {tensor.dtype for tensor in load_file(half).values()}


def test_what_belongs_to_the_other_model_is_refused(
    vidmuse: tiny_vidmuse.PublishedFiles, sonique: tiny_sonique.PublishedFiles
) -> None:
    for option, beside in (
        ("--text-tower", Beside(text_tower=sonique.text_tower)),
        ("--tokenizer", Beside(tokenizer="roberta-base")),
        ("--config", Beside(config=sonique.config)),
    ):
        said = refusal(vidmuse.weights, beside)
        assert "VidMuse" in said and f"{option} belongs to SONIQUE" in said
    said = refusal(sonique.weights, Beside(sonique.text_tower, encodec=str(vidmuse.encodec)))
    assert "SONIQUE" in said and "--encodec belongs to VidMuse" in said


def test_what_is_needed_besides_is_asked_for(
    vidmuse: tiny_vidmuse.PublishedFiles,
    sonique: tiny_sonique.PublishedFiles,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match="--text-tower"):
        convert(sonique.weights, tmp_path / "m.safetensors")
    with pytest.raises(MissingError, match="reelscore models get roberta-base"):
        convert(sonique.weights, tmp_path / "m.safetensors", Beside(sonique.text_tower, config=sonique.config))
    with pytest.raises(MissingError, match="reelscore models get encodec-32khz"):
        convert(vidmuse.weights, tmp_path / "m.safetensors")


def test_files_that_are_no_model_of_their_own(
    vidmuse: tiny_vidmuse.PublishedFiles, sonique: tiny_sonique.PublishedFiles, tmp_path: Path
) -> None:
    assert "--encodec" in refusal(vidmuse.encodec)
    assert "--text-tower" in refusal(sonique.text_tower)
    assert "MusicGen" in refusal(tiny_musicgen.tiny_musicgen(tmp_path / "musicgen"))
    save_file({"layer.weight": torch.ones(2)}, tmp_path / "other.safetensors")
    assert "no model" in refusal(tmp_path / "other.safetensors")


def test_writing_over_what_is_read_is_refused(vidmuse: tiny_vidmuse.PublishedFiles) -> None:
    before = vidmuse.weights.read_bytes()
    with pytest.raises(OutputError, match="destroy"):
        convert(vidmuse.weights, vidmuse.weights, Beside(encodec=str(vidmuse.encodec)))
    inside = vidmuse.encodec / "model.safetensors"
    with pytest.raises(OutputError, match="destroy"):
        convert(vidmuse.weights, inside, Beside(encodec=str(vidmuse.encodec)))
    assert vidmuse.weights.read_bytes() == before
