"""The four tables agree with one another and hold nothing that cannot be played or asked for."""

from itertools import combinations
from typing import get_args

import pytest

from reelscore.brief import MODES
from reelscore.spotting.lexicon import letters_of, lexicon
from reelscore.vocabulary import FAMILIES, GENRES, INSTRUMENTS, MOODS, Family


def test_genres_play_known_instruments_in_known_modes():
    for name, genre in GENRES.items():
        assert genre.instruments and set(genre.instruments) <= INSTRUMENTS.keys(), name
        assert genre.modes and set(genre.modes) <= set(MODES), name
        low, high = genre.tempo_bpm
        assert 40 <= low < high <= 200, name
        assert -1 <= genre.valence <= 1 and -1 <= genre.arousal <= 1, name


def test_moods_like_known_instruments_and_modes():
    for name, mood in MOODS.items():
        assert mood.modes and set(mood.modes) <= set(MODES), name
        assert mood.instruments and set(mood.instruments) <= INSTRUMENTS.keys(), name
        assert -1 <= mood.valence <= 1 and -1 <= mood.arousal <= 1 and 0 <= mood.tension <= 1, name


def test_instruments_are_playable():
    for name, instrument in INSTRUMENTS.items():
        assert instrument.family in get_args(Family), name
        assert 0 <= instrument.program <= 127 and 0 <= instrument.low < instrument.high <= 127, name
        assert instrument.drums == (instrument.family == "drums"), name


def test_families_have_known_members_and_every_instrument_belongs_to_one():
    for name, members in FAMILIES.items():
        assert members and set(members) <= INSTRUMENTS.keys(), name
        assert len(set(members)) == len(members), name
    grouped = {member for members in FAMILIES.values() for member in members}
    # A harp and a choir are groups of their own.
    assert INSTRUMENTS.keys() - grouped <= {"choir"}


def test_there_is_a_style_for_every_taste():
    assert len(GENRES) >= 14
    assert len(INSTRUMENTS) >= 24


@pytest.mark.parametrize("kind", ["genre", "mood", "instrument", "family"])
def test_no_word_means_two_things_of_one_kind(kind):
    for word, meanings in lexicon().items():
        names = [meaning.name for meaning in meanings if meaning.kind == kind]
        assert len(names) <= 1, f"{word} means {names}"


def test_no_word_is_both_a_genre_and_a_mood():
    for word, meanings in lexicon().items():
        kinds = {meaning.kind for meaning in meanings}
        assert not {"genre", "mood"} <= kinds, word


def test_every_name_is_found_under_itself():
    for kind, table in (("genre", GENRES), ("mood", MOODS), ("instrument", INSTRUMENTS), ("family", FAMILIES)):
        for name in table:
            assert (kind, name) in {(m.kind, m.name) for m in lexicon()[letters_of(name)]}


def test_moods_lie_apart():
    for (one, a), (other, b) in combinations(MOODS.items(), 2):
        apart = abs(a.valence - b.valence) + abs(a.arousal - b.arousal) + abs(a.tension - b.tension)
        assert apart > 0.05, f"{one} and {other} are the same"
