"""The command line, run as a person runs it: what it prints, what it writes, and what it says to bad input."""

import json
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from running import complaint, film, reelscore

from reelscore.brief import read_brief


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("source") / "a film.mp4")


@pytest.fixture(scope="module")
def scored(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that one run can write."""
    folder = tmp_path_factory.mktemp("scored")
    (folder / "cues.txt").write_text("# a door slams\n1.25\n0:03.5\n")
    run = reelscore(
        *(
            "score",
            source,
            "-o",
            folder / "out.mp4",
            "--prompt",
            "happy folk, no drums",
            "--tempo",
            "104",
            "--key",
            "D major",
        ),
        *(
            "--cues",
            folder / "cues.txt",
            "--seed",
            "5",
            "--loudness",
            "-16",
            "--stems",
            folder / "stems",
            "--midi",
            folder / "out.mid",
        ),
        *("--save-brief", folder / "brief.json", "--report", folder / "report.json", "--json"),
    )
    assert run.returncode == 0, run.stderr
    (folder / "printed.json").write_text(run.stdout)
    return folder


def test_score_writes_everything_that_was_asked_for(scored: Path) -> None:
    names = {path.name for path in scored.iterdir()}
    assert {"out.mp4", "out.mid", "brief.json", "report.json", "report.png", "stems"} <= names
    assert not [name for name in names if ".part" in name]
    assert json.loads((scored / "printed.json").read_text())


def test_the_brief_holds_what_the_person_asked_for(scored: Path) -> None:
    brief = read_brief(scored / "brief.json")
    assert brief.tags.genres[0] == "folk"
    assert "happy" in brief.tags.moods
    assert brief.avoids("drum kit")
    assert brief.key == "D major"
    assert brief.tempo_bpm == pytest.approx(104)
    assert {1.25, 3.5} <= {cue.time for cue in brief.cues}
    assert brief.sources["tempo_bpm"].startswith("person")


def test_stems_sum_to_the_music_and_none_is_avoided(scored: Path) -> None:
    stems = {path.stem: soundfile.read(path)[0] for path in (scored / "stems").glob("*.wav")}
    assert stems
    assert len({samples.shape for samples in stems.values()}) == 1
    tracks = [track.name for track in mido.MidiFile(scored / "out.mid").tracks]
    assert not [name for name in (*stems, *tracks) if "drum" in name.lower()]


def test_check_measures_the_finished_film(scored: Path) -> None:
    run = reelscore("check", scored / "out.mp4", "--brief", scored / "brief.json", "--json")
    assert run.returncode == 0, run.stderr
    measured = json.loads(run.stdout)
    assert abs(measured["length_error"]) < 0.03
    assert measured["picture_identical"] is True
    assert measured["loudness_lufs"] == pytest.approx(-16, abs=0.5)
    assert measured["true_peak_dbtp"] <= -1.0 + 0.05
    assert {"longest_silence", "cue_hit_rate", "cue_hit_rate_by_chance", "cue_errors", "speech_to_music_db"} <= set(
        measured
    )


def test_an_edited_brief_is_followed_and_the_same_seed_repeats(source: Path, scored: Path, tmp_path: Path) -> None:
    arguments = ("--brief", scored / "brief.json", "--seed", "5", "--audio-only", "--original", "drop")
    for name in ("one.wav", "two.wav"):
        run = reelscore("score", source, "-o", tmp_path / name, *arguments)
        assert run.returncode == 0, run.stderr
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()


def test_variations_are_numbered_and_differ(source: Path, tmp_path: Path) -> None:
    run = reelscore("score", source, "-o", tmp_path / "out.wav", "--audio-only", "--variations", "2")
    assert run.returncode == 0, run.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"out-1.wav", "out-2.wav"}
    assert (tmp_path / "out-1.wav").read_bytes() != (tmp_path / "out-2.wav").read_bytes()


def test_a_brief_without_any_film_makes_music(tmp_path: Path) -> None:
    (tmp_path / "brief.json").write_text('{"duration": 5.0, "tags": {"genres": ["jazz"]}}')
    run = reelscore("generate", tmp_path / "brief.json", "-o", tmp_path / "out.flac", "--midi", tmp_path / "out.mid")
    assert run.returncode == 0, run.stderr
    samples, rate = soundfile.read(tmp_path / "out.flac")
    assert samples.shape == (5 * rate, 2)
    assert (tmp_path / "out.mid").exists()


def test_the_brief_verb_prints_a_brief_that_names_its_sources(source: Path, tmp_path: Path) -> None:
    run = reelscore("brief", source, "--moods", "sad,tender")
    assert run.returncode == 0, run.stderr
    (tmp_path / "brief.json").write_text(run.stdout)
    brief = read_brief(tmp_path / "brief.json")
    assert brief.tags.moods[:2] == ("sad", "tender")
    assert {"tempo_bpm", "key", "tags.genres"} <= set(brief.sources)


def test_analyze_finds_the_cuts_to_the_frame(source: Path) -> None:
    run = reelscore("analyze", source)
    assert run.returncode == 0, run.stderr
    facts = json.loads(run.stdout)
    assert [shot["start"] for shot in facts["shots"]] == pytest.approx([0.0, 2.0, 3.6])
    assert facts["duration"] == pytest.approx(6.0)


def test_engines_are_listed_with_their_options() -> None:
    assert "--soundfont" in reelscore("engines").stdout
    rows = json.loads(reelscore("engines", "--json").stdout)
    assert [row["name"] for row in rows] == ["compose", "match", "musicgen", "sonique", "vidmuse"]


def bad_inputs(folder: Path) -> dict[str, Path]:
    (folder / "text.mp4").write_text("this is no film")
    (folder / "empty.mp4").touch()
    soundfile.write(folder / "sound.wav", np.zeros(48000), 48000)
    whole = film(folder / "whole.mp4").read_bytes()
    (folder / "truncated.mp4").write_bytes(whole[: len(whole) // 3])
    return {
        "no such file": folder / "nothing.mp4",
        "a folder": folder,
        "no film": folder / "text.mp4",
        "empty": folder / "empty.mp4",
        "only sound": folder / "sound.wav",
        "truncated": folder / "truncated.mp4",
    }


def test_bad_films_are_one_sentence_and_leave_nothing(tmp_path: Path) -> None:
    for bad in bad_inputs(tmp_path).values():
        before = sorted(tmp_path.iterdir())
        assert str(bad) in complaint(reelscore("score", bad, "-o", tmp_path / "out.mp4"))
        assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--genres", "polkacore"), "polkacore"),
        (("--key", "H major"), "H major"),
        (("--tempo", "900"), "900"),
        (("--loudness", "deafening"), "deafening"),
        (("--variations", "0"), "0"),
        (("--melody", "nothing.mid"), "nothing.mid"),
        (("--brief", "nothing.json"), "nothing.json"),
        (("--cues", "nothing.txt"), "nothing.txt"),
        (("--engine", "orchestrion"), "orchestrion"),
        (("--soundfont", "nothing.sf2"), "nothing.sf2"),
    ],
)
def test_bad_wishes_are_one_sentence_that_names_them(
    source: Path, tmp_path: Path, flags: tuple[str, str], named: str
) -> None:
    assert named in complaint(reelscore("score", source, "-o", tmp_path / "out.mp4", *flags))
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_cannot_be_are_refused_before_any_work(source: Path, tmp_path: Path) -> None:
    before = source.read_bytes()
    assert "would destroy" in complaint(reelscore("score", source, "-o", source))
    assert "no folder" in complaint(reelscore("score", source, "-o", tmp_path / "missing" / "out.mp4"))
    assert "is a folder" in complaint(reelscore("score", source, "-o", tmp_path))
    assert ".avi" in complaint(reelscore("score", source, "-o", tmp_path / "out.avi"))
    assert source.read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_a_typo_in_a_brief_names_the_field(scored: Path, source: Path, tmp_path: Path) -> None:
    text = (scored / "brief.json").read_text()
    (tmp_path / "typo.json").write_text(text.replace('"tempo_bpm"', '"tempo_bmp"', 1))
    message = complaint(reelscore("score", source, "-o", tmp_path / "out.mp4", "--brief", tmp_path / "typo.json"))
    assert "tempo_bmp" in message
    assert "tempo_bpm" in message


def test_a_brief_for_another_film_is_refused(scored: Path, tmp_path: Path) -> None:
    other = film(tmp_path / "other.mp4", shots=(1.0, 2.0))
    assert "6.000 s" in complaint(
        reelscore("score", other, "-o", tmp_path / "out.mp4", "--brief", scored / "brief.json")
    )


@pytest.mark.parametrize("name", ["-dash.mp4", "späce & ünï.mp4", "100%d.mp4", "a:b#c?.mp4", "concat:x.mp4"])
def test_strange_names_are_only_names(tmp_path: Path, name: str) -> None:
    given = film(tmp_path / "plain.mp4", shots=(1.0,), sound=None).rename(tmp_path / name)
    run = reelscore(
        "score", "./" + name if name.startswith("-") else given, "-o", tmp_path / ("out " + name), cwd=tmp_path
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / ("out " + name)).stat().st_size > 0
