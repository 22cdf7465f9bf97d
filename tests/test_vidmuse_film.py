"""VidMuse's whole way, as a person runs it: a film, its pictures, tokens, sound, a finished video.

The model is tiny, made here, and loaded as the real one is; what it plays is no music, but every promise about the file holds.
What hangs on the process (what it prints besides, how it ends) is run as a process; the rest is run in this one, where torch and
the model are loaded already.
"""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from running import command, complaint, film, reelscore
from tiny_vidmuse import published, tiny_vidmuse

from reelscore import engines
from reelscore.cli import app_for
from reelscore.errors import ReelscoreError


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vidmuse(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("short") / "short.mp4", (1.0, 1.2))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("source") / "film.mp4", (2.5, 2.9, 3.6))


def vidmuse(weights: Path, *arguments: str | Path) -> list[str | Path]:
    return [*arguments, "--engine", "vidmuse", "--weights", weights, "--device", "cpu"]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[Sequence[str | Path]], str]:
    """What a command prints that is run in this process."""

    def run(arguments: Sequence[str | Path]) -> str:
        app = app_for(engines.find("vidmuse"))
        with pytest.raises(SystemExit) as ended:
            app([str(each) for each in arguments], exit_on_error=False, print_error=False)
        assert ended.value.code == 0
        return capsys.readouterr().out

    return run


Saying = Callable[[Sequence[str | Path]], str]


