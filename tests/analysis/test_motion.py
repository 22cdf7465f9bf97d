"""Movement is the same whatever the resolution and the frame rate, and its sudden changes are found in time."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from filmmaking import Scene, shot, write_film

from reelscore.analysis import Analysis, analyze
from reelscore.analysis.facts import Peak
from reelscore.analysis.motion import Blackout, MotionMeter, liveliness
from reelscore.media import Picture, play, probe


def watched(pictures: Sequence[np.ndarray], rate: float) -> MotionMeter:
    meter = MotionMeter()
    for number, picture in enumerate(pictures):
        meter.see(number / rate, picture)
    return meter


def movement(scene: Scene, rate: float = 25.0, seconds: float = 2.0) -> float:
    pictures = shot(scene, round(seconds * rate), rate, 160, 90)
    return watched(pictures, rate).measured([]).mean(0.0, seconds)


@pytest.mark.parametrize("speed", [0.03, 0.1, 0.3])
def test_movement_is_the_speed_in_picture_lengths(speed: float) -> None:
    assert movement(Scene(31, speed=speed, grain=1.0)) == pytest.approx(liveliness(speed), rel=0.16)


@pytest.mark.parametrize("speed", [0.04, 0.2])
def test_the_same_move_counts_the_same_at_every_size_and_frame_rate(tmp_path: Path, speed: float) -> None:
    moves = []
    for rate, width, height in ((24, 320, 180), (24, 640, 360), (30, 320, 180), (60, 640, 360)):
        pictures = shot(Scene(32, speed=speed, tilt=0.5 * speed), 2 * rate, rate, width, height)
        film = write_film(tmp_path / f"{rate}-{width}.mp4", pictures, rate)
        moves.append(analyze(film).shots[0].motion)
    assert max(moves) < 1.15 * min(moves)


def test_stillness_grain_and_darkness_do_not_move() -> None:
    assert movement(Scene(33, speed=0.0, grain=0.0)) < 0.01
    assert movement(Scene(33, speed=0.0, grain=6.0)) < 0.12
    assert movement(Scene(33, speed=0.0, grain=2.0, colour=(0.02, 0.02, 0.02))) < 0.1


def test_a_pan_the_other_way_and_a_tilt_count_alike() -> None:
    right, left = movement(Scene(34, speed=0.15)), movement(Scene(34, speed=-0.15))
    down = movement(Scene(34, speed=0.0, tilt=0.15))
    assert left == pytest.approx(right, rel=0.1)
    assert down == pytest.approx(right, rel=0.1)


def test_a_cut_is_no_movement(tmp_path: Path) -> None:
    still = [Scene(seed, speed=0.0, grain=1.0) for seed in range(40, 46)]
    film = write_film(tmp_path / "still.mp4", [picture for scene in still for picture in shot(scene, 12, 25.0)])
    found = analyze(film)
    assert len(found.shots) == 6
    assert max(shot.motion for shot in found.shots) < 0.12
    assert max(found.curves.motion) < 0.12
    assert found.peaks == ()


def test_flashes_and_fades_are_no_movement() -> None:
    pictures = shot(Scene(35, speed=0.0, grain=1.0), 75, 25.0, 160, 90)
    pictures[30] = np.clip(pictures[30] * 3.0 + 60, 0, 255).astype(np.uint8)
    for number in range(50, 75):
        pictures[number] = (pictures[number] * ((74 - number) / 24.0)).astype(np.uint8)
    meter = watched(pictures, 25.0)
    assert meter.peaks([]) == ()
    assert meter.measured([]).mean(0.0, 3.0) < 0.12


def started(moments: Sequence[float], rate: float = 25.0, seconds: float = 8.0) -> tuple[Peak, ...]:
    """Peaks of a block that at each of the moments begins or ceases to cross the picture."""
    wall = Scene(36, speed=0.0, grain=1.0)
    block = Scene(37).picture(0.0, 60, 40)
    x, moving, pictures = 10.0, False, []
    for number in range(round(seconds * rate)):
        picture = wall.picture(number / rate, 160, 90)
        if any(abs(number / rate - moment) < 0.5 / rate for moment in moments):
            moving = not moving
        x = (x + (120.0 / rate if moving else 0.0)) % 100
        picture[25:65, round(x) : round(x) + 60] = block
        pictures.append(picture)
    return watched(pictures, rate).peaks([])


@pytest.mark.parametrize("rate", [25.0, 50.0])
def test_sudden_movement_is_found_in_time(rate: float) -> None:
    found = started([2.0, 2.6, 5.0, 5.6], rate)
    assert [peak.time for peak in found] == pytest.approx([2.0, 2.6, 5.0, 5.6], abs=0.08)
    assert all(0.1 < peak.strength <= 1.0 for peak in found)


def test_steady_movement_has_no_peaks_and_peaks_keep_their_distance() -> None:
    assert watched(shot(Scene(38, speed=0.3), 100, 25.0, 160, 90), 25.0).peaks([]) == ()
    close = started([2.0, 2.2, 2.4, 2.6, 2.8, 3.0])
    assert all(later.time - earlier.time >= 0.5 for earlier, later in pairwise(close))


def test_what_is_blacked_out_does_not_count() -> None:
    view = shot(Scene(39, speed=0.0), 50, 25.0, 160, 90)
    pictures = [*view, *(picture[:, ::-1].copy() for picture in view)]  # another view in the very same light
    meter = watched(pictures, 25.0)
    assert meter.measured([Blackout(2.0, 2.0)]).mean(0.0, 4.0) < 0.3 * meter.measured([]).mean(1.9, 2.1)
    assert meter.peaks([Blackout(2.0, 2.0)]) == ()


def test_the_peaks_of_a_bouncing_ball_are_its_bounces(clips: Path, analysed: Callable[[str], Analysis]) -> None:
    film = clips / "visbeat_synth_ball.mp4"
    places, times = [], []
    for event in play(probe(film)):
        if isinstance(event, Picture):
            bright = np.where(event.bgr[4:-4, 4:-4, 1] > 80, event.bgr[4:-4, 4:-4, 1].astype(float), 0.0)
            rows, columns = np.indices(bright.shape)
            weight = max(bright.sum(), 1e-9)
            places.append([(rows * bright).sum() / weight, (columns * bright).sum() / weight])
            times.append(event.time)
    steps = np.diff(np.array(places), axis=0)
    turned = (np.sign(steps[3:]) * np.sign(steps[:-3]) < 0) & (np.abs(steps[3:] - steps[:-3]) > 0.3)
    bounces = np.array(times)[2:-2][turned.any(axis=1)]
    peaks = analysed(film.name).peaks
    near = [np.abs(bounces - peak.time).min() < 0.1 for peak in peaks]
    assert len(peaks) > 25
    assert np.mean(near) > 0.85


def test_action_moves_more_than_a_still_view(analysed: Callable[[str], Analysis]) -> None:
    board = analysed("skateboard_pexels.mkv").curves.motion
    assert max(board[4:8]) > 0.8  # the board rolls by from 0.6 s to 2.7 s
    assert max(board[14:]) < 0.1
    assert analysed("sam2_dog.mp4").shots[0].motion > 2 * analysed("squirrel_pexels.mp4").shots[0].motion


@pytest.mark.parametrize("shape", [(20, 160), (160, 20), (7, 160), (1, 160), (3, 3)])
def test_pictures_too_low_or_too_narrow_for_the_flow_are_measured_too(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 255, (shape[0], shape[1] + 20, 3)).astype(np.uint8)
    meter = MotionMeter()
    for number in range(6):
        meter.see(number / 10, np.ascontiguousarray(wide[:, number : number + shape[1]]))
    assert np.isfinite(meter.measured([]).mean(0.0, 0.6))
