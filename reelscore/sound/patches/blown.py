"""Woodwind and brass: flute, clarinet, bassoon, saxophone, french horn, trumpet, brass section.

Each is a `Wind`: the colour of its harmonics from soft to loud, how the note speaks, and its breath. Brass brightens with its
own loudness within the note (the horn's and the trumpet's mark); reeds have formants that stay where they are; a flute is nearly pure, with
air in it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from reelscore.audio import Samples, gain_from_db
from reelscore.sound.patches import loudness
from reelscore.sound.patches.envelopes import audio_rate, control_times, finished, take, velocity_gain, wander
from reelscore.sound.patches.oscillators import Numbers, hertz, noise
from reelscore.sound.patches.patch import Patch
from reelscore.sound.patches.players import Hands, Section, Voice, alone, numbers_within, section, tables
from reelscore.sound.patches.strings import Body, Peak, softened

TAIL = 1.3


@dataclass(frozen=True)
class Breath:
    """The air in a tone: its band in Hz, its level beside the tone (gain), and how much more of it there is as the note speaks."""

    low_hz: float
    high_hz: float
    gain: float
    chiff: float = 3.0
    chiff_length: float = 0.03


Colour = Callable[[float, Numbers, float], Numbers]


@dataclass(frozen=True)
class Wind:
    """One wind instrument. `colour(pitch_hz, numbers, force)` gives the harmonics at a force from 0 (softest) to 1 (blare).

    `attack` is seconds at velocity 1; softer notes speak up to `gentleness` times slower. `bloom` says how far brightness lags level.
    """

    name: str
    colour: Colour
    hands: Hands
    breath: Breath
    attack: float
    release: float
    bloom: float
    span_db: float
    gentleness: float = 2.5
    trim_db: float = -0.4
    scatter: float = 0.6
    top_hz: float = 11000.0
    players: Section = field(default_factory=lambda: Section(1, 0.0, 0.0, 0.0))

    def play(self, pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
        """One note."""
        rng = take(self.name, pitch, variation)
        pitch_hz = hertz(pitch)
        number = numbers_within(pitch_hz, rate, self.top_hz)
        colours = [self.colour(pitch_hz, number, force) for force in (0.25 * velocity, 0.6 * velocity, velocity)]
        attack = self.attack * self.gentleness ** (1.0 - velocity)
        voice = Voice(
            tables(pitch_hz, colours, self.scatter), pitch_hz, duration, attack, self.release, 0.0, 2.0, self.bloom
        )
        count = round((duration + self.release * 1.25) * rate)
        sound = self._sounding(voice, count, rate, rng)
        sound *= np.float32(gain_from_db(loudness.LEVEL_DB + self.trim_db) * velocity_gain(velocity, self.span_db))
        return finished(sound, rate, attack=0.003)

    def _sounding(self, voice: Voice, count: int, rate: int, rng: np.random.Generator) -> Samples:
        if self.players.count > 1:
            sound = section(voice, self.hands, self.players, count, rate, rng)
            air = self._air(voice, count, rate, rng)
            return sound + air
        tone = alone(voice, self.hands, count, rate, rng)
        tone = tone + self._air(voice, count, rate, rng)
        # The room's first answer, late and opposite on the two sides, gives one player a width without a second player.
        late = round(0.0127 * rate)
        answer = np.zeros(count, np.float32)
        answer[late:] = 0.10 * tone[: max(count - late, 0)]
        return np.stack([tone + answer, tone - answer])

    def _air(self, voice: Voice, count: int, rate: int, rng: np.random.Generator) -> Samples:
        times = control_times(count, rate)
        flow = voice.level(times) * (1.0 + self.breath.chiff * np.exp(-times / self.breath.chiff_length))
        flow *= self.breath.gain * (1.0 + 0.2 * wander(times, 7.0, rng)[0])
        return noise(self.breath.low_hz, self.breath.high_hz, count, rate, rng) * audio_rate(flow, count)


def _flute(pitch_hz: float, number: Numbers, force: float) -> Numbers:
    """Strong first two or three harmonics in the low register, nearly a sine in the high one."""
    low = np.clip((1100.0 - pitch_hz) / 800.0, 0.0, 1.0)
    slope = 1.75 - 0.5 * force - 0.6 * low
    colour = np.exp(-slope * (number - 1.0))
    colour[1:2] *= 1.0 + 1.3 * low * (0.4 + force)
    return np.asarray(colour * softened(pitch_hz * number, 4500.0, 2.0))


def _clarinet(pitch_hz: float, number: Numbers, force: float) -> Numbers:
    """A stopped pipe: even harmonics are weak at the bottom and come in further up, as the tone holes let them."""
    high = np.clip((pitch_hz * number - 700.0) / 1800.0, 0.0, 1.0)
    register = np.clip((pitch_hz - 350.0) / 500.0, 0.0, 1.0)
    even = np.where(number % 2 == 0, 0.05 + 0.35 * register + 0.45 * high, 1.0)
    return even * softened(pitch_hz * number, (750.0 + 1250.0 * force) * (pitch_hz / 350.0) ** 0.3, 2.3) / number**0.3


def _bassoon(pitch_hz: float, number: Numbers, force: float) -> Numbers:
    """Strong formants near 480 and 1150 Hz, whatever the note."""
    body = Body((Peak(470, 200, 2.4), Peak(1150, 380, 0.7), Peak(2000, 600, 0.2)), 90, 1000 + 700 * force, 2.4, 0.5)
    return body.response(pitch_hz * number) / number**0.3


def _saxophone(pitch_hz: float, number: Numbers, force: float) -> Numbers:
    """A cone with a reed: all harmonics, formants near 600, 1400 and 2600 Hz."""
    body = Body((Peak(600, 420, 0.9), Peak(1350, 600, 0.7), Peak(2600, 900, 0.3)), 150, 1000 + 2300 * force, 2.4, 0.7)
    return body.response(pitch_hz * number) / number**0.4


def _horn(pitch_hz: float, number: Numbers, force: float) -> Numbers:
    """Dark and round: little above a kilohertz until it is blown hard."""
    body = Body((Peak(480, 320, 1.2), Peak(950, 600, 0.4)), 160, 480 + 1500 * force**1.6, 2.9, 0.6)
    return body.response(pitch_hz * number) / number**0.25


def _trumpet(pitch_hz: float, number: Numbers, force: float) -> Numbers:
    """Bell formant near 1200 Hz; blown hard, the harmonics up to 5 kHz come up together."""
    body = Body((Peak(1200, 900, 1.0), Peak(2200, 1400, 0.6)), 300, 1150 + 2700 * force**1.4, 2.8, 0.7)
    return np.asarray(body.response(pitch_hz * number))


def _brass(pitch_hz: float, number: Numbers, force: float) -> Numbers:
    """Trombones and trumpets together: their mean formants."""
    body = Body((Peak(550, 420, 0.7), Peak(1150, 900, 0.8)), 160, 850 + 2500 * force**1.4, 2.7, 0.7)
    return body.response(pitch_hz * number) / number**0.15


FLUTE = Wind(
    "flute",
    _flute,
    Hands(5.0, 7.0, 0.25, 2.5, 0.04, 0.12),
    Breath(1500.0, 5000.0, 0.045, 2.5, 0.05),
    0.055,
    0.16,
    1.2,
    14.0,
)
CLARINET = Wind(
    "clarinet",
    _clarinet,
    Hands(4.8, 2.5, 0.4, 1.5, 0.03, 0.03),
    Breath(900.0, 3500.0, 0.012, 2.0),
    0.035,
    0.13,
    1.2,
    17.0,
)
BASSOON = Wind(
    "bassoon",
    _bassoon,
    Hands(5.0, 5.0, 0.35, 2.0, 0.05, 0.05),
    Breath(500.0, 2500.0, 0.014, 3.0),
    0.035,
    0.13,
    1.2,
    16.0,
)
SAXOPHONE = Wind(
    "saxophone",
    _saxophone,
    Hands(5.1, 13.0, 0.3, 2.5, 0.06, 0.07, 25.0, 0.05),
    Breath(900.0, 4500.0, 0.032, 3.5, 0.035),
    0.035,
    0.15,
    1.4,
    17.0,
)
HORN = Wind(
    "french horn",
    _horn,
    Hands(4.6, 2.5, 0.5, 2.5, 0.05, 0.02, 15.0, 0.04),
    Breath(250.0, 1500.0, 0.014, 3.0),
    0.055,
    0.22,
    1.8,
    19.0,
)
TRUMPET = Wind(
    "trumpet",
    _trumpet,
    Hands(5.3, 6.0, 0.4, 2.0, 0.05, 0.04, 20.0, 0.03),
    Breath(900.0, 4500.0, 0.010, 4.0),
    0.030,
    0.14,
    1.8,
    18.0,
)
BRASS = Wind(
    "brass section",
    _brass,
    Hands(4.9, 4.0, 0.4, 3.0, 0.06, 0.03, 18.0, 0.04),
    Breath(400.0, 3000.0, 0.012, 3.0),
    0.040,
    0.22,
    1.8,
    19.0,
    scatter=1.2,
    top_hz=9000.0,
    players=Section(7, 6.0, 0.025, 0.7),
)

PATCHES = {
    wind.name: Patch(wind.play, TAIL * wind.release)
    for wind in (FLUTE, CLARINET, BASSOON, SAXOPHONE, HORN, BRASS, TRUMPET)
}
