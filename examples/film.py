"""Draws the example film, `examples/film.mp4`: 30 s, 1280 × 720, 25 frames a second, a day from the hills to the city.

Five scenes that differ in light, colour and pace; camera moves, hard cuts, one dissolve, and a few seconds of speech:

     0.0  hills at dawn      slow pan, cold light turning warm; a voice speaks
     7.0  the sea            bright and blue, a boat on the swell
    12.0  a train ride       fast, three shots: landscape, wheels, tunnel
    17.5  the city at night  reached by a dissolve; neon, traffic, two more shots
    25.0  fireworks          dark, four bursts, then still

Run `python examples/film.py [TARGET]` with the package installed and `espeak-ng` on the path (it speaks the sentence).
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from reelscore.audio import Audio, read_audio, resample

WIDTH, HEIGHT, FRAME_RATE, DURATION, SOUND_RATE = 1280, 720, 25, 30.0, 48000
SENTENCE = "One day, from the quiet hills, down to the sea, and on to the city."
SPEECH_START = 1.6

Frame = npt.NDArray[np.float32]  # (height, width, 3), BGR from 0 to 1
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)


def bgr(red: float, green: float, blue: float) -> npt.NDArray[np.float32]:
    return np.array([blue, green, red], np.float32)


def blend(
    low: npt.NDArray[np.float32], high: npt.NDArray[np.float32], amount: npt.NDArray[np.float32] | float
) -> Frame:
    weight = np.clip(np.asarray(amount, np.float32), 0, 1)[..., None]
    return low * (1 - weight) + high * weight


def sky(top: npt.NDArray[np.float32], bottom: npt.NDArray[np.float32], horizon: float = 1.0) -> Frame:
    return np.ascontiguousarray(blend(top, bottom, Y / (HEIGHT * horizon)))


def glow(
    frame: Frame, x: float, y: float, radius: float, colour: npt.NDArray[np.float32], strength: float = 1.0
) -> None:
    """Adds a soft light."""
    falloff = np.exp(-((X - x) ** 2 + (Y - y) ** 2) / (2 * radius**2)) * strength
    frame += falloff[..., None] * colour


def ridge(offset: float, level: float, height: float, seed: int) -> npt.NDArray[np.float32]:
    """The outline of hills: y for each column, seen from `offset` pixels further along."""
    along = (np.arange(WIDTH) + offset) / WIDTH
    waves = np.random.default_rng(seed).uniform(0, 2 * np.pi, 6)
    outline = sum(np.sin(along * 2 * np.pi * (n + 1) * 0.55 + waves[n]) / (n + 1) ** 1.15 for n in range(6))
    return np.asarray(HEIGHT * level - outline * height, np.float32)


def fill_below(frame: Frame, outline: npt.NDArray[np.float32], colour: npt.NDArray[np.float32]) -> None:
    cover = np.clip(Y - outline[None, :] + 0.5, 0, 1)
    frame += cover[..., None] * (colour - frame)


def disc(
    frame: Frame, x: float, y: float, radius: float, colour: npt.NDArray[np.float32], opacity: float = 1.0
) -> None:
    cover = np.clip(radius - np.hypot(X - x, Y - y) + 0.5, 0, 1) * opacity
    frame += cover[..., None] * (colour - frame)


def hills(t: float) -> Frame:
    """Dawn: t from 0 to 7."""
    warm = np.clip(t / 7, 0, 1)
    low = blend(bgr(0.35, 0.40, 0.55), bgr(0.98, 0.72, 0.45), warm)
    frame = sky(blend(bgr(0.05, 0.09, 0.22), bgr(0.30, 0.48, 0.75), warm), low, 0.75)
    sun_y = HEIGHT * (0.66 - 0.035 * t)
    glow(frame, 820 - 10 * t, sun_y, 190, bgr(0.9, 0.55, 0.2), 0.25 + 0.5 * warm)
    disc(frame, 820 - 10 * t, sun_y, 46, bgr(1.0, 0.87, 0.62), 0.5 + 0.5 * warm)
    for layer, seed in enumerate((3, 8, 5, 11)):
        depth = (layer + 1) / 4
        shade = blend(bgr(0.24, 0.29, 0.42), bgr(0.06, 0.12, 0.10), depth) * (0.55 + 0.6 * warm)
        fill_below(frame, ridge(t * 42 * depth**2 + 300 * layer, 0.56 + 0.11 * layer, 60 - 6 * layer, seed), shade)
    return frame


def sea(t: float) -> Frame:
    """Noon: t from 0 to 5."""
    frame = sky(bgr(0.25, 0.56, 0.92), bgr(0.82, 0.93, 0.99), 0.5)
    glow(frame, 260, 110, 150, bgr(0.5, 0.45, 0.3), 0.9)
    for n in range(5):
        cloud_x = (n * 330 + 24 * t) % (WIDTH + 300) - 150
        for puff in range(4):
            disc(
                frame,
                cloud_x + puff * 46,
                130 + 34 * (n % 3) - 14 * (puff % 2),
                34 + 8 * (puff % 3),
                bgr(1, 1, 1),
                0.55,
            )
    for layer in range(6):
        along = np.arange(WIDTH, dtype=np.float32)
        swell = (14 + 4 * layer) * np.sin(along / (90 + 26 * layer) + t * (1.1 + 0.25 * layer) + layer * 1.7)
        outline = HEIGHT * (0.50 + 0.085 * layer) + swell
        if layer == 2:
            boat(
                frame,
                520 + 46 * t,
                float(outline[int(np.clip(560 + 46 * t, 0, WIDTH - 1))]) + 8,
                0.07 * np.sin(1.7 * t),
            )
        fill_below(frame, outline.astype(np.float32), blend(bgr(0.16, 0.60, 0.78), bgr(0.02, 0.22, 0.46), layer / 5))
    return frame


def boat(frame: Frame, x: float, y: float, roll: float) -> None:
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    shapes = (
        (((-90, -22), (100, -22), (66, 26), (-62, 26)), bgr(0.72, 0.20, 0.14)),
        (((-4, -30), (-4, -215), (92, -48)), bgr(0.98, 0.97, 0.92)),
        (((-14, -36), (-14, -190), (-74, -50)), bgr(0.93, 0.88, 0.80)),
    )
    for corners, colour in shapes:
        points = np.array(corners) @ turn.T + (x, y)
        cv2.fillPoly(frame, [np.round(points * 16).astype(np.int32)], colour.tolist(), cv2.LINE_AA, 4)


def landscape(t: float) -> Frame:
    """From the train's window, fast."""
    frame = sky(bgr(0.55, 0.75, 0.90), bgr(0.96, 0.93, 0.80), 0.6)
    fill_below(frame, ridge(160 * t, 0.52, 46, 21), bgr(0.46, 0.60, 0.42))
    fill_below(frame, ridge(520 * t, 0.64, 26, 4), bgr(0.80, 0.70, 0.26))
    for n in range(9):
        x = (n * 210 - 1500 * t) % (WIDTH + 400) - 200
        sway = 20 * (n % 3)
        cv2.rectangle(frame, (int(x) - 7, 430 - sway), (int(x) + 7, 640), bgr(0.25, 0.17, 0.10).tolist(), -1)
        disc(frame, x, 400 - sway, 74, bgr(0.13, 0.36, 0.16))
    fill_below(frame, np.full(WIDTH, 620, np.float32), bgr(0.20, 0.24, 0.14))
    return frame


