"""Words and what they mean: every name and synonym of the vocabulary, and the words for pace, energy, tempo and metre.

A word is looked up by its letters and digits alone, so "Lo-Fi", "lofi" and "lo fi" are one. Plurals and the endings -ly
and -ness are folded, and a slip of one key is forgiven in longer words, never in short ones.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Literal

from reelscore.errors import InputError
from reelscore.vocabulary import FAMILIES, GENRES, INSTRUMENTS, MOODS

Kind = Literal["genre", "mood", "instrument", "family", "pace", "energy", "tempo", "metre", "mode"]


@dataclass(frozen=True)
class Meaning:
    """What a word means. `name` is a name of the vocabulary, or the mode; `low` and `high` are the numbers of the others.

    Pace and energy: −1 (slow, little) to 1 in `low`. Tempo: a range in BPM. Metre: beats in a bar in `low`.
    """

    kind: Kind
    name: str
    low: float = 0.0
    high: float = 0.0


PACES = {
    -0.9: "slow, slowly, sluggish, crawling, slow tempo, low tempo",
    -0.6: "slower, unrushed, leisurely, slow paced, slow moving",
    0.0: "mid tempo, medium tempo, moderate, moderate tempo, medium speed, medium pace",
    0.6: "faster, uptempo, up tempo, brisk, quicker, speedy",
    0.9: "fast, quick, quickly, rapid, fast paced, high tempo, fast tempo, frantic, hectic",
}
ENERGIES = {
    -0.8: "low energy, minimal, sparse, ambient like, barely there, almost nothing",
    -0.5: "quiet, quieter, softer, simple, low key, understated, discreet, minimalist, minimalistic, small, thin, toned down, "
    "less energy, in the background, stripped down",
    0.4: "rich, full, busy, driving, rhythmic, crescendo, builds, climax, more energy, bigger, building, build up, lush, thick, punch",
    0.7: "loud, powerful, intense, intensity, big, heavy, high energy, massive, huge, explosive, hard, wild, relentless, "
    "hard hitting",
}
TEMPI_BPM = {
    (44.0, 58.0): "largo, lento, grave tempo",
    (58.0, 76.0): "adagio, larghetto",
    (76.0, 96.0): "andante, andantino, walking pace",
    (96.0, 112.0): "moderato, allegretto",
    (116.0, 144.0): "allegro, con brio",
    (144.0, 168.0): "vivace",
    (168.0, 196.0): "presto, prestissimo",
}
METRES = {
    3: "waltz, waltzes, 3/4, three four, triple time, triple metre, triple meter, valse",
    4: "4/4, four four, common time, four on the floor",
}
MODE_WORDS = {
    "major": "major, major key, major mode",
    "minor": "minor, minor key, minor mode, aeolian",
    "dorian": "dorian",
    "mixolydian": "mixolydian",
    "lydian": "lydian",
    "phrygian": "phrygian",
}

# Words that are near a word of the lexicon but are other words of everyday language.
_NOT_SLIPS = frozenset(
    word
    for words in (
        "beast beasts breast trial trials plane planes planet piece pieces place spring sprint strange string stage"
        " strongly quite hearth wander wandering wonder movie movies bottle battery angel angels change changes"
        " singling signing carton tension pension closet passport position",
    )
    for word in words.split()
)


def letters_of(text: str) -> str:
    """The letters and digits of a text in lower case, with `&` and the slash of a metre: what words are compared by."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[^\w&/]|_", "", plain)


@cache
def lexicon() -> dict[str, tuple[Meaning, ...]]:
    """Every known word, by its letters, with all that it means."""
    found: dict[str, list[Meaning]] = {}

    def enter(words: str | tuple[str, ...], meaning: Meaning) -> None:
        for word in words.split(", ") if isinstance(words, str) else words:
            known = found.setdefault(letters_of(word), [])
            if meaning not in known:
                known.append(meaning)

    for name, genre in GENRES.items():
        enter((name, *genre.synonyms), Meaning("genre", name))
    for name, mood in MOODS.items():
        enter((name, *mood.synonyms), Meaning("mood", name))
    for name, instrument in INSTRUMENTS.items():
        enter((name, *instrument.synonyms), Meaning("instrument", name))
    for name in FAMILIES:
        enter((name, _singular(name)), Meaning("family", name))
    for amount, words in PACES.items():
        enter(words, Meaning("pace", "", amount))
    for amount, words in ENERGIES.items():
        enter(words, Meaning("energy", "", amount))
    for (low, high), words in TEMPI_BPM.items():
        enter(words, Meaning("tempo", "", low, high))
    for beats, words in METRES.items():
        enter(words, Meaning("metre", "", beats))
    for mode, words in MODE_WORDS.items():
        enter(words, Meaning("mode", mode))
    return {letters: tuple(meanings) for letters, meanings in found.items()}


