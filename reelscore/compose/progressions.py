"""The tables of harmony: progressions by mode and feeling, and how phrases end; numerals as in `harmony`."""

from typing import Literal

Feeling = Literal["bright", "calm", "wonder", "sad", "tense", "heroic"]

PROGRESSIONS: dict[str, dict[Feeling, tuple[str, ...]]] = {
    "major": {
        "bright": ("I V vi IV", "I IV vi V", "I IV I V", "vi IV I V", "I iii IV V", "I ii IV V", "I vi IV V"),
        "calm": ("I IV I V", "I iii IV I", "I vi ii IV", "IV I V vi", "I iii vi IV"),
        "wonder": ("I bVII IV I", "I iii bVII IV", "I II IV I", "I bVI IV I"),
        "sad": ("vi iii IV I", "I iii IV iv", "vi IV I V", "I vi ii V", "I V vi iii"),
        "tense": ("I iv bVI V", "I bVI iv V", "vi IV ii V"),
        "heroic": ("I V vi IV", "I bVI bVII I", "I IV bVII V", "I bIII IV V", "vi IV I V"),
    },
    "mixolydian": {
        "bright": ("I bVII IV I", "I IV bVII IV", "I bVII I IV", "I v bVII IV"),
        "calm": ("I bVII IV I", "I v IV I", "I IV I bVII"),
        "wonder": ("I v bVII IV", "I bVII IV bIII", "I bVII vi IV"),
        "sad": ("I v IV I", "vi IV I bVII", "I ii bVII IV"),
        "tense": ("I bVII v IV", "I v bVII bVI"),
        "heroic": ("I bVII IV I", "I bIII bVII IV", "I bVII bVI bVII"),
    },
    "lydian": {
        "bright": ("I II I V", "I II vi V", "I V II I"),
        "calm": ("I II I iii", "I V I II", "I iii II I"),
        "wonder": ("I II I II", "I II vi iii", "I iii II vi"),
        "sad": ("vi II I iii", "iii I II vi"),
        "tense": ("I II vii I", "I #iv° II I"),
        "heroic": ("I II V I", "I V II V", "vi I II V"),
    },
    "dorian": {
        "bright": ("i IV i bVII", "i bIII IV i", "i IV bVII IV", "i bIII bVII IV"),
        "calm": ("i IV i bVII", "i ii bIII IV", "i v IV i"),
        "wonder": ("i IV i IV", "i IV bIII bVII", "i bVII IV ii"),
        "sad": ("i v IV i", "i bVII IV i", "i bIII v IV"),
        "tense": ("i ii i v", "i v ii IV"),
        "heroic": ("i bVII IV i", "i bIII bVII IV", "i IV bVII v"),
    },
    "minor": {
        "bright": ("i bVI bIII bVII", "i bIII bVII iv", "i bVII bVI bVII"),
        "calm": ("i v bVI bIII", "i bVI iv bVII", "i iv bVI bVII"),
        "wonder": ("i IV i bVI", "i bVI i bIII", "i bIII bVI iv"),
        "sad": ("i bVI bIII bVII", "i iv i V", "i v bVI iv", "i bVII bVI V", "i iv bVII bIII"),
        "tense": ("i bII i V", "i #iv° i V", "i bVI ii° V", "i iv bVI V"),
        "heroic": ("i bVI bIII bVII", "i bVII bVI V", "bVI bVII i i", "i bIII bVII bVI", "i iv bVI V"),
    },
    "phrygian": {
        "bright": ("i bII bIII bII", "i bIII bII i"),
        "calm": ("i bvii bVI i", "i bII i bvii"),
        "wonder": ("i bII bVI i", "i bVI bII bIII"),
        "sad": ("i bvii bVI bII", "i iv bII i"),
        "tense": ("i bII i bvii", "i bVI bII i", "i bII v° i"),
        "heroic": ("i bII bIII bII", "i bVI bvii bII", "i bVI bIII bII"),
    },
}

# What leads home, and what stops on the threshold: (before it, the goal of the half cadence).
HALF_CADENCES = {
    "major": (("IV", "Vsus4", "V"), ("ii", "Vsus4", "V")),
    "mixolydian": (("IV", "bVII", "bVII"), ("bVII", "IV", "V")),
    "lydian": (("II", "Vsus4", "V"), ("vi", "II", "V")),
    "dorian": (("IV", "bVII", "V"), ("bIII", "IV", "bVII")),
    "minor": (("iv", "Vsus4", "V"), ("bVI", "bVII", "V"), ("bVI", "Vsus4", "V")),
    "phrygian": (("bVI", "bII", "bII"), ("bIII", "bII", "bvii")),
}
CLOSES = {
    "major": (("IV", "V"), ("ii", "V"), ("V", "IV")),
    "mixolydian": (("IV", "bVII"), ("bVII", "IV"), ("v", "IV")),
    "lydian": (("II", "V"), ("vi", "II")),
    "dorian": (("IV", "bVII"), ("bVII", "IV"), ("IV", "v")),
    "minor": (("iv", "V"), ("bVI", "bVII"), ("bVI", "V")),
    "phrygian": (("bVI", "bII"), ("bvii", "bII")),
}
DECEPTIVE = {"major": "vi", "mixolydian": "bVI", "lydian": "vi", "dorian": "bVII", "minor": "bVI", "phrygian": "bVI"}
