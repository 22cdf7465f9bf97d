"""Form follows bars."""

from briefs_to_compose import any_brief, full_brief
from hypothesis import given, settings
from hypothesis import strategies as st

from reelscore.brief import Brief, Cue, Section
from reelscore.compose.form import ending_of, lay_out, phrase_lengths
from reelscore.tempo import TempoMap


@given(st.integers(0, 400))
def test_phrases_add_up_and_are_never_a_lone_bar(bars: int) -> None:
    lengths = phrase_lengths(bars)
    assert sum(lengths) == bars
    assert all(2 <= length <= 5 for length in lengths) or bars <= 1


@settings(max_examples=50, deadline=None)
@given(any_brief())
def test_the_phrases_cover_the_bars_until_the_ending_once(brief: Brief) -> None:
    assert brief.tempo_map is not None
    form = lay_out(brief, brief.tempo_map)
    edge = 0.0
    for place, phrase in enumerate(form.phrases):
        assert phrase.place == place and phrase.start == edge
        edge = phrase.end
        assert 0 <= phrase.energy <= 1 and 0 <= phrase.energy_to <= 1
    assert not form.phrases or abs(edge - form.ending_beat) < 1e-6
    assert 0 <= form.ending <= brief.duration


def test_a_section_takes_the_bars_nearest_to_it() -> None:
    tempo_map = TempoMap.steady(120, 24)
    sections = (Section(start=0, end=7.7, energy=0.2), Section(start=7.7, end=20, letter="B"))
    form = lay_out(Brief(duration=20, tempo_bpm=120, tempo_map=tempo_map, sections=sections), tempo_map)
    second = next(phrase for phrase in form.phrases if phrase.section.letter == "B")
    assert tempo_map.time_at(second.start) == 8.0


def test_builds_grow_and_outros_sink() -> None:
    brief = full_brief(duration=120.0)
    assert brief.tempo_map is not None
    for phrase in lay_out(brief, brief.tempo_map).phrases:
        if phrase.section.role == "build":
            assert phrase.energy_to > phrase.energy
        if phrase.section.role == "outro":
            assert phrase.energy_to < phrase.energy


def test_the_ending_is_where_it_is_asked_for_or_leaves_room_to_ring() -> None:
    tempo_map = TempoMap.steady(100, 40)
    sections = (Section(start=0, end=30),)
    free = Brief(duration=30, tempo_bpm=100, tempo_map=tempo_map, sections=sections)
    assert 30 - 6 - 2.5 <= ending_of(free, tempo_map) <= 30 - 2.5
    assert ending_of(free, tempo_map) in tempo_map.downbeats
    asked = free.model_copy(update={"cues": (Cue(time=26.3, kind="ending"),)})
    assert ending_of(asked, tempo_map) == 26.3
