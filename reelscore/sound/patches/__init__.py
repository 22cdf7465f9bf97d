"""The built-in instruments: one Patch for every name in `vocabulary.INSTRUMENTS`, all synthesised, nothing to download.

Each family of instruments is a module that holds a `PATCHES` table; this file joins them. A new instrument is one entry in the
vocabulary and one in the table of its family.
"""

from reelscore.sound.patches import basses, blown, bowed, effects, keys, kits, mallets, plucked, synths, voices_and_pads
from reelscore.sound.patches.patch import Patch, Play

__all__ = ["PATCHES", "Patch", "Play"]

PATCHES: dict[str, Patch] = (
    keys.PATCHES
    | mallets.PATCHES
    | plucked.PATCHES
    | bowed.PATCHES
    | blown.PATCHES
    | voices_and_pads.PATCHES
    | synths.PATCHES
    | basses.PATCHES
    | kits.PATCHES
    | effects.PATCHES
)
