"""The parts of a score and their weights, the words that are searched by, and what keeps a track out."""

import numpy as np
import pytest
from tiny_library import a_track

from reelscore.brief import Brief, Cue, Section, Tags
from reelscore.engines.match.options import Options
from reelscore.engines.match.scoring import (
    columns,
    key_fit,
    lasting,
    length_fit,
    relative,
    scored,
    tempo_fit,
    weights_for,
    with_window,
)
from reelscore.engines.match.wanted import wanted_by
from reelscore.engines.match.windows import best_window
from reelscore.engines.match.words import avoided_in, sought
from reelscore.errors import InputError
from reelscore.library import Overview
from reelscore.spotting import complete


def overview(**columns_: object) -> Overview:
    count = max(len(each) for each in columns_.values())
    plain = {
        "duration": np.full(count, 100.0),
        "tempo_bpm": np.full(count, 100.0),
        "loudness_lufs": np.full(count, -14.0),
        "begins": np.zeros(count),
        "stops": np.full(count, 100.0),
        "ending": np.full(count, np.nan),
        "energy": np.full(count, 0.5),
        "energy_spread": np.full(count, 0.1),
    }
    numbers = {name: np.asarray(columns_.get(name, column), np.float32) for name, column in plain.items()}
    texts = {name: np.array(columns_.get(name, [""] * count), np.str_) for name in ("key", "licence")}
    return Overview(ids=np.arange(count), **numbers, **texts)


def test_tempo_counts_by_octaves() -> None:
    fit = tempo_fit(np.array([120.0, 60.0, 240.0, 170.0, 124.0, np.nan, 30.0]), 120.0)
    assert fit[0] == 1.0
    assert fit[1] == fit[2] == 0.5
    assert fit[3] == pytest.approx(0.0, abs=0.01)
    assert 0.75 < fit[4] < 1.0
    assert 0.0 < fit[5] < 0.5
    assert fit[6] == 0.0


def test_keys_count_by_fifths() -> None:
    keys = np.array(["C major", "A minor", "G major", "F# major", "", "D dorian", "H moll"])
    fit = key_fit(keys, "C major")
    assert fit[0] == 1.0
    assert fit[1] == fit[5] == 0.9, "the same notes"
    assert 0.5 < fit[2] < 0.9
    assert fit[3] == 0.0
    assert 0.0 < fit[4] == fit[6] < 0.5


def test_a_track_that_lasts_is_better_than_one_that_must_be_repeated() -> None:
    fit = length_fit(overview(stops=[100.0, 60.0, 30.0, 60.0], tempo_bpm=[90, 90, 90, np.nan]), 60.0)
    assert fit[0] == fit[1] == 1.0
    assert fit[2] == pytest.approx(0.4, abs=0.01)
    assert fit[3] == 1.0
    assert length_fit(overview(stops=[59.7]), 60.0)[0] == 1.0
    assert length_fit(overview(stops=[30.0], tempo_bpm=[np.nan]), 60.0)[0] == pytest.approx(0.15, abs=0.01)


def brief(**said: object) -> Brief:
    return complete(Brief(duration=30.0, **said))


def test_a_jingle_is_not_heard_over_and_over_for_a_whole_film() -> None:
    left = lasting(overview(stops=[400.0, 100.0, 30.0, 4.0]), 400.0)
    assert left[0] == left[1] == 1.0
    assert 0.3 < left[3] < left[2] < 0.6


@pytest.mark.parametrize(
    ("said", "part"), [({"tempo_bpm": 88.0}, "tempo"), ({"key": "D minor"}, "key"), ({"prompt": "sad piano"}, "text")]
)
def test_what_the_person_asks_for_weighs_more(said: dict[str, object], part: str) -> None:
    def share(asked: Brief) -> float:
        weights = weights_for(asked, wanted_by(asked))
        return weights.get(part, 0.0) / sum(weights.values())

    assert share(brief(**said)) > 1.3 * share(brief())


