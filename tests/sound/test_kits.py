"""Kits, risers and impacts, key by key: clean starts and ends, energy where it belongs, and what velocity and takes change."""

import numpy as np
import pytest

from reelscore.sound.patches.kits import (
    ALIKE,
    BRUSHES,
    CINEMATIC,
    DRUM_KIT,
    ELECTRONIC_KIT,
    HAND,
    LONGEST,
    PATCHES,
    played_key,
)
from reelscore.sound.patches.risers_and_impacts import PATCHES as EFFECTS

RATE = 48000
KITS = {
    "drum kit": DRUM_KIT,
    "brushes": BRUSHES,
    "electronic kit": ELECTRONIC_KIT,
    "cinematic percussion": CINEMATIC,
    "shaker": HAND,
}
EVERY_STROKE = [(name, key) for name, pieces in KITS.items() for key in pieces if key not in HAND or name == "shaker"]


def strike(name: str, key: int, velocity: float = 0.8, duration: float = 0.3, variation: int = 0, rate: int = RATE):
    return PATCHES[name].play(key, velocity, duration, rate, variation)


def power(sound: np.ndarray, low_hz: float, high_hz: float, rate: int = RATE) -> float:
    """The share of a sound's power between two frequencies."""
    spectrum = np.sum(np.abs(np.fft.rfft(sound, axis=1)) ** 2, axis=0)
    frequency = np.fft.rfftfreq(sound.shape[1], 1 / rate)
    return float(np.sum(spectrum[(frequency >= low_hz) & (frequency < high_hz)]) / np.sum(spectrum))


def centroid_hz(sound: np.ndarray) -> float:
    spectrum = np.sum(np.abs(np.fft.rfft(sound, axis=1)) ** 2, axis=0)
    return float(np.sum(spectrum * np.fft.rfftfreq(sound.shape[1], 1 / RATE)) / np.sum(spectrum))


def peak_db(sound: np.ndarray) -> float:
    return float(20 * np.log10(np.abs(sound).max()))


@pytest.mark.parametrize(("name", "key"), EVERY_STROKE)
def test_every_stroke_is_clean(name, key):
    sound = strike(name, key)
    assert sound.dtype == np.float32 and sound.shape[0] == 2 and np.all(np.isfinite(sound))
    assert sound.shape[1] <= (LONGEST + 0.3) * RATE
    assert np.abs(sound.mean(axis=1)).max() < 1e-4
    peak = np.abs(sound).max()
    assert peak_db(sound) == pytest.approx(KITS[name][key].peak_db, abs=0.1)
    assert np.abs(sound[:, 0]).max() < 0.1 * peak
    end = np.abs(sound[:, -round(0.002 * RATE) :])
    assert end.max() < 0.03 * peak and end[:, -1].max() < 1e-4


@pytest.mark.parametrize(("name", "key"), EVERY_STROKE)
def test_every_stroke_speaks_at_once_unless_it_swells(name, key):
    swells = {("brushes", 40), ("cinematic percussion", 29), ("cinematic percussion", 30)}
    sound = strike(name, key)
    first = np.flatnonzero(np.abs(sound).max(axis=0) > 0.1 * np.abs(sound).max())[0] / RATE
    if (name, key) not in swells:
        assert first < 0.012
    assert strike(name, key, variation=0).tobytes() == sound.tobytes()


@pytest.mark.parametrize("name", KITS)
def test_no_key_is_silent_and_unknown_ones_sound_like_their_neighbours(name):
    for key in (0, 27, 34, *range(35, 82), 100, 127):
        assert played_key(KITS[name], key) in KITS[name]
    assert np.abs(strike(name, 0)).max() > 0.01 and np.abs(strike(name, 127)).max() > 0.01


def test_keys_that_a_kit_lacks_are_played_on_what_is_most_like_them():
    assert played_key(HAND, 36) == 64
    assert played_key(HAND, 42) == 70
    assert played_key(HAND, 38) == 39
    assert played_key(DRUM_KIT, 31) == 37
    assert all(key not in alike for key, alike in ALIKE.items())


BANDS = [
    ("drum kit", 36, 30, 200, 0.85),
    ("drum kit", 38, 150, 12000, 0.9),
    ("drum kit", 38, 1000, 14000, 0.05),
    ("drum kit", 41, 60, 300, 0.8),
    ("drum kit", 42, 4000, 20000, 0.9),
    ("drum kit", 46, 4000, 20000, 0.85),
    ("drum kit", 49, 1000, 18000, 0.6),
    ("drum kit", 51, 1500, 16000, 0.5),
    ("drum kit", 81, 3500, 14000, 0.8),
    ("drum kit", 70, 3000, 16000, 0.8),
    ("brushes", 38, 500, 12000, 0.4),
    ("brushes", 40, 1000, 12000, 0.8),
    ("electronic kit", 35, 30, 120, 0.85),
    ("electronic kit", 39, 600, 5000, 0.8),
    ("electronic kit", 42, 5000, 20000, 0.9),
    ("electronic kit", 56, 450, 3000, 0.85),
    ("cinematic percussion", 35, 25, 120, 0.9),
    ("cinematic percussion", 41, 40, 300, 0.8),
    ("cinematic percussion", 53, 800, 10000, 0.9),
]


