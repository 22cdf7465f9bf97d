"""Everything that is heard in a file, in one pass over its sound."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reelscore.errors import MediaError
from reelscore.listening.curves import LEVEL_STEP, Ear
from reelscore.listening.ending import ends_in
from reelscore.listening.energy import energy_in
from reelscore.listening.key import key_in
from reelscore.listening.pulse import Pulse, pulse_in
from reelscore.loudness import integrated
from reelscore.tempo import Floats

_RATE = 48_000  # BS.1770's own, and enough for all else
_LONGEST = 6 * 3600.0  # seconds; a brief is no longer either, and a damaged file may go on without end
_REMEDY = "give a recording of music (WAV, FLAC, MP3, Ogg, M4A, or a film with sound)"


@dataclass(frozen=True, eq=False)
class Heard:
    """A recording as it was heard. Times are seconds of the file; `key` is written as in "A minor", and empty where nothing has a pitch;
    `energy` has a value each `ENERGY_STEP`.

    `begins` and `stops` are where sound first and last is; `ending` is where the final chord begins, None without a real ending.
    """

    duration: float
    pulse: Pulse
    key: str
    key_confidence: float
    loudness_lufs: float
    energy: Floats
    begins: float
    stops: float
    ending: float | None


def listen(path: Path, *, near_bpm: float | None = None) -> Heard:
    """All that is heard in a sound file, or in a film, of any format; its tempo near `near_bpm` where that is known.

    Raises MediaError for what holds no sound, is damaged, silent, empty, or longer than six hours.
    """
    ear = _heard(path)
    curves = ear.finish()
    ends = ends_in(curves)
    loudness_lufs = integrated(curves.energies, LEVEL_STEP)
    if ends.manner == "silent" or not np.isfinite(loudness_lufs):
        raise MediaError(f"{path} is silent from beginning to end; {_REMEDY}.")
    key, key_confidence = key_in(curves)
    return Heard(
        duration=curves.duration,
        pulse=pulse_in(curves, near_bpm),
        key=str(key) if key_confidence else "",
        key_confidence=key_confidence,
        loudness_lufs=loudness_lufs,
        energy=energy_in(curves),
        begins=ends.begins,
        stops=ends.stops,
        ending=ends.ending,
    )


def _heard(path: Path) -> Ear:
    """An ear that has heard the whole of the file."""
    from reelscore.media.finished import whole_sound

    if not path.is_file():
        raise MediaError(f"There is no file {path}; {_REMEDY}.")
    ear = Ear(_RATE)
    for block in whole_sound(path, rate=_RATE):
        ear.add(np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0))
        if ear.duration > _LONGEST:
            raise MediaError(f"{path} is longer than six hours; give a shorter recording.")
    if not ear.duration:
        raise MediaError(f"{path} holds no sound that can be played; {_REMEDY}.")
    return ear
