"""Pieces of sound laid one after another: exact places, even power, no jump, no click."""

import numpy as np
import pytest

from reelscore.audio import Samples
from reelscore.finish.joining import CROSSFADE, Laid, joined, nearest_beat

RATE = 16_000


def noise(seconds: float, seed: int, level: float = 0.1) -> Samples:
    return level * np.random.default_rng(seed).standard_normal((2, round(seconds * RATE))).astype(np.float32)


def level_db(sound: Samples, start: float, stop: float) -> float:
    part = sound[:, round(start * RATE) : round(stop * RATE)].astype(np.float64)
    return float(10 * np.log10(np.mean(part**2) + 1e-12))


def test_the_same_sound_goes_over_into_itself_unchanged() -> None:
    whole = noise(6.0, 1)
    at = 3 * RATE + 7
    assert joined([Laid(whole, 0, 0), Laid(whole[:, RATE:], at - RATE, at)], whole.shape[1], RATE) == pytest.approx(
        whole, abs=1e-6
    )


def test_strangers_keep_their_power_through_the_fade() -> None:
    result = joined([Laid(noise(10, 1), 0, 0), Laid(noise(10, 2), 2 * RATE, 5 * RATE)], 10 * RATE, RATE, crossfade=1.0)
    levels = [level_db(result, start, start + 0.1) for start in np.arange(4.3, 5.7, 0.1)]
    assert max(levels) - min(levels) < 0.8


def test_each_piece_is_where_it_was_laid() -> None:
    old, new = noise(4, 1), noise(4, 2)
    result = joined([Laid(old, 0, 0), Laid(new, RATE, 2 * RATE)], 5 * RATE, RATE)
    half = round(CROSSFADE * RATE / 2)
    assert np.array_equal(result[:, : 2 * RATE - half], old[:, : 2 * RATE - half])
    assert np.array_equal(result[:, 2 * RATE + half : 4 * RATE], new[:, RATE + half : 3 * RATE])


def test_where_sound_is_missing_there_is_silence_and_no_click() -> None:
    hum = np.full((1, RATE), 0.5, np.float32)
    result = joined([Laid(hum, 0, 0), Laid(hum, 0, 2 * RATE)], 5 * RATE, RATE)
    assert result.shape == (1, 5 * RATE)
    assert not result[:, RATE : 2 * RATE - RATE // 50].any() and not result[:, 3 * RATE :].any()
    assert np.abs(np.diff(result)).max() < 0.02
    assert result[0, 2 * RATE + RATE // 2] == 0.5


def test_an_attack_without_a_lead_is_not_dulled() -> None:
    stroke = noise(2, 2)
    result = joined([Laid(np.zeros((2, 4 * RATE), np.float32), 0, 0), Laid(stroke, 0, RATE)], 3 * RATE, RATE)
    assert result[:, RATE + RATE // 50 : 3 * RATE - RATE // 50] == pytest.approx(
        stroke[:, RATE // 50 : 2 * RATE - RATE // 50]
    )


@pytest.mark.parametrize("softer_db", [-20.0, -8.0])
@pytest.mark.parametrize("first_is_soft", [True, False])
def test_a_jump_in_level_is_eased_and_nothing_made_louder(softer_db: float, first_is_soft: bool) -> None:
    soft, loud = noise(12, 1, 0.1 * 10 ** (softer_db / 20)), noise(12, 2)
    pieces = (soft, loud) if first_is_soft else (loud, soft)
    laid = [Laid(pieces[0], 0, 0), Laid(pieces[1], RATE, 10 * RATE)]
    hard, eased = (joined(laid, 20 * RATE, RATE, ease=ease) for ease in (False, True))

    def jump(sound: Samples) -> float:
        return level_db(sound, 10, 10.4) - level_db(sound, 9.6, 10)

    assert abs(jump(hard)) > 6.0
    assert abs(jump(eased)) < 3.0
    assert level_db(eased, 19, 20) == pytest.approx(level_db(hard, 19, 20), abs=0.01)
    assert level_db(eased, 0, 3) == pytest.approx(level_db(hard, 0, 3), abs=0.01)
    steps = [level_db(eased, start, start + 0.2) for start in np.arange(0, 20, 0.2)]
    assert np.abs(np.diff(steps)).max() < 3.0
    assert np.abs(eased).max() <= np.abs(hard).max() * 1.0001


def test_a_hit_of_the_piece_before_does_not_stay_above_what_follows_softly() -> None:
    before, after = noise(6, 1, 0.003), noise(6, 2, 0.01)
    before[:, 4 * RATE - 200 : 4 * RATE + 400] *= 100  # a stroke right on the join
    result = joined([Laid(before, 0, 0), Laid(after, RATE, 4 * RATE)], 8 * RATE, RATE)
    assert abs(level_db(result, 4, 4.4) - level_db(result, 3.6, 4)) < 3.2


def test_silence_before_music_is_no_jump() -> None:
    music = noise(4, 1)
    quiet = np.zeros_like(music)
    result = joined([Laid(quiet, 0, 0), Laid(music, RATE, 2 * RATE)], 4 * RATE, RATE)
    assert result[:, 3 * RATE :] == pytest.approx(music[:, 2 * RATE : 3 * RATE])


def test_scenes_shorter_than_the_fade_are_laid_too() -> None:
    pieces = [Laid(noise(3, seed), RATE, seed * RATE // 20) for seed in range(6)]
    result = joined(pieces, RATE // 2, RATE)
    assert result.shape == (2, RATE // 2)
    assert np.isfinite(result).all() and level_db(result, 0.02, 0.5) > -26


def test_one_piece_alone_is_itself() -> None:
    sound = noise(2, 1)
    assert np.array_equal(joined([Laid(sound, RATE // 2, 0)], RATE, RATE), sound[:, RATE // 2 : 3 * RATE // 2])


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [Laid(noise(1, 1), 0, 5)],
        [Laid(noise(1, 1), 0, 0), Laid(noise(1, 1), 0, 0)],
        [Laid(noise(1, 1), 0, 0), Laid(noise(1, 1)[:1], 0, 100)],
        [Laid(noise(1, 1), -1, 0)],
        [Laid(noise(1, 1), 0, 0), Laid(noise(1, 1), 0, 2 * RATE)],
    ],
)
def test_pieces_that_do_not_fit_are_refused(pieces: list[Laid]) -> None:
    with pytest.raises(ValueError):
        joined(pieces, 2 * RATE, RATE)


def test_the_nearest_beat_is_a_downbeat_where_one_is_near() -> None:
    beats, downbeats = np.arange(0, 20, 0.5), np.arange(0, 20, 2.0)
    assert nearest_beat(3.6, beats, downbeats) == 4.0
    assert nearest_beat(3.2, beats, downbeats) == 3.0
    assert nearest_beat(3.2, beats) == 3.0
    assert nearest_beat(30.0, beats, downbeats) == 30.0
    assert nearest_beat(3.2, (), ()) == 3.2
    assert nearest_beat(3.2, beats, downbeats, reach=0.1) == 3.2