@pytest.mark.parametrize(("name", "key", "low_hz", "high_hz", "share"), BANDS)
def test_energy_is_where_the_instrument_has_it(name, key, low_hz, high_hz, share):
    assert power(strike(name, key), low_hz, high_hz) > share


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("drum kit", 38),
        ("drum kit", 49),
        ("drum kit", 46),
        ("drum kit", 45),
        ("shaker", 64),
        ("cinematic percussion", 43),
    ],
)
def test_harder_is_brighter_and_louder(name, key):
    soft, hard = strike(name, key, velocity=0.3), strike(name, key, velocity=1.0)
    assert centroid_hz(hard) > 1.05 * centroid_hz(soft)
    assert peak_db(hard) - peak_db(soft) == pytest.approx(20 * np.log(1.0 / 0.3) / np.log(5), abs=0.3)


@pytest.mark.parametrize(("name", "key"), [("drum kit", 38), ("brushes", 38), ("electronic kit", 39), ("shaker", 70)])
def test_takes_differ_a_little(name, key):
    takes = [strike(name, key, variation=take) for take in range(4)]
    for other in takes[1:]:
        length = min(takes[0].shape[1], other.shape[1])
        assert not np.array_equal(takes[0][:, :length], other[:, :length])
        assert centroid_hz(other) == pytest.approx(centroid_hz(takes[0]), rel=0.35)


def ring(sound: np.ndarray) -> float:
    """Seconds in which 99 % of the energy is spent."""
    spent = np.cumsum(np.sum(sound.astype(float) ** 2, axis=0))
    return float(np.searchsorted(spent, 0.99 * spent[-1]) / RATE)


def test_things_ring_as_long_as_they_do():
    assert ring(strike("drum kit", 42)) < 0.08 < 0.15 < ring(strike("drum kit", 46))
    assert 0.4 < ring(strike("drum kit", 49)) < 3.0
    assert ring(strike("drum kit", 36)) < 0.3
    assert ring(strike("electronic kit", 36)) < ring(strike("electronic kit", 35))
    assert ring(strike("cinematic percussion", 48)) < ring(strike("cinematic percussion", 41))


def test_toms_and_taikos_are_tuned_from_low_to_high():
    for name, keys in (("drum kit", (41, 43, 45, 47, 48, 50)), ("cinematic percussion", (36, 41, 43, 45, 47, 48, 50))):
        heights = [centroid_hz(strike(name, key, velocity=0.4)) for key in keys]
        assert heights == sorted(heights)


def test_a_brush_sweeps_for_the_written_length():
    assert ring(strike("brushes", 40, duration=1.5)) - ring(strike("brushes", 40, duration=0.5)) == pytest.approx(
        0.6, abs=0.3
    )


@pytest.mark.parametrize("rate", [22050, 44100, 96000])
def test_other_rates_sound_alike(rate):
    sound = strike("drum kit", 38, rate=rate)
    assert power(sound, 150, 9000, rate) > 0.85
    assert np.all(np.isfinite(strike("drum kit", 49, rate=rate)))


@pytest.mark.parametrize("duration", [0.4, 2.0, 7.3])
def test_a_riser_grows_and_stops_exactly_at_its_end(duration):
    sound = EFFECTS["riser"].play(60, 0.8, duration, RATE, 0)
    assert sound.shape[1] == round(duration * RATE)
    parts = [float(np.mean(piece**2)) for piece in np.array_split(sound, 6, axis=1)]
    assert parts == sorted(parts) and 10 * np.log10(parts[-1] / parts[0]) > 15
    assert np.abs(sound[:, -1]).max() < 1e-4 and np.abs(sound[:, 0]).max() < 1e-4
    last = sound[:, -round(0.02 * RATE) : -round(0.005 * RATE)]
    assert np.abs(last).max() > 0.3 * np.abs(sound).max()
    assert np.abs(sound.mean(axis=1)).max() < 1e-4 and np.abs(sound).max() <= 1.0


def test_a_riser_climbs():
    sound = EFFECTS["riser"].play(60, 0.8, 4.0, RATE, 1)
    heights = [centroid_hz(piece) for piece in np.array_split(sound, 5, axis=1)[1:]]
    assert heights == sorted(heights) and heights[-1] > 2 * heights[0]


def test_an_impact_strikes_at_once_goes_deep_and_has_a_tail():
    sound = EFFECTS["impact"].play(36, 0.9, 1.0, RATE, 0)
    assert np.argmax(np.abs(sound).max(axis=0) > 0.25 * np.abs(sound).max()) < 0.006 * RATE
    assert power(sound, 25, 150) > 0.6
    assert power(sound[:, : round(0.03 * RATE)], 800, 12000) > 0.02
    levels = 10 * np.log10(np.mean(sound.reshape(2, -1)[:, : 4 * RATE].reshape(2, 4, RATE) ** 2, axis=(0, 2)))
    assert np.all(np.diff(levels) < 0) and levels[2] > levels[0] - 55
    assert np.abs(sound[:, -1]).max() < 1e-5 and np.abs(sound.mean(axis=1)).max() < 1e-4


def test_an_impact_is_tuned_by_its_pitch():
    def pitch_hz(pitch: int) -> float:
        tail = EFFECTS["impact"].play(pitch, 0.8, 1.0, RATE, 0)[:, RATE // 2 : 2 * RATE]
        spectrum = np.abs(np.fft.rfft(tail.sum(axis=0), 1 << 19))
        return float(np.argmax(spectrum) * RATE / (1 << 19))

    assert pitch_hz(36) == pytest.approx(32.7, rel=0.02)
    assert pitch_hz(45) == pytest.approx(55.0, rel=0.02)
    assert pitch_hz(57) == pytest.approx(55.0, rel=0.02)
