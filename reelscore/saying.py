"""A brief in words, for networks that read them and for searches: what things are called, what is wished for and denied, how a section feels.

All words are lower case and no list names anything twice. What is to be avoided is known by all its names: nothing that comes
out of `kept` or `without` asks for it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from reelscore.brief import Brief, Section
from reelscore.grammar import ENDING, LISTING, NEGATING
from reelscore.vocabulary import FAMILIES, GENRES, INSTRUMENTS, MOODS

_MOST_LETTERS = 24  # of a free word; longer ones are no words
# What a section's energy adds, where it is far from the middle.
_SPARSE, _INTENSE = ("sparse", 0.3), ("intense", 0.8)
_SHORTEST_PLURAL = 5  # letters
_OWN_MOOD_DRAW = 0.3  # how much nearer a mood of the brief counts than any other
# Instruments as people who tag music call them; the others have one name everywhere.
_PLAIN = {
    "grand piano": "piano",
    "felt piano": "soft piano",
    "solo violin": "violin",
    "solo cello": "cello",
    "upright bass": "double bass",
    "electric bass": "bass guitar",
    "drum kit": "drums",
    "brushes": "brushed drums",
    "electronic kit": "electronic drums",
    "warm pad": "synth pad",
    "bright pad": "shimmering synth pad",
}


def _as_written(words: Iterable[str]) -> str:
    """A pattern for any of these words, with the apostrophes that they have when they are written."""
    return "|".join(re.sub("nt$", "n['’]?t", re.escape(word)) for word in sorted(words))


_NEGATION = re.compile(rf"(?<![\w-])(?:({_as_written(LISTING)})|{_as_written(NEGATING)})(?![\w-])", re.IGNORECASE)
_CLAUSE_ENDS = re.compile(rf"[.;:!?\n]|(?<![\w-])(?:{_as_written(ENDING)})(?![\w-])", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class FreeWords:
    """The person's words that the vocabulary does not know: those that were wished for, and those that a "no" stands before."""

    wished: tuple[str, ...]
    denied: tuple[str, ...]


def free_words(brief: Brief) -> FreeWords:
    """What a brief says that the vocabulary does not know; what cannot be a word is left out."""
    text = brief.prompt.casefold()
    denials = [text[negation.end() : end] for negation, end in _denials(text)]
    wished: list[str] = []
    denied: list[str] = []
    for entry in brief.not_understood:
        word = " ".join(re.sub(r"[^\w&' -]", " ", entry.casefold()).split())
        if not 1 < len(word) <= _MOST_LETTERS or not any(letter.isalpha() for letter in word):
            continue
        (denied if any(re.search(rf"\b{re.escape(word)}\b", each) for each in denials) else wished).append(word)
    return FreeWords(tuple(unique(wished)), tuple(unique(denied)))


def is_wished(brief: Brief, field: str) -> bool:
    """Whether a person asked for this field of a brief ("tags.moods", "key"), and no rule or model chose it."""
    return brief.sources.get(field, "").startswith("person")


def shunned(brief: Brief, further: str = "") -> list[str]:
    """What the music is to keep away from, as it is called: what the brief avoids, `further` words by commas, what was denied."""
    listed = [" ".join(word.casefold().split()) for word in re.split(r"[,;\n]", further) if word.strip()]
    return unique([*map(plain, brief.tags.avoid), *listed, *free_words(brief).denied])


def ruled_out(brief: Brief, words: Iterable[str]) -> set[str]:
    """Every word that must not be asked for: what the brief avoids and `words`, by all their names, and the members of families."""
    out: set[str] = set()
    for name in (*brief.tags.avoid, *words):
        for member in (name, *FAMILIES.get(name, ())):
            out |= {member, plain(member), *_all_names(member)}
    return out


def kept(names: Iterable[str], out: set[str]) -> list[str]:
    """What these names are called, without what is ruled out."""
    return unique(plain(name) for name in names if name not in out and plain(name) not in out)


