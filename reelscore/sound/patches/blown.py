"""Woodwind and brass: flute, clarinet, bassoon, saxophone, french horn, trumpet, brass section.

Each is a `Wind`: the colour of its harmonics from soft to loud, how the note speaks, and its breath. Brass brightens with its
own loudness within the note (the horn's and the trumpet's mark); reeds have formants that stay where they are; a flute is nearly pure, with
air in it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reelscore.audio import Samples, gain_from_db
from reelscore.sound.patches import loudness
from reelscore.sound.patches.envelopes import audio_rate, control_times, finished, take, velocity_gain, wander
from reelscore.sound.patches.oscillators import Numbers, hertz, noise
from reelscore.sound.patches.patch import Patch
from reelscore.sound.patches.players import Hands, Section, Voice, alone, in_a_room, numbers_within, section, tables
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
    players: Section | None = None

    def play(self, pitch: int, velocity: float, duration: float, rate: int, variation: int) -> Samples:
        """One note."""
        rng = take(self.name, pitch, variation)
        pitch_hz = hertz(pitch)
        number = numbers_within(pitch_hz, rate, self.top_hz)
        colours = [self.colour(pitch_hz, number, force) for force in (0.25 * velocity, 0.6 * velocity, velocity)]
        attack = self.attack * self.gentleness ** (1.0 - velocity)
        voice = Voice(
            tables(pitch_hz, colours, self.scatter),
            pitch_hz,
            duration,
            attack,
            self.release,
            bright=2.0,
            bloom=self.bloom,
        )
        count = round((duration + self.release * 1.25) * rate)
        sound = self._sounding(voice, count, rate, rng)
        sound *= np.float32(gain_from_db(loudness.LEVEL_DB + self.trim_db) * velocity_gain(velocity, self.span_db))
        return finished(sound, rate, attack=0.003)

    def _sounding(self, voice: Voice, count: int, rate: int, rng: np.random.Generator) -> Samples:
        air = self._air(voice, count, rate, rng)
        if self.players is not None:
            return section(voice, self.hands, self.players, count, rate, rng) + air
        return in_a_room(alone(voice, self.hands, count, rate, rng) + air, rate)

    def _air(self, voice: Voice, count: int, rate: int, rng: np.random.Generator) -> Samples:
        times = control_times(count, rate)
        flow = voice.level(times) * (1.0 + self.breath.chiff * np.exp(-times / self.breath.chiff_length))
        flow *= self.breath.gain * (1.0 + 0.2 * wander(times, 7.0, rng)[0])
        return noise(self.breath.low_hz, self.breath.high_hz, count, rate, rng) * audio_rate(flow, count)


def _flute(pitch_hz: float, number: Numbers, force: float) -> Numbers:
    """Strong first two or three harmonics in the low register, nearly a sine in the high one."""
    low = np.clip((1100.0 - pitch_hz) / 800.0, 0.0, 1.0)
    slope = 1.75 - 0.5 * force - 0.75 * low
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
    name="flute",
    colour=_flute,
    hands=Hands(
        vibrato_hz=5.0,
        vibrato_cents=7.0,
        vibrato_delay=0.25,
        pitch_drift_cents=2.5,
        level_drift=0.04,
        swell_with_vibrato=0.12,
    ),
    breath=Breath(low_hz=1500.0, high_hz=5000.0, gain=0.034, chiff=2.5, chiff_length=0.05),
    attack=0.055,
    release=0.16,
    bloom=1.2,
    span_db=14.0,
)
CLARINET = Wind(
    name="clarinet",
    colour=_clarinet,
    hands=Hands(
        vibrato_hz=4.8,
        vibrato_cents=2.5,
        vibrato_delay=0.4,
        pitch_drift_cents=1.5,
        level_drift=0.03,
        swell_with_vibrato=0.03,
    ),
    breath=Breath(low_hz=900.0, high_hz=3500.0, gain=0.012, chiff=2.0),
    attack=0.035,
    release=0.13,
    bloom=1.2,
    span_db=17.0,
)
BASSOON = Wind(
    name="bassoon",
    colour=_bassoon,
    hands=Hands(
        vibrato_hz=5.0,
        vibrato_cents=5.0,
        vibrato_delay=0.35,
        pitch_drift_cents=2.0,
        level_drift=0.05,
        swell_with_vibrato=0.05,
    ),
    breath=Breath(low_hz=500.0, high_hz=2500.0, gain=0.014),
    attack=0.035,
    release=0.13,
    bloom=1.2,
    span_db=16.0,
)
SAXOPHONE = Wind(
    name="saxophone",
    colour=_saxophone,
    hands=Hands(
        vibrato_hz=5.1,
        vibrato_cents=13.0,
        vibrato_delay=0.3,
        pitch_drift_cents=2.5,
        level_drift=0.06,
        swell_with_vibrato=0.07,
        scoop_cents=25.0,
        scoop=0.05,
    ),
    breath=Breath(low_hz=900.0, high_hz=4500.0, gain=0.026, chiff=3.5, chiff_length=0.035),
    attack=0.035,
    release=0.15,
    bloom=1.4,
    span_db=17.0,
)
HORN = Wind(
    name="french horn",
    colour=_horn,
    hands=Hands(
        vibrato_hz=4.6,
        vibrato_cents=2.5,
        vibrato_delay=0.5,
        pitch_drift_cents=2.5,
        level_drift=0.05,
        swell_with_vibrato=0.02,
        scoop_cents=15.0,
        scoop=0.04,
    ),
    breath=Breath(low_hz=250.0, high_hz=1500.0, gain=0.014),
    attack=0.055,
    release=0.22,
    bloom=1.8,
    span_db=19.0,
)
TRUMPET = Wind(
    name="trumpet",
    colour=_trumpet,
    hands=Hands(
        vibrato_hz=5.3,
        vibrato_cents=6.0,
        vibrato_delay=0.4,
        pitch_drift_cents=2.0,
        level_drift=0.05,
        swell_with_vibrato=0.04,
        scoop_cents=20.0,
        scoop=0.03,
    ),
    breath=Breath(low_hz=900.0, high_hz=4500.0, gain=0.01, chiff=4.0),
    attack=0.03,
    release=0.14,
    bloom=1.8,
    span_db=18.0,
)
BRASS = Wind(
    name="brass section",
    colour=_brass,
    hands=Hands(
        vibrato_hz=4.9,
        vibrato_cents=4.0,
        vibrato_delay=0.4,
        pitch_drift_cents=3.0,
        level_drift=0.06,
        swell_with_vibrato=0.03,
        scoop_cents=18.0,
        scoop=0.04,
    ),
    breath=Breath(low_hz=400.0, high_hz=3000.0, gain=0.012),
    attack=0.04,
    release=0.22,
    bloom=1.8,
    span_db=19.0,
    scatter=1.2,
    top_hz=9000.0,
    players=Section(count=7, detune_cents=6.0, stagger=0.025, width=0.7),
)

PATCHES = {
    wind.name: Patch(wind.play, TAIL * wind.release)
    for wind in (FLUTE, CLARINET, BASSOON, SAXOPHONE, HORN, BRASS, TRUMPET)
}
