"""Scenes laid on each other's beats, heard on music whose beats are known: a model stands in that plays records of the composer.

Its codes are the numbers of a record's frames: to go on from codes is to go on in the record.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from reelscore.audio import Samples, resample, to_channels
from reelscore.brief import Brief, Section, Tags
from reelscore.compose import compose
from reelscore.engines import Request
from reelscore.engines.musicgen import Options, playing
from reelscore.engines.musicgen.joins import beat_near
from reelscore.engines.musicgen.plan import OVERRUN, plan_for
from reelscore.engines.musicgen.playing import Player, Take
from reelscore.finish.joining import REACH, joined
from reelscore.listening import pulse_of
from reelscore.progress import unseen
from reelscore.sound import render
from reelscore.spotting import complete
from reelscore.tempo import Floats

pytest.importorskip("librosa")

RATE, HOP = 32_000, 640
TEMPO_BPM = 112.0
FILM, RECORD = 24.0, 28.0  # seconds
TURNS = (6.23, 10.9, 16.4)  # none of them on a beat of any record
TOLERANCE = 0.030


@dataclass(frozen=True, eq=False)
class Record:
    """Sound of whole frames and the seconds at which its beats are."""

    sound: Samples
    beats: Floats


def record(seed: int) -> Record:
    tags = Tags(genres=("rock",), instruments=("drum kit", "electric bass"))
    brief = complete(Brief(duration=RECORD, tempo_bpm=TEMPO_BPM, key="A minor", tags=tags))
    sound = to_channels(resample(render(compose(brief, seed), seed=seed), RATE), 1).samples
    beats = brief.tempo_map.times_at(np.arange(200.0))
    return Record(sound[:, : sound.shape[1] // HOP * HOP], beats[beats < RECORD])


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return [record(seed) for seed in (0, 1)]


@dataclass(eq=False)
class StandIn:
    """Plays records: the one after the other where nothing goes on, each from `begins` seconds on."""

    records: Sequence[Record]
    begins: float = 0.0
    asked: list[int] = field(default_factory=list)

    @property
    def sound(self) -> Samples:
        return np.concatenate([each.sound for each in self.records], axis=1)

    def frame(self, number: int) -> int:
        """Where a record begins."""
        return sum(each.sound.shape[1] for each in self.records[:number]) // HOP + round(self.begins * RATE / HOP)

    def generate(self, _decoder: Any, _condition: Tensor, _null: Tensor, *, length: int, prompt: Tensor, **_: Any):
        if prompt.shape[2]:
            first = prompt[0, 0, 0]
        else:
            first = self.frame(len(self.asked) % len(self.records))
            self.asked.append(length)
        return (first + torch.arange(length)).expand(len(prompt), 1, length)

    def sounding(self, _codec: Any, codes: Tensor, _progress: Any) -> Samples:
        places = (codes[0, 0].numpy()[:, None] * HOP + np.arange(HOP)).ravel()
        return self.sound[:, places]

    @property
    def opened(self) -> Any:
        codec = SimpleNamespace(codebooks=1, sample_rate=RATE, hop_samples=HOP, frame_rate=50, channels=1)
        model = SimpleNamespace(
            config=SimpleNamespace(melody=None),
            codec=codec,
            decoder=SimpleNamespace(norm=torch.nn.LayerNorm(4)),
            condition=lambda _ids: torch.zeros(1, 4),
            null=lambda: torch.zeros(1, 4),
        )
        return SimpleNamespace(model=model, tokenizer=lambda _words: torch.zeros(1, dtype=torch.long))


def brief_of(turns: Sequence[float] = TURNS, length: float = FILM) -> Brief:
    edges = (0.0, *turns, length)
    sections = tuple(
        Section(start=start, end=end, instruction=f"scene {number}")
        for number, (start, end) in enumerate(pairwise(edges))
    )
    return complete(Brief(duration=length, tempo_bpm=TEMPO_BPM, sections=sections))


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What a stand-in plays to a brief: `played(stand_in, brief, **options)`, a take."""

    def play(stand_in: StandIn, brief: Brief, **chosen: Any) -> Take:
        options = Options(**chosen)
        monkeypatch.setattr(playing, "generate", stand_in.generate)
        monkeypatch.setattr(playing, "sounding", stand_in.sounding)
        request = Request(brief, 1, options)
        player = Player(stand_in.opened, request, plan_for(brief, options, 50), 1, 1, unseen)
        (take,) = player.play([1], [None])
        return take

    return play


def off_beat(times: Sequence[float], beats: Floats) -> float:
    """The most seconds that lie between one of the times and the beat next to it."""
    return max(float(np.abs(beats - time).min()) for time in times)


