"""How made music begins and ends: without a click, and in a way that sounds meant."""

import numpy as np

from reelscore.audio import Audio, Samples, fade
from reelscore.brief import Brief

FADE_IN = 0.005
LEAST_FADE, MOST_FADE = 0.4, 4.0
DIED_AWAY_DB = -40.0  # the last moment against the piece: what lies below has ended by itself
_MOMENT = 0.05


def ended(audio: Audio, brief: Brief) -> Audio:
    """The same sound with a soft attack of some milliseconds and, unless it has died away by itself, a fade over its last chord."""
    return fade(audio, FADE_IN, _fade_out(audio, brief))


def _fade_out(audio: Audio, brief: Brief) -> float:
    """Seconds over which the end falls to nothing: from the ending cue on, where the brief has one, in any case a few."""
    if _dies_away(audio):
        return min(FADE_IN, audio.duration / 2)
    endings = [cue.time for cue in brief.cues if cue.kind == "ending" and cue.time < audio.duration]
    left = audio.duration - endings[-1] if endings else audio.duration / 8
    return min(max(left, LEAST_FADE), MOST_FADE, audio.duration / 2)


def _dies_away(audio: Audio) -> bool:
    moment = max(1, round(_MOMENT * audio.rate))
    return _level(audio.samples[:, -moment:]) <= _level(audio.samples) * 10 ** (DIED_AWAY_DB / 20)


def _level(samples: Samples) -> float:
    """The root mean square, without a copy of long sound."""
    return float(np.sqrt(sum(np.vdot(channel, channel) for channel in samples) / samples.size))
