"""Single pictures at given times: the right ones, in the film's shape, whether it is played or skipped through."""

from pathlib import Path

import av
import numpy as np
import pytest
from filming import RED, SCENES, film

from reelscore.errors import ReelscoreError
from reelscore.media import probe, stills

pictures_at = stills.stills_at


def counting(path: Path, seconds: int, *, codec: str = "libx264", every: int = 50) -> Path:
    """A film at 25 pictures a second whose picture n shows n in its grey, with a key picture in every `every`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.bit_rate = 2_000_000
        stream.options = {"g": str(every), **({"bf": "2", "sc_threshold": "0"} if codec == "libx264" else {})}
        for number in range(25 * seconds):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(_grey(number), "rgb24")))
        container.mux(stream.encode(None))
    return path


def _grey(number: int) -> np.ndarray:
    """Two fields of grey: the left one tells n modulo 25, the right one tells the second."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32], picture[:, 32:] = 20 + 8 * (number % 25), 20 + 5 * (number // 25)
    return picture


def _told(bgr: np.ndarray) -> int:
    left, right = float(bgr[10:38, 6:26].mean()), float(bgr[10:38, 38:58].mean())
    return 25 * round((right - 20) / 5) + round((left - 20) / 8)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.h264"])
def test_the_picture_on_the_screen_at_each_time_is_given(tmp_path: Path, name: str) -> None:
    clip = probe(counting(tmp_path / name, 40, codec="mpeg4" if name == "a.avi" else "libx264"))
    numbers = [0, 1, 2, 330, 331, 332, 401, 777, 998, 999]
    times = [(number + 0.5) / 25 for number in numbers]
    found = list(pictures_at(clip, times, 64))
    assert [_told(still.bgr) for still in found] == numbers
    assert [still.time for still in found] == pytest.approx([number / 25 for number in numbers], abs=0.003)


def test_a_film_with_one_key_picture_is_played_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = probe(counting(tmp_path / "a.mkv", 40, every=5000))
    opened = []
    real = stills._by_playing
    monkeypatch.setattr(stills, "_by_playing", lambda *given: opened.append(given) or real(*given))
    numbers = [3, 400, 800]
    assert [_told(still.bgr) for still in pictures_at(clip, [(n + 0.5) / 25 for n in numbers], 64)] == numbers
    assert len(opened) == 1


def test_equal_times_share_a_picture_and_times_after_the_end_take_the_last(tmp_path: Path) -> None:
    clip = probe(counting(tmp_path / "a.mp4", 2))
    found = list(pictures_at(clip, [0.5, 0.5, 1.99, 5.0, 6.0], 64))
    assert found[0] is found[1]
    assert [_told(still.bgr) for still in found[2:]] == [49, 49, 49]


@pytest.mark.parametrize(
    ("size", "rotation", "shape"), [((96, 64), 0, (40, 60, 3)), ((96, 64), 90, (60, 40, 3)), ((40, 30), 0, (30, 40, 3))]
)
def test_pictures_keep_the_shape_of_the_film_and_never_grow(tmp_path: Path, size, rotation, shape) -> None:
    clip = probe(film(tmp_path / "a.mp4", size=size, rotation=rotation))
    (still,) = pictures_at(clip, [0.1], 60)
    assert still.bgr.shape == shape


def test_a_film_cut_off_gives_its_last_picture_for_what_is_missing(tmp_path: Path) -> None:
    whole = counting(tmp_path / "a.ts", 40)
    clip = probe(whole)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    found = list(pictures_at(clip, [2.02, 35.02, 39.02], 64))
    assert _told(found[0].bgr) == 50
    assert 400 < _told(found[1].bgr) == _told(found[2].bgr) < 600


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_damage_never_ends_in_a_traceback_and_times_rise(tmp_path: Path, name: str) -> None:
    whole = film(tmp_path / name, [*SCENES, (RED, 1000)]).read_bytes()
    chance, finished = np.random.default_rng(3), 0
    times = [0.2 + 1.7 * number for number in range(24)]
    for _ in range(8):
        path = tmp_path / f"spoilt{Path(name).suffix}"
        spoilt = bytearray(whole)
        at = int(chance.integers(len(spoilt)))
        spoilt[at : at + 3000] = chance.bytes(3000)
        path.write_bytes(spoilt)
        try:
            found = [still.time for still in pictures_at(probe(path), times, 64)]
        except ReelscoreError:
            continue
        finished += 1
        assert len(found) in (0, len(times))
        assert found == sorted(found)
    assert finished >= 3


def test_more_times_than_pictures(tmp_path: Path) -> None:
    path = counting(tmp_path / "film.mp4", 1)
    found = list(pictures_at(probe(path), [0.01 * number for number in range(90)], longer_side=64))
    assert len(found) == 90
    assert [_told(still.bgr) for still in found] == [min(int(number / 4 + 1e-6), 24) for number in range(90)]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.h264"])
def test_the_times_of_all_pictures_are_read_without_decoding(tmp_path: Path, name: str) -> None:
    clip = probe(counting(tmp_path / name, 4, codec="mpeg4" if name == "a.avi" else "libx264"))
    times = stills.picture_times(clip)
    assert times == pytest.approx([number / 25 for number in range(100)], abs=0.003)
    assert [_told(still.bgr) for still in pictures_at(clip, times, 64)] == list(range(100))


def test_the_times_of_a_varying_rate_are_the_films_own(tmp_path: Path) -> None:
    ticks = [0, 40, 90, 400, 433, 1500, 1501, 1900]
    clip = probe(film(tmp_path / "a.mkv", [(RED, len(ticks))], ticks=ticks, start=0.0))
    assert stills.picture_times(clip) == pytest.approx([tick / 1000 for tick in ticks], abs=1e-6)


def test_pictures_may_be_drawn_in_any_way(tmp_path: Path) -> None:
    clip = probe(counting(tmp_path / "a.mp4", 2))
    drawn = list(stills.drawn_at(clip, [0.0, 0.0, 1.0], lambda frame: frame.to_ndarray(format="bgr24")[:, ::-1]))
    assert drawn[0] is drawn[1]
    assert [_told(still.bgr[:, ::-1]) for still in drawn] == [0, 0, 25]
