"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

# Tests run side by side, one on each core: models this small would only wait for threads of their own.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def clips() -> Path:
    """The folder of real clips beside the project; tests on real footage are left out where it is not there."""
    folder = Path(__file__).resolve().parents[1].parent / "shared" / "clips"
    if not folder.is_dir():
        pytest.skip("no real footage: the folder shared/clips is not beside the project")
    return folder
