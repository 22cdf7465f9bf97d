"""Words become exactly the ids that transformers' RobertaTokenizer gives, from every form of the files."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_sonique import CONFIG, roberta_tokenizer, tokenizer
from transformers import RobertaTokenizer

from reelscore.checkpoints.tokenizer import PromptTokenizer, open_tokenizer, tokenizer_from_json
from reelscore.errors import InputError
from reelscore.models.conditioning import TextTowerConfig

TOWER = CONFIG.conditioning.text
PROMPTS = [
    "",
    "piano, strings, calm, 90 BPM",
    "  leading and trailing spaces ",
    "Ünïcödé ♫ 日本語 🎻",
    "a mask <mask> and an end </s> and <pad> inside",
    "<s>",
    "piano " * 60,
    "x" * 500,
    "tab\tand\nline",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def theirs(folder: Path) -> RobertaTokenizer:
    return roberta_tokenizer(folder)


def same(ours: PromptTokenizer, theirs: RobertaTokenizer, prompts: list[str]) -> None:
    ids, mask = ours(prompts)
    wanted = theirs(prompts, padding="max_length", truncation=True, max_length=77, return_tensors="pt")
    assert ids.dtype == mask.dtype == torch.int64
    assert torch.equal(ids, wanted["input_ids"])
    assert torch.equal(mask, wanted["attention_mask"])


@pytest.mark.parametrize("form", ["folder", "tokenizer.json", "vocab.json", "merges.txt", "vocabulary alone", "again"])
def test_as_transformers_does_it(folder: Path, theirs: RobertaTokenizer, form: str, tmp_path: Path) -> None:
    path = folder if form in ("folder", "again") else folder / form
    if form == "vocabulary alone":
        path = tmp_path
        for name in ("vocab.json", "merges.txt"):
            shutil.copy(folder / name, path)
    ours = open_tokenizer(path, TOWER)
    if form == "again":
        ours = tokenizer_from_json(ours.to_json(), path, TOWER)
    same(ours, theirs, PROMPTS)


@given(prompts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=120), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_words(folder: Path, theirs: RobertaTokenizer, prompts: list[str]) -> None:
    same(open_tokenizer(folder / "vocab.json", TOWER), theirs, prompts)


def test_begin_end_and_padding(folder: Path) -> None:
    ids, mask = open_tokenizer(folder, TOWER)(["piano", ""])
    assert ids.shape == mask.shape == (2, 77)
    assert ids[1, :3].tolist() == [0, 2, 1] and mask[1].sum() == 2
    assert ids[0, 0] == 0 and ids[0, mask[0].sum() - 1] == 2
    assert (ids[0, mask[0].sum() :] == 1).all()


def test_nothing_asked_nothing_given(folder: Path) -> None:
    ids, mask = open_tokenizer(folder, TOWER)([])
    assert ids.shape == mask.shape == (0, 77)


def test_length_counts_what_would_be_cut_off(folder: Path, theirs: RobertaTokenizer) -> None:
    ours = open_tokenizer(folder, TOWER)
    for prompt in PROMPTS:
        assert ours.length(prompt) == len(theirs(prompt)["input_ids"])


def test_half_characters_do_no_harm(folder: Path) -> None:
    ids, _ = open_tokenizer(folder, TOWER)(["broken \ud83c emoji"])
    assert ids.shape == (1, 77)


def refusal(path: Path, tower: TextTowerConfig = TOWER) -> str:
    with pytest.raises(InputError) as refused:
        open_tokenizer(path, tower)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_files_that_are_no_tokenizer(folder: Path, tmp_path: Path) -> None:
    assert "no tokenizer" in refusal(tmp_path)
    assert "no tokenizer" in refusal(tmp_path / "absent.json")
    damaged = tmp_path / "tokenizer.json"
    for text in ("", "{}", "[", (folder / "tokenizer.json").read_text()[:-100]):
        damaged.write_text(text)
        assert "tokenizer.json" in refusal(tmp_path)
    damaged.write_bytes(b"\xff\xfe\x00")
    assert "tokenizer.json" in refusal(damaged)


def test_a_vocabulary_that_is_none(folder: Path, tmp_path: Path) -> None:
    words = json.loads((folder / "vocab.json").read_text())
    vocabulary, merges = tmp_path / "vocab.json", tmp_path / "merges.txt"
    vocabulary.write_text(json.dumps(words))
    assert "merges.txt" in refusal(tmp_path)
    merges.write_text("one two three\n")
    assert "damaged" in refusal(tmp_path)
    merges.write_text("qq zz\n")
    assert "belong together" in refusal(tmp_path)
    shutil.copy(folder / "merges.txt", merges)
    for bad in ({"a": "b"}, ["a"], {name: place for name, place in words.items() if name != "</s>"}):
        vocabulary.write_text(json.dumps(bad))
        assert "vocab.json" in refusal(tmp_path)


def test_a_tokenizer_that_the_tower_would_not_understand(folder: Path) -> None:
    small = TextTowerConfig(vocab_size=100, width=32, layers=3, heads=4, inner_width=64, most_positions=80)
    assert "100" in refusal(folder, small)
    shifted = TextTowerConfig(
        vocab_size=400, width=32, layers=3, heads=4, inner_width=64, most_positions=90, padding_id=0
    )
    assert "<pad>" in refusal(folder, shifted)
    document = json.loads((folder / "tokenizer.json").read_text())
    document["post_processor"] = None
    with pytest.raises(InputError, match="<s>"):
        tokenizer_from_json(json.dumps(document), folder, TOWER)
