"""What captioners answered about people, heard in the brief: a little, where it is clear, and never both ways."""

import pytest
from made_films import FIVE_SCENES

from reelscore.analysis.facts import Analysis, Caption
from reelscore.spotting import write_brief
from reelscore.spotting.telling import coloured, mood_of, seeming, told_between, told_in

SHY = dict.fromkeys(("happy", "sad", "angry", "anxious", "afraid", "calm", "affectionate", "excited"), 0.3)


def caption(text: str = "people in a room", start: float = 0, end: float = 6, **feelings: float) -> Caption:
    return Caption(start=start, end=end, text=text, people=0.95, feelings={**SHY, **feelings} if feelings else {})


@pytest.mark.parametrize(
    ("feelings", "seem"),
    [
        ({"sad": 0.9}, ("sad",)),
        ({"sad": 0.9, "happy": 0.75}, ("sad",)),
        ({"sad": 0.9, "calm": 0.88}, ("sad",)),
        ({"anxious": 0.8, "afraid": 0.78}, ("anxious",)),
        ({"sad": 0.6}, ()),
        ({"sad": 0.9, "happy": 0.87}, ()),
        ({"excited": 0.9, "calm": 0.9}, ()),
        (dict.fromkeys(SHY, 1.0), ()),
        ({"grumpy": 1.0}, ()),
        ({}, ()),
    ],
)
def test_the_clearest_feeling_is_heard_unless_another_says_the_contrary(
    feelings: dict[str, float], seem: tuple[str, ...]
) -> None:
    assert seeming([caption(**feelings)]) == seem
    assert (told_in([], seem) is None) is (seem == ())


def test_a_feeling_weighs_as_much_as_a_word_and_both_say_who_told_them() -> None:
    word, feeling, both = told_in(["a funeral"]), told_in([], ["sad"]), told_in(["a funeral"], ["sad"])
    assert word and feeling and both
    seen = told_in(["smiling"]).emotion
    assert coloured(seen, word) == coloured(seen, feeling)
    assert coloured(seen, both).valence < coloured(seen, feeling).valence < seen.valence
    assert str(both) == "funeral in the captions and people who seem sad"
    assert (str(word), str(feeling)) == ("funeral in the captions", "people who seem sad")


def test_a_word_and_a_feeling_that_contradict_each_other_cancel() -> None:
    told = told_in(["a woman smiling"], ["sad"])
    assert told is not None and abs(told.emotion.valence) < 0.1


def test_only_the_scene_itself_is_heard() -> None:
    captions = [caption(sad=0.9), caption(start=6, end=13, happy=0.9)]
    assert told_between(captions, 0, 6).feelings == ("sad",)
    assert told_between(captions, 6, 13).feelings == ("happy",)
    assert told_between(captions, 13, 20) is None


def test_a_mood_goes_with_people_who_all_seem_to_feel_the_same() -> None:
    assert (mood_of(("anxious",)), mood_of(("sad", "sad")), mood_of(("sad", "happy")), mood_of(())) == (
        "tense",
        "sad",
        "",
        "",
    )


def with_people(**feelings: float) -> Analysis:
    captions = (caption(), caption(start=6, end=13, **feelings))
    return FIVE_SCENES.model_copy(update={"captions": captions})


def test_people_colour_their_section_a_little_and_the_brief_says_so() -> None:
    plain, sad = write_brief(with_people()), write_brief(with_people(sad=0.9))
    assert plain == write_brief(FIVE_SCENES)
    assert sad.sources["captions"] == "rule: people who seem sad colour the emotion a little"
    apart = [told.valence - own.valence for told, own in zip(sad.sections, plain.sections, strict=True)]
    assert apart[1] == min(apart) and -0.5 < apart[1] < -0.03
    assert write_brief(with_people(sad=0.9, happy=0.9)) == plain
