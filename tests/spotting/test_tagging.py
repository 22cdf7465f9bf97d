"""Genre, moods, instruments, key and tempo: the person wins, and rules fill the rest sensibly."""

import pytest

from reelscore.brief import Key, Wishes
from reelscore.errors import InputError
from reelscore.spotting.asking import asked_for
from reelscore.spotting.emotion import Emotion
from reelscore.spotting.tagging import Scene, avoided, choose_key, choose_tempo, tags_for, wanted_emotion
from reelscore.vocabulary import GENRES, INSTRUMENTS

QUIET, TALKING = Scene(0.0, "a1"), Scene(0.9, "a1")
EVEN = Emotion(0.1, -0.1, 0.2)


def tagged(prompt="", film=EVEN, scene=QUIET, **wishes):
    asked = asked_for(Wishes(prompt=prompt, **wishes))
    wanted = wanted_emotion(film, asked)
    tags, sources = tags_for(wanted, asked, scene)
    return tags, choose_key(wanted, tags, asked, scene), choose_tempo(wanted, tags, asked), sources


def test_a_slow_sad_piano():
    tags, key, tempo, sources = tagged("slow sad piano, no drums")
    assert (tags.genres, tags.moods, tags.instruments) == (("solo piano",), ("sad",), ("grand piano",))
    assert Key.parse(key.value).mode == "minor"
    assert tempo.value < 70
    assert sources["tags.moods"].startswith("person: ")
    assert sources["tags.genres"].startswith("rule: ")


@pytest.mark.parametrize("genre", GENRES)
def test_every_genre_can_be_asked_for(genre):
    tags, key, tempo, sources = tagged(genres=(genre,))
    low, high = GENRES[genre].tempo_bpm
    assert tags.genres == (genre,)
    assert low <= tempo.value <= high
    assert Key.parse(key.value).mode in GENRES[genre].modes
    assert tags.instruments == GENRES[genre].instruments
    assert sources["tags.genres"].startswith("person: ")


@pytest.mark.parametrize(
    ("film", "genres"),
    [
        (Emotion(0.2, -0.8, 0.1), {"ambient"}),
        (Emotion(0.6, 0.5, 0.2), {"corporate", "funk", "comedy", "electronic", "orchestral"}),
        (Emotion(-0.6, 0.3, 0.7), {"suspense", "cinematic"}),
        (Emotion(0.0, 1.0, 0.5), {"epic", "electronic", "rock"}),
    ],
)
def test_a_film_without_wishes_gets_a_fitting_genre(film, genres):
    assert tagged(film=film)[0].genres[0] in genres


def test_speech_wants_music_that_stays_out_of_the_way():
    lively = Emotion(0.1, 0.9, 0.3)
    loud, quiet = (GENRES[tagged(film=lively, scene=scene)[0].genres[0]] for scene in (QUIET, TALKING))
    assert quiet.under_speech >= loud.under_speech


def test_asked_instruments_come_first_and_choose_the_genre():
    tags, *_ = tagged("distorted guitar and drums")
    assert tags.genres == ("rock",)
    assert tags.instruments[:2] == ("distorted guitar", "drum kit")
    assert tagged("drums", genres=("electronic",))[0].instruments[0] == "electronic kit"
    assert tagged("drums", genres=("jazz",))[0].instruments[0] == "brushes"


def test_only_leaves_nothing_else():
    assert tagged("only strings", genres=("epic",))[0].instruments == ("strings",)


@pytest.mark.parametrize("genre", GENRES)
@pytest.mark.parametrize("family", ["drums", "strings", "pianos", "synths", "guitars"])
def test_what_is_avoided_is_never_chosen(genre, family):
    tags, *_ = tagged(genres=(genre,), avoid=(family,))
    assert tags.instruments
    assert not any(tags.avoids(name) for name in tags.instruments)


def test_a_genre_whose_palette_is_avoided_finds_another_voice():
    tags, *_ = tagged(genres=("solo piano",), avoid=("piano",))
    assert tags.instruments and INSTRUMENTS[tags.instruments[0]].family != "keys"


