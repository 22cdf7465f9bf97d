"""SONIQUE's whole way, as a person runs it: a film, a captioner, a language model, tags, diffusion, a finished video.

The models are tiny, made here, and loaded as the real ones are; what they make is no music, but every promise about the file holds.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_captioner
from running import complaint, film, reelscore
from tiny_chat import tiny_chat
from tiny_sonique import published, tiny_sonique

from reelscore.brief import read_brief

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "film.mp4"
ADVICE = {
    "genres": ["electronic"],
    "moods": ["tense", "dark"],
    "instruments": ["synth bass", "warm pad"],
    "tempo_bpm": 124,
    "scenes": [{"scene": 1, "mood": "mysterious", "energy": 0.3}],
}


@dataclass(frozen=True)
class Models:
    """Folders and files of the three models."""

    captioner: Path
    chat: Path
    weights: Path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("models")
    tiny_captioner.smolvlm(folder / "captioner")
    tiny_chat(folder / "chat", says=json.dumps(ADVICE))
    return Models(folder / "captioner", folder / "chat", tiny_sonique(folder))


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("short") / "short.mp4")


def sonique(models: Models, *arguments: str | Path):
    return reelscore(*arguments, "--engine", "sonique", "--weights", models.weights, "--steps", "4", "--device", "cpu")


@pytest.mark.parametrize("source", ["example", "real"])
def test_from_a_film_to_a_finished_video(
    source: str, models: Models, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = EXAMPLE if source == "example" else request.getfixturevalue("clips") / "bbb_480p_30s.mp4"
    run = sonique(
        models,
        *("score", path, "-o", tmp_path / "out.mp4", "--captioner", models.captioner, "--llm", models.chat),
        *("--report", tmp_path / "report.json", "--save-brief", tmp_path / "brief.json", "--instruments", "piano"),
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == "", "nothing but the result is told"
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["measured"]["picture_identical"]
    assert abs(report["measured"]["length_error"]) <= 0.001
    assert report["measured"]["loudness_lufs"] == pytest.approx(-14, abs=0.5)
    assert report["measured"]["true_peak_dbtp"] <= -1
    assert report["measured"]["longest_silence"] < 1
    assert report["asked"]["engine"] == "sonique"
    assert any("licence" in remark for remark in report["remarks"])
    brief = read_brief(tmp_path / "brief.json")
    assert brief.tags.genres == ("electronic",)
    assert brief.tags.moods[:2] == ("tense", "dark")
    assert brief.tags.instruments[0] == "grand piano"
    assert brief.sources["tags.genres"].startswith("model")
    assert brief.sources["tags.instruments"].startswith("person")


def test_analyze_describes_every_scene(models: Models, short: Path) -> None:
    run = reelscore("analyze", short, "--captioner", models.captioner)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    facts = json.loads(run.stdout)
    assert facts["captioned_by"] == models.captioner.name
    assert facts["captions"]
    assert all(0 <= caption["start"] < caption["end"] <= 6 for caption in facts["captions"])


def test_a_brief_alone_becomes_music_and_the_seed_decides(models: Models, tmp_path: Path) -> None:
    (tmp_path / "brief.json").write_text('{"duration": 3.21, "prompt": "calm piano, 70 bpm"}')
    sounds = []
    for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        run = sonique(
            models, "generate", tmp_path / "brief.json", "-o", tmp_path / f"{name}.wav", "--seed", seed, "--json"
        )
        assert run.returncode == 0, run.stderr
        samples, rate = soundfile.read(tmp_path / f"{name}.wav")
        assert len(samples) == round(3.21 * rate)
        sounds.append(samples)
    assert np.array_equal(sounds[0], sounds[1])
    assert not np.array_equal(sounds[0], sounds[2])


def test_variations_are_written_each_with_its_seed(models: Models, short: Path, tmp_path: Path) -> None:
    run = sonique(
        *(models, "score", short, "-o", tmp_path / "out.wav", "--audio-only", "--variations", "2", "--seed", "3"),
        *("--stems", tmp_path / "stems", "--json"),
    )
    assert run.returncode == 0, run.stderr
    takes = [json.loads(line) for line in run.stdout.splitlines()]
    assert [take["asked"]["seed"] for take in takes] == [3, 4]
    assert all(any("no stems" in remark for remark in take["remarks"]) for take in takes)
    first, second = (soundfile.read(tmp_path / f"out-{number}.wav")[0] for number in (1, 2))
    assert first.shape == second.shape
    assert not np.allclose(first, second, atol=1e-3)


def test_the_published_files_need_nothing_but_their_paths(tmp_path: Path) -> None:
    files = published(tmp_path / "published", "lightning")
    (tmp_path / "brief.json").write_text('{"duration": 2}')
    straight = reelscore(
        *("generate", tmp_path / "brief.json", "-o", tmp_path / "straight.wav", "--engine", "sonique", "--steps", "3"),
        *("--weights", files.weights, "--config", files.config, "--text-tower", files.text_tower),
        *("--tokenizer", files.tokenizer),
    )
    assert straight.returncode == 0, straight.stderr
    converted = reelscore(
        *("models", "convert", files.weights, "--config", files.config, "--text-tower", files.text_tower),
        *("--tokenizer", files.tokenizer, "-o", tmp_path / "one.safetensors"),
    )
    assert converted.returncode == 0, converted.stderr
    assert converted.stdout.strip() == str(tmp_path / "one.safetensors")
    told = json.loads(reelscore("models", "info", tmp_path / "one.safetensors", "--json").stdout)
    assert told
    again = reelscore(
        *("generate", tmp_path / "brief.json", "-o", tmp_path / "again.wav", "--engine", "sonique", "--steps", "3"),
        *("--weights", tmp_path / "one.safetensors"),
    )
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "straight.wav").read_bytes() == (tmp_path / "again.wav").read_bytes()


def test_models_are_listed_with_their_terms() -> None:
    rows = json.loads(reelscore("models", "list", "--json").stdout)
    assert {"sonique", "roberta-base"} <= {row["name"] for row in rows}
    assert all(row["terms"] for row in rows)
    assert "gemma" in reelscore("models", "list").stdout


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--engine", "sonique"), "reelscore models convert"),
        (("--engine", "sonique", "--weights", "nothing.safetensors"), "nothing.safetensors"),
        (("--engine", "sonique", "--steps", "-4"), "-4"),
        (("--captioner", "smolvlm2-500m"), "reelscore models get smolvlm2-500m"),
        (("--llm", "qwen2.5-7b"), "reelscore models get qwen2.5-7b"),
        (("--llm", "http://"), "http://"),
        (("--llm-model", "mine"), "--llm"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(
    flags: tuple[str, ...], named: str, short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELSCORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    assert named in complaint(reelscore("score", short, "-o", tmp_path / "out.mp4", *flags))
    assert not (tmp_path / "out.mp4").exists()


def test_a_language_model_that_is_silent_is_told_of_and_the_rules_answer(short: Path, tmp_path: Path) -> None:
    run = reelscore(
        "score", short, "-o", tmp_path / "out.wav", "--audio-only", "--llm", "http://127.0.0.1:9/v1", "--json"
    )
    assert run.returncode == 0, run.stderr
    (remark,) = [each for each in json.loads(run.stdout)["remarks"] if "language model" in each]
    assert "did not answer" in remark
    assert remark.endswith("The brief is by the rules.")
