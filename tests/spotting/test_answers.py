"""What language models write, and what is understood of it: names of the vocabulary and bounded numbers, whatever comes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelscore.brief import MODES, Key
from reelscore.spotting.language.answers import SceneAdvice, Suggestion, read_answer
from reelscore.spotting.language.loose_json import values_in
from reelscore.spotting.language.reading import without_thoughts
from reelscore.vocabulary import FAMILIES, GENRES, INSTRUMENTS, MOODS

WHOLE = {
    "genres": ["cinematic"],
    "moods": ["calm", "hopeful"],
    "instruments": ["felt piano", "strings"],
    "avoid": ["drum kit"],
    "tempo_bpm": 72,
    "mode": "major",
    "scenes": [{"scene": 1, "mood": "calm", "energy": 0.2}, {"scene": 2, "mood": "tense", "energy": 0.9}],
}
UNDERSTOOD = Suggestion(
    genres=("cinematic",),
    moods=("calm", "hopeful"),
    instruments=("felt piano", "strings"),
    avoid=("drum kit",),
    tempo_bpm=72.0,
    mode="major",
    scenes=(SceneAdvice("calm", 0.2), SceneAdvice("tense", 0.9)),
)


@pytest.mark.parametrize(
    "dress",
    [
        lambda text: text,
        lambda text: f"Of course! Here is the music:\n```json\n{text}\n```\nTell me if you want changes {{or not}}.",
        lambda text: text.replace('"', "'"),
        lambda text: text.replace("]", ",]").replace("}", ", }"),
        lambda text: text.rstrip("}").rstrip("]"),
        lambda text: text[: text.rindex("0.9") + 3],
        lambda text: text.replace("cinematic", "CINEMATIC").replace('["calm"', '["Calm", "CALM", "calm"'),
        lambda text: f'<think>maybe {{"genres": ["rock"]}}?</think>{text}',
        lambda text: f'I should think of {{"genres": ["rock"]}} first.\n</think>\n\n{text}',
        lambda text: f'{{"answer": {text}}}',
        lambda text: f"[{text}]",
        lambda text: text.replace("72", '"72 BPM"'),
        lambda text: text.replace("72", '"70-74bpm"'),
        lambda text: text.replace('"tempo_bpm"', '"Tempo"').replace('"genres"', '"Genre"'),
        lambda text: text.replace("true", "True").replace('"mode"', "mode").replace('"avoid"', "avoid"),
        lambda text: text.replace('["cinematic"]', '"film score"').replace('"strings"', '"the string section"'),
        lambda text: text.replace("0.9", '"90%"').replace("0.2", '"0.2"'),
        lambda text: "\x00\x1b[31m" + text + "\ud800",
    ],
)
def test_however_it_is_dressed(dress):
    answer = read_answer(dress(json.dumps(WHOLE)), 2)
    assert answer.suggestion == UNDERSTOOD
    assert answer.faults == ()


def test_scenes_in_other_forms():
    for scenes in (
        {"1": {"mood": "calm", "energy": 0.2}, "scene 2": {"mood": "tense", "energy": 0.9}},
        [{"mood": "calm", "energy": 0.2}, {"mood": "tense", "energy": 0.9}],
        [{"scene": "2", "mood": ["tense"], "energy": 0.9}, {"scene": 1, "mood": "calm", "intensity": 0.2}],
        [{"scene": 1, "mood": "calm", "energy": 0.2}, {"number": 2, "mood": "tense", "energy": 0.9}, {"scene": 9}],
    ):
        assert read_answer(json.dumps({**WHOLE, "scenes": scenes}), 2).suggestion.scenes == UNDERSTOOD.scenes


def test_a_line_of_tags_as_sonique_has_them():
    answer = read_answer("Piano, Synths, Strings, Violin, Reflective, Ambient, Slow tempo, 96 BPM", 1)
    found = answer.suggestion
    assert found.genres == ("ambient",) and found.moods == ("nostalgic",) and found.tempo_bpm == 96
    assert found.instruments == ("pianos", "synths", "strings", "solo violin") and found.pace is None
    assert answer.faults == ()


def test_tags_behind_a_label_and_before_an_explanation():
    text = "Tags: Acoustic guitar, folk, happy, 110bpm\nExplanation: the tags fit the scene, because it is sunny, and warm."
    found = read_answer(text, 1).suggestion
    assert (found.genres, found.moods, found.instruments) == (("folk",), ("happy",), ("acoustic guitar",))
    assert found.tempo_bpm == 110


def test_lines_with_labels():
    text = "**Genres:** Epic\n**Moods**: dark, tense\n**Instruments:**\n- taiko\n- choir\n* Tempo: fast\nKey: D minor\n"
    found = read_answer(text, 1).suggestion
    assert (found.genres, found.moods) == (("epic",), ("dark", "tense"))
    assert found.instruments == ("cinematic percussion", "choir")
    assert (found.pace, found.tempo_bpm, found.key) == (0.9, None, "D minor")


def test_a_list_of_tags_in_json():
    for written in ({"tags": ["Piano", "calm", "lo-fi", "80 BPM"]}, {"tags": "Piano, calm, lo-fi, 80 BPM"}):
        found = read_answer(json.dumps(written), 1).suggestion
        assert (found.genres, found.moods, found.tempo_bpm) == (("lo-fi",), ("calm",), 80)


@pytest.mark.parametrize(
    ("tempo", "bpm", "pace"),
    [
        ("96.5", 96.5, None),
        ('"about 90 BPM"', 90, None),
        ('"andante"', 86, None),
        ('"slow"', None, -0.9),
        ("900", None, None),
        ("-90", None, None),
        ("NaN", None, None),
        ("1e999", None, None),
        ("9" * 5000, None, None),
        ("true", None, None),
        ("null", None, None),
        ("[80, 100]", 90, None),
        ('{"min": 80, "max": 100}', 90, None),
        ('"1000000"', None, None),
    ],
)
def test_tempi(tempo, bpm, pace):
    found = read_answer(f'{{"genres": ["folk"], "tempo": {tempo}}}', 0).suggestion
    assert (found.tempo_bpm, found.pace) == (bpm, pace)
    assert found.genres == ("folk",)


@pytest.mark.parametrize(
    "energy", ["1.4", "-0.1", '"11"', "NaN", "1e400", "[0.5]", '"loud"', '"140%"', "false", "9" * 400]
)
def test_energies_out_of_range_are_dropped(energy):
    found = read_answer(f'{{"scenes": [{{"scene": 1, "mood": "calm", "energy": {energy}}}]}}', 1).suggestion
    assert found.scenes == (SceneAdvice("calm", None),)


def test_what_is_to_be_avoided_is_no_tag_and_a_no_is_understood():
    found = read_answer('{"instruments": ["piano", "strings", "no drums"], "avoid": ["strings"]}', 0).suggestion
    assert found.instruments == ("grand piano",) and set(found.avoid) == {"drums", "strings"}


def test_there_is_no_end_of_names():
    found = read_answer(json.dumps({"genres": list(GENRES), "moods": list(MOODS), "instruments": list(INSTRUMENTS)}), 0)
    counts = [len(names) for names in (found.suggestion.genres, found.suggestion.moods, found.suggestion.instruments)]
    assert counts == [2, 3, 6]


def test_faults_name_what_was_wrong():
    answer = read_answer('{"genres": ["Blorp {x}"], "moods": ["calm"], "instruments": []}', 3)
    assert answer.faults == (
        '"genres" holds no name of its list (but "Blorp x")',
        '"instruments" is empty or missing',
        '"scenes" does not give a mood and an energy for each of the 3 scenes',
    )
    for text in ("", "I am happy to help, but I cannot see films.", "{}", "null", "no.", "😀" * 50):
        answer = read_answer(text, 1)
        assert answer.suggestion.parts == (), text
        assert answer.faults == ("there was no JSON object of the asked form in it",)


def test_thoughts_are_not_the_answer():
    assert without_thoughts("<think>a</think>b<THINK>c</THINK>d").split() == ["b", "d"]
    assert without_thoughts("lost opening</think>b") == "b"
    assert without_thoughts("b <think>never closed").strip() == "b"


def test_a_second_answer_is_completed_by_the_first():
    first, second = read_answer('{"moods": ["calm"], "tempo": 80}', 1), read_answer('{"genres": ["folk"]}', 1)
    both = second.suggestion.completed_by(first.suggestion)
    assert (both.genres, both.moods, both.tempo_bpm) == (("folk",), ("calm",), 80)


# ── Hostile text ──────────────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = {
    "brackets": "[" * 1_000_000,
    "objects": '{"a":' * 200_000,
    "genres": '{"genres":[' * 100_000,
    "quotes": '"' * 500_000,
    "commas": "," * 500_000,
    "tags": "calm, " * 200_000,
    "labels": "genres: " * 100_000,
    "lines": "mood: calm, tense\n" * 50_000,
    "thoughts": "<think>" * 100_000,
    "thoughts that end": "</think>" * 100_000,
    "spaces": " " * 1_000_000,
    "label of spaces": ("a" + " " * 200) * 2_000,
    "slashes": "{" + "//" * 300_000,
    "escapes": '{"genres": "' + "\\u0000" * 100_000,
    "bullets": "instruments:\n" + "- piano\n" * 100_000,
    "numbers": '{"tempo": ' + "9" * 1_000_000,
    "keys": "{" + ",".join(f'"k{n}": 1' for n in range(50_000)),
    "nul": "\x00" * 1_000_000,
    "surrogates": "\ud83d" * 100_000,
    "words": "piano " * 200_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_read_to_its_end(kind):
    holds_promises(read_answer(HOSTILE[kind], 4).suggestion, 4)


def holds_promises(found: Suggestion, scenes: int) -> None:
    assert set(found.genres) <= GENRES.keys() and len(found.genres) <= 2
    assert set(found.moods) <= MOODS.keys() and len(found.moods) <= 3
    assert set(found.instruments) <= {*INSTRUMENTS, *FAMILIES} and len(found.instruments) <= 6
    assert set(found.avoid) <= {*INSTRUMENTS, *FAMILIES, *GENRES, *MOODS} and len(found.avoid) <= 4
    assert not set(found.avoid) & {*found.genres, *found.moods, *found.instruments}
    assert found.tempo_bpm is None or 30 <= found.tempo_bpm <= 240
    assert found.pace is None or -1.5 <= found.pace <= 1.5
    assert found.mode is None or found.mode in MODES
    assert found.key is None or str(Key.parse(found.key)) == found.key
    assert len(found.scenes) == scenes
    for scene in found.scenes:
        assert scene.mood is None or scene.mood in MOODS
        assert scene.energy is None or 0 <= scene.energy <= 1


_NAMES = st.sampled_from([*GENRES, *MOODS, *INSTRUMENTS, *FAMILIES, "blorp", "no drums", "90 BPM", "", "{", "A minor"])
_VALUES = st.recursive(
    st.one_of(_NAMES, st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=12)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=12,
)
_FIELD = st.sampled_from(
    [
        "genres",
        "Mood",
        "instruments",
        "avoid",
        "tempo_bpm",
        "BPM",
        "key",
        "mode",
        "scenes",
        "tags",
        "scene",
        "energy",
        "x",
    ]
)
_ANSWERS = st.one_of(
    st.text(max_size=400),
    st.text(alphabet="{}[]\",:'calm piano09.-\n\\/<think>", max_size=300),
    st.dictionaries(_FIELD, _VALUES, max_size=6).map(json.dumps),
    st.dictionaries(_FIELD, st.dictionaries(_FIELD, _VALUES, max_size=4), max_size=4).map(str),
    st.lists(_NAMES, max_size=8).map(", ".join),
)


@settings(max_examples=300, deadline=None)
@given(_ANSWERS, st.integers(0, 400), st.integers(0, 3))
def test_any_text_gives_only_names_and_bounded_numbers(text, cut, scenes):
    holds_promises(read_answer(text, scenes).suggestion, scenes)
    holds_promises(read_answer(text[:cut], scenes).suggestion, scenes)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.floats(-1e6, 1e6), st.text(max_size=12)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
        max_leaves=8,
    ).filter(lambda value: isinstance(value, dict | list))
)
def test_clean_json_is_read_as_it_is(value):
    assert next(values_in(json.dumps(value))) == value
