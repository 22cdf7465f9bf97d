"""Words for networks: what is called how, and what is never said."""

import pytest

from reelscore.brief import Brief, Section, Tags
from reelscore.saying import feelings, free_words, kept, ruled_out, shunned, undenied, without


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("slow sad piano, no drums", "slow sad piano"),
        ("Sad piano without any drums, warm", "Sad piano, warm"),
        ("no drums but strings", "strings"),
        ("avoid brass, choir. Gentle waves", "Gentle waves"),
        ("NO DRUMS! loud guitars", "loud guitars"),
        ("piano, no drums, no bass", "piano"),
        ("no drums, no bass, or choir; piano", "piano"),
        ("no vocals", ""),
        ("", ""),
        ("notes of an annoyed knot", "notes of an annoyed knot"),
        ("İstanbul at night, no drums", "İstanbul at night"),  # its lower case is longer
        ("avoid theremin, just a zither", "just a zither"),
        ("slow zither w/o theremin, doesn’t need drums", "slow zither"),
        ("I hate theremin; non-stop zither", "I; non-stop zither"),
        ("a zither\x1b[31m\x00", "a zither [31m"),
    ],
)
def test_what_a_sentence_says_no_to_is_taken_out(said: str, meant: str) -> None:
    assert undenied(said) == meant


def test_names_of_what_is_avoided_are_taken_out_of_a_text() -> None:
    out = ruled_out(Brief(duration=1.0, tags=Tags(avoid=("drums", "grand piano"))), [])
    assert without("A man plays a Drum on a street, loud drum kits, taikos", out) == "A man plays a on a street, loud"
    assert without("piano, pianos; pianissimo", out) == "pianissimo"
    assert without("  as it\nis ,  ", set()) == "as it is"


def test_every_name_and_member_of_what_is_avoided_is_ruled_out() -> None:
    out = ruled_out(Brief(duration=1.0, tags=Tags(avoid=("drums",))), ["violin"])
    assert {"drums", "drum kit", "electronic kit", "909", "solo violin", "fiddle"} <= out
    assert kept(["drum kit", "solo violin", "felt piano", "felt piano"], out) == ["soft piano"]


def test_free_words_are_wished_for_or_denied() -> None:
    brief = Brief(
        duration=1.0,
        prompt="zither, no hurdygurdy, no theremin",
        not_understood=("zither", "hurdygurdy", "theremin", "?"),
    )
    words = free_words(brief)
    assert words.wished == ("zither",)
    assert words.denied == ("hurdygurdy", "theremin")
    assert shunned(brief, "Low\n quality") == ["low", "quality", "hurdygurdy", "theremin"]


def test_a_section_feels_as_its_numbers_say() -> None:
    brief = Brief(duration=1.0, tags=Tags(moods=("happy", "playful")))
    calm = Section(start=0.0, end=1.0, valence=0.4, arousal=-0.6, tension=0.0, energy=0.1)
    wild = calm.model_copy(update={"valence": -0.7, "arousal": 0.8, "tension": 0.8, "energy": 0.9})
    assert feelings(brief, calm) == ["calm", "happy", "sparse", "playful"]
    assert feelings(brief, wild) == ["angry", "happy", "intense", "playful"]
    assert feelings(brief, None) == ["happy", "playful"]
