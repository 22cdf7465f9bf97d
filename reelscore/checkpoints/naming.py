"""Names of tensors: from one to another by patterns, in which {} stands for a number that both have; and as they may be told."""

import re
from collections.abc import Iterable

Patterns = tuple[tuple[re.Pattern[str], str], ...]


def patterns(pairs: Iterable[tuple[str, str]]) -> Patterns:
    """What translates the first name of every pair into the second."""
    return tuple(
        (re.compile(re.escape(known).replace(r"\{\}", r"(0|[1-9][0-9]{0,4})")), wanted) for known, wanted in pairs
    )


def translated(name: str, known: Patterns) -> str | None:
    """The name that the first fitting pattern makes of it; None if none fits."""
    for pattern, wanted in known:
        if found := pattern.fullmatch(name):
            return wanted.format(*found.groups())
    return None


def printable(text: str) -> str:
    """What a file says, as it may be told: on one line, and without orders to the terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)
