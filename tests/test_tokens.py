"""What the engines that play codes share: windows, chance, how work is told, and what goes wrong."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reelscore.errors import InputError
from reelscore.hardware import Hardware
from reelscore.models.token_decoder import TokenDecoderConfig
from reelscore.tokens import chance, even_starts, takes_at_once, telling, trouble_told


@given(st.integers(1, 5000), st.integers(1, 1500), st.integers(1, 1500))
def test_windows_cover_the_whole_evenly(length: int, most: int, stride: int) -> None:
    stride = min(stride, most)
    starts = even_starts(length, most, stride)
    assert starts[0] == 0
    assert starts[-1] == max(0, length - most)
    steps = [after - before for before, after in pairwise(starts)]
    assert all(0 < step <= stride for step in steps)
    assert not steps or max(steps) - min(steps) <= 1


def test_a_seed_is_a_chance_and_a_place_in_it_another() -> None:
    drawn = [torch.rand(3, generator=chance(*place)).tolist() for place in ((7,), (7, 0), (7, 1), (8,), (10**40,))]
    assert len({tuple(each) for each in drawn}) == 5
    assert torch.rand(3, generator=chance(7, 1)).tolist() == drawn[2]


def test_more_takes_fit_without_guidance() -> None:
    config = TokenDecoderConfig()
    guided, plain = (takes_at_once(config, 1500, guided=guided) for guided in (True, False))
    assert 1 < guided < plain
    assert takes_at_once(config, 10**9, guided=True) == 1


def test_frames_are_told_as_seconds() -> None:
    told: list[tuple[str, float, str]] = []
    telling(lambda *said: told.append(said), 100, 400, 7.2)(200)
    assert told == [("playing", 0.75, "5 of 8 s of music")]


def test_trouble_is_told_in_one_sentence_and_defects_are_not() -> None:
    hardware = Hardware(device="cpu", precision="bf16")
    for problem, said in ((MemoryError(), "--int8"), (FloatingPointError(), "--precision float32")):
        with pytest.raises(InputError, match=rf"^[^\n]*{said}[^\n]*\.$"), trouble_told(hardware):
            raise problem
    with pytest.raises(RuntimeError, match="shapes"), trouble_told(hardware):
        raise RuntimeError("shapes do not fit")
