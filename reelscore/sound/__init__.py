"""Sound: a Score becomes stereo Audio of its exact length, and stems that add up to it.

Played and mixed in blocks of some seconds, so that beside the finished music no more is in memory than a few blocks and the notes
that are kept for playing again, however long the film. The same score, seed and rate give the same samples.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np

from reelscore.audio import Audio, Samples, StemWriter
from reelscore.compose.score import Score
from reelscore.progress import Progress, unseen
from reelscore.sound.desk import SAMPLED, SYNTHESISED, Channel, Group, Sum, Tone, added, open_rooms
from reelscore.sound.effects import HOP_SAMPLES
from reelscore.sound.patches.patch import Patch
from reelscore.sound.playing import NoteCache, Player
from reelscore.vocabulary import INSTRUMENTS

KEPT_NOTES_BYTES = 128 * 1024 * 1024
# Three steps of the hall's convolution at 48 kHz: long enough to work in earnest, short enough to hold a score of twenty parts.
BLOCK = 9.5
MOST_THREADS = 4


def render(
    score: Score,
    *,
    rate: int = 48000,
    seed: int,
    stems: StemWriter | None = None,
    soundfont: Path | None = None,
    progress: Progress = unseen,
) -> Audio:
    """The score as stereo sound: `round(score.duration * rate)` samples within ±1, every note on its sample.

    `stems` is given each part's sound under the part's name, with its own reverb and under the gain of the whole: they add up to
    the music. `soundfont` plays the parts on its samples instead of the built-in patches. Raises MissingError where FluidSynth is
    wanted and not there, InputError where the soundfont cannot be read.
    """
    if soundfont is not None:
        from reelscore.sound.soundfont import sampled_patches

        patches, tone = sampled_patches(soundfont, {part.instrument for part in score.parts}, rate), SAMPLED
    else:
        from reelscore.sound.patches import PATCHES

        patches, tone = PATCHES, SYNTHESISED
    return perform(score, patches, tone, rate=rate, seed=seed, stems=stems, progress=progress)


def perform(
    score: Score,
    patches: Mapping[str, Patch],
    tone: Tone = SYNTHESISED,
    *,
    rate: int,
    seed: int,
    stems: StemWriter | None = None,
    progress: Progress = unseen,
    block: float = BLOCK,
) -> Audio:
    """`render` on the given patches; `block` is how many seconds are worked on at a time, and changes nothing in the sound."""
    length = round(score.duration * rate)
    step = max(1, round(block * rate / HOP_SAMPLES)) * HOP_SAMPLES
    groups = _groups(score, patches, tone, rate, seed, apart=stems is not None)
    finished = np.zeros((2, length), np.float32)
    end, settled = Sum(rate, length), 0
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as hands:
        for first, mixes in _mixes(groups, length, step, hands):
            streams = [_sum_of(mixes, step), *([] if stems is None else mixes)]
            ready, *apart = end.settle(streams, last=first + step >= length)
            finished[:, settled : settled + ready.shape[1]] = ready
            settled += ready.shape[1]
            if stems is not None:
                for group, sound in zip(groups, apart, strict=True):
                    stems(group.name, sound, rate)
            progress("rendering", min(1.0, (first + step) / length))
    return Audio(finished, rate)


def _sum_of(mixes: Sequence[Samples], length: int) -> Samples:
    total = added(mixes)
    return np.zeros((2, length), np.float32) if total is None else total


def _mixes(
    groups: Sequence[Group], length: int, step: int, hands: ThreadPoolExecutor
) -> Iterator[tuple[int, list[Samples]]]:
    """Each block's first sample and every group's sound in it. While one block is mixed, the next is already being played."""
    mixing: list[Future[Samples]] = []
    for first in range(0, length, step):
        count = min(step, -(-(length - first) // HOP_SAMPLES) * HOP_SAMPLES)
        played = _play(groups, count, hands)
        mixed = [mix.result() for mix in mixing]
        mixing = [hands.submit(group.mix, strips, count) for group, strips in zip(groups, played, strict=True)]
        if first:
            yield first - step, mixed
    if length:
        yield (length - 1) // step * step, [mix.result() for mix in mixing]


def _play(groups: Sequence[Group], length: int, hands: ThreadPoolExecutor) -> list[list[Samples | None]]:
    """What every channel of every group plays next: first the notes that are not kept yet, the longest first, then all of them in time."""
    channels = [channel for group in groups for channel in group.channels]
    learners = {stroke: channel.player for channel in channels for stroke in channel.player.missing(length)}
    longest_first = sorted(learners, key=lambda stroke: (-stroke.duration, stroke.instrument, stroke.pitch))
    # only the lengths come back: the notes themselves are the cache's to keep or to let go
    list(hands.map(lambda stroke: learners[stroke].learn(stroke).shape, longest_first))
    strips = iter(list(hands.map(lambda channel: channel.play(length), channels)))
    return [list(islice(strips, len(group.channels))) for group in groups]


def _groups(
    score: Score, patches: Mapping[str, Patch], tone: Tone, rate: int, seed: int, *, apart: bool
) -> list[Group]:
    """The desk for a score: one group of all parts, or `apart` one for each name."""
    rooms = open_rooms(score.parts, rate)
    cache = NoteCache(KEPT_NOTES_BYTES)
    with_bass = any(INSTRUMENTS[part.instrument].family == "bass" for part in score.parts)
    members: dict[str, list[Channel]] = {}
    for index, part in enumerate(score.parts):
        player = Player(part, patches[part.instrument], rate, cache, seed + index)
        channel = Channel(part, player, rate, tone, with_bass)
        members.setdefault(part.name if apart else "all", []).append(channel)
    return [Group(name, channels, rooms, tone, rate) for name, channels in members.items()]
