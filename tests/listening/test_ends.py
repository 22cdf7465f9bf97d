"""How recordings begin and end: with a last chord, faded out, or cut."""

import numpy as np
import pytest
from made_sounds import RATE, composed, drums, struck

from reelscore.audio import Samples
from reelscore.listening import ends_of


def faded(sound: Samples, seconds: float) -> Samples:
    count = round(seconds * RATE)
    return sound * np.concatenate([np.ones(sound.shape[1] - count), np.linspace(1, 0, count) ** 2]).astype(np.float32)


@pytest.mark.parametrize("genre", ["rock", "orchestral", "lo-fi"])
def test_composed_music_ends_with_its_last_chord(genre: str) -> None:
    piece = composed(genre, 100.0, "D minor")
    ends = ends_of(piece.sound, RATE)
    assert (ends.manner, ends.begins) == ("chord", pytest.approx(0, abs=0.06))
    assert ends.ending == pytest.approx(piece.last_note, abs=0.06)


@pytest.mark.parametrize("genre", ["rock", "orchestral", "lo-fi"])
def test_a_fade_is_no_chord_and_neither_is_a_cut(genre: str) -> None:
    whole = composed(genre, 100.0, "D minor").sound[:, : 18 * RATE]
    fade, cut = ends_of(faded(whole, 6.0), RATE), ends_of(whole, RATE)
    assert (fade.manner, fade.ending) == ("fade", None)
    assert (cut.manner, cut.ending, cut.stops) == ("cut", None, 18.0)


def test_silence_around_is_left_out() -> None:
    quiet = np.zeros((1, 3 * RATE), np.float32)
    ends = ends_of(np.concatenate([quiet, drums(120.0, 8.0), quiet], axis=1), RATE)
    assert ends.begins == pytest.approx(3.0, abs=0.06)
    assert ends.stops == pytest.approx(11.0, abs=0.2)


def test_one_stroke_is_an_ending_of_its_own_and_silence_is_none() -> None:
    ends = ends_of(struck(np.array([1.0]), 3.0), RATE)
    assert ends.begins == pytest.approx(1.0, abs=0.06)
    for silent in (np.zeros((2, RATE), np.float32), np.zeros((2, 0), np.float32)):
        found = ends_of(silent, RATE)
        assert (found.manner, found.ending, found.begins, found.stops) == ("silent", None, 0.0, 0.0)
