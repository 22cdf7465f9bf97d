"""Casting: what the person named is heard early, what a rule proposed waits for its energy."""

import pytest
from briefs_to_compose import full_brief

from reelscore.compose import styles
from reelscore.compose.casting import asked_for, cast_for
from reelscore.vocabulary import GENRES


@pytest.mark.parametrize("genre", ["classical", "cinematic", "rock"])
def test_a_palette_that_a_rule_chose_brings_nobody_in_early(genre: str) -> None:
    plain = full_brief(genre)
    brief = plain.model_copy(
        update={
            "tags": plain.tags.model_copy(update={"instruments": GENRES[genre].instruments}),
            "sources": {"tags.instruments": f"rule: the palette of {genre}"},
        }
    )
    assert asked_for(brief) == set()
    for chair in cast_for(brief, styles.find(genre), None).chairs:
        assert chair.enters == chair.layer.enters


def test_what_the_person_named_is_told_from_the_palette_after_it() -> None:
    palette = GENRES["classical"].instruments
    named = palette[-1]
    plain = full_brief("classical", instruments=(named, *palette[:-1]))
    assert asked_for(plain) == set(palette)
    mixed = plain.model_copy(
        update={
            "sources": {"tags.instruments": f"person: {named} asked for in the prompt; rule: the palette of classical"}
        }
    )
    assert asked_for(mixed) == {named}
    early = [chair for chair in cast_for(mixed, styles.find("classical"), None).chairs if chair.instrument == named]
    assert early and min(chair.enters for chair in early) <= 0.2
