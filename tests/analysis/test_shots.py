"""Cuts to the frame, transitions in their middle, and nothing where nothing is; on made films, then on real ones."""

import tracemalloc
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from filmmaking import Scene, dissolved, faded_in, faded_out, shot, write_film

from reelscore.analysis import Analysis, analyze
from reelscore.analysis.look import blank, kinship, palette, palette_difference, small
from reelscore.analysis.shots import ShotFinder, Span

SCENES = [
    Scene(11, speed=0.1, colour=(0.6, 0.9, 1.2)),
    Scene(12, speed=-0.3, colour=(1.2, 1.0, 0.6)),
    Scene(13, speed=0.0, tilt=0.15),
    Scene(14, speed=0.5, colour=(0.5, 0.5, 0.5)),
    Scene(15, speed=0.05, grain=8.0),
    Scene(16, speed=-0.15, tilt=-0.1, colour=(0.8, 1.3, 0.8)),
]


def spans_of(pictures: Sequence[np.ndarray], rate: float = 25.0) -> list[Span]:
    """The shots of pictures that were never coded."""
    finder = ShotFinder()
    for number, picture in enumerate(pictures):
        finder.see(number / rate, small(picture))
    return finder.spans(len(pictures) / rate)


def opened(analysis: Analysis) -> list[tuple[str, float]]:
    return [(shot.opens_with, shot.start) for shot in analysis.shots[1:]]


@pytest.mark.parametrize("rate", [24, 25, Fraction(30000, 1001), 30, 60], ids=str)
def test_every_cut_is_found_to_the_frame_and_no_other(tmp_path: Path, rate: Fraction | int) -> None:
    fast = round(0.24 * rate)
    lengths = [round(rate), fast, fast, fast, round(0.7 * rate), round(1.3 * rate)]
    pictures = [picture for scene, n in zip(SCENES, lengths, strict=True) for picture in shot(scene, n, float(rate))]
    found = analyze(write_film(tmp_path / "cuts.mp4", pictures, rate))
    truth = [float(number / Fraction(rate)) for number in np.cumsum(lengths)[:-1].tolist()]
    assert [shot.opens_with for shot in found.shots] == ["start"] + ["cut"] * 5
    assert [shot.start for shot in found.shots] == pytest.approx([0.0, *truth], abs=1e-3)
    assert found.shots[-1].end == pytest.approx(found.duration)
    assert found.frames == len(pictures)


def test_cuts_are_told_in_true_time_where_the_frame_rate_varies(tmp_path: Path) -> None:
    lengths = [20, 25, 30, 18]
    pictures = [picture for scene, n in zip(SCENES, lengths, strict=False) for picture in shot(scene, n, 25.0)]
    pace = np.random.default_rng(3).choice([0.02, 0.033, 0.05, 0.12], len(pictures))
    times = np.round(np.concatenate([[0.0], np.cumsum(pace)[:-1]]), 3)
    found = analyze(write_film(tmp_path / "vfr.mkv", pictures, 50, times=times.tolist()))
    truth = [float(times[number]) for number in np.cumsum(lengths)[:-1]]
    assert [start for _, start in opened(found)] == pytest.approx(truth, abs=1.5e-3)


@pytest.mark.parametrize("frames", [10, 25, 45])
def test_a_dissolve_is_found_at_its_middle(tmp_path: Path, frames: int) -> None:
    pictures = dissolved(shot(SCENES[0], 75, 25.0), shot(SCENES[5], 90, 25.0), frames)
    found = analyze(write_film(tmp_path / "dissolve.mp4", pictures))
    assert [kind for kind, _ in opened(found)] == ["dissolve"]
    assert found.shots[1].start == pytest.approx((75 - frames / 2) / 25.0, abs=0.08)


def test_a_fade_through_black_begins_the_shot_where_its_picture_begins(tmp_path: Path) -> None:
    black = [np.zeros((180, 320, 3), np.uint8)] * 8
    pictures = [*faded_out(shot(SCENES[0], 60, 25.0), 15), *black, *faded_in(shot(SCENES[5], 60, 25.0), 20)]
    found = analyze(write_film(tmp_path / "fade.mp4", pictures))
    assert [kind for kind, _ in opened(found)] == ["fade"]
    assert found.shots[1].start == pytest.approx(68 / 25.0, abs=0.125)


def test_a_fade_through_white_is_a_fade_as_well() -> None:
    white = np.full((90, 160, 3), 255.0)
    one, other = (shot(scene, 50, 25.0, 160, 90) for scene in (SCENES[0], SCENES[5]))
    ramp = np.clip(np.concatenate([np.zeros(38), np.arange(13) / 12, np.arange(13)[::-1] / 12, np.zeros(38)]), 0, 1)
    pictures = [
        np.rint(p * (1 - w) + white * w).astype(np.uint8)
        for p, w in zip([*one, *one[:1], *other, *other[:1]], ramp, strict=True)
    ]
    spans = spans_of(pictures)
    assert [span.opens_with for span in spans] == ["start", "fade"]
    assert spans[1].start == pytest.approx(51 / 25.0, abs=0.15)


