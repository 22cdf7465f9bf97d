"""A person's sentence is understood without any model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelscore.errors import InputError
from reelscore.spotting.lexicon import corrected, name_in_vocabulary
from reelscore.spotting.wording import Feeling, TempoRange, Understood, understand
from reelscore.vocabulary import FAMILIES, GENRES, INSTRUMENTS, MOODS


def test_the_sentence_of_the_manual():
    asked = understand("slow sad piano, no drums")
    assert asked.moods == ("sad",)
    assert asked.instruments == ("pianos",)
    assert asked.avoid == ("drums",)
    assert asked.pace is not None and asked.pace < 0
    assert asked.not_understood == ()


def test_style_tempo_and_key_together():
    asked = understand("upbeat 80s synthwave 110 bpm in A minor")
    assert asked.genres == ("synthwave",)
    assert asked.moods == ("happy",)
    assert asked.tempo == TempoRange(110, 110)
    assert asked.key == "A minor"


@pytest.mark.parametrize(
    ("prompt", "avoid"),
    [
        ("no drums or bass", ("drums", "bass")),
        ("no drums and bass", ("drums", "bass")),
        ("don't use guitars", ("guitars",)),
        ("do not use any guitar", ("guitars",)),
        ("I don’t want vocals", ("choir",)),
        ("no vocals or strings", ("choir", "strings")),
        ("without drums, bass or vocals", ("drums", "bass", "choir")),
        ("avoid: drums, bass, guitars", ("drums", "bass", "guitars")),
        ("neither drums nor bass", ("drums", "bass")),
        ("not sad", ("sad",)),
        ("less dramatic", ("dramatic",)),
        ("fewer drums", ("drums",)),
        ("I can't stand jazz", ("jazz",)),
        ("no heavy drums", ("drums",)),
        ("drum-free", ("drums",)),
        ("drumless", ("drums",)),
        ("w/o drums", ("drums",)),
        ("instrumental", ("choir",)),
        ("no drum & bass", ("electronic",)),
        ("no piano", ("pianos",)),
        ("no orchestra", ("orchestral", "orchestra")),
    ],
)
def test_refusals(prompt, avoid):
    asked = understand(prompt)
    assert asked.avoid == avoid
    assert (asked.genres, asked.moods, asked.instruments) == ((), (), ())


@pytest.mark.parametrize(
    ("prompt", "wished", "avoided"),
    [
        ("no drums, bass and piano", {"bass", "pianos"}, {"drums"}),
        ("no drums and a soft piano", {"felt piano"}, {"drums"}),
        ("calm. No drums. Piano", {"pianos"}, {"drums"}),
        ("without choir but strings", {"strings"}, {"choir"}),
        ("without any vocals and with lots of brass", {"brass"}, {"choir"}),
        ("no, piano please", {"pianos"}, set()),
        ("no problem, piano", {"pianos"}, set()),
        ("guitar instead of piano", {"guitars"}, {"pianos"}),
        ("not only piano but strings", {"pianos", "strings"}, set()),
        ("no percussion but some shaker", {"shaker"}, set(FAMILIES["percussion"]) - {"shaker"}),
        ("a solo cello, no strings", {"solo cello"}, set(FAMILIES["strings"]) - {"solo cello"}),
    ],
)
def test_where_a_refusal_ends(prompt, wished, avoided):
    asked = understand(prompt)
    assert set(asked.instruments) == wished
    assert set(asked.avoid) == avoided


def test_a_person_who_loves_something_is_not_romantic():
    asked = understand("I love strings; a love story")
    assert (asked.instruments, asked.moods) == (("strings",), ("romantic",))
    assert understand("background music, not too busy").genres == ()


def test_gentle_survives_without_choir():
    asked = understand("epic trailer without choir, but gentle")
    assert (asked.genres, asked.moods, asked.avoid) == (("epic",), ("tender",), ("choir",))


@pytest.mark.parametrize("spelling", ["lo-fi", "lofi", "lo fi", "Lo-Fi", "LOFI", "lofi hip hop"])
def test_spellings_of_one_genre(spelling):
    assert understand(spelling).genres == ("lo-fi",)


@pytest.mark.parametrize(
    ("prompt", "instruments"),
    [
        ("electric piano", ("electric piano",)),
        ("upright bass", ("upright bass",)),
        ("drum kits", ("drum kit",)),
        ("flutes and clarinets", ("flute", "clarinet")),
        ("a music box", ("glockenspiel",)),
        ("classical guitar", ("acoustic guitar",)),
        ("electric guitar", ("electric guitar",)),
        ("epic drums", ("cinematic percussion",)),
    ],
)
def test_the_longest_phrase_wins(prompt, instruments):
    asked = understand(prompt)
    assert asked.instruments == instruments
    assert asked.genres == ()


@pytest.mark.parametrize("prompt", ["only piano", "solo piano and nothing but strings", "just a guitar", "cello only"])
def test_only(prompt):
    assert understand(prompt).only


def test_without_only_others_may_play():
    assert not understand("piano and strings").only
    assert not understand("not only piano but strings").only


def test_degrees():
    assert understand("very sad, slightly tense").feelings == (Feeling("sad", 1.3), Feeling("tense", 0.5))
    assert understand("very slow").pace < understand("slow").pace < understand("slightly slow").pace < 0
    assert understand("not too fast").pace < 0


@pytest.mark.parametrize(
    ("prompt", "tempo"),
    [
        ("110 bpm", (110, 110)),
        ("110BPM", (110, 110)),
        ("bpm: 96", (96, 96)),
        ("a tempo of 72", (72, 72)),
        ("90-100 bpm", (90, 100)),
        ("90 to 100 bpm", (90, 100)),
        ("100 beats per minute", (100, 100)),
        ("adagio", (58, 76)),
        ("allegro", (116, 144)),
    ],
)
def test_tempi(prompt, tempo):
    asked = understand(prompt)
    assert asked.tempo == TempoRange(*tempo)
    assert asked.not_understood == ()


@pytest.mark.parametrize(
    ("prompt", "key"),
    [
        ("in A minor", "A minor"),
        ("a minor", "A minor"),
        ("Am", "A minor"),
        ("F#m", "F# minor"),
        ("in f# dorian", "F# dorian"),
        ("B flat major", "Bb major"),
        ("C sharp minor", "Db minor"),
        ("in Eb", "Eb major"),
        ("key of g", "G major"),
        ("a calm A minor piece", "A minor"),
    ],
)
def test_keys(prompt, key):
    asked = understand(prompt)
    assert asked.key == key
    assert asked.not_understood == ()


@pytest.mark.parametrize("prompt", ["in a minor key", "a minor key please", "minor", "not in major"])
def test_a_mode_without_a_tonic(prompt):
    asked = understand(prompt)
    assert (asked.key, asked.mode) == (None, "minor")


@pytest.mark.parametrize("prompt", ["a warm sound", "be calm", "I am here", "grade b video in a hurry"])
def test_letters_that_are_no_keys(prompt):
    assert understand(prompt).key is None


@pytest.mark.parametrize(("prompt", "beats"), [("a waltz", 3), ("in 3/4", 3), ("4/4", 4), ("a march", None)])
def test_metres(prompt, beats):
    assert understand(prompt).beats_per_bar == beats


def test_words_not_understood_are_named_in_order_and_once():
    asked = understand("Something like Hans Zimmer, dark, for my Zebra documentary; Hans!")
    assert asked.not_understood == ("Hans", "Zimmer", "Zebra")
    assert (asked.genres, asked.moods) == (("cinematic",), ("dark",))


def test_other_languages_are_named_not_guessed():
    assert understand("mit Klavier und Geigen").not_understood == ("mit", "Klavier", "und", "Geigen")


def test_impossible_numbers_are_named():
    assert understand("500 bpm").not_understood == ("500",)


@pytest.mark.parametrize(
    ("slip", "word"),
    [("electrnoic", "electronic"), ("cinematc", "cinematic"), ("pinao", "piano"), ("marimbaa", "marimba")],
)
def test_slips_are_mended(slip, word):
    assert corrected(slip) == word
    assert understand(slip).read_as == ((slip, word),)


@pytest.mark.parametrize(
    "word", ["spring", "bears", "beast", "harm", "strange", "planes", "hard", "born", "rook", "jazy"]
)
def test_other_words_are_not_taken_for_slips(word):
    assert corrected(word) is None


@given(st.text(max_size=300))
def test_nothing_said_is_ever_an_error(text):
    asked = understand(text)
    assert isinstance(asked, Understood)
    assert set(asked.genres) <= GENRES.keys() and set(asked.moods) <= MOODS.keys()
    assert set(asked.instruments) <= INSTRUMENTS.keys() | FAMILIES.keys()
    assert not set(asked.avoid) & {*asked.genres, *asked.moods, *asked.instruments}


_WORDS = [
    *GENRES,
    *MOODS,
    *INSTRUMENTS,
    *FAMILIES,
    "no",
    "without",
    "but",
    "and",
    "or",
    ",",
    ".",
    "very",
    "only",
    "not",
]


@given(st.lists(st.sampled_from(_WORDS), max_size=25))
def test_known_words_are_always_understood(words):
    asked = understand(" ".join(words))
    assert asked.not_understood == ()
    assert not set(asked.avoid) & {*asked.genres, *asked.moods, *asked.instruments}


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "no drums, " * 10_000, "xqzt " * 20_000, "," * 100_000, "without " * 12_000]
)
def test_huge_prompts_are_read_and_reported_in_brief(text):
    asked = understand(text)
    assert sum(map(len, asked.not_understood)) < 2_000


def test_many_unknown_words_are_counted():
    asked = understand(" ".join(f"zz{chr(97 + n % 26)}{chr(97 + n // 26)}q" for n in range(100)))
    assert len(asked.not_understood) == 41
    assert asked.not_understood[-1] == "… and 60 more"


def test_names_for_single_wishes():
    assert name_in_vocabulary("Lofi", ("genre",), "genre") == "lo-fi"
    assert name_in_vocabulary("Melancholy", ("mood",), "mood") == "melancholic"
    assert name_in_vocabulary("taikos", ("instrument",), "instrument") == "cinematic percussion"


def test_an_unknown_name_is_refused_with_its_neighbours():
    with pytest.raises(InputError, match=r"'jaz' is no genre of the vocabulary; did you mean .*'jazz'"):
        name_in_vocabulary("jaz", ("genre",), "genre")
    with pytest.raises(InputError, match=r"'qqq' is no mood .* known are happy, "):
        name_in_vocabulary("qqq", ("mood",), "mood")
