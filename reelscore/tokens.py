"""What engines that play codes of sound share: windows, chance, how many takes go together, how work is told, and the sound of codes.

Codes are int64 (takes, codebooks, frames), sound is float32 (channels, samples). Imports torch; for the modules that make music.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil, floor

import numpy as np
import torch
from torch import Tensor

from reelscore.audio import Samples
from reelscore.errors import InputError
from reelscore.hardware import Hardware, out_of_memory, overflowed
from reelscore.models.codec import Codec
from reelscore.models.eight_bits import in_eight_bits
from reelscore.models.packing import packed
from reelscore.models.token_decoder import TokenDecoder, TokenDecoderConfig
from reelscore.progress import Progress

MOST_REMEMBERED = 2**30  # numbers that the decoder keeps of the music of all takes that are played together


@contextmanager
def trouble_told(hardware: Hardware) -> Iterator[None]:
    """Raises InputError with the remedy in the place of what a full memory or an overflow raises."""
    try:
        yield
    except FloatingPointError as problem:
        raise overflowed(hardware) from problem
    except (RuntimeError, MemoryError) as problem:
        if not out_of_memory(problem):
            raise
        raise InputError(
            "There is not enough memory to play this model; ask for --precision bf16, for --int8 on the CPU, or for another --device."
        ) from problem


def quickened(decoder: TokenDecoder, *, int8: bool) -> TokenDecoder:
    """The same decoder with its weights as they are read fastest where it is; in eight bits, where that is asked for."""
    if int8:
        return in_eight_bits(decoder)
    weight = decoder.norm.weight
    return packed(decoder) if weight.device.type == "cpu" and weight.dtype == torch.float32 else decoder


def even_starts(length: int, most: int, stride: int) -> list[int]:
    """Where windows of `most` begin that cover `length` evenly, none later than `stride` after the one before; the last ends at the end."""
    last = max(0, length - most)
    count = ceil(last / max(1, stride))
    return [last * number // count for number in range(count)] + [last]


def takes_at_once(config: TokenDecoderConfig, longest: int, *, guided: bool) -> int:
    """How many takes go through the decoder together, in windows of at most `longest` frames."""
    rows = 2 if guided else 1
    return max(1, MOST_REMEMBERED // (rows * longest * config.layers * 2 * config.dim))


def chance(seed: int, *place: int) -> torch.Generator:
    """A take's own chance, and that of one place in it where one is named.

    numpy takes seeds of any size and lets neighbours have nothing in common. It is drawn on the CPU, so that no device brings its own.
    """
    state = np.random.SeedSequence(seed, spawn_key=place).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


def telling(progress: Progress, before: int, total: int, seconds: float) -> Callable[[int], None]:
    """Tells of the frames of a window, `before` of the `total` ones having been played earlier, in seconds of music."""

    def watch(frames: int) -> None:
        done = (before + frames) / total
        progress("playing", done, f"{floor(done * seconds)} of {ceil(seconds)} s of music")

    return watch


def sounding(codec: Codec, codes: Tensor, progress: Progress) -> Samples:
    """The sound of codes (1, codebooks, n): (channels, n * hop_samples)."""
    progress("decoding", 0.0)
    sound = np.empty((codec.channels, codes.shape[-1] * codec.hop_samples), np.float32)
    there = 0
    for piece in codec.decode_pieces(codes.to(next(codec.parameters()).device)):
        sound[:, there : there + piece.shape[-1]] = piece[0].float().cpu().numpy()
        there += piece.shape[-1]
        progress("decoding", there / sound.shape[1])
    return sound
