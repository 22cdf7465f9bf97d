"""MusicGen's whole way, as a person runs it: a film, a captioner that is asked, a language model, scenes of music, a finished video.

The models are tiny, made here, and loaded as the real ones are; what they play is no music, but every promise about the file
holds. What hangs on the process is run as a process; the rest is run in this one, where torch and the models are loaded already.
"""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_captioner
from running import command, complaint, film, reelscore
from tiny_chat import tiny_chat
from tiny_musicgen import tiny_musicgen

from reelscore import engines
from reelscore.brief import read_brief
from reelscore.cli import app_for
from reelscore.errors import ReelscoreError

pytest.importorskip("librosa")

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
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("models")
    tiny_captioner.blip2(folder / "captioner")
    return Models(
        folder / "captioner",
        tiny_chat(folder / "chat", says=json.dumps(ADVICE)),
        tiny_musicgen(folder / "text"),
        tiny_musicgen(folder / "stereo", stereo=True),
        tiny_musicgen(folder / "melody", melody=True),
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("source") / "film.mp4", (3.6, 3.4))


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("short") / "short.mp4", (0.9, 0.7))


def musicgen(weights: Path, *arguments: str | Path) -> list[str | Path]:
    return [*arguments, "--engine", "musicgen", "--weights", weights, "--device", "cpu"]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Saying:
    """What a command prints that is run in this process."""

    def run(arguments: Sequence[str | Path]) -> str:
        app = app_for(engines.find("musicgen"))
        with pytest.raises(SystemExit) as ended:
            app([str(each) for each in arguments], exit_on_error=False, print_error=False)
        assert ended.value.code == 0
        return capsys.readouterr().out

    return run


def check_report(path: Path) -> list[str]:
    """The remarks of a report whose film keeps all promises."""
    report = json.loads(path.read_text())
    assert report["measured"]["picture_identical"]
    assert abs(report["measured"]["length_error"]) <= 0.001
    assert report["measured"]["loudness_lufs"] == pytest.approx(-14, abs=0.5)
    assert report["measured"]["true_peak_dbtp"] <= -1
    assert report["measured"]["longest_silence"] < 1
    assert report["asked"]["engine"] == "musicgen"
    return report["remarks"]


