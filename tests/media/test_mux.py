"""mux: the picture untouched, the new sound exactly beside it, all else kept; or nothing written at all."""

import os
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from filming import CLICKS, RED, SCENES, click_times, clicks, film

from reelscore.errors import InputError, OutputError
from reelscore.media import Clip, mux, picture_sha256, probe, refuse_unfit, soundtrack

RATE = 48_000


def _blocks(sound: np.ndarray, size: int = RATE) -> Iterator[np.ndarray]:
    for first in range(0, sound.shape[1], size):
        yield sound[:, first : first + size]


def _coded(path: Path) -> list[bytes]:
    with av.open(str(path)) as source:
        return [bytes(packet) for packet in source.demux(video=0) if packet.size]


def _shown(path: Path) -> list[float]:
    """The pictures' times from the first picture on, as a player shows them."""
    with av.open(str(path)) as source:
        times = [float(frame.pts * source.streams.video[0].time_base) for frame in source.decode(video=0)]
    return [time - times[0] for time in times]


def _decoded_sound(path: Path) -> np.ndarray:
    """The sound as a plain player puts it beside the first picture, by the file's time stamps alone."""
    with av.open(str(path)) as source:
        first_picture = next(source.decode(video=0)).time
    with av.open(str(path)) as source:
        resampler = av.AudioResampler("fltp", "stereo", RATE)
        frames = list(source.decode(audio=0))
        begin = float(frames[0].pts * frames[0].time_base) - first_picture
        parts = [part.to_ndarray() for frame in [*frames, None] for part in resampler.resample(frame)]
    sound = np.concatenate(parts, axis=1)
    offset = round(begin * RATE)
    return sound[:, -offset:] if offset < 0 else np.pad(sound, ((0, 0), (offset, 0)))


@pytest.mark.parametrize(
    ("source", "codec", "target", "sound_codec"),
    [
        ("a.mp4", "libx264", "out.mp4", "aac"),
        ("a.mp4", "libx264", "out.mov", "aac"),
        ("a.mp4", "libx264", "out.m4v", "aac"),
        ("a.mp4", "libx264", "out.mkv", "opus"),
        ("a.mkv", "libx264", "out.mp4", "aac"),
        ("a.mkv", "libx264", "out.mkv", "opus"),
        ("a.ts", "libx264", "out.mp4", "aac"),
        ("a.ts", "libx264", "out.mkv", "opus"),
        ("a.avi", "mpeg4", "out.mp4", "aac"),
        ("a.mov", "prores_ks", "out.mov", "aac"),
        ("a.webm", "libvpx-vp9", "out.webm", "opus"),
        ("a.webm", "libvpx-vp9", "out.mp4", "aac"),
        ("a.mp4", "libsvtav1", "out.mp4", "aac"),
        ("a.mp4", "libsvtav1", "out.webm", "opus"),
        ("a.mkv", "libx265", "out.mp4", "aac"),
    ],
)
def test_the_picture_is_copied_and_the_sound_is_in_place(
    tmp_path: Path, source: str, codec: str, target: str, sound_codec: str
) -> None:
    pixels = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    original = "libopus" if source.endswith("webm") else "aac"
    start = 1.4 if source.endswith("ts") else 0.0
    path = film(
        tmp_path / source,
        codec=codec,
        pixels=pixels,
        options=options,
        sound=clicks(times=(0.3,)),
        sound_codec=original,
        start=start,
    )
    clip, result = probe(path), tmp_path / target
    remarks = mux(clip, _blocks(clicks()), RATE, result)
    assert remarks == ()
    if not source.endswith("ts"):  # there, start codes part the units; elsewhere lengths do
        assert _coded(result) == _coded(path)
    assert picture_sha256(result) == picture_sha256(path)
    assert _shown(result) == pytest.approx(_shown(path), abs=0.0011)
    with av.open(str(result)) as written:
        assert [stream.codec_context.codec.canonical_name for stream in written.streams.audio] == [sound_codec]
    sound = _decoded_sound(result)
    assert click_times(sound, RATE) == pytest.approx(CLICKS, abs=0.001)
    assert abs(sound.shape[1] - clip.duration * RATE) <= 1024
    finished = probe(result)
    assert finished.duration == pytest.approx(clip.duration, abs=0.0011)
    assert np.concatenate(list(soundtrack(finished)), axis=1).shape[1] == round(finished.duration * RATE)


