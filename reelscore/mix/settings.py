"""How a mix is wanted: what becomes of the film's own sound, how loud the result is, how high its peaks may go."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from reelscore.errors import InputError

Original = Literal["duck", "keep", "drop"]

QUIETEST_LUFS, LOUDEST_LUFS = -40.0, -8.0


@dataclass(frozen=True)
class LoudnessPreset:
    """What one kind of outlet asks for. `dialogue_gated` measures the target where somebody speaks, not over all of it."""

    loudness_lufs: float
    true_peak_dbtp: float
    dialogue_gated: bool
    summary: str


LOUDNESS_PRESETS: dict[str, LoudnessPreset] = {
    "online": LoudnessPreset(-14.0, -1.0, False, "video and music platforms"),
    "podcast": LoudnessPreset(-16.0, -1.0, False, "podcasts and spoken word"),
    "broadcast": LoudnessPreset(-23.0, -1.0, False, "European television, EBU R 128"),
    "ebu-r128": LoudnessPreset(-23.0, -1.0, False, "European television, EBU R 128"),
    "atsc-a85": LoudnessPreset(-24.0, -2.0, False, "American television, ATSC A/85"),
    "streaming": LoudnessPreset(-27.0, -2.0, True, "film streaming, measured on the dialogue"),
}


@dataclass(frozen=True)
class MixSettings:
    """What becomes of the original sound, and the loudness of the whole. See `mix` for what each word does.

    `headroom_db` is kept below `true_peak_dbtp` for a coder that follows (AAC and Opus give peaks back a little higher).
    """

    original: Original = "duck"
    loudness_lufs: float = -14.0
    true_peak_dbtp: float = -1.0
    dialogue_gated: bool = False
    headroom_db: float = 0.7


def settings_for(loudness: str = "online", original: Original = "duck", headroom_db: float = 0.7) -> MixSettings:
    """The settings for a preset's name or a number of LUFS such as "-16". Raises InputError."""
    preset = LOUDNESS_PRESETS.get(loudness.strip().lower())
    if preset is None:
        preset = LoudnessPreset(_loudness(loudness), -1.0, False, "")
    return MixSettings(original, preset.loudness_lufs, preset.true_peak_dbtp, preset.dialogue_gated, headroom_db)


def _loudness(text: str) -> float:
    presets = ", ".join(f"{name} ({preset.loudness_lufs:g})" for name, preset in LOUDNESS_PRESETS.items())
    remedy = f"give LUFS from {QUIETEST_LUFS:g} to {LOUDEST_LUFS:g}, as in -16, or one of {presets}"
    number = re.fullmatch(r"\s*([+\-−]?\d+(?:\.\d+)?)\s*(?:LUFS|LKFS)?\s*", text, re.IGNORECASE)
    if number is None:
        near = get_close_matches(text.strip().lower(), LOUDNESS_PRESETS, 1)
        hint = f"did you mean {near[0]!r}? If not, " if near else ""
        raise InputError(f"The loudness {text!r} is neither a number nor a preset; {hint}{remedy}.")
    loudness_lufs = float(number.group(1).replace("−", "-"))
    if not QUIETEST_LUFS <= loudness_lufs <= LOUDEST_LUFS:
        raise InputError(f"The loudness {text!r} is out of range; {remedy}.")
    return loudness_lufs
