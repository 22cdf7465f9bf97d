"""Music that was made here as a track of the library: its file, its words, its beats, and that nothing is there twice."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from tiny_library import RATE, struck

from reelscore import listening
from reelscore.audio import Audio
from reelscore.brief import Brief, Cue, Section, Tags
from reelscore.errors import MissingError, OutputError
from reelscore.library import Track, open_library, remembering
from reelscore.library.remembering import description_of, remember, require_memory, title_of
from reelscore.tempo import TempoMap

DURATION = 8.0
BRIEF = Brief(
    duration=DURATION,
    prompt="slow waves, no drums.",
    tags=Tags(genres=("ambient",), moods=("calm", "dreamy"), instruments=("felt piano",)),
    key="D minor",
    tempo_bpm=96.0,
    tempo_map=TempoMap.steady(96.0, DURATION),
    sections=(
        Section(start=0.0, end=4.0, energy=0.3, instruction="A boat leaves the harbour."),
        Section(start=4.0, end=DURATION, energy=0.7),
    ),
    cues=(Cue(time=5.0, kind="ending"),),
)


@pytest.fixture(scope="module")
def music() -> Audio:
    return Audio(struck(96.0, DURATION, (0.3, 0.7)), RATE)


def kept(folder: Path, music: Audio, brief: Brief = BRIEF, **said: object) -> Track:
    named = {"engine": "compose", "seed": 3, "licence": "", "attribution": "", "film": Path("a/holiday.mp4")}
    return remember(folder, music, brief, **{**named, "known_beats": True, **said})


def test_it_is_a_track_with_the_briefs_words(tmp_path: Path, music: Audio) -> None:
    kept(tmp_path / "library", music)
    with open_library(tmp_path / "library") as library:
        (track,) = library.tracks()
        assert library.intact(track)
        for words in ("slow waves", "harbour", "felt piano", "dreamy"):
            assert library.words_score(words, "both")[1][0] == pytest.approx(1.0)
    assert track.title == "Calm ambient for holiday"
    assert track.source == "Reelscore, compose, seed 3"
    assert track.licence == "own"
    assert set(track.tags) == {"ambient", "calm", "dreamy", "felt piano"}


def test_its_file_lies_in_the_library_and_is_the_music(tmp_path: Path, music: Audio) -> None:
    track = kept(tmp_path / "library", music)
    assert tmp_path / "library" in track.path.parents
    assert track.path.suffix == ".flac"
    samples, rate = soundfile.read(track.path, dtype="float32")
    assert rate == RATE
    assert np.abs(samples.T - music.samples).max() < 1e-5


def test_beats_that_are_known_are_not_measured(tmp_path: Path, music: Audio) -> None:
    track = kept(tmp_path / "library", music)
    assert track.tempo_bpm == 96.0
    assert track.key == "D minor"
    assert track.beats == pytest.approx([beat for beat in BRIEF.tempo_map.beats if beat < DURATION], abs=1e-4)
    assert track.downbeats == pytest.approx([beat for beat in BRIEF.tempo_map.downbeats if beat < DURATION], abs=1e-4)
    assert track.ending == pytest.approx(5.0)


def test_beats_that_are_not_known_are_heard(tmp_path: Path, music: Audio) -> None:
    track = kept(tmp_path / "library", music, known_beats=False)
    assert track.tempo_bpm == pytest.approx(96.0, rel=0.03)
    struck_at = 0.1 + 0.625 * np.arange(9)
    assert all(np.abs(track.beats - beat).min() < 0.05 for beat in struck_at[1:-1])


def test_the_same_music_twice_is_one_track(tmp_path: Path, music: Audio) -> None:
    first, again = (kept(tmp_path / "library", music) for _ in range(2))
    other = kept(tmp_path / "library", music, BRIEF.model_copy(update={"prompt": "gulls"}))
    assert first.id == again.id == other.id
    with open_library(tmp_path / "library") as library:
        assert len(library) == 1
    assert len(list((tmp_path / "library").rglob("*.flac"))) == 1
    louder = Audio(music.samples * np.float32(0.9), RATE)
    assert kept(tmp_path / "library", louder).id != first.id


def test_the_licence_of_weights_goes_with_it(tmp_path: Path, music: Audio) -> None:
    track = kept(tmp_path / "library", music, licence="CC-BY-NC-4.0", attribution="by a model")
    assert track.licence == "cc-by-nc"
    assert track.attribution == "by a model"


def test_words_are_those_of_the_brief_and_nothing_twice() -> None:
    said = description_of(BRIEF)
    assert said == "slow waves. calm, dreamy, ambient. with felt piano. A boat leaves the harbour"
    assert description_of(Brief(duration=1.0)) == ""
    assert title_of(Brief(duration=1.0), None) == "Music"


def test_what_cannot_be_kept_is_told_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELSCORE_LIBRARY", str(tmp_path / "library"))
    require_memory()
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("REELSCORE_LIBRARY", str(tmp_path / "file" / "library"))
    with pytest.raises(OutputError):
        require_memory()
    monkeypatch.setattr(listening, "find_spec", lambda _: None)
    with pytest.raises(MissingError, match=r"reelscore\[listening\]"):
        require_memory()


def test_an_interruption_leaves_nothing(tmp_path: Path, music: Audio, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for place, name in ((soundfile, "write"), (remembering, "listen")):
        with monkeypatch.context() as patched:
            patched.setattr(place, name, stopped)
            with pytest.raises(KeyboardInterrupt):
                kept(tmp_path / "library", music)
        assert not list((tmp_path / "library" / remembering.FOLDER).iterdir())
