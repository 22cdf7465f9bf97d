"""MusicGen's whole way, as a person runs it: a film, a captioner that is asked, a language model, scenes of music, a finished video.

The models are tiny, made here, and loaded as the real ones are; what they play is no music, but every promise about the file
holds. All is run in this process, where torch and the models are loaded already; what hangs on a process of its own is shown for the
other engines.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tiny_captioner
from running import film
from tiny_chat import tiny_chat

from reelscore import engines, free_models
from reelscore.brief import read_brief
from reelscore.cli import app_for
from reelscore.errors import ReelscoreError

pytest.importorskip("librosa")

SEEN = "A woman walks along a quiet beach at dusk"
SAID = (
    "Soft piano chords over warm strings, slowly opening up.",
    "The strings take over and climb, driving and bright.",
)
ADVICE = {
    "genres": ["ambient"],
    "moods": ["calm"],
    "instruments": ["piano", "strings"],
    "tempo_bpm": 84,
    "scenes": [{"scene": number, "mood": "calm", "energy": 0.4, "music": text} for number, text in enumerate(SAID, 1)],
}
Saying = Callable[[Sequence[str | Path]], str]


@dataclass(frozen=True)
class Models:
    """The folders of the models."""

    captioner: Path
    chat: Path
    text: Path
    stereo: Path
    melody: Path


@pytest.fixture(scope="module")
def models(musicgen_folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("models")
    tiny_captioner.blip2(folder / "captioner", says=SEEN)
    return Models(
        folder / "captioner",
        tiny_chat(folder / "chat", says=json.dumps(ADVICE)),
        **musicgen_folders,
    )


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("short") / "short.mp4", (0.9, 0.7))


def musicgen(weights: Path, *arguments: str | Path) -> list[str | Path]:
    return [*arguments, "--engine", "musicgen", "--weights", weights, "--device", "cpu"]


def run(arguments: Sequence[str | Path]) -> None:
    """Runs a command in this process."""
    app = app_for(engines.find("musicgen"))
    with pytest.raises(SystemExit) as ended:
        app([str(each) for each in arguments], exit_on_error=False, print_error=False)
    assert ended.value.code == 0


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Saying:
    """What a command tells that is run in this process: its result and nothing else, whoever else would like to print."""

    def told(arguments: Sequence[str | Path]) -> str:
        capfd.readouterr()
        run(arguments)
        out, err = capfd.readouterr()
        assert err == ""
        return out

    return told


def check_report(path: Path, *, picture: bool = True) -> list[str]:
    """The remarks of a report whose film, or sound alone, keeps all promises."""
    report = json.loads(path.read_text())
    assert report["measured"]["picture_identical"] is (True if picture else None)
    assert abs(report["measured"]["length_error"]) <= 0.001
    assert report["measured"]["loudness_lufs"] == pytest.approx(-14, abs=0.5)
    assert report["measured"]["true_peak_dbtp"] <= -1
    assert report["measured"]["longest_silence"] < 1
    assert report["asked"]["engine"] == "musicgen"
    return report["remarks"]


def test_from_a_film_to_a_finished_video(models: Models, short: Path, tmp_path: Path, said: Saying) -> None:
    arguments = (
        *musicgen(models.text, "score", short, "-o", tmp_path / "out.mp4", "--report", tmp_path / "report.json"),
        *("--captioner", models.captioner, "--llm", models.chat, "--detail", "long", "--prompt", "gentle, no drums"),
        *("--save-brief", tmp_path / "brief.json", "--int8"),
    )
    assert "non-commercial" in said(arguments)
    remarks = " ".join(check_report(tmp_path / "report.json"))
    brief = read_brief(tmp_path / "brief.json")
    assert [section.instruction.rstrip(".") for section in brief.sections] == [SAID[0].rstrip(".")]
    assert "captioner" not in remarks, "it has nothing to complain of"
    for part in ("Soft piano chords", "gentle", "key: ", f"bpm: {round(brief.tempo_bpm)}", "Kept away from: drums."):
        assert part in remarks


def test_from_a_real_film_to_a_finished_video(models: Models, tmp_path: Path, clips: Path) -> None:
    report = ["--report", tmp_path / "report.json"]
    run([*musicgen(models.stereo, "score", clips / "friday_cc0.mp4", "-o", tmp_path / "out.mp4"), *report])
    assert any("Asked for" in remark for remark in check_report(tmp_path / "report.json"))


@pytest.mark.parametrize("captioned", [True, False])
def test_without_a_language_model_a_scene_is_told_what_is_seen_or_how_it_feels(
    captioned: bool, models: Models, short: Path, tmp_path: Path, said: Saying
) -> None:
    captioner = ["--captioner", models.captioner, "--detail", "simple"] if captioned else []
    flags = ["--save-brief", tmp_path / "brief.json", "--audio-only", *captioner]
    told = said([*musicgen(models.text, "score", short, "-o", tmp_path / "out.wav"), *flags])
    (section,) = read_brief(tmp_path / "brief.json").sections
    assert (section.instruction == f"{SEEN}.") is captioned
    assert f"Asked for: {section.instruction.rstrip('.')}. " in told


def test_a_melody_is_followed_from_the_composer_or_a_recording(models: Models, short: Path, tmp_path: Path) -> None:
    tune = 0.4 * np.sin(np.arange(22_050) * 2 * np.pi * 392 / 22_050)
    soundfile.write(tmp_path / "tune.flac", tune, 22_050)
    waves, remarks = [], []
    for follows in ([], ["--guide"], ["--melody", tmp_path / "tune.flac"]):
        files = ["-o", tmp_path / "out.wav", "--audio-only", "--report", tmp_path / "report.json"]
        run(musicgen(models.melody, "score", short, *files, *follows))
        waves.append(soundfile.read(tmp_path / "out.wav")[0])
        remarks.append(" ".join(check_report(tmp_path / "report.json", picture=False)))
    assert ["The melody is that of" in each for each in remarks] == [False, True, True]
    assert len({wave.shape for wave in waves}) == 1
    assert not any(np.allclose(*pair, atol=1e-2) for pair in combinations(waves, 2))


def test_variations_differ_and_the_same_seeds_give_the_same_files_again(
    models: Models, short: Path, tmp_path: Path, said: Saying
) -> None:
    for name in ("out.wav", "again.wav"):
        free_models()
        score = musicgen(models.text, "score", short, "-o", tmp_path / name, "--audio-only", "--variations", "2")
        takes = [json.loads(line) for line in said([*score, "--seed", "3", "--json"]).splitlines()]
        assert [take["asked"]["seed"] for take in takes] == [3, 4]
    for number in (1, 2):
        assert (tmp_path / f"out-{number}.wav").read_bytes() == (tmp_path / f"again-{number}.wav").read_bytes()
    first, second = (soundfile.read(tmp_path / f"out-{number}.wav")[0] for number in (1, 2))
    assert first.shape == second.shape
    assert not np.allclose(first, second, atol=1e-2)


def test_a_brief_that_a_person_wrote_is_followed(models: Models, tmp_path: Path, said: Saying) -> None:
    sections = [
        {"start": 0, "end": 3.01, "instruction": "a lonely piano"},
        {"start": 3.01, "end": 6.02, "instruction": "strings, fast"},
    ]
    (tmp_path / "brief.json").write_text(json.dumps({"duration": 6.02, "sections": sections, "key": "D minor"}))
    for flags, in_every_scene in ([], True), (["--as-published"], False):
        out = tmp_path / "out.wav"
        told = said([*musicgen(models.text, "generate", tmp_path / "brief.json", "-o", out), *flags])
        assert "“a lonely piano”, 3.0 s “strings, fast”" in told
        assert ("in every scene: " in told) is in_every_scene
        samples, rate = soundfile.read(out)
        assert len(samples) == round(6.02 * rate)


def test_weights_that_are_not_here_are_told_in_one_sentence(
    short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ReelscoreError, match=r"^[^\n]* GB.*non-commercial.*reelscore models get musicgen-small\.$"):
        run(["score", short, "-o", tmp_path / "out.mp4", "--engine", "musicgen"])
    assert not (tmp_path / "out.mp4").exists()


def test_a_missing_extra_is_told_in_one_sentence(
    models: Models, short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelscore.listening.find_spec", lambda name: None if name == "librosa" else name)
    with pytest.raises(ReelscoreError, match=r'^[^\n]*pip install "reelscore\[listening\]"\.$'):
        run(musicgen(models.text, "score", short, "-o", tmp_path / "out.mp4"))


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--weights", "no such model"), "no such model"),
        (("--weights", "short"), "short"),
        (("--guidance", "0"), "--guidance"),
        (("--weights", "text", "--guide"), "musicgen-melody"),
        (("--weights", "melody", "--melody", "tune.mid"), "tune.mid"),
        (("--weights", "text", "--int8", "--precision", "bf16"), "--int8"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(
    flags: tuple[str, ...], named: str, models: Models, short: Path, tmp_path: Path
) -> None:
    paths = {"short": str(short), "text": str(models.text), "melody": str(models.melody)}
    with pytest.raises(ReelscoreError, match=r"^[^\n]*[.)]$") as refused:
        run(
            [
                "score",
                short,
                "-o",
                tmp_path / "out.mp4",
                "--engine",
                "musicgen",
                *(paths.get(each, each) for each in flags),
            ]
        )
    assert named in str(refused.value)
    assert not (tmp_path / "out.mp4").exists()


def test_an_interrupted_run_leaves_nothing(
    models: Models, short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How a signal ends the process is shown for VidMuse, which is played by the same loop."""

    def stopped(*_: Any, watch: Callable[[int], None], **__: Any) -> None:
        watch(20)
        raise KeyboardInterrupt

    monkeypatch.setattr("reelscore.engines.musicgen.playing.generate", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(musicgen(models.text, "score", short, "-o", tmp_path / "out.mp4", "--stems", tmp_path / "stems"))
    assert list(tmp_path.iterdir()) == []
