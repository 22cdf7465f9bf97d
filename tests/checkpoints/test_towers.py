"""Texts and pictures become the vectors that transformers makes of them, nothing of them is left out, and bad folders are
refused in one sentence."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_towers import tiny_clip, tiny_sentences, tiny_siglip
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer, CLIPModel, CLIPProcessor, SiglipModel

from reelscore.checkpoints import describe
from reelscore.checkpoints.manners import said_plainly
from reelscore.checkpoints.pooling import POOLINGS
from reelscore.checkpoints.towers import PictureWords, Sentences, open_clip, open_sentences, seam, views
from reelscore.errors import InputError, MissingError
from reelscore.hardware import Hardware

CPU = Hardware(device="cpu", precision="float32")
SHORT = ("Calm piano.", "A woman walks along a quiet beach at dusk.", "", "driving drums, bass and brass", "YES")


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def clip(clip_folder: Path) -> PictureWords:
    return open_clip(str(clip_folder), CPU)


@pytest.fixture(scope="module")
def sentences_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sentences(tmp_path_factory.mktemp("sentences"))


@pytest.fixture(scope="module")
def sentences(sentences_folder: Path) -> Sentences:
    return open_sentences(str(sentences_folder), CPU)


def pictures(count: int, height: int = 48, width: int = 48, seed: int = 0) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8))


def unit(vectors: torch.Tensor) -> np.ndarray:
    return normalize(vectors, dim=-1).numpy()


def close(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return ours.dtype == np.float32 and ours.shape == theirs.shape and bool(np.allclose(ours, theirs, atol=2e-6))


# The vectors


@torch.inference_mode()
@pytest.mark.parametrize("as_first_published", [False, True])
def test_clip_sees_and_reads_as_transformers_does(tmp_path: Path, as_first_published: bool) -> None:
    folder = tiny_clip(tmp_path, as_first_published=as_first_published)
    theirs, processor = CLIPModel.from_pretrained(folder), CLIPProcessor.from_pretrained(folder, backend="pil")
    ours = open_clip(str(folder), CPU)
    words = processor(text=list(SHORT), padding=True, return_tensors="pt")
    assert close(ours.texts(SHORT), unit(theirs.get_text_features(**words).pooler_output))
    shown = [*pictures(3), *pictures(1, 32, 32), *pictures(1, 200, 200)]
    pixels = processor(images=shown, return_tensors="pt")
    assert close(ours.pictures(shown), unit(theirs.get_image_features(**pixels).pooler_output))


@torch.inference_mode()
def test_siglip_reads_small_letters_filled_up_to_its_length(tmp_path: Path) -> None:
    folder = tiny_siglip(tmp_path)
    theirs, tokenizer = SiglipModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    ours = open_clip(str(folder), CPU)
    small = [text.lower() for text in SHORT]
    ids = tokenizer(small, padding="max_length", max_length=16, return_tensors="pt")["input_ids"]
    assert close(ours.texts(SHORT), unit(theirs.get_text_features(ids).pooler_output))
    assert ours.pictures(pictures(2)).shape == (2, 32)


def pooled(folder: Path, texts: list[str], pool: Callable[[torch.Tensor], torch.Tensor]) -> np.ndarray:
    """The vectors of texts, each read alone and pooled by hand."""
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    rows = []
    with torch.inference_mode():
        for text in texts:
            ids = torch.tensor([tokenizer(text, truncation=False, padding=False)["input_ids"]])
            rows.append(pool(model(ids).last_hidden_state[0]))
    return unit(torch.stack(rows))


@pytest.mark.parametrize(
    ("pooling", "by_hand"),
    [
        ("mean", lambda hidden: hidden.mean(0)),
        ("mean_sqrt_len", lambda hidden: hidden.mean(0)),
        ("cls", lambda hidden: hidden[0]),
        ("max", lambda hidden: hidden.amax(0)),
        ("lasttoken", lambda hidden: hidden[-1]),
    ],
)
@pytest.mark.parametrize("normalised", [True, False])
def test_sentences_are_pooled_as_their_folder_says(
    tmp_path: Path, pooling: str, by_hand: Callable[[torch.Tensor], torch.Tensor], normalised: bool
) -> None:
    folder = tiny_sentences(tmp_path, pooling=pooling, normalised=normalised)
    assert close(open_sentences(str(folder), CPU).texts(SHORT), pooled(folder, list(SHORT), by_hand))


def test_filling_up_counts_for_nothing_on_either_side() -> None:
    hidden = torch.tensor([[9.0, -3.0, -2.0, -1.0], [-3.0, -2.0, -1.0, 9.0]])[:, :, None]
    mask = torch.tensor([[0, 1, 1, 1], [1, 1, 1, 0]])
    found = {name: pool(hidden, mask).flatten().tolist() for name, pool in POOLINGS.items()}
    assert found == {
        "mean": [-2, -2],
        "mean_sqrt_len": [-2, -2],
        "cls": [-3, -3],
        "max": [-1, -1],
        "lasttoken": [-1, -1],
    }


def test_small_letters_are_given_where_the_folder_says_so(tmp_path: Path) -> None:
    folder = tiny_sentences(tmp_path / "m", cased=True)
    small, great = open_sentences(str(folder), CPU).texts(["yes", "YES"])
    assert np.array_equal(small, great)
    shutil.copytree(folder, tmp_path / "as-it-is")
    update("sentence_bert_config.json", do_lower_case=False)(tmp_path / "as-it-is")
    small, great = open_sentences(str(tmp_path / "as-it-is"), CPU).texts(["yes", "YES"])
    assert not np.allclose(small, great, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "longest"),
    [
        (lambda folder: (folder / "sentence_bert_config.json").rename(folder / "sentence_mpnet_config.json"), 24),
        (lambda folder: (folder / "sentence_bert_config.json").unlink(), 62),
        (lambda folder: (folder / "sentence_bert_config.json").write_text('{"max_seq_length": null}'), 62),
        (lambda folder: (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 64}'), 64),
        (lambda folder: (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 4096}'), 64),
    ],
)
def test_as_much_is_read_at_once_as_the_folder_says_and_the_network_can(
    sentences_folder: Path, tmp_path: Path, change: Callable[[Path], object], longest: int
) -> None:
    folder = Path(shutil.copytree(sentences_folder, tmp_path / "m"))
    change(folder)
    just = "beach " * (longest - 2)
    ours = open_sentences(str(folder), CPU)
    assert close(ours.texts([just]), pooled(folder, [just], lambda hidden: hidden.mean(0)))
    half = ours.texts(["beach " * (longest // 2)])
    assert np.allclose(ours.texts(["beach " * (longest // 2 * 2)]), half, atol=2e-6)


def test_newer_folders_name_their_pooling(tmp_path: Path) -> None:
    folder = tiny_sentences(tmp_path, pooling="max")
    (folder / "1_Pooling" / "config.json").write_text('{"embedding_dimension": 32, "pooling_mode": "cls"}')
    assert close(open_sentences(str(folder), CPU).texts(SHORT), pooled(folder, list(SHORT), lambda hidden: hidden[0]))


def test_a_network_in_a_folder_of_its_own_is_found(tmp_path: Path, sentences: Sentences) -> None:
    folder = tiny_sentences(tmp_path)
    (folder / "0_Transformer").mkdir()
    for path in [path for path in folder.iterdir() if path.is_file() and path.name != "modules.json"]:
        path.rename(folder / "0_Transformer" / path.name)
    steps = json.loads((folder / "modules.json").read_text())
    steps[0]["path"] = "0_Transformer"
    (folder / "modules.json").write_text(json.dumps(steps))
    assert np.array_equal(open_sentences(str(folder), CPU).texts(SHORT), sentences.texts(SHORT))


def test_vectors_keep_the_order_of_what_was_given_and_are_the_same_alone(
    clip: PictureWords, sentences: Sentences
) -> None:
    texts = [f"{word} " * (1 + 7 * number % 11) for number, word in enumerate(["piano", "drums", "beach", "dusk"] * 20)]
    for model in (clip, sentences):
        together = model.texts(texts)
        assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
        assert np.allclose(together, np.concatenate([model.texts([text]) for text in texts]), atol=2e-6)
    shown = [picture for size in (32, 40, 90) for picture in pictures(7, 32, size, size)]
    alone = np.concatenate([clip.pictures([picture]) for picture in shown])
    assert np.allclose(clip.pictures(shown), alone, atol=2e-6)
    assert clip.texts([]).shape == clip.pictures([]).shape == (0, 24) and sentences.texts([]).shape == (0, 32)


def test_half_letters_do_no_harm(clip: PictureWords) -> None:
    assert np.array_equal(clip.texts(["calm \udcff piano"]), clip.texts(["calm ? piano"]))


def test_numbers_of_lower_precision_come_out_as_float32(clip_folder: Path, clip: PictureWords) -> None:
    rough = open_clip(str(clip_folder), Hardware(device="cpu", precision="bf16"))
    likeness = (rough.texts(SHORT) * clip.texts(SHORT)).sum(1)
    assert rough.texts(SHORT).dtype == np.float32 and likeness.min() > 0.98 and likeness.min() < 0.999999


# Nothing is left out


@pytest.mark.parametrize("name", ["clip", "sentences"])
def test_a_long_text_stands_for_the_mean_of_its_parts_by_their_length(
    name: str, request: pytest.FixtureRequest, clip_folder: Path, sentences_folder: Path
) -> None:
    model = request.getfixturevalue(name)
    tokenizer = AutoTokenizer.from_pretrained(clip_folder if name == "clip" else sentences_folder)
    longest = 77 if name == "clip" else 24

    def tokens(text: str) -> int:
        return len(tokenizer(text, truncation=False, padding=False)["input_ids"])

    said = ("A woman walks along.", "Two boys run so fast.")
    copies = max(n for n in range(40) if all(tokens(" ".join([one] * n)) <= longest for one in said))
    halves = [" ".join([one] * copies) for one in said]
    lengths = [tokens(half) for half in halves]
    assert max(lengths) <= longest < tokens(" ".join(halves)) and lengths[0] != lengths[1]
    parts = model.texts(halves)
    mean = (np.array(lengths)[:, None] * parts).sum(0)
    assert np.allclose(model.texts([" ".join(halves)])[0], mean / np.linalg.norm(mean), atol=2e-6)


def test_the_last_word_of_a_long_text_counts(clip: PictureWords, sentences: Sentences) -> None:
    long = "A woman walks along a quiet beach at dusk while the waves come in slowly. " * 20
    for model in (clip, sentences):
        one, other, again = model.texts([long + "piano", long + "drums", long + "piano"])
        assert not np.allclose(one, other, atol=1e-4) and np.allclose(one, again, atol=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "夕暮れの静かな浜辺を女性が歩く" * 12,
        "x" * 900,
        "a,b,c," * 80,
        "\n" * 300 + "calm" * 200,
        " " * 5000,
        "a" + " " * 900 + ".",
    ],
)
def test_texts_without_sentences_or_words_are_read_as_well(text: str, clip: PictureWords) -> None:
    (vector,) = clip.texts([text])
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One two three. Four five six seven.", "One two three. "),
        ("A long way to go. Then here! And more of it, as ever.", "A long way to go. Then here! "),
        ("one two three four five six", "one two three "),
        ("静かな海。波の音がする。", "静かな海。"),
        ("only,commas,in,here", "only,commas,"),
        ("abcdefgh", "abcd"),
        ("Hm. and then nothing but words to the end", "Hm. and then nothing "),
    ],
)
def test_where_a_text_is_cut(text: str, first: str) -> None:
    assert text[: seam(text)] == first


@pytest.mark.parametrize(
    ("height", "width", "count"),
    [
        (90, 90, 1),
        (90, 98, 1),
        (98, 90, 1),
        (480, 640, 2),
        (90, 160, 3),
        (160, 90, 3),
        (360, 858, 3),
        (16, 1024, 5),
        (1, 1, 1),
        (1024, 16, 5),
        (2, 3, 2),
    ],
)
def test_the_views_of_a_picture_are_squares_that_cover_it(height: int, width: int, count: int) -> None:
    places = np.arange(height * width, dtype=np.uint32).view(np.uint8).reshape(height, width, 4)
    shown = views(places)
    assert len(shown) == count
    seen = np.concatenate([np.ascontiguousarray(view).view(np.uint32).ravel() for view in shown])
    assert np.array_equal(np.unique(seen), np.arange(height * width))
    if 1 < max(height, width) / min(height, width) <= 5 and count > 1:
        assert {view.shape[:2] for view in shown} == {(min(height, width),) * 2}


@pytest.mark.parametrize("turned", [False, True])
def test_the_sides_of_a_film_count_and_a_wide_picture_is_the_mean_of_its_views(
    clip: PictureWords, turned: bool
) -> None:
    (wide,) = pictures(1, 90, 160)
    other = wide.copy()
    other[:, :30] = 255 - other[:, :30]  # outside of the square in the middle
    if turned:
        wide, other = wide.swapaxes(0, 1), other.swapaxes(0, 1)
    assert not np.allclose(*clip.pictures([wide, other]), atol=1e-4)
    mean = clip.pictures(views(wide)).sum(0)
    assert np.allclose(clip.pictures([wide])[0], mean / np.linalg.norm(mean), atol=2e-6)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3), (4, 4, 3)])
def test_what_is_no_picture_is_our_own_mistake(clip: PictureWords, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no picture"):
        clip.pictures([np.zeros(shape, np.float32 if shape == (4, 4, 3) else np.uint8)])


# Keys, and models that stay


def test_the_key_tells_weights_and_settings_and_not_places(clip_folder: Path, tmp_path: Path) -> None:
    keys = {open_clip(str(clip_folder), CPU).key}
    shutil.copytree(clip_folder, tmp_path / "copy")
    assert open_clip(str(tmp_path / "copy"), CPU).key in keys
    keys.add(open_clip(str(tiny_clip(tmp_path / "other", seed=1)), CPU).key)
    for pooling in ("mean", "max"):
        keys.add(open_sentences(str(tiny_sentences(tmp_path / pooling, pooling=pooling)), CPU).key)
    weights = load_file(tmp_path / "copy" / "model.safetensors")
    weights["logit_scale"] += 1e-3
    shutil.copytree(clip_folder, tmp_path / "tuned")
    save_file(weights, tmp_path / "tuned" / "model.safetensors", {"format": "pt"})
    keys.add(open_clip(str(tmp_path / "tuned"), CPU).key)
    assert len(keys) == 5


def test_a_model_is_loaded_once(clip_folder: Path, clip: PictureWords) -> None:
    assert open_clip(str(clip_folder), CPU) is clip and clip.name == str(clip_folder)


def test_nothing_asks_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    open_clip(str(tiny_clip(tmp_path / "clip")), CPU).texts(SHORT)
    open_sentences(str(tiny_sentences(tmp_path / "sentences")), CPU).texts(SHORT)
    with pytest.raises(MissingError, match=r"0\.6 GB; MIT .* reelscore models get clip-vit-base-patch32"):
        open_clip("clip-vit-base-patch32", CPU)
    with pytest.raises(MissingError, match="reelscore models get all-minilm-l6-v2"):
        open_sentences("sentence-transformers/all-MiniLM-L6-v2", CPU)


def test_what_a_folder_holds_in_words(clip_folder: Path, sentences_folder: Path) -> None:
    told = describe(clip_folder).as_dict()
    model = CLIPModel.from_pretrained(clip_folder)
    counts = {
        part: sum(weight.numel() for name, weight in model.named_parameters() if name.startswith(starts))
        for part, starts in (("words", "text_"), ("pictures", ("vision_", "visual_")))
    }
    assert told["form"] == "CLIP or SigLIP"
    assert told["parameters"] == {**counts, "other": 1, "all": sum(counts.values()) + 1}
    told = describe(sentences_folder).as_dict()
    assert told["form"] == "model of sentences" and list(told["parameters"]) == ["embeddings", "layers", "other", "all"]


def test_opening_nothing_loads_nothing() -> None:
    code = (
        "import sys\nfrom reelscore.checkpoints.towers import open_clip\n"
        "print([name for name in ('torch', 'transformers', 'huggingface_hub') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# What is wrong with a folder


def write(name: str, content: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")

    return change


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def update(name: str, **changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        document = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps(document | changes), encoding="utf-8")

    return change


def reweigh(change: Callable[[dict[str, torch.Tensor]], None]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors", {"format": "pt"})

    return changed


def cut(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:200])


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def reword(folder: Path) -> None:
    """Gives it a tokenizer that knows more words than the model."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"word{number}" for number in range(40)])
    tokenizer.save_pretrained(folder)


