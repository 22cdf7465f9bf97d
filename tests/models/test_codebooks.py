"""The delay pattern: where every code of every frame stands."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from reelscore.models.codebooks import frames_complete, step_of_frame, steps_for, to_frames, to_steps

MONO, STEREO = (0, 1, 2, 3), (0, 0, 1, 1, 2, 2, 3, 3)
NOTHING = 99


def numbered(books: int, frames: int, rows: int = 1) -> Tensor:
    """Codes that are all different."""
    return torch.arange(rows * books * frames).view(rows, books, frames)


def test_the_published_layout_in_full() -> None:
    codes = torch.tensor([[[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]])
    assert to_steps(codes, MONO, 0).tolist() == [
        [
            [0, 1, 2, 3, 0, 0, 0],
            [0, 0, 4, 5, 6, 0, 0],
            [0, 0, 0, 7, 8, 9, 0],
            [0, 0, 0, 0, 10, 11, 12],
        ]
    ]


def test_left_and_right_of_stereo_stand_together() -> None:
    steps = to_steps(numbered(8, 5), STEREO, NOTHING)
    assert torch.equal(steps[:, 0::2] == NOTHING, steps[:, 1::2] == NOTHING)
    assert steps.shape == (1, 8, 9)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), st.integers(1, 3), st.integers(0, 12))
def test_there_and_back_nothing_is_lost(delays: list[int], rows: int, frames: int) -> None:
    codes = numbered(len(delays), frames, rows)
    steps = to_steps(codes, delays, -1)
    assert steps.shape == (rows, len(delays), steps_for(frames, delays))
    assert steps.dtype == codes.dtype
    assert (steps[..., 0] == -1).all()
    assert int((steps >= 0).sum()) == codes.numel()
    assert torch.equal(to_frames(steps, delays), codes)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), st.integers(1, 12), st.data())
def test_what_is_known_of_a_row_of_steps(delays: list[int], frames: int, data: st.DataObject) -> None:
    steps = to_steps(numbered(len(delays), frames), delays, -1)
    frame = data.draw(st.integers(0, frames - 1))
    first = step_of_frame(frame, delays)
    assert int((steps[..., :first] % frames == frame)[steps[..., :first] >= 0].sum()) == 0
    assert bool((steps[..., first] % frames == frame)[steps[..., first] >= 0].any())
    count = data.draw(st.integers(0, steps.shape[2]))
    complete = frames_complete(count, delays)
    assert torch.equal(to_frames(steps[..., :count], delays), numbered(len(delays), frames)[..., :complete])
    assert complete == max((n for n in range(frames + 1) if steps_for(n, delays) <= count), default=0)


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32])
def test_other_values_than_codes_are_laid_out_alike(dtype: torch.dtype) -> None:
    values = (numbered(4, 6) % 2).to(dtype)
    assert torch.equal(to_frames(to_steps(values, MONO, True), MONO), values)
