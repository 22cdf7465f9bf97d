"""The check of fixture folders reads everything from the files and lets nothing wrong pass."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmark.parity import __main__ as command
from benchmark.parity import sonique

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SALT = "a"
EXPECTED = """
    context context.mask unet.v unet.v_cfg6_rescale0.4 unet.v_cfg6_rescale0.4_negative vae.decoded vae.encoder_mean_and_scale
    sampler.heun sampler.lms sampler.dpm_2 sampler.dpmpp_2s_ancestral sampler.dpmpp_2m_sde sampler.dpmpp_3m_sde
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stored outputs of other sizes, salt, takes and lengths than those that the networks' own tests use."""
    folder = tmp_path_factory.mktemp("fixture")
    shutil.copytree(FIXTURES / "sonique_other", folder, dirs_exist_ok=True)
    shutil.copy(FIXTURES / "sonique" / "published_keys.txt", folder)
    return folder


def changed(folder: Path, target: Path, **tensors: torch.Tensor) -> Path:
    shutil.copytree(folder, target)
    named = {name.replace("__", "."): tensor for name, tensor in tensors.items()}
    save_file(load_file(folder / "io.safetensors") | named, target / "io.safetensors", {"salt": SALT})
    return target


def test_other_sizes_pass_and_every_tensor_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["sonique", str(folder)]) == 0
    said = capsys.readouterr().out
    assert sorted(EXPECTED.split()) == [line.split()[0] for line in said.splitlines()[1:-2]]
    assert "1048 published keys" in said and said.rstrip().endswith("parity")


def test_a_small_error_is_found(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = load_file(folder / "io.safetensors")["unet.v"]
    wrong = right.clone()
    wrong[1, 3, 7] += 2e-4
    assert command.main(["sonique", str(changed(folder, tmp_path / "wrong", unet__v=wrong))]) == 1
    missed = [line for line in capsys.readouterr().out.splitlines() if "MISSED" in line]
    assert len(missed) == 1 and missed[0].startswith("unet.v ")


def test_tensors_without_a_place_are_errors(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    extra = {name: torch.ones(1) for name in ("sampler__magic", "unet__total", "more")}
    more = changed(folder, tmp_path / "more", **extra)
    assert command.main(["sonique", str(more)]) == 1
    assert capsys.readouterr().out.count("MISSED") == 3


def test_another_salt_is_another_model(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "salted")
    save_file(load_file(folder / "io.safetensors"), tmp_path / "salted" / "io.safetensors", {"salt": "wrong"})
    assert command.main(["sonique", str(tmp_path / "salted")]) == 1


@pytest.mark.parametrize("table", ["keys.tsv", "published_keys.txt"])
@pytest.mark.parametrize("change", ["less", "more", "shape"])
def test_a_key_without_a_place_is_an_error(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str, change: str
) -> None:
    shutil.copytree(folder, tmp_path / "wrong")
    path = tmp_path / "wrong" / table
    first, *rest = path.read_text().splitlines()
    between = "\t" if table == "keys.tsv" else " "
    lines = {
        "less": rest,
        "more": [first, *rest, f"model.model.more.weight{between}3"],
        "shape": [first.split(between)[0] + f"{between}7,7", *rest],
    }[change]
    path.write_text("\n".join(lines) + "\n")
    if table == "keys.tsv":
        assert command.main(["sonique", str(tmp_path / "wrong")]) == 1
    else:
        assert not sonique.check_published_keys(path)
    said = capsys.readouterr()
    assert "does not fit" in said.out + said.err


def test_an_input_that_is_missing_is_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(folder, tmp_path / "less")
    tensors = load_file(folder / "io.safetensors")
    del tensors["unet.x"]
    save_file(tensors, tmp_path / "less" / "io.safetensors", {"salt": SALT})
    assert command.main(["sonique", str(tmp_path / "less")]) == 1
    assert "lacks 'unet.x'" in capsys.readouterr().err


def test_a_folder_without_outputs_is_no_parity(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder, tmp_path / "less")
    features = load_file(folder / "io.safetensors")["prompt.features"]
    save_file({"prompt.features": features}, tmp_path / "less" / "io.safetensors", {"salt": SALT})
    assert command.main(["sonique", str(tmp_path / "less")]) == 1
    assert "no outputs to compare" in capsys.readouterr().err


def test_a_folder_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["sonique", str(tmp_path / "absent")]) == 1
    assert command.main(["sonique", str(tmp_path)]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_the_recipe_is_that_of_the_fixtures() -> None:
    """The weights of the real fixture, through the same door, give one of its real outputs."""
    fixture = sonique.read_sonique(FIXTURES / "sonique")
    with torch.inference_mode():
        for name in ("context", "unet.mapping", "unet.v", "vae.decoded"):
            torch.testing.assert_close(sonique.sonique_output(fixture, name), fixture.tensors[name], atol=1e-4, rtol=0)
