"""What the text tower reads: a brief's tags as one line, "jazz, grand piano, upright bass, happy, 122 bpm", and another to avoid.

The published model was trained on such lines: names of genres, instruments and moods by commas, at most eight, the tempo last.
A line here is lower case, names nothing twice and nothing that is to be avoided, and always states the tempo where it is
read: within the first `SURELY_READ_BYTES`. A byte-level tokenizer makes no more tokens than there are bytes, so what lies
within them is never cut off, whatever the words are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reelscore import saying
from reelscore.brief import Brief, Section
from reelscore.saying import feelings, free_words, kept, ruled_out, unique

MOST_TAGS = 8
MOST_STEADY = 4  # of them genres and instruments; the rest is for moods, free words and the tempo
SURELY_READ_BYTES = 75  # of the 77 tokens that are read, one opens and one closes the line


@dataclass(frozen=True)
class Lines:
    """The line of tags to follow and the one to keep away from, which may be empty."""

    positive: str
    negative: str


def lines(brief: Brief, section: Section | None = None, further_negative: str = "") -> Lines:
    """What to say of the whole piece or, with a section, of that section: its moods change, all else stays the same.

    `further_negative` holds more tags to keep away from, by commas.
    """
    shunned = saying.shunned(brief, further_negative)
    out = ruled_out(brief, shunned)
    genres = kept(brief.tags.genres, out)
    instruments = kept(brief.tags.instruments, out)
    # Who plays what is settled without a look at the section, so that it stays the same from one to the next.
    steady = _most_important(genres, instruments)[:MOST_STEADY]
    changing = kept([*feelings(brief, section), *free_words(brief).wished], out)
    tags = [tag for tag in unique([*genres, *instruments]) if tag in steady]
    tags = unique([*tags, *changing])[: MOST_TAGS - 1]
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
    return unique([tag for _, tag in sorted(ranked, key=lambda pair: pair[0])])


def _with_tempo(tags: Sequence[str], tempo_bpm: float) -> str:
    """The tags by commas with the tempo last, as in training, or where it still lies within what is surely read."""
    tempo = _tempo(tempo_bpm)
    before = len(tags)
    while before and len(", ".join([*tags[:before], tempo]).encode()) > SURELY_READ_BYTES:
        before -= 1
    return ", ".join([*tags[:before], tempo, *tags[before:]])


def _tempo(tempo_bpm: float) -> str:
    return f"{round(tempo_bpm)} bpm"
