"""Words in captions that tell a feeling: weak evidence of how a film feels, beside how it looks.

Only words that name a feeling or what shows one are heard, none that also describe things ("bright", "blue", "running"), and
none behind a "not" or a "no". A caption without such a word changes nothing.
"""

from collections.abc import Iterable, Sequence
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
_MOODS = {word: mood for mood, words in _SHOWING.items() for word in words.split()}
_NEGATORS = frozenset(["no", "not", "never", "without", "isnt", "arent", "doesnt", "neither", "nor", "hardly"])
_MOST_CHARACTERS = 4_000
_ONE_WORD, _MORE_WORDS = 0.15, 0.25


@dataclass(frozen=True)
class Told:
    """What words tell: the mean emotion of the moods they name, and the words themselves, each once."""

    emotion: Emotion
    words: tuple[str, ...]


def told_in(texts: Iterable[str]) -> Told | None:
    """What texts tell of feelings; None where they tell none."""
    found: dict[str, str] = {}
    for text in texts:
        words = words_of(text[:_MOST_CHARACTERS])
        for place, word in enumerate(words):
            before = {each.letters for each in words[max(0, place - 2) : place]}
            if word.letters in _MOODS and not before & _NEGATORS:
                found[word.letters] = _MOODS[word.letters]
    if not found:
        return None
    felt = [mood_emotion(mood) for mood in found.values()]
    mean = (sum(getattr(each, scale) for each in felt) / len(felt) for scale in ("valence", "arousal", "tension"))
    return Told(emotion(*mean), tuple(found))


def told_between(captions: Sequence[Caption], start: float, end: float) -> Told | None:
    """What the captions tell of a stretch that they cover for the greater part, or that covers them."""
    texts = []
    for caption in captions:
        shared = min(caption.end, end) - max(caption.start, start)
        if shared > 0.5 * min(caption.end - caption.start, end - start):
            texts.append(caption.text)
    return told_in(texts)


def told_of(analysis: Analysis) -> Told | None:
    """What description and captions tell of the whole film."""
    return told_in((analysis.description, *(caption.text for caption in analysis.captions)))


def coloured(seen: Emotion, told: Told | None) -> Emotion:
    """What is seen, moved a little towards what is told: 15 % of the way by a single word, 25 % by more."""
    if told is None:
        return seen
    return between(seen, told.emotion, _ONE_WORD if len(told.words) == 1 else _MORE_WORDS)
