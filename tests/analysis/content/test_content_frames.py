"""The frames that a captioner is shown: of the right scene, of one shot, in the film's own shape."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from filmmaking import Scene, dissolved, faded_in, faded_out, shot, write_film

from reelscore.analysis import Analysis, analyze
from reelscore.analysis.content.chat import picture, wants_square
from reelscore.analysis.content.frames import LONGER_SIDE, Frame, frames, sharpness
from reelscore.analysis.content.scenes import scenes
from reelscore.media import probe

RATE = 25
WALLS = [
    Scene(11, speed=0.1, colour=(0.5, 0.9, 1.3)),
    Scene(12, speed=-0.1, colour=(1.3, 1.0, 0.5)),
    Scene(13, speed=0.05, tilt=0.1, colour=(0.6, 1.3, 0.6)),
]


def shown(analysis: Analysis) -> list[tuple[Frame, ...]]:
    return list(frames(probe(analysis.film), scenes(analysis)))


def film_of(path: Path, pictures: Sequence[np.ndarray]) -> Analysis:
    return analyze(write_film(path, pictures, RATE))


def likeness(frame: Frame, wall: Scene, since: float) -> float:
    """How well the frame agrees with what the camera saw of the wall then: 1 for the same, 0 for nothing in common."""
    true = wall.picture(frame.time - since, 320, 180)[:, :, ::-1]
    seen = cv2.resize(frame.rgb, (320, 180), interpolation=cv2.INTER_AREA)
    one, other = (cv2.GaussianBlur(each, (5, 5), 0).astype(float).ravel() for each in (seen, true))
    return float(np.corrcoef(one, other)[0, 1])


def test_frames_of_cuts_show_their_own_scene(tmp_path: Path) -> None:
    analysis = film_of(tmp_path / "a.mp4", [p for wall in WALLS for p in shot(wall, 6 * RATE, RATE)])
    seen = shown(analysis)
    assert len(seen) == 3
    for number, held in enumerate(seen):
        assert len(held) == 3
        for frame in held:
            assert 6 * number <= frame.time < 6 * (number + 1)
            assert likeness(frame, WALLS[number], 6.0 * number) > 0.9


def test_no_frame_is_of_two_shots_where_they_dissolve(tmp_path: Path) -> None:
    length, mixed = 9 * RATE, 2 * RATE
    joined = shot(WALLS[0], length, RATE)
    for wall in WALLS[1:]:
        joined = dissolved(joined, shot(wall, length, RATE), mixed)
    analysis = film_of(tmp_path / "a.mp4", joined)
    assert [opened.opens_with for opened in analysis.shots] == ["start", "dissolve", "dissolve"]
    seen = shown(analysis)
    assert len(seen) == 3
    for number, held in enumerate(seen):
        assert held
        for frame in held:
            assert likeness(frame, WALLS[number], number * (length - mixed) / RATE) > 0.9


def test_frames_are_not_taken_from_black(tmp_path: Path) -> None:
    analysis = film_of(tmp_path / "a.mp4", faded_out(faded_in(shot(WALLS[0], 8 * RATE, RATE), 2 * RATE), 2 * RATE))
    brightest = shot(WALLS[0], 1, RATE)[0].mean()
    (held,) = shown(analysis)
    assert len(held) >= 3
    assert min(frame.rgb.mean() for frame in held) > 0.4 * brightest


def test_the_sharp_picture_is_taken_from_among_blurred_ones(tmp_path: Path) -> None:
    sharp = shot(WALLS[0], 5 * RATE, RATE)
    pictures = [p if 55 <= number < 70 else cv2.GaussianBlur(p, (31, 31), 0) for number, p in enumerate(sharp)]
    (held,) = shown(film_of(tmp_path / "a.mp4", pictures))
    assert sharpness(pictures[60]) > 1.5 * sharpness(pictures[10])
    assert any(2.2 <= frame.time < 2.8 for frame in held)


def plain(rgb: tuple[int, int, int], count: int, size: tuple[int, int] = (96, 64)) -> list[np.ndarray]:
    return [np.full((size[1], size[0], 3), rgb[::-1], np.uint8)] * count


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (768, 320)])
def test_frames_keep_the_shape_of_the_film(tmp_path: Path, size: tuple[int, int]) -> None:
    (held,) = shown(film_of(tmp_path / "a.mp4", plain((30, 200, 30), 60, size)))
    for frame in held:
        height, width = frame.rgb.shape[:2]
        assert max(width, height) == LONGER_SIDE
        assert width / height == pytest.approx(size[0] / size[1], rel=0.02)
        assert frame.rgb[height // 2, width // 2].tolist() == pytest.approx([30, 200, 30], abs=16)


def test_a_damaged_film_gives_the_frames_that_there_are(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.ts", [*plain((230, 30, 30), 150), *plain((30, 30, 230), 150)])
    data = bytearray(path.read_bytes())
    data[2 * len(data) // 3 : 2 * len(data) // 3 + 1500] = bytes(1500)
    path.write_bytes(data)
    seen = shown(analyze(path))
    assert seen[0] and seen[0][0].rgb[30, 40].tolist() == pytest.approx([230, 30, 30], abs=16)
    assert all(frame.rgb.shape == (64, 96, 3) for held in seen for frame in held)


class Processor:
    """What is known of an image processor before it is asked anything."""

    def __init__(self, size: dict[str, int], **more: object) -> None:
        self.size = size
        self.image_mean = (0.5, 0.25, 0.75)
        vars(self).update(more)


def test_a_processor_that_squashes_is_given_a_square() -> None:
    wide = np.full((90, 160, 3), 200, np.uint8)
    shrunk = picture(wide, Processor({"height": 384, "width": 384}))
    assert shrunk.size == (160, 160)
    assert np.asarray(shrunk)[80, 80].tolist() == [200, 200, 200]
    assert np.asarray(shrunk)[3, 80].tolist() == [128, 64, 191]
    assert picture(wide, Processor({"shortest_edge": 784, "longest_edge": 99999})).size == (160, 90)
    assert picture(wide[:, :60], Processor({"shortest_edge": 224}, do_center_crop=True)).size == (90, 90)
    assert wants_square(Processor({"longest_edge": 512}, max_image_size={"longest_edge": 512}))


def test_only_one_scene_is_decoded_ahead(tmp_path: Path) -> None:
    analysis = film_of(tmp_path / "a.mp4", [p for wall in WALLS for p in shot(wall, 6 * RATE, RATE)])
    held = frames(probe(analysis.film), scenes(analysis))
    assert next(held)[-1].time < 6.0
    held.close()
