"""The brief: read, refused with the field's name, written and read again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelscore.brief import (
    MODES,
    TONICS,
    Brief,
    Cue,
    Key,
    Section,
    Span,
    Tags,
    brief_json,
    parse_brief,
    read_brief,
    write_brief,
)
from reelscore.errors import BriefError
from reelscore.tempo import TempoMap
from reelscore.vocabulary import FAMILIES, INSTRUMENTS


def test_a_duration_is_enough():
    brief = parse_brief('{"duration": 12.5}')
    assert brief.duration == 12.5
    assert (brief.sections, brief.cues, brief.tempo_map, brief.beats_per_bar) == ((), (), None, 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the brief: Invalid JSON"),
        ("[]", "the brief: "),
        ("{}", "the brief: duration: Field required"),
        ('{"duration": -1}', "duration: .*greater than 0"),
        ('{"duration": 1e99}', "duration: .*less than or equal to 21600"),
        ('{"duration": NaN}', "duration"),
        ('{"duration": 9, "tempo": 90}', "tempo: there is no such field; did you mean .*'tempo_bpm'"),
        ('{"duration": 9, "tags": {"moodz": []}}', "tags.moodz: there is no such field; did you mean 'moods'"),
        ('{"duration": 9, "tempo_bpm": 500}', "tempo_bpm: .*less than or equal to 240"),
        ('{"duration": 9, "beats_per_bar": 5}', "beats_per_bar: .*3 or 4"),
        ('{"duration": 9, "key": "H dur"}', "key: 'H dur' is not a key; write a tonic and a mode"),
        ('{"duration": 9, "tags": {"genres": ["rokc"]}}', "tags.genres.0: 'rokc' is no genre .* did you mean 'rock'"),
        (
            '{"duration": 9, "tags": {"instruments": ["harp", "qqq"]}}',
            "tags.instruments.1: 'qqq' .* known are grand piano",
        ),
        (
            '{"duration": 9, "sections": [{"start": 0, "end": 5}]}',
            "sections: the last ends at 5.0 s, the film at 9.0 s",
        ),
        (
            '{"duration": 9, "sections": [{"start": 0, "end": 5}, {"start": 6, "end": 9}]}',
            "sections.1: runs from 6.0 to 9.0 s, but must start where the one before ends",
        ),
        ('{"duration": 9, "sections": [{"start": 0, "end": 9, "role": "solo"}]}', "sections.0.role: .*'climax'"),
        (
            '{"duration": 9, "sections": [{"start": 0, "end": 9, "energy": 2}]}',
            "sections.0.energy: .*less than or equal to 1",
        ),
        ('{"duration": 9, "cues": [{"time": 5}, {"time": 4}]}', "cues.1.time: 4.0 s comes before the cue above it"),
        ('{"duration": 9, "cues": [{"time": 10}]}', "cues.0.time: 10.0 s lies after the end"),
        ('{"duration": 9, "speech": [{"start": 3, "end": 2}]}', "speech.0: 3.0 to 2.0 s is no stretch"),
        (
            '{"duration": 9, "tempo_map": {"beats": [0, 1, 2, 3, 4], "bars": [4]}}',
            "tempo_map: ends at 4.0 s, before the film",
        ),
        (
            '{"duration": 3, "tempo_map": {"beats": [0, 1, 2, 3, 4], "bars": [4]}}',
            "tempo_bpm: 96.0 does not agree .*60.0",
        ),
        ('{"duration": 3, "tempo_map": {"beats": [0, 1, 2], "bars": [4]}}', "tempo_map: 3 beat times do not fit"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(text, message):
    with pytest.raises(BriefError, match=message) as refusal:
        parse_brief(text)
    assert "\n" not in str(refusal.value)


def test_a_message_names_the_file(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"duration": 9, "keys": 1}')
    with pytest.raises(BriefError, match=r"mine.json: keys: there is no such field; did you mean 'key'"):
        read_brief(path)
    with pytest.raises(BriefError, match=r"absent.json cannot be read: .*No such file"):
        read_brief(tmp_path / "absent.json")
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(BriefError, match=r"mine.json cannot be read"):
        read_brief(path)


WHOLE = Brief(
    duration=20,
    prompt="ruhig – calm",
    tags=Tags(genres=("ambient",), moods=("calm",), instruments=("harp",), avoid=("drums",)),
    key="F# minor",
    tempo_bpm=60,
    tempo_map=TempoMap.steady(60, 20),
    sections=(Section(start=0, end=8), Section(start=8, end=20, role="climax", letter="B")),
    cues=(Cue(time=8, kind="scene", strength=1), Cue(time=17.2, kind="ending", grid="beat")),
    speech=(Span(start=2, end=5.5),),
    sources={"key": "rule: none"},
)


def test_written_and_read_again_it_is_the_same(tmp_path):
    write_brief(WHOLE, tmp_path / "brief.json")
    assert read_brief(tmp_path / "brief.json") == WHOLE


def test_numbers_in_lists_share_a_line():
    lines = brief_json(WHOLE).splitlines()
    assert any(line.strip().startswith('"beats": [0.0, 1.0, 2.0') for line in lines)
    assert "ruhig – calm" in brief_json(WHOLE)
    assert json.loads(brief_json(WHOLE))["tags"]["avoid"] == ["drums"]


@given(
    st.text(max_size=40),
    st.lists(st.sampled_from(sorted(INSTRUMENTS)), unique=True, max_size=5),
    st.lists(st.floats(0, 60), max_size=8).map(sorted),
)
def test_any_brief_survives_json(prompt, instruments, times):
    brief = Brief(
        duration=60,
        prompt=prompt,
        tags=Tags(instruments=tuple(instruments)),
        cues=tuple(Cue(time=time) for time in times),
    )
    assert parse_brief(brief_json(brief)) == brief


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    try:
        parse_brief(text)
    except BriefError as refusal:
        assert str(refusal).startswith("the brief: ")


@pytest.mark.parametrize("tonic", TONICS)
@pytest.mark.parametrize("mode", MODES)
def test_keys_are_read_as_they_are_written(tonic, mode):
    key = Key.parse(f"{tonic} {mode}")
    assert str(key) == f"{tonic} {mode}"
    assert Key.parse(str(key).lower()) == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Am", "A minor"),
        ("eb", "Eb major"),
        ("C♯ min", "Db minor"),
        ("Gb-dorian", "F# dorian"),
        ("B ionian", "B major"),
    ],
)
def test_other_ways_to_write_a_key(text, key):
    assert str(Key.parse(text)) == key


@pytest.mark.parametrize("text", ["", "H", "A blues", "minor", "A minor major", "7"])
def test_what_is_no_key(text):
    with pytest.raises(ValueError, match="as in 'A minor'"):
        Key.parse(text)


@pytest.mark.parametrize("family", FAMILIES)
def test_avoiding_a_family_avoids_its_members_and_no_others(family):
    brief = Brief(duration=1, tags=Tags(avoid=(family,)))
    assert {name for name in INSTRUMENTS if brief.avoids(name)} == set(FAMILIES[family])
