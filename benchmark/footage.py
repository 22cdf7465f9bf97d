"""Films to measure on, made from `examples/film.mp4`: larger, grainy, longer."""

from fractions import Fraction
from itertools import count
from pathlib import Path

import av
import numpy as np

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "film.mp4"


def full_hd(target: Path, duration: float = 60.0, frame_rate: int = 30) -> Path:
    """1080p H.264 at 16 Mb/s, as phones and cameras record: the example film enlarged, with grain, repeated to `duration`
    seconds; its sound too.
    """
    generator = np.random.default_rng(0)
    grain = [generator.integers(-7, 8, (1080, 1920), np.int16) for _ in range(8)]
    with av.open(target, "w") as film:
        picture = film.add_stream("libx264", rate=frame_rate, options={"preset": "veryfast"})
        picture.bit_rate = 16_000_000
        picture.width, picture.height, picture.pix_fmt = 1920, 1080, "yuv420p"
        voice = film.add_stream("aac", rate=48000, layout="stereo")
        for index, frame in zip(range(round(duration * frame_rate)), _endless_pictures(frame_rate), strict=False):
            planes = frame.reformat(1920, 1080, "yuv420p").to_ndarray()
            luma = planes[:1080].astype(np.int16) + grain[index % len(grain)]
            planes[:1080] = np.clip(luma, 0, 255).astype(np.uint8)
            written = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            written.pts, written.time_base = index, Fraction(1, frame_rate)
            film.mux(picture.encode(written))
        film.mux(picture.encode(None))
        for frame in _endless_sound(round(duration * 48000)):
            film.mux(voice.encode(frame))
        film.mux(voice.encode(None))
    return target


def _endless_pictures(frame_rate: int):
    """The example film's frames, over and over, at another rate."""
    written = 0
    for turn in count():
        with av.open(EXAMPLE) as film:
            for frame in film.decode(video=0):
                while written / frame_rate < turn * 30.0 + frame.time + 0.04:
                    written += 1
                    yield frame


def _endless_sound(length: int):
    """The example film's sound, over and over, `length` samples at 48 kHz."""
    pts = 0
    while True:
        with av.open(EXAMPLE) as film:
            for frame in film.decode(audio=0):
                frame.pts, frame.time_base = pts, Fraction(1, 48000)
                yield frame
                pts += frame.samples
                if pts >= length:
                    return


def repeated(source: Path, times: int, target: Path) -> Path:
    """The same coded packets `times` over, by copying: a long film in a moment."""
    with av.open(source) as given, av.open(target, "w") as film:
        streams = {
            stream.index: film.add_stream_from_template(stream)
            for stream in given.streams
            if stream.type in ("video", "audio")
        }
        length = given.duration / av.time_base
        written = dict.fromkeys(streams, float("-inf"))
        for turn in range(times):
            given.seek(0)
            for packet in given.demux(list(given.streams.get(list(streams)))):
                if packet.dts is None:
                    continue
                shift = round(turn * length / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                index = packet.stream.index
                if packet.dts <= written[index]:
                    continue  # the run-up of the sound's coder, which overlaps with the turn before
                written[index] = packet.dts
                packet.stream = streams[index]
                film.mux(packet)
    return target
