"""The closed vocabulary of the brief: genres, moods and instruments, and what each means for the music.

Four tables and nothing else. Every name that a brief may hold is a key here; `synonyms` are further words by which a
person may ask for it (upper and lower case, hyphens, spaces and plurals make no difference). A genre is also a style of the composer, an instrument also a patch of the synthesiser, so a new
genre is one entry here and one in `compose/styles.py`, a new instrument one here and one in `sound/patches`.
"""

from dataclasses import dataclass
from typing import Literal

Family = Literal[
    "keys", "mallets", "plucked", "strings", "woodwind", "brass", "voices", "pads", "synths", "bass", "drums", "effects"
]


def _words(listed: str) -> tuple[str, ...]:
    return tuple(listed.split(", "))


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
    "grand piano": Instrument("keys", 0, 28, 100, synonyms=_words("piano, concert piano, pianoforte")),
    "felt piano": Instrument("keys", 1, 33, 93, synonyms=_words("soft piano, upright piano, intimate piano")),
    "electric piano": Instrument("keys", 4, 33, 93, synonyms=_words("rhodes, e-piano, epiano, wurlitzer, keys")),
    "organ": Instrument("keys", 16, 36, 96, sustained=True, synonyms=_words("hammond, church organ")),
    "marimba": Instrument("mallets", 12, 45, 96, synonyms=_words("xylophone, kalimba, balafon")),
    "vibraphone": Instrument("mallets", 11, 53, 89, synonyms=_words("vibes")),
    "glockenspiel": Instrument("mallets", 9, 72, 105, synonyms=_words("bells, glock, celesta, music box, chimes")),
    "harp": Instrument("plucked", 46, 28, 100, synonyms=_words("harps, lyre")),
    "acoustic guitar": Instrument(
        "plucked",
        25,
        40,
        84,
        synonyms=_words("guitar, steel guitar, nylon guitar, classical guitar, ukulele, banjo, mandolin"),
    ),
    "electric guitar": Instrument("plucked", 27, 40, 86, synonyms=_words("clean guitar, clean electric guitar")),
    "distorted guitar": Instrument(
        "plucked",
        30,
        40,
        86,
        sustained=True,
        synonyms=_words("overdriven guitar, heavy guitar, rock guitar, power chords"),
    ),
    "pizzicato strings": Instrument("strings", 45, 36, 93, synonyms=_words("pizzicato, plucked strings")),
    "strings": Instrument(
        "strings",
        48,
        28,
        96,
        sustained=True,
        synonyms=_words("string section, string ensemble, legato strings, violins"),
    ),
    "tremolo strings": Instrument("strings", 44, 28, 96, sustained=True, synonyms=_words("tremolo")),
    "solo violin": Instrument("strings", 40, 55, 98, sustained=True, synonyms=_words("violin, fiddle")),
    "solo cello": Instrument("strings", 42, 36, 76, sustained=True, synonyms=_words("cello, violoncello, viola")),
    "flute": Instrument("woodwind", 73, 60, 96, sustained=True, synonyms=_words("flutes, piccolo, whistle, recorder")),
    "clarinet": Instrument("woodwind", 71, 50, 89, sustained=True, synonyms=_words("clarinets, oboe")),
    "bassoon": Instrument("woodwind", 70, 34, 72, sustained=True),
    "saxophone": Instrument("woodwind", 65, 49, 81, sustained=True, synonyms=_words("sax, saxes, alto sax, tenor sax")),
    "french horn": Instrument("brass", 60, 38, 77, sustained=True, synonyms=_words("horn, horns")),
    "brass section": Instrument(
        "brass",
        61,
        36,
        86,
        sustained=True,
        synonyms=_words("brass, horn section, brass band, trombone, trombones, trumpets"),
    ),
    "trumpet": Instrument("brass", 56, 54, 86, sustained=True, synonyms=_words("cornet, bugle, flugelhorn")),
    "choir": Instrument(
        "voices",
        52,
        43,
        84,
        sustained=True,
        synonyms=_words("voices, vocals, vocal, chorus, singing, choral, voice"),
    ),
    "warm pad": Instrument("pads", 89, 33, 89, sustained=True, synonyms=_words("pad, pads, synth pad, drone")),
    "bright pad": Instrument("pads", 90, 40, 96, sustained=True, synonyms=_words("polysynth, shimmer, glass pad")),
    "synth lead": Instrument(
        "synths", 81, 48, 96, sustained=True, synonyms=_words("lead synth, synth, synthesizer, synthesiser, synths")
    ),
    "synth pluck": Instrument("synths", 84, 40, 100, synonyms=_words("pluck, arpeggio, arp, arpeggiator, sequencer")),
    "upright bass": Instrument("bass", 32, 28, 60, synonyms=_words("double bass, acoustic bass, contrabass")),
    "electric bass": Instrument("bass", 33, 28, 64, synonyms=_words("bass, bass guitar, fingered bass")),
    "synth bass": Instrument("bass", 38, 24, 64, sustained=True, synonyms=_words("sub bass, 808 bass, sub")),
    "drum kit": Instrument("drums", 0, 35, 81, drums=True, synonyms=_words("drums, acoustic drums, drum set")),
    "brushes": Instrument("drums", 40, 35, 81, drums=True, synonyms=_words("brush kit, brushed drums")),
    "electronic kit": Instrument(
        "drums",
        25,
        35,
        81,
        drums=True,
        synonyms=_words("drum machine, electronic drums, programmed drums, 808, 909, beats, beat"),
    ),
    "cinematic percussion": Instrument(
        "drums", 48, 27, 87, drums=True, synonyms=_words("taiko, taikos, timpani, epic drums, orchestral percussion")
    ),
    "shaker": Instrument(
        "drums", 0, 39, 82, drums=True, synonyms=_words("tambourine, hand percussion, claps, bongos, congas")
    ),
    "riser": Instrument(
        "effects", 119, 24, 96, sustained=True, synonyms=_words("risers, swell, swells, whoosh, sweep")
    ),
    "impact": Instrument("effects", 47, 12, 72, synonyms=_words("impacts, boom, booms, hit, hits, stinger, braam")),
}


