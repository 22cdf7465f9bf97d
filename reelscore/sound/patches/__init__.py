"""The built-in instruments: one Patch for every name in `vocabulary.INSTRUMENTS`, all synthesised, nothing to download.

Each family of instruments is a module that holds a `PATCHES` table; this file joins them. A new instrument is one entry in the
vocabulary and one in the table of its family.
"""

from reelscore.sound.patches.basses import PATCHES as BASSES
from reelscore.sound.patches.blown import PATCHES as BLOWN
from reelscore.sound.patches.bowed import PATCHES as BOWED
from reelscore.sound.patches.keys import PATCHES as KEYS
from reelscore.sound.patches.kits import PATCHES as KITS
from reelscore.sound.patches.mallets import PATCHES as MALLETS
from reelscore.sound.patches.patch import Patch, Play
from reelscore.sound.patches.plucked import PATCHES as PLUCKED
from reelscore.sound.patches.risers_and_impacts import PATCHES as EFFECTS
from reelscore.sound.patches.synths import PATCHES as SYNTHS
from reelscore.sound.patches.voices_and_pads import PATCHES as VOICES_AND_PADS

__all__ = ["PATCHES", "Patch", "Play"]

PATCHES: dict[str, Patch] = (
    KEYS | MALLETS | PLUCKED | BOWED | BLOWN | VOICES_AND_PADS | SYNTHS | BASSES | KITS | EFFECTS
)
