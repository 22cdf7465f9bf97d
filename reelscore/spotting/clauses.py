"""Texts that others wrote, made data: bared, less some of their clauses, cut to a number of words where a clause ends.

A clause is what stands between two marks or before a word such as "and" and "with". In scripts that put no spaces between
words each letter counts as a word.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from reelscore.grammar import DANGLING

MOST_CHARACTERS = 900
_LONGEST_WORD = 60  # letters; what is longer is no word
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER = re.compile(f"[{_UNSPACED}]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*")
_JOINING = r"and|with|while|but|plus|then|as|over|under"
_OPENING = (
    rf"{_JOINING}|without|like|featuring|including|inspired by|reminiscent of|in the (?:style|manner|spirit|vein) of"
)
# What parts two clauses of a sentence: marks, or the space before a word that opens one.
_SEAM = re.compile(rf"(\s*[,;:]\s+|\s+[-–—]+\s+|\s*[—，；、：]\s*|\s+(?=(?:{_OPENING})\s))", re.IGNORECASE)
# "a fragile", before the comma of "a fragile, slow melody": no clause ends there; but one does in "a harp, then silence".
_HANGING = re.compile(r"\ban? [^\s,]+$", re.IGNORECASE)
_AFRESH = re.compile(
    rf"(?:an?|the|its|his|her|their|one|two|some|all|in|on|at|\w+ly|\w+ing|{_OPENING})\b", re.IGNORECASE
)
_LEADING = re.compile(rf"^(?:(?:{_JOINING})\s+)+", re.IGNORECASE)
_MARKS = " ,;:-–—，；、：("


@dataclass(frozen=True)
class _Clause:
    """A clause, what parts it from the clause before, and whether its sentence ends with it."""

    seam: str
    text: str
    ends: bool


def bared(text: str, longest: int) -> str:
    """A text as data: one line without control characters, brackets and bars, which templates take for their own; cut to length."""
    plain = text[: 4 * longest].encode("utf-8", "replace").decode("utf-8")
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029<>\[\]{}|`\\]+", " ", plain)
    plain = " ".join(plain.split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def count_words(text: str) -> int:
    """How many words a text has."""
    return sum(max(1, len(_LETTER.findall(word))) for word in text.split())


def without(text: str, unwanted: Callable[[str], bool]) -> str:
    """The text less every clause that is unwanted; what is left is closed up."""
    kept: list[str] = []
    for sentence in _sentences(text):
        left = [clause for clause in sentence if not unwanted(clause.text)]
        if len(left) == len(sentence):
            kept.append("".join(clause.seam + clause.text for clause in left).strip())
        elif left:
            kept.append(_closed_up(left, sentence[-1].text[-1:]))
    return " ".join(filter(None, kept))


def within(text: str, most_words: int) -> str:
    """The longest beginning of a text that has at most that many words and ends where a sentence or a clause ends.

    Where even the first clause is longer it ends after a word, and never with one after which something must follow.
    """
    text = " ".join(word for word in text.split() if len(word) <= _LONGEST_WORD or _LETTER.search(word))
    if count_words(text) <= most_words and len(text) <= MOST_CHARACTERS:
        return _well_ended(text)
    clauses = [clause for sentence in _sentences(text) for clause in sentence]
    beginnings = list(accumulate(clause.seam + clause.text for clause in clauses))
    fitting = [(begun, clause) for begun, clause in zip(beginnings, clauses, strict=True) if _fits(begun, most_words)]
    whole = [begun for begun, clause in fitting if clause.ends]
    if whole and count_words(whole[-1]) >= most_words / 2:
        return _well_ended(whole[-1])
    if fitting:
        return _without_dangling(fitting[-1][0])
    return _without_dangling(_first_words(text, most_words))


def _fits(text: str, most_words: int) -> bool:
    return count_words(text) <= most_words and len(text) <= MOST_CHARACTERS


def _sentences(text: str) -> list[list[_Clause]]:
    """The sentences in clauses; together they make the text again."""
    found: list[list[_Clause]] = []
    for sentence in filter(None, _SENTENCE.split(text.strip())):
        first, *rest = _SEAM.split(sentence)
        parts = [(" " if found else "", first)]
        for seam, text in zip(rest[0::2], rest[1::2], strict=True):
            if seam.startswith(",") and _HANGING.search(parts[-1][1]) and not _AFRESH.match(text):
                parts[-1] = (parts[-1][0], parts[-1][1] + seam + text)
            elif not parts[-1][1]:  # two seams in a row are one
                parts[-1] = (parts[-1][0] + seam, text)
            else:
                parts.append((seam, text))
        last = len(parts) - 1
        clauses = [_Clause(seam, text, number == last) for number, (seam, text) in enumerate(parts) if text]
        found += [clauses] if clauses else []
    return found


def _closed_up(left: list[_Clause], end: str) -> str:
    """Clauses of one sentence without those that stood between them; `end` is the mark with which it ended."""
    text = "".join(clause.seam + clause.text for clause in left).lstrip(_MARKS)
    text = _LEADING.sub("", text)
    text = _without_dangling(text[:1].upper() + text[1:])
    return text if end.isalnum() or text.endswith(end) else text + end


def _well_ended(text: str) -> str:
    return text if text.endswith((".", "!", "?", "。", "！", "？")) else _without_dangling(text)


def _without_dangling(text: str) -> str:
    words = text.rstrip(_MARKS).split(" ")
    while words and (words[-1].strip(_MARKS).casefold() in DANGLING or not words[-1].strip(_MARKS)):
        words.pop()
    return " ".join(words).rstrip(_MARKS)


def _first_words(text: str, most_words: int) -> str:
    """As many whole words as fit; of scripts without spaces as many letters."""
    kept: list[str] = []
    for word in text.split():
        room = most_words - count_words(" ".join(kept))
        if room <= 0:
            break
        letters = [found.end() for found in _LETTER.finditer(word)]
        if len(letters) > room:
            kept.append(word[: letters[room - 1]])
            break
        if not _fits(" ".join([*kept, word]), most_words):
            break
        kept.append(word)
    return " ".join(kept)
