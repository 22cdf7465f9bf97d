"""A window as sound: its length, its beats across seams, how alike bars are, and files that are not what they were."""

import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tiny_library import FIRST_BEAT, RATE, a_track, beats_of, struck

from reelscore.audio import Audio, Samples, write_audio
from reelscore.engines.match import cutting
from reelscore.engines.match.bars import bars_of
from reelscore.engines.match.cutting import cut
from reelscore.engines.match.likeness import frames_of, heard_in, unlike
from reelscore.engines.match.wanted import Piece, Window
from reelscore.errors import MediaError
from reelscore.library import Track
from reelscore.progress import unseen

TEMPO = 100.0
BEAT = 60.0 / TEMPO


def window(duration: float, *pieces: tuple[float, float]) -> Window:
    return Window(tuple(Piece(*piece) for piece in pieces), duration, 1.0, None, 1.0, False, 0)


@pytest.fixture(scope="module")
def track(tmp_path_factory: pytest.TempPathFactory) -> Track:
    path = tmp_path_factory.mktemp("track") / "track.flac"
    write_audio(Audio(struck(TEMPO, 40.0), RATE), path)
    return a_track(TEMPO, 40.0, path=path)


def clicks(sound: Samples) -> np.ndarray:
    """When the struck beats of a sound begin, within a millisecond or so."""
    steps = sound[:, : sound.shape[1] // 48 * 48].reshape(2, -1, 48)
    level = np.abs(np.diff(steps, axis=2)).max(axis=(0, 2))
    found: list[float] = []
    for moment in np.flatnonzero(level > 0.12 * level.max()):
        if not found or moment / 1000 - found[-1] > 0.2:
            found.append(moment / 1000)
    return np.array(found)


@pytest.mark.parametrize("duration", [0.2, 7.013, 31.0])
def test_it_is_as_long_as_the_film_to_the_sample(track: Track, duration: float) -> None:
    sound = cut(track, window(duration, (2.5, 0.0)), unseen)
    assert sound.shape == (2, round(duration * cutting.RATE))
    assert np.abs(sound).max() > 0.05


def test_one_stretch_is_the_track_itself(track: Track) -> None:
    sound = cut(track, window(8.0, (2.5, 0.0)), unseen)
    at = beats_of(TEMPO, 40.0)
    assert clicks(sound) == pytest.approx(at[(at > 2.49) & (at < 10.4)] - 2.5, abs=0.005)


def test_the_beat_goes_on_across_seams(track: Track) -> None:
    start, seam = FIRST_BEAT + 4 * BEAT, 8 * BEAT
    sound = cut(
        track,
        window(16 * BEAT, (start, 0.0), (start + 16 * BEAT, seam), (start, 12 * BEAT)),
        unseen,
    )
    found = clicks(sound)
    assert np.diff(found) == pytest.approx(BEAT, abs=0.005)
    assert len(found) >= 15


@pytest.mark.parametrize("late", [0.025, -0.025])
def test_beats_that_were_measured_too_early_or_too_late_are_put_right(late: float, tmp_path: Path) -> None:
    """The second half's beats come 25 ms beside where the library believes them to be."""
    path = tmp_path / "late.flac"
    write_audio(Audio(struck(TEMPO, 40.0, late=late), RATE), path)
    start = FIRST_BEAT + 4 * BEAT
    second = FIRST_BEAT + 48 * BEAT
    sound = cut(a_track(TEMPO, 40.0, path=path), window(16 * BEAT, (start, 0.0), (second, 8 * BEAT)), unseen)
    found = clicks(sound)
    assert np.diff(found) == pytest.approx(BEAT, abs=0.011)
    assert found[-1] > 15 * BEAT - 0.1, "what comes after the seam is heard"


def test_no_click_and_no_hole_where_there_are_no_beats(tmp_path: Path) -> None:
    clock = np.arange(30 * RATE) / RATE
    tone = 0.3 * np.sin(2 * np.pi * 220 * clock).astype(np.float32)
    path = tmp_path / "tone.flac"
    write_audio(Audio(np.stack([tone, tone]), RATE), path)
    sound = cut(a_track(None, 30.0, path=path), window(12.0, (2.0, 0.0), (15.013, 6.0)), unseen)
    assert np.abs(np.diff(sound[0], n=2)).max() < 0.002, "no click"
    blocks = np.sqrt(np.mean(sound[0, : 115 * 4800].reshape(-1, 4800) ** 2, axis=1))
    # Two sines of one pitch may meet in any phase; more than a dip of their sum is a hole.
    assert blocks[:50].min() > 0.2
    assert blocks[70:].min() > 0.2


def test_what_lies_before_the_track_is_silent(track: Track) -> None:
    sound = cut(track, window(3.0, (-0.5, 0.0)), unseen)
    assert not sound[:, : round(0.45 * cutting.RATE)].any()
    assert clicks(sound)[0] == pytest.approx(0.5 + FIRST_BEAT, abs=0.005)


def test_both_channels_stay_what_they_are(track: Track) -> None:
    sound = cut(track, window(6.0, (0.0, 0.0)), unseen)
    assert np.abs(sound[0] - sound[1]).max() > 0.02


def test_only_what_is_needed_is_read(track: Track, monkeypatch: pytest.MonkeyPatch) -> None:
    from reelscore.media import finished

    read = []
    whole = finished.whole_sound

    def counted(*arguments: object, **named: object):
        for block in whole(*arguments, **named):
            read.append(block.shape[1])
            yield block

    monkeypatch.setattr(finished, "whole_sound", counted)
    cut(track, window(5.0, (0.0, 0.0)), unseen)
    assert sum(read) / cutting.RATE < 9


def test_a_file_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.flac"
    write_audio(Audio(struck(TEMPO, 5.0), RATE), path)
    with pytest.raises(MediaError, match=r"ends at 5\.0 s"):
        cut(a_track(TEMPO, 40.0, path=path), window(10.0, (2.0, 0.0)), unseen)


def test_bars_of_the_same_chord_are_alike_and_others_are_not(track: Track) -> None:
    bars = bars_of(a_track(TEMPO, 40.0), 60.0)
    apart = unlike(bars, heard_in(track.path))
    assert apart.shape == (len(bars) + 1, len(bars) + 1)
    assert np.allclose(np.diag(apart), 0.0, atol=1e-6)
    same = np.array([apart[bar, bar + 4] for bar in range(len(bars) - 4)])
    other = np.array([apart[bar, bar + 2] for bar in range(len(bars) - 4)])
    assert same.max() < 0.15 < other.min()


def test_of_a_long_track_one_block_is_held_at_a_time() -> None:
    blocks: list[weakref.ref[Samples]] = []

    def read() -> Iterator[Samples]:
        for _ in range(5):
            block = np.zeros((2, 12_000), np.float32)
            blocks.append(weakref.ref(block))
            yield block
            del block
            assert sum(block() is not None for block in blocks) <= 1

    assert len(frames_of(read()).harmony) == pytest.approx(5 * 12_000 / 1024, abs=1)
    assert len(blocks) == 5
