"""The closed vocabulary of the brief: genres, moods and instruments, and what each means for the music.

Three tables and nothing else. Every name that a brief may hold is a key here; `synonyms` are further words by which a
person may ask for it. A genre is also a style of the composer, an instrument also a patch of the synthesiser, so a new
genre is one entry here and one in `compose/styles.py`, a new instrument one here and one in `sound/patches`.
"""

from dataclasses import dataclass
from typing import Literal

Family = Literal[
    "keys", "mallets", "plucked", "strings", "woodwind", "brass", "voices", "pads", "synths", "bass", "drums", "effects"
]


@dataclass(frozen=True)
class Instrument:
    """One instrument: its family, its General MIDI program (0 to 127) and its written range in MIDI notes.

    `sustained` tells whether a note sounds as long as it is held (bowed, blown, pads) or dies away by itself.
    `drums` marks a kit: its notes are General MIDI percussion keys on MIDI channel 10, and `program` chooses the kit.
    """

    family: Family
    program: int
    low: int
    high: int
    sustained: bool = False
    drums: bool = False
    synonyms: tuple[str, ...] = ()


INSTRUMENTS: dict[str, Instrument] = {
    "grand piano": Instrument("keys", 0, 28, 100, synonyms=("piano", "concert piano", "pianoforte")),
    "felt piano": Instrument("keys", 1, 33, 93, synonyms=("soft piano", "upright piano", "intimate piano")),
    "electric piano": Instrument("keys", 4, 33, 93, synonyms=("rhodes", "e-piano", "epiano", "wurlitzer", "keys")),
    "organ": Instrument("keys", 16, 36, 96, sustained=True, synonyms=("hammond", "church organ")),
    "marimba": Instrument("mallets", 12, 45, 96),
    "vibraphone": Instrument("mallets", 11, 53, 89, synonyms=("vibes",)),
    "glockenspiel": Instrument("mallets", 9, 72, 105, synonyms=("bells", "glock", "celesta", "music box", "chimes")),
    "harp": Instrument("plucked", 46, 28, 100),
    "acoustic guitar": Instrument(
        "plucked", 25, 40, 84, synonyms=("guitar", "steel guitar", "nylon guitar", "classical guitar", "ukulele")
    ),
    "electric guitar": Instrument("plucked", 27, 40, 86, synonyms=("clean guitar", "clean electric guitar")),
    "distorted guitar": Instrument(
        "plucked", 30, 40, 86, sustained=True, synonyms=("overdriven guitar", "heavy guitar", "rock guitar")
    ),
    "pizzicato strings": Instrument("strings", 45, 36, 93, synonyms=("pizzicato", "plucked strings")),
    "strings": Instrument(
        "strings",
        48,
        28,
        96,
        sustained=True,
        synonyms=("string section", "string ensemble", "legato strings", "violins", "orchestra"),
    ),
    "tremolo strings": Instrument("strings", 44, 28, 96, sustained=True, synonyms=("tremolo",)),
    "solo violin": Instrument("strings", 40, 55, 98, sustained=True, synonyms=("violin", "fiddle")),
    "solo cello": Instrument("strings", 42, 36, 76, sustained=True, synonyms=("cello", "violoncello", "viola")),
    "flute": Instrument("woodwind", 73, 60, 96, sustained=True, synonyms=("flutes", "piccolo", "whistle", "recorder")),
    "clarinet": Instrument("woodwind", 71, 50, 89, sustained=True, synonyms=("clarinets", "oboe")),
    "bassoon": Instrument("woodwind", 70, 34, 72, sustained=True),
    "saxophone": Instrument("woodwind", 65, 49, 81, sustained=True, synonyms=("sax", "alto sax", "tenor sax")),
    "french horn": Instrument("brass", 60, 38, 77, sustained=True, synonyms=("horn", "horns")),
    "brass section": Instrument(
        "brass", 61, 36, 86, sustained=True, synonyms=("brass", "trombone", "trombones", "trumpets")
    ),
    "trumpet": Instrument("brass", 56, 54, 86, sustained=True),
    "choir": Instrument(
        "voices",
        52,
        43,
        84,
        sustained=True,
        synonyms=("voices", "vocals", "vocal", "chorus", "singing", "choral", "voice"),
    ),
    "warm pad": Instrument("pads", 89, 33, 89, sustained=True, synonyms=("pad", "pads", "synth pad", "drone")),
    "bright pad": Instrument("pads", 90, 40, 96, sustained=True, synonyms=("polysynth", "shimmer", "glass pad")),
    "synth lead": Instrument(
        "synths", 81, 48, 96, sustained=True, synonyms=("lead synth", "synth", "synthesizer", "synthesiser", "synths")
    ),
    "synth pluck": Instrument("synths", 84, 40, 100, synonyms=("pluck", "arpeggio", "arp", "arpeggiator", "sequencer")),
    "upright bass": Instrument("bass", 32, 28, 60, synonyms=("double bass", "acoustic bass", "contrabass")),
    "electric bass": Instrument("bass", 33, 28, 64, synonyms=("bass", "bass guitar", "fingered bass")),
    "synth bass": Instrument("bass", 38, 24, 64, sustained=True, synonyms=("sub bass", "808 bass", "sub")),
    "drum kit": Instrument("drums", 0, 35, 81, drums=True, synonyms=("drums", "acoustic drums", "drum set")),
    "brushes": Instrument("drums", 40, 35, 81, drums=True, synonyms=("brush kit", "brushed drums")),
    "electronic kit": Instrument(
        "drums", 25, 35, 81, drums=True, synonyms=("drum machine", "electronic drums", "808", "909", "beats", "beat")
    ),
    "cinematic percussion": Instrument(
        "drums", 48, 27, 87, drums=True, synonyms=("taiko", "taikos", "timpani", "epic drums", "orchestral percussion")
    ),
    "shaker": Instrument(
        "drums", 0, 39, 82, drums=True, synonyms=("tambourine", "hand percussion", "claps", "bongos", "congas")
    ),
    "riser": Instrument(
        "effects", 119, 24, 96, sustained=True, synonyms=("risers", "swell", "swells", "whoosh", "sweep")
    ),
    "impact": Instrument(
        "effects", 47, 12, 72, synonyms=("impacts", "boom", "booms", "hit", "hits", "stinger", "braam")
    ),
}

