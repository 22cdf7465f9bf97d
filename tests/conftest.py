"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from made_library import MadeLibrary

# Tests run side by side, one on each core: models this small would only wait for threads of their own.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def clips() -> Path:
    """The folder of real clips beside the project; tests on real footage are left out where it is not there."""
    folder = Path(__file__).resolve().parents[1].parent / "shared" / "clips"
    if not folder.is_dir():
        pytest.skip("no real footage: the folder shared/clips is not beside the project")
    return folder


@pytest.fixture(scope="session")
def made_tracks(tmp_path_factory: pytest.TempPathFactory) -> MadeLibrary:
    """A folder of real tracks, of which everything is known."""
    from made_library import made_library

    return made_library(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def library_of_tracks(made_tracks: MadeLibrary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a library that these tracks were added to, with the words of their sheet; for reading only."""
    from reelscore.library import open_library

    folder = tmp_path_factory.mktemp("library")
    with open_library(folder, create=True) as library:
        library.add([made_tracks.folder], sheet=made_tracks.sheet)
    return folder
