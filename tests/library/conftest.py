"""What the tests of the library share: listening that takes no time, and a library to add to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_library import heard

from reelscore.library import Library, measuring, open_library
from reelscore.listening import Heard


@pytest.fixture
def listened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float | None]]:
    """Every file is heard at once as a minute at 120 bpm, or at the tempo that was said; gives what was listened to."""
    names: list[tuple[str, float | None]] = []

    def listen(path: Path, *, near_bpm: float | None = None) -> Heard:
        names.append((path.name, near_bpm))
        return heard(tempo_bpm=near_bpm or 120.0, key="D minor")

    monkeypatch.setattr(measuring, "listen", listen)
    return names


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(tmp_path / "library", create=True) as opened:
        yield opened
