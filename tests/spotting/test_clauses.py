"""Texts less some of their clauses, and texts cut to a number of words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelscore.spotting.clauses import MOST_CHARACTERS, bared, count_words, within, without

TEXT = "Soft strings with seagull cries and a gentle piano, slowly rising. The harp answers; then, quietly, all fades."
DANGLING = {"and", "or", "with", "the", "a", "of", "to", "but", "while", "in"}


@pytest.mark.parametrize(
    ("unwanted", "left"),
    [
        ("seagull", "Soft strings and a gentle piano, slowly rising. The harp answers; then, quietly, all fades."),
        ("Soft", "Seagull cries and a gentle piano, slowly rising. The harp answers; then, quietly, all fades."),
        ("rising", "Soft strings with seagull cries and a gentle piano. The harp answers; then, quietly, all fades."),
        ("harp", "Soft strings with seagull cries and a gentle piano, slowly rising. Then, quietly, all fades."),
        (
            "fades",
            "Soft strings with seagull cries and a gentle piano, slowly rising. The harp answers; then, quietly.",
        ),
        ("", ""),
        ("nothing of this", TEXT),
    ],
)
def test_a_clause_is_left_out_and_the_rest_closed_up(unwanted: str, left: str) -> None:
    assert without(TEXT, lambda clause: unwanted in clause) == left


@pytest.mark.parametrize(
    ("most", "left"),
    [
        (100, TEXT),
        (17, "Soft strings with seagull cries and a gentle piano, slowly rising."),
        (10, "Soft strings with seagull cries and a gentle piano"),
        (5, "Soft strings with seagull cries"),
        (4, "Soft strings"),
        (1, "Soft"),
    ],
)
def test_a_text_ends_where_a_sentence_or_a_clause_does(most: int, left: str) -> None:
    assert within(TEXT, most) == left


def test_a_text_never_ends_with_a_word_after_which_something_must_follow() -> None:
    assert within("warm strings and", 10) == "warm strings"
    assert (
        within("a slow rise towards the brightest moment of the whole long film", 8)
        == "a slow rise towards the brightest moment"
    )
    assert within("one two three of the and with", 5) == "one two three"
    assert within("and with the", 5) == ""


def test_adjectives_in_a_row_stay_with_what_they_belong_to() -> None:
    text = "The cello enters with a fragile, long-breathed melody, then rests."
    assert within(text, 6) == "The cello enters"
    assert without(text, lambda clause: "melody" in clause) == "The cello enters, then rests."


def test_scripts_without_spaces_count_by_the_letter() -> None:
    assert count_words("静かな海") == 4 and count_words("a quiet sea") == 3 and count_words("静かな sea") == 4
    assert within("静かな海、やがて高まる", 5) == "静かな海"
    assert within("静" * 5000, 30) == "静" * 30
    assert within("Ruhige Streicher, dann ein Höhepunkt und", 9) == "Ruhige Streicher, dann ein Höhepunkt"


def test_endless_words_are_none() -> None:
    assert within("a" * 5000, 30) == ""
    assert within("soft " + "a" * 5000 + " strings", 30) == "soft strings"
    assert within("wordy " * 5000, 30) == " ".join(["wordy"] * 30)


def test_bared_texts_are_one_line_without_the_marks_of_templates() -> None:
    assert bared("a\n<|b|> [c] {d} `e` \\ \x00 \ud800", 100) == "a b c d e ?"
    assert bared("word " * 100, 12) == "word word w…"


@given(st.text(max_size=300), st.integers(1, 60))
def test_any_text_is_kept_within_its_words(text: str, most: int) -> None:
    cut = within(text, most)
    assert count_words(cut) <= most and len(cut.split()) <= most and len(cut) <= MOST_CHARACTERS
    assert cut == within(cut, most)
    assert all(word in text for word in cut.split())


def test_two_marks_in_a_row_part_clauses_once() -> None:
    assert within("soft strings then, — and", 4) == "soft strings"
    assert without("Soft strings, — loud drums, rising.", lambda clause: "drums" in clause) == "Soft strings, rising."
    assert without("Soft strings, — rising, loud drums.", lambda clause: "drums" in clause) == "Soft strings, — rising."


_WORD = st.sampled_from(["soft", "strings", "and", "with", "rise", "then,", "the", "calm.", "slowly;", "of", "—"])


@given(st.lists(_WORD, max_size=60).map(" ".join), st.integers(1, 20))
def test_any_phrase_ends_well(text: str, most: int) -> None:
    cut = within(text, most)
    assert cut[-1:] not in set(",;:-–— ") and cut.split(" ")[-1].casefold() not in DANGLING
    left = without(text, lambda clause: "soft" in clause)
    assert "soft" not in left and left == without(left, lambda clause: "soft" in clause)
