"""Which stretches of a track are heard: their energy, their cues, their seams and their end."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from tiny_library import FIRST_BEAT, a_track

from reelscore.brief import Brief, Cue, Section
from reelscore.engines.match.bars import bars_of, costs_of_going_over, means
from reelscore.engines.match.wanted import Wanted, Window, wanted_by
from reelscore.engines.match.windows import best_window
from reelscore.library import Track
from reelscore.listening import ENERGY_STEP
from reelscore.spotting import complete


def wanted(duration: float, energy=(0.5,), cues=(), ending: float | None = None) -> Wanted:
    steps = max(1, round(duration / ENERGY_STEP))
    return Wanted(
        duration,
        np.array([energy[step * len(energy) // steps] for step in range(steps)]),
        np.array(cues, np.float64),
        np.full(len(cues), 0.9),
        duration - 2.0 if ending is None else ending,
    )


def check(track: Track, window: Window) -> None:
    """What is true of every window."""
    assert window.pieces[0].at == 0
    assert all(before.at < after.at < window.duration for before, after in pairwise(window.pieces))
    for start, end in window.stretches:
        assert start > -window.duration / 3 - 1
        assert end <= track.stops + 1.0 or end - start >= window.duration
    for part in (window.energy, window.seams, *([window.cues] if window.cues is not None else [])):
        assert 0 <= part <= 1


def off(times, grid) -> float:
    """The largest distance of the times from the grid."""
    return max(float(np.abs(np.asarray(grid) - time).min()) for time in times)


def test_the_window_lies_where_the_energy_fits() -> None:
    track = a_track(120.0, 160.0, [0.2] * 8 + [0.3, 0.9, 0.6] + [0.2] * 5, ending=False)  # 30 s from 80 s on
    window = best_window(track, wanted(30.0, (0.3, 0.9, 0.6)))
    check(track, window)
    assert window.pieces[0].source == pytest.approx(80.0, abs=2.0)
    assert len(window.pieces) == 1
    assert window.energy > 0.9
    assert window.energy > best_window(track, wanted(30.0, (0.9, 0.2, 0.9))).energy


def test_it_begins_on_a_downbeat_where_no_cue_says_otherwise() -> None:
    track = a_track(101.0, ending=False)
    window = best_window(track, wanted(20.0, (0.5, 0.6)))
    assert off([window.pieces[0].source], track.downbeats) < 0.001


@pytest.mark.parametrize("cue", [3.21, 7.77, 11.13])
def test_a_strong_cue_lies_on_a_beat(cue: float) -> None:
    track = a_track(97.0)
    window = best_window(track, wanted(40.0, cues=[cue]))
    check(track, window)
    assert window.cues == pytest.approx(1.0, abs=0.01), "a downbeat"
    start, _ = window.stretches[0]
    assert off([start + cue], track.downbeats) < 0.03


@pytest.mark.parametrize("cue", [9.3, 20.9])
def test_a_cue_is_met_where_the_bars_that_play_are_longer_than_usual(cue: float) -> None:
    """By 12 ms each, which adds up to more than a beat may be off."""
    bars = np.where(np.arange(60) < 35, 2.0, 2.012)
    downbeats = FIRST_BEAT + np.concatenate([[0.0], np.cumsum(bars)])
    beats = np.interp(np.arange(241) / 4, np.arange(61), downbeats)
    track = replace(
        a_track(120.0, float(downbeats[-1]) + 2.0),
        beats=beats.astype(np.float32),
        downbeats=downbeats.astype(np.float32),
        ending=float(downbeats[-1]),
    )
    window = best_window(track, wanted(40.0, cues=[cue]))
    check(track, window)
    assert window.ends
    assert window.cues is not None and window.cues > 0.55, "a beat at least"


@pytest.mark.parametrize("length", [6.0, 8.0, 10.0])
def test_a_short_track_begins_with_the_film(length: float) -> None:
    """A cue may well be met by a beat; waiting for it in silence is no way."""
    track = a_track(90.0, length)
    window = best_window(track, wanted(30.0, cues=[5.47, 17.9]))
    check(track, window)
    assert window.pieces[0].source > track.begins - 0.7


def test_without_strong_cues_nothing_is_said_of_them() -> None:
    assert best_window(a_track(), wanted(20.0)).cues is None
    assert best_window(a_track(None), wanted(20.0, cues=[5.0])).cues == 0.0


def test_the_tracks_own_ending_ends_the_film() -> None:
    track = a_track(110.0, 180.0, [0.3, 0.5, 0.9, 0.9, 0.2, 0.2, 0.2, 0.2])
    window = best_window(track, wanted(60.0, (0.3, 0.5, 0.9, 0.9)))
    check(track, window)
    assert window.ends
    assert window.stretches[-1][1] == pytest.approx(track.stops, abs=1.6), "it rings until the film's end or nearly"
    chord = window.duration - (window.stretches[-1][1] - track.ending)
    assert 1.4 < window.duration - chord < 3.5


def test_every_seam_leads_from_bar_line_to_bar_line() -> None:
    track = a_track(100.0, 60.0, [0.3, 0.9, 0.5])
    window = best_window(track, wanted(200.0, (0.3, 0.9, 0.4, 0.8, 0.2)))
    check(track, window)
    assert len(window.pieces) > 3
    # What would have been heard at the seam was a downbeat, and so is what is heard.
    assert off([end for _, end in window.stretches[:-1]], track.downbeats) < 0.01
    assert off([start for start, _ in window.stretches[1:]], track.downbeats) < 0.01


def test_seams_keep_to_phrases_of_four_bars_where_all_sounds_alike() -> None:
    track = a_track(100.0, 60.0, ending=False)
    window = best_window(track, wanted(150.0))
    bar = 4 * 60.0 / 100.0
    for (_, end), (start, _) in pairwise(window.stretches):
        bars = (start - end) / bar
        assert bars == pytest.approx(round(bars), abs=0.01)
        assert round(bars) % 4 == 0


def test_what_sounds_unlike_is_not_joined() -> None:
    track = a_track(100.0, 60.0, ending=False)
    count = len(bars_of(track, 100.0))
    # Only from bar 19 to bar 6 does it sound as if nothing had happened.
    unlike = np.ones((count + 1, count + 1))
    np.fill_diagonal(unlike, 0.0)
    unlike[20, 6] = 0.0
    going_over, _ = costs_of_going_over(bars_of(track, 100.0), unlike)
    assert going_over[6, 19] == min(going_over[row, 19] for row in range(count) if row != 20)
    window = best_window(track, wanted(90.0), unlike)
    bar = 4 * 60.0 / 100.0
    seams = [
        (round((end - FIRST_BEAT) / bar), round((start - FIRST_BEAT) / bar))
        for (_, end), (start, _) in pairwise(window.stretches)
    ]
    assert set(seams) == {(20, 6)}


@pytest.mark.parametrize("tempo_bpm", [None, 63.0, 171.0])
@pytest.mark.parametrize("track_length", [0.6, 5.0, 47.0])
@pytest.mark.parametrize("film", [0.2, 1.3, 29.97, 131.0])
def test_any_film_gets_a_window_of_any_track(tempo_bpm: float | None, track_length: float, film: float) -> None:
    for ending in (True, False):
        track = a_track(tempo_bpm, track_length, [0.2, 0.9], ending=ending)
        window = best_window(track, wanted(film, (0.3, 0.8), cues=[film / 3]))
        assert window.pieces[0].at == 0
        assert window.duration == film
        assert all(before.at < after.at < film for before, after in pairwise(window.pieces))
        heard = sum(max(0.0, min(end, track.stops) - max(start, 0.0)) for start, end in window.stretches)
        assert heard >= film - 0.5 - film / 3 if film < track_length else heard >= 0.9 * film - 0.5


def test_another_window_begins_elsewhere() -> None:
    track = a_track(100.0, 120.0, [0.3, 0.6, 0.4, 0.8, 0.3, 0.6])
    film = wanted(20.0, (0.3, 0.6))
    firsts: list[int] = []
    for _ in range(4):
        window = best_window(track, film, besides=firsts)
        assert all(abs(window.first - other) >= 4 for other in firsts)
        firsts.append(window.first)


def test_bars_that_are_not_steady_still_end_in_time() -> None:
    beats = np.cumsum(np.concatenate([[FIRST_BEAT], 0.5 + 0.1 * np.sin(np.arange(239) / 17)]))
    duration = float(beats[-1]) + 3.0
    track = _uneven(beats, duration)
    window = best_window(track, wanted(80.0, (0.3, 0.9, 0.3)))
    assert window.ends
    assert window.stretches[-1][1] == pytest.approx(track.stops, abs=2.0)


def _uneven(beats: np.ndarray, duration: float) -> Track:
    return replace(
        a_track(120.0, duration, [0.3, 0.9]),
        beats=beats.astype(np.float32),
        downbeats=beats[::4].astype(np.float32),
        ending=float(beats[236]),
        stops=duration,
    )


def test_a_very_long_film_moves_phrases_in_place_of_bars() -> None:
    track = a_track(120.0, 240.0, [0.3, 0.9, 0.5])
    assert len(bars_of(track, 60.0)) > 3 * len(bars_of(track, 6 * 3600.0))
    window = best_window(track, wanted(3 * 3600.0, (0.3, 0.9)))
    assert window.pieces[-1].at < window.duration
    assert window.ends


def test_a_brief_says_what_is_wanted() -> None:
    brief = complete(
        Brief(
            duration=10.0,
            sections=(Section(start=0, end=4, energy=0.2), Section(start=4, end=10, energy=0.8)),
            cues=(Cue(time=4, strength=0.9, kind="scene"), Cue(time=6, strength=0.2, kind="cut")),
        )
    )
    found = wanted_by(brief)
    assert found.energy.tolist() == [0.2] * 8 + [0.8] * 12
    assert found.cue_times.tolist() == [4.0]
    assert 4 < found.ending < 10


def test_means_of_a_curve() -> None:
    curve = np.array([0.0, 1.0, 1.0])
    assert means(curve, np.array([0.0, 0.25, 1.0, -2.0]), np.array([1.0, 0.75, 9.0, 0.0])) == pytest.approx(
        [0.5, 0.5, 1.0, 0.0]
    )
