"""Drawn pictures: gradients, flat colours, slides and lights in the dark, which hold little texture to recognise."""

from collections.abc import Callable, Sequence
from functools import cache

import cv2
import numpy as np
import pytest
from filmmaking import dissolved

from reelscore.analysis import Analysis
from reelscore.analysis.look import alike, small
from reelscore.analysis.shots import ShotFinder, Span

WIDTH, HEIGHT, RATE = 320, 180, 25.0
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32) / HEIGHT
Colour = tuple[float, float, float]

DAWN = ((150.0, 110.0, 70.0), (90.0, 160.0, 240.0))
SEA = ((235.0, 150.0, 60.0), (120.0, 60.0, 10.0))
MEADOW = ((230.0, 200.0, 160.0), (50.0, 150.0, 70.0))
PLUM = ((60.0, 20.0, 70.0), (150.0, 90.0, 210.0))


def spans_of(pictures: Sequence[np.ndarray]) -> list[Span]:
    finder = ShotFinder()
    for number, picture in enumerate(pictures):
        finder.see(number / RATE, small(picture))
    return finder.spans(len(pictures) / RATE)


def starts(pictures: Sequence[np.ndarray]) -> list[tuple[str, float]]:
    return [(span.opens_with, span.start) for span in spans_of(pictures)[1:]]


@cache
def gradient(colours: tuple[Colour, Colour], shift: float = 0.0, gain: float = 1.0) -> np.ndarray:
    """A sky and a hill, both smooth, that the camera moves along by `shift` picture heights."""
    top, bottom = (np.array(colour, np.float32) for colour in colours)
    outline = 0.62 + 0.12 * np.sin(3.0 * (X + shift)) + 0.05 * np.sin(7.0 * (X + shift) + 1.0)
    sky = top + (bottom - top) * (Y * 0.8)[..., None]
    hill = bottom * (0.75 - 0.4 * Y)[..., None]
    return np.clip(np.where((outline < Y)[..., None], hill, sky) * gain, 0, 255).astype(np.uint8)


def scene(colours: tuple[Colour, Colour], frames: int) -> list[np.ndarray]:
    return [gradient(colours, 0.01 * number) for number in range(frames)]


def night(frames: int) -> list[np.ndarray]:
    """A dark blue sky over a black ridge."""
    sky = np.array([14.0, 5.0, 4.0]) + np.array([34.0, 12.0, 16.0]) * Y[..., None]
    sky[0.84 + 0.03 * np.sin(4.0 * X) < Y] = (6.0, 4.0, 4.0)
    return [sky.astype(np.float32) for _ in range(frames)]


def with_burst(sky: np.ndarray, x: float, y: float, age: int, colour: Colour) -> np.ndarray:
    """A rocket bursts at (x, y), in picture heights, `age` frames ago: a glow that dies away and sparks that fly."""
    if age < 0:
        return sky
    glow = np.exp(-((X - x) ** 2 + (Y - y) ** 2) / (2.0 * 0.16**2) - 4.0 * age / RATE)
    lit = sky + 0.8 * glow[..., None] * np.array(colour, np.float32)
    for angle in np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False):
        reach = 0.3 * (1.0 - np.exp(-0.1 * age))
        spark = (int((x + reach * np.cos(angle)) * HEIGHT), int((y + reach * np.sin(angle)) * HEIGHT))
        cv2.circle(lit, spark, 1, [level * np.exp(-0.03 * age) for level in colour], -1)
    return np.clip(lit, 0, 255)


def slide(seed: int, lines: int = 6) -> np.ndarray:
    """Black text on white under a blue bar that stays."""
    draw = np.random.default_rng(seed)
    page = np.full((HEIGHT, WIDTH, 3), 248, np.uint8)
    page[:18] = (150, 80, 30)
    for line in range(lines):
        words = "".join(draw.choice(list("abcdefghik mnop rstuw"), int(draw.integers(10, 22))))
        cv2.putText(page, words, (14 + 10 * int(draw.integers(3)), 42 + 22 * line), 0, 0.6, (30, 30, 30), 2)
    return page


def test_smooth_scenes_are_parted_at_every_cut() -> None:
    scenes = [DAWN, SEA, MEADOW, PLUM, DAWN]
    pictures = [picture for colours in scenes for picture in scene(colours, 25)]
    assert starts(pictures) == [("cut", time) for time in (1.0, 2.0, 3.0, 4.0)]