# Words that mean a whole family; asking for one or avoiding one speaks of all its instruments.
FAMILIES: dict[str, tuple[Family, ...]] = {
    "percussion": ("drums",),
    "drums": ("drums",),
    "keyboards": ("keys",),
    "mallets": ("mallets",),
    "plucked": ("plucked",),
    "guitars": ("plucked",),
    "strings": ("strings",),
    "woodwinds": ("woodwind",),
    "winds": ("woodwind", "brass"),
    "brass": ("brass",),
    "pads": ("pads",),
    "synths": ("synths", "pads"),
    "bass": ("bass",),
    "effects": ("effects",),
}


@dataclass(frozen=True)
class Genre:
    """One genre: the tempi it lives in, whether it grooves (steady pulse, one metre), its modes, and who plays in it.

    `valence` and `arousal` (−1 to 1) say how it feels by itself; they help to choose a genre for a film that names none.
    """

    tempo_bpm: tuple[float, float]
    grooves: bool
    modes: tuple[str, ...]
    instruments: tuple[str, ...]
    valence: float
    arousal: float
    synonyms: tuple[str, ...] = ()


GENRES: dict[str, Genre] = {
    "ambient": Genre(
        (56, 84),
        False,
        ("lydian", "major", "dorian", "minor"),
        ("warm pad", "bright pad", "felt piano", "vibraphone", "harp"),
        0.2,
        -0.7,
    ),
    "cinematic": Genre(
        (64, 120),
        False,
        ("minor", "dorian", "major"),
        ("strings", "grand piano", "french horn", "cinematic percussion", "warm pad", "solo cello"),
        0.0,
        0.1,
    ),
    "orchestral": Genre(
        (66, 132),
        False,
        ("major", "minor", "lydian"),
        ("strings", "french horn", "flute", "clarinet", "harp", "cinematic percussion", "pizzicato strings"),
        0.3,
        0.3,
    ),
    "epic": Genre(
        (80, 144),
        False,
        ("minor", "dorian", "phrygian"),
        ("strings", "brass section", "choir", "cinematic percussion", "french horn"),
        -0.1,
        0.9,
    ),
    "solo piano": Genre((60, 104), False, ("major", "minor", "dorian"), ("grand piano",), 0.0, -0.4),
    "folk": Genre(
        (76, 124),
        False,
        ("major", "mixolydian", "dorian"),
        ("acoustic guitar", "solo violin", "upright bass", "shaker", "flute"),
        0.5,
        0.0,
    ),
    "corporate": Genre(
        (96, 128),
        True,
        ("major", "mixolydian"),
        ("grand piano", "electric guitar", "synth pluck", "electric bass", "drum kit", "strings"),
        0.7,
        0.4,
    ),
    "lo-fi": Genre(
        (68, 90),
        True,
        ("dorian", "minor", "major"),
        ("electric piano", "vibraphone", "upright bass", "electronic kit", "warm pad"),
        0.2,
        -0.4,
    ),
    "hip-hop": Genre(
        (78, 100),
        True,
        ("minor", "dorian", "phrygian"),
        ("electric piano", "synth bass", "electronic kit", "strings", "synth pluck"),
        -0.1,
        0.3,
    ),
    "electronic": Genre(
        (110, 132),
        True,
        ("minor", "dorian", "major"),
        ("synth pluck", "synth bass", "bright pad", "electronic kit", "synth lead"),
        0.2,
        0.7,
    ),
    "synthwave": Genre(
        (84, 118),
        True,
        ("minor", "dorian"),
        ("synth lead", "synth bass", "warm pad", "synth pluck", "electronic kit"),
        0.1,
        0.4,
    ),
    "rock": Genre(
        (100, 160),
        True,
        ("minor", "mixolydian", "major"),
        ("distorted guitar", "electric guitar", "electric bass", "drum kit", "organ"),
        0.2,
        0.8,
    ),
    "jazz": Genre(
        (90, 168),
        True,
        ("dorian", "major", "mixolydian"),
        ("grand piano", "upright bass", "brushes", "saxophone", "vibraphone"),
        0.4,
        0.1,
    ),
    "funk": Genre(
        (94, 118),
        True,
        ("dorian", "mixolydian"),
        ("electric guitar", "electric bass", "drum kit", "brass section", "electric piano", "organ"),
        0.6,
        0.6,
    ),
    "classical": Genre(
        (66, 132), False, ("major", "minor"), ("strings", "flute", "clarinet", "bassoon", "harp"), 0.4, 0.0
    ),
    "suspense": Genre(
        (70, 120),
        False,
        ("minor", "phrygian"),
        ("tremolo strings", "warm pad", "solo cello", "cinematic percussion", "bassoon"),
        -0.6,
        0.3,
    ),
    "comedy": Genre(
        (96, 144),
        False,
        ("major", "mixolydian"),
        ("pizzicato strings", "clarinet", "bassoon", "marimba", "glockenspiel", "shaker"),
        0.8,
        0.3,
    ),
}


