"""What is said of tracks: by tags, by names, by sheets; and that it is fit to keep."""

from pathlib import Path

import pytest

from reelscore.errors import InputError
from reelscore.library.sheet import placed, read_sheet
from reelscore.library.tracks import Written
from reelscore.library.words import cleaned, from_name, from_tags, key_said, merged, tempo_said


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("Am", "A minor"), ("A minor", "A minor"), ("F#m", "F# minor"), ("Abmin", "Ab minor"), ("C#maj", "Db major"),
        ("d dorian", "D dorian"), ("Bb", "Bb major"), ("8A", "A minor"), ("8B", "C major"), ("1A", "Ab minor"),
        ("1B", "B major"), ("12A", "Db minor"), ("5A", "C minor"), ("1m", "A minor"), ("1d", "C major"), ("2d", "G major"),
        ("13A", None), ("", None), ("o", None), ("All", None), ("H moll", None),
    ],
)  # fmt: skip
def test_keys_as_musicians_and_disc_jockeys_write_them(said: str, key: str | None) -> None:
    assert key_said(said) == key


@pytest.mark.parametrize(
    ("said", "tempo"),
    [("128", 128), ("128.00", 128), ("92,5 BPM", 92.5), ("0", None), ("1000", None), ("fast", None), ("", None), ("-90", None)],
)  # fmt: skip
def test_tempi_as_tags_have_them(said: str, tempo: float | None) -> None:
    assert tempo_said(said) == tempo


def test_tags_of_a_file_become_words() -> None:
    said = from_tags(
        {
            "title": "Moon", "album_artist": "Ann", "genre": "Ambient/Drone; Other", "tbpm": "71", "initialkey": "8A",
            "comment": "Recorded in a barn", "copyright": "2020 Ann, CC BY 4.0", "url": "https://example.org",
        }
    )  # fmt: skip
    assert said == Written(
        title="Moon",
        artist="Ann",
        description="Recorded in a barn",
        tags=("Ambient", "Drone"),
        tempo_bpm=71.0,
        key="A minor",
        licence="CC BY 4.0",
        source="https://example.org",
    )


def test_rights_that_are_none_we_know_are_kept_as_said() -> None:
    assert from_tags({"copyright": "© 2021 Somebody"}).licence == "© 2021 Somebody"
    assert from_tags({"comment": "https://creativecommons.org/licenses/by/4.0/"}) == Written(
        licence="https://creativecommons.org/licenses/by/4.0/"
    )


def test_hostile_tags_are_harmless() -> None:
    said = from_tags(
        {"title": "Moon\x1b[2J\nsecond\u202eline", "artist": "x" * 10_000, "genre": ", ".join(map(str, range(500)))}
    )
    assert said.title == "Moon?[2J second?line"
    assert len(said.artist) == 200
    assert said.artist.endswith("…")
    assert len(said.tags) == 50
    assert from_tags({"tbpm": "1e999", "key": "A" * 100_000, "title": ""}) == Written()


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("01 - Moon_Forest (inst).mp3", "Moon Forest (inst)"), ("07. Rain.wav", "Rain"), ("03 Rain.wav", "Rain"),
        ("99 Luftballons.mp3", "99 Luftballons"), ("12.flac", "12"), ("_.wav", "_.wav"),
    ],
)  # fmt: skip
def test_names_of_files_give_titles(name: str, title: str) -> None:
    assert from_name(Path(name)).title == title


def test_the_first_who_says_something_is_heard() -> None:
    person, tags = Written(key="A minor"), Written(key="C major", title="Moon", tags=("calm",))
    assert merged(person, tags) == Written(key="A minor", title="Moon", tags=("calm",))


def test_a_person_is_told_of_a_key_or_tempo_that_is_none() -> None:
    with pytest.raises(InputError, match="'H moll' is no key"):
        cleaned(Written(key="H moll"))
    for wrong in (0.0, -90.0, 4000.0, float("nan")):
        with pytest.raises(InputError, match="is no tempo"):
            cleaned(Written(tempo_bpm=wrong))
    assert cleaned(Written(tags=("sad", " Sad", "", "slow, old"))).tags == ("sad", "slow old")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_sheet_is_read_whatever_parts_its_columns(tmp_path: Path, mark: str) -> None:
    rows = [
        ["File", "Title", "BPM", "Licence", "mood", "key"],
        ["a.wav", "Moon", "92", "cc0", "calm", "Am"],
        ["", "x"],
        ["b.wav"],
    ]
    sheet = tmp_path / "tracks.csv"
    sheet.write_text("\r\n".join(mark.join(row) for row in rows), encoding="utf-8-sig")
    read = read_sheet(sheet)
    assert [(line.file, line.number) for line in read.lines] == [("a.wav", 2), ("b.wav", 4)]
    assert read.lines[0].words == Written(title="Moon", tempo_bpm=92.0, licence="cc0", key="A minor")
    assert read.unknown == ("mood",)


def test_lines_find_their_files_and_those_without_are_told(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    names = ("in/a.wav", "in/deep/b.wav", "in/c.wav", "in/deep/c.wav", "aside.wav")
    for name in names:
        (tmp_path / name).touch()
    sheet = tmp_path / "tracks.csv"
    sheet.write_text("file,title\nin/a.wav,A\nb.wav,B\nc.wav,C\nnowhere.wav,N\naside.wav,S\n" + "d" * 5000 + ",D\n")
    files = [tmp_path / name for name in names[:-1]]
    words, remarks = placed(read_sheet(sheet), [tmp_path / "in"], files)
    assert {path.name: said.title for path, said in words.items()} == {"a.wav": "A", "b.wav": "B", "c.wav": "C"}
    assert words[tmp_path / "in" / "c.wav"].title == "C"
    assert "line 5: the file 'nowhere.wav' is not there" in remarks[0]
    assert "line 6: the file 'aside.wav' is not among the files that were given" in remarks[1]
    assert "line 7" in remarks[2]
    assert len(remarks) == 3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"title,tempo\nMoon,92\n", "no column 'file'"),
        (b"", "no column 'file'"),
        (b"file,tempo\na.wav,fast\n", "line 2: 'fast' is no tempo"),
        (b"file,key\na.wav,H moll\n", "line 2: 'H moll' is no key"),
        ("file,title\na.wav,Café\n".encode("latin-1"), "not UTF-8"),
        (b"file\na\0b\n", "not text"),
        (b'file\n"' + b"x" * 200_000, "no table"),
    ],
)  # fmt: skip
def test_a_sheet_that_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path, content: bytes, told: str) -> None:
    sheet = tmp_path / "tracks.csv"
    sheet.write_bytes(content)
    with pytest.raises(InputError, match=told):
        read_sheet(sheet)
    with pytest.raises(InputError, match="cannot be read"):
        read_sheet(tmp_path / "none.csv")
