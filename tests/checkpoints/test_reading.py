"""Weight files of every kind are read, and damaged or hostile ones are refused in one sentence."""

import json
import os
import pickle
import zipfile
from argparse import Namespace
from functools import partial
from operator import eq
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from reelscore.checkpoints.reading import read_weights
from reelscore.errors import InputError

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2, 3])}


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as refused:
        read_weights(path)
    message = str(refused.value)
    assert "\n" not in message
    return message


class Running:
    """Would make a file when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.witness),)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not tell what is mapped")
@pytest.mark.parametrize("parts", [1, 2])
def test_what_does_not_stay_is_copied_and_no_longer_mapped(tmp_path: Path, parts: int) -> None:
    names = ["model.safetensors"] if parts == 1 else ["one.safetensors", "two.safetensors"]
    places = dict(zip(TENSORS, names * 2, strict=False))
    for part in names:
        save_file({name: TENSORS[name] for name in TENSORS if places[name] == part}, tmp_path / part)
    if parts == 2:
        (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    for lasting in ("a.weight", "b", "none"):
        stored = read_weights(tmp_path, stays=partial(eq, lasting))
        read = {name: stored.read(name) for name in TENSORS}
        assert all(torch.equal(read[name], TENSORS[name]) for name in TENSORS)
        del stored
        maps = Path("/proc/self/maps").read_text()
        assert [part for part in names if str(tmp_path / part) in maps] == [places[n] for n in TENSORS if n == lasting]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_pickles_of_pytorch(tmp_path: Path, zipped: bool, wrapped: bool) -> None:
    path = tmp_path / "model.ckpt"
    torch.save({"state_dict": TENSORS, "epoch": 3} if wrapped else TENSORS, path, _use_new_zipfile_serialization=zipped)
    stored = read_weights(path)
    assert stored.shapes == {"a.weight": (2, 3), "b": (3,)}
    assert stored.formats == {"a.weight": "float32", "b": "int64"}
    for name, tensor in TENSORS.items():
        assert torch.equal(stored.read(name), tensor)


@pytest.mark.parametrize(
    ("checkpoint", "inside"),
    [
        ({"best_state": TENSORS}, ("best_state",)),
        ({"best_state": {"model": TENSORS}, "model": {}}, ("best_state", "model")),
        ({"best_state": {}, "fsdp_best_state": {"model": TENSORS}}, ("fsdp_best_state", "model")),
        ({"model": TENSORS, "best_state": {}}, ("model",)),
        ({"model": TENSORS}, ("model",)),
        (TENSORS, ()),
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_the_weights_inside_a_checkpoint_are_found(
    tmp_path: Path, checkpoint: dict[str, Any], inside: tuple[str, ...], zipped: bool
) -> None:
    path = tmp_path / "checkpoint.th"
    torch.save({**checkpoint, "version": "1.2", "epoch": 3}, path, _use_new_zipfile_serialization=zipped)
    stored = read_weights(path)
    assert stored.shapes == {"a.weight": (2, 3), "b": (3,)}
    assert stored.inside == inside
    assert stored.header == {"version": "1.2"}
    assert torch.equal(stored.read("a.weight"), TENSORS["a.weight"])


def test_a_pickle_that_holds_itself_comes_to_an_end(tmp_path: Path) -> None:
    loop: dict[str, Any] = {"model": {}}
    loop["model"]["best_state"] = loop
    torch.save(loop, tmp_path / "model.pt")
    assert "no tensors" in refusal(tmp_path / "model.pt")


def test_safetensors_with_its_header(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(TENSORS | {"c": torch.ones(2, dtype=torch.bfloat16)}, path, {"format": "mine"})
    stored = read_weights(path)
    assert stored.header["format"] == "mine"
    assert stored.formats["c"] == "bfloat16"
    assert torch.equal(stored.read("a.weight"), TENSORS["a.weight"])


def test_the_bytes_tell_the_kind_and_not_the_name(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "model.ckpt")
    torch.save(TENSORS, tmp_path / "model.safetensors")
    for name in ("model.ckpt", "model.safetensors"):
        assert read_weights(tmp_path / name).shapes == {"a.weight": (2, 3), "b": (3,)}


def test_numbers_of_numpy_beside_the_tensors_are_harmless(tmp_path: Path) -> None:
    path = tmp_path / "clap.ckpt"
    books = {"loss": np.float64(0.5), "step": np.int64(7), "done": np.bool_(True)}
    torch.save({"state_dict": TENSORS, **books}, path)
    assert read_weights(path).shapes["b"] == (3,)


def test_the_name_that_numpy_1_gave_its_numbers_is_known(tmp_path: Path) -> None:
    path, plain = tmp_path / "old.pt", tmp_path / "plain.pt"
    torch.save({"state_dict": TENSORS, "loss": np.float64(0.5)}, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            renamed = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
            assert entry.filename.endswith("data.pkl") == (renamed != content)
            target.writestr(entry.filename, renamed)
    assert read_weights(path).shapes["b"] == (3,)


def test_code_in_a_pickle_is_refused_and_does_not_run(tmp_path: Path) -> None:
    path, witness = tmp_path / "model.ckpt", tmp_path / "ran"
    torch.save({"state_dict": TENSORS, "more": Running(witness)}, path)
    message = refusal(path)
    assert "mkdir" in message and str(path) in message
    assert not witness.exists()


def test_a_bare_pickle_is_refused_and_does_not_run(tmp_path: Path) -> None:
    path, witness = tmp_path / "model.pt", tmp_path / "ran"
    path.write_bytes(pickle.dumps(Running(witness)))
    refusal(path)
    assert not witness.exists()


def test_objects_of_others_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt"
    torch.save({"state_dict": TENSORS, "arguments": Namespace(lr=1)}, path)
    assert "argparse.Namespace" in refusal(path)


def test_tensors_that_are_larger_than_their_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save({"a": torch.ones(1).expand(2**20, 2**20)}, path)
    assert "claims" in refusal(path)
    shared = torch.ones(1000, 1000)
    torch.save({f"layers.{k}": shared for k in range(64)}, path)
    assert "claims" in refusal(path)
    torch.save({"words": shared, "scores": shared}, path)
    assert len(read_weights(path).shapes) == 2


def test_a_packed_archive_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    plain, path = tmp_path / "plain.pt", tmp_path / "model.pt"
    torch.save(TENSORS, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))
    assert "packed" in refusal(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors"])
def test_what_was_cut_off_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"model{suffix}"
    if suffix == ".ckpt":
        torch.save(TENSORS, path)
    else:
        save_file(TENSORS, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert "download" in refusal(path)


def safetensors(path: Path, header: bytes, content: bytes = b"", length: int | None = None) -> Path:
    path.write_bytes((len(header) if length is None else length).to_bytes(8, "little") + header + content)
    return path


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b'{"a":1}', 2**62),
        (b'{"a":1}', 2**30),
        (b"{", None),
        (b'{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}', None),
        (b'{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}', None),
        (b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}', None),
        (b'{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}', None),
        (b'{"a":{"dtype":"what","shape":[2],"data_offsets":[0,8]}}', None),
    ],
)
def test_a_header_is_not_believed(tmp_path: Path, header: bytes, length: int | None) -> None:
    assert "safetensors" in refusal(safetensors(tmp_path / "model.safetensors", header, bytes(8), length))


def test_other_files_are_refused(tmp_path: Path) -> None:
    assert "no file" in refusal(tmp_path / "absent.ckpt")
    for name, content in (
        ("a.ckpt", b""),
        ("b.ckpt", b"<html>not found</html>"),
        ("c.safetensors", b"version https://git-lfs"),
    ):
        (tmp_path / name).write_bytes(content)
        assert name in refusal(tmp_path / name)
    torch.save([1, 2], tmp_path / "list.pt")
    assert "list" in refusal(tmp_path / "list.pt")
    torch.save({"state_dict": {}}, tmp_path / "none.pt")
    assert "no tensors" in refusal(tmp_path / "none.pt")
    save_file({}, tmp_path / "none.safetensors")
    assert "no tensors" in refusal(tmp_path / "none.safetensors")


def parts(folder: Path, places: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    save_file({"a.weight": TENSORS["a.weight"]}, folder / "model-1.safetensors")
    save_file({"b": TENSORS["b"]}, folder / "model-2.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return folder


def test_a_folder_in_parts(tmp_path: Path) -> None:
    stored = read_weights(parts(tmp_path / "model", {"a.weight": "model-1.safetensors", "b": "model-2.safetensors"}))
    assert stored.shapes == {"a.weight": (2, 3), "b": (3,)}
    assert torch.equal(stored.read("b"), TENSORS["b"])
    assert [file.name for file in stored.files] == [
        "model.safetensors.index.json",
        "model-1.safetensors",
        "model-2.safetensors",
    ]


def test_a_folder_with_one_file_or_none(tmp_path: Path) -> None:
    assert "no weights" in refusal(tmp_path)
    torch.save({"best_state": TENSORS}, tmp_path / "state_dict.bin")
    assert read_weights(tmp_path).files == (tmp_path / "state_dict.bin",)
    torch.save(TENSORS, tmp_path / "pytorch_model.bin")
    assert read_weights(tmp_path).files == (tmp_path / "pytorch_model.bin",)


@pytest.mark.parametrize(
    "place", ["../secret.safetensors", "/etc/passwd", "sub/model.safetensors", "..", "", 7, "a\\b", None]
)
def test_an_index_never_leads_out_of_its_folder(tmp_path: Path, place: object) -> None:
    save_file(TENSORS, tmp_path / "secret.safetensors")
    folder = parts(tmp_path / "model", {"a.weight": place, "b": "model-2.safetensors"})
    assert "out of its folder" in refusal(folder)


def test_an_index_that_lies_is_refused(tmp_path: Path) -> None:
    assert "but it does not" in refusal(parts(tmp_path / "model", {"a.weight": "model-2.safetensors"}))
    assert "no file" in refusal(parts(tmp_path / "model", {"a.weight": "model-3.safetensors"}))
    (tmp_path / "model" / "model.safetensors.index.json").write_text('{"weight_map": []}')
    assert "weight_map" in refusal(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors.index.json").write_text("[" * 100_000)
    assert "JSON" in refusal(tmp_path / "model")


def test_what_is_no_plain_tensor_is_no_weight(tmp_path: Path) -> None:
    odd = {
        "meta": torch.empty(3, device="meta"),
        "complex": torch.ones(2, dtype=torch.complex64),
        "sparse": torch.eye(2).to_sparse(),
        "negated": torch._neg_view(torch.ones(2)),
        "number": 3,
        7: torch.ones(1),
    }
    torch.save(TENSORS | odd, tmp_path / "model.pt")
    assert set(read_weights(tmp_path / "model.pt").shapes) == set(TENSORS)


def test_paths_that_cannot_be(tmp_path: Path) -> None:
    for name in ("nul\0.ckpt", "x" * 5000, os.fsdecode(b"\xff.ckpt")):
        assert str(tmp_path) in refusal(tmp_path / name)
