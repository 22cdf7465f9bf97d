"""The engine on tiny random weights: which footage is heard where, what the brief does, plumbing and refusals."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
import torch

from reelscore import tokens
from reelscore.brief import Brief, Cue, Section, Tags
from reelscore.engines import Music, Request
from reelscore.engines.vidmuse import ENGINE, Options, making
from reelscore.engines.vidmuse.footage import plan_for
from reelscore.engines.vidmuse.making import load, played, reach_of
from reelscore.engines.vidmuse.steering import temperatures
from reelscore.engines.vidmuse.windows import Plan
from reelscore.errors import InputError, MissingError
from reelscore.hardware import Hardware
from reelscore.media import probe
from reelscore.models.eight_bits import EightBits
from reelscore.models.packing import PackedProjection
from reelscore.models.projection import Projection
from reelscore.progress import unseen
from reelscore.spotting import complete
from reelscore.tokens import sounding

Asking = Callable[..., Request]
RATE = 32_000
FRAMES = 50  # of music in a second


@pytest.fixture(scope="module")
def vidmuse_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_vidmuse import tiny_vidmuse

    return tiny_vidmuse(tmp_path_factory.mktemp("vidmuse"))


@pytest.fixture
def asked(vidmuse_weights: Path) -> Asking:
    """A request on tiny weights: `asked(brief, seed, film=..., hardware=..., **options)`."""

    def ask(
        brief: Brief, seed: int = 1, *, film: Path | None = None, hardware: Hardware = Hardware(), **options: Any
    ) -> Request:
        chosen = Options(**{"weights": str(vidmuse_weights), **options})
        return Request(complete(brief), seed, chosen, film=film, hardware=hardware)

    return ask


@pytest.fixture
def short_sighted(vidmuse_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model takes in 6 s at once in the place of 30, so that films of a few seconds have several windows."""
    request = Request(Brief(duration=1.0), 1, Options(weights=str(vidmuse_weights)))
    visual = load(request, unseen).model.visual
    monkeypatch.setattr(visual, "config", replace(visual.config, local_frames=12, global_frames=8))


def film(path: Path, duration: float, changed: Sequence[float] = (), *, black: bool = False) -> Path:
    """A lossless film of two pictures a second, no two alike; those at the times `changed` are not what they were."""
    texture = np.random.default_rng(0).integers(40, 200, (200, 64, 64, 3)).astype(np.uint8)
    with av.open(str(path), "w") as made:
        stream = made.add_stream("libx264", rate=2)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.options = {"qp": "0"}
        for number in range(round(2 * duration)):
            image = np.roll(texture[0], number, axis=0) // 2 + texture[number % 200] // 4
            if number / 2 in changed:
                image = 255 - image
            frame = av.VideoFrame.from_ndarray(image * (not black), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 2)
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path


def music(request: Request) -> Music:
    return ENGINE.generate(request, unseen)


def samples(request: Request) -> npt.NDArray[np.float32]:
    return music(request).audio.samples


def planned(request: Request) -> Plan:
    options: Options = request.options
    clip = probe(request.film) if request.film else None
    reach = reach_of(load(request, unseen).model)
    return plan_for(
        clip, request.brief.duration, reach, context=options.context_seconds, as_published=options.as_published
    )


def codes(request: Request, seeds: Sequence[int] = (1,)) -> torch.Tensor:
    clip = probe(request.film) if request.film else None
    return played(load(request, unseen).model, request, clip, planned(request), seeds, unseen)


def played_by(monkeypatch: pytest.MonkeyPatch, request: Request, takes: int = 1) -> list[dict[str, Any]]:
    """What the decoder is given in each window of each batch, in the place of being played; it answers with counted codes."""
    given: list[dict[str, Any]] = []

    def generate(_decoder: Any, conditional: torch.Tensor, null: Any, **named: Any) -> torch.Tensor:
        given.append({"conditional": conditional, "null": null, **named})
        known = named["prompt"]
        new = torch.arange(named["length"] - known.shape[2]) + 1000 * len(given)
        return torch.cat([known, new.expand(*known.shape[:2], -1)], dim=2)

    with monkeypatch.context() as patched:
        patched.setattr(making, "generate", generate)
        answer = codes(request, range(takes))
    return [{**each, "answer": answer} for each in given]


# ── footage ───────────────────────────────────────────────────────────────────────────────────────────────────────────


