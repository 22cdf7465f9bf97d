"""Chroma beside the published filters and a published-like spectrum, and on sound whose notes are known."""

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers.audio_utils import chroma_filter_bank, spectrogram

from reelscore.models.chroma import HOP_SAMPLES, SAMPLE_RATE, WINDOW_SAMPLES, MelodyConfig, chroma, filters

C4_HZ = 440 * 2 ** (-9 / 12)


def tone(*notes: int, seconds: float = 1.0, level: float = 0.3) -> Tensor:
    """Notes above C4 one after another, each with softer overtones, (1, n)."""
    time = torch.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    played = [
        sum(level / part**2 * torch.sin(2 * np.pi * part * C4_HZ * 2 ** (note / 12) * time) for part in (1, 2, 3))
        for note in notes
    ]
    return torch.cat([torch.as_tensor(each) for each in played])[None].float()


def notes_of(heard: Tensor) -> list[int]:
    assert heard.dtype == torch.float32
    assert torch.equal(heard.sum(1), torch.ones(len(heard))) and torch.equal(heard, heard.square())
    found: list[int] = heard.argmax(1).tolist()
    return found


@pytest.mark.parametrize("bins", [12, 24, 36])
def test_the_filters_are_the_published_ones(bins: int) -> None:
    wanted = chroma_filter_bank(num_frequency_bins=WINDOW_SAMPLES, num_chroma=bins, sampling_rate=SAMPLE_RATE, tuning=0)
    np.testing.assert_allclose(filters(bins).numpy(), wanted, atol=1e-6)


def test_frames_are_those_of_another_spectrum() -> None:
    """Noise, in which no note stands out, so that any other window, hop or edge would give other notes."""
    noise = torch.randn(1, 5 * SAMPLE_RATE + 1234, generator=torch.Generator().manual_seed(1))
    window = np.hanning(WINDOW_SAMPLES + 1)[:-1]
    power = spectrogram(
        noise[0].numpy(), window, WINDOW_SAMPLES, HOP_SAMPLES, power=2.0, center=True, pad_mode="reflect"
    )
    bank = chroma_filter_bank(num_frequency_bins=WINDOW_SAMPLES, num_chroma=12, sampling_rate=SAMPLE_RATE, tuning=0)
    wanted = (bank @ power).argmax(0)
    heard = notes_of(chroma(noise, MelodyConfig()))
    assert heard == wanted.tolist()
    assert len(set(heard)) > 6


def test_every_note_is_heard_in_any_octave() -> None:
    for note in range(12):
        for octave in (-12, 0, 12):
            assert set(notes_of(chroma(tone(note + octave), MelodyConfig()))) == {note}


def test_a_tune_is_followed() -> None:
    tune = (0, 4, 7, 2, 9)
    heard = notes_of(chroma(tone(*tune, seconds=2.0), MelodyConfig()))
    assert [heard[round((place + 0.5) * 2 * SAMPLE_RATE / HOP_SAMPLES)] for place in range(5)] == list(tune)


def test_loudness_and_channels_do_not_matter() -> None:
    config, sound = MelodyConfig(), tone(5, 2)
    heard = chroma(sound, config)
    assert torch.equal(chroma(sound * 1e-3, config), heard)
    assert torch.equal(chroma(torch.cat([sound, sound]), config), heard)
    assert torch.equal(chroma(torch.cat([2 * sound, torch.zeros_like(sound)]), config), heard)


@pytest.mark.parametrize(
    ("samples", "frames"),
    [(0, 5), (1, 5), (WINDOW_SAMPLES, 5), (5 * HOP_SAMPLES - 1, 5), (5 * HOP_SAMPLES, 6), (31 * SAMPLE_RATE, 235)],
)
def test_as_many_frames_as_the_published_extractor_makes(samples: int, frames: int) -> None:
    """235 of 30 seconds, which is all that is listened to; what is shorter than a window is filled up with silence."""
    assert chroma(torch.zeros(1, samples), MelodyConfig()).shape == (frames, 12)


def test_what_comes_after_half_a_minute_is_not_heard() -> None:
    sound = tone(7, seconds=30.0)
    longer = torch.cat([sound, tone(1, seconds=3.0)], dim=1)
    assert torch.equal(chroma(longer, MelodyConfig()), chroma(sound, MelodyConfig()))


def test_silence_is_c() -> None:
    assert set(notes_of(chroma(torch.zeros(2, SAMPLE_RATE), MelodyConfig()))) == {0}


def test_what_is_no_recording() -> None:
    for shape in ((100,), (0, 100), (1, 1, 100)):
        with pytest.raises(ValueError, match=r"\(channels, n\)"):
            chroma(torch.zeros(shape), MelodyConfig())
    for wrong in ({"bins": 0}, {"length": 0}, {"bins": 2**20}, {"length": 2**20}):
        with pytest.raises(ValueError, match="1 to 10000 frames"):
            MelodyConfig(**wrong)