@dataclass(frozen=True)
class Mood:
    """One mood: where it lies in valence and arousal (−1 to 1) and tension (0 to 1), and the modes and instruments it likes.

    Its tempo and register follow from valence and arousal by the fitted model in `spotting/emotion.py`.
    """

    valence: float
    arousal: float
    tension: float
    modes: tuple[str, ...]
    instruments: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()


MOODS: dict[str, Mood] = {
    "happy": Mood(0.8, 0.4, 0.1, ("major", "mixolydian")),
    "playful": Mood(0.7, 0.4, 0.2, ("major", "mixolydian", "lydian")),
    "funny": Mood(0.7, 0.5, 0.2, ("major", "mixolydian")),
    "hopeful": Mood(0.6, 0.0, 0.2, ("major", "lydian")),
    "inspiring": Mood(0.7, 0.4, 0.2, ("major", "mixolydian")),
    "triumphant": Mood(0.7, 0.8, 0.3, ("major", "mixolydian")),
    "energetic": Mood(0.5, 0.8, 0.3, ("major", "mixolydian", "dorian", "minor")),
    "exciting": Mood(0.5, 0.9, 0.5, ("mixolydian", "dorian", "major")),
    "confident": Mood(0.4, 0.3, 0.2, ("mixolydian", "dorian")),
    "calm": Mood(0.4, -0.6, 0.0, ("major", "lydian", "dorian")),
    "peaceful": Mood(0.5, -0.7, 0.0, ("major", "lydian")),
    "tender": Mood(0.4, -0.5, 0.1, ("major",)),
    "romantic": Mood(0.5, -0.2, 0.2, ("major", "minor")),
    "dreamy": Mood(0.3, -0.5, 0.1, ("lydian", "major")),
    "wondrous": Mood(0.5, 0.0, 0.2, ("lydian", "major")),
    "nostalgic": Mood(0.1, -0.4, 0.2, ("major", "mixolydian", "dorian")),
    "neutral": Mood(0.1, -0.1, 0.1, ("mixolydian", "dorian", "major")),
    "serious": Mood(-0.2, -0.1, 0.4, ("dorian", "minor")),
    "melancholic": Mood(-0.4, -0.5, 0.3, ("minor", "dorian")),
    "sad": Mood(-0.7, -0.5, 0.3, ("minor",)),
    "mysterious": Mood(-0.2, -0.1, 0.6, ("dorian", "phrygian", "minor")),
    "dark": Mood(-0.6, 0.0, 0.6, ("minor", "phrygian")),
    "tense": Mood(-0.5, 0.5, 0.9, ("minor", "phrygian")),
    "scary": Mood(-0.8, 0.6, 1.0, ("phrygian", "minor")),
    "angry": Mood(-0.7, 0.8, 0.8, ("minor", "phrygian")),
    "dramatic": Mood(-0.2, 0.7, 0.7, ("minor", "dorian")),
}