def _all_of(*families: Family) -> tuple[str, ...]:
    return tuple(name for name, instrument in INSTRUMENTS.items() if instrument.family in families)


# Words that mean a group of instruments. Avoiding one avoids every member; asking for one asks for the member that the
# genre would choose, else for the first. A word may name an instrument as well ("strings"): then asking means the
# instrument and avoiding means the group.
FAMILIES: dict[str, tuple[str, ...]] = {
    "percussion": ("cinematic percussion", "shaker", "drum kit", "brushes", "electronic kit"),
    "drums": _all_of("drums"),
    "keyboards": _all_of("keys"),
    "pianos": ("grand piano", "felt piano", "electric piano"),
    "mallets": _all_of("mallets"),
    "plucked": _all_of("plucked"),
    "guitars": ("acoustic guitar", "electric guitar", "distorted guitar"),
    "electric guitars": ("electric guitar", "distorted guitar"),
    "strings": _all_of("strings"),
    "woodwinds": _all_of("woodwind"),
    "brass": _all_of("brass"),
    "horns": ("french horn", "brass section", "trumpet"),
    "winds": _all_of("woodwind", "brass"),
    "orchestra": ("strings", "tremolo strings", "pizzicato strings", *_all_of("woodwind", "brass")),
    "pads": _all_of("pads"),
    "synths": ("synth pluck", "synth lead", "bright pad", "warm pad", "synth bass"),
    "bass": _all_of("bass"),
    "effects": _all_of("effects"),
}


@dataclass(frozen=True)
class Genre:
    """One genre: the tempi it lives in, whether it grooves (steady pulse, one metre), its modes, and who plays in it.

    `valence` and `arousal` (−1 to 1) say how it feels by itself; they help to choose a genre for a film that names none.
    `unasked` and `under_speech` are how much that choice likes or shuns it: everywhere, and where somebody speaks
    throughout.
    """

    tempo_bpm: tuple[float, float]
    grooves: bool
    modes: tuple[str, ...]
    instruments: tuple[str, ...]
    valence: float
    arousal: float
    synonyms: tuple[str, ...] = ()
    unasked: float = 0.0
    under_speech: float = 0.0


