"""How loud each layer of the mix is, and where it moves.

The music as it was made is the measure of everything; what the whole gets in the end to reach its loudness comes after.

duck  Words land at the loudness that the music has on the whole, so the two change places: outside speech the music is in front,
      and under speech it goes down to 17 LU below the words, by 24 dB at most (0 where it is that quiet already), with a
      dip around 2.5 kHz, where consonants are. What else the film sounds of lies as a bed under the music: quiet
      ambience 9 LU below it, a full soundtrack (which two pieces of music would make a fight of) 18 LU below; a bed is never
      raised above the level at which the film brought it.
keep  The original stays as it is throughout, and the music lies below it at one level: 15 LU under the words where
      somebody speaks (or lower, if it is softer there), 9 LU under the whole where nobody does; where the original is silent, the music is alone.
drop  The music alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from reelscore.audio import Samples
from reelscore.brief import Span
from reelscore.loudness import ABSOLUTE_GATE_LUFS, Meter, gated, integrated, lufs
from reelscore.mix.desk import RATE, STEP, Desk, Faders, Knots
from reelscore.mix.ducking import Conversation, conversations, lowering, reach
from reelscore.mix.settings import MixSettings

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

UNDER_SPEECH_LU = 17.0
LEAST_UNDER_SPEECH_LU = 15.0
DEEPEST_DUCK_DB = 24.0
MOST_SPEECH_GAIN_DB = 20.0
AMBIENCE_LUFS, SOUNDTRACK_LUFS = -36.0, -20.0  # what is quieter is ambience, what is louder a full soundtrack
UNDER_MUSIC_LU = (9.0, 18.0)  # ambience, soundtrack
KEPT_UNDER_LU = 9.0
INAUDIBLE_LUFS = -60.0


@dataclass(frozen=True, eq=False)
class Levels:
    """The faders, what the sum will measure, and what is known of speech in it.

    `dialogue` marks the frames in which somebody is heard to speak; None where nobody is.
    """

    faders: Faders
    expected_lufs: float
    dialogue: Flags | None = None
    speech_to_music_db: float | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Heard:
    """The power of both sounds in each frame as they come in, and where in them somebody speaks."""

    music: Floats
    original: Floats
    talks: tuple[Conversation, ...]
    words: Flags

    @cached_property
    def music_lufs(self) -> float:
        return integrated(self.music, STEP)

    @cached_property
    def speech_lufs(self) -> float:
        return at_dialogue(self.original, self.words)


def set_levels(desk: Desk, speech: Sequence[Span], settings: MixSettings, progress: Callable[[float], None]) -> Levels:
    """Listens to both sounds once and sets the faders by the rules above."""
    music = _energies(desk.music_blocks(), lambda part: progress(0.4 * part), desk)
    if desk.original is None:
        return Levels(_still(desk, 1.0, 0.0), integrated(music, STEP))
    original = _energies(desk.original_blocks(), lambda part: progress(0.4 + 0.6 * part), desk)
    heard = _Heard(music, original, conversations(speech), _words(speech, desk))
    speaks = heard.speech_lufs > INAUDIBLE_LUFS
    remarks: tuple[str, ...] = ()
    if speech and not speaks:
        remarks = ("The film's own sound is silent where speech was marked, so the music does not go down for it.",)
    if settings.original == "keep":
        return _kept(desk, heard, speaks, remarks)
    return _ducked(desk, heard, remarks) if speaks else _bedded(desk, heard, settings, remarks)


def at_dialogue(energies: Floats, words: Flags | None) -> float:
    """Loudness of the frames in which somebody speaks, gated like a programme, in LUFS; −inf without any."""
    if words is None or not words.any():
        return float("-inf")
    spoken = energies[words]
    group = round(0.1 / STEP)
    whole = max(1, len(spoken) // group)
    return gated(np.array([part.mean() for part in np.array_split(spoken, whole)]))


def _kept(desk: Desk, heard: _Heard, speaks: bool, remarks: tuple[str, ...]) -> Levels:
    own_lufs, music_lufs = integrated(heard.original, STEP), heard.music_lufs
    if own_lufs < INAUDIBLE_LUFS or not np.isfinite(music_lufs):
        return _summed(_still(desk, 1.0, 1.0), heard, speaks, remarks)
    if speaks:
        beneath = float(lufs(heard.music[heard.words].mean()))
        gain_db = heard.speech_lufs - LEAST_UNDER_SPEECH_LU - max(beneath, music_lufs)
    else:
        gain_db = own_lufs - KEPT_UNDER_LU - music_lufs
    return _summed(_still(desk, _gain(gain_db), 1.0), heard, speaks, remarks)


def _bedded(desk: Desk, heard: _Heard, settings: MixSettings, remarks: tuple[str, ...]) -> Levels:
    own_lufs, music_lufs = integrated(heard.original, STEP), heard.music_lufs
    if not np.isfinite(music_lufs):
        return _summed(_still(desk, 1.0, 1.0), heard, False, remarks)
    # The whole will be raised by about this much; the bed must not come out louder than the film brought it.
    raised_db = settings.loudness_lufs - music_lufs
    gain_db = min(_bed_db(own_lufs, music_lufs), -raised_db)
    return _summed(_still(desk, 1.0, _gain(gain_db)), heard, False, remarks)


def _ducked(desk: Desk, heard: _Heard, remarks: tuple[str, ...]) -> Levels:
    music_lufs = heard.music_lufs if np.isfinite(heard.music_lufs) else heard.speech_lufs
    speech_db = float(np.clip(music_lufs - heard.speech_lufs, -MOST_SPEECH_GAIN_DB, MOST_SPEECH_GAIN_DB))
    down = np.zeros(desk.frames + 1)
    music_db = np.zeros(desk.frames + 1)
    for talk in heard.talks:
        first, last = (round(edge / STEP) for edge in reach(talk))
        there = slice(max(first, 0), max(last + 1, 0))
        way = lowering(talk, desk.knots[there])
        down[there] = np.maximum(down[there], way)
        music_db[there] = np.minimum(music_db[there], -_depth_db(talk, heard, speech_db) * way)
    background = integrated(heard.original[~_near_speech(down)], STEP)
    bed_db = min(_bed_db(background, music_lufs), speech_db)
    faders = Faders(_gains(music_db), _gains(bed_db + (speech_db - bed_db) * down), down.astype(np.float32))
    return _summed(faders, heard, True, remarks)


def _depth_db(talk: Conversation, heard: _Heard, speech_db: float) -> float:
    """How far the music goes down for one conversation: as far as its words and the music at that place need."""
    words = np.concatenate([np.arange(*_frames(span)) for span in talk.spans])
    words = words[words < len(heard.music)]
    if not len(words):
        return 0.0
    spoken = at_dialogue(heard.original[words], np.ones(len(words), bool)) + speech_db
    # Somebody who mutters once should not take the music away; the words of the whole film set the measure.
    spoken = max(spoken, heard.speech_lufs + speech_db - 4.0)
    music = float(lufs(heard.music[words].mean()))
    return float(np.clip(music - (spoken - UNDER_SPEECH_LU), 0.0, DEEPEST_DUCK_DB))


def _bed_db(own_lufs: float, music_lufs: float) -> float:
    """The gain that lays what the film sounds of under the music; 0 where it is as good as silent."""
    if own_lufs < INAUDIBLE_LUFS:
        return 0.0
    under = float(np.interp(own_lufs, (AMBIENCE_LUFS, SOUNDTRACK_LUFS), UNDER_MUSIC_LU))
    return music_lufs - under - own_lufs


def _summed(faders: Faders, heard: _Heard, speaks: bool, remarks: tuple[str, ...]) -> Levels:
    """The levels with what they come to, taking the two sounds for unrelated."""
    music = heard.music * _frame_power(faders.music)
    original = heard.original * _frame_power(faders.original)
    expected = integrated(music + original, STEP)
    if not speaks:
        return Levels(faders, expected, None, None, remarks)
    beneath = float(lufs(music[heard.words].mean()))
    distance = at_dialogue(original, heard.words) - beneath if beneath > ABSOLUTE_GATE_LUFS - 30.0 else None
    if distance is not None and distance < LEAST_UNDER_SPEECH_LU - 0.5:
        remarks = (*remarks, f"The music lies only {distance:.0f} dB under the speech: the words are very quiet.")
    return Levels(faders, expected, heard.words, distance, remarks)


def _energies(blocks: Iterable[Samples], progress: Callable[[float], None], desk: Desk) -> Floats:
    meter = Meter(RATE, STEP)
    done = 0
    for block in blocks:
        meter.add(block)
        done += block.shape[1]
        progress(done / desk.length_samples)
    return meter.energies()


def _words(speech: Sequence[Span], desk: Desk) -> Flags:
    words = np.zeros(desk.frames, bool)
    for span in speech:
        words[slice(*_frames(span))] = True
    return words


def _frames(span: Span) -> tuple[int, int]:
    """The frames of a span: its first, and the one after its last."""
    return round(span.start / STEP), round(span.end / STEP)


def _near_speech(down: Floats) -> Flags:
    return np.asarray(np.maximum(down[1:], down[:-1]) > 0.0)


def _still(desk: Desk, music: float, original: float) -> Faders:
    """Faders that do not move."""
    every = np.ones(desk.frames + 1, np.float32)
    return Faders(every * np.float32(music), every * np.float32(original), np.zeros_like(every))


def _frame_power(knots: Knots) -> Floats:
    return np.asarray((0.5 * (knots[1:].astype(np.float64) + knots[:-1])) ** 2)


def _gains(curve_db: Floats) -> Knots:
    return np.asarray(10.0 ** (curve_db / 20.0), np.float32)


def _gain(level_db: float) -> float:
    return float(10.0 ** (level_db / 20.0))
