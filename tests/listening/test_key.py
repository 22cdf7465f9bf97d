"""Keys by the pitch classes that sound."""

import numpy as np
import pytest
from made_sounds import RATE, chords, composed, drums

from reelscore.brief import Key
from reelscore.listening import key_of

_MINOR = ("minor", "dorian", "phrygian")


@pytest.mark.parametrize("shift", [0, 3, 7, 10])
@pytest.mark.parametrize("cents", [0, 30, -30])
def test_cadences_are_heard_in_their_key_however_they_are_tuned(shift: int, cents: int) -> None:
    rate = round(RATE * 2 ** (cents / 1200))  # played back faster or slower
    major = chords(tuple(60 + shift + step for step in (0, 5, 7, 0)), (False,) * 4, 1.0)
    minor = chords(tuple(57 + shift + step for step in (0, 5, 7, 0)), (True, True, False, True), 1.0)
    assert key_of(major, rate)[0] == Key(shift % 12, "major")
    assert key_of(minor, rate)[0] == Key((9 + shift) % 12, "minor")


@pytest.mark.parametrize("key", ["Eb major", "F# minor", "A minor", "G mixolydian"])
def test_composed_music_is_in_the_key_of_its_brief(key: str) -> None:
    found, confidence = key_of(composed("folk", 100.0, key).sound, RATE)
    asked = Key.parse(key)
    assert found.tonic == asked.tonic
    assert (found.mode in _MINOR) == (asked.mode in _MINOR)
    assert confidence > 0.1


def test_drums_and_silence_are_in_no_key() -> None:
    noise = 0.1 * np.random.default_rng(1).standard_normal((1, 8 * RATE)).astype(np.float32)
    for sound in (noise, drums(100.0, 8.0), np.zeros((2, RATE), np.float32), np.zeros((1, 0), np.float32)):
        assert key_of(sound, RATE)[1] < 0.1