LENGTH = 12.0


@pytest.mark.usefixtures("short_sighted")
def test_a_picture_is_told_to_the_windows_it_lies_in_and_to_no_other(
    asked: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Films that differ in one picture, which is none of those that tell every window of the whole film."""
    brief = Brief(duration=LENGTH)
    request = asked(brief, film=film(tmp_path / "one.mp4", LENGTH), context=2.0)
    plan, before = planned(request), played_by(monkeypatch, request)
    for moment in (1.0, 4.0, 7.0, 11.0):
        other = asked(brief, film=film(tmp_path / "other.mp4", LENGTH, changed=(moment,)), context=2.0)
        after = played_by(monkeypatch, other)
        assert moment not in plan.overall
        differ = [
            not torch.equal(one["conditional"], two["conditional"]) for one, two in zip(before, after, strict=True)
        ]
        assert differ == [window.start / FRAMES <= moment < window.end / FRAMES for window in plan.windows]
        assert any(differ)


@pytest.mark.usefixtures("short_sighted")
def test_a_picture_that_tells_of_the_whole_film_is_told_to_every_window(
    asked: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = Brief(duration=LENGTH)
    request = asked(brief, film=film(tmp_path / "one.mp4", LENGTH), context=2.0)
    other = film(tmp_path / "other.mp4", LENGTH, changed=(planned(request).overall[4],))
    before, after = (played_by(monkeypatch, each) for each in (request, asked(brief, film=other, context=2.0)))
    assert not any(torch.equal(one["conditional"], two["conditional"]) for one, two in zip(before, after, strict=True))


@pytest.mark.usefixtures("short_sighted")
def test_the_music_changes_from_the_first_window_on_that_sees_the_change(asked: Asking, tmp_path: Path) -> None:
    brief = Brief(duration=LENGTH)
    request = asked(brief, film=film(tmp_path / "one.mp4", LENGTH), context=2.0)
    plan = planned(request)
    late = [time for time in plan.windows[-1].pictures[-5:] if time not in plan.overall]
    other = asked(brief, film=film(tmp_path / "other.mp4", LENGTH, changed=late), context=2.0)
    seeing = next(window for window in plan.windows if window.end / FRAMES > late[0])
    turn = seeing.start + seeing.context
    one, two = codes(request), codes(other)
    assert turn > 5 * FRAMES
    assert torch.equal(one[..., :turn], two[..., :turn])
    assert not torch.equal(one[..., turn:], two[..., turn:])


@pytest.mark.usefixtures("short_sighted")
@pytest.mark.parametrize(
    ("options", "least", "most"),
    [({"context": 2.0}, 2.0, 4.0), ({"context": 25.0}, 5.0, 5.5), ({"as_published": True}, 0.5, 0.5)],
)
def test_every_window_goes_on_from_the_end_of_what_is_there(
    asked: Asking,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    least: float,
    most: float,
) -> None:
    request = asked(Brief(duration=LENGTH), film=film(tmp_path / "film.mp4", LENGTH), **options)
    given, plan = played_by(monkeypatch, request), planned(request)
    assert len(given) == len(plan.windows) >= 3
    for each, window in zip(given, plan.windows, strict=True):
        there = each["answer"][..., window.start : window.start + window.context]
        assert torch.equal(each["prompt"], there)
        assert each["length"] == window.end - window.start
    assert all(least * FRAMES <= each["prompt"].shape[2] <= most * FRAMES for each in given[1:])


@pytest.mark.usefixtures("short_sighted")
def test_all_windows_are_one_stream_that_is_decoded_in_one_go(asked: Asking, tmp_path: Path) -> None:
    """Nothing is joined in sound: the music is the codec's own sound of all codes, its two ends and its width apart."""
    brief = Brief(duration=LENGTH, cues=(Cue(time=11.4, kind="ending"),))
    request = asked(brief, film=film(tmp_path / "film.mp4", LENGTH), context=2.0)
    codec, stream = load(request, unseen).model.codec, codes(request)
    with torch.no_grad():
        whole = codec.decode(stream)[0].numpy()
    assert np.allclose(sounding(codec, stream, unseen), whole, atol=1e-5)
    assert np.abs(whole).max() < 1
    heard = samples(request).mean(axis=0)
    inner = slice(RATE, 10 * RATE)
    seams = [(window.start + window.context) / FRAMES for window in planned(request).windows[1:]]
    assert all(1.0 < seam < 10.0 for seam in seams)
    assert len(seams) == 2
    assert np.allclose(heard[inner], whole[0, inner], atol=1e-5)


def test_without_a_film_it_is_as_to_a_black_one(asked: Asking, tmp_path: Path) -> None:
    brief = Brief(duration=3.0)
    dark, unlit = asked(brief, film=film(tmp_path / "black.mp4", 3.0, black=True)), asked(brief)
    assert torch.equal(codes(dark), codes(unlit))
    assert any("no film" in remark for remark in music(unlit).remarks)
    assert not any("no film" in remark for remark in music(dark).remarks)


# ── the brief ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CALM_THEN_WILD = Brief(
    duration=10.0,
    sections=(Section(start=0.0, end=4.0, energy=0.0), Section(start=4.0, end=10.0, energy=1.0)),
)


