"""The engine musicgen on tiny random weights: what the decoder is told where, what goes on from what, seeds, parity, refusals."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from reelscore import melody, tokens
from reelscore.audio import Audio, write_audio
from reelscore.brief import Brief, Cue, Section, Tags
from reelscore.engines import Music, Request
from reelscore.engines.musicgen import ENGINE, Options, joins, making, plan, playing
from reelscore.engines.musicgen.making import at_once, load
from reelscore.engines.musicgen.plan import plan_for
from reelscore.engines.musicgen.tunes import Tune, composed
from reelscore.errors import InputError
from reelscore.hardware import Hardware
from reelscore.models.chroma import MelodyConfig, chroma
from reelscore.models.eight_bits import EightBits
from reelscore.progress import unseen
from reelscore.spotting import complete

pytest.importorskip("librosa")

Asking = Callable[..., Request]
RATE, FRAMES = 32_000, 50  # of sound and of codes in a second


@pytest.fixture
def asked(musicgen_folders: dict[str, Path]) -> Asking:
    """A request on tiny weights: `asked(brief, seed, kind=…, melody=…, hardware=…, **options)`."""

    def ask(
        brief: Brief,
        seed: int = 1,
        *,
        kind: str = "text",
        melody: Path | None = None,
        hardware: Hardware = Hardware(device="cpu"),
        **options: Any,
    ) -> Request:
        chosen = Options(**{"weights": str(musicgen_folders[kind]), **options})
        return Request(complete(brief), seed, chosen, melody=melody, hardware=hardware)

    return ask


def scenes(*lengths: float, **more: Any) -> Brief:
    """A brief of sections of these lengths; each is told its number."""
    sections, start = [], 0.0
    for number, length in enumerate(lengths):
        sections.append(Section(start=start, end=start + length, instruction=f"scene {number}"))
        start += length
    return Brief(duration=start, sections=tuple(sections), **more)


def music(request: Request) -> Music:
    return ENGINE.generate(request, unseen)


def samples(request: Request) -> npt.NDArray[np.float32]:
    return music(request).audio.samples


REACH, OVERRUN = 0.2, 0.4


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenes may be a fifth as long as they must be else, and joins move a fifth as far: every second is a hundred steps."""
    monkeypatch.setattr(plan, "LEAST_SCENE", 0.6)
    monkeypatch.setattr(plan, "REACH", REACH)
    monkeypatch.setattr(plan, "OVERRUN", OVERRUN)
    monkeypatch.setattr(joins, "REACH", REACH)