def ats(take: Take) -> list[float]:
    return [piece.at / RATE for piece in take.laid[1:]]


def test_music_that_goes_on_is_one_stream_that_turns_on_beats(played: Any, records: list[Record]) -> None:
    """All that is heard is the record itself, as if nothing had been cut."""
    take = played(StandIn(records[:1]), brief_of(), carry="tail")
    heard = joined(take.laid, round(FILM * RATE), RATE, ease=False)
    assert np.allclose(heard[:, 320:-320], records[0].sound[:, 320 : heard.shape[1] - 320], atol=1e-5)
    assert off_beat(ats(take), records[0].beats) < TOLERANCE
    assert all(abs(at - turn) <= REACH + 0.02 for at, turn in zip(ats(take), TURNS, strict=True))
    assert np.allclose(take.moved, np.subtract(ats(take), TURNS))


@pytest.mark.parametrize("begins", [0.0, 3.31])
def test_unrelated_scenes_meet_beat_on_beat(played: Any, records: list[Record], begins: float) -> None:
    take = played(StandIn(records, begins), brief_of(TURNS[:2], 17.0), carry="nothing")
    assert len(take.laid) == 3
    for number, (before, piece) in enumerate(pairwise(take.laid)):
        ends = (piece.at - before.begins) / RATE + begins
        assert off_beat([ends], records[number % 2].beats) < TOLERANCE
        assert off_beat([piece.anchor / RATE + begins], records[(number + 1) % 2].beats) < TOLERANCE
        assert piece.stops >= piece.at + 2.0 * RATE


def test_scenes_of_a_theme_go_on_from_it_and_meet_beat_on_beat(played: Any, records: list[Record]) -> None:
    take = played(StandIn(records[:1], 1.17), brief_of(), carry="theme", context=8.0)
    beats = records[0].beats - 1.17
    assert abs(take.before.shape[1] / 50 - 8.0 + REACH) < 0.01
    end_of_theme = (float(take.before[0, -1]) + 1) / 50 - 1.17
    assert abs(end_of_theme - 8.0) <= REACH + 0.02
    assert off_beat([end_of_theme], beats) < TOLERANCE
    for before, piece in pairwise(take.laid):
        lead = end_of_theme - 4.0
        assert off_beat([lead + (piece.at - before.begins) / RATE, lead + piece.anchor / RATE], beats) < TOLERANCE


def test_where_nothing_beats_scenes_turn_with_the_film(played: Any) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal((1, round(RECORD * RATE))).astype(np.float32)
    take = played(StandIn([Record(noise, np.zeros(0))]), brief_of(), carry="tail")
    assert take.moved == [None, None, None]
    assert ats(take) == pytest.approx(TURNS, abs=0.011)


def test_there_is_sound_behind_every_join_for_the_cross_fade(played: Any, records: list[Record]) -> None:
    for carry in ("tail", "theme", "nothing"):
        take = played(StandIn(records), brief_of(), carry=carry)
        for before, piece in pairwise(take.laid):
            assert before.stops >= piece.at
        assert take.laid[-1].stops >= FILM * RATE


@pytest.mark.parametrize("time", [5.1, 9.97, 14.4])
def test_a_beat_is_found_though_little_sound_lies_behind_it(records: list[Record], time: float) -> None:
    found = beat_near(records[0].sound[:, : round((time + OVERRUN) * RATE)], RATE, time, TEMPO_BPM)
    assert found.on_beat
    assert off_beat([found.time], records[0].beats) < TOLERANCE


def test_silence_and_next_to_nothing_have_no_beat() -> None:
    for length in (0, 100, 14 * RATE):
        found = beat_near(np.zeros((2, length), np.float32), RATE, 0.002, 100.0)
        assert (found.time, found.on_beat) == (0.002, False)


def test_what_is_heard_of_unrelated_scenes_has_one_pulse_and_no_jump_in_level(
    played: Any, records: list[Record]
) -> None:
    """Though the second scene is 12 dB softer by itself."""
    soft = Record(records[1].sound * np.float32(0.25), records[1].beats)
    take = played(StandIn([records[0], soft], 1.3), brief_of(TURNS[:2], 17.0), carry="nothing")
    heard = joined(take.laid, 17 * RATE, RATE)
    pulse = pulse_of(heard, RATE, near_bpm=TEMPO_BPM)
    assert np.allclose(np.diff(pulse.beats), 60 / TEMPO_BPM, atol=TOLERANCE)
    for at in (piece.at for piece in take.laid[1:]):
        moment = round(0.4 * RATE)
        before, after = (
            10 * np.log10(np.mean(heard[:, part] ** 2)) for part in (slice(at - moment, at), slice(at, at + moment))
        )
        assert abs(after - before) <= 3.0
