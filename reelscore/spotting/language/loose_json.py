"""JSON as language models write it: amid chatter, in code fences, with single quotes, trailing commas or a lost end.

Nothing here ever raises, and the work grows with the length of the text alone: nesting, attempts and lengths are bounded.
Numbers come as floats; those that are not finite, or written with more than 24 characters, are None.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

MOST_CHARACTERS = 20_000
_DEEPEST = 8
_MOST_ATTEMPTS = 60
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`"}
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "none": None, "nan": None, "infinity": None}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_BARE = re.compile(r"[^\s,:{}\[\]\"']+(?:[ \t]+[^\s,:{}\[\]\"']+)*")
_SPACE = re.compile(r"(?:\s|//[^\n]*)*")
_CODE = re.compile(r"[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|[\da-fA-F]{4}")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class _NoValueError(Exception):
    """What stands here is no value."""


def values_in(text: str) -> Iterator[Any]:
    """Every JSON object and list in a text, in order; those inside another are not given by themselves."""
    text = text[:MOST_CHARACTERS]
    at = 0
    for _ in range(_MOST_ATTEMPTS):
        opening = min((place for place in (text.find("{", at), text.find("[", at)) if place >= 0), default=-1)
        if opening < 0:
            return
        reading = _Reading(text, opening)
        try:
            yield reading.value()
            at = reading.at
        except _NoValueError:
            at = opening + 1


class _Reading:
    """One reading from left to right; what the text breaks off within is closed where it breaks off."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at
        self.depth = 0

    def value(self) -> Any:
        self._skip_space()
        mark = self._mark()
        if mark in ("{", "["):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise _NoValueError
            found = self._object() if mark == "{" else self._list()
            self.depth -= 1
            return found
        if mark in _QUOTES:
            return self._string()
        return self._bare()

    def _mark(self) -> str:
        return self.text[self.at : self.at + 1]

    def _skip_space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _object(self) -> dict[str, Any]:
        self.at += 1
        found: dict[str, Any] = {}
        while self._goes_on("}"):
            key = self.value()
            if not isinstance(key, str | float):
                raise _NoValueError
            self._skip_space()
            if self._mark() != ":":
                if self.at >= len(self.text):
                    break
                raise _NoValueError
            self.at += 1
            self._skip_space()
            if self.at >= len(self.text):
                break
            found[str(key)] = None if self._mark() in (",", "}") else self.value()
        return found

    def _list(self) -> list[Any]:
        self.at += 1
        found: list[Any] = []
        while self._goes_on("]"):
            found.append(self.value())
        return found

    def _goes_on(self, closing: str) -> bool:
        """Moves to the next member; False behind the closing bracket and at the end of the text."""
        while True:
            self._skip_space()
            mark = self._mark()
            if mark != ",":
                break
            self.at += 1
        if mark in (closing, ""):
            self.at += len(mark)
            return False
        # Where the wrong bracket closes, whoever opened the other one takes it.
        return mark not in ("}", "]")

    def _string(self) -> str:
        closing = _QUOTES[self._mark()]
        self.at += 1
        letters: list[str] = []
        while self.at < len(self.text):
            mark = self.text[self.at]
            self.at += 1
            if mark == "\\" and self.at < len(self.text):
                letters.append(self._escaped())
            elif mark == closing and not self._is_apostrophe(closing):
                break
            else:
                letters.append(mark)
        return "".join(letters)

    def _escaped(self) -> str:
        mark = self.text[self.at]
        self.at += 1
        found = _CODE.match(self.text, self.at) if mark == "u" else None
        if found is None:
            return _ESCAPES.get(mark, mark)
        self.at = found.end()
        # Beyond the first plane two codes make a letter; half of such a pair says nothing alone.
        letter = bytes.fromhex(found.group().replace("\\u", "")).decode("utf-16-be", "ignore")
        return letter or " "

    def _is_apostrophe(self, closing: str) -> bool:
        """Whether a closing mark stands inside a word: 'children's music'."""
        before, after = self.text[self.at - 2], self.text[self.at : self.at + 1]
        return closing in ("'", "’") and before.isalnum() and after.isalnum()

    def _bare(self) -> Any:
        found = _BARE.match(self.text, self.at)
        if found is None:
            raise _NoValueError
        self.at = found.end()
        written = found.group()
        if written.casefold() in _WORDS:
            return _WORDS[written.casefold()]
        if len(written) <= 24 and _NUMBER.fullmatch(written):
            number = float(written)
            return number if math.isfinite(number) else None
        if _NUMBER.fullmatch(written):
            return None
        return written
