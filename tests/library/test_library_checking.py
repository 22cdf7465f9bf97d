"""A check tells what is wrong, mends what has only moved, and never touches a file of sound."""

import shutil
from pathlib import Path

import pytest
from made_library import retagged, tone

from reelscore.errors import InputError
from reelscore.library import Library, Trouble, Written

pytestmark = pytest.mark.usefixtures("listened")
SAID = Written(description="calm", licence="own")


@pytest.fixture
def tracks(library: Library, listened: list[object], tmp_path: Path) -> list[Path]:
    """Four tracks in the library about which there is nothing to say."""
    paths = [tone(tmp_path / "in" / f"{number}.mp3", 200 + 10 * number, title=f"Tone {number}") for number in range(4)]
    library.add(paths, SAID)
    assert len(listened) == 4
    return paths


def told(troubles: list[Trouble]) -> list[tuple[str, str, bool]]:
    return [(each.path.name, each.kind, each.mended) for each in troubles]


@pytest.mark.usefixtures("tracks")
def test_nothing_is_said_where_all_is_well(library: Library) -> None:
    assert library.check() == []
    assert all(library.intact(track) for track in library.tracks())


def test_a_missing_track_is_told_and_found_again_where_it_may_lie(
    library: Library, tracks: list[Path], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere" / "deep" / "renamed.mp3"
    elsewhere.parent.mkdir(parents=True)
    retagged(tracks[1], elsewhere, title="Another title")
    tracks[1].unlink()
    (tmp_path / "elsewhere" / "notes.txt").write_text("no sound")
    (missing,) = library.check()
    assert (missing.kind, missing.grave) == ("missing", True)
    assert [library.intact(track) for track in library.tracks()] == [True, False, True, True]
    (found,) = library.check([tmp_path / "elsewhere"])
    assert (found.kind, found.path, found.mended, found.grave) == ("moved", elsewhere, True, False)
    assert library.tracks([2])[0].path == elsewhere
    assert library.check() == []


def test_another_copy_takes_the_place_of_one_that_is_gone(library: Library, tracks: list[Path], tmp_path: Path) -> None:
    copy = tmp_path / "in" / "a copy.mp3"
    shutil.copyfile(tracks[0], copy)
    library.add([copy])
    tracks[0].unlink()
    assert told(library.check()) == [("a copy.mp3", "moved", True)]
    assert library.check() == []


def test_other_sound_in_the_file_is_told_and_other_tags_are_not(
    library: Library, tracks: list[Path], tmp_path: Path
) -> None:
    tone(tracks[0], 999)
    retagged(tracks[1], tmp_path / "new.mp3", title="A longer title than before")
    (tmp_path / "new.mp3").replace(tracks[1])
    assert told(library.check()) == [("0.mp3", "changed", False)]
    assert [library.intact(track) for track in library.tracks()] == [False, True, True, True]


@pytest.mark.parametrize("content", [b"", b"no sound " * 100])
def test_a_damaged_file_is_told(library: Library, tracks: list[Path], content: bytes) -> None:
    tracks[2].write_bytes(content)
    assert told(library.check()) == [("2.mp3", "damaged", False)]


def test_missing_rights_and_words_are_told_but_stop_nobody(library: Library, tmp_path: Path) -> None:
    for number, said in enumerate(
        (
            Written(),
            Written(description="calm", licence="free for everything"),
            Written(tags=("calm",), licence="CC BY-ND 4.0", artist="Ann"),
            Written(tags=("calm",), licence="CC BY 4.0"),
            Written(tags=("calm",), licence="CC BY 4.0", attribution="Music by Ann"),
            Written(tags=("calm",), licence="CC BY 4.0", artist="Ann"),
        )
    ):
        library.add([tone(tmp_path / f"{number}.wav", 200 + 10 * number)], said)
    troubles = library.check()
    kinds = ("0.wav rights", "0.wav words", "1.wav rights", "2.wav rights", "3.wav rights")
    assert [f"{each.path.name} {each.kind}" for each in troubles] == list(kinds)
    assert not any(each.grave for each in troubles)
    assert "'free for everything'" in troubles[2].told
    assert "does not allow" in troubles[3].told


@pytest.mark.usefixtures("tracks")
def test_folders_to_look_in_must_be_there(library: Library, tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path / ("x" * 5000), tmp_path / "in" / "0.mp3"):
        with pytest.raises(InputError, match="is no folder"):
            library.check([folder])


def test_tracks_are_forgotten_by_id_by_path_and_by_folder(library: Library, tracks: list[Path], tmp_path: Path) -> None:
    assert [track.path for track in library.remove(["1", str(tracks[1])])] == tracks[:2]
    assert [track.path for track in library.remove([str(tmp_path / "in")])] == tracks[2:]
    assert len(library) == 0
    assert all(path.exists() for path in tracks)
    for name in ("1", str(tracks[0]), "no such track", "-1", "9" * 30, "\0"):
        with pytest.raises(InputError, match="There is no track"):
            library.remove([name])


@pytest.mark.usefixtures("tracks")
def test_one_name_that_is_none_removes_nothing(library: Library) -> None:
    with pytest.raises(InputError):
        library.remove(["1", "nobody"])
    assert len(library) == 4
