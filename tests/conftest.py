"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess

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
def musicgen_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of a tiny MusicGen of each kind, `text`, `stereo` and `melody`; for reading only."""
    from tiny_musicgen import tiny_musicgen

    kinds = {"text": {}, "stereo": {"stereo": True}, "melody": {"melody": True}}
    return {name: tiny_musicgen(tmp_path_factory.mktemp(name), **kind) for name, kind in kinds.items()}


@pytest.fixture(scope="session")
def made_tracks(tmp_path_factory: pytest.TempPathFactory) -> MadeLibrary:
    """A folder of real tracks, of which everything is known."""
    from made_library import made_library

    return made_library(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session")
def added_tracks(
    made_tracks: MadeLibrary, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The made folder, added by a person with its sheet and two processes: the library's folder, and what was said."""
    from running import reelscore

    folder = tmp_path_factory.mktemp("added") / "library"
    words = ("--sheet", made_tracks.sheet, "--library", folder, "--workers", "2", "--json")
    return folder, reelscore("library", "add", made_tracks.folder, *words)


@pytest.fixture(scope="session")
def library_of_tracks(added_tracks: tuple[Path, subprocess.CompletedProcess[str]]) -> Path:
    """The folder of a library that these tracks were added to, with the words of their sheet; for reading only."""
    folder, run = added_tracks
    assert run.returncode == 0, run.stderr
    return folder