EITHER = [
    (remove("config.json"), "no config.json"),
    (write("config.json", "{"), "cannot be used as a model of"),
    (write("config.json", []), "cannot be used as a model of"),
    (write("config.json", {"model_type": "no-such"}), "cannot be used as a model of"),
    (write("config.json", {"model_type": "x", "auto_map": {"AutoConfig": "code.C"}}), "cannot be used as a model of"),
    (remove("tokenizer.json"), "has no tokenizer for its words"),
    (reword, "has no tokenizer for its words"),
    (write("tokenizer.json", "{}"), "cannot be used as a model of"),
    (update("tokenizer.json", post_processor={"type": "TemplateProcessing"}), "cannot be used as a model of"),
    (cut("model.safetensors"), "cannot be used as a model of"),
    (pickled, "no weights as safetensors; pickles are not loaded"),
    (update("tokenizer_config.json", model_max_length=3), "reads 3 tokens"),
]
ONLY_CLIP = [
    (remove("preprocessor_config.json"), "cannot be used as a model of pictures and words"),
    (write("preprocessor_config.json", {"image_processor_type": "NoSuch"}), "cannot be used as a model of pictures"),
    (write("config.json", {"model_type": "bert"}), "does not compare pictures with words; give a CLIP or a SigLIP"),
    (reweigh(lambda weights: weights.pop("visual_projection.weight")), r"lacks 1 of its weights \(visual_projection"),
]
ONLY_SENTENCES = [
    (remove("modules.json"), "does not say how it makes one vector of a text"),
    (write("modules.json", "nothing"), "is not valid JSON"),
    (write("modules.json", {"a": 1}), "is no list of steps"),
    (write("modules.json", []), "makes its vectors by no step"),
    (
        write(
            "modules.json", [{"type": "a.Transformer"}, {"type": "a.Pooling", "path": "1_Pooling"}, {"type": "a.Dense"}]
        ),
        "by Transformer, Pooling, Dense; only",
    ),
    (write("modules.json", [{"type": "Transformer", "path": "../x"}, {"type": "Pooling"}]), "leads out of its folder"),
    (remove("1_Pooling/config.json"), "does not say how it pools"),
    (write("1_Pooling/config.json", "[]"), "pools by nothing, which is not known here"),
    (write("1_Pooling/config.json", {"pooling_mode": "weightedmean"}), "pools by weightedmean, which is not known"),
    (write("1_Pooling/config.json", {"pooling_mode": ["cls", "max"]}), "pools by cls and max, which"),
    (update("1_Pooling/config.json", pooling_mode_max_tokens=True), "pools by mean and max, which"),
    (update("sentence_bert_config.json", max_seq_length=-4), "reads -4 tokens"),
    (write("config.json", {"model_type": "t5"}), "'t5', which answers; give one that only reads"),
    (reweigh(lambda weights: weights.pop("embeddings.LayerNorm.weight")), "lacks 1 of its weights"),
]


