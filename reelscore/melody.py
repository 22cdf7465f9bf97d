"""A melody for networks to build on, as sound: a recording of any format, rate and number of channels (a film's sound too), or the composer's playing."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from reelscore.audio import Audio, Samples, gain_from_db, resample, to_channels
from reelscore.brief import Brief
from reelscore.errors import InputError, MediaError
from reelscore.progress import Progress
from reelscore.vocabulary import INSTRUMENTS

# Finished records, which the autoencoder was trained on, lie about here; a peak must leave room below full scale.
USUAL_LUFS = -16.0
MOST_PEAK = 0.95
_BLOCKS_HEARD = 2_000  # of silence (some 40 s), until it is taken on trust that more will follow


def check_recording(path: Path) -> None:
    """Raises InputError where the file holds no sound that could be built on."""
    for number, block in enumerate(_sound_of(path, 44_100)):
        if np.abs(block).max(initial=0.0) > 0 or number > _BLOCKS_HEARD:
            return
    raise InputError(f"{path} holds no sound; give a recording with a melody (WAV, FLAC, MP3, or a film with sound).")


def read_recording(path: Path, rate: int, channels: int, most_samples: int) -> Samples:
    """The recording's first `most_samples`, (channels, n) at `rate`, as loud as finished records are. Raises InputError."""
    blocks: list[Samples] = []
    room = most_samples
    for block in _sound_of(path, rate):
        blocks.append(np.nan_to_num(block[:, :room], nan=0.0, posinf=0.0, neginf=0.0))
        room -= blocks[-1].shape[1]
        if room <= 0:
            break
    if not blocks:
        raise InputError(f"{path} holds no sound; give a recording with a melody.")
    sound = Audio(np.concatenate(blocks, axis=1), rate)
    return levelled(to_channels(sound, channels), str(path)).samples


def played(
    brief: Brief, seed: int, rate: int, channels: int, progress: Progress, *, without: Collection[str] = ()
) -> Samples:
    """What the composer makes of the brief, played by its instruments: (channels, n) at `rate`, as loud as finished records are.

    Families of instruments that are named in `without` pause, unless nobody else plays.
    """
    from reelscore.compose import compose
    from reelscore.sound import render

    progress("composing", 0.0)
    score = compose(brief, seed)
    heard = tuple(part for part in score.parts if INSTRUMENTS[part.instrument].family not in without)
    score = replace(score, parts=heard or score.parts)
    progress("composing", 1.0)
    sound = render(score, seed=seed, progress=progress)
    return levelled(to_channels(resample(sound, rate), channels), "the composer's guide").samples


def levelled(sound: Audio, name: str) -> Audio:
    """The sound at the loudness of finished records, or as near as its peak allows. Raises InputError where there is silence."""
    from reelscore.loudness import blocks_of, measure

    integrated_lufs = measure(blocks_of(sound.samples), sound.rate).integrated_lufs
    peak = float(np.abs(sound.samples).max(initial=0.0))
    if not peak:
        raise InputError(f"{name} is silent where the music needs it; give a recording with a melody.")
    if not np.isfinite(integrated_lufs):  # too short or too soft for the gate: its peak must do
        return Audio(sound.samples * np.float32(0.5 / peak), sound.rate)
    gain = min(gain_from_db(USUAL_LUFS - integrated_lufs), MOST_PEAK / peak)
    return Audio(sound.samples * np.float32(gain), sound.rate)


def _sound_of(path: Path, rate: int) -> Iterator[Samples]:
    """The file's sound in blocks (2, n), with messages that speak of a melody."""
    from reelscore.media.finished import whole_sound

    if not path.is_file():
        raise InputError(f"There is no file {path}; give a recording with a melody.")
    if path.suffix.lower() in (".mid", ".midi"):
        raise InputError(
            f"{path} is MIDI, and this engine listens to sound; give a recording, or use the engine compose for notes."
        )
    try:
        yield from whole_sound(path, rate=rate)
    except MediaError as problem:
        raise InputError(
            f"{path} cannot be read as sound; give a recording with a melody (WAV, FLAC, MP3, or a film with sound)."
        ) from problem
