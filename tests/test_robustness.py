"""Bad input and bad luck, through the command line: one sentence and exit code 1, nothing lost, nothing half-written."""

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from running import command, complaint, film, reelscore

from reelscore.brief import read_brief
from reelscore.loudness import blocks_of, measure
from reelscore.media import picture_sha256, probe
from reelscore.media.finished import whole_sound

Folder = dict[str, bytes]


def contents(folder: Path) -> Folder:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("source") / "film.mp4", shots=(0.8, 1.2))


@pytest.fixture
def place(tmp_path: Path, source: Path) -> Iterator[Path]:
    """A folder with a film in it that must hold the same bytes and nothing more after a run that was refused."""
    (tmp_path / "film.mp4").write_bytes(source.read_bytes())
    yield tmp_path


def refused(place: Path, *arguments: str | Path) -> str:
    before = contents(place)
    said = complaint(reelscore(*arguments, cwd=place))
    assert contents(place) == before
    return said


def scored(video: Path, target: Path, *arguments: str | Path) -> dict[str, object]:
    """What a run that must succeed says of itself; what is true of every finished film is checked here."""
    run = reelscore("score", video, "-o", target, "--json", *arguments)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert picture_sha256(target) == picture_sha256(video)
    clip = probe(target)
    sound = np.concatenate(list(whole_sound(target, clip.start)), axis=1)
    assert sound.shape[1] == pytest.approx(clip.duration * 48_000, abs=2)
    assert measure(blocks_of(sound), 48_000).true_peak_dbtp <= -1.0
    return json.loads(run.stdout)


# ── Films that are odd and yet films ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("suffix", "shape"),
    [
        (".mp4", {"uneven": True}),
        (".mp4", {"rotation": 90, "sound": "mono"}),
        (".mp4", {"shots": (0.5,)}),
        (".mkv", {"size": (101, 67), "pixels": "yuv444p", "sound": "5.1"}),
        (".mp4", {"pixels": "yuv420p10le", "sound": None}),
        (".webm", {"sound_level": 0.0}),
    ],
    ids=["variable frame rate", "rotated", "half a second", "odd size", "10 bits", "silent"],
)
def test_odd_films_are_scored(tmp_path: Path, suffix: str, shape: dict[str, object]) -> None:
    video = film(tmp_path / f"film{suffix}", **({"shots": (0.8, 1.0)} | shape))  # type: ignore[arg-type]
    scored(video, tmp_path / f"out{suffix}")


def test_a_film_without_a_stated_duration_is_scored_to_its_last_picture(tmp_path: Path) -> None:
    (tmp_path / "live.mkv").write_bytes(b"")
    with av.open(film(tmp_path / "film.mp4", shots=(1.0, 1.0))) as given, (tmp_path / "live.mkv").open("wb") as pipe:

        class Unseekable:
            write = staticmethod(pipe.write)

        with av.open(Unseekable(), "w", format="matroska") as live:
            streams = {stream.index: live.add_stream_from_template(stream) for stream in given.streams}
            for packet in given.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream_index]
                    live.mux(packet)
    with av.open(tmp_path / "live.mkv") as live:
        assert live.duration is None
    scored(tmp_path / "live.mkv", tmp_path / "out.mkv")
    assert probe(tmp_path / "out.mkv").duration == pytest.approx(2.0, abs=0.05)


def test_a_damaged_sound_is_passed_over_and_the_person_hears_of_it(source: Path, tmp_path: Path) -> None:
    spoilt = bytearray(source.read_bytes())
    with av.open(source) as given:
        sounding = [(packet.pos, packet.size) for packet in given.demux(audio=0) if packet.size]
    for position, size in sounding[10:40]:
        spoilt[position : position + size] = np.random.default_rng(position).bytes(size)
    (tmp_path / "spoilt.mp4").write_bytes(spoilt)
    told = scored(tmp_path / "spoilt.mp4", tmp_path / "out.mp4")
    assert "of the film's own sound are damaged" in str(told["remarks"])


def test_damaged_pictures_are_named(source: Path, tmp_path: Path) -> None:
    spoilt = bytearray(source.read_bytes())
    with av.open(source) as given:
        shown = [(packet.pos, packet.size) for packet in given.demux(video=0) if packet.size]
    for position, size in shown[20:30]:
        half = size // 2
        spoilt[position + half : position + size] = np.random.default_rng(position).bytes(size - half)
    (tmp_path / "spoilt.mp4").write_bytes(spoilt)
    run = reelscore("analyze", tmp_path / "spoilt.mp4")
    assert run.returncode == 0, run.stderr
    assert "pictures of the film are damaged" in str(json.loads(run.stdout)["remarks"])


