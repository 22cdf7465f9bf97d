"""The music of one section in plain English, by rule: what is seen, how much goes on, how it feels, and where it is heading.

No instrument, tempo or key is named, so that nothing contradicts what the brief has settled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reelscore.brief import Section
from reelscore.spotting.clauses import count_words, within
from reelscore.spotting.emotion import Emotion, nearest_moods
from reelscore.spotting.scene_facts import SceneFacts, in_words
from reelscore.spotting.tagging import NEVER_GUESSED
from reelscore.vocabulary import MOODS

_AMOUNTS = (
    (0.2, "barely there, a few soft notes"),
    (0.38, "quiet and sparse"),
    (0.55, "gentle and flowing"),
    (0.72, "full and moving forward"),
    (0.86, "strong and driving"),
    (1.1, "powerful and dense"),
)
_PARTS = {
    "intro": "opening the piece",
    "theme": "carrying the theme",
    "build": "building step by step",
    "climax": "the peak of the piece",
    "breakdown": "holding back and leaving space",
    "outro": "winding down",
}
_FIGURES = {
    "still": "long held notes",
    "calm": "an unhurried flow",
    "lively": "lively rhythmic figures",
    "hectic": "busy and restless figures",
}
_CALM, _LIVELY = ("still", "calm"), ("hectic", "lively")
_ASKED = 0.3  # of a pace, from which it was clearly asked for
_COLOURS = {
    "dark": "a low, shadowed register",
    "dim": "a veiled, muted tone",
    "bright": "a clear, open register",
    "warm": "a warm tone",
    "cold": "a cool tone",
}
_COLOURLESS = ("neutral",)  # moods that tell a player nothing
_PHRASES = {"very fast": "short phrases", "fast": "short phrases", "slow": "long phrases"}
_SPOKEN_OVER = ("about half", "nearly throughout")
_TURN = 0.1  # of energy, from which the music is heard to rise or fall
_SEEN_WORDS = 14  # of what is seen, where the film is told of as well
_FEWEST_WORDS = 3  # that are worth being said of what is seen


@dataclass(frozen=True)
class Passage:
    """A section and the one after it, if any, with what may be said of the film: `seen` of its own stretch, `story` of the whole.

    `moods` are moods that the section shall have before all that its emotion says, `avoid` those that it shall not have.
    `energy` and `pace` are what the person asked for (−1.5 to 1.5), None where they did not.
    """

    section: Section
    after: Section | None
    facts: SceneFacts
    energy: float | None
    pace: float | None
    seen: str
    story: str
    moods: tuple[str, ...]
    avoid: tuple[str, ...]

    @property
    def amount(self) -> str:
        """How much music there is, never the contrary of what the person asked for."""
        amount, asked = self.section.energy, self.energy or 0.0
        if asked < 0:
            amount = min(amount, 0.7 + 0.45 * asked)
        elif asked > 0:
            amount = max(amount, 0.3 + 0.3 * asked)
        return in_words(amount, _AMOUNTS)

    @property
    def figures(self) -> str:
        """What kind of figures go with the movement that is seen, if the person asked for none that are faster or slower."""
        asked = self.pace or 0.0
        allowed = _CALM if asked < -_ASKED else _LIVELY if asked > _ASKED else ()
        movement = self.facts.movement
        return _FIGURES[movement if not allowed or movement in allowed else allowed[-1]]

    @property
    def feelings(self) -> list[str]:
        """Moods for the section, the best first, all as bright as that or all as dark."""
        felt = Emotion(self.section.valence, self.section.arousal, self.section.tension)
        near = nearest_moods(felt, (*self.avoid, *NEVER_GUESSED, *_COLOURLESS)) or [*_COLOURLESS]
        best, *others = dict.fromkeys((*(mood for mood in self.moods if mood not in self.avoid), *near))
        return [best, *(mood for mood in others if MOODS[mood].valence * MOODS[best].valence > 0)]

    @property
    def heading(self) -> str:
        """Where the music is heading, by the energy of what comes next; "" where it goes on as it is."""
        if self.after is None:
            return "coming to rest at the end" if self.section.start else "rising, then coming to rest at the end"
        step = self.after.energy - self.section.energy
        return "rising towards the end" if step > _TURN else "calming towards the end" if step < -_TURN else ""


def plainly(passage: Passage) -> str:
    """How much music there is and how it feels, and nothing else."""
    return _sentence(f"{passage.amount}, {passage.feelings[0]}")


def briefly(passage: Passage, most_words: int) -> str:
    """What is seen, and then the music in one phrase: how much of it, its feeling, its part in the piece, and where it is heading."""
    music = [passage.amount, passage.feelings[0], *_background(passage), *_course(passage)]
    return _with_seen(passage.seen, ", ".join(music), most_words)


def at_length(passage: Passage, most_words: int) -> str:
    """The same with figures, register and phrases after movement, light and cutting, and with what the whole film shows."""
    facts = passage.facts
    music = [passage.amount, " and ".join(passage.feelings[:2]), passage.figures]
    music += [_COLOURS[light] for light in facts.light.split(", ") if light in _COLOURS]
    music += [phrases for phrases in (_PHRASES.get(facts.cutting),) if phrases]
    said = ", ".join([*music, *_background(passage), *_course(passage)])
    text = _with_seen(passage.seen, said, min(most_words, count_words(said) + _SEEN_WORDS))
    room = most_words - count_words(text) - 2
    story = within(passage.story, room) if room >= _FEWEST_WORDS else ""
    return f"{text}. The film: {story}" if story else text


def _with_seen(seen: str, music: str, most_words: int) -> str:
    """The music behind as much of what is seen as there is room for."""
    room = most_words - count_words(music)
    head = within(seen, room).rstrip(" .!。") if room >= _FEWEST_WORDS else ""
    return within(_sentence(f"{head}; {music}" if head else music), most_words)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _course(passage: Passage) -> list[str]:
    """The part of the passage in the piece, and where it is heading."""
    return [_PARTS[passage.section.role], *filter(None, [passage.heading])]


def _background(passage: Passage) -> Sequence[str]:
    """That the music leaves to a speaker the register of the voice."""
    return ["leaving the middle register free"] if passage.facts.speech in _SPOKEN_OVER else []