@pytest.mark.parametrize(
    ("target", "sound_codec"),
    [
        ("out.mp4", "flac"),
        ("out.mov", "pcm"),
        ("out.mkv", "flac"),
        ("out.mkv", "pcm"),
        ("out.mkv", "aac"),
        ("out.mp4", "opus"),
    ],
)
def test_other_sound_codecs_are_in_place_too(tmp_path: Path, target: str, sound_codec: str) -> None:
    clip = probe(film(tmp_path / "a.mp4"))
    mux(clip, _blocks(clicks(), 7_777), RATE, tmp_path / target, sound_codec=sound_codec)
    sound = _decoded_sound(tmp_path / target)
    assert click_times(sound, RATE) == pytest.approx(CLICKS, abs=0.001)
    if sound_codec in ("flac", "pcm"):
        assert sound.shape[1] == 96_000
        assert np.abs(sound - clicks()).max() < 2**-22


def test_declared_lengths_agree_to_the_sample(tmp_path: Path) -> None:
    clip = probe(film(tmp_path / "a.mp4", [(RED, 37)]))
    mux(clip, _blocks(clicks()), RATE, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as result:
        sound = result.streams.audio[0]
        assert sound.duration * sound.time_base == pytest.approx(37 / 25, abs=1 / RATE)


def test_missing_sound_is_filled_and_mono_stays_mono(tmp_path: Path) -> None:
    clip = probe(film(tmp_path / "a.mp4"))
    mux(clip, [clicks()[:1, :RATE]], RATE, tmp_path / "out.mov", sound_codec="pcm")
    with av.open(str(tmp_path / "out.mov")) as result:
        assert result.streams.audio[0].layout.name == "mono"
        assert sum(frame.samples for frame in result.decode(audio=0)) == 96_000


def test_another_sample_rate_reaches_opus(tmp_path: Path) -> None:
    clip = probe(film(tmp_path / "a.mkv"))
    mux(clip, _blocks(clicks(rate=44_100)), 44_100, tmp_path / "out.mkv")
    assert click_times(_decoded_sound(tmp_path / "out.mkv"), RATE) == pytest.approx(CLICKS, abs=0.001)


def test_variable_rate_and_turn_are_kept(tmp_path: Path) -> None:
    ticks = [0, 40, 100, 180, 190, 500, 900, 940, 1500, 1700]
    path = film(tmp_path / "a.mp4", [(RED, 10)], ticks=ticks, options={"bf": "0"}, rotation=-90)
    for target in (tmp_path / "out.mp4", tmp_path / "out.mkv"):
        mux(probe(path), [], RATE, target)
        assert _shown(target) == pytest.approx([tick / 1000 for tick in ticks], abs=0.001)
        assert probe(target).rotation == probe(path).rotation == 90


def test_tags_chapters_and_subtitles_are_kept(tmp_path: Path) -> None:
    path = film(
        tmp_path / "bare.mkv",
        tags={"title": "A film", "comment": "ünïcødé"},
        chapters=[(0.0, 0.8, "One"), (0.8, 2.0, "Two")],
    )
    subtitled = _with_subtitle(path, tmp_path / "a.mkv")
    remarks = mux(probe(subtitled), _blocks(clicks()), RATE, tmp_path / "out.mkv")
    assert remarks == ()
    with av.open(str(tmp_path / "out.mkv")) as result:
        tags = {key.lower(): value for key, value in result.metadata.items()}
        assert (tags["title"], tags["comment"]) == ("A film", "ünïcødé")
        assert [chapter["metadata"]["title"] for chapter in result.chapters()] == ["One", "Two"]
        starts = [float(chapter["start"] * chapter["time_base"]) for chapter in result.chapters()]
        assert starts == pytest.approx([0.0, 0.8], abs=0.001)
        assert result.streams.subtitles[0].language == "eng"
        said = [(bytes(p), float(p.pts * p.time_base)) for p in result.demux(subtitles=0) if p.size]
        assert said == [(b"Hello", 0.5), (b"Bye", 1.2)]


@pytest.mark.parametrize(("target", "codec"), [("out.mp4", "mov_text"), ("out.mov", "mov_text"), ("out.mkv", "subrip")])
def test_subtitles_are_rewritten_where_the_container_wants_another_kind(
    tmp_path: Path, target: str, codec: str
) -> None:
    path = _with_subtitle(film(tmp_path / "bare.mkv"), tmp_path / "a.mkv")
    if codec == "subrip":  # there and back again
        mux(probe(path), [], RATE, tmp_path / "between.mp4")
        path = tmp_path / "between.mp4"
    assert mux(probe(path), [], RATE, tmp_path / target) == ()
    with av.open(str(tmp_path / target)) as result:
        captions = result.streams.subtitles[0]
        assert captions.codec_context.codec.canonical_name == codec
        assert captions.language == "eng"
        said = [(packet, float(packet.pts * packet.time_base)) for packet in result.demux(captions) if packet.size > 2]
        times = {time for packet, time in said if b"Hello" in bytes(packet) or b"Bye" in bytes(packet)}
    assert sorted(times) == pytest.approx([0.5, 1.2], abs=0.01)


def test_what_a_container_cannot_hold_is_said(tmp_path: Path) -> None:
    path = _with_attachments(film(tmp_path / "bare.mkv"), tmp_path / "a.mkv")
    remarks = mux(probe(path), [], RATE, tmp_path / "out.mp4")
    assert len(remarks) == 1 and "The attachment font.ttf was left out" in remarks[0]
    assert mux(probe(path), [], RATE, tmp_path / "out.mkv") == ()
    for name in ("out.mp4", "out.mkv"):
        with av.open(str(tmp_path / name)) as result:
            covers = [s for s in result.streams.video if s.disposition & av.stream.Disposition.attached_pic]
            assert len(covers) == 1
    with av.open(str(tmp_path / "out.mkv")) as result:
        assert [(item.name, item.data) for item in result.streams.attachments] == [("font.ttf", b"letters")]


def _with_attachments(path: Path, target: Path) -> Path:
    cover = target.with_suffix(".png")
    with av.open(str(cover), "w", format="image2", options={"update": "1"}) as result:
        stream = result.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "rgb24"
        result.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")))
    with av.open(str(path)) as source, av.open(str(target), "w") as result:
        video = result.add_stream_from_template(source.streams.video[0], opaque=True)
        result.add_attachment("cover.png", "image/png", cover.read_bytes())
        result.add_attachment("font.ttf", "application/x-truetype-font", b"letters")
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = video
                result.mux(packet)
    return target


def _with_subtitle(path: Path, target: Path) -> Path:
    with av.open(str(path)) as source, av.open(str(target), "w") as result:
        video = result.add_stream_from_template(source.streams.video[0], opaque=True)
        captions = result.add_mux_stream("subrip")
        captions.metadata["language"] = "eng"
        captions.time_base = Fraction(1, 1000)
        result.metadata.update(source.metadata)
        result.set_chapters(source.chapters())
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = video
                result.mux(packet)
        for text, begin, length in ((b"Hello", 500, 400), (b"Bye", 1200, 500)):
            packet = av.Packet(text)
            packet.stream, packet.time_base = captions, Fraction(1, 1000)
            packet.pts = packet.dts = begin
            packet.duration = length
            result.mux(packet)
    return target


def test_colours_are_kept(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", options={"x264-params": "colorprim=bt709:transfer=bt709:colormatrix=bt709"})
    mux(probe(path), [], RATE, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as result:
        context = result.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace) == (1, 1, 1)


def test_hevc_keeps_the_name_that_apple_players_want(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", codec="libx265", options={"x265-params": "log-level=none"})
    mux(probe(path), [], RATE, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as result:
        assert result.streams.video[0].codec_context.codec_tag == "hvc1"


def test_the_index_of_an_mp4_comes_first(tmp_path: Path) -> None:
    mux(probe(film(tmp_path / "a.mp4")), [], RATE, tmp_path / "out.mp4")
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(
    ("codec", "source", "target", "remedy"),
    [("libx264", "a.mp4", "out.webm", ".mp4"), ("libvpx", "a.webm", "out.mp4", ".webm")],
)
def test_a_container_that_cannot_hold_the_picture_is_refused(
    tmp_path: Path, codec: str, source: str, target: str, remedy: str
) -> None:
    clip = probe(film(tmp_path / source, codec=codec))
    with pytest.raises(InputError, match=f"cannot hold the film's picture.*{remedy}"):
        mux(clip, [], RATE, tmp_path / target)
    assert [path.name for path in tmp_path.iterdir()] == [source]


def test_what_fits_no_container_is_refused(tmp_path: Path) -> None:
    clip = probe(film(tmp_path / "a.mp4"))
    with pytest.raises(InputError, match=r"end its name in \.mp4"):
        mux(clip, [], RATE, tmp_path / "out.txt")
    with pytest.raises(InputError, match="'vorbis'"):
        mux(clip, [], RATE, tmp_path / "out.mp4", sound_codec="vorbis")
    with pytest.raises(InputError, match="choose aac, pcm"):
        mux(clip, [], RATE, tmp_path / "out.mov", sound_codec="opus")
    with pytest.raises(InputError, match="choose aac, pcm"):
        refuse_unfit(clip, tmp_path / "out.mov", "opus")
    refuse_unfit(clip, tmp_path / "out.mov")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_the_film_itself_is_never_overwritten(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    before = path.read_bytes()
    (tmp_path / "soft.mp4").symlink_to(path)
    os.link(path, tmp_path / "hard.mp4")
    for target in (path, tmp_path / "soft.mp4", tmp_path / "hard.mp4", tmp_path / "." / "a.mp4"):
        with pytest.raises(InputError, match="the film itself"):
            mux(probe(path), [], RATE, target)
    assert path.read_bytes() == before


@pytest.mark.parametrize("problem", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, problem: type[BaseException]) -> None:
    clip = probe(film(tmp_path / "a.mp4", [*SCENES, *SCENES]))

    def blocks() -> Iterator[np.ndarray]:
        yield clicks()[:, :RATE]
        raise problem

    with pytest.raises(problem):
        mux(clip, blocks(), RATE, tmp_path / "out.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_an_interrupted_run_keeps_an_older_result(tmp_path: Path) -> None:
    clip = probe(film(tmp_path / "a.mp4"))
    (tmp_path / "out.mp4").write_text("older")

    def blocks() -> Iterator[np.ndarray]:
        yield clicks()[:, :100]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mux(clip, blocks(), RATE, tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4").read_text() == "older"


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"missing/out\.mp4"):
        mux(probe(film(tmp_path / "a.mp4")), [], RATE, tmp_path / "missing" / "out.mp4")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    clip = probe(film(tmp_path / "a.mp4"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal = pytest.importorskip("signal")
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, limits[1]))
        with pytest.raises(OutputError, match="nothing was left behind"):
            mux(clip, _blocks(clicks()), RATE, tmp_path / "out.mov", sound_codec="pcm")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.skipif(os.name == "nt", reason="needs a system whose file names may hold anything")
@pytest.mark.parametrize("name", ["50%d.mp4", "a b.mp4", "-x.mp4", "concat:a|b.mkv", "http:x.mp4", "電影#?.mov"])
def test_results_may_have_strange_names(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = probe(film(tmp_path / "a.mp4"))
    monkeypatch.chdir(tmp_path)
    mux(clip, _blocks(clicks()), RATE, Path(name))
    assert probe(Path(name)).frames == 50


def test_sound_is_asked_for_only_as_the_picture_advances(tmp_path: Path) -> None:
    """So that the mix of a long film never lies in memory: when a block is taken, the file holds what came before."""
    clip = probe(film(tmp_path / "a.mp4", [*SCENES] * 5))
    taken: list[float] = []

    def blocks() -> Iterator[np.ndarray]:
        for _ in range(10):
            taken.append(done[-1] if done else 0.0)
            yield np.zeros((2, RATE), np.float32)

    done: list[float] = []
    mux(clip, blocks(), RATE, tmp_path / "out.mp4", progress=lambda _stage, fraction: done.append(fraction))
    assert len(taken) == 10
    assert all(fraction <= (number + 0.5) / 10 for number, fraction in enumerate(taken))
    assert taken[-1] > 0.7
    assert all(earlier <= later for earlier, later in pairwise(done)) and done[-1] == 1.0


def test_a_trimmed_film_stays_trimmed(tmp_path: Path) -> None:
    clip = _trimmed(tmp_path)
    assert clip.edit == "trimmed"
    mux(clip, _blocks(clicks(times=(0.25, 0.5))), RATE, tmp_path / "out.mp4")
    finished = probe(tmp_path / "out.mp4")
    assert (finished.frames, finished.start) == (clip.frames, 0.0)
    assert finished.duration == pytest.approx(clip.duration, abs=0.001)
    assert picture_sha256(tmp_path / "out.mp4") == picture_sha256(clip.path)
    assert click_times(_decoded_sound(tmp_path / "out.mp4"), RATE, (0.25, 0.5)) == pytest.approx((0.25, 0.5), abs=0.001)
    with pytest.raises(InputError, match=r"end its name in \.mp4"):
        mux(clip, [], RATE, tmp_path / "out.mkv")


def _trimmed(folder: Path) -> Clip:
    """A film whose edit list hides its first 20 pictures, as phones do when a film is trimmed."""
    whole, trimmed = film(folder / "whole.mp4", options={"bf": "0"}), folder / "trimmed.mp4"
    with av.open(str(whole)) as source, av.open(str(trimmed), "w") as result:
        video = result.add_stream_from_template(source.streams.video[0], opaque=True)
        shift = round(0.8 / source.streams.video[0].time_base)
        for packet in source.demux(video=0):
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, video
                result.mux(packet)
    return probe(trimmed)


def test_a_hidden_end_stays_out_of_the_picture(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 12  # the first entry's length, in the units of the film's header
    whole = int.from_bytes(data[at : at + 4], "big")
    data[at : at + 4] = (whole // 2).to_bytes(4, "big")
    path.write_bytes(data)
    clip = probe(path)
    assert 25 <= clip.frames <= 27  # FFmpeg shows those that later ones in the file build on
    remarks = mux(clip, [], RATE, tmp_path / "out.mp4")
    assert picture_sha256(tmp_path / "out.mp4") == picture_sha256(path)
    more = probe(tmp_path / "out.mp4").frames - clip.frames
    assert 0 <= more <= 2
    assert [remark[0] for remark in remarks] == ([str(more)] if more else [])
