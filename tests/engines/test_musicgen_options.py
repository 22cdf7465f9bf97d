"""What may be asked of musicgen, and what is refused before any long work."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelscore.audio import Audio, write_audio
from reelscore.engines.musicgen import ENGINE, Options
from reelscore.errors import InputError
from reelscore.hardware import Hardware


@pytest.fixture
def text_model(musicgen_folders: dict[str, Path]) -> str:
    return str(musicgen_folders["text"])


@pytest.fixture
def melody_model(musicgen_folders: dict[str, Path]) -> str:
    return str(musicgen_folders["melody"])


@pytest.fixture(scope="module")
def tune(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tune") / "tune.wav"
    wave = 0.3 * np.sin(np.arange(64_000) * 2 * np.pi * 440 / 32_000)
    write_audio(Audio(wave[None].astype(np.float32), 32_000), path)
    return path


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        ({"temperature": 0.0}, "--temperature 0"),
        ({"temperature": float("nan")}, "--temperature nan"),
        ({"guidance": 0.5}, "--guidance 0.5"),
        ({"context": 26.0}, "--context 26"),
        ({"context": 1.0}, "--context 1"),
        ({"top_p": 1.5}, "--top-p 1.5"),
        ({"top_k": -1}, "--top-k -1"),
        ({"carry": "everything"}, "--carry everything"),
        ({"carry": "theme", "as_published": True}, "--carry theme contradicts --as-published"),
    ],
)
def test_values_that_cannot_be_are_named(chosen: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=r"^[^\n]*[.]$") as refused:
        Options(**chosen)
    assert named in str(refused.value)


def test_as_published_nothing_is_carried() -> None:
    assert (Options().carried, Options(as_published=True).carried) == ("tail", "nothing")
    assert Options(context=5.0, as_published=True).context_seconds == 12.0


def refused(options: Options, melody: Path | None = None, hardware: Hardware = Hardware()) -> str:
    with pytest.raises(InputError, match=r"^[^\n]*[.]$") as problem:
        ENGINE.check(options, melody, hardware)
    return str(problem.value)


def test_a_melody_needs_a_model_that_follows_one(text_model: str, melody_model: str, tune: Path) -> None:
    ENGINE.check(Options(weights=melody_model), tune, Hardware())
    ENGINE.check(Options(weights=melody_model, guide=True), None, Hardware())
    for options, melody in ((Options(weights=text_model), tune), (Options(weights=text_model, guide=True), None)):
        said = refused(options, melody)
        assert "follows words alone" in said
        assert "--weights musicgen-melody" in said
        assert (str(tune) if melody else "--guide") in said


def test_a_melody_that_is_none_is_refused_first(melody_model: str, tmp_path: Path, tune: Path) -> None:
    (tmp_path / "tune.mid").write_bytes(b"MThd")
    options = Options(weights=melody_model)
    assert "is MIDI" in refused(options, tmp_path / "tune.mid")
    assert "There is no file" in refused(options, tmp_path / "absent.wav")
    both = refused(Options(weights=melody_model, guide=True), tune)
    assert "--guide" in both and "--melody" in both


def test_a_damaged_configuration_is_one_sentence(tmp_path: Path, tune: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    assert "config.json" in refused(Options(weights=str(tmp_path)), tune)
    assert "is a file" in refused(Options(weights=str(tune)), tune)


def test_eight_bits_contradict_other_formats() -> None:
    assert "--precision bf16" in refused(Options(int8=True), None, Hardware(device="cpu", precision="bf16"))


def test_weights_that_are_not_here_come_with_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for weights, name in (("", "musicgen-small"), ("musicgen-stereo-small", "musicgen-stereo-small")):
        (sentence,) = ENGINE.missing(Options(weights=weights))
        assert f"reelscore models get {name}" in sentence
        assert "non-commercial" in sentence
    with pytest.raises(InputError, match="no model 'nothing at all'"):
        ENGINE.missing(Options(weights="nothing at all"))
    with pytest.raises(InputError, match="captioner"):
        ENGINE.missing(Options(weights="blip2-opt-2.7b"))


def test_beats_need_the_extra_for_listening(monkeypatch: pytest.MonkeyPatch, text_model: str) -> None:
    monkeypatch.setattr("reelscore.engines.musicgen.lacks_listening", lambda: ("Listening is not here.",))
    assert ENGINE.missing(Options(weights=text_model)) == ("Listening is not here.",)
    assert ENGINE.missing(Options(weights=text_model, as_published=True)) == ()
