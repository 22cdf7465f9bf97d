"""The brief in words to search by, and what a track's words say that must not sound.

What a person said and what was inferred from the film are kept apart, because a wish counts more.
"""

import re
from dataclasses import dataclass
from functools import cache

from reelscore.brief import Brief
from reelscore.library import Track
from reelscore.saying import feelings, free_words, is_wished, kept, plain, ruled_out, shunned, undenied, unique, without
from reelscore.vocabulary import GENRES, INSTRUMENTS, MOODS

_WORD = re.compile(r"[\w&'’-]+")


@dataclass(frozen=True)
class Sought:
    """What to search for: the person's own words, which may be none; those for the whole film; and those of each section, if any.

    `shares` are the sections' shares of the film, in the same order as `sections`.
    """

    wished: str
    whole: str
    sections: tuple[str, ...]
    shares: tuple[float, ...]

    @property
    def everything(self) -> str:
        """All the words that the film itself brought."""
        return ". ".join([self.whole, *self.sections])


def sought(brief: Brief) -> Sought:
    """The words of a brief, without anything that is to be avoided and without what a "no" stands before."""
    out = ruled_out(brief, shunned(brief))
    asked = [
        *(brief.tags.genres if is_wished(brief, "tags.genres") else ()),
        *(brief.tags.moods if is_wished(brief, "tags.moods") else ()),
        *(brief.tags.instruments if is_wished(brief, "tags.instruments") else ()),
    ]
    wished = [without(undenied(brief.prompt), out), *kept(asked, out)]
    whole = kept((*brief.tags.genres, *feelings(brief, None), *brief.tags.instruments), out)
    told = [section for section in brief.sections if section.instruction]
    return Sought(
        ", ".join(filter(None, unique(wished))),
        ", ".join(whole),
        tuple(without(undenied(section.instruction), out) for section in told),
        tuple((section.end - section.start) / brief.duration for section in told),
    )


def avoided_in(track: Track, brief: Brief) -> str:
    """What a track's title, tags or description name that the brief avoids; empty where they name nothing of it.

    The longest known phrase counts: an "acoustic guitar" is an instrument and not the genre "acoustic". What stands behind a "no" is
    not there.
    """
    out = ruled_out(brief, shunned(brief))
    if not out:
        return ""
    unknown = free_words(brief).denied
    for text in (*track.tags, track.title, undenied(track.description)):
        words = [word.casefold() for word in _WORD.findall(text)]
        for names in _phrases(words, unknown):
            if named := next((name for name in names if name in out), ""):
                return named
    return ""


def _phrases(words: list[str], unknown: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The known phrases in a row of words, from left to right, the longest first; each in singular and plural, which are the same."""
    known, longest = _known()
    found = []
    place = 0
    while place < len(words):
        for length in range(min(longest, len(words) - place), 0, -1):
            phrase = " ".join(words[place : place + length])
            names = _numbers_of(phrase)
            if any(name in known or name in unknown for name in names):
                found.append(names)
                place += length - 1
                break
        place += 1
    return found


def _numbers_of(phrase: str) -> tuple[str, ...]:
    return (phrase, f"{phrase}s", phrase.removesuffix("s"), phrase.removesuffix("es"), phrase.replace("-", " "))


@cache
def _known() -> tuple[frozenset[str], int]:
    """Every name of the vocabulary, and how many words the longest has."""
    names: set[str] = set()
    for table in (INSTRUMENTS, GENRES, MOODS):
        for name, entry in table.items():
            names |= {name, plain(name), *entry.synonyms}
    return frozenset(names), max(len(name.split()) for name in names)