def test_from_a_film_to_a_finished_video(weights: Path, source: Path, tmp_path: Path) -> None:
    run = reelscore(
        *vidmuse(weights, "score", source, "-o", tmp_path / "out.mp4", "--report", tmp_path / "report.json", "--int8")
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == "", "nothing but the result is told"
    check_report(tmp_path / "report.json")


def test_from_a_real_film_to_a_finished_video(weights: Path, tmp_path: Path, clips: Path, said: Saying) -> None:
    clip = clips / "nasa_13013.mp4"
    said(vidmuse(weights, "score", clip, "-o", tmp_path / "out.mp4", "--report", tmp_path / "report.json"))
    check_report(tmp_path / "report.json")


def check_report(path: Path) -> None:
    report = json.loads(path.read_text())
    assert report["measured"]["picture_identical"]
    assert abs(report["measured"]["length_error"]) <= 0.001
    assert report["measured"]["loudness_lufs"] == pytest.approx(-14, abs=0.5)
    assert report["measured"]["true_peak_dbtp"] <= -1
    assert report["measured"]["longest_silence"] < 1
    assert report["asked"]["engine"] == "vidmuse"
    assert any("no text" in remark for remark in report["remarks"])


def test_the_licence_of_the_published_weights_stands_in_the_summary_and_in_the_report(
    short: Path, tmp_path: Path, said: Saying
) -> None:
    files = published(tmp_path / "published")
    score = vidmuse(files.weights, "score", short, "-o", tmp_path / "out.mp4", "--report", tmp_path / "report.json")
    assert "non-commercial" in said([*score, "--encodec", files.encodec])
    remarks = json.loads((tmp_path / "report.json").read_text())["remarks"]
    assert any("vidmuse" in remark and "non-commercial" in remark for remark in remarks)


def long_film(path: Path, changed: Sequence[float] = ()) -> Path:
    """75 s, two pictures a second, lossless, no two alike; those at the times `changed` are not what they were."""
    texture = np.random.default_rng(0).integers(40, 200, (150, 64, 64, 3)).astype(np.uint8)
    with av.open(str(path), "w") as made:
        stream = made.add_stream("libx264", rate=2)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.options = {"qp": "0"}
        for number, image in enumerate(texture):
            frame = av.VideoFrame.from_ndarray(255 - image if number / 2 in changed else image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 2)
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path


def test_in_75_seconds_each_window_hears_its_own_footage(weights: Path, tmp_path: Path, said: Saying) -> None:
    """Two films that differ in their last stretch alone, but for the pictures that tell every window of the whole film.

    The music is the same until the first window that sees the stretch goes on, and another from there. Loudness is that of the whole
    film, so it is the shapes of the two waves that are compared.
    """
    from reelscore.engines.vidmuse.windows import plan_windows

    plan = plan_windows(75.0)
    stretch = [number / 2 for number in range(124, 150) if number / 2 not in plan.overall]
    (last,) = [window for window in plan.windows if window.end / 50 > stretch[0]]
    turn = (last.start + last.context) / 50
    assert len(plan.windows) >= 3
    assert 45 < turn < stretch[0]
    waves = []
    for name, changed in (("one", []), ("other", stretch)):
        played = long_film(tmp_path / f"{name}.mp4", changed)
        said(vidmuse(weights, "score", played, "-o", tmp_path / f"{name}.wav", "--audio-only", "--steer", "0"))
        wave, rate = soundfile.read(tmp_path / f"{name}.wav", dtype="float32")
        assert len(wave) == 75 * rate
        waves.append(wave[:, 0])
    until, since = (slice(0, round((turn - 0.1) * rate)), slice(round((turn + 0.1) * rate), None))
    assert np.corrcoef(waves[0][until], waves[1][until])[0, 1] > 0.9999
    assert np.corrcoef(waves[0][since], waves[1][since])[0, 1] < 0.95


def test_variations_differ_and_the_same_seeds_give_the_same_files_again(
    weights: Path, short: Path, tmp_path: Path, said: Saying
) -> None:
    """In another process too."""
    for name, printed in (("out.wav", said), ("again.wav", lambda arguments: reelscore(*arguments).stdout)):
        score = vidmuse(weights, "score", short, "-o", tmp_path / name, "--audio-only", "--variations", "2")
        told = printed([*score, "--seed", "3", "--stems", tmp_path / f"stems of {name}", "--json"])
        takes = [json.loads(line) for line in told.splitlines()]
        assert [take["asked"]["seed"] for take in takes] == [3, 4]
        assert all(any("no stems" in remark for remark in take["remarks"]) for take in takes)
    for number in (1, 2):
        assert (tmp_path / f"out-{number}.wav").read_bytes() == (tmp_path / f"again-{number}.wav").read_bytes()
    first, second = (soundfile.read(tmp_path / f"out-{number}.wav")[0] for number in (1, 2))
    assert first.shape == second.shape
    assert not np.allclose(first, second, atol=1e-2)


def test_as_published_the_music_knows_no_seed(weights: Path, short: Path, tmp_path: Path, said: Saying) -> None:
    score = vidmuse(weights, "score", short, "-o", tmp_path / "out.mp4", "--as-published", "--variations", "2")
    assert said(score).count("seed has no effect") == 2
    assert (tmp_path / "out-1.mp4").read_bytes() == (tmp_path / "out-2.mp4").read_bytes()


def test_a_brief_alone_is_played_to_a_black_picture(weights: Path, tmp_path: Path, said: Saying) -> None:
    (tmp_path / "brief.json").write_text('{"duration": 1.21, "prompt": "calm piano, 70 bpm"}')
    told = said(vidmuse(weights, "generate", tmp_path / "brief.json", "-o", tmp_path / "out.wav"))
    assert "black picture" in told
    samples, rate = soundfile.read(tmp_path / "out.wav")
    assert len(samples) == round(1.21 * rate)


def test_a_film_of_less_than_a_second_is_scored(weights: Path, tmp_path: Path, said: Saying) -> None:
    blink = film(tmp_path / "blink.mp4", (0.4,))
    said(vidmuse(weights, "score", blink, "-o", tmp_path / "out.mp4", "--report", tmp_path / "report.json"))
    measured = json.loads((tmp_path / "report.json").read_text())["measured"]
    assert measured["picture_identical"] and abs(measured["length_error"]) <= 0.001


def test_weights_that_are_not_here_are_told_in_one_sentence(
    short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELSCORE_CACHE", str(tmp_path / "cache"))
    told = complaint(reelscore("score", short, "-o", tmp_path / "out.mp4", "--engine", "vidmuse"))
    for part in ("7.9 GB", "non-commercial", "hf download", "reelscore models convert"):
        assert part in told
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--weights", "nothing.safetensors"), "nothing.safetensors"),
        (("--weights", "short"), "short"),
        (("--temperature", "-4"), "-4"),
        (("--weights", "short", "--melody", "tune.mid"), "melody tune.mid"),
        (("--weights", "short", "--int8", "--precision", "bf16"), "--int8"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(
    flags: tuple[str, ...], named: str, short: Path, tmp_path: Path, said: Saying
) -> None:
    flags = tuple(str(short) if flag == "short" else flag for flag in flags)
    with pytest.raises(ReelscoreError, match=r"^[^\n]*[.)]$") as refused:
        said(["score", short, "-o", tmp_path / "out.mp4", "--engine", "vidmuse", *flags])
    assert named in str(refused.value)
    assert not (tmp_path / "out.mp4").exists()


def test_an_interrupted_run_tells_seconds_of_music_and_leaves_nothing(
    weights: Path, source: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    screen, its_end = pty.openpty()
    run = subprocess.Popen(
        command(*vidmuse(weights, "score", source, "-o", tmp_path / "out.mp4")),
        stdout=its_end,
        stderr=its_end,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        # Where the tests run in the background, a shell may have taught them to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    os.close(its_end)
    shown = ""
    while "1 of 9 s of music" not in shown and (more := os.read(screen, 4096)):
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