def test_avoided_genres_and_moods_are_not_inferred():
    first = tagged()[0]
    tags, *_ = tagged(avoid=(*first.genres, *first.moods))
    assert not {*tags.genres, *tags.moods} & {*first.genres, *first.moods}


def test_everything_avoided_leaves_no_genre_but_no_error():
    tags, key, tempo, _ = tagged(avoid=tuple(GENRES))
    assert tags.genres == ()
    assert 40 <= tempo.value <= 200 and Key.parse(key.value)


def test_single_wishes_win_over_the_prompt():
    tags, key, tempo, _ = tagged(
        "fast happy rock at 150 bpm in C major, no piano",
        genres=("jazz",),
        moods=("sad",),
        instruments=("grand piano",),
        tempo_bpm=100,
        key="D minor",
    )
    assert (tags.genres, tags.moods, key.value, tempo.value) == (("jazz",), ("sad",), "D minor", 100)
    assert tags.instruments[0] == "grand piano"
    assert not tags.avoids("grand piano") and tags.avoids("felt piano")


def test_avoiding_wins_over_a_prompt():
    tags, *_ = tagged("strings and piano", avoid=("strings",))
    assert not any(tags.avoids(name) for name in tags.instruments)
    assert "grand piano" in tags.instruments


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(instruments=("strings",), avoid=("strings",)),
        Wishes(genres=("lofi",), avoid=("lo-fi",)),
        Wishes(instruments=("piano",), avoid=("Piano",)),
        Wishes(moods=("sad",), avoid=("sorrow",)),
    ],
)
def test_one_name_cannot_be_both_asked_for_and_avoided(wishes):
    with pytest.raises(InputError, match="both asked for and to be avoided"):
        asked_for(wishes)


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (Wishes(genres=("jaz",)), "'jaz' is no genre"),
        (Wishes(moods=("zzz",)), "'zzz' is no mood"),
        (Wishes(instruments=("theremim",)), "'theremim' is no instrument"),
        (Wishes(avoid=("drumz",)), "'drumz' is no instrument, family, genre or mood .*'drums'"),
        (Wishes(tempo_bpm=20), "20 BPM .* from 30 to 240"),
        (Wishes(tempo_bpm=float("nan")), "nan BPM"),
        (Wishes(key="H minor"), "'H minor' is not a key"),
    ],
)
def test_wishes_that_cannot_be(wishes, message):
    with pytest.raises(InputError, match=message):
        asked_for(wishes)


def test_slow_and_fast_move_the_tempo_within_and_beyond_the_genre():
    slow, plain, fast, very_fast = (
        tagged(prompt, genres=("rock",))[2].value for prompt in ("slow", "", "fast", "extremely fast")
    )
    assert slow < 110 < fast < 160 < very_fast
    assert slow <= plain <= fast


def test_a_range_of_tempi_is_kept():
    assert 90 <= tagged("90-100 bpm", genres=("rock",))[2].value <= 100


def test_a_mode_without_tonic_is_kept():
    assert Key.parse(tagged("in a minor key, happy")[1].value).mode == "minor"


def test_the_tonic_belongs_to_the_film():
    keys = {tagged(scene=Scene(0.0, f"{n:x}"))[1].value for n in range(40)}
    assert len(keys) >= 4
    assert tagged(scene=Scene(0.0, "7"))[1] == tagged(scene=Scene(0.0, "7"))[1]


def test_moods_make_the_emotion_and_genres_colour_it():
    sad = wanted_emotion(Emotion(0.8, 0.8, 0.0), asked_for(Wishes(prompt="sad")))
    epic = wanted_emotion(EVEN, asked_for(Wishes(prompt="epic")))
    assert sad.valence < -0.5 and sad.arousal < -0.3
    assert epic.arousal > EVEN.arousal + 0.3
    assert wanted_emotion(EVEN, asked_for(Wishes(prompt="intense"))).arousal > EVEN.arousal


def test_avoided_speaks_of_members():
    assert avoided(("drums",), "brushes") and avoided(("brushes",), "brushes") and not avoided(("drums",), "harp")
