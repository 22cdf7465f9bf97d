"""What MusicGen is told: each scene's own words, the same identity in all, the person's words always, the avoided never."""

import pytest

from reelscore.brief import Brief, Section, Tags
from reelscore.engines.musicgen.prompts import avoided, prompt_for, published_prompt
from reelscore.vocabulary import INSTRUMENTS


def section(instruction: str = "", **feeling: float) -> Section:
    return Section(start=0.0, end=5.0, instruction=instruction, **feeling)


FULL = Brief(
    duration=10.0,
    prompt="slow sad zither, no drums",
    tags=Tags(genres=("ambient", "folk", "jazz"), instruments=("grand piano", "strings"), avoid=("drums",)),
    key="A minor",
    tempo_bpm=69.6,
)


def test_a_scene_is_told_its_instruction_then_what_holds_for_the_film() -> None:
    said = prompt_for(FULL, section("Waves roll in at dusk.")).text
    assert said == (
        "Waves roll in at dusk. slow sad zither. genre: ambient, folk. instrument: piano, strings. key: A minor. bpm: 70"
    )


def test_what_holds_for_the_film_is_the_same_in_every_scene() -> None:
    prompts = [prompt_for(FULL, each) for each in (section("Waves."), section("", energy=0.9), None)]
    assert len({prompt.steady for prompt in prompts}) == 1
    assert len({prompt.own for prompt in prompts}) == 3
    assert all(prompt.text.endswith(prompt.steady) for prompt in prompts)


def test_without_an_instruction_the_numbers_speak() -> None:
    calm = prompt_for(FULL, section(valence=0.4, arousal=-0.6, tension=0.0, energy=0.2)).own
    wild = prompt_for(FULL, section(valence=-0.7, arousal=0.8, tension=0.8, energy=0.95)).own
    assert (calm, wild) == ("calm, sparse, music for a film", "angry, intense, music for a film")


def test_an_empty_brief_is_told_something() -> None:
    said = prompt_for(Brief(duration=1.0), section()).text
    assert said == "music for a film. key: C major. bpm: 96"
    assert avoided(Brief(duration=1.0)) == ""


def test_nothing_that_is_avoided_is_asked_for_by_any_of_its_names() -> None:
    brief = FULL.model_copy(update={"tags": Tags(instruments=tuple(INSTRUMENTS)[:8], avoid=("drums", "keyboards"))})
    said = prompt_for(brief, section("A drum, an 909 and a piano; drums, violins")).text.casefold()
    assert not any(word in said for word in ("drum", "909", "piano"))
    assert "violins" in said
    assert avoided(brief) == "drums, keyboards"


def test_an_instruction_that_asks_for_the_avoided_alone_leaves_the_feeling() -> None:
    assert prompt_for(FULL, section("Drums!", energy=0.9)).own == "intense, music for a film"


def test_words_that_are_denied_are_kept_away_from() -> None:
    brief = Brief(duration=1.0, prompt="strings, no theremin", not_understood=("theremin",))
    assert avoided(brief) == "theremin"
    assert prompt_for(brief, None).text.startswith("music for a film. strings. key")


@pytest.mark.parametrize(("source", "told"), [("person: happy", True), ("rule: bright pictures", False)])
def test_moods_hold_for_the_film_where_a_person_asked_for_them(source: str, told: bool) -> None:
    brief = Brief(duration=1.0, tags=Tags(moods=("happy",)), sources={"tags.moods": source})
    assert ("moods: happy" in prompt_for(brief, section("Waves.")).steady) is told


def test_a_prompt_without_end_is_cut_between_words() -> None:
    said = prompt_for(Brief(duration=1.0, prompt="never " * 10 + "silence " * 5000), section("Waves")).text
    assert len(said) < 800
    assert prompt_for(Brief(duration=1.0, prompt="calm silence " * 5000), None).text.count("silenc ") == 0


def test_as_published_the_instruction_stands_alone() -> None:
    assert published_prompt(FULL, section(" Drums, by the sea. ")).text == "Drums, by the sea."
    assert published_prompt(FULL, section(energy=0.9)).text == "intense, music for a film"
