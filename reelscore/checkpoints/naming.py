"""From names to names by patterns, in which {} stands for a number that both have."""

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
