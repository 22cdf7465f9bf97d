"""probe: the facts of a film, and one clear sentence for everything that is none."""

import os
from pathlib import Path

import av
import numpy as np
import pytest
from filming import RED, SCENES, clicks, film

from reelscore.errors import MediaError
from reelscore.media import probe


@pytest.mark.parametrize(
    ("name", "codec", "kind"),
    [
        ("a.mp4", "libx264", "h264"),
        ("a.mov", "libx264", "h264"),
        ("a.mkv", "libx264", "h264"),
        ("a.ts", "libx264", "h264"),
        ("a.avi", "mpeg4", "mpeg4"),
        ("a.webm", "libvpx-vp9", "vp9"),
    ],
)
def test_the_facts_hold_in_every_container(tmp_path: Path, name: str, codec: str, kind: str) -> None:
    clip = probe(film(tmp_path / name, codec=codec, sound=clicks(), sound_codec="libopus" if kind == "vp9" else "aac"))
    assert clip.video_codec == kind
    assert clip.frames == 50
    assert clip.duration == pytest.approx(2.0, abs=0.041 if name == "a.avi" else 0.002)  # AVI may begin with a gap
    assert clip.frame_rate == pytest.approx(25.0, abs=1e-6)
    assert (clip.width, clip.height, clip.rotation) == (96, 64, 0)
    assert clip.has_sound
    assert clip.remarks == ()


def test_a_transport_stream_does_not_start_at_zero(tmp_path: Path) -> None:
    clip = probe(film(tmp_path / "a.ts", start=1.4))
    assert clip.start > 1.4
    assert clip.duration == pytest.approx(2.0, abs=1e-6)
    assert not clip.has_sound


def test_variable_frame_rate_counts_time_not_pictures(tmp_path: Path) -> None:
    ticks = [40 * n for n in range(10)] + [400 + 120 * n for n in range(10)]
    clip = probe(film(tmp_path / "a.mp4", [(RED, 20)], ticks=ticks, options={"bf": "0"}))
    assert clip.frames == 20
    assert ticks[-1] / 1000 < clip.duration <= (ticks[-1] + 121) / 1000
    assert clip.frame_rate == pytest.approx(20 / clip.duration, rel=0.06)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_film_is_measured_upright(tmp_path: Path, turn: int) -> None:
    clip = probe(film(tmp_path / "a.mp4", rotation=turn))
    assert clip.rotation in (turn, 360 - turn)
    assert (clip.width, clip.height) == ((96, 64) if turn == 180 else (64, 96))


def test_half_a_second_is_a_film(tmp_path: Path) -> None:
    assert probe(film(tmp_path / "a.mp4", [(RED, 12)])).duration == pytest.approx(0.48)


def test_a_wild_time_stamp_is_refused_rather_than_scored_for_days(tmp_path: Path) -> None:
    ticks = [0, 40, 80, 120, 250_000_000]
    with pytest.raises(MediaError, match="jump by 250000 s"):
        probe(film(tmp_path / "a.mkv", [(RED, 5)], ticks=ticks, codec="mjpeg", pixels="yuvj420p"))