def test_energy_moves_the_temperature_and_half_of_it_does_not() -> None:
    times = (0.0, 2.0, 3.4, 4.0, 4.6, 9.9)
    moved = temperatures(CALM_THEN_WILD, 0.8, 0.25, times)
    assert moved == pytest.approx((0.6, 0.6, 0.6, 0.8, 1.0, 1.0))
    middling = Brief(duration=10.0, sections=(Section(start=0.0, end=10.0, energy=0.5),))
    assert temperatures(middling, 0.8, 0.25, times) == pytest.approx((0.8,) * 6)
    assert temperatures(CALM_THEN_WILD, 0.8, 0.0, times) == pytest.approx((0.8,) * 6)


@pytest.mark.usefixtures("short_sighted")
@pytest.mark.parametrize(
    ("options", "calm", "wild"), [({}, 0.9, 1.1), ({"steer": 0}, 1, 1), ({"as_published": True}, 1, 1)]
)
def test_each_frame_of_music_is_played_at_the_temperature_of_its_moment(
    asked: Asking,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    calm: float,
    wild: float,
) -> None:
    brief = Brief(
        duration=LENGTH,
        sections=(Section(start=0.0, end=7.0, energy=0.0), Section(start=7.0, end=LENGTH, energy=1.0)),
    )
    request = asked(brief, film=film(tmp_path / "film.mp4", LENGTH), **options)
    for each, window in zip(played_by(monkeypatch, request), planned(request).windows, strict=True):
        sampling = each["sampling"]
        assert len(sampling.temperatures) == window.end - window.start
        assert sampling.guidance_scale == 3.0
        for place, frame in enumerate(range(window.start, window.end)):
            if abs(frame / FRAMES - 7.0) > 0.6:
                assert sampling.temperatures[place] == pytest.approx(calm if frame / FRAMES < 7.0 else wild)


def test_what_a_brief_cannot_do_here_is_said(asked: Asking) -> None:
    plain = Brief(
        duration=1.0, sections=(Section(start=0.0, end=0.5, energy=0.0), Section(start=0.5, end=1.0, energy=1.0))
    )
    angry = plain.model_copy(update={"tags": Tags(genres=("jazz",), moods=("angry",)), "prompt": "angry jazz"})
    made = music(asked(angry))
    (said,) = [remark for remark in made.remarks if "no text" in remark]
    assert all(word in said for word in ("prompt", "tags", "key", "tempo", "cues", "0.90 to 1.10"))
    assert np.array_equal(made.audio.samples, samples(asked(plain)))
    (said,) = [remark for remark in music(asked(angry, steer=0.0)).remarks if "no text" in remark]
    assert "temperature" not in said


def test_a_melody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^vidmuse looks at the film alone .* melody .*[.]$"):
        ENGINE.check(Options(), tmp_path / "tune.mid", Hardware())


# ── seeds and takes ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_takes_are_the_same_in_whatever_batches_they_are_played(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(Brief(duration=2.0))
    together = codes(request, (3, 4, 5))
    monkeypatch.setattr(tokens, "MOST_REMEMBERED", 1)
    alone = codes(request, (3, 4, 5))
    assert torch.equal(together, alone)
    assert not torch.equal(together[0], together[1])