GENRES: dict[str, Genre] = {
    "ambient": Genre(
        (56, 84),
        False,
        ("lydian", "major", "dorian", "minor"),
        ("warm pad", "bright pad", "felt piano", "vibraphone", "harp"),
        0.2,
        -0.7,
        synonyms=_words(
            "ambience, atmosphere, atmospheric, soundscape, soundscapes, new age, drone music, meditation, "
            "meditative, spa, yoga"
        ),
        unasked=0.1,
        under_speech=0.3,
    ),
    "cinematic": Genre(
        (64, 120),
        False,
        ("minor", "dorian", "major"),
        ("strings", "grand piano", "french horn", "cinematic percussion", "warm pad", "solo cello"),
        0.0,
        0.1,
        synonyms=_words("film score, film music, movie score, movie music, soundtrack, documentary, filmic"),
        unasked=0.2,
        under_speech=0.1,
    ),
    "orchestral": Genre(
        (66, 132),
        False,
        ("major", "minor", "lydian"),
        ("strings", "french horn", "flute", "clarinet", "harp", "cinematic percussion", "pizzicato strings"),
        0.4,
        0.2,
        synonyms=_words("orchestra, symphonic, symphony, adventure, fantasy, fairy tale, philharmonic"),
        unasked=0.1,
        under_speech=-0.2,
    ),
    "epic": Genre(
        (80, 144),
        False,
        ("minor", "dorian", "phrygian"),
        ("strings", "brass section", "choir", "cinematic percussion", "french horn"),
        -0.1,
        0.9,
        synonyms=_words("trailer, trailer music, blockbuster, battle, war, action, heroic, hybrid orchestral"),
        unasked=-0.15,
        under_speech=-0.6,
    ),
    "solo piano": Genre(
        (60, 104),
        False,
        ("major", "minor", "dorian"),
        ("grand piano",),
        0.1,
        -0.4,
        synonyms=_words(
            "piano solo, neoclassical, neo classical, modern classical, piano ballad, ballad, minimalist piano"
        ),
        unasked=0.0,
        under_speech=0.25,
    ),
    "folk": Genre(
        (76, 124),
        False,
        ("major", "mixolydian", "dorian"),
        ("acoustic guitar", "solo violin", "upright bass", "shaker", "flute"),
        0.5,
        0.0,
        synonyms=_words(
            "acoustic, country, americana, indie folk, indie, singer songwriter, bluegrass, celtic, irish, "
            "campfire, western"
        ),
        unasked=0.05,
        under_speech=0.1,
    ),
    "corporate": Genre(
        (96, 128),
        True,
        ("major", "mixolydian"),
        ("grand piano", "electric guitar", "synth pluck", "electric bass", "drum kit", "strings"),
        0.6,
        0.4,
        synonyms=_words(
            "business, commercial, advertising, advert, presentation, startup, product video, explainer, "
            "tutorial, inspirational, pop, tech"
        ),
        unasked=0.05,
        under_speech=0.2,
    ),
    "lo-fi": Genre(
        (68, 90),
        True,
        ("dorian", "minor", "major"),
        ("electric piano", "vibraphone", "upright bass", "electronic kit", "warm pad"),
        0.2,
        -0.3,
        synonyms=_words(
            "lofi hip hop, low fi, chillhop, chill hop, study beats, study, studying, chill beats, bedroom "
            "pop, downtempo, trip hop"
        ),
        unasked=-0.05,
        under_speech=0.1,
    ),
    "hip-hop": Genre(
        (78, 100),
        True,
        ("minor", "dorian", "phrygian"),
        ("electric piano", "synth bass", "electronic kit", "strings", "synth pluck"),
        -0.1,
        0.3,
        synonyms=_words("rap, trap, boom bap, urban, rnb, r&b, street"),
        unasked=-0.15,
        under_speech=-0.3,
    ),
    "electronic": Genre(
        (110, 132),
        True,
        ("minor", "dorian", "major"),
        ("synth pluck", "synth bass", "bright pad", "electronic kit", "synth lead"),
        0.2,
        0.7,
        synonyms=_words(
            "edm, electro, electronica, house, techno, trance, dance, dance music, club, rave, drum and bass, "
            "drum & bass, dnb, dubstep, disco, eurodance, technology"
        ),
        unasked=0.0,
        under_speech=-0.2,
    ),
    "synthwave": Genre(
        (84, 118),
        True,
        ("minor", "dorian"),
        ("synth lead", "synth bass", "warm pad", "synth pluck", "electronic kit"),
        0.1,
        0.4,
        synonyms=_words(
            "retrowave, retro wave, outrun, vaporwave, 80s, 80's, 1980s, eighties, new wave, synth pop, "
            "cyberpunk, sci fi, science fiction, retro"
        ),
        unasked=-0.25,
        under_speech=-0.2,
    ),
    "rock": Genre(
        (100, 160),
        True,
        ("minor", "mixolydian", "major"),
        ("distorted guitar", "electric guitar", "electric bass", "drum kit", "organ"),
        0.2,
        0.8,
        synonyms=_words(
            "indie rock, hard rock, punk, punk rock, metal, heavy metal, alternative, grunge, garage rock, "
            "rock and roll, rock n roll, rock'n'roll"
        ),
        unasked=-0.15,
        under_speech=-0.5,
    ),
    "jazz": Genre(
        (90, 168),
        True,
        ("dorian", "major", "mixolydian"),
        ("grand piano", "upright bass", "brushes", "saxophone", "vibraphone"),
        0.4,
        0.1,
        synonyms=_words("swing, bebop, jazzy, lounge, bossa nova, bossa, big band, noir, blues, cocktail, smoky"),
        unasked=-0.3,
        under_speech=-0.1,
    ),
    "funk": Genre(
        (94, 118),
        True,
        ("dorian", "mixolydian"),
        ("electric guitar", "electric bass", "drum kit", "brass section", "electric piano", "organ"),
        0.6,
        0.6,
        synonyms=_words("funky, soul, motown, groovy, 70s, 1970s, seventies, groove"),
        unasked=-0.25,
        under_speech=-0.4,
    ),
    "classical": Genre(
        (66, 132),
        False,
        ("major", "minor"),
        ("strings", "flute", "clarinet", "bassoon", "harp"),
        0.4,
        0.0,
        synonyms=_words("classic, baroque, chamber music, chamber, mozart, string quartet, classical music"),
        unasked=-0.15,
        under_speech=0.0,
    ),
    "suspense": Genre(
        (70, 120),
        False,
        ("minor", "phrygian"),
        ("tremolo strings", "warm pad", "solo cello", "cinematic percussion", "bassoon"),
        -0.6,
        0.3,
        synonyms=_words("thriller, horror, crime, detective, spy, true crime, halloween"),
        unasked=-0.1,
        under_speech=0.0,
    ),
    "comedy": Genre(
        (96, 144),
        False,
        ("major", "mixolydian"),
        ("pizzicato strings", "clarinet", "bassoon", "marimba", "glockenspiel", "shaker"),
        0.8,
        0.3,
        synonyms=_words("cartoon, slapstick, sitcom, kids, children, children's, circus, animation"),
        unasked=-0.15,
        under_speech=-0.1,
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
    "happy": Mood(
        0.8,
        0.4,
        0.1,
        ("major", "mixolydian"),
        ("acoustic guitar", "glockenspiel", "marimba"),
        synonyms=_words(
            "joyful, joyous, joy, cheerful, cheery, upbeat, merry, bright, sunny, jolly, fun, feel good, "
            "happiness, positive, glad, lighthearted, summer, summery, birthday"
        ),
    ),
    "playful": Mood(
        0.7,
        0.4,
        0.2,
        ("major", "mixolydian", "lydian"),
        ("pizzicato strings", "marimba", "glockenspiel"),
        synonyms=_words("bouncy, cute, cheeky, whimsical, light, childlike, naughty, lively, jaunty, fluffy"),
    ),
    "funny": Mood(
        0.7,
        0.5,
        0.2,
        ("major", "mixolydian"),
        ("bassoon", "pizzicato strings", "clarinet"),
        synonyms=_words("silly, goofy, comic, comical, humorous, humor, humour, quirky, wacky, hilarious, zany"),
    ),
    "hopeful": Mood(
        0.6,
        0.0,
        0.2,
        ("major", "lydian"),
        ("grand piano", "strings", "french horn"),
        synonyms=_words("hope, optimistic, optimism, encouraging, promising, reassuring, dawn, sunrise"),
    ),
    "inspiring": Mood(
        0.6,
        0.5,
        0.25,
        ("major", "mixolydian"),
        ("grand piano", "strings", "french horn"),
        synonyms=_words(
            "uplifting, motivating, motivational, inspiration, inspired, empowering, moving, success, "
            "successful, innovative, soaring"
        ),
    ),
    "triumphant": Mood(
        0.7,
        0.8,
        0.3,
        ("major", "mixolydian"),
        ("brass section", "trumpet", "cinematic percussion"),
        synonyms=_words(
            "triumph, victorious, victory, glorious, majestic, grand, celebration, celebratory, anthemic, "
            "proud, noble, winning"
        ),
    ),
    "energetic": Mood(
        0.5,
        0.8,
        0.3,
        ("major", "mixolydian", "dorian", "minor"),
        ("drum kit", "electric guitar", "synth pluck"),
        synonyms=_words(
            "dynamic, vibrant, driven, sporty, sport, sports, workout, gym, running, vigorous, "
            "active, hyper, pumping, party, punchy"
        ),
    ),
    "exciting": Mood(
        0.5,
        0.9,
        0.5,
        ("mixolydian", "dorian", "major"),
        ("cinematic percussion", "drum kit", "brass section"),
        synonyms=_words(
            "excited, thrilling, adrenaline, excitement, breathtaking, adventurous, extreme, racing, chase"
        ),
    ),
    "confident": Mood(
        0.4,
        0.3,
        0.2,
        ("mixolydian", "dorian"),
        ("electric bass", "electric guitar", "drum kit"),
        synonyms=_words(
            "cool, bold, swagger, stylish, strong, assured, determined, sexy, slick, modern, fashion, fashionable"
        ),
    ),
    "calm": Mood(
        0.4,
        -0.6,
        0.0,
        ("major", "lydian", "dorian"),
        ("felt piano", "warm pad", "harp"),
        synonyms=_words(
            "relaxed, relaxing, relax, chill, chilled, chillout, laid back, mellow, easy, easygoing, "
            "soothing, unhurried, restful, relaxation, cozy, cosy, unobtrusive, subtle"
        ),
    ),
    "peaceful": Mood(
        0.5,
        -0.7,
        0.0,
        ("major", "lydian"),
        ("harp", "flute", "warm pad"),
        synonyms=_words(
            "serene, serenity, tranquil, tranquility, still, peace, zen, pastoral, nature, healing, sleep, "
            "sleepy, lullaby, idyllic"
        ),
    ),
    "tender": Mood(
        0.4,
        -0.5,
        0.1,
        ("major",),
        ("felt piano", "solo cello", "solo violin"),
        synonyms=_words(
            "gentle, soft, warm, intimate, delicate, sweet, touching, emotional, heartfelt, warmhearted, heartwarming, "
            "loving, lovely, caring"
        ),
    ),
    "romantic": Mood(
        0.5,
        -0.2,
        0.2,
        ("major", "minor"),
        ("solo violin", "strings", "saxophone"),
        synonyms=_words("romance, love, love story, wedding, passionate, sensual, passion"),
    ),
    "dreamy": Mood(
        0.3,
        -0.5,
        0.1,
        ("lydian", "major"),
        ("bright pad", "harp", "vibraphone"),
        synonyms=_words(
            "dreamlike, dream, dreaming, ethereal, floating, hazy, airy, spacey, weightless, underwater, "
            "hypnotic, misty"
        ),
    ),
    "wondrous": Mood(
        0.5,
        0.0,
        0.2,
        ("lydian", "major"),
        ("glockenspiel", "harp", "strings"),
        synonyms=_words(
            "wonder, magical, magic, enchanting, enchanted, awe, awesome, space, cosmic, amazed, wonderful, "
            "discovery, fantastical"
        ),
    ),
    "nostalgic": Mood(
        0.1,
        -0.4,
        0.2,
        ("major", "mixolydian", "dorian"),
        ("felt piano", "acoustic guitar", "clarinet"),
        synonyms=_words(
            "nostalgia, wistful, bittersweet, memories, memory, sentimental, reminiscent, vintage, "
            "reflective, yearning, longing, family"
        ),
    ),
    "neutral": Mood(
        0.1,
        -0.1,
        0.1,
        ("mixolydian", "dorian", "major"),
        ("electric piano", "marimba"),
        synonyms=_words("plain, informative, unemotional, matter of fact, ordinary, neutrality"),
    ),
    "serious": Mood(
        -0.2,
        -0.1,
        0.4,
        ("dorian", "minor"),
        ("solo cello", "strings", "grand piano"),
        synonyms=_words(
            "solemn, sober, grave, earnest, thoughtful, pensive, contemplative, profound, deep, news, investigative"
        ),
    ),
    "melancholic": Mood(
        -0.4,
        -0.5,
        0.3,
        ("minor", "dorian"),
        ("solo cello", "felt piano", "clarinet"),
        synonyms=_words(
            "melancholy, melancholia, lonely, lonesome, loneliness, gloomy, moody, rainy, autumn, autumnal, "
            "blue, somber, sombre, bleak"
        ),
    ),
    "sad": Mood(
        -0.7,
        -0.5,
        0.3,
        ("minor",),
        ("solo cello", "grand piano", "solo violin"),
        synonyms=_words(
            "sorrowful, sorrow, unhappy, mournful, mourning, grief, grieving, tragic, tragedy, heartbroken, "
            "heartbreaking, tearful, depressing, depressed, depressive, funeral, crying"
        ),
    ),
    "mysterious": Mood(
        -0.2,
        -0.1,
        0.6,
        ("dorian", "phrygian", "minor"),
        ("clarinet", "vibraphone", "tremolo strings"),
        synonyms=_words(
            "mystery, enigmatic, mystical, mystic, strange, eerie, curious, secretive, secret, weird, "
            "otherworldly, unknown, occult"
        ),
    ),
    "dark": Mood(
        -0.6,
        0.0,
        0.6,
        ("minor", "phrygian"),
        ("warm pad", "solo cello", "synth bass"),
        synonyms=_words("gothic, grim, sinister, brooding, ominous, evil, night, foreboding, shadowy, dystopian"),
    ),
    "tense": Mood(
        -0.5,
        0.5,
        0.9,
        ("minor", "phrygian"),
        ("tremolo strings", "cinematic percussion", "synth bass"),
        synonyms=_words(
            "tension, suspenseful, nervous, anxious, uneasy, urgent, urgency, nail biting, edgy, stressful, "
            "restless, anxiety"
        ),
    ),
    "scary": Mood(
        -0.8,
        0.6,
        1.0,
        ("phrygian", "minor"),
        ("tremolo strings", "impact", "choir"),
        synonyms=_words(
            "frightening, terrifying, horrifying, fearful, fear, spooky, creepy, terror, haunting, haunted, "
            "nightmare, nightmarish, menacing, threatening, scared"
        ),
    ),
    "angry": Mood(
        -0.7,
        0.8,
        0.8,
        ("minor", "phrygian"),
        ("distorted guitar", "drum kit", "brass section"),
        synonyms=_words("anger, aggressive, furious, rage, fierce, violent, brutal, hostile, raging, aggression"),
    ),
    "dramatic": Mood(
        -0.2,
        0.7,
        0.7,
        ("minor", "dorian"),
        ("strings", "cinematic percussion", "brass section"),
        synonyms=_words("drama, stormy, storm, turbulent, fateful, monumental, theatrical, climactic"),
    ),
}
