"""Real films, analysed once for all tests of this folder."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from reelscore.analysis import Analysis, analyze

EXAMPLE_FILM = Path(__file__).resolve().parents[2] / "examples" / "film.mp4"


@pytest.fixture(scope="session")
def analysed(clips: Path) -> Callable[[str], Analysis]:
    """Called with the name of a clip; gives all that is known of it."""
    return cache(lambda name: analyze(clips / name))


@pytest.fixture(scope="session")
def example() -> Analysis:
    """All that is known of the example film."""
    return analyze(EXAMPLE_FILM)
