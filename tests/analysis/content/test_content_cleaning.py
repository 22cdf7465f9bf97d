"""Answers of models made fit to read: whatever they are, one bounded line of words comes of it, or nothing."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reelscore.analysis.content.cleaning import cleaned, joined

PLAIN = "A man rides a bicycle through the rain. The mood is calm."


@pytest.mark.parametrize(
    "answer",
    [
        f"  {PLAIN}\n",
        f"<|im_start|>assistant\n{PLAIN}<|im_end|>",
        f"Assistant: {PLAIN}</s>",
        f"<think>The user wants a caption.\nLet me see</think>\n\n{PLAIN}",
        PLAIN.replace(" ", "\n"),
        PLAIN.replace("bicycle", "bi\u200bcycle\u202e"),
        f"**Caption:** {PLAIN}",
        f"- {PLAIN}",
        f"{PLAIN} {PLAIN} {PLAIN}",
        f"What do you see? {PLAIN}",
        f"A man rides a bicycle through the rain. {'The mood is calm. ' * 40}",
    ],
)
def test_what_is_not_said_of_the_picture_is_removed(answer: str) -> None:
    assert cleaned(answer, 500, ["What do you\nsee?"]) == PLAIN


@pytest.mark.parametrize(
    "answer", ["", " \n\t", "...", "<image><image>", "<|endoftext|>", "\x00\x01", "<think>hm", "1 2 3 !?"]
)
def test_an_answer_without_words_is_none(answer: str) -> None:
    assert cleaned(answer, 500) == ""


def test_a_loop_is_said_once() -> None:
    assert cleaned("the sea and " * 60 + "the sky", 500) == "the sea and the sky"
    assert cleaned("It is very very good, ha ha.", 500) == "It is very very good, ha ha."
    assert len(cleaned("Two" * 500, 500)) <= 6


def test_a_long_answer_ends_with_a_sentence_or_a_word() -> None:
    long = "One boat goes out to sea. " + " ".join(f"word{number}" for number in range(300))
    assert cleaned(long, 60) == "One boat goes out to sea."
    cut = cleaned(long, 200)
    assert len(cut) <= 200 and cut.endswith("…") and cut[:-1].split()[-1] in long.split()


def test_short_captions_are_joined_and_each_is_said_once() -> None:
    said = ["a dog on a beach", "a dog on the beach", "a dog is on a beach", "two people in a car", ""]
    assert joined(said, 500) == "A dog on a beach; two people in a car."
    assert joined(["", " "], 500) == ""
    assert len(joined([f"{word} {word}s" for word in ("abcdefghijklmnop" * 9)], 100)) <= 100


@given(st.text(max_size=600), st.integers(20, 400))
@example("<|" * 300, 50)
@example("\ud800\udfff \u202eabc \x1b[31m", 50)
@example("ab" * 300, 20)
@settings(max_examples=300, deadline=None)
def test_any_text_becomes_one_bounded_line(answer: str, most: int) -> None:
    line = cleaned(answer, most, ["the question"])
    assert len(line) <= most
    assert line == "" or any(letter.isalpha() for letter in line)
    assert not any(unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029" for letter in line)
    assert line == " ".join(line.split())
    line.encode("utf-8")