def wheels(t: float) -> Frame:
    frame = sky(bgr(0.20, 0.20, 0.24), bgr(0.34, 0.30, 0.28))
    for n in range(14):
        x = int((n * 120 - 1900 * t) % (WIDTH + 240)) - 120
        cv2.rectangle(frame, (x, 640), (x + 62, 680), bgr(0.20, 0.14, 0.10).tolist(), -1)
    cv2.rectangle(frame, (0, 618), (WIDTH, 636), bgr(0.75, 0.76, 0.80).tolist(), -1)
    for centre in (300, 700, 1100):
        disc(frame, centre, 440, 180, bgr(0.62, 0.12, 0.10))
        disc(frame, centre, 440, 150, bgr(0.16, 0.15, 0.17))
        for spoke in range(8):
            angle = spoke * np.pi / 4 + 9 * t
            tip = (int(centre + 165 * np.cos(angle)), int(440 + 165 * np.sin(angle)))
            cv2.line(frame, (centre, 440), tip, bgr(0.70, 0.16, 0.13).tolist(), 14, cv2.LINE_AA)
        disc(frame, centre, 440, 40, bgr(0.85, 0.72, 0.40))
    pin = (120 * np.cos(9 * t), 120 * np.sin(9 * t))
    ends = [(int(centre + pin[0]), int(440 + pin[1])) for centre in (300, 1100)]
    cv2.line(frame, ends[0], ends[1], bgr(0.80, 0.82, 0.86).tolist(), 26, cv2.LINE_AA)
    return frame


def tunnel(t: float) -> Frame:
    radius = np.hypot(X - WIDTH / 2, (Y - HEIGHT * 0.48) * 1.15) + 1
    rings = np.sin(900 / radius * 4 + 26 * t)
    lit = np.clip(radius / 620, 0, 1) * (0.35 + 0.35 * (rings > 0.72))
    frame = lit[..., None] * bgr(0.98, 0.72, 0.36)
    glow(frame, WIDTH / 2, HEIGHT * 0.48, 26 + 30 * t, bgr(0.85, 0.95, 1.0), 1.0)
    return frame.astype(np.float32)


