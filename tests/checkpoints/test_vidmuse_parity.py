"""VidMuse gives the published tokens, and the check that says so reads everything from the files and lets nothing wrong pass."""

import json
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmark.parity import __main__ as command
from benchmark.parity import vidmuse
from reelscore.brief import Brief
from reelscore.engines import Request
from reelscore.engines.vidmuse import Options
from reelscore.engines.vidmuse.footage import plan_for
from reelscore.engines.vidmuse.making import played, reach_of
from reelscore.errors import InputError
from reelscore.media import probe
from reelscore.models.packing import packed
from reelscore.progress import unseen
from reelscore.spotting import complete

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SALT = "b"
EXPECTED = """
    video_embedding logits greedy continued_from_2 continued_from_11 sampled sampled_continued_from_9 sampled_top_p0.9
    sampled_top_p0.9_continued_from_1 sampled_top_k20_temperature0.7_guidance1.5 film_31.windows film_31.tokens
"""


@pytest.fixture(scope="module")
def other() -> vidmuse.Fixture:
    """The stored outputs of other sizes and salt, and the model that should give them."""
    return vidmuse.read_vidmuse(FIXTURES / "vidmuse_other")


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fixture folder to spoil, with little to compare."""
    folder = tmp_path / "fixture"
    shutil.copytree(FIXTURES / "vidmuse_other", folder)
    shutil.copy(FIXTURES / "vidmuse" / "published_keys.txt", folder)
    few = ("frames.local", "frames.global", "video_embedding", "greedy", "continued_from_2")
    rewrite(folder, lambda tensors: {name: tensors[name] for name in few})
    return folder


def rewrite(folder: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]], salt: str = SALT) -> None:
    save_file(change(load_file(folder / "io.safetensors")), folder / "io.safetensors", {"salt": salt})


def with_tensor(fixture: vidmuse.Fixture, name: str, tensor: Tensor) -> vidmuse.Fixture:
    return replace(fixture, tensors={**fixture.tensors, name: tensor})


# --- parity -------------------------------------------------------------------------------------------------------------


def test_the_published_outputs(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["vidmuse", str(FIXTURES / "vidmuse")]) == 0
    said = capsys.readouterr().out
    told = [line.split()[0] for line in said.splitlines()[1:-2]]
    assert told == ["continued_from_8", "greedy", "logits", "video_embedding"]
    assert said.startswith("140 keys") and "852 published keys" in said and said.rstrip().endswith("\nparity")


@pytest.mark.parametrize("name", EXPECTED.split())
def test_other_sizes_sampled_tokens_and_a_whole_film(other: vidmuse.Fixture, name: str) -> None:
    assert vidmuse.check(other, name)


def test_every_tensor_is_expected(other: vidmuse.Fixture) -> None:
    assert vidmuse.expected(other) == sorted(EXPECTED.split())


def test_the_engine_plays_a_film_as_published(other: vidmuse.Fixture, tmp_path: Path) -> None:
    """From a file of video to tokens, on weights laid out for speed: the same pictures, windows and chance."""
    overall, theirs = other.tensors["film_31.frames.global"].shape[2], other.tensors["film_31.tokens"]
    path = filmed(tmp_path / "film.mkv", other.tensors["film_31.frames.local"][0])
    film, options = probe(path), Options(as_published=True)
    request = Request(complete(Brief(duration=31.0)), 7, options, film=path)
    model = deepcopy(other.model)
    packed(model.decoder)
    model.visual.config = replace(model.visual.config, global_frames=overall)
    plan = plan_for(film, 31.0, reach_of(model), as_published=True)
    codes = played(model, request, film, plan, [7], unseen)
    assert codes.shape == theirs.shape and bool((codes == theirs).all())


def filmed(path: Path, frames: Tensor) -> Path:
    """Frames (3, n, 7, 7), one pixel for every block of 32 x 32, as a lossless film of two pictures a second."""
    pictures = frames.permute(1, 2, 3, 0).repeat_interleave(32, 1).repeat_interleave(32, 2)
    with av.open(str(path), "w") as made:
        stream = made.add_stream("ffv1", rate=2)
        stream.width, stream.height, stream.pix_fmt = pictures.shape[2], pictures.shape[1], "bgr0"
        for number, picture in enumerate(pictures):
            shown = av.VideoFrame.from_ndarray(picture.numpy(), format="rgb24")
            shown.pts, shown.time_base = number, Fraction(1, 2)
            made.mux(stream.encode(shown))
        made.mux(stream.encode(None))
    return path


# --- what is wrong is told ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["video_embedding", "logits"])
def test_a_small_error_is_found(other: vidmuse.Fixture, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = other.tensors[name].clone()
    wrong.view(-1)[-1] += 2e-4
    assert not vidmuse.check(with_tensor(other, name, wrong), name)
    assert "MISSED" in capsys.readouterr().out


def test_one_wrong_token_is_found_and_its_place_told(
    other: vidmuse.Fixture, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = other.tensors["greedy"].clone()
    right = int(wrong[1, 2, 5])
    wrong[1, 2, 5] = (right + 1) % 300
    assert not vidmuse.check(with_tensor(other, "greedy", wrong), "greedy")
    said = capsys.readouterr().out
    assert "1 of 120 differ" in said and "MISSED" in said and "near tie" not in said
    assert f"row 1, codebook 2, frame 5: {right} for {(right + 1) % 300}" in said


def test_the_first_difference_is_that_of_the_first_step(
    other: vidmuse.Fixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Codebook 2 of frame 5 comes a step after codebook 0 of frame 6."""
    wrong = other.tensors["sampled"].clone()
    wrong[0, 2, 5] = (wrong[0, 2, 5] + 1) % 300
    wrong[1, 0, 6] = (wrong[1, 0, 6] + 1) % 300
    assert not vidmuse.check(with_tensor(other, "sampled", wrong), "sampled")
    assert "row 1, codebook 0, frame 6" in capsys.readouterr().out


