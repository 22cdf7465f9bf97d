"""The command line run as a person runs it, and small films to run it on."""

import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

COLOURS = ((40, 60, 200), (220, 160, 40), (30, 150, 60), (180, 40, 120))
PICTURE_CODECS = {".webm": "libvpx"}
SOUND_CODECS = {".webm": "libopus"}


def film(
    path: Path,
    shots: Sequence[float] = (2.0, 1.6, 2.4),
    *,
    frame_rate: int = 25,
    size: tuple[int, int] = (160, 90),
    pixels: str = "yuv420p",
    rotation: int = 0,
    uneven: bool = False,
    sound: str | None = "stereo",
    sound_level: float = 0.02,
) -> Path:
    """A film of coloured, textured shots of these lengths in seconds; a hum in the layout `sound`, or None.

    With `uneven`, every second picture comes late by half a picture's length.
    """
    texture = np.random.default_rng(0).integers(-30, 30, (size[1], size[0], 1))
    with av.open(str(path), "w") as made:
        picture = made.add_stream(PICTURE_CODECS.get(path.suffix, "libx264"), rate=frame_rate)
        picture.width, picture.height, picture.pix_fmt = *size, pixels
        picture.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            picture.set_display_rotation(rotation)
        voice = made.add_stream(SOUND_CODECS.get(path.suffix, "aac"), rate=48000, layout=sound) if sound else None
        index = 0
        for number, length in enumerate(shots):
            for _ in range(round(length * frame_rate)):
                image = np.clip(np.roll(texture, index, 1) + COLOURS[number % 4], 0, 255).astype(np.uint8)
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.time_base = Fraction(1, 1000)
                frame.pts = round((index + 0.5 * (uneven and index % 2)) * 1000 / frame_rate)
                made.mux(picture.encode(frame))
                index += 1
        made.mux(picture.encode(None))
        if voice is not None:
            for frame in _hum(sum(shots), voice.codec_context.layout.nb_channels, sound, sound_level):
                made.mux(voice.encode(frame))
            made.mux(voice.encode(None))
    return path


def _hum(duration: float, channels: int, layout: str, level: float):
    hum = (level * np.sin(np.arange(round(duration * 48000)) * 2 * np.pi * 110 / 48000)).astype(np.float32)
    for start in range(0, hum.size, 960):
        samples = np.ascontiguousarray(np.tile(hum[start : start + 960], (channels, 1)))
        frame = av.AudioFrame.from_ndarray(samples, "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        yield frame


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "reelscore", *map(str, arguments)]


def reelscore(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, cwd=cwd, check=False, timeout=300)


def complaint(run: subprocess.CompletedProcess[str]) -> str:
    """The one sentence on stderr of a refused run."""
    assert run.returncode == 1, run.stderr
    lines = run.stderr.strip().splitlines()
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("reelscore: ")
    return lines[0]
