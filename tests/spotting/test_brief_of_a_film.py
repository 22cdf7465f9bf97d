"""From analysis and wishes to the whole brief, and from a bare brief to a whole one."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_films import FIVE_SCENES, analyses, cut_at, film

from reelscore.analysis.facts import Speech
from reelscore.brief import Brief, Cue, Key, Section, Tags, Wishes, brief_json, parse_brief
from reelscore.errors import InputError
from reelscore.spotting import complete, write_brief
from reelscore.tempo import TempoMap
from reelscore.vocabulary import GENRES, INSTRUMENTS, MOODS

FIELDS = ("tags.genres", "tags.moods", "tags.instruments", "key", "tempo_bpm", "sections", "cues")


def promises_kept(brief, wishes=Wishes()):
    """What every brief must hold, whatever the film."""
    assert parse_brief(brief_json(brief)) == brief
    assert brief.sections[0].start == 0 and brief.sections[-1].end == brief.duration
    roles = [section.role for section in brief.sections]
    assert roles.count("climax") == 1 if len(roles) >= 3 else roles.count("climax") <= 1
    assert [cue.kind for cue in brief.cues].count("ending") == 1
    assert brief.tempo_map is not None and brief.tempo_map.end >= brief.duration - 1e-6
    assert not any(brief.avoids(name) for name in brief.tags.instruments)
    assert not set(brief.tags.avoid) & {*brief.tags.genres, *brief.tags.moods}
    assert set(FIELDS) <= brief.sources.keys()
    assert all(source.startswith(("person", "rule")) for source in brief.sources.values())
    assert set(wishes.genres) <= set(brief.tags.genres) and set(wishes.moods) <= set(brief.tags.moods)
    assert set(wishes.instruments) <= {*brief.tags.instruments, *(n for n in INSTRUMENTS if brief.avoids(n))}
    assert set(wishes.cues) <= {cue.time for cue in brief.cues}
    if wishes.key:
        assert brief.key == str(Key.parse(wishes.key))
    if wishes.tempo_bpm:
        assert abs(brief.tempo_bpm / wishes.tempo_bpm - 1) <= 0.03


def test_a_film_without_wishes():
    brief = write_brief(FIVE_SCENES)
    promises_kept(brief)
    assert [s.start for s in brief.sections] == [0, 6, 13, 20]
    assert brief.film is not None and brief.film.picture_sha256 == FIVE_SCENES.picture_sha256
    assert all(source.startswith("rule: ") for source in brief.sources.values())


def test_everything_asked_for_is_there_and_says_so():
    wishes = Wishes(
        genres=("lofi",),
        moods=("calm",),
        instruments=("harp",),
        avoid=("drums",),
        tempo_bpm=80,
        key="Em",
        cues=(5.0, 12.3),
    )
    brief = write_brief(FIVE_SCENES, wishes)
    assert (brief.tags.genres, brief.tags.moods, brief.tags.avoid) == (("lo-fi",), ("calm",), ("drums",))
    assert brief.tags.instruments[0] == "harp" and brief.key == "E minor"
    assert brief.tempo_bpm == pytest.approx(80, rel=0.03)
    assert [(c.time, c.strength) for c in brief.cues if c.kind == "person"] == [(5.0, 1.0), (12.3, 1.0)]
    for name in ("tags.genres", "tags.moods", "tags.avoid", "tempo_bpm", "key", "cues"):
        assert brief.sources[name].startswith("person"), name


def test_a_prompt_is_followed_and_what_is_not_understood_is_named():
    brief = write_brief(FIVE_SCENES, Wishes(prompt="a slow sad waltz for piano, no strings, like Zimmer"))
    assert brief.beats_per_bar == 3 and brief.tempo_map.bars.count(3) > len(brief.tempo_map.bars) / 2
    assert brief.tags.moods == ("sad",) and brief.tags.instruments[0] == "grand piano" and brief.avoids("solo cello")
    assert brief.not_understood == ("Zimmer",)
    assert sum(s.valence * (s.end - s.start) for s in brief.sections) / 30 < -0.5


def test_the_same_film_and_wishes_give_the_same_brief():
    assert write_brief(FIVE_SCENES, Wishes(prompt="funk")) == write_brief(FIVE_SCENES, Wishes(prompt="funk"))


def test_cue_times_are_the_films_own_to_the_frame():
    brief = write_brief(FIVE_SCENES)
    assert {c.time for c in brief.cues if c.kind in ("scene", "cut")} <= {s.start for s in FIVE_SCENES.shots}
    for section in brief.sections[1:]:
        assert section.start in {c.time for c in brief.cues if c.kind == "scene"}


def test_speech_is_kept_within_the_film():
    talk = FIVE_SCENES.model_copy(
        update={"speech": (Speech(start=20, end=31), Speech(start=2, end=5), Speech(start=4, end=7))}
    )
    assert [(s.start, s.end) for s in write_brief(talk).speech] == [(2, 7), (20, 30)]


@pytest.mark.parametrize("duration", [0.3, 0.5, 1.0, 3.0, 7.9, 8.0, 139.4, 1800.0])
def test_films_of_any_length(duration):
    promises_kept(write_brief(cut_at([], duration)))
    promises_kept(write_brief(film([], duration)))


def test_a_film_that_is_too_long_is_refused():
    with pytest.raises(InputError, match=r"made.mp4 lasts 6.1 hours"):
        write_brief(film([], 22_000.0))


def test_avoided_moods_do_not_colour_the_film():
    gloomy = cut_at([10, 20], 30, brightness=0.05, motion=0.05)
    assert min(s.valence for s in write_brief(gloomy).sections) < -0.1
    moods = write_brief(gloomy).tags.moods
    assert not set(moods) & set(write_brief(gloomy, Wishes(avoid=moods)).tags.moods)


_WISHES = st.builds(
    Wishes,
    prompt=st.sampled_from(
        ["", "slow sad piano, no drums", "fast", "no strings or brass", "waltz", "?? xyz", "180 bpm rock"]
    ),
    genres=st.lists(st.sampled_from(sorted(GENRES)), max_size=2, unique=True).map(tuple),
    moods=st.lists(st.sampled_from(sorted(MOODS)), max_size=2, unique=True).map(tuple),
    instruments=st.lists(st.sampled_from(sorted(INSTRUMENTS)), max_size=2, unique=True).map(tuple),
    avoid=st.lists(st.sampled_from(["drums", "synths", "guitars", "winds", "scary"]), max_size=2, unique=True).map(
        tuple
    ),
    tempo_bpm=st.one_of(st.none(), st.floats(45, 190)),
    key=st.sampled_from([None, "C", "F# minor", "D dorian"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(analyses(), _WISHES, st.lists(st.floats(0, 1), max_size=2, unique=True))
def test_any_film_and_wishes_give_a_valid_brief(analysis, wishes, shares):
    wishes = Wishes(**{**vars(wishes), "cues": tuple(share * analysis.duration for share in shares)})
    if set(wishes.avoid) & set(wishes.moods):
        with pytest.raises(InputError):
            write_brief(analysis, wishes)
        return
    brief = write_brief(analysis, wishes)
    promises_kept(brief, wishes)
    assert complete(brief) == brief


# ── complete ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("duration", [0.5, 3.0, 40.0, 300.0])
def test_a_bare_duration_becomes_a_whole_brief(duration):
    brief = complete(Brief(duration=duration))
    promises_kept(brief)
    assert brief.film is None and brief.tags.genres
    assert complete(brief) == brief


def test_what_is_written_stays():
    written = Brief(
        duration=40,
        key="B dorian",
        tempo_bpm=70,
        tags=Tags(genres=("jazz",), instruments=("vibraphone",), avoid=("brushes",)),
        sections=(Section(start=0, end=25, energy=0.1), Section(start=25, end=40, energy=0.9)),
        cues=(Cue(time=25, strength=1.0), Cue(time=31.5, strength=0.3)),
        sources={"key": "person: my own words"},
    )
    brief = complete(written)
    assert (brief.key, brief.tempo_bpm, brief.sections, brief.tags.genres) == (
        "B dorian",
        70,
        written.sections,
        ("jazz",),
    )
    assert brief.tags.instruments == ("vibraphone",) and brief.tags.avoid == ("brushes",)
    assert [(c.time, c.kind) for c in brief.cues][:2] == [(25, "person"), (31.5, "person")]
    assert brief.cues[-1].kind == "ending"
    assert brief.sources["key"] == "person: my own words"
    assert brief.sources["tempo_bpm"] == "person: written in the brief"


def test_a_prompt_in_a_brief_is_understood_where_the_brief_is_silent():
    brief = complete(Brief(duration=30, prompt="happy folk without drums, in D", tags=Tags(moods=("sad",))))
    assert (brief.tags.genres, brief.tags.moods, brief.key) == (("folk",), ("sad",), "D major")
    assert brief.avoids("shaker") and "shaker" not in brief.tags.instruments


def test_a_given_tempo_map_is_kept():
    tempo_map = TempoMap.steady(96, 30, 3)
    brief = complete(Brief(duration=30, beats_per_bar=3, tempo_map=tempo_map))
    assert brief.tempo_map == tempo_map and brief.tempo_bpm == 96
    assert [c.kind for c in brief.cues] == ["ending"] and brief.cues[0].grid == "downbeat"


def test_scenes_in_a_bare_brief_become_sections():
    brief = complete(Brief(duration=40, cues=(Cue(time=12.4, kind="scene", strength=1.0),)))
    assert 12.4 in [section.start for section in brief.sections]


# ── Real films ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def brief_of(clips: Path):
    from reelscore.analysis import analyze

    return lambda name: write_brief(analyze(clips / name))


def test_the_meadow_is_bright(brief_of):
    brief = brief_of("bbb_480p_30s.mp4")
    promises_kept(brief)
    assert Key.parse(brief.key).mode in ("major", "mixolydian", "lydian")
    assert min(section.valence for section in brief.sections) > 0.2
    assert len(brief.sections) >= 3


def test_a_talk_is_accompanied_and_its_speech_known(brief_of):
    brief = brief_of("nasa_13013.mp4")
    promises_kept(brief)
    assert sum(span.end - span.start for span in brief.speech) > 8
    assert brief.tags.genres[0] in ("cinematic", "ambient", "solo piano", "corporate")


def test_a_short_silent_clip_of_waves(brief_of):
    brief = brief_of("ocean_vide.mp4")
    promises_kept(brief)
    assert Key.parse(brief.key).mode in ("dorian", "minor")