def test_a_long_black_is_a_shot_of_its_own_and_a_short_one_is_not() -> None:
    one, other = shot(SCENES[0], 50, 25.0, 160, 90), shot(SCENES[5], 50, 25.0, 160, 90)
    black = np.zeros((90, 160, 3), np.uint8)
    assert [span.start for span in spans_of([*one, *[black] * 50, *other])] == pytest.approx([0.0, 2.0, 4.0])
    assert [span.start for span in spans_of([*one, *[black] * 15, *other])] == pytest.approx([0.0, 2.6])
    assert len(spans_of([*[black] * 10, *one])) == 1
    assert [span.start for span in spans_of([*[black] * 30, *one])] == pytest.approx([0.0, 1.2])


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_flash_is_no_cut(frames: int) -> None:
    pictures = shot(SCENES[0], 100, 25.0, 160, 90)
    for first in (20, 45, 70):
        for number in range(first, first + frames):
            gain = 6.0 / (1 + number - first)
            pictures[number] = np.clip(pictures[number] * gain + 60, 0, 255).astype(np.uint8)
    assert len(spans_of(pictures)) == 1


def test_a_flash_upon_a_cut_leaves_one_cut() -> None:
    one, other = shot(SCENES[0], 50, 25.0, 160, 90), shot(SCENES[5], 50, 25.0, 160, 90)
    flash = [np.full((90, 160, 3), 255, np.uint8)] * 2
    spans = spans_of([*one, *flash, *other])
    assert len(spans) == 2
    assert spans[1].start == pytest.approx(2.04, abs=0.041)


@pytest.mark.parametrize("speed", [0.8, 1.6, 3.0])
def test_a_fast_pan_is_no_cut(speed: float) -> None:
    still = shot(Scene(17, speed=0.0), 30, 25.0, 160, 90)
    pan = shot(Scene(17, speed=speed), 20, 25.0, 160, 90)
    rest = [Scene(17, speed=speed).picture(20 / 25.0, 160, 90)] * 30
    assert len(spans_of([*still, *pan, *rest])) == 1


