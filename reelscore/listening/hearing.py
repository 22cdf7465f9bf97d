"""Everything that is heard in a file, in one pass."""

from dataclasses import dataclass
from pathlib import Path

from reelscore.listening.pulse import Pulse
from reelscore.tempo import Floats


@dataclass(frozen=True, eq=False)
class Heard:
    """A recording as it was heard. Times are seconds of the file; `key` is written as in "A minor", `energy` has a value each `ENERGY_STEP`.

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


def listen(path: Path) -> Heard:
    """All that is heard in a sound file or film of any format. Raises MediaError for what holds no sound, is damaged, silent or empty."""
    raise NotImplementedError
