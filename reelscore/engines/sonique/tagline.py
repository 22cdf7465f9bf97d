"""What the text tower reads: a brief's tags as one line, "jazz, grand piano, upright bass, happy, 122 bpm", and another to avoid.

The published model was trained on such lines: names of genres, instruments and moods by commas, at most eight, the tempo last.
A line here is lower case, names nothing twice and nothing that is to be avoided, and always states the tempo where it is
read: within the first `SURELY_READ_BYTES`. A byte-level tokenizer makes no more tokens than there are bytes, so what lies
within them is never cut off, whatever the words are.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from reelscore.brief import Brief, Section
from reelscore.vocabulary import FAMILIES, GENRES, INSTRUMENTS, MOODS

MOST_TAGS = 8
MOST_STEADY = 4  # of them genres and instruments; the rest is for moods, free words and the tempo
SURELY_READ_BYTES = 75  # of the 77 tokens that are read, one opens and one closes the line
_MOST_LETTERS = 24  # of a free word; longer ones are no words

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
# What a section's energy adds, where it is far from the middle.
_SPARSE, _INTENSE = ("sparse", 0.3), ("intense", 0.8)
_OWN_MOOD_DRAW = 0.3  # how much nearer a mood of the brief counts than any other
_NEGATION = re.compile(
    r"\b(?:no|not|without|neither|nor|minus|except|isn'?t|(avoid|exclude|omit|remove|skip|don'?t|never))\b"
)


@dataclass(frozen=True)
class Lines:
    """The line of tags to follow and the one to keep away from, which may be empty."""

    positive: str
    negative: str


def lines(brief: Brief, section: Section | None = None, further_negative: str = "") -> Lines:
    """What to say of the whole piece or, with a section, of that section: its moods change, all else stays the same.

    `further_negative` holds more tags to keep away from, by commas.
    """
    free, denied = _free_words(brief)
    shunned = _unique([_plain(name) for name in brief.tags.avoid] + _split(further_negative) + denied)
    ruled_out = _ruled_out(brief, shunned)
    genres = _kept(brief.tags.genres, ruled_out)
    instruments = _kept([name for name in brief.tags.instruments if not brief.avoids(name)], ruled_out)
    moods = _kept(_moods(brief, section), ruled_out)
    # Who plays what is settled without a look at the section, so that it stays the same from one to the next.
    steady = _most_important(genres, instruments)[:MOST_STEADY]
    changing = _unique([*moods, *_kept(free, ruled_out)])
    tags = [tag for tag in _unique([*genres, *instruments]) if tag in steady]
    tags = _unique([*tags, *changing])[: MOST_TAGS - 1]
    return Lines(_with_tempo(tags, brief.tempo_bpm), ", ".join(shunned))


def published_lines(brief: Brief, further_negative: str = "") -> Lines:
    """The lines as SONIQUE 1.0 wrote them: every tag in alphabetical order, the tempo behind them; the negative as it was typed.

    Nothing is limited or taken out; only its slips of the pen (an empty first tag, a tag twice) are not repeated.
    """
    tags = {tag.lower() for tag in (*brief.tags.genres, *brief.tags.instruments, *brief.tags.moods)}
    negative = ", ".join([*brief.tags.avoid, *([further_negative] if further_negative else [])])
    return Lines(", ".join([*sorted(tags), _tempo(brief.tempo_bpm)]), negative)


def _most_important(genres: Sequence[str], instruments: Sequence[str]) -> list[str]:
    """Genres and instruments, those first that a line can spare least: a second genre counts less than a third instrument."""
    ranked = [(3.5 * place, tag) for place, tag in enumerate(genres)]
    ranked += [(1.0 + place, tag) for place, tag in enumerate(instruments)]
    return _unique([tag for _, tag in sorted(ranked, key=lambda pair: pair[0])])


def _moods(brief: Brief, section: Section | None) -> list[str]:
    """The section's own mood, then the brief's first, then a word for the section's energy, then the brief's other moods."""
    if section is None:
        return list(brief.tags.moods)
    own = _nearest_mood(section, brief.tags.moods, brief.tags.avoid)
    words = [own, *brief.tags.moods[:1]]
    if section.energy <= _SPARSE[1]:
        words.append(_SPARSE[0])
    if section.energy >= _INTENSE[1]:
        words.append(_INTENSE[0])
    return _unique([*words, *brief.tags.moods[1:]])


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


def _with_tempo(tags: Sequence[str], tempo_bpm: float) -> str:
    """The tags by commas with the tempo last, as in training, or where it still lies within what is surely read."""
    tempo = _tempo(tempo_bpm)
    before = len(tags)
    while before and len(", ".join([*tags[:before], tempo]).encode()) > SURELY_READ_BYTES:
        before -= 1
    return ", ".join([*tags[:before], tempo, *tags[before:]])


def _tempo(tempo_bpm: float) -> str:
    return f"{round(tempo_bpm)} bpm"


def _free_words(brief: Brief) -> tuple[list[str], list[str]]:
    """The person's words that the vocabulary does not know: those that were wished for, and those that a "no" stands before."""
    denials = _denied_stretches(brief.prompt.casefold())
    wished: list[str] = []
    denied: list[str] = []
    for entry in brief.not_understood:
        word = " ".join(re.sub(r"[^\w&' -]", " ", entry.casefold()).split())
        if not 1 < len(word) <= _MOST_LETTERS or not any(letter.isalpha() for letter in word):
            continue
        (denied if any(re.search(rf"\b{re.escape(word)}\b", each) for each in denials) else wished).append(word)
    return _unique(wished), _unique(denied)


def _denied_stretches(prompt: str) -> list[str]:
    """The stretches of a prompt over which a "no" reaches: up to a stop, a "but" or a "with", and for a mere "no" up to a comma.

    After a comma it goes on where an "or" follows.
    """
    stretches = []
    for clause in re.split(r"[.;:!?\n]|\bbut\b|\bwith\b|\bonly\b", prompt):
        found = _NEGATION.search(clause)
        if not found:
            continue
        reach = clause[found.end() :]
        through_commas = found.group(1) or re.search(r"\b(?:or|nor)\b", reach)
        stretches.append(reach if through_commas else reach.split(",")[0])
    return stretches


def _ruled_out(brief: Brief, shunned: Iterable[str]) -> set[str]:
    """Every word that must not be asked for: what is shunned, by all its names, and the members of families."""
    out: set[str] = set()
    for name in (*brief.tags.avoid, *shunned):
        for member in (name, *FAMILIES.get(name, ())):
            out |= {member, _plain(member), *_all_names(member)}
    return out


def _all_names(word: str) -> set[str]:
    """By what names that which `word` stands for is known: in the vocabulary, to those who tag, and to everybody else."""
    names: set[str] = set()
    for table in (INSTRUMENTS, GENRES, MOODS):
        for name, entry in table.items():
            if word in (name, *entry.synonyms):
                names |= {name, _plain(name), *entry.synonyms}
    return names


def _kept(names: Iterable[str], ruled_out: set[str]) -> list[str]:
    """The tags of these names without what is ruled out."""
    return _unique([_plain(name) for name in names if name not in ruled_out and _plain(name) not in ruled_out])


def _plain(name: str) -> str:
    return _PLAIN.get(name, name)


def _split(text: str) -> list[str]:
    """Tags by commas or lines, lower case, each on one line without blanks around it."""
    return [" ".join(tag.casefold().split()) for tag in re.split(r"[,;\n]", text) if tag.strip()]


def _unique(tags: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(tags))
