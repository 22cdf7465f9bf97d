"""Brightness, saturation, contrast and warmth against pictures of known colour."""

from pathlib import Path

import numpy as np
import pytest
from filmmaking import Scene, shot, write_film

from reelscore.analysis import analyze
from reelscore.analysis.light import Light, LightMeter, light
from reelscore.analysis.measured import Measured


def card(blue: int, green: int, red: int) -> Light:
    return light(np.full((45, 80, 3), (blue, green, red), np.uint8))


def test_brightness_is_the_value_of_the_colour() -> None:
    assert card(0, 0, 0).brightness == 0.0
    assert card(255, 255, 255).brightness == pytest.approx(1.0)
    assert card(51, 20, 10).brightness == pytest.approx(0.2)
    assert card(60, 60, 60).brightness < card(120, 120, 120).brightness < card(180, 180, 180).brightness


def test_saturation_counts_colour_where_there_is_light() -> None:
    assert card(128, 128, 128).saturation == 0.0
    assert card(0, 0, 255).saturation == pytest.approx(1.0)
    assert card(90, 90, 180).saturation == pytest.approx(0.5, abs=0.01)
    half = np.zeros((45, 80, 3), np.uint8)
    half[:, :40] = (200, 200, 200)
    half[:, 40:] = (0, 0, 4)  # black, with a saturated tint that nobody sees
    assert light(half).saturation < 0.03


def test_contrast_is_the_spread_of_luma() -> None:
    assert card(100, 100, 100).contrast == 0.0
    checks = np.zeros((45, 80, 3), np.uint8)
    checks[:, ::2] = 255
    assert light(checks).contrast == pytest.approx(1.0)
    assert light(checks // 2 + 64).contrast == pytest.approx(0.5, abs=0.02)
    spot = np.full((45, 80, 3), 90, np.uint8)
    spot[:1, :4] = 255
    assert light(spot).contrast == 0.0


def test_warmth_goes_from_blue_to_orange() -> None:
    looks = [
        card(*colour) for colour in [(255, 60, 0), (180, 140, 110), (128, 128, 128), (100, 128, 150), (0, 128, 255)]
    ]
    warmths = [look.warmth for look in looks]
    assert warmths == sorted(warmths)
    assert warmths[0] == -1.0
    assert warmths[2] == 0.0
    assert warmths[4] == 1.0
    assert abs(card(3, 0, 0).warmth) < 0.6  # the noise of black has no temperature


def test_scenes_are_ordered_by_their_light(tmp_path: Path) -> None:
    looks = {
        "night": Scene(51, colour=(0.35, 0.2, 0.12)),
        "lamp": Scene(51, colour=(0.4, 0.75, 1.25)),
        "fog": Scene(52, colour=(1.0, 1.0, 1.0), grain=1.0),
    }
    pictures = [picture for scene in looks.values() for picture in shot(scene, 50, 25.0)]
    pictures[100:] = [
        (picture.mean(axis=2, keepdims=True) * np.ones(3) * 0.2 + 190).astype(np.uint8) for picture in pictures[100:]
    ]
    night, lamp, fog = analyze(write_film(tmp_path / "light.mp4", pictures)).shots
    assert night.brightness < lamp.brightness < fog.brightness
    assert fog.saturation < 0.1 < min(night.saturation, lamp.saturation)
    assert fog.contrast < lamp.contrast
    assert night.warmth < fog.warmth < lamp.warmth
    assert night.warmth < -0.3
    assert lamp.warmth > 0.3


def test_curves_follow_the_light_in_quarters_of_a_second(tmp_path: Path) -> None:
    grey = [np.full((90, 160, 3), level, np.uint8) for level in np.linspace(20, 220, 60).astype(int)]
    found = analyze(write_film(tmp_path / "ramp.mp4", grey))
    curves = found.curves
    assert curves.step == 0.25
    assert {len(curves.motion), len(curves.brightness), len(curves.saturation), len(curves.warmth)} == {10}
    expected = [
        np.mean(np.linspace(20, 220, 60)[number * 25 // 4 : (number + 1) * 25 // 4]) / 255 for number in range(9)
    ]
    assert list(curves.brightness[:9]) == pytest.approx(expected, abs=0.03)


def test_the_meter_measures_at_least_every_tenth_of_a_second() -> None:
    meter = LightMeter()
    for number in range(50):
        meter.see(number / 25.0, np.full((45, 80, 3), 100 if number < 25 else 200, np.uint8))
    assert meter.brightness.mean(0.0, 1.0) == pytest.approx(100 / 255)
    assert meter.brightness.mean(1.0, 2.0) == pytest.approx(200 / 255)


def test_measures_fill_what_was_not_measured() -> None:
    measured = Measured()
    assert measured.curve(1.0) == (0.0,) * 4
    assert measured.mean(0.0, 1.0) == 0.0
    measured.add(0.1, 1.0)
    measured.add(0.2, 3.0)
    measured.add(0.9, 6.0)
    assert measured.curve(1.2) == pytest.approx((2.0, 2.0 + 4 / 3, 2.0 + 8 / 3, 6.0, 6.0))
    assert measured.mean(0.0, 0.15) == 1.0
    assert measured.mean(0.5, 0.6) == pytest.approx(3.0 + 3.0 * 0.35 / 0.7)
