"""What the tests of the engine `sonique` share: tiny weights, and ways to ask for music with them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reelscore.brief import Brief
from reelscore.engines import Request
from reelscore.engines.sonique import Options
from reelscore.spotting import complete

Asking = Callable[..., Request]


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_sonique import tiny_sonique

    return tiny_sonique(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def asked(tiny_weights: Path) -> Asking:
    """A request on tiny weights with few steps: `asked(brief, seed, melody=..., **options)`."""

    def ask(brief: Brief, seed: int = 1, *, melody: Path | None = None, **options: Any) -> Request:
        chosen = Options(**{"weights": str(tiny_weights), "steps": 4, **options})
        return Request(complete(brief), seed, chosen, melody=melody)

    return ask
