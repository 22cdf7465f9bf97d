"""play and soundtrack: every picture and every sound where it belongs, whatever the file is like."""

from pathlib import Path

import av
import numpy as np
import pytest
from filming import BLUE, CLICKS, GREEN, RED, SCENES, WHITE, click_times, clicks, film

from reelscore.media import CodedHash, Damage, Picture, Sound, picture_sha256, play, probe, soundtrack


def _pictures(path: Path, **options: int) -> list[Picture]:
    return [item for item in play(probe(path), **options) if isinstance(item, Picture)]


def _colours(pictures: list[Picture]) -> list[tuple[int, int, int]]:
    """The scene each picture belongs to, from its middle."""
    known = (RED, BLUE, GREEN, WHITE)
    found = []
    for picture in pictures:
        middle = picture.bgr[picture.bgr.shape[0] // 2, picture.bgr.shape[1] // 2, ::-1].astype(int)
        found.append(min(known, key=lambda colour: int(np.abs(middle - colour).sum())))
    return found


TRUTH = [colour for colour, count in SCENES for _ in range(count)]


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "size"),
    [
        ("a.mp4", "libx264", "yuv420p", (96, 64)),
        ("a.mkv", "libx264", "yuv420p", (96, 64)),
        ("a.ts", "libx264", "yuv420p", (96, 64)),
        ("bare.h264", "libx264", "yuv420p", (96, 64)),
        ("a.mov", "prores_ks", "yuv422p10le", (96, 64)),
        ("a.mp4", "libx264", "yuv420p10le", (96, 64)),
        ("odd.mkv", "ffv1", "yuv444p", (99, 61)),
        ("alpha.mkv", "ffv1", "yuva420p", (96, 64)),
        ("rgb.mov", "png", "rgb24", (96, 64)),
        ("full.avi", "mjpeg", "yuvj420p", (96, 64)),
        ("a.webm", "libvpx-vp9", "yuv420p", (96, 64)),
    ],
)
def test_every_picture_comes_once_in_order_with_its_time_and_colour(
    tmp_path: Path, name: str, codec: str, pixels: str, size: tuple[int, int]
) -> None:
    pictures = _pictures(film(tmp_path / name, codec=codec, pixels=pixels, size=size))
    assert [picture.index for picture in pictures] == list(range(50))
    assert [picture.time for picture in pictures] == pytest.approx([n / 25 for n in range(50)], abs=0.0011)
    assert _colours(pictures) == TRUTH
    assert all(picture.bgr.dtype == np.uint8 and picture.bgr.shape[1:] == (160, 3) for picture in pictures)
    middle = pictures[0].bgr[40, 80, ::-1].astype(int)
    assert np.abs(middle - RED).max() < 14


def test_gray_stays_gray(tmp_path: Path) -> None:
    picture = _pictures(film(tmp_path / "a.mkv", codec="ffv1", pixels="gray"))[0].bgr
    assert np.ptp(picture.astype(int), axis=2).max() <= 2


def test_times_of_a_variable_rate_are_the_files(tmp_path: Path) -> None:
    ticks = [0, 40, 100, 180, 190, 500, 900, 940, 1500, 1700]
    pictures = _pictures(film(tmp_path / "a.mp4", [(RED, 10)], ticks=ticks, options={"bf": "0"}))
    assert [picture.time for picture in pictures] == pytest.approx([tick / 1000 for tick in ticks], abs=0.001)