def test_a_cut_off_film_lasts_as_long_as_its_pictures_and_says_so(tmp_path: Path) -> None:
    whole = film(tmp_path / "a.mkv", [(RED, 100)], sound=clicks(4.0))
    data = whole.read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(data[: len(data) // 2])
    clip = probe(cut)
    assert 0.2 < clip.duration < 3.5
    assert "lasts 4.0" in clip.remarks[0]


def test_a_cover_is_not_a_film(tmp_path: Path) -> None:
    song = tmp_path / "song.mp3"
    picture = tmp_path / "cover.png"
    _still(picture)
    with av.open(str(picture)) as source, av.open(str(song), "w") as result:
        track = result.add_stream("libmp3lame", rate=48_000)
        cover = result.add_stream_from_template(source.streams.video[0], opaque=True)
        cover.disposition = av.stream.Disposition.attached_pic
        for packet in source.demux():
            if packet.size:
                packet.stream = cover
                result.mux(packet)
        frame = av.AudioFrame.from_ndarray(clicks(0.5, (0.25,)), format="fltp", layout="stereo")
        frame.sample_rate = 48_000
        result.mux(track.encode(frame))
        result.mux(track.encode(None))
    with pytest.raises(MediaError, match="only sound"):
        probe(song)


def _still(path: Path) -> None:
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as result:
        stream = result.add_stream("png" if path.suffix == ".png" else "mjpeg", rate=1)
        stream.width, stream.height = 32, 32
        stream.pix_fmt = "rgb24" if path.suffix == ".png" else "yuvj420p"
        pixels = np.zeros((32, 32, 3), np.uint8)
        result.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        result.mux(stream.encode(None))


@pytest.mark.parametrize("name", ["still.png", "still.jpg"])
def test_a_still_picture_is_refused(tmp_path: Path, name: str) -> None:
    _still(tmp_path / name)
    with pytest.raises(MediaError, match="a picture, not a film"):
        probe(tmp_path / name)


def test_one_single_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="a single picture"):
        probe(film(tmp_path / "a.mp4", [(RED, 1)]))


def test_only_sound_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.wav"), "w") as result:
        track = result.add_stream("pcm_s16le", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2000), np.int16), format="s16", layout="stereo")
        frame.sample_rate = 48_000
        result.mux(track.encode(frame))
    with pytest.raises(MediaError, match="only sound"):
        probe(tmp_path / "a.wav")


def test_what_is_no_film_at_all_is_refused(tmp_path: Path) -> None:
    text, empty, noise = tmp_path / "a.txt", tmp_path / "empty.mp4", tmp_path / "noise.mp4"
    text.write_text("This is not a film. " * 200)
    empty.touch()
    noise.write_bytes(np.random.default_rng(0).bytes(50_000))
    for path in (text, empty, noise):
        with pytest.raises(MediaError, match="cannot be read as a film"):
            probe(path)
    with pytest.raises(MediaError, match="is a folder"):
        probe(tmp_path)
    with pytest.raises(MediaError, match="does not exist"):
        probe(tmp_path / "missing.mp4")


def test_a_film_without_one_good_picture_is_refused(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", codec="mjpeg", pixels="yuvj420p")
    data = bytearray(path.read_bytes())
    for packet_at in _picture_places(path):
        data[packet_at[0] : packet_at[0] + packet_at[1]] = b"\x55" * packet_at[1]
    path.write_bytes(data)
    with pytest.raises(MediaError, match="No picture"):
        probe(path)


def _picture_places(path: Path) -> list[tuple[int, int]]:
    with av.open(str(path)) as source:
        return [(packet.pos, packet.size) for packet in source.demux(video=0) if packet.size]


@pytest.mark.skipif(os.name == "nt", reason="needs a system whose file names may hold anything")
@pytest.mark.parametrize(
    "name",
    [
        "with space.mp4",
        "ünï—çødé 電影.mp4",
        "-dash.mp4",
        "50%d.mp4",
        "a#b?c=d.mp4",
        "http:x.mp4",
        "concat:a|b.mp4",
        "pipe:0.mp4",
    ],
)
def test_strange_names_are_only_names(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    film(tmp_path / "plain.mp4", SCENES).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert probe(Path(name)).frames == 50


def test_playlists_lead_nowhere(tmp_path: Path) -> None:
    film(tmp_path / "part.ts")
    playlists = {
        "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\npart.ts\n#EXT-X-ENDLIST\n",
        "a.mp4": "ffconcat version 1.0\nfile part.ts\n",
        "b.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    }
    for name, content in playlists.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(MediaError, match="cannot be read as a film"):
            probe(tmp_path / name)