def test_a_film_that_was_cut_off_is_scored_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mkv", shots=(1.0, 1.0, 1.0)).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    told = scored(tmp_path / "cut.mkv", tmp_path / "out.mkv")
    assert "only" in str(told["remarks"])


def test_a_film_without_any_picture_that_decodes_is_refused(place: Path) -> None:
    spoilt = bytearray((place / "film.mp4").read_bytes())
    with av.open(place / "film.mp4") as given:
        shown = [(packet.pos, packet.size) for packet in given.demux(video=0) if packet.size]
    for position, size in shown:
        spoilt[position : position + size] = bytes(size)
    (place / "blank.mp4").write_bytes(spoilt)
    assert "No picture of blank.mp4" in refused(place, "score", "blank.mp4", "-o", "out.mp4")


@pytest.mark.parametrize("name", ["broken_audio.mp4", "no_duration.webm", "gradio_av1.mp4"])
def test_real_films_that_others_stumble_over(clips: Path, tmp_path: Path, name: str) -> None:
    told = scored(clips / name, tmp_path / name)
    assert told["mixed"]["integrated_lufs"] == pytest.approx(-14.0, abs=0.5)  # type: ignore[index]


# ── What cannot be, refused before any work ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("target", ["film.mp4", "soft.mp4", "hard.mp4"])
def test_the_film_is_never_written_over(place: Path, target: str) -> None:
    (place / "soft.mp4").symlink_to("film.mp4")
    (place / "hard.mp4").hardlink_to(place / "film.mp4")
    assert "would destroy film.mp4" in refused(place, "score", "film.mp4", "-o", target)


@pytest.mark.parametrize(
    "words",
    [
        ("analyze", "film.mp4", "-o", "film.mp4"),
        ("brief", "film.mp4", "-o", "film.mp4"),
        ("generate", "brief.json", "-o", "out.wav", "--midi", "brief.json"),
        ("check", "film.mp4", "--brief", "brief.json", "--timeline", "brief.json"),
        ("score", "film.mp4", "-o", "out.mp4", "--brief", "brief.json", "--save-brief", "brief.json"),
    ],
    ids=lambda words: words[0],
)
def test_no_verb_writes_over_what_it_reads(place: Path, words: tuple[str, ...]) -> None:
    (place / "brief.json").write_text('{"duration": 2.0}')
    assert "would destroy" in refused(place, *words)


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--midi", "film.mp4"), "film.mp4"),
        (("--report", "out.mp4"), "written twice"),
        (("--save-brief", "no/brief.json"), "no folder no"),
        (("--report", "no/report.json"), "no folder no"),
        (("--stems", "film.mp4"), "it is a file"),
        (("--save-brief", "/dev/null"), "device"),
        (("--seed", "-1"), "-1"),
        (("--tempo", "nan"), "nan"),
        (("--cues", "cues.txt"), "line 2"),
        (("--melody", "cues.txt"), "MIDI"),
        (("--original", "louder"), "louder"),
    ],
)
def test_what_cannot_be_is_refused(place: Path, flags: tuple[str, str], named: str) -> None:
    (place / "cues.txt").write_text("1.0\nnever\n")
    assert named in refused(place, "score", "film.mp4", "-o", "out.mp4", *flags)


@pytest.mark.parametrize("target", ["film.mp4/out.mp4", f"{'x' * 300}.mp4", "/dev/full"])
def test_places_that_cannot_be_written_are_refused(place: Path, target: str) -> None:
    assert Path(target).name in refused(place, "score", "film.mp4", "-o", target)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"duration": 2.0, "tempo_bmp": 90}', "tempo_bmp"),
        ('{"duration": 2.0, "cues": [{"time": 1.0, "strenght": 1}]}', "strenght"),
        ('{"duration": NaN}', "duration"),
        ('{"duration": 1e300}', "duration"),
        ("[" * 100_000, "brief.json"),
        ("\x00\x01", "brief.json"),
        (json.dumps({"duration": 2.0, "cues": [{"time": n / 1e4} for n in range(20_000)]}), "20000 are too many"),
    ],
    ids=["typo", "deeper typo", "no number", "endless", "nested", "binary", "swarming"],
)
def test_a_brief_that_does_not_hold_together_is_refused(place: Path, text: str, named: str) -> None:
    (place / "brief.json").write_text(text)
    assert named in refused(place, "generate", "brief.json", "-o", "out.wav")


