"""Films made for the tests, of which every cut, movement and colour is known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np


@dataclass(frozen=True)
class Scene:
    """A textured, coloured wall that the camera moves along; speeds in picture widths per second."""

    seed: int
    speed: float = 0.1
    tilt: float = 0.0
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)  # gains of blue, green and red
    grain: float = 3.0

    def picture(self, time: float, width: int = 320, height: int = 180) -> np.ndarray:
        wall = _wall(self.seed, self.colour)
        scale = wall.shape[1] / 3.0 / width
        move = np.array(
            [[scale, 0.0, self.speed * time * width * scale], [0.0, scale, self.tilt * time * width * scale]]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(wall, move, (width, height), flags=flags, borderMode=cv2.BORDER_WRAP)
        x, y = np.random.default_rng([self.seed, round(time * 1000)]).integers(0, 200, 2)
        return np.clip(seen + self.grain * _grain()[y : y + height, x : x + width], 0, 255).astype(np.uint8)


@cache
def _wall(seed: int, colour: tuple[float, float, float]) -> np.ndarray:
    """Spots of all sizes, three pictures wide, the same at both ends."""
    draw = np.random.default_rng(seed)
    wall = np.zeros((360, 960, 3))
    for cells, strength in ((6, 60.0), (24, 40.0), (96, 25.0)):
        spots = draw.normal(0.0, 1.0, (cells * 3 // 8, cells, 3)).astype(np.float32)
        spots = np.tile(spots, (1, 3, 1))
        wall += strength * cv2.resize(spots, (960 * 3, 360), interpolation=cv2.INTER_CUBIC)[:, 960:1920]
    return ((wall + draw.uniform(70.0, 170.0, 3)) * colour).clip(0, 255).astype(np.float32)


@cache
def _grain() -> np.ndarray:
    return np.random.default_rng(0).normal(0.0, 1.0, (600, 900, 3)).astype(np.float32)


def shot(scene: Scene, frames: int, rate: float, width: int = 320, height: int = 180) -> list[np.ndarray]:
    return [scene.picture(number / rate, width, height) for number in range(frames)]


def dissolved(one: Sequence[np.ndarray], other: Sequence[np.ndarray], frames: int) -> list[np.ndarray]:
    """The two shots, the last `frames` of the one mixed into the first of the other."""
    weights = (np.arange(frames) + 1.0) / (frames + 1.0)
    mixed = [
        np.rint((1.0 - weight) * before + weight * after).astype(np.uint8)
        for weight, before, after in zip(weights, one[len(one) - frames :], other, strict=False)
    ]
    return [*one[: len(one) - frames], *mixed, *other[frames:]]


def faded_in(pictures: Sequence[np.ndarray], frames: int) -> list[np.ndarray]:
    gains = np.minimum(1.0, (np.arange(len(pictures)) + 1.0) / frames)
    return [np.rint(picture * gain).astype(np.uint8) for picture, gain in zip(pictures, gains, strict=True)]


def faded_out(pictures: Sequence[np.ndarray], frames: int) -> list[np.ndarray]:
    return faded_in(pictures[::-1], frames)[::-1]


def write_film(
    path: Path, pictures: Iterable[np.ndarray], rate: Fraction | int = 25, times: Sequence[float] | None = None
) -> Path:
    """Encodes the pictures (uint8 BGR) as MPEG-4 at a constant rate, or each at its own of `times` in seconds."""
    pictures = list(pictures)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(rate))
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 2_000_000
        unit = 1 / Fraction(rate) if times is None else Fraction(1, 1000)
        stream.codec_context.time_base = unit
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = number if times is None else round(times[number] * 1000)
            frame.time_base = unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