@pytest.fixture
def no_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenes turn where the film does."""
    monkeypatch.setattr(playing, "beat_near", lambda _sound, _rate, time, _tempo: joins.Meeting(time, False))


def played_by(monkeypatch: pytest.MonkeyPatch, request: Request, seeds: Sequence[int] = (1,)) -> list[dict[str, Any]]:
    """What the decoder is given in each window and what it answers, in the place of being played: counted codes."""
    given: list[dict[str, Any]] = []

    def generate(_decoder: Any, conditional: Any, null: Any, **named: Any) -> Tensor:
        known, named = named["prompt"].clone(), {**named}
        new = (torch.arange(named["length"] - known.shape[2]) + 7 * len(given)) % 64
        answer = torch.cat([known, new.expand(*known.shape[:2], -1)], dim=2)
        given.append({"conditional": conditional, "null": null, **named, "prompt": known, "answer": answer})
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(playing, "generate", generate)
        list(ENGINE.takes(request, seeds, unseen))
    return given


# ── lengths and kinds ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("text", {}),
        ("text", {"carry": "theme"}),
        ("text", {"carry": "nothing"}),
        ("text", {"as_published": True}),
        ("stereo", {}),
        ("stereo", {"as_published": True}),
        ("melody", {}),
        ("melody", {"carry": "theme"}),
    ],
)
def test_every_kind_makes_music_of_the_exact_length(asked: Asking, kind: str, options: dict[str, Any]) -> None:
    audio = music(asked(scenes(1.1, 1.007), kind=kind, context=2.0, **options)).audio
    assert audio.samples.shape == (2, round(2.107 * RATE))
    assert np.abs(audio.samples).max() > 0.05
    assert np.abs(audio.samples[:, [0, -1]]).max() < 2e-3
    # Two channels of their own where the model has them or they are given width.
    assert np.array_equal(*audio.samples) is (kind != "stereo" and bool(options.get("as_published")))


def test_one_channel_becomes_two_and_two_stay_their_own(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    widths: list[bool] = []
    monkeypatch.setattr(making, "finished", lambda sound, *_, widen: (widths.append(widen), Audio(sound, RATE))[1])
    brief = Brief(duration=1.0)
    assert [music(asked(brief, kind=kind)).audio.channels for kind in ("text", "stereo")] == [1, 2]
    music(asked(brief, as_published=True))
    assert widths == [True, True, False]


# ── parity ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["text", "melody"])
def test_a_scene_as_published_is_token_for_token_what_transformers_makes(
    asked: Asking, musicgen_folders: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoTokenizer, MusicgenForConditionalGeneration, MusicgenMelodyForConditionalGeneration

    request = asked(scenes(1.2), kind=kind, as_published=True, top_k=1)
    heard: list[Tensor] = []
    sounding = playing.sounding
    monkeypatch.setattr(
        playing, "sounding", lambda codec, codes, told: (heard.append(codes), sounding(codec, codes, told))[1]
    )
    ours = samples(request)

    theirs_of = MusicgenForConditionalGeneration if kind == "text" else MusicgenMelodyForConditionalGeneration
    theirs = theirs_of.from_pretrained(musicgen_folders[kind]).eval()
    read = AutoTokenizer.from_pretrained(musicgen_folders[kind])(["scene 0"], return_tensors="pt")
    wanted: list[Tensor] = []
    decode = theirs.audio_encoder.decode
    monkeypatch.setattr(
        theirs.audio_encoder, "decode", lambda codes, *_, **named: (wanted.append(codes[0]), decode(codes, **named))[1]
    )
    sound = theirs.generate(**read, do_sample=False, guidance_scale=3.0, max_new_tokens=FRAMES + 3)
    assert heard[0].shape == (1, 4, FRAMES)
    assert torch.equal(heard[0], wanted[0])
    inside = slice(RATE // 20, RATE // 2)  # clear of the fades
    assert np.allclose(ours[0, inside], sound[0, 0, inside].numpy(), atol=1e-4)


# ── what is told ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_scene_is_told_its_own_words(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(scenes(1.0, 1.0))
    opened = load(request, unseen)
    given = played_by(monkeypatch, request)
    assert len(given) == 2
    for each, part in zip(given, plan_for(request.brief, request.options, FRAMES).parts, strict=True):
        wanted = opened.model.condition(opened.tokenizer(part.scene.prompt.text))
        assert torch.equal(each["conditional"], wanted)
        assert torch.equal(each["null"], opened.model.null())
    assert not torch.equal(given[0]["conditional"][:5], given[1]["conditional"][:5])


@pytest.mark.parametrize("kind", ["text", "melody"])
def test_guidance_leads_away_from_what_is_avoided(asked: Asking, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    brief = scenes(1.0, tags=Tags(avoid=("drums", "choir")))
    request = asked(brief, kind=kind)
    opened = load(request, unseen)
    (given,) = played_by(monkeypatch, request)
    assert torch.equal(given["null"], opened.model.condition(opened.tokenizer("drums, choir")))
    (unguided,) = played_by(monkeypatch, asked(brief, kind=kind, guidance=1.0))
    assert unguided["null"] is None
    (published,) = played_by(monkeypatch, asked(brief, kind=kind, as_published=True))
    assert torch.equal(published["null"], opened.model.null())
    assert not np.array_equal(samples(request), samples(asked(scenes(1.0), kind=kind)))


def test_the_ways_to_choose_reach_the_decoder(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    (given,) = played_by(monkeypatch, asked(scenes(1.0), temperature=0.7, top_k=9, top_p=0.4, guidance=5.0))
    sampling = given["sampling"]
    assert (sampling.temperature, sampling.top_k, sampling.top_p, sampling.guidance_scale) == (0.7, 9, 0.4, 5.0)


# ── what goes on from what ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("no_beats")
def test_a_scene_goes_on_from_the_tail_of_the_one_before(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = played_by(monkeypatch, asked(scenes(4.0, 5.0, 4.0), context=3.0))
    assert first["prompt"].shape[2] == 0
    stream = first["answer"][..., : 4 * FRAMES]
    assert torch.equal(second["prompt"], stream[..., -3 * FRAMES :])
    stream = torch.cat([stream, second["answer"][..., 3 * FRAMES : 8 * FRAMES]], dim=2)
    assert torch.equal(third["prompt"], stream[..., -3 * FRAMES :])


@pytest.mark.usefixtures("no_beats")
def test_every_scene_goes_on_from_the_theme(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    theme, *others = played_by(monkeypatch, asked(scenes(4.0, 5.0, 4.0), carry="theme", context=3.0))
    assert theme["prompt"].shape[2] == 0
    assert len(others) == 3
    for each in others:
        assert torch.equal(each["prompt"], theme["answer"][..., round(REACH * FRAMES) : 3 * FRAMES])


def test_nothing_is_carried_where_that_is_asked_for(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    for options in ({"carry": "nothing"}, {"as_published": True}):
        given = played_by(monkeypatch, asked(scenes(1.0, 1.0), **options))
        assert [each["prompt"].shape[2] for each in given] == [0, 0]


@pytest.mark.usefixtures("no_beats")
def test_longer_scenes_than_the_model_learned_are_windows_that_know_what_came_before(
    asked: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "LEARNED", 6.0)
    request = asked(scenes(4.0, 13.0), context=2.0)
    _, *windows = played_by(monkeypatch, request)
    part = plan_for(request.brief, request.options, FRAMES).parts[1]
    assert len(windows) > 2
    assert all(each["length"] <= 6 * FRAMES for each in windows)
    stream = windows[0]["answer"]
    for each in windows[1:]:
        assert each["prompt"].shape[2] >= 2 * FRAMES
        assert torch.equal(each["prompt"], stream[..., -each["prompt"].shape[2] :])
        stream = torch.cat([stream, each["answer"][..., each["prompt"].shape[2] :]], dim=2)
    assert stream.shape[2] == part.known + part.made


@pytest.mark.usefixtures("no_beats")
def test_as_published_scenes_follow_hard_in_whole_seconds(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(scenes(2.4, 1.6), as_published=True)
    laid: list[Any] = []
    lay = playing.Player._lay
    monkeypatch.setattr(
        playing.Player, "_lay", lambda self, take, *rest: (lay(self, take, *rest), laid.append(take))[0]
    )
    monkeypatch.setattr(making, "finished", lambda sound, *_, **__: Audio(sound, RATE))
    heard = samples(request)
    pieces = laid[-1].laid
    assert [(piece.anchor, piece.at) for piece in pieces] == [(0, 0), (0, 2 * RATE)]
    assert [piece.sound.shape[1] for piece in pieces] == [2 * RATE, 2 * RATE]
    assert np.array_equal(heard, np.concatenate([piece.sound for piece in pieces], axis=1))


# ── melodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def ramp(seconds: float) -> npt.NDArray[np.float32]:
    """A sound whose samples are their own numbers."""
    return np.arange(round(seconds * RATE), dtype=np.float32)[None]


@pytest.fixture
def stretches(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """The seconds of the recording that each chroma was made of: the first and the last."""
    heard: list[tuple[float, float]] = []

    def listening(sound: Tensor, config: MelodyConfig) -> Tensor:
        heard.append((float(sound[0, 0]) / RATE, float(sound[0, -1]) / RATE))
        return chroma(sound, config)

    monkeypatch.setattr("reelscore.engines.musicgen.tunes.chroma", listening)
    return heard


@pytest.mark.usefixtures("no_beats")
def test_each_window_hears_the_melody_of_its_own_time(
    asked: Asking, stretches: list[tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "LEARNED", 6.0)
    monkeypatch.setattr(making, "recorded", lambda *_: Tune(ramp(60.0), RATE))
    given = played_by(monkeypatch, asked(scenes(4.0, 5.0), kind="melody", context=2.0))
    # The second scene goes on from 2 s of context, and what is made for it, 7.2 s with it, takes two windows.
    begins = [0.0, 2.0, 2.0 + 1.2]
    assert [each["length"] for each in given] == [round(4.4 * FRAMES), 6 * FRAMES, 6 * FRAMES]
    assert [first for first, _ in stretches] == pytest.approx(begins, abs=0.03)
    assert all(last - first == pytest.approx(30.0, abs=0.01) for first, last in stretches)


@pytest.mark.usefixtures("no_beats")
def test_a_theme_hears_the_beginning_and_what_goes_on_from_it_its_own_time(
    asked: Asking, stretches: list[tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "recorded", lambda *_: Tune(ramp(90.0), RATE))
    played_by(monkeypatch, asked(scenes(4.0, 5.0), kind="melody", carry="theme", context=5.0))
    # A theme of 5 s, of which each scene knows all but the first moment; what is left of 30 s is the scene's own time.
    wanted = [(0.0, 30.0), (REACH, 30.0 - 5.0 + REACH), (REACH, 4.0 + 30.0 - 5.0 + REACH)]
    assert np.allclose(stretches, wanted, atol=0.01)


def test_a_recording_that_ends_early_begins_again() -> None:
    tune = Tune(np.float32(0.5) * np.sin(2 * np.pi * 440 * np.arange(2 * RATE, dtype=np.float32) / RATE)[None], RATE)
    long = Tune(np.tile(tune.sound, 20), RATE)
    config = MelodyConfig()
    for times in ([(0.0, 30.0)], [(7.0, 37.0)], [(-3.0, 2.0), (1.0, 20.0)]):
        assert torch.equal(tune.chroma(times, config), long.chroma(times, config))


def test_a_recording_is_followed(asked: Asking, tmp_path: Path) -> None:
    for note, hz in (("a", 440.0), ("c", 523.25)):
        wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(3 * 44_100) / 44_100)
        write_audio(Audio(wave[None].astype(np.float32), 44_100), tmp_path / f"{note}.wav")
    brief = scenes(1.0)
    led, other = (music(asked(brief, kind="melody", melody=tmp_path / f"{note}.wav")) for note in "ac")
    assert not np.allclose(led.audio.samples, other.audio.samples, atol=1e-3)
    assert not np.allclose(led.audio.samples, samples(asked(brief, kind="melody")), atol=1e-3)
    assert any(str(tmp_path / "a.wav") in remark for remark in led.remarks)


def low_part(sound: npt.NDArray[np.float32]) -> float:
    """How much of a sound lies below 75 Hz, where no guitar plays."""
    power = np.abs(np.fft.rfft(sound[0])) ** 2
    return float(power[: round(75 * sound.shape[1] / RATE)].sum() / power.sum())


def test_the_composer_s_playing_guides_each_take_without_bass_and_drums(asked: Asking) -> None:
    brief = scenes(1.0, tags=Tags(genres=("rock",), instruments=("drum kit", "electric bass", "electric guitar")))
    request = asked(brief, kind="melody", guide=True)
    first, second = (composed(request, seed, RATE, unseen) for seed in (1, 2))
    assert first.sound.shape == (1, round(request.brief.duration * RATE))
    assert not np.allclose(first.sound, second.sound, atol=1e-3)
    whole = melody.played(request.brief, 1, RATE, 1, unseen)
    assert low_part(first.sound) < 0.2 * low_part(whole)
    alone = samples(asked(brief, 2, kind="melody", guide=True))
    one, two = ENGINE.takes(request, (1, 2), unseen)
    assert np.allclose(alone, two.audio.samples, atol=1e-3)
    assert not np.allclose(alone, one.audio.samples, atol=1e-3)
    assert any("composer's playing" in remark for remark in one.remarks)


# ── seeds and takes ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("carry", ["tail", "theme"])
def test_takes_are_the_same_in_whatever_batches_they_are_played(
    asked: Asking, carry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked(scenes(0.8, 0.7), carry=carry, context=2.0)
    together = [made.audio.samples for made in ENGINE.takes(request, (3, 4), unseen)]
    monkeypatch.setattr(tokens, "MOST_REMEMBERED", 1)
    one_by_one = [made.audio.samples for made in ENGINE.takes(request, (3, 4), unseen)]
    assert np.allclose(together, one_by_one, atol=1e-4)
    assert not np.allclose(together[0], together[1], atol=1e-2)


def test_a_scene_s_chance_is_its_own(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after a change of the film is played as before where the music does not go on."""
    monkeypatch.setattr(making, "finished", lambda sound, *_, **__: Audio(sound, RATE))
    long, short = (samples(asked(scenes(length, 1.0), as_published=True)) for length in (2.0, 1.0))
    rest = slice(RATE // 10, RATE // 2)
    assert np.allclose(long[:, 2 * RATE :][:, rest], short[:, RATE:][:, rest], atol=1e-5)


def test_as_many_takes_are_played_together_as_there_is_room_for(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(scenes(1.0))
    model = load(request, unseen).model
    planned = plan_for(request.brief, request.options, FRAMES)
    sizes = model.decoder.config
    monkeypatch.setattr(tokens, "MOST_REMEMBERED", 3 * 2 * planned.longest * sizes.layers * 2 * sizes.dim)
    assert at_once(model, planned, request) == 3
    monkeypatch.setattr(making, "MOST_SOUND", 2.5)
    assert at_once(model, planned, request) == 2
    monkeypatch.setattr(making, "MOST_SOUND", 0.5)
    assert at_once(model, planned, request) == 1


# ── ways and means ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_work_is_told_in_seconds_of_music(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, float, str]] = []
    monkeypatch.setattr(plan, "LEARNED", 4.0)
    request = asked(scenes(1.5, 3.5), context=2.0)
    list(ENGINE.takes(request, (1, 2), lambda stage, fraction, words="": told.append((stage, fraction, words))))
    fractions = [fraction for stage, fraction, _ in told if stage == "playing"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    decoded = [fraction for stage, fraction, _ in told if stage == "decoding"]
    assert decoded == sorted(decoded)
    assert decoded[-1] == 1.0
    words = [words for stage, _, words in told if stage == "playing"]
    assert "3 of 5 s of music" in words
    assert words[-1] == "5 of 5 s of music"


def test_eight_bits_are_a_decoder_of_their_own(asked: Asking) -> None:
    whole, small = asked(scenes(1.0)), asked(scenes(1.0), int8=True)
    exact = samples(whole)
    assert {type(part) for part in load(small, unseen).model.decoder.scores} == {EightBits}
    assert np.std(samples(small)) > 0.01
    assert np.array_equal(exact, samples(whole))


@pytest.mark.parametrize("kind", ["text", "melody"])
def test_half_the_digits_will_do(asked: Asking, kind: str) -> None:
    heard = samples(asked(scenes(1.0), kind=kind, hardware=Hardware(device="cpu", precision="bf16")))
    assert np.isfinite(heard).all()
    assert np.std(heard) > 0.01


def test_a_model_that_was_exchanged_is_loaded_anew(asked: Asking, tmp_path: Path) -> None:
    from tiny_musicgen import tiny_musicgen

    before = samples(asked(scenes(1.0), weights=str(tiny_musicgen(tmp_path / "model", seed=1))))
    tiny_musicgen(tmp_path / "model", seed=2)
    assert not np.array_equal(before, samples(asked(scenes(1.0), weights=str(tmp_path / "model"))))


def test_a_full_memory_is_one_sentence_with_a_remedy(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr(playing, "generate", full)
    with pytest.raises(InputError, match=r"--precision bf16.*--int8"):
        music(asked(scenes(1.0)))


def test_an_interrupt_passes(asked: Asking) -> None:
    def stop(stage: str, fraction: float, _told: str = "") -> None:
        if stage == "playing" and fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ENGINE.generate(asked(scenes(1.0)), stop)


def test_gradients_stay_as_they_were_for_the_caller(asked: Asking) -> None:
    for _ in ENGINE.takes(asked(scenes(1.0)), (1, 2), unseen):
        assert torch.is_grad_enabled()


# ── remarks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_asked_for_and_what_not_heard_is_said(asked: Asking) -> None:
    brief = scenes(1.0, 1.0, tags=Tags(avoid=("drums",)), cues=(Cue(time=0.5, kind="cut"),), key="D minor")
    made = music(asked(brief))
    said = " ".join(made.remarks)
    for part in ("0.0 s “scene 0”", "1.0 s “scene 1”", "in every scene: ", "key: D minor", "Kept away from: drums."):
        assert part in said
    assert "cues have no effect" in said
    assert "CC-BY-NC" in made.licence
    assert made.licence in made.remarks[0]
    assert any("join" in remark or "meet" in remark for remark in made.remarks)


def test_nothing_more_is_said_than_there_is_to_say(asked: Asking) -> None:
    _, asked_for = music(asked(scenes(1.0))).remarks
    assert asked_for.startswith("Asked for: scene 0. ")


def test_many_scenes_are_not_all_told(asked: Asking) -> None:
    from reelscore.engines.musicgen.remarks import remarks_for

    request = asked(scenes(*[4.0] * 12))
    planned = plan_for(request.brief, request.options, FRAMES)
    card = load(request, unseen).card
    said = remarks_for(request, card, planned, [0.1, -0.3, None, *[0.0] * 8])
    assert "and 4 more" in said[1]
    assert (
        said[-1] == "10 of 11 joins of scenes lie on a beat, 0.04 s from the film's turn on average and 0.30 s at most."
    )
    assert "No beats were found" in remarks_for(request, card, planned, [None])[-1]