# ── Bad luck on the way ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("beside", [(), ("--stems", "stems")], ids=["film", "stems"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(place: Path, beside: tuple[str, ...]) -> None:
    before = contents(place)
    run = subprocess.run(
        command("score", "film.mp4", "-o", "out.mkv", "--codec", "pcm", *beside),
        capture_output=True,
        text=True,
        cwd=place,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
    )
    assert "Cannot write" in complaint(run)
    assert contents(place) == before


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_half_file(place: Path, stop: signal.Signals) -> None:
    before = contents(place)
    run = subprocess.Popen(
        command("score", "film.mp4", "-o", "out.mp4", "--stems", "stems"),
        stderr=subprocess.PIPE,
        text=True,
        cwd=place,
        # Where the tests run in the background, a shell may have taught them to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(stop, signal.SIG_DFL),  # noqa: PLW1509
    )
    while run.poll() is None and not list(place.rglob("*.part*")):
        time.sleep(0.005)
    run.send_signal(stop)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 128 + stop, said
    assert said == "reelscore: interrupted; nothing half-written was left behind.\n"
    assert contents(place) == before


def test_a_reader_that_leaves_early_hears_no_complaint(source: Path) -> None:
    run = subprocess.Popen(command("analyze", source), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None and run.stderr is not None
    run.stdout.close()
    assert run.stderr.read() == b""
    assert run.wait(timeout=60) == 1


# ── What comes out ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_variations_number_every_file_and_print_one_line_each(source: Path, tmp_path: Path) -> None:
    run = reelscore(
        *("score", source, "-o", "out.mp4", "--variations", "2", "--json", "--midi", "out.mid"),
        *("--stems", "stems", "--report", "report.json", "--save-brief", "brief.json"),
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    each = ("out-{}.mp4", "out-{}.mid", "stems-{}", "report-{}.json", "report-{}.png")
    assert {path.name for path in tmp_path.iterdir()} == {
        "brief.json",
        *(name.format(number) for name in each for number in (1, 2)),
    }
    takes = [json.loads(line) for line in run.stdout.splitlines()]
    assert [take["asked"]["seed"] for take in takes] == [0, 1]
    for take, report in zip(takes, ("report-1.json", "report-2.json"), strict=True):
        assert json.loads((tmp_path / report).read_text()) == take
        assert take["measured"]["picture_identical"] is True
    assert read_brief(tmp_path / "brief.json").duration == pytest.approx(2.0)


@pytest.mark.parametrize("original", ["keep", "drop"])
def test_a_film_without_sound_needs_no_other_flags(tmp_path: Path, original: str) -> None:
    video = film(tmp_path / "mute.mp4", shots=(1.2,), sound=None)
    told = scored(video, tmp_path / "out.mp4", "--original", original)
    assert told["mixed"]["speech_to_music_db"] is None  # type: ignore[index]


def test_a_result_that_is_a_link_stays_a_link(source: Path, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "out.wav").symlink_to("far/out.wav")
    run = reelscore("score", source, "-o", tmp_path / "out.wav", "--audio-only")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out.wav").is_symlink()
    assert soundfile.info(tmp_path / "far" / "out.wav").samplerate == 48_000


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no terminals of this kind here")
@pytest.mark.parametrize("quiet", [False, True])
def test_long_work_shows_bars_where_somebody_watches(source: Path, tmp_path: Path, quiet: bool) -> None:
    screen, terminal = os.openpty()
    run = subprocess.Popen(
        command("score", source, "-o", tmp_path / "out.mp4", "--json", *["--quiet"] * quiet),
        stdout=subprocess.PIPE,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(screen, 4096):
            shown += piece
    except OSError:
        pass  # a terminal without anybody behind it is an error on Linux and an end elsewhere
    os.close(screen)
    assert run.wait(timeout=60) == 0
    assert run.stdout is not None
    assert json.loads(run.stdout.read())["written"]
    stages = [stage for stage in ("analysis", "composing", "mix", "mux") if stage.encode() in shown]
    assert stages == ([] if quiet else ["analysis", "composing", "mix", "mux"])
