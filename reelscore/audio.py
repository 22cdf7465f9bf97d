"""Sound in memory: samples of shape (channels, samples), float32, nominally within ±1, and their rate in Hz.

Everything here takes Audio and gives new Audio; nothing is changed in place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reelscore.errors import InputError, MediaError
from reelscore.outputs import written_whole

Samples: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Audio:
    """Sound: `samples` (channels, samples) float32 and `rate` in Hz."""

    samples: Samples
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise ValueError(f"Audio wants float32 (channels, samples), not {self.samples.dtype} {self.samples.shape}")
        if self.rate <= 0:
            raise ValueError(f"a sample rate is positive, not {self.rate}")

    @property
    def channels(self) -> int:
        return int(self.samples.shape[0])

    @property
    def length_samples(self) -> int:
        return int(self.samples.shape[1])

    @property
    def duration(self) -> float:
        return self.length_samples / self.rate


class StemWriter(Protocol):
    """Where stems go while they are made: blocks (2, n) of each stem in order of time, so that none is ever whole in memory."""

    def __call__(self, stem: str, block: Samples, rate: int, /) -> None: ...


def silence(duration: float, rate: int, channels: int = 2) -> Audio:
    """Nothing, for `duration` seconds."""
    return Audio(np.zeros((channels, round(duration * rate)), np.float32), rate)


def gain_from_db(level_db: float) -> float:
    """The factor for a level in dB: 0 dB is 1, −6.02 dB is a half."""
    return float(10.0 ** (level_db / 20.0))


def db_from_gain(gain: float) -> float:
    """The level in dB of a factor; −inf for 0."""
    return float(20.0 * np.log10(gain)) if gain > 0 else float("-inf")


def read_audio(path: Path) -> Audio:
    """The whole of a WAV, FLAC, Ogg or MP3 file. Raises MediaError."""
    import soundfile

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as problem:
        raise MediaError(f"{path} cannot be read as sound ({problem}); give a WAV, FLAC, Ogg or MP3 file.") from problem
    return Audio(np.ascontiguousarray(samples.T), rate)


def write_audio(audio: Audio, path: Path, subtype: str | None = None) -> None:
    """Writes a WAV, FLAC or Ogg file, by the suffix of `path`; 24 bits for WAV and FLAC unless `subtype` says otherwise."""
    import soundfile

    kind = path.suffix.lower().lstrip(".")
    if kind not in ("wav", "flac", "ogg"):
        raise InputError(
            f"{path} does not say a sound format that can be written; end its name in .wav, .flac or .ogg."
        )
    subtype = subtype or {"wav": "PCM_24", "flac": "PCM_24", "ogg": "VORBIS"}[kind]
    with written_whole(path) as temporary:
        soundfile.write(temporary, audio.samples.T, audio.rate, subtype=subtype, format=kind.upper())


def resample(audio: Audio, rate: int) -> Audio:
    """The same sound at another rate (polyphase filter)."""
    if rate == audio.rate:
        return audio
    from scipy.signal import resample_poly

    common = gcd(rate, audio.rate)
    samples = resample_poly(audio.samples, rate // common, audio.rate // common, axis=1)
    return Audio(np.ascontiguousarray(samples, np.float32), rate)


def fit(audio: Audio, length_samples: int) -> Audio:
    """The same sound with exactly `length_samples` samples a channel: cut, or followed by silence."""
    missing = length_samples - audio.length_samples
    if missing <= 0:
        return Audio(audio.samples[:, :length_samples], audio.rate)
    return Audio(np.pad(audio.samples, ((0, 0), (0, missing))), audio.rate)


def to_channels(audio: Audio, channels: int) -> Audio:
    """The same sound with 1 or 2 channels: mono is copied to both sides; more are averaged down."""
    if audio.channels == channels:
        return audio
    if audio.channels == 1:
        return Audio(np.repeat(audio.samples, channels, axis=0), audio.rate)
    if channels == 1:
        return Audio(audio.samples.mean(axis=0, keepdims=True, dtype=np.float32), audio.rate)
    raise ValueError(f"no rule takes {audio.channels} channels to {channels}")


def fade(audio: Audio, fade_in: float = 0.0, fade_out: float = 0.0) -> Audio:
    """The same sound with raised-cosine fades of the given seconds at its two ends."""
    samples = audio.samples.copy()
    for length, side in ((fade_in, slice(None)), (fade_out, slice(None, None, -1))):
        count = min(round(length * audio.rate), audio.length_samples)
        ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(count, dtype=np.float32) / max(count, 1))
        samples[:, side][:, :count] *= ramp
    return Audio(samples, audio.rate)


def join(pieces: Sequence[Audio], crossfade: float = 0.0) -> Audio:
    """The pieces one after another, each over the end of the one before by `crossfade` seconds at equal power.

    All pieces have one rate and one number of channels.
    """
    if not pieces:
        raise ValueError("join needs at least one piece")
    joined = pieces[0]
    for piece in pieces[1:]:
        if (piece.rate, piece.channels) != (joined.rate, joined.channels):
            raise ValueError("pieces to join differ in rate or channels")
        overlap = min(round(crossfade * joined.rate), joined.length_samples, piece.length_samples)
        angle = np.linspace(0.0, np.pi / 2, overlap, endpoint=False, dtype=np.float32)
        head, tail = joined.samples, piece.samples
        cut = joined.length_samples - overlap
        seam = head[:, cut:] * np.cos(angle) + tail[:, :overlap] * np.sin(angle)
        joined = Audio(np.concatenate([head[:, :cut], seam, tail[:, overlap:]], axis=1), joined.rate)
    return joined
