"""The guide names all that can be asked for, and every field of a brief."""

from pathlib import Path

import pytest

from reelscore.brief import Brief
from reelscore.mix import LOUDNESS_PRESETS
from reelscore.vocabulary import FAMILIES, GENRES, INSTRUMENTS, MOODS

GUIDE = (Path(__file__).resolve().parents[1] / "docs" / "guide.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("names", [GENRES, MOODS, INSTRUMENTS, FAMILIES, LOUDNESS_PRESETS, Brief.model_fields])
def test_every_name_is_in_the_guide(names: dict[str, object]) -> None:
    assert [name for name in names if name not in GUIDE] == []
