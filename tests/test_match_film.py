"""Matching's whole way, as a person runs it: a film, a library, the best window of the best track, a finished video.

No weights are needed; with a tiny CLIP and a tiny model of sentences the same way is gone with them.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from running import complaint, film, reelscore
from tiny_library import MADE, tiny_library
from tiny_towers import tiny_clip, tiny_sentences

from reelscore import engines
from reelscore.cli import app_for
from reelscore.errors import ReelscoreError

Saying = Callable[[Sequence[str | Path]], str]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_library(tmp_path_factory.mktemp("made") / "library", duration=12.0)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("source") / "film.mp4", (2.5, 2.9, 3.6))


@pytest.fixture(autouse=True)
def nothing_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No model in any cache of this machine takes part."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Saying:
    """What a command prints that is run in this process."""

    def run(arguments: Sequence[str | Path]) -> str:
        app = app_for(engines.find("match"))
        with pytest.raises(SystemExit) as ended:
            app([str(each) for each in arguments], exit_on_error=False, print_error=False)
        assert ended.value.code == 0
        return capsys.readouterr().out

    return run


def match(library: Path, *arguments: str | Path) -> list[str | Path]:
    return [*arguments, "--engine", "match", "--library", library]


def report_of(path: Path) -> dict:
    """The report, after what every finished film must be."""
    report = json.loads(path.read_text())
    assert report["measured"]["picture_identical"]
    assert abs(report["measured"]["length_error"]) <= 0.001
    assert report["measured"]["loudness_lufs"] == pytest.approx(-14, abs=0.5)
    assert report["measured"]["true_peak_dbtp"] <= -1
    assert report["measured"]["longest_silence"] < 1
    assert report["asked"]["engine"] == "match"
    return report


def test_from_a_film_to_a_finished_video_without_any_weights(library: Path, source: Path, tmp_path: Path) -> None:
    run = reelscore(
        *match(library, "score", source, "-o", tmp_path / "out.mp4", "--report", tmp_path / "report.json"),
        *("--prompt", "a cheerful walk through autumn fields"),
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == "", "nothing but the result is told"
    report = report_of(tmp_path / "report.json")
    assert "Long Way Home" in report["remarks"][0]
    assert report["rights"]["licence"] == "cc-by"
    assert "Long Way Home" in report["rights"]["attribution"] and "Ada" in report["rights"]["attribution"]
    assert report["rights"]["attribution"] in run.stdout


def test_from_a_real_film_and_a_library_of_real_files(
    library_of_tracks: Path, clips: Path, tmp_path: Path, said: Saying
) -> None:
    out = tmp_path / "out.mp4"
    said(match(library_of_tracks, "score", clips / "nasa_13013.mp4", "-o", out, "--report", tmp_path / "report.json"))
    report_of(tmp_path / "report.json")


@pytest.mark.parametrize("by", ["brief", "description"])
def test_models_compare_where_there_are_some(
    by: str, library: Path, source: Path, tmp_path: Path, said: Saying
) -> None:
    model = tiny_sentences(tmp_path / "model") if by == "brief" else tiny_clip(tmp_path / "model")
    flag = "--sentences" if by == "brief" else "--clip"
    score = match(library, "score", source, "-o", tmp_path / "out.mp4", "--report", tmp_path / "report.json")
    said([*score, "--by", by, flag, model, "--device", "cpu"])
    report = report_of(tmp_path / "report.json")
    assert any(str(model) in remark and "compared" in remark for remark in report["remarks"])


def test_a_licence_filter_holds_for_every_variation(library: Path, source: Path, tmp_path: Path, said: Saying) -> None:
    score = match(
        library, "score", source, "-o", tmp_path / "out.wav", "--audio-only", "--licence", "cc0,public-domain"
    )
    told = said([*score, "--variations", "3", "--json"])
    takes = [json.loads(line) for line in told.splitlines()]
    titles = [next(made.title for made in MADE if made.title in take["remarks"][0]) for take in takes]
    assert len(set(titles)) == 3, "variations are different tracks"
    assert all(
        next(made for made in MADE if made.title == title).licence in ("cc0", "public domain") for title in titles
    )
    waves = [soundfile.read(tmp_path / f"out-{number}.wav")[0] for number in (1, 2, 3)]
    assert waves[0].shape == waves[1].shape
    assert len(waves[0]) == pytest.approx(9.0 * 48_000, abs=48_000 / 25)
    assert not np.allclose(waves[0], waves[1], atol=1e-2)


def test_the_same_request_gives_the_same_file_again(library: Path, source: Path, tmp_path: Path, said: Saying) -> None:
    """In another process too."""
    score = ["--audio-only", "--seed", "2"]
    said([*match(library, "score", source, "-o", tmp_path / "out.wav"), *score])
    run = reelscore(*match(library, "score", source, "-o", tmp_path / "again.wav"), *score)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out.wav").read_bytes() == (tmp_path / "again.wav").read_bytes()


def test_a_brief_alone_is_matched_by_its_words(library: Path, tmp_path: Path, said: Saying) -> None:
    (tmp_path / "brief.json").write_text('{"duration": 5.21, "prompt": "night drive through the city"}')
    told = said(match(library, "generate", tmp_path / "brief.json", "-o", tmp_path / "out.wav"))
    assert "Neon Mile" in told
    samples, rate = soundfile.read(tmp_path / "out.wav")
    assert len(samples) == round(5.21 * rate)


def test_a_film_that_is_longer_than_every_track_and_one_that_is_shorter_than_a_bar(
    library: Path, tmp_path: Path, said: Saying
) -> None:
    for name, shots in (("long", (6.0, 5.0, 6.0)), ("blink", (0.4,))):
        made = film(tmp_path / f"{name}.mp4", shots, frame_rate=10)
        score = match(library, "score", made, "-o", tmp_path / f"out {name}.mp4", "--prompt", "happy folk")
        said([*score, "--report", tmp_path / f"{name}.json"])
        measured = json.loads((tmp_path / f"{name}.json").read_text())["measured"]
        assert measured["picture_identical"] and abs(measured["length_error"]) <= 0.001
        assert measured["longest_silence"] < 1


def test_without_a_library_one_sentence_says_how_to_fill_one(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "REELSCORE_LIBRARY", str(tmp_path / "nowhere"))
    told = complaint(reelscore("score", source, "-o", tmp_path / "out.mp4", "--engine", "match"))
    assert "reelscore library add" in told and str(tmp_path / "nowhere") in told
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--licence", "gpl"), "gpl"),
        (("--licence", "mixkit"), "mixkit"),
        (("--by", "description", "--clip", "clip-vit-base-patch32"), "reelscore models get clip-vit-base-patch32"),
        (("--sentences", "all-minilm-l6-v2"), "reelscore models get all-minilm-l6-v2"),
        (("--melody", "tune.mid"), "melody tune.mid"),
        (("--library", "no such folder"), "no such folder"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(
    flags: tuple[str, ...], named: str, library: Path, source: Path, tmp_path: Path, said: Saying
) -> None:
    with pytest.raises(ReelscoreError, match=r"^[^\n]*$") as refused:
        said(
            ["score", source, "-o", tmp_path / "out.mp4", "--engine", "match"]
            + ([] if "--library" in flags else ["--library", library])
            + list(flags)
        )
    assert named in str(refused.value)
    assert not (tmp_path / "out.mp4").exists()