@pytest.mark.parametrize("guided", [False, True])
def test_as_many_takes_are_played_together_as_there_is_room_for(
    asked: Asking, monkeypatch: pytest.MonkeyPatch, guided: bool
) -> None:
    request = asked(Brief(duration=2.0))
    model, plan = load(request, unseen).model, planned(request)
    rows, sizes = 2 if guided else 1, model.decoder.config
    longest = max(window.end - window.start for window in plan.windows)
    a_take = rows * longest * sizes.layers * 2 * sizes.dim
    for room, takes in ((3 * a_take, 3), (3 * a_take - 1, 2), (0, 1)):
        monkeypatch.setattr(tokens, "MOST_REMEMBERED", room)
        assert tokens.takes_at_once(sizes, longest, guided=guided) == takes


@pytest.mark.usefixtures("short_sighted")
def test_batches_share_what_was_seen(asked: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(Brief(duration=LENGTH), film=film(tmp_path / "film.mp4", LENGTH), context=2.0)
    monkeypatch.setattr(tokens, "MOST_REMEMBERED", 1)
    looked: list[int] = []
    visual = load(request, unseen).model.visual
    fused = visual.fused
    monkeypatch.setattr(visual, "fused", lambda *given: looked.append(1) or fused(*given))
    given = played_by(monkeypatch, request, takes=3)
    windows = len(planned(request).windows)
    assert len(given) == 3 * windows
    assert windows <= len(looked) <= windows + 1, "each window once, and the black film"


def test_a_seed_may_be_any_number(asked: Asking) -> None:
    brief = Brief(duration=0.5)
    huge = [codes(asked(brief), (seed,)) for seed in (0, 2**32, 2**64, 10**40)]
    assert not any(torch.equal(huge[0], other) for other in huge[1:])


def test_as_published_the_seed_does_nothing_and_that_is_said(asked: Asking, tmp_path: Path) -> None:
    request = asked(Brief(duration=2.0), film=film(tmp_path / "film.mp4", 2.0), as_published=True)
    first, second = ENGINE.takes(request, (1, 2), unseen)
    assert np.array_equal(first.audio.samples, second.audio.samples)
    assert np.array_equal(*first.audio.samples)
    assert any("seed has no effect" in remark for remark in first.remarks)
    assert not np.array_equal(*samples(asked(Brief(duration=2.0), film=request.film)))


# ── ways and means ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("options", [{"top_k": 3}, {"top_p": 0.9}, {"guidance": 1.0}, {"temperature": 0.3}])
def test_every_way_to_choose_makes_other_music(asked: Asking, tmp_path: Path, options: dict[str, Any]) -> None:
    path = film(tmp_path / "film.mp4", 2.0)
    plain, other = codes(asked(Brief(duration=2.0), film=path)), codes(asked(Brief(duration=2.0), film=path, **options))
    assert not torch.equal(plain, other)


def test_guidance_draws_the_music_to_the_film(asked: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    brief, path = Brief(duration=2.0), film(tmp_path / "film.mp4", 2.0)
    (guided,) = played_by(monkeypatch, asked(brief, film=path))
    (plain,) = played_by(monkeypatch, asked(brief, film=path, guidance=1.0))
    (unlit,) = played_by(monkeypatch, asked(brief))
    assert torch.equal(guided["null"], unlit["conditional"])
    assert plain["null"] is None and unlit["null"] is None
    assert unlit["sampling"].guidance_scale == 1.0
    assert torch.equal(plain["conditional"], guided["conditional"])


def test_eight_bits_are_a_decoder_of_their_own(asked: Asking) -> None:
    brief = Brief(duration=1.0)
    whole, small = asked(brief), asked(brief, int8=True)
    exact = samples(whole)
    fast = PackedProjection if torch.backends.mkldnn.is_available() else Projection
    for each, kind in ((whole, fast), (small, EightBits)):
        scores = load(each, unseen).model.decoder.scores
        assert {type(part) for part in scores} == {kind}
    assert np.std(samples(small)) > 0.01
    assert np.array_equal(exact, samples(whole))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_the_digits_will_do(asked: Asking, tmp_path: Path, precision: Any) -> None:
    path = film(tmp_path / "film.mp4", 1.0)
    heard = samples(asked(Brief(duration=1.0), film=path, hardware=Hardware(device="cpu", precision=precision)))
    assert np.isfinite(heard).all()
    assert np.std(heard) > 0.01


def test_music_begins_and_ends_in_silence(asked: Asking) -> None:
    heard = samples(asked(Brief(duration=3.0)))
    assert np.abs(heard[:, [0, -1]]).max() < 1e-3
    assert np.std(heard[:, -RATE // 20 :]) < 0.05 * np.std(heard)


def test_work_is_told_in_seconds_of_music(asked: Asking, tmp_path: Path) -> None:
    told: list[tuple[str, float, str]] = []
    request = asked(Brief(duration=2.5), film=film(tmp_path / "film.mp4", 2.5))
    list(ENGINE.takes(request, (1, 2), lambda stage, fraction, words="": told.append((stage, fraction, words))))
    stages = list(dict.fromkeys(stage for stage, *_ in told))
    assert stages[-3:] == ["looking", "playing", "decoding"]
    playing = [(fraction, words) for stage, fraction, words in told if stage == "playing"]
    fractions = [fraction for fraction, _ in playing]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert "1 of 3 s of music" in [words for _, words in playing]
    assert playing[-1][1] == "2 of 3 s of music"
    assert ("decoding", 1.0, "") in told


@pytest.mark.parametrize(
    ("precision", "said"),
    [
        ("bf16", r"^The model's numbers overflowed with --precision bf16;.*--precision float32.*[.]$"),
        ("auto", r"^The model's weights make no numbers; .*convert it again[.]$"),
    ],
)
def test_an_overflow_is_one_sentence_with_a_remedy(asked: Asking, precision: Any, said: str) -> None:
    request = asked(Brief(duration=1.0), hardware=Hardware(device="cpu", precision=precision))
    weight = load(request, unseen).model.decoder.norm.weight
    kept = weight.clone()
    weight.fill_(float("inf"))
    try:
        with pytest.raises(InputError, match=said):
            music(request)
    finally:
        weight.copy_(kept)


def test_a_full_memory_is_one_sentence_with_a_remedy(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr(making, "generate", full)
    with pytest.raises(InputError, match=r"--precision bf16.*--int8"):
        music(asked(Brief(duration=1.0)))


def test_an_interrupt_passes(asked: Asking) -> None:
    def stop(stage: str, fraction: float, _told: str = "") -> None:
        if stage == "playing" and fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ENGINE.generate(asked(Brief(duration=1.0)), stop)


def test_gradients_stay_as_they_were_for_the_caller(asked: Asking, tmp_path: Path) -> None:
    request = asked(Brief(duration=1.0), film=film(tmp_path / "film.mp4", 1.0))
    for _ in ENGINE.takes(request, (1, 2), unseen):
        assert torch.is_grad_enabled()


# ── weights ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_weights_one_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELSCORE_CACHE", str(tmp_path))
    (sentence,) = ENGINE.missing(Options())
    assert all(
        words in sentence for words in ("GB", "non-commercial", "download", "reelscore models convert", "--weights")
    )
    (sentence,) = ENGINE.missing(Options(weights=str(tmp_path / "absent")))
    assert f"{tmp_path / 'absent'}; check the path after --weights" in sentence


def test_published_files_are_used_where_they_lie(
    tmp_path: Path, asked: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tiny_vidmuse import published

    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    files = published(tmp_path / "published")
    brief = Brief(duration=1.0)
    given = samples(asked(brief, weights=str(files.weights), encodec=str(files.encodec)))
    assert np.array_equal(given, samples(asked(brief)))
    alone = Options(weights=str(files.weights))
    (sentence,) = ENGINE.missing(alone)
    assert "reelscore models get encodec-32khz" in sentence
    with pytest.raises(MissingError, match="encodec-32khz"):
        music(asked(brief, weights=alone.weights))
    assert ENGINE.missing(replace(alone, encodec=str(files.encodec))) == ()


def test_converted_weights_at_their_place_are_found(
    tmp_path: Path, vidmuse_weights: Path, monkeypatch: pytest.MonkeyPatch, asked: Asking
) -> None:
    monkeypatch.setenv("REELSCORE_CACHE", str(tmp_path))
    (tmp_path / "vidmuse.safetensors").symlink_to(vidmuse_weights)
    assert ENGINE.missing(Options()) == ()
    brief = Brief(duration=1.0)
    assert np.array_equal(samples(asked(brief, weights="")), samples(asked(brief)))


def test_the_licence_of_the_weights_is_told(asked: Asking) -> None:
    assert any(
        "made for tests" in remark and "licence" in remark for remark in music(asked(Brief(duration=0.5))).remarks
    )
