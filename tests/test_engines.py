"""The contract that every engine keeps, and the registry."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from reelscore import engines
from reelscore.brief import Brief, Cue
from reelscore.errors import InputError
from reelscore.progress import unseen
from reelscore.spotting import complete


def request(engine: engines.Engine, brief: Brief, seed: int = 1) -> engines.Request:
    options = engine.options()
    if absent := engine.missing(options):
        pytest.skip(f"{engine.name} cannot be used here: {absent[0]}")
    return engines.Request(complete(brief), seed, options)


@pytest.fixture(params=engines.names())
def engine(request: pytest.FixtureRequest) -> engines.Engine:
    return engines.find(request.param)


def test_every_engine_says_what_it_is(engine: engines.Engine) -> None:
    assert engine.name in engines.names()
    assert engine.summary.endswith(".")
    assert is_dataclass(engine.options)
    assert isinstance(engine.missing(engine.options()), tuple)
    assert all(option.default is not None for option in fields(engine.options))


@pytest.mark.parametrize("duration", [0.5, 7.013])
def test_music_has_the_exact_length_and_is_sound(engine: engines.Engine, duration: float) -> None:
    music = engine.generate(request(engine, Brief(duration=duration)), unseen).audio
    assert music.length_samples == round(duration * music.rate)
    assert music.channels == 2
    assert np.isfinite(music.samples).all()
    assert 0.01 < np.abs(music.samples).max() <= 1.0


def test_the_same_seed_gives_the_same_samples_and_another_does_not(engine: engines.Engine) -> None:
    brief = Brief(duration=6.0, cues=(Cue(time=2.4, strength=0.9),))
    first, again, other = (engine.generate(request(engine, brief, seed), unseen).audio.samples for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_unknown_engine_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(InputError, match="compose"):
        engines.find("orchestrion")
