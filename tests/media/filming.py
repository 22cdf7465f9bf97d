"""Small films whose pictures and sounds are known, for the tests of media."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RED, GREEN, BLUE, WHITE, BLACK = (230, 30, 30), (30, 200, 30), (30, 30, 230), (235, 235, 235), (20, 20, 20)
SCENES = ((RED, 10), (BLUE, 15), (GREEN, 25))
SOUND_RATE = 48_000


def film(
    path: Path,
    scenes: Sequence[tuple[tuple[int, int, int], int]] = SCENES,
    *,
    rate: int = 25,
    size: tuple[int, int] = (96, 64),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    sound: npt.NDArray[np.float32] | None = None,
    sound_codec: str = "aac",
    rotation: int = 0,
    ticks: Sequence[int] | None = None,
    start: float = 0.0,
    tags: dict[str, str] | None = None,
    chapters: Sequence[tuple[float, float, str]] = (),
) -> Path:
    """One colour a scene, `(colour, pictures)`; `ticks` are the pictures' times in 1/1000 s where the rate varies."""
    with av.open(str(path), "w", options=options or {}) as result:
        video = result.add_stream(codec, rate=rate)
        video.width, video.height, video.pix_fmt = *size, pixels
        video.codec_context.time_base = Fraction(1, 1000) if ticks else Fraction(1, rate)
        if codec == "libx264":
            video.options = {"bf": "2", "g": "12", "preset": "veryfast", **(options or {})}
        if rotation:
            video.set_display_rotation(rotation)
        track = _track(result, sound, sound_codec)
        result.metadata.update(tags or {})
        result.set_chapters([_chapter(number, *chapter) for number, chapter in enumerate(chapters)])
        for index, colour in enumerate(colour for colour, count in scenes for _ in range(count)):
            picture = av.VideoFrame.from_ndarray(_drawn(colour, size, index), format="rgb24")
            picture.time_base = video.codec_context.time_base
            picture.pts = ticks[index] if ticks else index + round(start * rate)
            result.mux(video.encode(picture))
        result.mux(video.encode(None))
        if track is not None and sound is not None:
            _encode(result, track, sound)
    return path


def _drawn(colour: tuple[int, int, int], size: tuple[int, int], index: int) -> npt.NDArray[np.uint8]:
    """A colour with a brighter corner at the upper left and a dot that moves, so that no two pictures are the same."""
    picture = np.full((size[1], size[0], 3), colour, np.uint8)
    picture[: size[1] // 4, : size[0] // 4] = 255
    picture[-4:-2, 2 * (index % (size[0] // 2))] = 128
    return picture


def _track(result, sound, codec):
    if sound is None:
        return None
    track = result.add_stream(codec, rate=SOUND_RATE)
    track.layout = "stereo" if sound.shape[0] == 2 else "mono"
    return track


def _encode(result, track, sound) -> None:
    for first in range(0, sound.shape[1], SOUND_RATE):
        part = np.ascontiguousarray(sound[:, first : first + SOUND_RATE])
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo" if sound.shape[0] == 2 else "mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, first, Fraction(1, SOUND_RATE)
        result.mux(track.encode(frame))
    result.mux(track.encode(None))


def _chapter(number: int, start: float, end: float, title: str):
    scale = Fraction(1, 1000)
    return {
        "id": number,
        "start": round(start * 1000),
        "end": round(end * 1000),
        "time_base": scale,
        "metadata": {"title": title},
    }


CLICKS = (0.25, 0.5, 1.0, 1.6)


def clicks(duration: float = 2.0, times: Sequence[float] = CLICKS, rate: int = SOUND_RATE) -> npt.NDArray[np.float32]:
    """Stereo silence with a short pulse centred on each time; faint noise keeps encoders from dropping anything."""
    sound = np.random.default_rng(1).normal(0, 1e-4, (2, round(duration * rate))).astype(np.float32)
    width = 48
    for time in times:
        middle = round(time * rate)
        sound[:, middle - width // 2 : middle + width // 2 + 1] += 0.7 * np.hanning(width + 1).astype(np.float32)
    return sound


def click_times(sound: npt.NDArray[np.float32], rate: int, times: Sequence[float] = CLICKS) -> list[float]:
    """Where the pulses are found, looking 0.1 s around each time."""
    found = []
    for time in times:
        first = max(0, round((time - 0.1) * rate))
        heard = np.abs(sound[0, first : round((time + 0.1) * rate)])
        found.append((first + int(np.argmax(heard))) / rate)
    return found
