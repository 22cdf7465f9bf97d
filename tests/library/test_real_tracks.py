"""Real tracks in the library: listened to, described, and found."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_library import PIECES, MadeLibrary

from reelscore.library import Library, open_library


def test_real_tracks_are_measured_and_described(made_tracks: MadeLibrary, library_of_tracks: Path) -> None:
    with open_library(library_of_tracks) as library:
        tracks = {track.path: track for track in library.tracks()}
    assert len(tracks) == made_tracks.new_tracks
    assert made_tracks.without_rights in tracks
    assert tracks[made_tracks.without_rights].licence == ""
    for piece in made_tracks.pieces:
        track = tracks[piece.path]
        said = (track.title, track.artist, track.description, track.tags, track.key, track.licence)
        assert said == (piece.title, piece.artist, piece.description, piece.tags, piece.key, piece.normalised)
        assert track.duration == pytest.approx(piece.duration, abs=0.1)
        assert len(track.energy) == pytest.approx(2 * piece.duration, abs=1)
        assert np.isfinite(track.loudness_lufs)
        assert 0 <= track.begins < track.stops <= track.duration + 0.01


def test_silence_is_refused_in_a_sentence(library: Library, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros((48_000, 2)), 48_000)
    done = library.add([tmp_path / "silent.wav"])
    assert not done.added
    assert "silent" in done.refused[0].why


def test_real_descriptions_find_their_tracks(library_of_tracks: Path) -> None:
    with open_library(library_of_tracks) as library:
        for title, _, description, _ in PIECES[:8]:
            best = library.search(description)
            assert best[0].track.title == title
