"""Configurations as plain data and back: every kind of field, and refusal of everything else by the field's name."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from reelscore.models.configurations import GREATEST, MOST_LAYERS, from_dict, to_dict


@dataclass(frozen=True)
class Inner:
    layers: int = 2
    rates: tuple[int, ...] = (8, 5)


@dataclass(frozen=True)
class Outer:
    width: int = 16
    clip_layers: int = 3
    delays: tuple[int, ...] = (0, 1)
    attends: Literal["patches", "time"] = "patches"
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self) -> None:
        if self.width % 2:
            raise ValueError(f"width is {self.width}; it must be even.")


GIVEN = Outer(32, 64, (0, 3), "time", Inner(1, (4,)))


def test_written_and_read_again() -> None:
    assert from_dict(Outer, json.loads(json.dumps(to_dict(GIVEN)))) == GIVEN


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"width": 0}, "width is 0"),
        ({"width": 31}, "must be even"),
        ({"width": GREATEST + 1}, "width"),
        ({"width": 32.0}, "width"),
        ({"width": True}, "width"),
        ({"width": None}, "width"),
        ({"clip_layers": MOST_LAYERS + 1}, "clip_layers"),
        ({"delays": []}, "delays"),
        ({"delays": [-1]}, "delays is -1"),
        ({"delays": [1] * (MOST_LAYERS + 1)}, "delays"),
        ({"attends": "nothing"}, "attends is 'nothing'; it must be one of patches, time"),
        ({"attends": ["time"]}, "attends"),
        ({"inner": 3}, "inner is 3; it must be an object"),
        ({"inner": {"layers": 2}}, r"inner\.rates is missing"),
        ({"inner": {"layers": 2, "rates": [0]}}, r"inner\.rates is 0"),
        ({"inner": {"layers": 10**9, "rates": [1]}}, r"inner\.layers"),
        ({"more": 1}, "more is not a field"),
    ],
)
def test_everything_else_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        from_dict(Outer, to_dict(GIVEN) | change)


@pytest.mark.parametrize("written", [None, 3, [], "text"])
def test_what_is_no_object(written: Any) -> None:
    with pytest.raises(ValueError, match="must be an object"):
        from_dict(Outer, written)
