"""The line of tags: what is said, in which order, and what is never said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelscore.brief import Brief, Section, Tags
from reelscore.engines.sonique.tagline import MOST_TAGS, SURELY_READ_BYTES, lines, published_lines
from reelscore.vocabulary import FAMILIES, GENRES, INSTRUMENTS, MOODS


def brief_with(
    tempo_bpm: float = 90.0, prompt: str = "", not_understood: tuple[str, ...] = (), **tags: tuple[str, ...]
) -> Brief:
    return Brief(duration=20.0, tempo_bpm=tempo_bpm, prompt=prompt, not_understood=not_understood, tags=Tags(**tags))


def tags_of(line: str) -> list[str]:
    return line.split(", ")


def test_an_empty_brief_has_a_tempo_and_no_empty_tag() -> None:
    assert lines(brief_with()).positive == "90 bpm"
    assert lines(brief_with()).negative == ""


def test_genres_come_first_then_instruments_then_moods_then_the_tempo() -> None:
    brief = brief_with(genres=("jazz",), instruments=("saxophone", "vibraphone"), moods=("calm",))
    assert lines(brief).positive == "jazz, saxophone, vibraphone, calm, 90 bpm"


def test_the_tempo_is_a_whole_number_of_bpm() -> None:
    assert tags_of(lines(brief_with(122.6, genres=("jazz",))).positive)[-1] == "123 bpm"


def test_duplicates_are_folded_whatever_they_are_called() -> None:
    brief = brief_with(instruments=("flute", "flute", "grand piano"), not_understood=("Flute", "PIANO"))
    assert lines(brief).positive == "flute, piano, 90 bpm"


def test_what_is_avoided_is_not_asked_for() -> None:
    brief = brief_with(
        genres=("rock", "funk"),
        instruments=("drum kit", "electric bass"),
        moods=("angry", "happy"),
        avoid=("drums", "rock", "angry"),
    )
    said = lines(brief)
    assert said.positive == "funk, bass guitar, happy, 90 bpm"
    assert tags_of(said.negative) == ["drums", "rock", "angry"]


def test_a_further_negative_tag_is_lower_case_and_leaves_the_positive_line_by_any_of_its_names() -> None:
    said = lines(
        brief_with(instruments=("grand piano", "flute")), further_negative="Concert Piano,  low\n quality , flute"
    )
    assert said.positive == "90 bpm"
    assert tags_of(said.negative) == ["concert piano", "low", "quality", "flute"]


@pytest.mark.parametrize(
    ("prompt", "wished", "denied"),
    [
        ("zither and hurdygurdy", ["zither", "hurdygurdy"], []),
        ("zither, no hurdygurdy", ["zither"], ["hurdygurdy"]),
        ("no hurdygurdy, zither", ["zither"], ["hurdygurdy"]),
        ("no hurdygurdy but zither", ["zither"], ["hurdygurdy"]),
        ("avoid hurdygurdy, zither", [], ["zither", "hurdygurdy"]),
        ("no hurdygurdy, or zither", [], ["zither", "hurdygurdy"]),
    ],
)
def test_unknown_words_are_wished_for_or_denied_as_the_prompt_says(
    prompt: str, wished: list[str], denied: list[str]
) -> None:
    said = lines(brief_with(prompt=prompt, not_understood=("zither", "hurdygurdy")))
    assert tags_of(said.positive)[:-1] == wished
    assert (tags_of(said.negative) if said.negative else []) == denied


def test_free_words_come_behind_everything_that_is_known() -> None:
    brief = brief_with(genres=("jazz",), moods=("calm",), not_understood=("zither",))
    assert lines(brief).positive == "jazz, calm, zither, 90 bpm"


def test_chatter_does_not_reach_the_line() -> None:
    brief = brief_with(not_understood=("Tags: Piano,\nExplanation", "x", "!!!", "a" * 60))
    assert lines(brief).positive == "tags piano explanation, 90 bpm"


SHORT = st.text(min_size=1, max_size=30)


def some(table: dict[str, object]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(sorted(table)), max_size=9).map(tuple)


@settings(max_examples=150, deadline=None)
@given(
    some(GENRES),
    some(INSTRUMENTS),
    some(MOODS),
    some({**FAMILIES, **INSTRUMENTS}),
    st.lists(SHORT, max_size=6).map(tuple),
    st.floats(30, 240),
)
def test_every_line_is_short_names_nothing_twice_and_has_its_tempo_where_it_is_read(
    genres: tuple[str, ...],
    instruments: tuple[str, ...],
    moods: tuple[str, ...],
    avoid: tuple[str, ...],
    free: tuple[str, ...],
    tempo_bpm: float,
) -> None:
    brief = brief_with(tempo_bpm, not_understood=free, genres=genres, instruments=instruments, moods=moods, avoid=avoid)
    said = lines(brief)
    tags = tags_of(said.positive)
    tempo = f"{round(tempo_bpm)} bpm"
    assert 1 <= len(tags) <= MOST_TAGS
    assert len(set(tags)) == len(tags)
    assert all(tag == tag.strip() and tag and tag == tag.lower() for tag in tags)
    assert tags.count(tempo) == 1
    assert len((said.positive.split(tempo)[0] + tempo).encode()) <= SURELY_READ_BYTES
    assert not set(tags) & set(tags_of(said.negative))
    assert not any(name in tags for name in INSTRUMENTS if brief.avoids(name))


def section(valence: float, arousal: float, tension: float, energy: float) -> Section:
    return Section(start=0.0, end=20.0, valence=valence, arousal=arousal, tension=tension, energy=energy)


def test_a_section_changes_the_mood_and_keeps_genre_instruments_and_tempo() -> None:
    brief = brief_with(
        genres=("rock", "funk"), instruments=("flute", "harp", "organ", "trumpet"), not_understood=("zither",)
    )
    calm, wild = lines(brief, section(0.4, -0.6, 0.0, 0.2)), lines(brief, section(-0.7, 0.8, 0.8, 0.95))
    assert tags_of(calm.positive) == ["rock", "flute", "harp", "organ", "calm", "sparse", "zither", "90 bpm"]
    assert tags_of(wild.positive) == ["rock", "flute", "harp", "organ", "angry", "intense", "zither", "90 bpm"]


def test_the_moods_that_were_asked_for_stay_in_every_section() -> None:
    brief = brief_with(moods=("happy",))
    assert "happy" in tags_of(lines(brief, section(-0.7, 0.8, 0.8, 0.5)).positive)


def test_a_section_is_never_said_a_mood_that_is_avoided() -> None:
    near = section(0.4, -0.6, 0.0, 0.5)
    assert tags_of(lines(brief_with(), near).positive)[0] == "calm"
    assert "calm" not in lines(brief_with(avoid=("calm",)), near).positive


def test_as_published_all_tags_are_in_alphabetical_order_with_the_tempo_behind() -> None:
    brief = brief_with(
        genres=("rock",),
        instruments=("organ", "drum kit", "flute", "harp"),
        moods=("happy", "calm", "dark", "sad"),
        avoid=("drums",),
    )
    said = published_lines(brief, "Low Quality")
    assert said.positive == "calm, dark, drum kit, flute, happy, harp, organ, rock, sad, 90 bpm"
    assert said.negative == "drums, Low Quality"
