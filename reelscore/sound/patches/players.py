"""Players who hold a note: one alone, or a section of several who are never quite together.

A note is a set of wavetables from dark to bright, read by each player's own phase (tuning, vibrato, unsteady hand) at each
player's own level and place. `Voice` holds what a note does over time, breakpoint by breakpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reelscore.audio import Samples
from reelscore.sound.patches import loudness
from reelscore.sound.patches.envelopes import Control, cents, control_times, held, rise, vibrato, wander
from reelscore.sound.patches.oscillators import (
    Numbers,
    crowd,
    doubled,
    harmonics,
    morph,
    running_phase,
    turns,
    wavetable,
)

# Harmonics of a section end at this fraction of the rate.
SECTION_TOP = 0.21
# Seconds until a room first answers.
FIRST_ANSWER = 0.012


@dataclass(frozen=True)
class Voice:
    """One held note: its tables from dark to bright, its frequency, and how it speaks and stops (seconds)."""

    tables: Sequence[Samples]
    pitch_hz: float
    duration: float
    attack: float
    release: float
    dark: float = 0.0
    bright: float = 1.0
    bloom: float = 1.5

    def level(self, times: Control) -> Control:
        """The envelope, from 0 to about 1."""
        return held(times, self.duration, self.attack, self.release)

    def place(self, level: Control) -> Control:
        """Where between the darkest and the brightest table a player is at this level: louder is brighter."""
        return self.dark + (self.bright - self.dark) * np.clip(level, 0.0, 1.2) ** self.bloom


@dataclass(frozen=True)
class Hands:
    """How a player's hand moves: vibrato (Hz, cents, when it starts), unsteadiness of pitch (cents) and of level."""

    vibrato_hz: float = 5.4
    vibrato_cents: float = 12.0
    vibrato_delay: float = 0.25
    pitch_drift_cents: float = 2.0
    level_drift: float = 0.05
    swell_with_vibrato: float = 0.0
    scoop_cents: float = 0.0
    scoop: float = 0.05


@dataclass(frozen=True)
class Section:
    """Several players, best a prime number: how far apart in tune (cents), in time (seconds) and in the room (0 to 1)."""

    count: int
    detune_cents: float
    stagger: float
    width: float


def tables(pitch_hz: float, colours: Sequence[Numbers], scatter: float = 0.0) -> list[Samples]:
    """Wavetables for these amplitudes of harmonics, each equally loud (weighted RMS 1), with phases that agree among them.

    `scatter` spreads the phases (radians): 0 is a pulse as from lips or a reed, 3 the sound of a resonating body.
    """
    phases = np.random.default_rng(1771).uniform(-scatter, scatter, 400)
    made = []
    for colour in colours:
        frequency = pitch_hz * np.arange(1.0, len(colour) + 1)
        loud = loudness.of_partials(frequency, colour)
        made.append(wavetable(colour / loud, phases[: len(colour)]))
    return made


def numbers_within(pitch_hz: float, rate: int, top_hz: float) -> Numbers:
    """The numbers of the harmonics a held note has below `top_hz`; never more than the phases that are laid out."""
    return harmonics(pitch_hz, rate, top_hz)[:400]


def alone(voice: Voice, hands: Hands, count: int, rate: int, rng: np.random.Generator) -> Samples:
    """One player: (count,) at weighted RMS of about 1."""
    performance = _performance(voice, hands, Section(1, 0.0, 0.0, 0.0), count, rate, rng)
    phase = running_phase(performance.frequency_hz[0], count, rate, float(performance.starts[0]))
    return morph(voice.tables, phase, performance.place[0], performance.level[0])


def in_a_room(tone: Samples, rate: int) -> Samples:
    """One player (samples,) given a width by the room's first answer: late, quiet, and opposite on the two sides: (2, samples)."""
    late = min(round(FIRST_ANSWER * rate), len(tone))
    answer = np.zeros_like(tone)
    answer[late:] = np.float32(0.10) * tone[: len(tone) - late]
    return np.stack([tone + answer, tone - answer])


def section(voice: Voice, hands: Hands, players: Section, count: int, rate: int, rng: np.random.Generator) -> Samples:
    """A section: (2, count), each side at weighted RMS of about 1.

    Sections have nothing to say above a quarter of the rate, so the players are drawn at half of it.
    """
    half = count // 2 + 1
    performance = _performance(voice, hands, players, half, rate // 2, rng)
    places = players.width * rng.permutation(np.linspace(-1.0, 1.0, players.count))
    angles = (places + 1.0) * (np.pi / 4)
    sides = np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    phases = turns(performance.frequency_hz, rate // 2, performance.starts)
    sound = crowd(voice.tables, phases, performance.place, performance.level, sides)[:, :half]
    # Players who happen to swing together or against each other would make one note of a line stand out or vanish.
    met = float(np.sqrt(np.vdot(sound, sound) / sound.size))
    sound *= np.float32(performance.expected_rms(voice) / max(met, 1e-9))
    return doubled(sound, count)


@dataclass(frozen=True)
class Performance:
    """What the players do, breakpoint by breakpoint, each (players, breakpoints); `starts` are their first phases in periods."""

    frequency_hz: Control
    level: Control
    place: Control
    starts: Numbers

    def expected_rms(self, voice: Voice) -> float:
        """The RMS of each side of a section that plays this, if no two players had anything to do with each other."""
        sizes = [float(np.sqrt(np.mean(table[::16] ** 2))) for table in voice.tables]
        size = np.interp(self.place, np.arange(len(sizes)), sizes)
        return float(np.sqrt(np.mean((self.level * size) ** 2)))


def _performance(
    voice: Voice, hands: Hands, players: Section, count: int, rate: int, rng: np.random.Generator
) -> Performance:
    times = control_times(count, rate)
    crowd = players.count
    level = voice.level(np.maximum(times - min(players.stagger, 0.25 * voice.duration) * rng.random((crowd, 1)), 0.0))
    spread = 0.14 if crowd > 1 else 0.04
    shake = vibrato(
        times,
        hands.vibrato_hz * rng.uniform(1.0 - spread, 1.0 + spread, crowd),
        hands.vibrato_delay * rng.uniform(0.5, 1.5, crowd),
        rng,
    )
    loud = level * (1.0 + hands.level_drift * wander(times, 3.2, rng, crowd) + hands.swell_with_vibrato * shake)
    off = hands.vibrato_cents * shake + hands.pitch_drift_cents * wander(times, 2.4, rng, crowd)
    off += _tuning(players, rng)[:, None] - hands.scoop_cents * (1.0 - rise(times, 2.5 * hands.scoop))
    # Quadratic phases: however many harmonics fall together, the crowd is neither in step nor cancelled as it starts.
    starts = (rng.random() + (np.arange(crowd) - crowd // 2) ** 2 / crowd) % 1.0
    place = np.clip(voice.place(loud), 0.0, len(voice.tables) - 1.0)
    return Performance(voice.pitch_hz * cents(off), np.maximum(loud, 0.0), place, starts)


def _tuning(players: Section, rng: np.random.Generator) -> Numbers:
    """How far each player is out of tune, in cents; the section as a whole is in tune."""
    tuning = np.linspace(-1.0, 1.0, players.count) if players.count > 1 else np.zeros(1)
    tuning = players.detune_cents * (tuning + rng.normal(0.0, 0.15, players.count))
    return np.asarray(tuning - tuning.mean())