def feelings(brief: Brief, section: Section | None) -> list[str]:
    """The section's own mood, then the brief's first, then a word for the section's energy, then the brief's other moods."""
    if section is None:
        return list(brief.tags.moods)
    words = [_nearest_mood(section, brief.tags.moods, brief.tags.avoid), *brief.tags.moods[:1]]
    if section.energy <= _SPARSE[1]:
        words.append(_SPARSE[0])
    if section.energy >= _INTENSE[1]:
        words.append(_INTENSE[0])
    return unique([*words, *brief.tags.moods[1:]])


def undenied(text: str) -> str:
    """A sentence without what it says no to: networks that read words do not hear the "no".

    "slow sad piano, no drums" becomes "slow sad piano".
    """
    left, at = "", 0
    for negation, end in _denials(text):
        left += text[at : negation.start()]
        at = end + len("but") if text[end : end + len("but")].lower() == "but" else end
    return tidy(left + text[at:])


def without(text: str, out: set[str]) -> str:
    """A text without the words that are ruled out; singular and plural are the same."""
    singular = {_singular(name) for name in out if name}
    if not singular:
        return tidy(text)
    names = "|".join(map(re.escape, sorted(singular, key=len, reverse=True)))
    return tidy(re.sub(rf"\b(?:{names})(?:s|es)?\b", "", text, flags=re.IGNORECASE))


def tidy(text: str) -> str:
    """A text on one line, without control characters, blanks and commas that nothing stands between."""
    text = " ".join(_CONTROLS.sub(" ", text).split())
    text = re.sub(r"\s+([,.;:!?])", r"\1", text)
    text = re.sub(r"([,;:])(?:\s*[,;:])+", r"\1", text)
    text = re.sub(r"[,;:]+(?=[.!?])", "", text)
    return re.sub(r"^[\s,.;:!?]+|[\s,;:]+$", "", text)


def plain(name: str) -> str:
    """What people who tag music call an instrument of the vocabulary; any other name stays what it is."""
    return _PLAIN.get(name, name)


def unique(words: Iterable[str]) -> list[str]:
    """The words in their order, each once."""
    return list(dict.fromkeys(words))


def _nearest_mood(section: Section, own: Sequence[str], avoid: Sequence[str]) -> str:
    """The mood of the vocabulary that lies nearest to the section's emotion; one of the brief's own wins against close rivals."""

    def distance(name: str) -> float:
        mood = MOODS[name]
        apart = sqrt(
            (mood.valence - section.valence) ** 2
            + (mood.arousal - section.arousal) ** 2
            + 0.5 * (mood.tension - section.tension) ** 2
        )
        return apart - (_OWN_MOOD_DRAW if name in own else 0.0)

    return min((name for name in MOODS if name not in avoid), key=distance, default="neutral")


def _denials(prompt: str) -> list[tuple[re.Match[str], int]]:
    """Every "no" of a prompt, and where that which it reaches over ends: at a stop, a "but" or a "with" and their like,
    and for a mere "no" at a comma.

    After a comma it goes on where an "or" follows.
    """
    denials = []
    edges = [0, *(edge for found in _CLAUSE_ENDS.finditer(prompt) for edge in found.span()), len(prompt)]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        at = start
        while found := _NEGATION.search(prompt, at, end):
            reach = prompt[found.end() : end]
            through_commas = found.group(1) or re.search(r"\b(?:or|nor)\b", reach, re.IGNORECASE)
            at = end if through_commas else found.end() + len(reach.split(",")[0])
            denials.append((found, at))
    return denials


def _singular(name: str) -> str:
    """“drums” without its s; what is short ("keys") or ends in two ("brass") stays what it is."""
    return name[:-1] if len(name) >= _SHORTEST_PLURAL and name.endswith("s") and not name.endswith("ss") else name


def _all_names(word: str) -> set[str]:
    """By what names that which `word` stands for is known: in the vocabulary, to those who tag, and to everybody else."""
    names: set[str] = set()
    for table in (INSTRUMENTS, GENRES, MOODS):
        for name, entry in table.items():
            if word in (name, *entry.synonyms):
                names |= {name, plain(name), *entry.synonyms}
    return names
