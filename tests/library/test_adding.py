"""Files come into the library once each, under any name, with what is said of them; what cannot come in is told and stops nothing."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from made_library import heard, retagged, tone
from running import film

from reelscore.errors import InputError
from reelscore.library import Added, Library, Track, Written
from reelscore.media import sound_sha256

pytestmark = pytest.mark.usefixtures("listened")
Listened = list[tuple[str, float | None]]


def only(library: Library) -> Track:
    (track,) = library.tracks()
    return track


def counts(added: Added) -> dict[str, int]:
    names = ("added", "known", "updated", "moved", "duplicates", "refused")
    return {name: len(getattr(added, name)) for name in names if getattr(added, name)}


def test_every_format_comes_in_with_its_tags(library: Library, listened: Listened, tmp_path: Path) -> None:
    suffixes = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
    for number, suffix in enumerate(suffixes):
        tone(
            tmp_path / "in" / f"{number}{suffix}",
            200 + 10 * number,
            title=f"Tone {number}",
            artist="Ann",
            copyright="CC BY 4.0",
        )
    done = library.add([tmp_path / "in"])
    assert counts(done) == {"added": 6}
    tracks = library.tracks()
    assert [track.title for track in tracks] == [f"Tone {number}" for number in range(6)]
    assert {track.licence for track in tracks} == {"cc-by"}
    assert tracks[0].attribution == "“Tone 0” by Ann (CC BY 4.0)"
    assert len({track.sha256 for track in tracks}) == 6
    assert all(track.sha256 == sound_sha256(track.path) for track in tracks)
    assert len(listened) == len(library) == 6


def test_what_was_heard_is_kept(library: Library, tmp_path: Path) -> None:
    library.add([tone(tmp_path / "a.wav")])
    track, true = only(library), heard(key="D minor")
    assert (track.duration, track.tempo_bpm, track.key) == (60.0, 120.0, "D minor")
    assert (track.loudness_lufs, track.begins, track.stops, track.ending) == (-16.0, 0.0, 60.0, None)
    for kept, curve in (
        (track.energy, true.energy),
        (track.beats, true.pulse.beats),
        (track.downbeats, true.pulse.downbeats),
    ):
        np.testing.assert_allclose(kept, curve, atol=1e-5)
    overview = library.overview()
    assert overview.energy[0] == pytest.approx(true.energy.mean(), abs=1e-5)
    assert overview.energy_spread[0] == pytest.approx(true.energy.std(), abs=1e-5)
    assert np.isnan(overview.ending[0])
    assert (overview.key[0], overview.licence[0], len(overview)) == ("D minor", "", 1)


def test_a_person_wins_over_tags_and_tags_over_the_ear(library: Library, listened: Listened, tmp_path: Path) -> None:
    path = tone(
        tmp_path / "a.flac", title="Tagged", artist="Tagged", tbpm="90", tkey="Em", genre="Rock", copyright="cc0"
    )
    library.add([path], Written(title="Said", tags=("calm",), licence="own"))
    track = only(library)
    assert (track.title, track.tags, track.licence) == ("Said", ("calm",), "own")
    assert (track.artist, track.tempo_bpm, track.key) == ("Tagged", 90.0, "E minor")
    assert listened == [("a.flac", 90.0)]  # the tag settles the octave of the beats


def test_a_second_add_touches_nothing_that_is_known(library: Library, listened: Listened, tmp_path: Path) -> None:
    for number in range(4):
        tone(tmp_path / "in" / f"{number}.wav", 200 + 10 * number)
    library.add([tmp_path / "in"])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "in").iterdir()}
    assert counts(library.add([tmp_path / "in"])) == {"known": 4}
    assert len(listened) == 4
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "in").iterdir()}


def test_words_can_be_given_later(library: Library, listened: Listened, tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", title="Tagged")
    library.add([path], Written(description="a slow tune"))
    assert counts(library.add([path], Written(title="Said", licence="cc-by"))) == {"updated": 1}
    assert counts(library.add([path], Written(title="Said", licence="cc-by"))) == {"known": 1}
    track = only(library)
    assert (track.title, track.description, track.licence) == ("Said", "a slow tune", "cc-by")
    assert len(listened) == 1


def test_a_tempo_given_later_is_listened_for(library: Library, listened: Listened, tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav")
    library.add([path])
    assert counts(library.add([path], Written(tempo_bpm=60.0))) == {"updated": 1}
    assert listened == [("a.wav", None), ("a.wav", 60.0)]
    track = only(library)
    assert track.tempo_bpm == 60.0
    assert np.diff(track.beats) == pytest.approx(1.0, abs=1e-4)
    assert counts(library.add([path], Written(tempo_bpm=60.0))) == {"known": 1}
    assert len(listened) == 2


def test_a_file_tagged_anew_is_the_same_track(library: Library, listened: Listened, tmp_path: Path) -> None:
    path = tone(tmp_path / "a.mp3", title="Before", artist="Ann")
    library.add([path], Written(artist="Said by a person"))
    retagged(path, tmp_path / "b.mp3", title="After", artist="Bob", genre="Jazz", copyright="cc0")
    (tmp_path / "b.mp3").replace(path)
    assert counts(library.add([path])) == {"updated": 1}
    track = only(library)
    assert (track.title, track.artist, track.tags, track.licence) == ("After", "Said by a person", ("Jazz",), "cc0")
    assert len(listened) == 1


def test_a_moved_file_is_found_again(library: Library, listened: Listened, tmp_path: Path) -> None:
    path = tone(tmp_path / "in" / "a.ogg")
    library.add([path], Written(description="what I said"))
    moved = tmp_path / "in" / "elsewhere" / "b.ogg"
    moved.parent.mkdir()
    path.rename(moved)
    assert counts(library.add([tmp_path / "in"])) == {"moved": 1}
    track = only(library)
    assert (track.path, track.description) == (moved, "what I said")
    assert counts(library.add([tmp_path / "in"])) == {"known": 1}
    assert len(listened) == 1


def test_duplicates_are_one_track(library: Library, listened: Listened, tmp_path: Path) -> None:
    first = tone(tmp_path / "in" / "a.wav")
    for name in ("b.wav", "c.wav"):
        shutil.copyfile(first, tmp_path / "in" / name)
    done = library.add([tmp_path / "in"])
    assert counts(done) == {"added": 1, "duplicates": 2}
    assert only(library).path == first
    assert len(listened) == 1
    assert counts(library.add([tmp_path / "in"])) == {"known": 3}


def test_a_file_with_other_sound_keeps_its_words(library: Library, tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", 200, title="One")
    library.add([path], Written(description="my theme"))
    before = only(library)
    tone(path, 300, title="Two")
    assert counts(library.add([path])) == {"updated": 1}
    after = only(library)
    assert (after.id, after.description, after.title) == (before.id, "my theme", "Two")
    assert after.sha256 == sound_sha256(path) != before.sha256


def test_what_is_no_sound_is_passed_over_and_what_is_damaged_is_told(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    tone(folder / "good.wav")
    tone(folder / ".hidden.wav", 300)
    tone(folder / ".git" / "hidden.wav", 310)
    (folder / "notes.txt").write_text("no sound")
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    (folder / "nothing.txt").touch()
    (folder / "song without ending").write_bytes((folder / "good.wav").read_bytes())
    film(folder / "film.mp4", (1.0,))
    tone(folder / "only sound.m4a", 500).rename(folder / "only sound.mp4")
    (folder / "damaged.mkv").write_bytes(os.urandom(5000))
    (folder / "empty.mp3").touch()
    (folder / "damaged.flac").write_bytes(os.urandom(5000))
    (folder / "gone.wav").symlink_to(folder / "nowhere.wav")
    os.mkfifo(folder / "pipe")
    (folder / "circle").symlink_to(folder)
    (folder / "linked.wav").symlink_to(folder / "good.wav")
    done = library.add([folder])
    assert counts(done) == {"added": 2, "refused": 3}
    assert done.no_sound == 7
    assert {track.path.name for track in library.tracks()} == {"good.wav", "only sound.mp4"}
    assert {each.path.name: each.why.split(str(each.path))[1][:12] for each in done.refused} == {
        "empty.mp3": " is empty; c",
        "damaged.flac": " cannot be r",
        "gone.wav": " is a link t",
    }


def test_what_a_person_names_is_told_of_whatever_it_is(library: Library, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no sound")
    os.mkfifo(tmp_path / "pipe.wav")
    named = [tmp_path / "notes.txt", tmp_path / "none.wav", tmp_path / "pipe.wav", Path("/dev/null"), Path("x" * 5000)]
    done = library.add(named)
    assert counts(done) == {"refused": 5}
    assert done.nothing
    assert all(str(each.path) in each.why and each.why.endswith(".") for each in done.refused)


def test_what_cannot_be_listened_to_is_told_and_its_copies_too(
    library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from reelscore.errors import MediaError
    from reelscore.library import measuring

    def listen(path: Path, *, near_bpm: float | None = None) -> object:
        if path.name.startswith("silent"):
            raise MediaError(f"{path} is silent.")
        return heard(tempo_bpm=near_bpm or 120.0)

    monkeypatch.setattr(measuring, "listen", listen)
    tone(tmp_path / "in" / "silent.wav", 300)
    shutil.copyfile(tmp_path / "in" / "silent.wav", tmp_path / "in" / "silent too.wav")
    tone(tmp_path / "in" / "the rest.wav", 200)
    done = library.add([tmp_path / "in"])
    assert counts(done) == {"added": 1, "refused": 2}


def test_names_that_are_no_unicode_and_hostile_names(library: Library, tmp_path: Path) -> None:
    source = tone(tmp_path / "in" / "a.wav")
    for pitch, name in enumerate(
        (b"caf\xe9.wav", b"\x1b[31mred.wav", "夜の歌.wav".encode(), b"a'; DROP TABLE track; --.wav")
    ):
        tone(source, 300 + pitch).rename(tmp_path / "in" / os.fsdecode(name))
    done = library.add([tmp_path / "in"])
    assert counts(done) == {"added": 4}
    assert {track.title for track in library.tracks()} == {"caf?", "?[31mred", "夜の歌", "a'; DROP TABLE track;"}
    assert all(track.path.exists() for track in library.tracks())
    assert counts(library.add([tmp_path / "in"])) == {"known": 4}


def test_a_sheet_says_what_each_track_is(library: Library, tmp_path: Path) -> None:
    for number in range(3):
        tone(tmp_path / "in" / f"{number}.wav", 200 + 10 * number)
    sheet = tmp_path / "tracks.tsv"
    sheet.write_text("file\ttitle\ttags\ttempo\tmood\n0.wav\tMoon\tcalm, slow\t60\tblue\n9.wav\tNobody\t\t\t\n")
    done = library.add([tmp_path / "in"], Written(tags=("everywhere",), licence="own"), sheet=sheet)
    assert counts(done) == {"added": 3}
    assert len(done.remarks) == 2
    tracks = library.tracks()
    assert (tracks[0].title, tracks[0].tags, tracks[0].tempo_bpm) == ("Moon", ("calm", "slow"), 60.0)
    assert (tracks[1].title, tracks[1].tags, tracks[1].tempo_bpm) == ("1", ("everywhere",), 120.0)
    assert {track.licence for track in tracks} == {"own"}


def test_a_sheet_alone_names_what_to_add(library: Library, tmp_path: Path) -> None:
    tone(tmp_path / "in" / "a.wav")
    (tmp_path / "tracks.csv").write_text("file,description\nin/a.wav,rain at night\nin/b.wav,never recorded\n")
    done = library.add([], sheet=tmp_path / "tracks.csv")
    assert counts(done) == {"added": 1, "refused": 1}
    assert only(library).description == "rain at night"


def test_a_title_is_for_one_file(library: Library, tmp_path: Path) -> None:
    for number in range(2):
        tone(tmp_path / f"{number}.wav", 200 + number)
    with pytest.raises(InputError, match="belongs to one file"):
        library.add([tmp_path], Written(title="Both"))
    assert len(library) == 0


def test_music_made_here_is_put_as_it_is_known(library: Library, listened: Listened, tmp_path: Path) -> None:
    path = tone(tmp_path / "made.flac")
    said = Written(title="Made", description="slow sad piano", tempo_bpm=72.0, key="A minor", licence="own")
    track = library.put(path, heard(12.0, 72.0, ending=10.0), said)
    assert (track.path, track.description, track.ending, track.key) == (path, "slow sad piano", 10.0, "A minor")
    again = library.put(path, heard(12.0, 72.0, ending=10.0), Written(description="slow, sad, piano"))
    assert (again.id, again.description, again.title) == (track.id, "slow, sad, piano", "Made")
    assert not listened
