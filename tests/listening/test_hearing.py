"""Whole files: any format, and any damage."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_sounds import RATE, agreement, composed

from reelscore.audio import Audio, write_audio
from reelscore.errors import MediaError, MissingError
from reelscore.listening import ENERGY_STEP, lacks_listening, listen, pulse_of, require_listening
from reelscore.loudness import blocks_of, measure


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_a_file_is_heard_whole(tmp_path: Path, suffix: str) -> None:
    piece = composed("rock", 118.0, "D minor")
    path = tmp_path / f"track{suffix}"
    if suffix == ".mp3":
        soundfile.write(path, piece.sound.T, RATE)
    else:
        write_audio(Audio(piece.sound, RATE), path)
    heard = listen(path)
    assert heard.duration == pytest.approx(24.0, abs=0.06)
    assert heard.pulse.tempo_bpm == pytest.approx(118.0, rel=0.01)
    late = 0.04 if suffix == ".mp3" else 0.0  # what the coder puts before the first sample, and does not tell
    assert agreement(heard.pulse.beats - late, piece.beats, 0.03) > 0.95
    assert heard.key == "D minor"
    assert heard.loudness_lufs == pytest.approx(measure(blocks_of(piece.sound), RATE).integrated_lufs, abs=0.2)
    assert len(heard.energy) == np.ceil(heard.duration / ENERGY_STEP)
    assert heard.ending == pytest.approx(piece.last_note + late, abs=0.06)
    assert len(pickle.loads(pickle.dumps(heard)).pulse.beats) == len(heard.pulse.beats)


def test_what_is_known_of_the_tempo_is_used(tmp_path: Path) -> None:
    path = tmp_path / "track.wav"
    write_audio(Audio(composed("rock", 118.0, "D minor").sound, RATE), path)
    assert listen(path, near_bpm=59.0).pulse.tempo_bpm == pytest.approx(59.0, rel=0.01)


def _noise(count: int) -> bytes:
    return np.random.default_rng(1).bytes(count)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.wav", b""),
        ("noise.mp3", _noise(20_000)),
        ("words.flac", b"no sound at all"),
        ("header.wav", b"RIFF\0\0\0\0WAVEfmt "),
    ],
)
def test_what_is_no_sound_is_refused_in_a_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(MediaError, match=name):
        listen(path)


def test_silence_no_samples_and_no_file_are_refused(tmp_path: Path) -> None:
    silent, bare = tmp_path / "silent.wav", tmp_path / "bare.wav"
    write_audio(Audio(np.zeros((2, RATE), np.float32), RATE), silent)
    write_audio(Audio(np.zeros((2, 0), np.float32), RATE), bare)
    for path in (silent, bare, tmp_path / "nowhere.wav", tmp_path):
        with pytest.raises(MediaError, match="give a recording"):
            listen(path)


def test_damage_is_heard_as_far_as_it_goes_or_refused(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.mp3", tmp_path / "spoilt.mp3"
    soundfile.write(whole, composed("rock", 118.0, "D minor").sound[:, : 4 * RATE].T, RATE)
    data, chance, finished = whole.read_bytes(), np.random.default_rng(3), 0
    for _ in range(8):
        spoilt = bytearray(data)
        for place in chance.integers(0, len(spoilt), 60):
            spoilt[place] ^= 1 << int(chance.integers(8))
        path.write_bytes(bytes(spoilt[: int(chance.integers(len(spoilt) // 4, len(spoilt)))]))
        try:
            heard = listen(path)
        except MediaError:
            continue
        finished += 1
        assert np.isfinite(heard.energy).all() and np.isfinite(heard.loudness_lufs)
        assert (np.diff(heard.pulse.beats) > 0).all()
    assert finished >= 4


def test_samples_that_are_no_numbers_do_no_harm(tmp_path: Path) -> None:
    sound = composed("rock", 118.0, "D minor").sound[:, : 4 * RATE].copy()
    sound[:, 100:200] = np.nan
    sound[0, 300] = np.inf
    path = tmp_path / "odd.wav"
    soundfile.write(path, sound.T, RATE, subtype="FLOAT")
    assert np.isfinite(listen(path).loudness_lufs)


def test_blocks_change_nothing() -> None:
    from reelscore.listening.curves import Ear, curves_of

    sound = composed("rock", 118.0, "D minor").sound[:, : 8 * RATE + 123]
    ear = Ear(RATE)
    for block in blocks_of(sound, 1_000):
        ear.add(block)
    ours, whole = ear.finish(), curves_of(sound, RATE)
    assert ours.onsets == pytest.approx(whole.onsets, abs=1e-3)
    assert ours.chroma == pytest.approx(whole.chroma, abs=1e-4)
    assert len(pulse_of(sound, RATE).beats) > 8


def test_without_librosa_there_is_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lacks_listening() == ()
    monkeypatch.setattr("reelscore.listening.find_spec", {}.get)
    with pytest.raises(MissingError, match=r"reelscore\[listening\]"):
        require_listening()
