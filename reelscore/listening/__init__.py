"""What is heard in a recording: its beats, its key, how much energy it has where, how it begins and ends.

Measured with librosa (the extra `listening`) in one pass over the sound, block by block, so that an hour of it needs no more memory
than its curves. Cheap to import; what is heavy is imported when something is heard.
"""

from importlib.util import find_spec

from reelscore.errors import MissingError
from reelscore.listening.ending import Ends, ends_of
from reelscore.listening.energy import ENERGY_STEP, energy_of
from reelscore.listening.hearing import Heard, listen
from reelscore.listening.key import key_of
from reelscore.listening.pulse import Pulse, pulse_of

__all__ = [
    "ENERGY_STEP",
    "Ends",
    "Heard",
    "Pulse",
    "ends_of",
    "energy_of",
    "key_of",
    "lacks_listening",
    "listen",
    "pulse_of",
    "require_listening",
]


def lacks_listening() -> tuple[str, ...]:
    """A sentence with the command that installs what listening needs; nothing where it is there."""
    if find_spec("librosa") is None:
        return ('Listening to recordings needs librosa; install it with: pip install "reelscore[listening]".',)
    return ()


def require_listening() -> None:
    """Raises MissingError where librosa is not installed."""
    if absent := lacks_listening():
        raise MissingError(absent[0])
