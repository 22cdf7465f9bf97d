"""Beats are heard where they are, at the tempo they have; where nothing beats, nothing is made up."""

import numpy as np
import pytest
from made_sounds import RATE, agreement, composed, drums, pad, struck

from reelscore.listening import pulse_of


@pytest.mark.parametrize("rate", [22_050, 32_000, 48_000])
@pytest.mark.parametrize("tempo_bpm", [72.0, 97.3, 133.0])
def test_the_beats_of_drums_are_found_to_the_hundredth_of_a_second(tempo_bpm: float, rate: int) -> None:
    start = 0.31
    pulse = pulse_of(drums(tempo_bpm, 16.0, start=start, rate=rate), rate, near_bpm=tempo_bpm * 0.95)
    true = start + np.arange(0, 15.5, 60 / tempo_bpm)
    assert pulse.tempo_bpm == pytest.approx(tempo_bpm, rel=0.005)
    assert agreement(pulse.beats, true, 0.012) > 0.93
    assert pulse.confidence > 0.8


@pytest.mark.parametrize("tempo_bpm", [60.0, 90.0, 120.0, 150.0, 180.0])
def test_a_known_tempo_settles_the_octave(tempo_bpm: float) -> None:
    true = np.arange(0.2, 12, 60 / tempo_bpm)
    for near_bpm in (tempo_bpm, tempo_bpm * 1.06):
        pulse = pulse_of(struck(true, 12.0), RATE, near_bpm=near_bpm)
        assert pulse.tempo_bpm == pytest.approx(tempo_bpm, rel=0.01)
        assert agreement(pulse.beats, true, 0.012) > 0.9


def test_without_one_the_tempo_is_one_that_people_tap() -> None:
    for tempo_bpm in (45.0, 52.0, 190.0, 210.0):
        found = pulse_of(struck(np.arange(0.2, 16, 60 / tempo_bpm), 16.0), RATE).tempo_bpm
        assert 60 <= found <= 160
        assert np.log2(found / tempo_bpm) == pytest.approx(round(np.log2(found / tempo_bpm)), abs=0.03)


def test_bars_begin_where_the_bass_drum_and_the_chords_say() -> None:
    beat = 0.5
    bars = [pad((root - 12, root, root + 4, root + 7), 4 * beat) for root in (60, 65, 67, 60, 57, 65, 67, 60)]
    sound = drums(120.0, 16.0) + np.concatenate(bars, axis=1)
    assert agreement(pulse_of(sound, RATE).downbeats, np.arange(0, 16, 2.0), 0.02) == 1.0


def test_a_waltz_has_three() -> None:
    beat = 60 / 110
    bars = [pad((root - 12, root, root + 4, root + 7), 3 * beat) for root in (60, 65, 67, 60, 57, 65, 67, 60, 60, 65)]
    chords = np.concatenate(bars, axis=1)
    sound = drums(110.0, chords.shape[1] / RATE, beats_per_bar=3)[:, : chords.shape[1]] + chords
    pulse = pulse_of(sound, RATE)
    assert np.diff(pulse.downbeats) == pytest.approx(3 * beat, abs=0.02)
    assert agreement(pulse.downbeats, 3 * beat * np.arange(10), 0.02) > 0.9


def test_a_change_of_tempo_is_followed() -> None:
    slow, fast = 0.3 + 0.6 * np.arange(24), 0.3 + 0.6 * 24 + 0.5 * np.arange(28)
    true = np.concatenate([slow, fast])
    pulse = pulse_of(struck(true, true[-1] + 0.5), RATE)
    assert agreement(pulse.beats, true, 0.03) > 0.93


def test_a_slow_ritardando_is_followed() -> None:
    true = 0.3 + np.cumsum(np.linspace(0.45, 0.6, 50))
    assert agreement(pulse_of(struck(true, true[-1] + 0.5), RATE).beats, true, 0.03) > 0.9


@pytest.mark.parametrize("start", [0.0, 0.2])
def test_two_seconds_are_enough(start: float) -> None:
    pulse = pulse_of(struck(start + np.arange(0, 2, 0.5), 2.0), RATE, near_bpm=115.0)
    assert pulse.beats == pytest.approx(start + 0.5 * np.arange(4), abs=0.02)


def test_the_steady_grid_is_smooth_though_players_are_not() -> None:
    true = 0.4 + 0.52 * np.arange(40)
    played = true + np.random.default_rng(1).normal(0, 0.012, 40)
    beats = pulse_of(struck(played, 21.5), RATE).beats
    assert agreement(beats, true, 0.012) > 0.95
    assert np.diff(beats).std() < 0.005


def test_beats_lie_within_the_sound() -> None:
    sound = np.concatenate(
        [np.zeros((1, 4 * RATE), np.float32), drums(100.0, 12.0), np.zeros((1, 4 * RATE), np.float32)], axis=1
    )
    beats = pulse_of(sound, RATE).beats
    assert 3.9 < beats[0] < 4.7 and beats[-1] < 16.3
    assert (np.diff(beats) > 0).all()


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros((2, 0), np.float32),
        np.zeros((2, 10), np.float32),
        np.zeros((2, 5 * RATE), np.float32),
        np.full((1, 5 * RATE), 0.4, np.float32),
        struck(np.array([2.0]), 5.0),
        pad((48, 55, 60, 64), 12.0),
        0.1 * np.random.default_rng(1).standard_normal((2, 12 * RATE)).astype(np.float32),
    ],
    ids=["empty", "ten samples", "silence", "constant", "one stroke", "pad", "noise"],
)
@pytest.mark.parametrize("near_bpm", [None, 100.0])
def test_what_does_not_beat_has_no_pulse(sound: np.ndarray, near_bpm: float | None) -> None:
    pulse = pulse_of(sound, RATE, near_bpm=near_bpm)
    assert (len(pulse.beats), len(pulse.downbeats), pulse.tempo_bpm, pulse.confidence) == (0, 0, 0.0, 0.0)


@pytest.mark.parametrize(("genre", "tempo_bpm"), [("rock", 118.0), ("orchestral", 92.0), ("lo-fi", 84.0)])
def test_the_beats_of_composed_music_are_those_of_its_tempo_map(genre: str, tempo_bpm: float) -> None:
    piece = composed(genre, tempo_bpm, "D minor")
    skipped = 1.73  # so that a bar does not begin with the sound
    pulse = pulse_of(piece.sound[:, round(skipped * RATE) :], RATE, near_bpm=tempo_bpm)
    inside = piece.beats[piece.beats > skipped] - skipped
    assert agreement(pulse.beats, inside, 0.03) > 0.95
    assert agreement(pulse.downbeats, piece.downbeats[piece.downbeats > skipped] - skipped, 0.03) > 0.85


def test_how_loud_it_is_does_not_matter() -> None:
    sound = drums(110.0, 12.0)
    loud, soft = pulse_of(sound, RATE), pulse_of(sound * np.float32(0.03), RATE)
    assert soft.beats == pytest.approx(loud.beats, abs=0.01)
