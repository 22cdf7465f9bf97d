"""A finished film as a listener meets it: the whole of its sound and a few stills."""

from pathlib import Path

import av
import numpy as np
import pytest

from reelscore.errors import MediaError
from reelscore.media import probe
from reelscore.media.encode import encode_sound
from reelscore.media.finished import holds_picture, stills, whole_sound

RATE = 48_000


def greys(path: Path, duration: float = 4.0) -> Path:
    """A film at 25 pictures a second in which the grey of each picture tells its time."""
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(round(duration * 25)):
            grey = np.full((64, 96, 3), 20 + 2 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, "rgb24")))
        container.mux(stream.encode())
    return path


def test_stills_are_the_nearest_pictures(tmp_path: Path) -> None:
    times = [0.0, 0.5, 0.51, 2.0, 3.97]
    found = list(stills(probe(greys(tmp_path / "film.mp4")), times, longer_side=48))
    assert len(found) == len(times)
    for time, still in zip(times, found, strict=True):
        assert still.time == pytest.approx(time, abs=0.021)
        assert still.bgr.shape == (32, 48, 3)
        assert still.bgr.mean() == pytest.approx(20 + 2 * round(still.time * 25), abs=5)


def test_more_stills_than_pictures(tmp_path: Path) -> None:
    film = probe(greys(tmp_path / "film.mp4", duration=0.08))
    assert len(list(stills(film, [0.01 * number for number in range(8)]))) == 8


@pytest.mark.parametrize("suffix", ["wav", "m4a", "opus"])
def test_what_fills_the_last_packet_is_no_sound(tmp_path: Path, suffix: str) -> None:
    tone = (0.3 * np.sin(np.arange(RATE + 517) / 20)).astype(np.float32)
    path = tmp_path / f"sound.{suffix}"
    encode_sound([np.stack([tone, tone])], RATE, path)
    heard = np.concatenate(list(whole_sound(path)), axis=1)
    assert not holds_picture(path)
    assert heard.shape[1] == pytest.approx(RATE + 517, abs=48)
    assert np.corrcoef(heard[0, 4_000:40_000], tone[4_000:40_000])[0, 1] > 0.99


def test_sound_is_cut_at_the_start_that_is_asked_for(tmp_path: Path) -> None:
    rising = np.linspace(0, 0.5, RATE, dtype=np.float32)
    path = tmp_path / "sound.wav"
    encode_sound([np.stack([rising, rising])], RATE, path)
    later = np.concatenate(list(whole_sound(path, start=0.25)), axis=1)
    assert np.allclose(later[0], rising[RATE // 4 :], atol=1e-4)
    earlier = np.concatenate(list(whole_sound(path, start=-0.25)), axis=1)
    assert earlier.shape[1] == RATE * 5 // 4 and not earlier[:, : RATE // 4].any()


def test_a_film_without_sound_has_none(tmp_path: Path) -> None:
    path = greys(tmp_path / "film.mp4", duration=0.4)
    assert holds_picture(path) and list(whole_sound(path)) == []


def test_neither_picture_nor_sound(tmp_path: Path) -> None:
    path = tmp_path / "words.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n\n")
    with pytest.raises(MediaError):
        holds_picture(path)
