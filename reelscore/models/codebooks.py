"""The delay pattern: how the codebooks of a music frame are laid out over the steps of a decoder (Copet et al., 2023).

Step 0 holds nothing; from there on codebook k of frame f stands at step 1 + f + delays[k]. Frames and steps count from 0.
Whatever number format the values have, their shapes are (rows, codebooks, frames) and (rows, codebooks, steps).
"""

from collections.abc import Sequence

from torch import Tensor


def steps_for(frames: int, delays: Sequence[int]) -> int:
    """Steps that hold so many frames, the empty one at the start included."""
    return 1 + frames + max(delays)


def step_of_frame(frame: int, delays: Sequence[int]) -> int:
    """The first step that holds something of this frame: what comes before it is known once all earlier frames are."""
    return 1 + frame + min(delays)


def frames_complete(steps: int, delays: Sequence[int]) -> int:
    """Frames of which so many steps hold every codebook."""
    return max(0, steps - 1 - max(delays))


def to_steps(frames: Tensor, delays: Sequence[int], nothing: float) -> Tensor:
    """Frames laid out over the steps, `nothing` where no frame stands."""
    rows, codebooks, count = frames.shape
    steps = frames.new_full((rows, codebooks, steps_for(count, delays)), nothing)
    for book, delay in enumerate(delays):
        steps[:, book, 1 + delay : 1 + delay + count] = frames[:, book]
    return steps


def to_frames(steps: Tensor, delays: Sequence[int]) -> Tensor:
    """The frames of which the steps hold every codebook."""
    rows, codebooks, count = steps.shape
    frames = steps.new_empty(rows, codebooks, frames_complete(count, delays))
    for book, delay in enumerate(delays):
        frames[:, book] = steps[:, book, 1 + delay : 1 + delay + frames.shape[2]]
    return frames