@pytest.mark.parametrize(("change", "said"), [*EITHER, *ONLY_CLIP])
def test_a_clip_that_cannot_be_used_is_refused_in_a_sentence(
    change: Callable[[Path], None], said: str, clip_folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(clip_folder, tmp_path / "m"))
    change(folder)
    with pytest.raises(InputError, match=said) as refused:
        open_clip(str(folder), CPU)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("change", "said"), [*EITHER, *ONLY_SENTENCES])
def test_sentences_that_cannot_be_used_are_refused_in_a_sentence(
    change: Callable[[Path], None], said: str, sentences_folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(sentences_folder, tmp_path / "m"))
    change(folder)
    with pytest.raises(InputError, match=said) as refused:
        open_sentences(str(folder), CPU)
    assert "\n" not in str(refused.value)


def test_the_pooler_of_bert_is_not_missed(sentences_folder: Path, sentences: Sentences, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sentences_folder, tmp_path / "m"))
    reweigh(lambda weights: [weights.pop(f"pooler.dense.{part}") for part in ("weight", "bias")])(folder)  # type: ignore[arg-type,func-returns-value]
    assert np.array_equal(open_sentences(str(folder), CPU).texts(SHORT), sentences.texts(SHORT))


def test_weights_that_make_no_numbers_are_told(clip_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(clip_folder, tmp_path / "m"))
    reweigh(lambda weights: weights["text_projection.weight"].fill_(torch.nan))(folder)  # type: ignore[arg-type,return-value]
    with pytest.raises(InputError, match="make no numbers"):
        open_clip(str(folder), CPU).texts(["calm"])


def test_models_of_another_kind_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="give one of clip-vit-base-patch32, clip-vit-large-patch14, or a folder"):
        open_clip("all-minilm-l6-v2", CPU)
    with pytest.raises(InputError, match=r"'pictures and words' and not 'sentences'"):
        open_sentences("clip-vit-large-patch14", CPU)
    with pytest.raises(InputError, match="id of the Hub"):
        open_sentences("", CPU)


# How models of others are treated


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (ValueError("no good.\nmore lines"), r"^m cannot be used as a captioner \(no good\); fetch it anew"),
        (KeyError(), r"^m cannot be used as a captioner \(KeyError\)"),
        (Exception("Error while initializing BPE"), r"^m cannot be used as a captioner \(Error while init"),
        (MemoryError(), "^The memory is too small for the captioner m"),
    ],
)
def test_what_files_of_others_lead_to_is_one_sentence(problem: Exception, said: str) -> None:
    with pytest.raises(InputError, match=said), said_plainly("m", "captioner"):
        raise problem


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), MissingError("not here"), type("OurOwn", (Exception,), {})()])
def test_what_is_no_fault_of_a_file_goes_through(problem: BaseException) -> None:
    with pytest.raises(type(problem)), said_plainly("m", "captioner"):
        raise problem