def test_a_turned_film_is_shown_upright(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", rotation=-90)  # a phone held upright: players turn the picture clockwise
    picture = _pictures(path)[0].bgr
    assert picture.shape == (160, 107, 3)
    assert picture[10, -10].min() > 200  # the white corner at the upper left goes to the upper right
    assert picture[10, 10].min() < 100


def test_sound_comes_in_the_same_pass_at_its_time(tmp_path: Path) -> None:
    clip = probe(film(tmp_path / "a.mp4", sound=clicks()))
    sounds = [item for item in play(clip, sound_rate=16_000) if isinstance(item, Sound)]
    heard = np.concatenate([sound.samples for sound in sounds], axis=1)
    assert [sound.time for sound in sounds] == [0.0, 1.0]
    assert heard.shape == (1, 32_000) and heard.dtype == np.float32
    assert click_times(heard, 16_000) == pytest.approx(CLICKS, abs=1 / 16_000)


def test_a_silent_film_gives_no_sound(tmp_path: Path) -> None:
    assert all(isinstance(item, Picture) for item in play(probe(film(tmp_path / "a.mp4"))))


@pytest.mark.parametrize(
    ("name", "codec", "sound_codec"),
    [
        ("a.mp4", "libx264", "aac"),
        ("a.mov", "libx264", "pcm_s16le"),
        ("a.mkv", "libx264", "libmp3lame"),
        ("a.ts", "libx264", "aac"),
        ("a.webm", "libvpx-vp9", "libopus"),
        ("a.mkv", "libx264", "flac"),
    ],
)
def test_the_soundtrack_lies_on_the_pictures_clock(tmp_path: Path, name: str, codec: str, sound_codec: str) -> None:
    clip = probe(film(tmp_path / name, codec=codec, sound=clicks(), sound_codec=sound_codec))
    blocks = list(soundtrack(clip))
    assert all(block.shape[0] == 2 and block.shape[1] <= 48_000 and block.dtype == np.float32 for block in blocks)
    heard = np.concatenate(blocks, axis=1)
    assert heard.shape[1] == round(clip.duration * 48_000)
    assert click_times(heard, 48_000) == pytest.approx(CLICKS, abs=0.001)


def test_a_late_picture_takes_the_sound_along(tmp_path: Path) -> None:
    clip = probe(film(tmp_path / "a.mkv", sound=clicks(3.0, (1.0, 1.5, 2.0)), start=0.6))
    assert clip.start == pytest.approx(0.6, abs=0.03)
    heard = np.concatenate(list(soundtrack(clip)), axis=1)
    found = click_times(heard, 48_000, (1.0 - clip.start, 1.5 - clip.start, 2.0 - clip.start))
    assert np.array(found) + clip.start == pytest.approx([1.0, 1.5, 2.0], abs=0.025)


def test_missing_sound_is_silence_of_the_right_length(tmp_path: Path) -> None:
    silent = probe(film(tmp_path / "silent.mp4"))
    short = probe(film(tmp_path / "short.mp4", sound=clicks(0.8, (0.25, 0.5))))
    assert np.concatenate(list(soundtrack(silent)), axis=1).shape == (2, 96_000)
    assert not np.concatenate(list(soundtrack(silent)), axis=1).any()
    heard = np.concatenate(list(soundtrack(short, channels=1)), axis=1)
    assert heard.shape == (1, 96_000)
    assert not heard[0, 43_000:].any()


def test_damaged_sound_is_silence_and_what_follows_stays_in_time(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", sound=clicks(), sound_codec="aac")
    spoil(path, "audio", after=0.6, until=1.4)
    damage = Damage()
    heard = np.concatenate(list(soundtrack(probe(path), damage=damage)), axis=1)
    assert heard.shape[1] == 96_000
    assert damage.sound_packets > 0 and "damaged" in damage.remarks[0]
    assert click_times(heard, 48_000, (0.25, 0.5, 1.6)) == pytest.approx((0.25, 0.5, 1.6), abs=0.001)
    assert np.abs(heard).max() <= 2.0


def test_damaged_pictures_are_passed_over(tmp_path: Path) -> None:
    path = film(tmp_path / "a.avi", codec="mjpeg", pixels="yuvj420p")
    spoil(path, "video", after=0.3, until=0.5)
    damage = Damage()
    pictures = [item for item in play(probe(path), damage=damage) if isinstance(item, Picture)]
    assert 40 <= len(pictures) < 50
    assert damage.picture_packets == 50 - len(pictures)
    assert pictures[-1].time == pytest.approx(49 / 25)
    assert _colours(pictures)[-1] == GREEN


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    seen: list[float] = []
    for _ in play(probe(film(tmp_path / "a.mp4", sound=clicks())), progress=lambda _stage, done: seen.append(done)):
        pass
    assert seen == sorted(seen)
    assert seen[-1] == 1.0 and len(seen) > 2


def test_the_hash_of_playing_is_that_of_reading(tmp_path: Path) -> None:
    path, other = film(tmp_path / "a.mp4"), film(tmp_path / "b.mp4", [(RED, 10), (BLUE, 15), (WHITE, 25)])
    digest = CodedHash()
    for _ in play(probe(path), digest=digest):
        pass
    assert digest.hexdigest() == picture_sha256(path) != picture_sha256(other)


def spoil(path: Path, kind: str, after: float, until: float) -> None:
    """Overwrites the coded packets of a stream between two times."""
    with av.open(str(path)) as source:
        stream = next(stream for stream in source.streams if stream.type == kind)
        places = [
            (packet.pos, packet.size)
            for packet in source.demux(stream)
            if packet.size and after <= float(packet.pts * packet.time_base) < until
        ]
    data = bytearray(path.read_bytes())
    for at, size in places:
        data[at : at + size] = b"\xff" * size
    path.write_bytes(data)
