"""A sentence cut into words, with what stands between them: the first step of understanding a prompt."""

import re
import unicodedata
from dataclasses import dataclass

from reelscore.spotting.lexicon import letters_of

_BREAKS = ".;!?()[]{}\n|"
_TOKEN = re.compile(
    r"\d{1,2}/\d{1,2}(?!\w)|w/o(?!\w)|[A-Ga-g][#♯♭](?:maj|min|m)?(?!\w)|\d+(?:\.\d+)?(?:['’]?s(?!\w))?|[^\W\d_]+(?:['’][^\W\d_]+)*|&"
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written, its letters as they are compared, and what stands between it and the word before."""

    text: str
    letters: str
    gap: str  # "", "joined" (a hyphen), "comma", "slash" or "break"


def words_of(prompt: str) -> list[Word]:
    """The words of a prompt in order; numbers, keys ("F#m"), metres ("3/4") and "&" are words too."""
    text = unicodedata.normalize("NFKC", prompt)
    words: list[Word] = []
    edge = 0
    for found in _TOKEN.finditer(text):
        between = text[edge : found.start()]
        gap = ""
        if any(mark in between for mark in _BREAKS) or " - " in between or "–" in between or "—" in between:
            gap = "break"
        elif "," in between:
            gap = "comma"
        elif "/" in between:
            gap = "slash"
        elif between == "-":
            gap = "joined"
        words.append(Word(found.group(), letters_of(found.group()), gap))
        edge = found.end()
    return words
