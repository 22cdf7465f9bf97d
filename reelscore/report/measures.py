"""What can be measured of any finished film or sound file against its brief, in one pass over its sound and in flat memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples
from reelscore.brief import Brief, Span
from reelscore.loudness import Meter, loudness_of, lufs, short_term_curve
from reelscore.media import picture_sha256, probe
from reelscore.media.finished import holds_picture, whole_sound
from reelscore.progress import Progress, unseen
from reelscore.report.onsets import HOP_SECONDS, RATE, Listener, onsets

Floats = npt.NDArray[np.float64]

HIT_TOLERANCE = 0.05  # seconds between a cue and an onset that count as together
NEAR = 0.5  # seconds within which an onset is worth naming at all
SILENCE_DBFS = -60.0
_STEP = 0.01  # of the curves
_SILENCE_WINDOW = 5  # steps that are silent or not together


@dataclass(frozen=True, eq=False)
class Curves:
    """The finished sound over time, for pictures: `waveform` is the peak per 10 ms, `short_term_lufs` has a value per 0.1 s."""

    duration: float
    waveform: Floats
    short_term_lufs: Floats
    spectrogram: npt.NDArray[np.float32]
    onsets: Floats


@dataclass(frozen=True)
class Measures:
    """What was measured. Times in seconds.

    `length_error` is sound minus picture (or minus the brief, for a sound file); `picture_identical` is None where there is
    no film to compare. `cue_errors` are the seconds from each cue to the nearest onset, later being positive, None where none is
    near; the rates are None without cues. By chance means: at a time picked blindly. `onset_strength_at_cues` is how many times
    stronger the onsets are at cues than at such times. `speech_to_music_db` is known where the mix is, else estimated.
    """

    length_error: float
    picture_identical: bool | None
    loudness_lufs: float
    loudness_range_lu: float
    true_peak_dbtp: float
    max_momentary_lufs: float
    max_short_term_lufs: float
    longest_silence: float
    cue_hit_rate: float | None
    cue_hit_rate_by_chance: float | None
    cue_errors: tuple[float | None, ...]
    onset_strength_at_cues: float | None
    onsets_per_second: float
    speech_to_music_db: float | None
    curves: Curves = field(repr=False, compare=False)


def check(
    video: Path, brief: Brief, progress: Progress = unseen, *, speech_to_music_db: float | None = None
) -> Measures:
    """Measures a finished film or sound file against its brief. Raises MediaError where it cannot be read.

    `speech_to_music_db`, where the mix knows it, replaces the estimate (see `estimated_speech_to_music_db`).
    """
    expected, start, identical = brief.duration, 0.0, None
    if holds_picture(video):
        clip = probe(video)
        expected, start = clip.duration, clip.start
        identical = picture_sha256(video) == brief.film.picture_sha256 if brief.film else None
    ear = _Ear()
    ear.listen(whole_sound(video, start, RATE), lambda part: progress("check", part), expected)
    heard, energies = ear.listener.finish(), ear.meter.energies()
    loudness = loudness_of(energies, _STEP, float(ear.meter.grain_peaks().max(initial=0.0)))
    found = onsets(heard.strength)
    cues = np.array([cue.time for cue in brief.cues])
    if speech_to_music_db is None:
        speech_to_music_db = estimated_speech_to_music_db(energies, brief.speech)
    return Measures(
        length_error=ear.samples / RATE - expected,
        picture_identical=identical,
        loudness_lufs=loudness.integrated_lufs,
        loudness_range_lu=loudness.range_lu,
        true_peak_dbtp=loudness.true_peak_dbtp,
        max_momentary_lufs=loudness.max_momentary_lufs,
        max_short_term_lufs=loudness.max_short_term_lufs,
        longest_silence=longest_silence(ear.powers(expected), _STEP),
        cue_hit_rate=hit_rate(cues, found),
        cue_hit_rate_by_chance=hit_rate_by_chance(found, expected) if len(cues) else None,
        cue_errors=cue_errors(cues, found),
        onset_strength_at_cues=strength_at_cues(heard.strength, cues),
        onsets_per_second=len(found) / max(ear.samples / RATE, _STEP),
        speech_to_music_db=speech_to_music_db,
        curves=Curves(ear.samples / RATE, ear.waveform(), short_term_curve(energies, _STEP), heard.spectrogram, found),
    )


class _Ear:
    """All that listens, fed block by block."""

    def __init__(self) -> None:
        self.samples = 0
        self.meter = Meter(RATE, _STEP)
        self.listener = Listener()
        self._waiting: Samples = np.zeros((2, 0), np.float32)
        self._peaks: list[Floats] = [np.zeros(0)]
        self._powers: list[Floats] = [np.zeros(0)]

    def listen(self, blocks: Iterator[Samples], progress: Callable[[float], None], expected: float) -> None:
        for block in _gathered(blocks):
            self.samples += block.shape[1]
            self.meter.add(block)
            self.listener.add(block)
            self._step(block)
            progress(min(self.samples / RATE / expected, 1.0))

    def waveform(self) -> Floats:
        return np.concatenate(self._peaks)

    def powers(self, expected: float) -> Floats:
        """Mean square of each step, of the louder channel; where the picture goes on without sound, that is silence."""
        missing = expected - self.samples / RATE
        return np.concatenate([*self._powers, np.zeros(max(0, round(missing / _STEP)))])

    def _step(self, block: Samples) -> None:
        size = round(_STEP * RATE)
        samples = np.concatenate([self._waiting, block], axis=1)
        whole = samples.shape[1] // size * size
        steps = samples[:, :whole].reshape(2, -1, size)
        self._peaks.append(np.abs(steps).max(axis=(0, 2)).astype(np.float64))
        self._powers.append(np.einsum("csn,csn->cs", steps, steps).max(axis=0).astype(np.float64) / size)
        self._waiting = samples[:, whole:]


def _gathered(blocks: Iterator[Samples]) -> Iterator[Samples]:
    """The same sound in blocks of a second or more: decoders give crumbs, which are dear to handle one by one."""
    waiting: list[Samples] = []
    for block in blocks:
        waiting.append(block)
        if sum(part.shape[1] for part in waiting) >= RATE:
            yield np.concatenate(waiting, axis=1)
            waiting = []
    if waiting:
        yield np.concatenate(waiting, axis=1)


def longest_silence(powers: Floats, step: float) -> float:
    """The longest stretch in seconds in which no 50 ms are louder than −60 dBFS (RMS); `powers` are mean squares per step."""
    width = min(_SILENCE_WINDOW, len(powers))
    if width == 0:
        return 0.0
    sums = np.concatenate([[0.0], np.cumsum(powers)])
    quiet = (sums[width:] - sums[:-width]) / width < 10 ** (SILENCE_DBFS / 10)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(int), [0]])))
    if len(edges) == 0:
        return 0.0
    return float((edges[1::2] - edges[::2]).max() + width - 1) * step


def hit_rate(cues: Floats, found: Floats, tolerance: float = HIT_TOLERANCE) -> float | None:
    """The share of cues with an onset within `tolerance` seconds; None without cues."""
    if len(cues) == 0:
        return None
    return float(np.mean([error is not None and abs(error) <= tolerance for error in cue_errors(cues, found)]))


def hit_rate_by_chance(found: Floats, duration: float, tolerance: float = HIT_TOLERANCE) -> float:
    """The share of all times between 0 and `duration` with an onset within `tolerance`: what blind cues would reach."""
    covered, reached = 0.0, 0.0
    for onset in np.sort(found):
        low, high = max(onset - tolerance, reached), min(onset + tolerance, duration)
        covered += max(high - low, 0.0)
        reached = max(reached, high)
    return float(min(covered / duration, 1.0))


def cue_errors(cues: Floats, found: Floats) -> tuple[float | None, ...]:
    """Seconds from each cue to the nearest onset, positive where it comes later; None where none is within NEAR."""
    return tuple(_nearest(cue, found) for cue in cues)


def _nearest(cue: float, found: Floats) -> float | None:
    if len(found) == 0:
        return None
    error = float(found[np.argmin(np.abs(found - cue))] - cue)
    return error if abs(error) <= NEAR else None


def strength_at_cues(strength: Floats, cues: Floats, tolerance: float = HIT_TOLERANCE) -> float | None:
    """The strongest onset within `tolerance` of a cue, averaged, over the same at any time; None without cues or onsets."""
    from scipy.ndimage import maximum_filter1d

    if len(cues) == 0 or not strength.any():
        return None
    reach = maximum_filter1d(strength, 2 * round(tolerance / HOP_SECONDS) + 1, mode="constant")
    hops = np.clip(np.round(cues / HOP_SECONDS).astype(int), 0, len(reach) - 1)
    return float(reach[hops].mean() / reach.mean())


def estimated_speech_to_music_db(energies: Floats, speech: tuple[Span, ...]) -> float | None:
    """How far the music lies below the speech, from the mixed sound alone; None without speech.

    A mix that does not pump leaves the music down for a moment after the words and in the short pauses between them. So
    the music under each span is taken to be as loud as in the pause after it (of up to 1.2 s, else its first 0.2 s), and where
    that is too short, as the quietest tenth of the span itself. The words are what is left of the spans. What else the
    film sounds of (streets, rooms, the tail of a word) counts as music, and what drowns in the words does not count.
    """
    words = np.zeros(len(energies), bool)
    for span in speech:
        words[round(span.start / _STEP) : round(span.end / _STEP)] = True
    if not words.any():
        return None
    beneath, weight = 0.0, 0
    for span, after in zip_longest(speech, speech[1:]):
        spoken = energies[round(span.start / _STEP) : round(span.end / _STEP)]
        if len(spoken):
            beneath += len(spoken) * _bed(energies, spoken, span, after)
            weight += len(spoken)
    music = beneath / weight
    voice = energies[words].mean() - music
    return float(lufs(voice) - lufs(music)) if voice > 0 and music > 0 else None


def _bed(energies: Floats, spoken: Floats, span: Span, after: Span | None) -> float:
    """The power of what lies under one span of speech."""
    pause = after.start - span.end if after else np.inf
    first, last = span.end + 0.05, span.end + (pause - 0.05 if pause <= 1.2 else 0.2)
    between = energies[round(first / _STEP) : max(round(last / _STEP), 0)]
    return float(between.mean() if len(between) * _STEP >= 0.1 else np.percentile(spoken, 10))