def test_a_dissolve_between_smooth_scenes_is_found() -> None:
    found = starts(dissolved(scene(DAWN, 60), scene(SEA, 60), 20))
    assert [kind for kind, _ in found] == ["dissolve"]
    assert found[0][1] == pytest.approx(50 / RATE, abs=0.1)


@pytest.mark.parametrize("colours", [DAWN, SEA, MEADOW, PLUM])
def test_light_that_changes_over_a_smooth_scene_is_no_cut(colours: tuple[Colour, Colour]) -> None:
    flash = [gradient(colours, gain=2.5 if number in (30, 31) else 1.0) for number in range(60)]
    assert starts(flash) == []
    lamp = [gradient(colours, gain=0.45 if number < 30 else 1.0) for number in range(60)]
    assert starts(lamp) == []
    exposure = [gradient(colours, gain=0.5 + 0.5 * min(1.0, number / 40)) for number in range(60)]
    assert starts(exposure) == []
    lamplight = np.array([0.6, 0.85, 1.0])
    warm = [np.rint(gradient(colours) * (lamplight if number > 30 else 1.0)).astype(np.uint8) for number in range(60)]
    assert starts(warm) == []


def test_bursts_of_light_in_a_dark_sky_are_no_cuts() -> None:
    rockets = (
        (20, 0.6, 0.3, (80.0, 190.0, 255.0)),
        (45, 1.2, 0.25, (255.0, 200.0, 110.0)),
        (62, 0.9, 0.35, (140.0, 90.0, 255.0)),
    )
    sky = night(90)
    for begin, x, y, colour in rockets:
        sky = [with_burst(picture, x, y, number - begin, colour) for number, picture in enumerate(sky)]
    assert starts([picture.astype(np.uint8) for picture in sky]) == []


def test_a_change_of_slides_is_a_cut_and_what_appears_on_one_is_not() -> None:
    assert starts([slide(seed) for seed in (1, 2, 3) for _ in range(30)]) == [("cut", 1.2), ("cut", 2.4)]
    building = [slide(4, lines=1 + number // 15) for number in range(90)]
    assert starts(building) == []
    menu = [slide(5) for _ in range(60)]
    for number in range(25, 45):
        cv2.rectangle(menu[number], (40, 18), (140, 110), (225, 225, 225), -1)
    assert starts(menu) == []


def test_the_same_grain_in_other_colours_is_another_shot() -> None:
    grain = np.random.default_rng(0).integers(-30, 30, (90, 160, 1))
    colours = ((200, 60, 40), (40, 160, 220), (60, 150, 30))
    pictures = [
        np.clip(np.roll(grain, number % 4, 1) + colour, 0, 255).astype(np.uint8)
        for colour in colours
        for number in range(25)
    ]
    assert starts(pictures) == [("cut", 1.0), ("cut", 2.0)]


def test_pictures_are_alike_in_other_light_and_not_in_other_colours() -> None:
    dawn = small(gradient(DAWN))
    assert alike(dawn, small(gradient(DAWN, shift=0.05, gain=0.6)))
    assert not alike(dawn, small(gradient(SEA)))


def test_a_dark_place_after_a_dark_place_is_a_change() -> None:
    city = [np.full((HEIGHT, WIDTH, 3), (24.0, 8.0, 14.0), np.float32) for _ in range(30)]
    windows = np.random.default_rng(8)
    lit = [(int(x), int(y)) for x, y in zip(windows.integers(0, WIDTH, 60), windows.integers(50, 150, 60), strict=True)]
    for picture in city:
        for x, y in lit:
            cv2.rectangle(picture, (x, y), (x + 6, y + 8), (140, 190, 250), -1)
    pictures = [picture.astype(np.uint8) for picture in [*city, *night(30)]]
    spans = spans_of(pictures)
    assert [span.start for span in spans] == pytest.approx([0.0, 1.2])
    assert spans[1].change > 0.3


def test_the_example_film_is_taken_apart_as_it_was_put_together(example: Analysis) -> None:
    cuts = [shot.start for shot in example.shots if shot.opens_with == "cut"]
    assert cuts == pytest.approx([7.0, 12.0, 14.2, 15.8, 21.0, 23.0, 25.0], abs=1e-3)
    (dissolve,) = [shot.start for shot in example.shots if shot.opens_with == "dissolve"]
    assert dissolve == pytest.approx(17.5, abs=0.2)
    assert len(example.shots) == 9
    changes = {shot.start: shot.change for shot in example.shots[1:]}
    assert min(changes.values()) > 0.3


def test_a_screen_recording_is_one_shot(analysed: Callable[[str], Analysis]) -> None:
    assert len(analysed("screen_sam2_ui.mp4").shots) == 1
