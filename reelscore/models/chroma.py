"""Chroma: which of the twelve notes of an octave is strongest, moment by moment, as MusicGen's melody models are told it.

After Copet et al., 2023, in the form in which the models are published for transformers: power spectrum, a bank of filters
that folds octaves together (Ellis, "Chroma feature analysis and synthesis", 2007), and of each moment the strongest note
alone, so that timbre and loudness are gone. Sound is float32 (channels, n) at 32 kHz, chroma (frames, bins), bin 0 is C.

In training, drums and bass were taken out of the sound first by a separation of sources (Demucs); the published feature
extractor does without, and so is done here: give a recording in which the melody is what is heard most.
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

SAMPLE_RATE = 32_000
WINDOW_SAMPLES, HOP_SAMPLES = 16_384, 4_096
LONGEST = 30
"""Seconds that are listened to; what comes later is left out."""
CENTRE, SPREAD = 5.0, 2.0
"""In octaves above LOWEST_HZ: where most is heard, and how slowly it fades from there."""
LOWEST_HZ = 27.5
"""An A."""
MOST_BINS, MOST_FRAMES = 120, 10_000
"""More than any model has; a broken configuration must not fill the memory."""
_SILENCE = 1e-6


@dataclass(frozen=True)
class MelodyConfig:
    """What a model that follows melodies gets of one; as it stands, that of the published weights."""

    bins: int = 12
    length: int = 235
    """Frames of every melody: shorter ones are repeated, longer ones cut."""

    def __post_init__(self) -> None:
        if not (1 <= self.bins <= MOST_BINS and 1 <= self.length <= MOST_FRAMES):
            raise ValueError(
                f"a melody has 1 to {MOST_BINS} bins and 1 to {MOST_FRAMES} frames, not {self.bins} and {self.length}."
            )


def chroma(audio: Tensor, config: MelodyConfig) -> Tensor:
    """The strongest note of each frame of a recording, as 1 among zeros: float32 (frames, bins); silence counts as C.

    Frames are centred HOP_SAMPLES apart, from the first sample on. The recording is heard in mono, 30 seconds of it at most.
    """
    if audio.ndim != 2 or not audio.shape[0]:
        raise ValueError(f"a recording is (channels, n), not {tuple(audio.shape)}")
    mono = audio.float().mean(dim=0)[: LONGEST * SAMPLE_RATE]
    missing = max(WINDOW_SAMPLES - len(mono), 0)
    mono = functional.pad(mono, (missing // 2, missing - missing // 2))
    window = torch.hann_window(WINDOW_SAMPLES, device=mono.device)
    spectrum = torch.stft(mono, WINDOW_SAMPLES, HOP_SAMPLES, window=window, return_complex=True)
    power = spectrum.abs().square() / window.square().sum()
    heard = functional.normalize(filters(config.bins).to(mono.device) @ power, p=float("inf"), dim=0, eps=_SILENCE)
    return functional.one_hot(heard.argmax(dim=0), config.bins).float()


@cache
def filters(bins: int) -> Tensor:
    """How much each frequency of the spectrum tells of each note, float32 (bins, frequencies); bin 0 is C.

    A frequency counts for the notes around it by a bell curve, as wide as the next frequency is away where that is more than
    a note; the squares of what it tells of all notes add up to that of its octave's weight.
    """
    hz = torch.arange(1, WINDOW_SAMPLES // 2 + 2, dtype=torch.float64) * SAMPLE_RATE / WINDOW_SAMPLES
    notes = bins * (hz / LOWEST_HZ).log2()
    # Nothing is no note; it is put so far below the first frequency that it tells little, and of all notes alike.
    notes = torch.cat([notes[:1] - 1.5 * bins, notes])
    widths = notes.diff().clamp_min(1.0)
    notes = notes[:-1]
    half = round(bins / 2)
    away = (notes - torch.arange(bins)[:, None] + half) % bins - half
    bells = torch.exp(-2 * (away / widths).square())
    bells /= bells.square().sum(dim=0).sqrt()
    bells *= torch.exp(-0.5 * ((notes / bins - CENTRE) / SPREAD).square())
    return bells.roll(-3 * (bins // 12), dims=0).float()
