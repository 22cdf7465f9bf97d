"""Music and the film's own sound to one track: exact length, levels, ducking under speech, loudness, true peak.

Everything runs at 48 kHz in stereo and in blocks. The sounds are surveyed first, in frames of one millisecond; from these
small curves follow the levels, the way down under speech, the limiter's gain and the loudness that will come out. Then the
mix can be made any number of times, block by block, and is the same each time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reelscore.audio import Audio, Samples, db_from_gain, gain_from_db, resample, to_channels
from reelscore.brief import Span
from reelscore.loudness import Loudness, Meter, integrated, loudness_of
from reelscore.mix.desk import RATE, STEP, Desk, Knots, knots_to_samples
from reelscore.mix.levels import Levels, at_dialogue, set_levels
from reelscore.mix.limiter import reductions
from reelscore.mix.settings import LOUDNESS_PRESETS, LoudnessPreset, MixSettings, Original, settings_for
from reelscore.progress import Progress, unseen

__all__ = [
    "LOUDNESS_PRESETS",
    "LoudnessPreset",
    "Mix",
    "MixSettings",
    "Original",
    "mix",
    "settings_for",
]

MOST_GAIN_DB = 30.0
MOST_LIMITING_DB = 26.0
_CLICK = gain_from_db(-60.0)
_FADE_IN, _FADE_OUT = 0.002, 0.010

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mix:
    """The finished track and what is known of it.

    `loudness` is that of the finished track. `dialogue_lufs` is its loudness where somebody speaks, `speech_to_music_db` how far
    the music lies below the speech there; both None where nobody is heard. `gain_db` was given to the whole, `limited_db` is
    the most that the limiter takes.
    """

    rate: int
    length_samples: int
    loudness: Loudness
    dialogue_lufs: float | None
    speech_to_music_db: float | None
    gain_db: float
    limited_db: float
    remarks: tuple[str, ...]
    _sum: Callable[[], Iterator[Samples]] = field(repr=False)
    _master: Knots = field(repr=False)  # the last gain at each knot: the whole's and the limiter's
    _fades: "_Fades" = field(repr=False)

    def blocks(self) -> Iterator[Samples]:
        """The track as (2, n) float32 at 48 kHz, `length_samples` in all; each call makes it anew, and alike."""
        start = 0
        for block in self._sum():
            samples = block * knots_to_samples(self._master, start, block.shape[1])
            yield self._fades.applied(samples, start, self.length_samples)
            start += block.shape[1]


@dataclass(frozen=True)
class _Fades:
    """Samples at the very ends over which the sound rises from and falls to nothing; 0 where it does so by itself."""

    rising: int
    falling: int

    def applied(self, block: Samples, start: int, length: int) -> Samples:
        """The block that begins at sample `start` of `length`, with what falls into it of the fades."""
        if start >= self.rising and start + block.shape[1] <= length - self.falling:
            return block
        at = np.arange(start, start + block.shape[1])
        up = np.minimum(at / max(self.rising, 1), 1.0) if self.rising else 1.0
        down = np.minimum((length - 1 - at) / max(self.falling, 1), 1.0) if self.falling else 1.0
        return np.asarray(block * (np.sin(np.pi / 2 * up) * np.sin(np.pi / 2 * down)) ** 2, np.float32)


def mix(
    music: Audio,
    original: Callable[[], Iterator[Samples]] | None,
    speech: Sequence[Span],
    duration: float,
    settings: MixSettings,
    progress: Progress = unseen,
) -> Mix:
    """The music and the film's own sound as one track of exactly `duration` seconds.

    `original()` gives the film's sound from its start as (2, n) at 48 kHz; it is called for each pass. `speech` are the stretches in
    which somebody speaks. `reelscore.mix.levels` states how loud each layer is. The whole comes within 0.5 LU of
    `settings.loudness_lufs` under its true-peak ceiling; `Mix.remarks` says where that could not be.
    """
    length_samples = max(1, round(duration * RATE))
    samples = to_channels(resample(music, RATE), 2).samples
    heard = None if settings.original == "drop" else original
    desk = Desk(samples, heard, length_samples)
    levels = set_levels(desk, speech, settings, lambda part: progress("mix", 0.6 * part))
    survey = _survey(desk, levels, settings, lambda part: progress("mix", 0.6 + 0.4 * part))
    return _finished(desk, levels, survey, settings)


@dataclass(frozen=True, eq=False)
class _Survey:
    """The mix before its last gain: power and peak of each frame, and how far from zero it begins and ends."""

    energies: Floats
    peaks: npt.NDArray[np.float32]
    first: float
    last: float


def _survey(desk: Desk, levels: Levels, settings: MixSettings, progress: Callable[[float], None]) -> _Survey:
    # Peaks that stay well below what the limiter will have to touch need not be known exactly.
    floor_db = settings.true_peak_dbtp - settings.headroom_db - (settings.loudness_lufs - levels.expected_lufs) - 4.0
    meter = Meter(RATE, STEP, peak_floor=gain_from_db(floor_db) if np.isfinite(floor_db) else np.inf)
    ends: list[float] = []
    done = 0
    for block in desk.blocks(levels.faders):
        meter.add(block)
        ends += [float(np.abs(block[:, 0]).max()), float(np.abs(block[:, -1]).max())]
        done += block.shape[1]
        progress(done / desk.length_samples)
    return _Survey(meter.energies(), meter.grain_peaks(), ends[0], ends[-1])


def _finished(desk: Desk, levels: Levels, survey: _Survey, settings: MixSettings) -> Mix:
    words = levels.dialogue if settings.dialogue_gated else None
    ceiling_dbtp = settings.true_peak_dbtp - settings.headroom_db

    def loudness_after(gain_db: float) -> float:
        energies = survey.energies * _power(gain_db, reductions(survey.peaks, gain_db, ceiling_dbtp, STEP))
        return integrated(energies, STEP) if words is None else at_dialogue(energies, words)

    most_db = min(MOST_GAIN_DB, MOST_LIMITING_DB + ceiling_dbtp - db_from_gain(float(survey.peaks.max(initial=0.0))))
    gain_db = _gain_for(settings.loudness_lufs, most_db, loudness_after)
    limited = reductions(survey.peaks, gain_db, ceiling_dbtp, STEP)
    power = _power(gain_db, limited)
    energies = survey.energies * power
    dialogue_lufs = at_dialogue(energies, levels.dialogue)
    fade_above = _CLICK / gain_from_db(gain_db)
    return Mix(
        rate=RATE,
        length_samples=desk.length_samples,
        loudness=loudness_of(energies, STEP, float((survey.peaks * np.sqrt(power)).max(initial=0.0))),
        dialogue_lufs=dialogue_lufs if np.isfinite(dialogue_lufs) else None,
        speech_to_music_db=levels.speech_to_music_db,
        gain_db=gain_db,
        limited_db=float(limited.max()),
        remarks=(*levels.remarks, *_remarks(settings, loudness_after(gain_db), words is not None)),
        _sum=lambda: desk.blocks(levels.faders),
        _master=np.asarray(10.0 ** ((gain_db - limited) / 20.0), np.float32),
        _fades=_Fades(
            round(_FADE_IN * RATE) if survey.first > fade_above else 0,
            round(_FADE_OUT * RATE) if survey.last > fade_above else 0,
        ),
    )


def _gain_for(target_lufs: float, most_db: float, loudness_after: Callable[[float], float]) -> float:
    """The gain in dB that brings the loudness to the target through the limiter, or as near as `most_db` lets it."""
    gain_db, loudness, slope = 0.0, loudness_after(0.0), 1.0
    if not np.isfinite(loudness):
        return gain_db
    for _ in range(20):
        step = float(np.clip((target_lufs - loudness) / slope, -60.0, most_db - gain_db))
        if abs(target_lufs - loudness) < 0.02 or abs(step) < 0.005:
            break
        before = loudness
        gain_db += step
        loudness = loudness_after(gain_db)
        # The harder the limiter works, the less of a step arrives.
        slope = float(np.clip((loudness - before) / step, 0.2, 1.0))
    return gain_db


def _power(gain_db: float, limited: Floats) -> Floats:
    """What gain and limiter do to the power of each frame."""
    return np.asarray(10.0 ** ((gain_db - 0.5 * (limited[1:] + limited[:-1])) / 10.0))


def _remarks(settings: MixSettings, reached: float, gated: bool) -> Iterator[str]:
    if settings.dialogue_gated and not gated:
        yield "Nobody is heard speaking, so the loudness was set by the whole programme instead of its dialogue."
    if not np.isfinite(reached):
        yield "The mix is silent, so its loudness was left alone."
    elif abs(reached - settings.loudness_lufs) > 0.5:
        yield (
            f"The mix is at {reached:.1f} LUFS instead of {settings.loudness_lufs:g}: "
            f"more than {MOST_GAIN_DB:g} dB of gain or {MOST_LIMITING_DB:g} dB of limiting would spoil it."
        )