def city(t: float, zoom: float = 1.0, shift: float = 0.0) -> Frame:
    """A street of neon; t drives traffic, zoom and shift the camera."""
    frame = sky(bgr(0.05, 0.03, 0.13), bgr(0.32, 0.10, 0.34))
    generator = np.random.default_rng(77)
    neon = (bgr(1.0, 0.18, 0.55), bgr(0.12, 0.85, 0.95), bgr(1.0, 0.66, 0.15), bgr(0.55, 0.35, 1.0))
    for layer in range(2):
        x = -200.0
        while x < 1700:
            width, height = generator.uniform(80, 170), generator.uniform(180, 400) * (0.8 + 0.35 * layer)
            left = (x - shift * (0.4 + layer * 0.6) - WIDTH / 2) * zoom + WIDTH / 2
            right, roof = left + width * zoom, 560 - height * zoom
            body = (bgr(0.10, 0.06, 0.20), bgr(0.045, 0.035, 0.10))[layer]
            cv2.rectangle(frame, (int(left), int(roof)), (int(right), 600), body.tolist(), -1)
            columns, rows = int(width // 24), int(height // 34)
            lights = generator.random((rows, columns))
            for row, column in zip(*np.nonzero(lights > 0.62), strict=True):
                wx, wy = left + (9 + column * 24) * zoom, roof + (12 + row * 34) * zoom
                colour = neon[int(lights[row, column] * 97) % 4] * (
                    0.55 + 0.45 * np.sin(t * 2 + lights[row, column] * 60) ** 2
                )
                cv2.rectangle(
                    frame, (int(wx), int(wy)), (int(wx + 11 * zoom), int(wy + 17 * zoom)), colour.tolist(), -1
                )
            x += width + generator.uniform(6, 30)
    cv2.rectangle(frame, (0, 600), (WIDTH, HEIGHT), bgr(0.06, 0.04, 0.09).tolist(), -1)
    for n in range(12):
        speed, lane = (420, 628) if n % 2 else (-530, 676)
        car = (n * 260 + speed * t) % (WIDTH + 300) - 150
        colour = bgr(1.0, 0.92, 0.75) if n % 2 else bgr(1.0, 0.12, 0.10)
        cv2.line(
            frame, (int(car), lane), (int(car - np.sign(speed) * 130), lane), (colour * 0.5).tolist(), 9, cv2.LINE_AA
        )
        glow(frame, car, lane, 26, colour, 0.9)
    return frame


def crossing(t: float) -> Frame:
    """The city from above: stripes, crowds of light."""
    frame = np.full((HEIGHT, WIDTH, 3), bgr(0.09, 0.08, 0.13), np.float32)
    for n in range(14):
        left = 130 + n * 76
        cv2.rectangle(frame, (left, 250), (left + 40, 470), bgr(0.85, 0.85, 0.80).tolist(), -1)
    generator = np.random.default_rng(5)
    for n in range(34):
        x0, y0, speed = (
            generator.uniform(-100, WIDTH),
            generator.uniform(250, 470),
            generator.uniform(60, 190) * (1 if n % 2 else -1),
        )
        x = (x0 + speed * t) % (WIDTH + 60) - 30
        colour = (bgr(1.0, 0.3, 0.5), bgr(0.2, 0.9, 0.9), bgr(1.0, 0.75, 0.2))[n % 3]
        disc(frame, x, y0 + 6 * np.sin(7 * t + n), 15, colour)
        disc(frame, x, y0 - 2 + 6 * np.sin(7 * t + n), 8, bgr(0.12, 0.09, 0.09))
    glow(frame, 640, 60 + 20 * np.sin(t), 210, bgr(0.6, 0.1, 0.5), 0.7)
    glow(frame, 200, 640, 180, bgr(0.1, 0.4, 0.6), 0.7)
    return frame


BURSTS = (
    (0.6, 420, 210, bgr(1.0, 0.75, 0.30)),
    (1.4, 860, 170, bgr(0.45, 0.80, 1.0)),
    (2.0, 640, 250, bgr(1.0, 0.35, 0.55)),
    (2.6, 330, 290, bgr(0.6, 1.0, 0.6)),
)


def fireworks(t: float) -> Frame:
    """The last scene: t from 0 to 5."""
    frame = sky(bgr(0.01, 0.015, 0.05), bgr(0.07, 0.06, 0.17))
    generator = np.random.default_rng(9)
    for x, y in zip(generator.uniform(0, WIDTH, 90), generator.uniform(0, 480, 90), strict=True):
        frame[int(y), int(x)] += 0.5
    for number, (start, x, y, colour) in enumerate(BURSTS):
        age = t - start
        if age <= 0:
            continue
        spread, light = 230 * (1 - np.exp(-2.4 * age)), np.exp(-0.9 * age)
        glow(frame, x, y, 120, colour, 0.8 * np.exp(-4 * age))
        sparks = np.random.default_rng(number)
        for angle, reach in zip(sparks.uniform(0, 2 * np.pi, 70), sparks.uniform(0.45, 1, 70), strict=True):
            sx, sy = x + spread * reach * np.cos(angle), y + spread * reach * np.sin(angle) + 42 * age**2
            tail = (int(x + (sx - x) * 0.88), int(y + (sy - y) * 0.88))
            cv2.line(frame, tail, (int(sx), int(sy)), np.clip(colour * light * 1.15, 0, 1).tolist(), 3, cv2.LINE_AA)
    fill_below(frame, ridge(0, 0.84, 30, 8), bgr(0.015, 0.015, 0.03))
    return frame


Shot = tuple[float, Callable[[float], Frame]]
SHOTS: tuple[Shot, ...] = (
    (0.0, hills),
    (7.0, sea),
    (12.0, landscape),
    (14.2, wheels),
    (15.8, tunnel),
    (17.5, lambda t: city(t, 1.0 + 0.02 * t, 40 * t)),
    (21.0, crossing),
    (23.0, lambda t: city(t + 9, 1.5 + 0.09 * t, 260 - 30 * t)),
    (25.0, fireworks),
    (DURATION, hills),
)
DISSOLVE_INTO, DISSOLVE = 17.5, 1.0  # centred on the change of shot


def frame_at(time: float) -> Frame:
    """The film's picture at a time."""
    for (start, shot), (end, following) in pairwise(SHOTS):
        if start <= time < end:
            picture = shot(time - start)
            if end == DISSOLVE_INTO and time > end - DISSOLVE / 2:
                return picture + (following(0.0) - picture) * np.float32((time - end) / DISSOLVE + 0.5)
            if start == DISSOLVE_INTO and time < start + DISSOLVE / 2:
                before = next(one for (_, one), (limit, _) in pairwise(SHOTS) if limit == start)
                return before(time - start + 1.7) + (picture - before(time - start + 1.7)) * np.float32(
                    (time - start) / DISSOLVE + 0.5
                )
            return picture
    raise ValueError(f"the film lasts {DURATION} s; there is nothing at {time} s")


def sound() -> Audio:
    """Wind and a distant hum under the whole film; the sentence, spoken."""
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "speech.wav"
        subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "138", "-w", spoken, SENTENCE], check=True)
        voice = resample(read_audio(spoken), SOUND_RATE).samples[0]
    length = round(DURATION * SOUND_RATE)
    noise = np.random.default_rng(1).standard_normal((2, length))
    spectrum = np.fft.rfft(noise)
    pitch_hz = np.fft.rfftfreq(length, 1 / SOUND_RATE)
    wind = np.fft.irfft(spectrum / np.maximum(pitch_hz, 60) * (pitch_hz > 60), length)
    wind *= (0.004 / wind.std()) * (1 + 0.4 * np.sin(np.arange(length) / SOUND_RATE * 0.9))
    first = round(SPEECH_START * SOUND_RATE)
    wind[:, first : first + voice.size] += 0.35 * voice / np.abs(voice).max()
    return Audio(wind.astype(np.float32), SOUND_RATE)


def draw(target: Path) -> None:
    """Draws, encodes and writes the film."""
    with av.open(target, "w", options={"movflags": "+faststart"}) as film:
        film.metadata["title"] = "A day, from the hills to the city"
        picture = film.add_stream("libx264", rate=FRAME_RATE, options={"crf": "23", "preset": "slow"})
        picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        voice = film.add_stream("aac", rate=SOUND_RATE, layout="stereo", bit_rate=128_000)
        for index in range(round(DURATION * FRAME_RATE)):
            drawn = np.clip(frame_at(index / FRAME_RATE) * 255, 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(drawn, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, FRAME_RATE)
            film.mux(picture.encode(frame))
        film.mux(picture.encode(None))
        samples = sound().samples
        for start in range(0, samples.shape[1], 1024):
            block = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[:, start : start + 1024]), format="fltp", layout="stereo"
            )
            block.sample_rate, block.pts, block.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
            film.mux(voice.encode(block))
        film.mux(voice.encode(None))


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("film.mp4"))
