"""The energy of a recording along its time."""

import numpy as np
import pytest
from made_sounds import RATE, composed, drums, pad

from reelscore.listening import ENERGY_STEP, energy_of


def test_there_is_a_value_for_each_step_and_part_of_one() -> None:
    assert len(energy_of(drums(100.0, 4.2), RATE)) == 9
    assert len(energy_of(np.zeros((1, 0), np.float32), RATE)) == 0
    assert not energy_of(np.zeros((2, 3 * RATE), np.float32), RATE).any()


@pytest.mark.parametrize("genre", ["rock", "orchestral", "lo-fi"])
def test_sections_of_more_energy_have_more(genre: str) -> None:
    energy = energy_of(composed(genre, 100.0, "D minor").sound, RATE)
    third = len(energy) // 3
    assert energy.min() >= 0 and energy.max() <= 1
    assert energy[third + 3 : -8].mean() > energy[: third - 3].mean() + 0.1
    assert np.abs(np.diff(energy)).max() < 0.4


def test_a_driving_piece_has_more_than_a_calm_one_however_loud_they_are() -> None:
    calm, driving = pad((48, 55, 60, 64), 10.0), drums(140.0, 10.0)
    assert energy_of(0.05 * driving, RATE).mean() > energy_of(4.0 * calm, RATE).mean() + 0.2


def test_how_loud_a_recording_is_mastered_does_not_count() -> None:
    sound = drums(120.0, 10.0) + pad((48, 55, 60, 64), 10.0)
    assert energy_of(sound * np.float32(0.25), RATE) == pytest.approx(energy_of(sound, RATE), abs=0.1)


def test_a_break_is_seen_where_it_is() -> None:
    sound = drums(120.0, 20.0) + pad((48, 55, 60, 64), 20.0)
    sound[:, 8 * RATE : 12 * RATE] = pad((48, 55, 60, 64), 4.0)
    energy = energy_of(sound, RATE)
    assert energy.argmin() * ENERGY_STEP == pytest.approx(9.75, abs=1.0)
    assert energy[18:22].mean() < 0.7 * np.median(energy)