def test_cues_count_only_where_there_are_strong_ones() -> None:
    without = brief(cues=(Cue(time=3, strength=0.3),))
    assert "cues" not in weights_for(without, wanted_by(without))
    strong = brief(cues=(Cue(time=3, strength=0.9),))
    assert "cues" in weights_for(strong, wanted_by(strong))


def test_all_parts_lie_between_nothing_and_one_and_a_fit_outweighs() -> None:
    asked = brief(tempo_bpm=100.0, cues=(Cue(time=3, strength=0.9),))
    film = wanted_by(asked)
    weights = weights_for(asked, film)
    rows = overview(
        tempo_bpm=[100.0, 133.0, np.nan], energy=[float(film.energy.mean()), 0.0, 1.0], stops=[90.0, 5.0, 1.0]
    )
    parts = columns(rows, np.array([1.0, 0.5, 0.0]), asked, film, weights)
    assert all(part.min() >= 0 and part.max() <= 1 for part in parts.values())
    score = scored({part: parts[part] for part in weights}, weights)
    assert score[0] > score[1] > score[2]
    window = best_window(a_track(100.0), film)
    one = with_window({part: float(parts[part][0]) for part in weights}, window)
    assert one["energy"] == window.energy
    assert one["cues"] == window.cues
    assert 0 <= scored(one, weights) <= 1


def test_likeness_is_told_against_the_best() -> None:
    assert relative(np.array([0.30, 0.25, 0.10]), 0.1).tolist() == pytest.approx([1.0, 0.5, 0.0])
    assert relative(np.zeros(0), 0.1).size == 0


def test_words_of_the_person_and_words_of_the_film_are_kept_apart() -> None:
    found = sought(
        Brief(
            duration=10.0,
            prompt="slow harbour music, no drums",
            tags=Tags(genres=("ambient",), moods=("calm",), instruments=("grand piano",), avoid=("drum kit",)),
            sections=(
                Section(start=0, end=4, instruction="waves, drums and gulls"),
                Section(start=4, end=10, instruction="a boat leaves"),
            ),
            sources={"tags.moods": "person: calm", "tags.genres": "rule: whatever"},
        )
    )
    assert "harbour" in found.wished and "calm" in found.wished
    assert "ambient" not in found.wished and "ambient" in found.whole
    assert "drum" not in found.wished + found.everything
    assert found.sections[1] == "a boat leaves"
    assert found.shares == pytest.approx((0.4, 0.6))


@pytest.mark.parametrize(
    ("avoid", "said", "named"),
    [
        (("drums",), {"description": "calm piano and a drum kit"}, True),
        (("drums",), {"description": "calm piano, no drums at all"}, False),
        (("drums",), {"description": "calm piano without drums or bass"}, False),
        (("drums",), {"tags": ("percussion", "drums")}, True),
        (("solo violin",), {"description": "a fiddle plays"}, True),
        (("solo violin",), {"title": "Violins of Rome"}, True),
        (("folk",), {"description": "soft acoustic guitar"}, False),
        (("folk",), {"description": "acoustic campfire songs"}, True),
        (("sad",), {"tags": ("mournful",)}, True),
        ((), {"description": "drums"}, False),
    ],
)
def test_tracks_that_name_what_is_avoided_are_found(
    avoid: tuple[str, ...], said: dict[str, object], named: bool
) -> None:
    asked = Brief(duration=10.0, tags=Tags(avoid=avoid))
    assert bool(avoided_in(a_track(**said), asked)) == named


def test_a_word_that_the_vocabulary_does_not_know_is_avoided_too() -> None:
    asked = Brief(duration=10.0, prompt="happy music without didgeridoo", not_understood=("didgeridoo",))
    assert avoided_in(a_track(description="a lonely didgeridoo"), asked) == "didgeridoo"
    assert not avoided_in(a_track(description="a lonely flute"), asked)


def test_options_name_licences_that_there_are() -> None:
    assert Options(licence="cc-by, CC0").licences == {"cc-by", "cc0"}
    assert Options().licences == frozenset()
    with pytest.raises(InputError, match="gpl"):
        Options(licence="cc0,gpl")
    with pytest.raises(InputError):
        Options(licence="")
