"""Where models run: what the machine has is taken, what it lacks is refused in one sentence."""

import pytest
import torch

from reelscore import hardware
from reelscore.errors import InputError, MissingError
from reelscore.hardware import Hardware, device_for, dtype_for, lacks_neural, quantization_for, require_neural


def test_the_best_device_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device_for(Hardware()).type == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert device_for(Hardware()).type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_for(Hardware()).type == "cuda"
    assert device_for(Hardware(device="cpu")).type == "cpu"


def test_a_device_that_is_not_there_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"'cuda'.*cpu"):
        device_for(Hardware(device="cuda"))


def test_precision_follows_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = torch.device("cuda")
    assert dtype_for(Hardware(), torch.device("cpu")) is torch.float32
    assert dtype_for(Hardware(), torch.device("mps")) is torch.float32
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert dtype_for(Hardware(), cuda) is torch.bfloat16
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert dtype_for(Hardware(), cuda) is torch.float16
    assert dtype_for(Hardware(precision="float32"), cuda) is torch.float32


def test_four_bits_are_refused_without_a_cuda_card() -> None:
    assert quantization_for(Hardware(), torch.device("cpu")) is None
    with pytest.raises(InputError, match="--low-resource"):
        quantization_for(Hardware(low_resource=True), torch.device("cpu"))


def test_a_missing_extra_is_one_sentence_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lacks_neural() == ()
    monkeypatch.setattr(hardware, "find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(MissingError, match=r"pip install"):
        require_neural()
