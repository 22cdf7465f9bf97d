"""Options are refused in one sentence that names the flag, the value and what would be right."""

from typing import Any

import pytest

from reelscore.engines.vidmuse import ENGINE, Options
from reelscore.errors import InputError
from reelscore.hardware import Hardware


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.0),
        ("temperature", float("nan")),
        ("top_k", -1),
        ("top_p", 1.5),
        ("guidance", -1.0),
        ("guidance", float("inf")),
        ("context", 0.1),
        ("context", 30.0),
        ("steer", -0.1),
        ("steer", 2.0),
    ],
)
def test_a_value_that_cannot_be_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"^--{name.replace('_', '-')} .*[.]$"):
        Options(**{name: value})


def test_the_published_way_has_its_own_context_and_no_steering() -> None:
    ours, published = Options(), Options(as_published=True)
    assert (ours.context_seconds, published.context_seconds) == (12.0, 0.5)
    assert ours.steering > 0 == published.steering
    assert Options(context=0.5, as_published=True).context_seconds == 0.5
    with pytest.raises(InputError, match=r"^--context 6 contradicts --as-published.*[.]$"):
        Options(context=6.0, as_published=True)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_eight_bits_and_a_precision_are_two_answers_to_one_question(precision: Any) -> None:
    with pytest.raises(InputError, match=f"^--int8 and --precision {precision} .*[.]$"):
        ENGINE.check(Options(int8=True), None, Hardware(device="cpu", precision=precision))


def test_eight_bits_are_for_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(InputError, match=r"^--int8 is for the CPU.*'cuda'.*--device cpu[.]$"):
        ENGINE.check(Options(int8=True), None, Hardware(device="cuda"))
    ENGINE.check(Options(int8=True), None, Hardware(device="cpu"))
