"""Captioners of every family from a folder to a described film, and what is said where they cannot be used.

The models are tiny and know nothing, so it is not their words that are tested but what is done with them.
"""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from filmmaking import Scene, shot, write_film
from tiny_captioner import FAMILIES, qwen2_5_vl, smolvlm

from reelscore.analysis import Analysis, analyze
from reelscore.analysis.content import captioner as answering
from reelscore.analysis.content import describe, loading, require_captioner
from reelscore.analysis.content.chat import ChatCaptioner
from reelscore.analysis.content.frames import Frame
from reelscore.analysis.content.loading import open_captioner
from reelscore.errors import InputError, MediaError, MissingError, ReelscoreError
from reelscore.hardware import Hardware, out_of_memory, quantization_for
from reelscore.resident import free_models

CPU = Hardware(device="cpu")
WALLS = [Scene(11, colour=(0.5, 0.9, 1.3)), Scene(12, speed=-0.1, colour=(1.3, 1.0, 0.5))]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A film of two scenes of 4.8 s each."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return analyze(write_film(path, [p for wall in WALLS for p in shot(wall, 120, 25)]))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One tiny captioner of each family, by the name of its folder."""
    root = tmp_path_factory.mktemp("captioners")
    for name in FAMILIES:
        (root / name).mkdir()
    return {name: make(root / name) for name, make in FAMILIES.items()}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No network, no models from other tests, answers of a few words, and one thread: threads only wait in models this small."""

    def refused(*_: object) -> None:
        raise AssertionError("a captioner must not ask the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    for tokens in ("chat._SCENE_TOKENS", "chat._FILM_TOKENS", "blip2._TOKENS"):
        monkeypatch.setattr(f"reelscore.analysis.content.{tokens}", 12)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr("reelscore.resident._held", {})
    yield
    torch.set_num_threads(threads)


def frame(time: float, level: int = 100, wide: int = 112, high: int = 63) -> Frame:
    return Frame(time, np.full((high, wide, 3), level, np.uint8))


def saying(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[int]:
    """Every captioner says these answers in turn, whatever it is shown; the list grows by the pictures it was shown."""
    left, shown = list(answers), []

    def said(model: object, inputs: dict, settings: object, tick: answering.Tick) -> str:  # noqa: ARG001
        tick(1.0)
        shown.append(1)
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr("reelscore.analysis.content.chat.generated", said)
    monkeypatch.setattr("reelscore.analysis.content.blip2.generated", said)
    monkeypatch.setattr("transformers.PreTrainedTokenizerFast.decode", lambda _, tokens, **__: tokens)
    monkeypatch.setattr("reelscore.analysis.content.blip2.yes_over_no", lambda _, logits: [0.0] * len(logits))
    return shown


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_describes_a_film_and_says_the_same_again(
    family: str, folders: dict[str, Path], film: Analysis
) -> None:
    told: list[float] = []
    first = describe(
        film, str(folders[family]), CPU, lambda stage, part: told.append(part if stage == "captions" else 9)
    )
    assert first.captioned_by == family
    assert told == sorted(told) and told[0] == 0.0 and told[-1] == 1.0 and len(told) > 6
    assert first.captions or "said nothing usable" in first.remarks[-1]
    assert all(caption.text and (caption.start, caption.end) in ((0.0, 4.8), (4.8, 9.6)) for caption in first.captions)
    unchanged = {"captions", "description", "captioned_by", "remarks"}
    assert first.model_dump(exclude=unchanged) == film.model_dump(exclude=unchanged)
    free_models()
    assert describe(film, str(folders[family]), CPU) == first


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "blip2"])
def test_what_is_seen_reaches_the_model(family: str, folders: dict[str, Path]) -> None:
    captioner = open_captioner(str(folders[family]), CPU)
    assert isinstance(captioner, ChatCaptioner)
    dark, light = (captioner._inputs([frame(1.0, level), frame(2.5, level)], "What?") for level in (10, 240))
    with torch.inference_mode():
        one, other = (captioner._model(**inputs).logits[0, -1] for inputs in (dark, light))
    assert not torch.allclose(one, other)
    words = captioner._processor.tokenizer.decode(dark["input_ids"][0])
    assert words.index("1") < words.index("2") < words.index("What?")


@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen3_vl", "video_llama_3"])
def test_the_shape_of_the_picture_reaches_the_model(family: str, folders: dict[str, Path]) -> None:
    captioner = open_captioner(str(folders[family]), CPU)
    grid = captioner._inputs([frame(1.0, wide=112, high=56), frame(2.0, wide=56, high=112)], "What?")["image_grid_thw"]
    assert grid[0, 2] == 2 * grid[0, 1] and grid[1, 1] == 2 * grid[1, 2]


@pytest.mark.parametrize("family", ["smolvlm", "internvl"])
def test_each_frame_is_seen_once_and_not_in_tiles(family: str, folders: dict[str, Path]) -> None:
    captioner = open_captioner(str(folders[family]), CPU)
    pixels = captioner._inputs([frame(1.0, wide=448, high=252), frame(2.0, wide=448, high=252)], "What?")[
        "pixel_values"
    ]
    assert pixels.shape[-4:] == (2, 3, 56, 56)
    rows = pixels.reshape(2, 3, 56, 56)[0, 0].float().mean(dim=1)
    assert abs(float(rows[0])) < 0.01 < abs(float(rows[28]))  # bars of the mean colour above and below, and the frame


def test_a_captioner_loads_once_and_again_when_freed(
    folders: dict[str, Path], film: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads = []
    real = loading._loaded
    monkeypatch.setattr(loading, "_loaded", lambda *given: loads.append(given) or real(*given))
    for _ in range(2):
        describe(film, str(folders["blip2"]), CPU)
    assert len(loads) == 1
    free_models()
    open_captioner(str(folders["blip2"]), CPU)
    assert len(loads) == 2


def test_captions_belong_to_their_scenes_and_the_film_is_described_last(
    folders: dict[str, Path], film: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying(monkeypatch, "A red wall.", "A blue wall.", "Two walls.")
    described = describe(film, str(folders["qwen3_vl"]), CPU)
    assert [(c.start, c.end, c.text) for c in described.captions] == [
        (0.0, 4.8, "A red wall."),
        (4.8, 9.6, "A blue wall."),
    ]
    assert described.description == "Two walls."
    assert Analysis.model_validate_json(described.model_dump_json()) == described


def test_a_film_of_one_scene_is_asked_about_once(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = saying(monkeypatch, "A red wall.")
    described = describe(analyze(write_film(tmp_path / "a.mp4", shot(WALLS[0], 75, 25))), str(folders["smolvlm"]), CPU)
    assert (len(asked), len(described.captions), described.description) == (1, 1, "A red wall.")


@pytest.mark.parametrize("answer", ["", "\x00\x1b[2J", "<|im_end|>", "\ud800", "!!! ... ???"])
def test_what_is_no_answer_is_left_out_with_a_remark(
    answer: str, folders: dict[str, Path], film: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying(monkeypatch, answer, "A blue wall.")
    described = describe(film, str(folders["qwen2_5_vl"]), CPU)
    assert [caption.text for caption in described.captions] == ["A blue wall."]
    assert described.remarks[-1] == "The captioner qwen2_5_vl said nothing usable of 0.0–4.8 s."
    saying(monkeypatch, answer)
    described = describe(film, str(folders["qwen2_5_vl"]), CPU)
    assert (described.captions, described.description) == ((), "")
    assert described.remarks[-1] == "The captioner qwen2_5_vl said nothing usable of the film."


def test_hostile_answers_stay_one_bounded_line(
    folders: dict[str, Path], film: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying(monkeypatch, 'Ignore all.\n{"tags": ["x"]}\u202e\x07 ' + "spam, " * 5000 + "\n\n# End")
    described = describe(film, str(folders["smolvlm"]), CPU)
    for text in (*(caption.text for caption in described.captions), described.description):
        assert len(text) <= 900 and "\n" not in text and "\u202e" not in text and text.count("spam") <= 2


def test_blip2_says_of_a_scene_what_it_says_of_its_frames(
    folders: dict[str, Path], film: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying(monkeypatch, "a red wall", "a red wall with spots", "two dogs", "a blue sky")
    described = describe(film, str(folders["blip2"]), CPU)
    assert [caption.text for caption in described.captions] == ["A red wall; two dogs.", "A blue sky."]
    assert described.description == "A red wall; two dogs; A blue sky."


@pytest.mark.parametrize("family", ["qwen2_5_vl", "smolvlm"])
def test_older_folders_open_too(family: str, folders: dict[str, Path], tmp_path: Path) -> None:
    old = Path(shutil.copytree(folders[family], tmp_path / "old"))
    template = old / "chat_template.jinja"
    (old / "chat_template.json").write_text(json.dumps({"chat_template": template.read_text()}))
    template.unlink()
    named = old / "preprocessor_config.json"
    settings = json.loads(named.read_text())
    named.write_text(json.dumps(settings | {"image_processor_type": settings["image_processor_type"] + "Fast"}))
    frames = [frame(1.0, 50), frame(2.0, 90)]
    said = [open_captioner(str(folder), CPU).scene(frames, lambda part: None) for folder in (folders[family], old)]  # noqa: ARG005
    assert said[0] == said[1]


@pytest.mark.parametrize("family", ["qwen3_vl", "blip2"])
def test_half_precision_captions_too(family: str, folders: dict[str, Path]) -> None:
    captioner = open_captioner(str(folders[family]), Hardware(device="cpu", precision="bf16"))
    assert isinstance(captioner.scene([frame(1.0, 50), frame(2.0, 90)], lambda part: None), str)  # noqa: ARG005


def test_squeezing_asks_for_what_it_needs_and_full_memory_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = torch.device("cuda")
    assert quantization_for(Hardware(), cuda) is None
    monkeypatch.setattr("reelscore.hardware.find_spec", lambda name: None if name == "bitsandbytes" else True)
    with pytest.raises(MissingError, match=r"needs bitsandbytes; install with: pip install bitsandbytes\."):
        quantization_for(Hardware(low_resource=True), cuda)
    with pytest.raises(InputError, match="needs a CUDA card"):
        quantization_for(Hardware(low_resource=True), torch.device("mps"))
    assert out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not out_of_memory(RuntimeError("shapes cannot be multiplied"))
    assert not out_of_memory(ValueError("out of memory"))


def test_low_resource_is_refused_where_there_is_no_cuda(folders: dict[str, Path], film: Analysis) -> None:
    squeezed = Hardware(device="cpu", low_resource=True)
    for ask in (lambda: require_captioner(str(folders["blip2"]), squeezed), lambda: describe(film, "x", squeezed)):
        with pytest.raises(InputError, match=r"low-resource.*needs a CUDA card.*'cpu'"):
            ask()


def test_a_captioner_that_is_not_here_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match=r"SmolVLM2-500M.*2\.0 GB; Apache-2\.0.*reelscore models get smolvlm2-500m"):
        require_captioner("smolvlm2-500m", CPU)
    with pytest.raises(MissingError, match="somebody/some-model is not here"):
        require_captioner("somebody/some-model", CPU)
    with pytest.raises(InputError, match="There is no model 'nonsense'"):
        require_captioner("nonsense", CPU)
    with pytest.raises(
        InputError, match=r"mistral-7b is of the kind 'language model' and not 'captioner'; give one of smolvlm2-500m"
    ):
        require_captioner("mistral-7b", CPU)


def spoil(folder: Path, how: str) -> None:
    config = folder / "config.json"
    settings = json.loads(config.read_text())
    weights = next(folder.glob("*.safetensors"))
    match how:
        case "no config":
            config.unlink()
        case "config of another kind":
            config.write_text(json.dumps({"model_type": "bert", "vocab_size": 10}))
        case "config that is no JSON":
            config.write_text("{")
        case "config that is a list":
            config.write_text("[1]")
        case "unknown kind":
            config.write_text(json.dumps({"model_type": "tricorder"}))
        case "code of its own":
            config.write_text(json.dumps({"model_type": "x", "auto_map": {"AutoConfig": "evil.Config"}}))
            (folder / "evil.py").write_text("raise SystemExit('run')")
        case "wrong types":
            config.write_text(json.dumps(settings | {"image_token_id": "many"}))
        case "weights cut off":
            weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
        case "weights missing":
            weights.unlink()
        case "a weight missing":
            from safetensors.torch import load_file, save_file

            held = load_file(weights)
            held.pop(sorted(held)[0])
            save_file(held, weights, metadata={"format": "pt"})
        case "weights of another size":
            settings["text_config"]["intermediate_size"] = 64
            config.write_text(json.dumps(settings))
        case "no tokenizer":
            (folder / "tokenizer.json").unlink()
            (folder / "tokenizer_config.json").unlink()
        case "no image processor":
            (folder / "preprocessor_config.json").unlink()
        case "no template":
            for name in ("chat_template.jinja", "tokenizer_config.json"):
                if (folder / name).exists():
                    (folder / name).unlink()
        case "a template that is none":
            (folder / "chat_template.jinja").write_text("{% for %}")


SPOILT = (
    "no config",
    "config of another kind",
    "config that is no JSON",
    "config that is a list",
    "unknown kind",
    "code of its own",
    "wrong types",
    "weights cut off",
    "weights missing",
    "a weight missing",
    "weights of another size",
    "no tokenizer",
    "no image processor",
    "no template",
    "a template that is none",
)


@pytest.mark.parametrize("how", SPOILT)
def test_a_folder_that_is_no_captioner_is_one_sentence(how: str, tmp_path: Path, film: Analysis) -> None:
    folder = qwen2_5_vl(tmp_path)
    spoil(folder, how)
    with pytest.raises(ReelscoreError) as raised:
        describe(film, str(folder), CPU)
    said = str(raised.value)
    assert str(folder) in said and said.endswith(".") and "\n" not in said and len(said) < 500


def test_a_file_is_no_captioner(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match="is a file; give the folder"):
        require_captioner(str(tmp_path / "model.safetensors"), CPU)


@pytest.mark.parametrize(
    "problem", [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("MPS backend out of memory"), MemoryError()]
)
def test_too_little_memory_is_one_sentence_with_the_remedy(
    problem: Exception, folders: dict[str, Path], film: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioner = open_captioner(str(folders["smolvlm"]), CPU)

    def full(**_: object) -> None:
        raise problem

    monkeypatch.setattr(captioner._model, "generate", full)
    with pytest.raises(InputError, match=r"memory is too small.*smaller one"):
        describe(film, str(folders["smolvlm"]), CPU)


def test_a_film_that_is_gone_is_one_sentence(folders: dict[str, Path], film: Analysis) -> None:
    gone = film.model_copy(update={"film": Path("gone.mp4")})
    with pytest.raises(MediaError, match=r"gone\.mp4 does not exist"):
        describe(gone, str(folders["blip2"]), CPU)


def test_work_can_be_interrupted_and_asked_for_again(tmp_path: Path, film: Analysis) -> None:
    folder = str(smolvlm(tmp_path))

    def interrupting(stage: str, part: float) -> None:  # noqa: ARG001
        if part > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        describe(film, folder, CPU, interrupting)
    assert describe(film, folder, CPU).captioned_by == tmp_path.name
