"""How every answer is read, whatever was asked: its text made plain, and what it says of each scene.

Nothing here ever raises, whatever a model wrote.
"""

import re
from typing import Any

from reelscore.spotting.language.loose_json import MOST_CHARACTERS
from reelscore.spotting.lexicon import letters_of

LONGEST_ITEM = 60  # characters of a name or a number
_MOST_READ = 200_000
_NUMBER_FIELDS = ("scene", "number", "index", "id", "n")


_THOUGHT = re.compile(r"<(/?)(?:think|thinking|reasoning)>", re.IGNORECASE)


def without_thoughts(text: str) -> str:
    """The text less what a thinking model said to itself: between think tags, before a lone closing one, after a lone opening one."""
    kept: list[str] = []
    edge, thinking = 0, False
    for tag in _THOUGHT.finditer(text):
        if tag.group(1):
            kept = kept if thinking else []
            edge, thinking = tag.end(), False
        elif not thinking:
            kept.append(text[edge : tag.start()])
            thinking = True
    return " ".join(kept if thinking else [*kept, text[edge:]])


def readable(text: str) -> str:
    """What is read of an answer: without thoughts, control characters and halves of surrogate pairs; bounded."""
    spoken = without_thoughts(text[:_MOST_READ])
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", " ", spoken)[:MOST_CHARACTERS]


def scenes_told(value: Any, plainly: str, scenes: int) -> dict[int, dict[str, Any]]:
    """What an answer says of each scene (from 0), whether it wrote a list, or an object by scene; the first time counts.

    Where it says one thing of a scene and gives it no name, that is taken for `plainly`.
    """
    if isinstance(value, dict):
        value = [
            {"scene": name, **(told if isinstance(told, dict) else {plainly: told})} for name, told in value.items()
        ]
    each = [told if isinstance(told, dict) else {plainly: told} for told in (value if isinstance(value, list) else ())]
    numbers = [_scene_number(fields, place) for place, fields in enumerate(each)]
    shift = 1 if -1 in numbers and scenes - 1 not in numbers else 0  # some count from 0 whatever they are told
    found: dict[int, dict[str, Any]] = {}
    for number, fields in zip(numbers, each, strict=True):
        if 0 <= number + shift < scenes:
            found.setdefault(number + shift, fields)
    return found


def _scene_number(fields: dict[str, Any], place: int) -> int:
    """The number of a scene from 0: as written (from 1, "2", "scene 2"), else by its place in the list."""
    for name, value in fields.items():
        if letters_of(str(name)[:LONGEST_ITEM]) in _NUMBER_FIELDS:
            if is_number(value):
                return int(value) - 1 if abs(value) < 10_000 else -1
            digits = re.search(r"\d{1,4}", value[:LONGEST_ITEM]) if isinstance(value, str) else None
            if digits:
                return int(digits.group()) - 1
    return place


def is_number(value: Any) -> bool:
    """Whether a value is a number and not yes or no."""
    return isinstance(value, float | int) and not isinstance(value, bool)
