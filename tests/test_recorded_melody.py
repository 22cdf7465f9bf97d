"""Melodies as people have them: any format, rate, length, level, and files that are no melodies."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from reelscore.engines.sonique import ENGINE, Options
from reelscore.errors import InputError
from reelscore.hardware import Hardware
from reelscore.loudness import blocks_of, measure
from reelscore.melody import MOST_PEAK, USUAL_LUFS, read_recording

RATE = 44_100


def tune(rate: int, channels: int, duration: float = 3.0, level: float = 0.1) -> np.ndarray:
    sine = level * np.sin(2 * np.pi * 440.0 * np.arange(round(duration * rate)) / rate)
    return np.repeat(sine[:, None], channels, axis=1)


@pytest.mark.parametrize("rate", [8000, 22_050, 48_000, 96_000])
@pytest.mark.parametrize(("suffix", "channels"), [("wav", 1), ("flac", 2), ("ogg", 2), ("wav", 6)])
def test_any_format_rate_and_number_of_channels_is_read(tmp_path: Path, rate: int, suffix: str, channels: int) -> None:
    path = tmp_path / f"tune.{suffix}"
    soundfile.write(path, tune(rate, channels), rate)
    sound = read_recording(path, RATE, 1, 60 * RATE)
    assert sound.shape == (1, pytest.approx(3 * RATE, abs=0.05 * RATE))
    spectrum = np.abs(np.fft.rfft(sound[0, : 2 * RATE]))
    assert np.argmax(spectrum) / 2 == pytest.approx(440.0, abs=1.0)


@pytest.mark.parametrize("level", [0.0005, 0.1, 0.99])
def test_the_level_is_that_of_finished_records(tmp_path: Path, level: float) -> None:
    path = tmp_path / "tune.wav"
    soundfile.write(path, tune(RATE, 2, level=level), RATE, subtype="FLOAT")
    sound = read_recording(path, RATE, 1, 60 * RATE)
    assert measure(blocks_of(sound), RATE).integrated_lufs == pytest.approx(USUAL_LUFS, abs=0.2)
    assert np.abs(sound).max() <= MOST_PEAK


def test_no_more_is_read_than_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "tune.wav"
    soundfile.write(path, tune(RATE, 1, duration=9.0), RATE)
    assert read_recording(path, RATE, 2, 50_000).shape == (2, 50_000)


def test_numbers_that_are_none_are_silence(tmp_path: Path) -> None:
    path = tmp_path / "tune.wav"
    sound = tune(RATE, 1)
    sound[1000:1100] = np.nan
    soundfile.write(path, sound, RATE, subtype="FLOAT")
    assert np.isfinite(read_recording(path, RATE, 1, 60 * RATE)).all()


def test_what_is_no_melody_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(b"no sound at all")
    (tmp_path / "tune.mid").write_bytes(b"MThd")
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    for name in ("noise.wav", "tune.mid", "silent.wav", "absent.wav", "."):
        with pytest.raises(InputError, match="give a recording"):
            ENGINE.check(Options(), tmp_path / name, Hardware())


def test_a_recording_is_accepted(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "tune.wav", tune(RATE, 1), RATE)
    ENGINE.check(Options(), tmp_path / "tune.wav", Hardware())
