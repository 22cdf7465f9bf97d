"""Words find tracks by their stems and rank them; filters are never ignored; whatever is asked is only ever words."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_library import heard, stocked, tone

from reelscore.errors import InputError
from reelscore.library import Library, Wanted, Written, open_library, parse_licences

Put = Callable[..., int]


@pytest.fixture
def put(library: Library, tmp_path: Path) -> Put:
    """Adds a track with these words and gives its id: `put("Moon", description="slow", duration=60.0)`."""

    def adding(title: str, *, duration: float = 60.0, **said: object) -> int:
        path = tone(tmp_path / f"{title}.wav", 200 + 7 * len(library), 0.1)
        return library.put(path, heard(duration), Written(title=title, **said)).id

    return adding


def titles(library: Library, words: str = "", wanted: Wanted = Wanted(), limit: int | None = None) -> list[str]:
    return [found.track.title for found in library.search(words, wanted, limit)]


def test_words_are_found_by_their_stems_everywhere(library: Library, put: Put) -> None:
    put("Dancing in the Rain", description="cheerful walk")
    put("Moon", tags=("dance", "night"))
    put("Stone", description="He danced alone")
    put("River", artist="The Dancers")
    put("Café", description="nothing of the kind")
    assert set(titles(library, "dance")) == {"Dancing in the Rain", "Moon", "Stone"}
    assert titles(library, "DANCES alone") == ["Stone"]
    assert titles(library, "dancers") == ["River"]
    assert titles(library, "cafe") == ["Café"]
    assert titles(library, "elephant") == []


def test_all_words_must_be_there_and_the_best_comes_first(library: Library, put: Put) -> None:
    put(
        "Long",
        description="a piano somewhere in a very long text about everything and nothing, strings and drums and so on",
    )
    put("Piano", description="piano", tags=("piano",))
    put("Other", description="guitar")
    found = library.search("piano")
    assert [each.track.title for each in found] == ["Piano", "Long"]
    assert found[0].score == 1.0 > found[1].score > 0
    assert titles(library, "piano strings") == ["Long"]
    assert titles(library, "piano", limit=1) == ["Piano"]


def test_without_words_all_come_by_title(library: Library, put: Put) -> None:
    for title in ("b", "A", "c"):
        put(title)
    assert titles(library) == ["A", "b", "c"]
    assert titles(library, limit=2) == ["A", "b"]


def test_filters_hold(library: Library, put: Put) -> None:
    put("Free", licence="CC0", tempo_bpm=80.0, key="A minor", tags=("Calm", "slow"), duration=30.0)
    put("Named", licence="CC BY 4.0", tempo_bpm=100.0, key="C major", tags=("calm",), duration=60.0)
    put("Odd", licence="free for all", tempo_bpm=120.0, key="C major", duration=90.0)
    put("Nothing said", tempo_bpm=140.0, duration=120.0)
    assert titles(library, wanted=Wanted(licences=parse_licences("cc0,cc-by"))) == ["Free", "Named"]
    assert titles(library, wanted=Wanted(licences=parse_licences("cc-by-sa"))) == []
    assert titles(library, wanted=Wanted(tempo_bpm=(80.0, 100.0))) == ["Free", "Named"]
    assert titles(library, wanted=Wanted(tempo_bpm=(100.5, float("inf")))) == ["Nothing said", "Odd"]
    assert titles(library, wanted=Wanted(duration=(0.0, 60.0))) == ["Free", "Named"]
    assert titles(library, wanted=Wanted(key="Am")) == ["Free"]
    assert titles(library, wanted=Wanted(tags=("CALM",))) == ["Free", "Named"]
    assert titles(library, wanted=Wanted(tags=("calm", "slow"))) == ["Free"]
    assert titles(library, wanted=Wanted(tags=("cal",))) == []
    assert titles(library, "calm", Wanted(duration=(50.0, 70.0))) == ["Named"]
    with pytest.raises(InputError, match="not a key"):
        titles(library, wanted=Wanted(key="H moll"))


HOSTILE = (
    '"', "'", '""', "a' OR '1'='1", "moon) OR (1", "NEAR(moon night)", "title:moon", "moon*", "-moon", "^moon", "{title} : moon",
    "moon AND", "NOT moon", "moon; DROP TABLE track", "\0moon", "\x1b[2J moon", "moon\ud800", "(" * 1000, "moon " * 5000, "a" * 100_000,
)  # fmt: skip


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_asked_is_only_words(library: Library, put: Put, words: str) -> None:
    put("moon night", description="moon")
    try:
        titles(library, words)
    except InputError as problem:
        assert "no word to look for" in str(problem)
    ids, scores = library.words_score(words, "both")
    assert scores.shape == ids.shape == (1,)
    assert bool(scores[0]) == ("moon" in words)
    assert len(library) == 1


def test_words_score_ranks_every_track_by_what_it_shares_with_a_paragraph(tmp_path: Path) -> None:
    with open_library(stocked(tmp_path / "library", 400)) as library:
        one = library.tracks([123])[0]
        paragraph = f"The film is about the following. {one.description}. It should sound like that, with more of it and the like."
        ids, scores = library.words_score(paragraph, "description")
        assert (ids == library.overview().ids).all()
        assert scores.dtype == np.float32
        assert (scores >= 0).all()
        assert scores.max() == 1.0
        assert ids[scores.argmax()] == one.id
        for track, score in zip(library.tracks(), scores, strict=True):
            shared = set(one.description.split()) & {*track.description.split(), *" ".join(track.tags).split()}
            assert score > 0 or not shared
        assert (scores == 0).any()


def test_each_field_is_scored_on_its_own(library: Library, put: Put) -> None:
    first = put("Harbour", description="calm waves", tags=("sea",))
    second = put("Waves", description="a quiet harbour")
    scored = {
        field: dict(zip(*map(list, library.words_score("waves", field)), strict=True))
        for field in ("title", "description", "both")
    }
    assert scored["title"] == {first: 0.0, second: 1.0}
    assert scored["description"] == {first: 1.0, second: 0.0}
    assert scored["both"][second] == 1.0 > scored["both"][first] > 0  # a title counts for more
    assert list(library.words_score("sea", "description")[1]) == [1.0, 0.0]


def test_words_that_every_text_has_count_for_nothing(library: Library, put: Put) -> None:
    put("One", description="with the sea and all of it")
    put("Two", description="mountains")
    assert not library.words_score("It is all about the and of", "both")[1].any()


def test_texts_join_what_is_said(library: Library, put: Put) -> None:
    put("One", description="calm waves", tags=("sea", "slow"))
    put("Two", tags=("sea",))
    put("Three")
    assert library.texts("title")[1] == ["One", "Two", "Three"]
    assert library.texts("description")[1] == ["calm waves. sea, slow", "sea", ""]
    assert library.texts("both")[1] == ["One. calm waves. sea, slow", "Two. sea", "Three"]


def test_words_said_later_are_found_and_those_taken_back_are_not(library: Library, put: Put) -> None:
    put("One", description="guitar")
    (path,) = [track.path for track in library.tracks()]
    library.put(path, heard(), Written(description="violin"))
    assert titles(library, "violin") == ["One"]
    assert titles(library, "guitar") == []
    library.remove([str(path)])
    assert titles(library, "violin") == []