def test_from_a_film_to_a_finished_video(models: Models, source: Path, tmp_path: Path) -> None:
    run = reelscore(
        *musicgen(models.text, "score", source, "-o", tmp_path / "out.mp4", "--report", tmp_path / "report.json"),
        *("--captioner", models.captioner, "--llm", models.chat, "--detail", "long", "--prompt", "gentle, no drums"),
        *("--save-brief", tmp_path / "brief.json", "--int8"),
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == "", "nothing but the result is told"
    assert "non-commercial" in run.stdout
    remarks = " ".join(check_report(tmp_path / "report.json"))
    brief = read_brief(tmp_path / "brief.json")
    assert all(section.instruction for section in brief.sections)
    assert brief.sections[0].instruction.rstrip(".") in SAID[0]
    for part in ("Soft piano chords", "gentle", "key: ", f"bpm: {round(brief.tempo_bpm)}", "Kept away from: drums."):
        assert part in remarks


def test_from_a_real_film_to_a_finished_video(models: Models, tmp_path: Path, clips: Path, said: Saying) -> None:
    clip = clips / "friday_cc0.mp4"
    flags = ["--carry", "theme", "--context", "3", "--report", tmp_path / "report.json"]
    said([*musicgen(models.stereo, "score", clip, "-o", tmp_path / "out.mp4"), *flags])
    assert any("Asked for" in remark for remark in check_report(tmp_path / "report.json"))


def test_without_any_other_model_every_scene_is_told_how_it_feels(
    models: Models, source: Path, tmp_path: Path, said: Saying
) -> None:
    flags = ["--save-brief", tmp_path / "brief.json", "--carry", "nothing"]
    said([*musicgen(models.text, "score", source, "-o", tmp_path / "out.wav", "--audio-only"), *flags])
    assert all(section.instruction for section in read_brief(tmp_path / "brief.json").sections)


@pytest.mark.parametrize("follows", ["guide", "melody"])
def test_a_melody_is_followed_to_a_finished_video(
    follows: str, models: Models, short: Path, tmp_path: Path, said: Saying
) -> None:
    tune = 0.4 * np.sin(np.arange(22_050) * 2 * np.pi * 392 / 22_050)
    soundfile.write(tmp_path / "tune.flac", tune, 22_050)
    flags = ["--guide"] if follows == "guide" else ["--melody", tmp_path / "tune.flac"]
    report = tmp_path / "report.json"
    said(musicgen(models.melody, "score", short, "-o", tmp_path / "out.mp4", "--report", report, *flags))
    assert any("The melody is that of" in remark for remark in check_report(report))
    for name, given in (("plain", []), ("led", flags)):
        said(musicgen(models.melody, "score", short, "-o", tmp_path / f"{name}.wav", "--audio-only", *given))
    waves = [soundfile.read(tmp_path / f"{name}.wav")[0] for name in ("plain", "led")]
    assert waves[0].shape == waves[1].shape
    assert not np.allclose(*waves, atol=1e-2)


def test_variations_differ_and_the_same_seeds_give_the_same_files_again(
    models: Models, short: Path, tmp_path: Path, said: Saying
) -> None:
    """In another process too."""
    for name, printed in (("out.wav", said), ("again.wav", lambda arguments: reelscore(*arguments).stdout)):
        score = musicgen(models.text, "score", short, "-o", tmp_path / name, "--audio-only", "--variations", "2")
        takes = [json.loads(line) for line in printed([*score, "--seed", "3", "--json"]).splitlines()]
        assert [take["asked"]["seed"] for take in takes] == [3, 4]
    for number in (1, 2):
        assert (tmp_path / f"out-{number}.wav").read_bytes() == (tmp_path / f"again-{number}.wav").read_bytes()
    first, second = (soundfile.read(tmp_path / f"out-{number}.wav")[0] for number in (1, 2))
    assert first.shape == second.shape
    assert not np.allclose(first, second, atol=1e-2)


def test_a_brief_that_a_person_wrote_is_followed(models: Models, tmp_path: Path, said: Saying) -> None:
    sections = [
        {"start": 0, "end": 1.21, "instruction": "a lonely piano"},
        {"start": 1.21, "end": 5.0, "instruction": "strings, fast"},
    ]
    (tmp_path / "brief.json").write_text(json.dumps({"duration": 5.0, "sections": sections, "key": "D minor"}))
    for flags, told in (
        ([], "strings, fast. genre: "),
        (["--as-published"], "“a lonely piano”, 1.2 s “strings, fast”"),
    ):
        out = tmp_path / "out.wav"
        assert told in said([*musicgen(models.text, "generate", tmp_path / "brief.json", "-o", out), *flags])
        samples, rate = soundfile.read(out)
        assert len(samples) == 5 * rate


def test_weights_that_are_not_here_are_told_in_one_sentence(
    short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    told = complaint(reelscore("score", short, "-o", tmp_path / "out.mp4", "--engine", "musicgen"))
    for part in ("GB", "non-commercial", "reelscore models get musicgen-small"):
        assert part in told
    assert not (tmp_path / "out.mp4").exists()


def test_a_missing_extra_is_told_in_one_sentence(
    models: Models, short: Path, tmp_path: Path, said: Saying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelscore.listening.find_spec", lambda name: None if name == "librosa" else name)
    with pytest.raises(ReelscoreError, match=r'^[^\n]*pip install "reelscore\[listening\]"\.$'):
        said(musicgen(models.text, "score", short, "-o", tmp_path / "out.mp4"))


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
    flags: tuple[str, ...], named: str, models: Models, short: Path, tmp_path: Path, said: Saying
) -> None:
    paths = {"short": str(short), "text": str(models.text), "melody": str(models.melody)}
    with pytest.raises(ReelscoreError, match=r"^[^\n]*[.)]$") as refused:
        said(
            [
                "score",
                short,
                "-o",
                tmp_path / "out.mp4",
                "--engine",
                "musicgen",
                *(paths.get(flag, flag) for flag in flags),
            ]
        )
    assert named in str(refused.value)
    assert not (tmp_path / "out.mp4").exists()


def test_an_interrupted_run_tells_seconds_of_music_and_leaves_nothing(
    models: Models, source: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    screen, its_end = pty.openpty()
    run = subprocess.Popen(
        command(*musicgen(models.text, "score", source, "-o", tmp_path / "out.mp4")),
        stdout=its_end,
        stderr=its_end,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        # Where the tests run in the background, a shell may have taught them to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    os.close(its_end)
    shown = ""
    while "1 of 7 s of music" not in shown and (more := os.read(screen, 4096)):
        shown += more.decode(errors="replace")
    run.send_signal(signal.SIGINT)
    try:
        while more := os.read(screen, 4096):
            shown += more.decode(errors="replace")
    except OSError:  # how Linux says that nobody writes to a terminal any more
        pass
    assert run.wait(timeout=60) == 128 + signal.SIGINT, shown
    assert "reelscore: interrupted; nothing half-written was left behind." in shown
    assert sorted(tmp_path.iterdir()) == before
