"""What a model said, made fit to be shown and read on: one line of plain words, bounded, or nothing at all.

Models echo the question, think aloud, leak markers of their own, break off and repeat themselves without end; what they
read in the picture may hold anything. Nothing here can fail, whatever the text.
"""

import re
import unicodedata
from collections.abc import Sequence

CAPTION_LENGTH = 500  # characters
DESCRIPTION_LENGTH = 900
_READ = 20_000  # characters of an answer that are looked at
_LONGEST_LOOP = 12  # words of a phrase that is found out to be repeated

_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]?")
_THOUGHTS = re.compile(r"<think(?:ing)?>.{0,20000}?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_MARKERS = re.compile(
    r"<[|｜][^<>]{0,60}[|｜]>(?:(?:assistant|model)\b)?|</?[A-Za-z_][\w .:-]{0,40}/?>|\[/?(?:INST|IMG|SYS)\]|```\w*"
)
_SPEAKER = re.compile(r"^\W*(?:assistant|answer|caption|description|response)\s*:\s*", re.IGNORECASE)
_MARKDOWN = re.compile(r"\*\*|__|^\s{0,3}#{1,6}\s+|^\s*[-*•]\s+", re.MULTILINE)
_STUTTER = re.compile(r"(.{1,40}?)\1{4,}")  # "hahahahaha", or the same words with nothing between
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+")


def cleaned(answer: str, most: int, prompts: Sequence[str] = ()) -> str:
    """One line of at most `most` characters without control characters, markers, `prompts` and repetitions; "" where no word is left."""
    text = _TERMINAL.sub(" ", answer[:_READ])
    text = _MARKERS.sub(" ", _THOUGHTS.sub(" ", text))
    text = _MARKDOWN.sub("", text)
    text = _one_line(text)
    for prompt in prompts:
        text = text.replace(_one_line(prompt), " ")
    text = _SPEAKER.sub("", " ".join(text.split()))
    text = _shortened(_without_repeats(_without_loops(_STUTTER.sub(r"\1", text))), most)
    return text if any(letter.isalpha() for letter in text) else ""


def joined(captions: Sequence[str], most: int) -> str:
    """Short captions as one sentence in their order, each said once; those that say nearly the same count as the same."""
    kept: list[tuple[str, frozenset[str]]] = []
    for caption in captions:
        words = frozenset(re.findall(r"\w+", caption.lower())) - {
            "a",
            "an",
            "the",
            "of",
            "is",
            "are",
            "in",
            "on",
            "with",
        }
        if words and all(len(words & other) < 0.6 * len(words | other) for _, other in kept):
            kept.append((caption.rstrip(" .;,"), words))
    text = "; ".join(caption for caption, _ in kept)
    return _shortened(text[:1].upper() + text[1:] + ".", most) if text else ""


def _one_line(text: str) -> str:
    """The same without control, format, private and unpaired characters; every kind of space is one space."""
    plain = "".join(
        " " if kind in ("Cc", "Zl", "Zp", "Zs") else "" if kind[0] == "C" else letter
        for letter in text
        for kind in (unicodedata.category(letter),)
    )
    return " ".join(plain.replace("\N{REPLACEMENT CHARACTER}", "").split())


def _without_loops(text: str) -> str:
    """The same with every phrase that is said over and over, one word after another, said once."""
    words = text.split()
    said: list[str] = []
    place = 0
    while place < len(words):
        length = next((size for size in range(1, _LONGEST_LOOP + 1) if _loops(words, place, size)), 0)
        said.append(words[place])
        if not length:
            place += 1
            continue
        phrase = words[place : place + length]
        said += phrase[1:]
        while words[place : place + length] == phrase:
            place += length
    return " ".join(said)


def _loops(words: Sequence[str], place: int, length: int) -> bool:
    """Whether the phrase of that length is said at least three times in a row from there; "ha ha" is not yet a loop."""
    phrase = words[place : place + length]
    return words[place + length : place + 3 * length] == [*phrase, *phrase]


def _without_repeats(text: str) -> str:
    """The same without sentences that were said before."""
    seen: set[str] = set()
    kept = []
    for sentence in _SENTENCE.split(text):
        key = re.sub(r"\W+", " ", sentence.lower()).strip()
        if key not in seen or not key:
            kept.append(sentence)
        seen.add(key)
    return " ".join(kept).strip()


def _shortened(text: str, most: int) -> str:
    """At most `most` characters: whole sentences where one fits, else whole words."""
    if len(text) <= most:
        return text
    cut = text[:most]
    ends = [found.start() for found in _SENTENCE.finditer(text[: most + 1])]
    if ends and ends[-1] >= 0.3 * most:
        return cut[: ends[-1]]
    return cut[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"
