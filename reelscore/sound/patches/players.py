"""Players who hold a note: one alone, or a section of several who are never quite together.

A note is a set of wavetables from dark to bright, read by each player's own phase (tuning, vibrato, unsteady hand) at each
player's own level and place. `Voice` holds what a note does over time, breakpoint by breakpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reelscore.audio import Samples
from reelscore.sound.patches import loudness
from reelscore.sound.patches.envelopes import Control, audio_rate, cents, control_times, held, rise, vibrato, wander
from reelscore.sound.patches.oscillators import Numbers, harmonics, morph, running_phase, wavetable


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
        return self.dark + (self.bright - self.dark) * np.minimum(level, 1.15) ** self.bloom


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
    """Several players: how far apart in tune (cents), in time (seconds) and in the room (0 to 1)."""

    count: int
    detune_cents: float
    stagger: float
    width: float


def tables(
    pitch_hz: float, rate: int, colours: Sequence[Numbers], size: int = 1 << 15, scatter: float = 0.0
) -> list[Samples]:
    """Wavetables for these amplitudes of harmonics, each equally loud (weighted RMS 1), with phases that agree among them.

    `scatter` spreads the phases (radians): 0 is a pulse as from lips or a reed, 3 the sound of a resonating body.
    """
    phases = np.random.default_rng(1771).uniform(-scatter, scatter, 400)
    made = []
    for colour in colours:
        frequency = pitch_hz * np.arange(1.0, len(colour) + 1)
        loud = loudness.of_partials(frequency, colour)
        made.append(wavetable(colour / loud, phases[: len(colour)], size))
    return made


def numbers_within(pitch_hz: float, rate: int, top_hz: float) -> Numbers:
    """The numbers of the harmonics a held note has below `top_hz`; never more than the phases that are laid out."""
    return harmonics(pitch_hz, rate, top_hz)[:400]


def alone(voice: Voice, hands: Hands, count: int, rate: int, rng: np.random.Generator) -> tuple[Samples, Control]:
    """One player: (count,) at weighted RMS of about 1, and the level it was played at, by breakpoints."""
    times = control_times(count, rate)
    shake = vibrato(times, hands.vibrato_hz * rng.uniform(0.96, 1.04), hands.vibrato_delay, rng)
    level = voice.level(times)
    loud = level * (1.0 + hands.level_drift * wander(times, 3.5, rng) + hands.swell_with_vibrato * shake)
    return _played(voice, hands, times, shake, loud, 0.0, count, rate, rng), level


def section(voice: Voice, hands: Hands, players: Section, count: int, rate: int, rng: np.random.Generator) -> Samples:
    """A section: (2, count), each side at weighted RMS of about 1."""
    times = control_times(count, rate)
    sound = np.zeros((2, count), np.float32)
    tuning = rng.permutation(np.linspace(-1.0, 1.0, players.count)) * players.detune_cents
    tuning += rng.normal(0.0, 0.25 * players.detune_cents, players.count)
    tuning -= tuning.mean()
    stagger = min(players.stagger, 0.25 * voice.duration)
    for player in range(players.count):
        speed = hands.vibrato_hz * rng.uniform(0.86, 1.14)
        shake = vibrato(times, speed, hands.vibrato_delay * rng.uniform(0.4, 1.6), rng)
        level = voice.level(np.maximum(times - stagger * rng.uniform(), 0.0))
        level *= 1.0 + hands.level_drift * wander(times, 3.0, rng) + hands.swell_with_vibrato * shake
        played = _played(voice, hands, times, shake, level, tuning[player], count, rate, rng)
        spot = 0.0 if players.count == 1 else 2.0 * player / (players.count - 1) - 1.0
        angle = (players.width * spot + 1.0) * (np.pi / 4)
        sound[0] += played * np.float32(np.cos(angle))
        sound[1] += played * np.float32(np.sin(angle))
    return np.asarray(sound * np.float32(np.sqrt(2.0 / players.count)), np.float32)


def _played(
    voice: Voice,
    hands: Hands,
    times: Control,
    shake: Control,
    level: Control,
    tuning_cents: float,
    count: int,
    rate: int,
    rng: np.random.Generator,
) -> Samples:
    """What one player plays, given the vibrato and the level by breakpoints."""
    unsteady = hands.pitch_drift_cents * wander(times, 2.2, rng)
    scoop = hands.scoop_cents * (1.0 - rise(times, 2.5 * hands.scoop))
    off = cents(tuning_cents + hands.vibrato_cents * shake + unsteady - scoop)
    phase = running_phase(voice.pitch_hz * off, count, rate, rng.uniform())
    place = np.clip(voice.place(level), 0.0, len(voice.tables) - 1.0)
    return morph(voice.tables, phase, place) * audio_rate(np.maximum(level, 0.0), count)
