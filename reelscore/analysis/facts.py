"""What is seen and heard in a film, as facts over time. Nothing here knows of music.

Times are seconds from the first picture. Every measure of light, colour and movement runs from 0 to 1 and does not depend
on resolution or frame rate, except `warmth`, which runs from −1 (cold) to 1 (warm).
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Shot(_Facts):
    """One unbroken run of the camera; `opens_with` says how the film came to it. The measures are means over the shot."""

    start: float
    end: float
    opens_with: Literal["start", "cut", "dissolve", "fade"]
    change: float  # how different it looks from the shot before: 0 the same, 1 nothing in common
    returns_to: int | None = None  # number of a recent shot whose view it takes up again, as in a dialogue
    motion: float
    brightness: float
    saturation: float
    contrast: float
    warmth: float


class Curves(_Facts):
    """The same measures along the film: value n is the mean over the `step` seconds from n · step."""

    step: float
    motion: tuple[float, ...]
    brightness: tuple[float, ...]
    saturation: tuple[float, ...]
    contrast: tuple[float, ...]
    warmth: tuple[float, ...]


class Peak(_Facts):
    """A moment of sudden movement inside a shot (a jump, a hit, a door); strength from 0 to 1."""

    time: float
    strength: float


class Speech(_Facts):
    """A stretch in which somebody speaks."""

    start: float
    end: float


class Caption(_Facts):
    """What a captioning model says of a stretch of the film."""

    start: float
    end: float
    text: str
    people: float | None = None  # how sure the model is that people are seen, 0 to 1; None where it was not asked
    feelings: dict[
        str, float
    ] = {}  # how sure it is that they are happy, sad, angry …; asked only where people are seen


class Analysis(_Facts):
    """All that is known of one film. `duration` is that of the picture; `picture_sha256` hashes its coded packets."""

    film: Path
    duration: float
    frame_rate: float
    frames: int
    width: int
    height: int
    has_sound: bool
    picture_sha256: str
    shots: tuple[Shot, ...]
    curves: Curves
    peaks: tuple[Peak, ...] = ()
    speech: tuple[Speech, ...] = ()
    captions: tuple[Caption, ...] = ()  # one a scene, in order of time
    description: str = ""  # what a captioning model says of the whole film
    captioned_by: str = ""  # the name of that model
    remarks: tuple[str, ...] = ()  # what could not be read, in sentences for the user