def meanings_of(letters: str) -> tuple[Meaning, ...]:
    """What a word means, given its letters (`letters_of`): as it stands, else as plural, singular or derived form; or nothing."""
    known = lexicon()
    if letters in known:
        # "drum kits" and "drum kit" are one; "piano" must find the family "pianos" as well.
        return known[letters]
    for form in _forms(letters):
        if form in known:
            return known[form]
    return ()


def members_of(name: str) -> tuple[str, ...]:
    """The instruments that a name means: itself, or the members of a family; none for other names."""
    return (name,) if name in INSTRUMENTS else FAMILIES.get(name, ())


def corrected(letters: str) -> str | None:
    """The known word that differs from this one by a single slip of the keys; None for short words and doubtful cases."""
    if not 5 <= len(letters) <= 24 or letters in _NOT_SLIPS:
        return None
    near = set()
    for shorter in {letters, *_with_one_left_out(letters)}:
        near |= _left_out().get(shorter, set())
    fitting = {word for word in near if _is_slip(letters, word)}
    meanings = {lexicon()[word] for word in fitting}
    return min(fitting) if len(meanings) == 1 else None


def name_in_vocabulary(text: str, kinds: tuple[Kind, ...], called: str) -> str:
    """The vocabulary's name for a word that a person gave for a genre, mood or instrument; the first of `kinds` wins.

    `called` is what the message calls the thing. Raises InputError that names near words.
    """
    meanings = meanings_of(letters_of(text))
    for kind in kinds:
        for meaning in meanings:
            if meaning.kind == kind:
                return meaning.name
    tables: dict[Kind, Iterable[str]] = {"genre": GENRES, "mood": MOODS, "instrument": INSTRUMENTS, "family": FAMILIES}
    names = [name for kind in kinds for name in tables[kind]]
    words = {letters: m.name for letters, ms in lexicon().items() for m in ms if m.kind in kinds}
    near = list(dict.fromkeys(words[letters] for letters in get_close_matches(letters_of(text)[:40], words, 3, 0.7)))
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known are {', '.join(dict.fromkeys(names))}."
    raise InputError(f"{text[:60]!r} is no {called} of the vocabulary; {hint}")


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def _forms(letters: str) -> list[str]:
    """The other forms under which a word may be known, the likeliest first."""
    forms = [letters + "s"]
    for ending, instead in (
        ("ies", "y"),
        ("es", ""),
        ("s", ""),
        ("iness", "y"),
        ("ness", ""),
        ("ily", "y"),
        ("ly", ""),
    ):
        if letters.endswith(ending) and len(letters) > len(ending) + 2:
            forms.append(letters[: -len(ending)] + instead)
    return forms


def _with_one_left_out(word: str) -> set[str]:
    return {word[:n] + word[n + 1 :] for n in range(len(word))}


@cache
def _left_out() -> dict[str, set[str]]:
    """Known words by themselves and by every spelling that leaves one letter out, so that slips are found without a search."""
    found: dict[str, set[str]] = {}
    for word in lexicon():
        if len(word) >= 5 and word.isalpha():
            for shorter in {word, *_with_one_left_out(word)}:
                found.setdefault(shorter, set()).add(word)
    return found


def _is_slip(given: str, word: str) -> bool:
    """Whether `given` is `word` with two neighbours swapped (5 letters and more), one too many or missing (6), or one wrong (7)."""
    if given[0] != word[0]:
        return False
    if len(given) != len(word):
        longer, shorter = (given, word) if len(given) > len(word) else (word, given)
        return len(word) >= 6 and len(longer) == len(shorter) + 1 and shorter in _with_one_left_out(longer)
    wrong = [n for n, (a, b) in enumerate(zip(given, word, strict=True)) if a != b]
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        return given[wrong[0]] == word[wrong[1]] and given[wrong[1]] == word[wrong[0]]
    return len(wrong) == 1 and len(word) >= 7
