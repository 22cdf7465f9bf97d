"""The contract that every engine keeps, and the registry."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelscore import engines
from reelscore.brief import Brief, Cue
from reelscore.errors import InputError
from reelscore.hardware import Hardware
from reelscore.progress import unseen
from reelscore.spotting import complete

Asking = Callable[..., engines.Request]


@pytest.fixture(params=engines.names())
def engine(request: pytest.FixtureRequest) -> engines.Engine:
    return engines.find(request.param)


@pytest.fixture(scope="session")
def small_sonique(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Options that name weights made on the spot, and few steps."""
    from tiny_sonique import tiny_sonique

    return {"weights": str(tiny_sonique(tmp_path_factory.mktemp("sonique"))), "steps": 3}


@pytest.fixture(scope="session")
def small_vidmuse(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Options that name weights made on the spot."""
    from tiny_vidmuse import tiny_vidmuse

    return {"weights": str(tiny_vidmuse(tmp_path_factory.mktemp("vidmuse")))}


@pytest.fixture(scope="session")
def small_musicgen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Options that name weights made on the spot."""
    from tiny_musicgen import tiny_musicgen

    return {"weights": str(tiny_musicgen(tmp_path_factory.mktemp("musicgen")))}


@pytest.fixture(scope="session")
def small_match(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Options that name a library made on the spot."""
    from tiny_library import tiny_library

    return {"library": str(tiny_library(tmp_path_factory.mktemp("match") / "library"))}


@pytest.fixture
def asked(engine: engines.Engine, request: pytest.FixtureRequest) -> Asking:
    """What asks this engine for the music of a brief: `asked(brief, seed)`."""
    small = {} if engine.name == "compose" else request.getfixturevalue(f"small_{engine.name}")
    return partial(_request, engine, engine.options(**small))


def _request(engine: engines.Engine, options: Any, brief: Brief, seed: int = 1) -> engines.Request:
    if absent := engine.missing(options):
        pytest.skip(f"{engine.name} cannot be used here: {absent[0]}")
    return engines.Request(complete(brief), seed, options)


def test_every_engine_says_what_it_is(engine: engines.Engine) -> None:
    assert engine.name in engines.names()
    assert engine.summary.endswith(".")
    assert is_dataclass(engine.options)
    assert isinstance(engine.missing(engine.options()), tuple)
    assert all(option.default is not None for option in fields(engine.options))


@pytest.mark.parametrize("duration", [0.5, 7.013])
def test_music_has_the_exact_length_and_is_sound(engine: engines.Engine, asked: Asking, duration: float) -> None:
    music = engine.generate(asked(Brief(duration=duration)), unseen).audio
    assert music.length_samples == round(duration * music.rate)
    assert music.channels == 2
    assert np.isfinite(music.samples).all()
    assert 0.01 < np.abs(music.samples).max() <= 1.0


def test_the_same_seed_gives_the_same_samples_and_another_does_not(engine: engines.Engine, asked: Asking) -> None:
    brief = Brief(duration=6.0, cues=(Cue(time=2.4, strength=0.9),))
    first, again, other = (engine.generate(asked(brief, seed), unseen).audio.samples for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_several_takes_together_are_those_made_alone(engine: engines.Engine, asked: Asking) -> None:
    if engine.takes is None:
        pytest.skip(f"{engine.name} makes one take at a time")
    brief = Brief(duration=3.0)
    together = [music.audio.samples for music in engine.takes(asked(brief), (7, 8), unseen)]
    alone = [engine.generate(asked(brief, seed), unseen).audio.samples for seed in (7, 8)]
    assert len(together) == 2
    assert np.allclose(together, alone, atol=1e-3)
    assert not np.allclose(together[0], together[1], atol=1e-2)


def test_what_is_no_melody_is_refused_in_one_sentence(engine: engines.Engine, tmp_path: Path) -> None:
    (tmp_path / "melody.bin").write_bytes(bytes(range(256)))
    for path in (tmp_path / "melody.bin", tmp_path / "absent.mid"):
        with pytest.raises(InputError, match=r"^[^\n]*melody[^\n]*\.$"):
            engine.check(engine.options(), path, Hardware())


def test_an_unknown_engine_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(InputError, match="compose"):
        engines.find("orchestrion")
