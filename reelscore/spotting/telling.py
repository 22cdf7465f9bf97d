"""What captions tell of feelings, by their words and by the answers about the people: weak evidence beside how a film looks.

Only words that name a feeling or what shows one are heard, none that also describe things ("bright", "blue", "running"), and
none behind a "not" or a "no". Of the answers only the clearest of a scene is heard, and none where it contradicts another. A
caption without either changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reelscore.analysis.facts import Analysis, Caption
from reelscore.spotting.emotion import Emotion, between, emotion, mood_emotion
from reelscore.spotting.words import words_of

# By mood, in the forms that captions use. Each word stands for the feeling of somebody or of something that goes on.
_SHOWING = {
    "happy": "happy happily joy joyful joyfully cheerful cheerfully cheering smiling smiles laughing laughs laughter delighted",
    "playful": "playful playfully",
    "funny": "funny silly goofy comical hilarious",
    "hopeful": "hopeful hopefully optimistic",
    "triumphant": "triumphant triumphantly triumph victory victorious celebrating celebration",
    "exciting": "excited excitedly exciting thrilling",
    "peaceful": "peaceful peacefully serene tranquil tranquility",
    "calm": "calm calmly relaxed relaxing",
    "tender": "tender tenderly affectionate affectionately hugging embracing",
    "romantic": "romantic romantically kissing",
    "nostalgic": "nostalgic nostalgia wistful wistfully",
    "melancholic": "melancholic melancholy lonely loneliness gloomy somber",
    "sad": "sad sadly sadness crying cries weeping sobbing tears grief grieving mourning mournful funeral sorrow sorrowful",
    "mysterious": "mysterious mysteriously eerie",
    "tense": "tense tension nervous nervously anxious anxiously worried",
    "scary": "scared frightened frightening terrified terrifying scary creepy horror screaming",
    "angry": "angry angrily furious furiously rage aggressive aggressively shouting yelling",
}
# What a captioner may say of people (`feelings.FEELING_QUESTIONS`), and the mood that goes with it.
_OF_PEOPLE = {
    "happy": "happy",
    "sad": "sad",
    "angry": "angry",
    "anxious": "tense",
    "afraid": "scary",
    "calm": "calm",
    "affectionate": "tender",
    "excited": "exciting",
}
_CLEAR = 0.7  # how sure a captioner must be of a feeling; nothing but its bias makes 0.5
_AS_CLEAR = 0.1  # another feeling that is surer than the clearest less this counts as much
_MOODS = {word: mood for mood, words in _SHOWING.items() for word in words.split()}
_NEGATORS = frozenset(["no", "not", "never", "without", "isnt", "arent", "doesnt", "neither", "nor", "hardly"])
_MOST_CHARACTERS = 4_000
_ONE_TELLS, _MORE_TELL = 0.15, 0.25


@dataclass(frozen=True)
class Told:
    """What captions tell: the mean emotion of the moods they name, the words that do, and the feelings of people; each once."""

    emotion: Emotion
    words: tuple[str, ...]
    feelings: tuple[str, ...] = ()

    def __str__(self) -> str:
        """What tells it, fit to be followed by a verb in the plural."""
        words = f"{', '.join(self.words[:8])} in the captions" if self.words else ""
        people = f"people who seem {', '.join(self.feelings)}" if self.feelings else ""
        return " and ".join(filter(None, (words, people)))


def told_in(texts: Iterable[str], feelings: Iterable[str] = ()) -> Told | None:
    """What texts tell of feelings, and the feelings of people (`seeming`); None where there are none."""
    found: dict[str, str] = {}
    for text in texts:
        words = words_of(text[:_MOST_CHARACTERS])
        for place, word in enumerate(words):
            before = {each.letters for each in words[max(0, place - 2) : place]}
            if word.letters in _MOODS and not before & _NEGATORS:
                found[word.letters] = _MOODS[word.letters]
    people = tuple(dict.fromkeys(feelings))
    felt = [mood_emotion(mood) for mood in (*found.values(), *(_OF_PEOPLE[each] for each in people))]
    if not felt:
        return None
    mean = (sum(getattr(each, scale) for each in felt) / len(felt) for scale in ("valence", "arousal", "tension"))
    return Told(emotion(*mean), tuple(found), people)


def mood_of(feelings: Sequence[str]) -> str:
    """The mood that goes with how people seem to feel (`seeming`), if they all seem to feel the same; else ""."""
    moods = {_OF_PEOPLE[feeling] for feeling in feelings}
    return moods.pop() if len(moods) == 1 else ""


def seeming(captions: Iterable[Caption]) -> tuple[str, ...]:
    """How people seem to feel in each of these scenes that clearly says so: a key of `FEELING_QUESTIONS` each."""
    return tuple(feeling for caption in captions if (feeling := _clearest(caption.feelings)))


def _clearest(feelings: Mapping[str, float]) -> str:
    """The feeling that is surest, if it is clear and no other that is about as sure says the contrary; else ""."""
    known = {name: sure for name, sure in feelings.items() if name in _OF_PEOPLE}
    best = max(known, key=lambda name: known[name], default="")
    if not best or known[best] < _CLEAR:
        return ""
    as_sure = [name for name, sure in known.items() if sure > known[best] - _AS_CLEAR]
    return best if all(_agree(best, name) for name in as_sure) else ""


def _agree(one: str, other: str) -> bool:
    """Whether two feelings point the same way in valence and arousal: as sad and calm do, and happy and sad do not."""
    first, second = mood_emotion(_OF_PEOPLE[one]), mood_emotion(_OF_PEOPLE[other])
    return first.valence * second.valence + first.arousal * second.arousal > 0


def told_between(captions: Sequence[Caption], start: float, end: float) -> Told | None:
    """What the captions tell of a stretch that they cover for the greater part, or that covers them."""
    covering = captions_between(captions, start, end)
    return told_in((caption.text for caption in covering), seeming(covering))


def captions_between(captions: Sequence[Caption], start: float, end: float) -> list[Caption]:
    """The captions that cover a stretch for the greater part, or that it covers."""
    return [
        caption
        for caption in captions
        if min(caption.end, end) - max(caption.start, start) > 0.5 * min(caption.end - caption.start, end - start)
    ]


def told_of(analysis: Analysis) -> Told | None:
    """What description and captions tell of the whole film."""
    texts = (analysis.description, *(caption.text for caption in analysis.captions))
    return told_in(texts, seeming(analysis.captions))


def coloured(seen: Emotion, told: Told | None) -> Emotion:
    """What is seen, moved a little towards what is told: 15 % of the way by a single word or feeling, 25 % by more."""
    if told is None:
        return seen
    return between(seen, told.emotion, _ONE_TELLS if len(told.words) + len(told.feelings) == 1 else _MORE_TELL)