def test_a_lamp_a_title_and_a_passer_by_are_no_cuts() -> None:
    dark = [(picture * 0.35).astype(np.uint8) for picture in shot(Scene(18, speed=0.02), 50, 25.0, 160, 90)]
    lamp_on = [*dark, *shot(Scene(18, speed=0.02), 50, 25.0, 160, 90)]
    assert len(spans_of(lamp_on)) == 1

    title = shot(Scene(19, speed=0.0), 100, 25.0, 160, 90)
    for number in range(30, 100):
        weight = min(1.0, (number - 30) / 20)
        written = title[number].copy()
        cv2.putText(written, "TITLE", (30, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (255, 255, 255), 6)
        title[number] = cv2.addWeighted(title[number], 1 - weight, written, weight, 0)
    assert len(spans_of(title)) == 1

    passing = shot(Scene(20, speed=0.0), 100, 25.0, 160, 90)
    for number in range(20, 80):
        x = (number - 20) * 5 - 80
        passing[number][:, max(0, x) : max(0, x + 80)] = (40, 60, 90)
    assert len(spans_of(passing)) == 1


def test_heavy_grain_and_stuttering_pictures_are_no_cuts() -> None:
    assert len(spans_of(shot(Scene(21, grain=30.0), 75, 25.0, 160, 90))) == 1
    on_threes = [picture for picture in shot(Scene(22, speed=0.6), 40, 8.0, 160, 90) for _ in range(3)]
    assert len(spans_of(on_threes, 24.0)) == 1


def test_cuts_between_plain_colours_are_found() -> None:
    colours = [(40, 40, 200), (200, 60, 40), (90, 160, 60), (128, 128, 128)]
    pictures = [np.full((90, 160, 3), colour, np.uint8) for colour in colours for _ in range(25)]
    assert [span.start for span in spans_of(pictures)] == pytest.approx([0.0, 1.0, 2.0, 3.0])


def test_a_dialogue_returns_to_its_views() -> None:
    he, she = Scene(23, speed=0.01, colour=(0.8, 0.9, 1.1)), Scene(24, speed=-0.01, colour=(0.9, 0.9, 1.0))
    elsewhere = Scene(25, speed=0.05, colour=(1.6, 0.7, 0.4))
    turns = [he, she, he, she, he, elsewhere]
    pictures = [picture for scene in turns for picture in shot(scene, 40, 25.0, 160, 90)]
    spans = spans_of(pictures)
    assert [span.returns_to for span in spans] == [None, None, 0, 1, 2, None]


def test_change_tells_a_new_place_from_another_view_of_the_same() -> None:
    here, beside = Scene(26, colour=(0.7, 0.9, 1.2)), Scene(26, speed=-0.2, colour=(0.72, 0.9, 1.18))
    night = Scene(27, colour=(0.6, 0.25, 0.15))
    again = shot(Scene(26, colour=(0.7, 0.9, 1.2)), 80, 25.0, 160, 90)[40:]
    spans = spans_of([*shot(here, 40, 25.0, 160, 90), *shot(night, 40, 25.0, 160, 90), *again])
    near = palette_difference(palette(small(here.picture(0.0))), palette(small(beside.picture(3.0))))
    assert spans[1].change > 0.8
    assert near < 0.5 < spans[1].change


def test_the_shortest_films_are_one_shot(tmp_path: Path) -> None:
    for frames in (2, 12):
        found = analyze(write_film(tmp_path / f"{frames}.mp4", shot(SCENES[0], frames, 25.0)))
        assert len(found.shots) == 1
        assert found.shots[0].end == pytest.approx(frames / 25.0)
    assert len(spans_of(shot(SCENES[0], 1, 25.0))) == 1


def test_memory_does_not_grow_with_the_film() -> None:
    pictures = [*shot(SCENES[0], 12, 12.0, 160, 90), *shot(SCENES[5], 12, 12.0, 160, 90)]
    held = []
    finder = ShotFinder()
    tracemalloc.start()
    for number in range(60 * 12):
        picture = pictures[number % 24].copy()
        finder.see(number / 12.0, small(picture))
        if number in (30 * 12, 60 * 12 - 1):
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    # Half a minute more: its small pictures alone are 3.9 million bytes. Thirty palettes and a wavering store are allowed.
    assert held[1] - held[0] < 600_000


def test_kinship_knows_the_same_wall_after_a_pan_and_not_another() -> None:
    wall = Scene(28, speed=1.0)
    here, moved, other = (small(picture) for picture in (wall.picture(0.0), wall.picture(0.12), Scene(29).picture(0.0)))
    assert kinship(here, moved).likeness > 0.8
    assert kinship(here, (moved * 0.4).astype(np.uint8)).likeness > 0.8
    assert kinship(here, other).likeness < 0.65
    assert blank(np.full_like(here, 8)) == "black"
    assert blank(np.full_like(here, 250)) == "white"
    assert blank(here) is None


REAL_CUTS = {
    # Found by drawing the twelve pictures around every change that any detector proposed, with their numbers, and
    # looking: each number is the first picture of a new view. Fades in from black and titles were looked at as well.
    "bbb_480p_30s.mp4": (24.0, [("cut", 285), ("cut", 378), ("cut", 553)]),
    "bbb_trailer_0_30.webm": (24.0, [("cut", 283), ("cut", 376), ("cut", 551)]),
    "ocean_vide.mp4": (24.0, [("cut", 144)]),
}
ONE_SHOT = [
    "broken_audio.mp4",
    "friday_cc0.mp4",
    "gradio_av1.mp4",
    "no_duration.webm",
    "people_walk_intel.mp4",
    "sam2_coffee.mp4",
    "sam2_dog.mp4",
    "screen_sam2_ui.mp4",
    "skateboard_pexels.mkv",
    "smpte_2997fps.mp4",
    "squirrel_pexels.mp4",
    "visbeat_synth_ball.mp4",
]


@pytest.mark.parametrize("name", REAL_CUTS)
def test_cuts_of_real_films_are_where_they_were_seen(analysed: Callable[[str], Analysis], name: str) -> None:
    rate, seen = REAL_CUTS[name]
    found = analysed(name)
    assert [kind for kind, _ in opened(found)] == [kind for kind, _ in seen]
    assert [start for _, start in opened(found)] == pytest.approx([number / rate for _, number in seen], abs=2e-3)


def test_the_dissolve_of_a_real_film_is_found(analysed: Callable[[str], Analysis]) -> None:
    # Seen: a lamp-lit room melts into a bright ceiling within one second, a cut leads back to the same room.
    found = analysed("nasa_13013.mp4")
    assert [shot.opens_with for shot in found.shots] == ["start", "dissolve", "cut"]
    assert found.shots[1].start == pytest.approx(5.47, abs=0.1)
    assert found.shots[2].start == pytest.approx(8.008, abs=0.002)
    assert found.shots[2].returns_to == 0


@pytest.mark.parametrize("name", ONE_SHOT)
def test_real_films_of_one_shot_have_no_cuts(analysed: Callable[[str], Analysis], name: str) -> None:
    assert len(analysed(name).shots) == 1