def test_a_near_tie_is_missed_and_told(other: vidmuse.Fixture, capsys: pytest.CaptureFixture[str]) -> None:
    first = other.tensors["greedy"][0, 0, 0]
    rival = (first + 1) % 300
    model = deepcopy(other.model)
    # A rival that scores the same but for a hair, which is all that rounding may decide.
    scores: Any = model.decoder.scores[0].weight
    scores[rival] = scores[first] * (1 - 1e-6)
    tied = other.tensors["greedy"][:1].clone()
    tied[0, 0, 0] = rival
    fixture = vidmuse.Fixture({**other.tensors, "greedy": tied}, model, other.keys)
    assert not vidmuse.check(fixture, "greedy")
    said = capsys.readouterr().out
    assert "near tie" in said and "MISSED" in said


@pytest.mark.parametrize(
    "name", ["sampled_magic", "continued_from_", "continued_from_20", "film_31.more", "film_31", "greedy.more", "more"]
)
def test_tensors_without_an_answer_are_missed(
    other: vidmuse.Fixture, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    more = with_tensor(other, name, other.tensors["greedy"])
    assert name in vidmuse.expected(more)
    assert not vidmuse.check(more, name)
    assert capsys.readouterr().out.rstrip().endswith("MISSED")


def test_another_shape_is_missed(other: vidmuse.Fixture) -> None:
    for name in ("video_embedding", "logits", "greedy", "film_31.windows"):
        assert not vidmuse.check(with_tensor(other, name, other.tensors[name][..., None]), name)
        assert not vidmuse.check(with_tensor(other, name, other.tensors[name][:0]), name)


def test_another_salt_is_another_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(folder, lambda tensors: tensors, salt="wrong")
    assert command.main(["vidmuse", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "MISSED" in said and "no parity" in said


@pytest.mark.parametrize("table", ["keys.tsv", "published_keys.txt"])
@pytest.mark.parametrize("change", ["less", "more", "shape"])
def test_a_key_without_a_place_is_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str], table: str, change: str
) -> None:
    first, *rest = (folder / table).read_text().splitlines()
    lines = {
        "less": rest,
        "more": [first, *rest, "transformer.layers.0.norm4.weight\t48"],
        "shape": [first.split("\t")[0] + "\t1,50,77", *rest],
    }[change]
    (folder / table).write_text("\n".join(lines) + "\n")
    if table == "keys.tsv":
        assert command.main(["vidmuse", str(folder)]) == 1
    else:
        assert not vidmuse.check_published_keys(folder / table)
    said = capsys.readouterr()
    assert "does not fit" in said.out + said.err


@pytest.mark.parametrize(
    ("absent", "needed_by"), [("frames.global", "video_embedding"), ("greedy", "continued_from_2")]
)
def test_an_input_that_is_missing_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], absent: str, needed_by: str
) -> None:
    kept = {needed_by, "frames.local", "frames.global"} - {absent}
    rewrite(folder, lambda tensors: {name: tensors[name] for name in kept})
    assert command.main(["vidmuse", str(folder)]) == 1
    assert f"lacks '{absent}', which {needed_by} is made from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"depth": 0}, "depth is 0"),
        ({"clip": {"hidden_size": 768}}, "clip.intermediate_size is missing"),
        ({"decoder": 3}, "decoder is 3"),
        ({"depth": 3}, "does not fit"),
    ],
)
def test_a_configuration_that_is_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], told: str
) -> None:
    written = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(written | change))
    assert command.main(["vidmuse", str(folder)]) == 1
    said = capsys.readouterr().err
    assert told in said and "Traceback" not in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("frames.local", torch.zeros(2, 3, 3, 7, 7)),
        ("frames.local", torch.zeros(1, 3, 3, 7, 7, dtype=torch.uint8)),
        ("frames.global", torch.zeros(2, 3, 3, 8, 7, dtype=torch.uint8)),
        ("greedy", torch.zeros(2, 3, 1, dtype=torch.int64)),
    ],
)
def test_inputs_of_another_kind_are_named(other: vidmuse.Fixture, name: str, tensor: Tensor) -> None:
    with pytest.raises(InputError, match=name):
        vidmuse.check(with_tensor(other, name, tensor), "continued_from_2")


def test_a_folder_without_outputs_is_no_parity(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewrite(folder, lambda tensors: {"frames.local": tensors["frames.local"]})
    assert command.main(["vidmuse", str(folder)]) == 1
    assert "no outputs to compare" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["emb.0.weight 1 2", "emb.0.weight\t9999999999,99999", "emb.0.weight\t" + "9" * 5000])
def test_a_table_that_is_none(folder: Path, capsys: pytest.CaptureFixture[str], line: str) -> None:
    (folder / "keys.tsv").write_text(f"{line}\n")
    assert command.main(["vidmuse", str(folder)]) == 1
    assert "is no name and shape" in capsys.readouterr().err


def test_a_folder_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["vidmuse", str(tmp_path / "absent")]) == 1
    assert command.main(["vidmuse", str(tmp_path)]) == 1
    assert command.main(["vidmuse", str(FIXTURES / "sonique")]) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said and said.count("\n") == 3
