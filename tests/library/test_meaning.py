"""Vectors of texts are made once, are those of the texts, and survive changes, interruptions, damage and company."""

import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from made_library import heard, stocked, tone

from reelscore.library import Written, meaning, open_library
from reelscore.library.meaning import Ids, Vectors, meanings

WIDTH = 8


class Shelf:
    """A library that is nothing but a folder and its texts."""

    def __init__(self, folder: Path, texts: Sequence[str], titles: Sequence[str] = ()) -> None:
        self.folder = folder
        self.said = {"description": list(texts), "title": list(titles)}

    def texts(self, field: str) -> tuple[Ids, list[str]]:
        return 10 + 3 * np.arange(len(self.said[field])), self.said[field]


class Encoder:
    """Makes a unit vector of a text that no other has, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return vectors_of(texts)


def vectors_of(texts: Sequence[str]) -> Vectors:
    rows = [
        np.random.default_rng(zlib.crc32(text.encode("utf-8", "surrogatepass"))).standard_normal(WIDTH)
        for text in texts
    ]
    vectors = np.array(rows, np.float32).reshape(-1, WIDTH)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def check(shelf: Shelf, encode: Callable[[Sequence[str]], Vectors], model: str = "model") -> Vectors:
    """The vectors of all descriptions, which are those of the texts."""
    ids, vectors = meanings(shelf, "description", model, encode)
    texts = shelf.said["description"]
    assert np.array_equal(ids, shelf.texts("description")[0])
    assert np.array_equal(vectors, vectors_of(texts)) and vectors.dtype == np.float32
    return vectors


def nothing(texts: Sequence[str]) -> Vectors:
    raise AssertionError(f"asked for {len(texts)} texts that are known")


def files(shelf: Shelf) -> list[Path]:
    return sorted((shelf.folder / "meanings").rglob("*.vectors"))


def numbered(count: int, start: int = 0) -> list[str]:
    return [f"track number {number}" for number in range(start, start + count)]


def test_each_text_is_read_once(tmp_path: Path) -> None:
    shelf, encode = Shelf(tmp_path, ["calm piano", "drums", "calm piano", "half \udcff letter"]), Encoder()
    check(shelf, encode)
    assert encode.asked == ["calm piano", "drums", "half \udcff letter"]
    vectors = check(shelf, nothing)
    with pytest.raises(ValueError, match="read-only"):
        vectors[0, 0] = 1


def test_blank_texts_mean_nothing(tmp_path: Path) -> None:
    encode = Encoder()
    _, vectors = meanings(Shelf(tmp_path, ["", "drums", " \n"]), "description", "model", encode)
    assert np.array_equal(vectors, np.stack([np.zeros(WIDTH), vectors_of(["drums"])[0], np.zeros(WIDTH)]))
    assert encode.asked == ["drums"]


@pytest.mark.parametrize("texts", [[], ["", " "]])
def test_vectors_of_no_texts_are_as_wide_as_all_others(tmp_path: Path, texts: list[str]) -> None:
    ids, vectors = meanings(Shelf(tmp_path, texts), "description", "model", Encoder())
    assert len(ids) == len(texts) and vectors.shape == (len(texts), WIDTH) and not vectors.any()
    assert not files(Shelf(tmp_path, texts))


def test_only_what_changed_is_read_again(tmp_path: Path) -> None:
    shelf, encode = Shelf(tmp_path, numbered(40)), Encoder()
    check(shelf, encode)
    encode.asked.clear()
    texts = shelf.said["description"]
    texts[7] = "another description"  # changed
    texts.insert(3, "a new track")
    del texts[20:25]
    texts.reverse()
    check(shelf, encode)
    assert sorted(encode.asked) == ["a new track", "another description"]
    check(shelf, nothing)


def test_models_and_fields_are_kept_apart(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, ["calm piano"], titles=["calm piano"])
    for field in ("description", "title"):
        for model in ("one", "other"):
            encode = Encoder()
            meanings(shelf, field, model, encode)
            assert encode.asked == ["calm piano"]
            meanings(shelf, field, model, nothing)
    assert len({path.parent for path in files(shelf)}) == 4


def test_an_interruption_loses_little(tmp_path: Path) -> None:
    shelf, encode = Shelf(tmp_path, numbered(2500)), Encoder()

    def interrupted(texts: Sequence[str]) -> Vectors:
        if len(encode.asked) > 2200:
            raise KeyboardInterrupt
        return encode(texts)

    with pytest.raises(KeyboardInterrupt):
        check(shelf, interrupted)
    again = Encoder()
    check(shelf, again)
    assert again.asked == numbered(2500)[2048:]


def test_progress_is_told_while_texts_are_read(tmp_path: Path) -> None:
    told: list[tuple[str, float, str]] = []
    shelf = Shelf(tmp_path, numbered(1300))
    meanings(shelf, "description", "model", Encoder(), lambda *what: told.append(what))
    fractions = [fraction for _, fraction, _ in told]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1 and len(told) > 5
    assert {stage for stage, _, _ in told} == {"reading the library"} and told[-1][2] == "1300 of 1300 texts"
    told.clear()
    meanings(shelf, "description", "model", nothing, lambda *what: told.append(what))
    assert not told


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def renamed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[70] ^= 1  # in the hash of a text
    path.write_bytes(content)


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    path.write_bytes(b"some other program's file, longer than any header of ours would be, and of no use to us" * 3)


def boasting(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[32:40] = b"\xff" * 8  # the number of vectors
    path.write_bytes(content)


def of_another_model(path: Path) -> None:
    shelf = Shelf(path.parent / "other", numbered(76, 1024))  # the very texts
    check(shelf, Encoder(), "another model")
    path.write_bytes(files(shelf)[0].read_bytes())


@pytest.mark.parametrize("damage", [truncated, flipped, renamed, zeroed, emptied, foreign, boasting, of_another_model])
def test_damaged_files_are_noticed_and_made_anew(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    shelf = Shelf(tmp_path, numbered(1100))
    check(shelf, Encoder())
    first, second = sorted((path for path in files(shelf)), key=lambda path: path.stat().st_size)
    damage(first)
    encode = Encoder()
    check(shelf, encode)
    assert encode.asked == numbered(1100)[1024:] and len(files(shelf)) >= 2 and second.exists()
    check(shelf, nothing)


def test_a_file_that_cannot_be_read_is_left_and_does_no_harm(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, numbered(5))
    check(shelf, Encoder())
    (files(shelf)[0].parent / "folder.vectors").mkdir()
    (files(shelf)[0].parent / "notes.txt").write_text("a person's", encoding="utf-8")
    check(shelf, nothing)
    assert {path.name for path in files(shelf)[0].parent.iterdir()} > {"folder.vectors", "notes.txt"}


def test_where_nothing_can_be_kept_vectors_are_made_all_the_same(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, numbered(5))
    (tmp_path / "meanings").write_text("in the way", encoding="utf-8")
    for _ in range(2):
        encode = Encoder()
        check(shelf, encode)
        assert encode.asked == numbered(5)


def test_many_small_files_become_one(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, [])
    most = 0
    for number in range(30):
        shelf.said["description"].insert(0, f"added as number {number}")
        encode = Encoder()
        check(shelf, encode)
        assert len(encode.asked) == 1
        most = max(most, len(files(shelf)))
    assert most <= 9 and len(files(shelf)) < 9
    check(shelf, nothing)


def test_what_is_of_no_use_any_more_is_let_go(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, numbered(3000))
    check(shelf, Encoder())
    before = sum(path.stat().st_size for path in files(shelf))
    del shelf.said["description"][100:]
    check(shelf, nothing)
    assert sum(path.stat().st_size for path in files(shelf)) < before / 20
    check(shelf, nothing)


def test_a_file_that_is_all_that_remains_is_not_let_go(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, numbered(100))
    check(shelf, Encoder())
    (alone,) = files(shelf)
    shelf.said["description"] += numbered(2000, 500)
    check(shelf, Encoder())
    del shelf.said["description"][100:]
    check(shelf, nothing)
    assert files(shelf) == [alone]
    check(shelf, nothing)


def test_halves_that_killed_processes_left_are_cleared_when_they_are_old(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, numbered(3000))
    check(shelf, Encoder())
    folder = files(shelf)[0].parent
    for name, age in ((".old.abc.part.vectors", 10 * 86_400), (".young.abc.part.vectors", 60)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, times=(folder.stat().st_mtime - age,) * 2)
    del shelf.said["description"][100:]
    check(shelf, nothing)
    assert [path.name for path in folder.glob(".*")] == [".young.abc.part.vectors"]


def test_files_that_another_process_puts_together_meanwhile_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path, numbered(50))
    check(shelf, Encoder())
    looks = iter([[tmp_path / "gone.vectors"], files(shelf)])
    monkeypatch.setattr(meaning._Store, "_files", lambda _: next(looks))
    check(shelf, nothing)


def test_a_large_library_is_mapped_and_not_copied(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, numbered(20_000))
    check(shelf, Encoder())
    assert len(files(shelf)) == 1
    vectors = check(shelf, nothing)
    assert not vectors.flags.owndata and not vectors.flags.writeable
    del shelf.said["description"][15_000:]  # the last ones: still a part of the file
    assert not check(shelf, nothing).flags.owndata


def test_an_encoder_that_loses_a_text_is_our_own_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="4 vectors for 5 texts"):
        meanings(Shelf(tmp_path, numbered(5)), "description", "model", lambda texts: vectors_of(texts[1:]))
    assert not files(Shelf(tmp_path, []))


@pytest.mark.parametrize("field", ["description", "title"])
def test_a_true_library_grows_and_shrinks(tmp_path: Path, field: Literal["description", "title"]) -> None:
    with open_library(stocked(tmp_path / "library", 30)) as library:
        encode = Encoder()
        ids, vectors = meanings(library, field, "model", encode)
        told_ids, texts = library.texts(field)
        assert np.array_equal(ids, told_ids) and np.array_equal(vectors, vectors_of(texts)) and len(encode.asked) == 30
        library.remove([str(ids[4])])
        new = library.put(tone(tmp_path / "new.wav"), heard(), Written(title="A new one", description="bells at noon"))
        encode.asked.clear()
        ids, vectors = meanings(library, field, "model", encode)
        assert len(encode.asked) == 1 and len(ids) == 30 and ids[-1] == new.id
        assert np.array_equal(vectors, vectors_of(library.texts(field)[1]))
    with open_library(tmp_path / "library") as library:
        meanings(library, field, "model", nothing)


BUSY = """
import random, sys
from pathlib import Path
sys.path[:0] = {tests!r}
from test_meaning import Encoder, Shelf, check, numbered
chance = random.Random(int(sys.argv[1]))
for _ in range(20):
    start = chance.randrange(1500)
    check(Shelf(Path({folder!r}), numbered(chance.randrange(1, 400), start)), Encoder())
print("done")
"""


def test_processes_at_once_do_each_other_no_harm(tmp_path: Path) -> None:
    here = Path(__file__).parent
    script = BUSY.format(tests=[str(here), str(here.parent)], folder=str(tmp_path))
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for seed in range(3)
    ]
    for process in running:
        said, complained = process.communicate(timeout=120)
        assert said.strip() == b"done", complained.decode()
    shelf = Shelf(tmp_path, numbered(1900))
    check(shelf, Encoder())
    check(shelf, nothing)
    assert not list(tmp_path.rglob(".*.vectors"))
