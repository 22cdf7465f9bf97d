"""The engine on tiny random weights: plumbing and arithmetic, not beauty."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from reelscore.brief import Brief, Cue, Section, Tags
from reelscore.engines import Request
from reelscore.engines.sonique import ENGINE, Options, making
from reelscore.engines.sonique.making import denoiser_for, grid_of, load
from reelscore.engines.sonique.plan import plan_for
from reelscore.errors import InputError, MissingError
from reelscore.hardware import Hardware
from reelscore.progress import unseen

RATE = 44_100
Asking = Callable[..., Request]


def music(request: Request) -> np.ndarray:
    return ENGINE.generate(request, unseen).audio.samples


def latents_of(request: Request, sound: np.ndarray) -> torch.Tensor:
    """What the autoencoder makes of a sound (channels, samples)."""
    coder = load(request, unseen).model.autoencoder
    return coder.encode(torch.from_numpy(sound.mean(axis=0, dtype=np.float32))[None, None])


def scenes(*feelings: tuple[float, float, float, float], length: float = 3.0) -> Brief:
    """A brief of sections, each with its valence, arousal, tension and energy."""
    sections = tuple(
        Section(start=n * length, end=(n + 1) * length, valence=v, arousal=a, tension=t, energy=e)
        for n, (v, a, t, e) in enumerate(feelings)
    )
    tags = Tags(genres=("jazz",), instruments=("harp",), moods=("calm",))
    return Brief(duration=len(feelings) * length, tempo_bpm=100.0, tags=tags, sections=sections)


CALM, WILD, PLAYFUL = (0.4, -0.6, 0.0, 0.2), (-0.7, 0.8, 0.8, 0.95), (0.7, 0.4, 0.2, 0.5)


# ── words ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_music_changes_with_the_tags(asked: Asking) -> None:
    jazz, rock = (Brief(duration=2.0, tags=Tags(genres=(genre,))) for genre in ("jazz", "rock"))
    assert not np.allclose(music(asked(jazz)), music(asked(rock)), atol=1e-3)


def test_a_negative_tag_acts(asked: Asking) -> None:
    brief = Brief(duration=2.0, tags=Tags(genres=("jazz",)))
    plain, without = music(asked(brief)), music(asked(brief, negative="choir"))
    assert not np.allclose(plain, without, atol=1e-3)


@pytest.mark.parametrize("as_published", [False, True])
def test_as_published_a_negative_line_acts_only_as_far_as_the_positive_one_goes(
    asked: Asking, monkeypatch: pytest.MonkeyPatch, as_published: bool
) -> None:
    """With a text tower that reads every word for itself, so that the last word is told by its own places alone."""
    brief = Brief(duration=2.0, tags=Tags(genres=("jazz",), instruments=("harp",), moods=("calm",)))
    requests = [
        asked(brief, negative="noise, " * 12 + last, as_published=as_published) for last in ("choir", "drums and bass")
    ]
    conditioner = load(requests[0], unseen).model.conditioner
    words = conditioner.text.roberta.embeddings.word_embeddings
    monkeypatch.setattr(conditioner, "read_text", lambda ids, _mask: words(ids))
    one, other = (conditioned(request)[0] for request in requests)
    assert torch.equal(one, other) == as_published


# ── scenes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def conditioned(request: Request) -> tuple[torch.Tensor, Sequence[int]]:
    """One step on noise that is the same for all, and the latents at which a passage begins."""
    opened = load(request, unseen)
    grid = grid_of(opened.model, request.options)
    plan = plan_for(request.brief, request.options, grid)
    x = torch.randn(1, opened.model.config.unet.in_channels, plan.length, generator=torch.Generator().manual_seed(5))
    return denoiser_for(opened, plan, grid, request.options)(x, 2.0), [passage.start for passage in plan.passages]


def test_what_is_said_of_a_scene_acts_there_and_not_far_from_it(asked: Asking) -> None:
    options = {"window": 6.0}
    one, starts = conditioned(asked(scenes(CALM, CALM, CALM, WILD, length=12.0), **options))
    other, _ = conditioned(asked(scenes(CALM, CALM, CALM, PLAYFUL, length=12.0), **options))
    change = (one - other).abs().amax(dim=(0, 1))
    turn = round(36.0 * RATE / 1024)
    assert turn in starts
    assert change[turn + 100 :].min() > 1e-3
    assert change[: turn - 400].max() < 1e-4


def test_what_was_said_of_the_scenes_is_told_to_the_person(asked: Asking) -> None:
    told = ENGINE.generate(asked(scenes(CALM, WILD), negative="choir"), unseen).remarks
    (tags,) = (remark for remark in told if remark.startswith("Tags, changing with the scenes: "))
    assert "calm, sparse, 100 bpm; " in tags
    assert "Kept away from: choir." in told
    plain = ENGINE.generate(asked(scenes(CALM, CALM)), unseen).remarks
    assert any(remark.startswith("Tags: jazz, harp, calm") for remark in plain)


def test_music_longer_than_a_window_has_its_length_and_no_silence(asked: Asking) -> None:
    samples = music(asked(Brief(duration=14.3), window=4.0))
    assert samples.shape == (2, round(14.3 * RATE))
    levels = [np.std(samples[:, at : at + RATE // 2]) for at in range(RATE, samples.shape[1] - 3 * RATE, RATE // 2)]
    assert min(levels) > 0.3 * max(levels)


# ── melody and guide ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def melody(tmp_path: Path) -> Path:
    """A tune of four seconds."""
    pitches_hz = np.repeat([440.0, 550.0, 660.0, 494.0, 587.0, 392.0, 440.0, 880.0], RATE // 2)
    path = tmp_path / "melody.wav"
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * np.cumsum(pitches_hz) / RATE), RATE)
    return path


def test_the_stricter_a_melody_is_kept_the_nearer_the_latents_come_to_it(asked: Asking, melody: Path) -> None:
    """Nearness is how well the latents of the music line up with those of the melody, place by place."""
    request = asked(Brief(duration=4.0))
    tune = latents_of(request, soundfile.read(melody, dtype="float32", always_2d=True)[0].T)
    likeness = []
    for keep in ("hint", "loose", "close", "strict"):
        made = finished_latents(asked(Brief(duration=4.0), melody=melody, keep=keep, guidance=1.0, steps=12))
        made = made[..., : tune.shape[-1]]
        likeness.append(float(torch.nn.functional.cosine_similarity(made.flatten(), tune.flatten(), dim=0)))
    assert all(after > before for before, after in pairwise(likeness))
    assert likeness[-1] > 0.5


def finished_latents(request: Request) -> torch.Tensor:
    """The clean latents of the first take."""
    opened = load(request, unseen)
    grid = grid_of(opened.model, request.options)
    plan = plan_for(request.brief, request.options, grid)
    with torch.inference_mode():
        denoiser = denoiser_for(opened, plan, grid, request.options)
        return making.denoised(request, opened.model, plan, denoiser, [request.seed], unseen)


@pytest.mark.parametrize("duration", [1.7, 4.0, 9.0])
def test_a_melody_may_be_longer_or_shorter_than_the_music(asked: Asking, melody: Path, duration: float) -> None:
    samples = music(asked(Brief(duration=duration), melody=melody))
    assert samples.shape == (2, round(duration * RATE))
    middle = samples[:, round(0.8 * duration * RATE) : round(0.85 * duration * RATE)]
    assert np.std(middle) > 0.01


def test_the_guide_is_the_composers_playing_of_the_same_seed(asked: Asking) -> None:
    brief = Brief(duration=3.0, cues=(Cue(time=1.4, strength=0.9),))
    plain = music(asked(brief))
    guided = ENGINE.generate(asked(brief, guide=True), unseen)
    assert any("composer" in remark for remark in guided.remarks)
    assert not np.allclose(plain, guided.audio.samples, atol=1e-2)


def test_guides_of_several_takes_are_each_their_own(asked: Asking) -> None:
    brief = Brief(duration=3.0)
    together = list(ENGINE.takes(asked(brief, guide=True, keep="strict"), (3, 4), unseen))
    alone = music(asked(brief, 4, guide=True, keep="strict"))
    assert np.allclose(together[1].audio.samples, alone, atol=1e-3)


def test_a_guide_and_a_melody_cannot_both_be_varied(melody: Path) -> None:
    with pytest.raises(InputError, match="--guide and --melody"):
        ENGINE.check(Options(guide=True), melody, Hardware())


def test_noise_that_cannot_fall_below_a_melody_is_refused(asked: Asking, melody: Path) -> None:
    with pytest.raises(InputError, match=r"--sigma-min 2 .* --keep strict"):
        music(asked(Brief(duration=3.0), melody=melody, keep="strict", sigma_min=2.0))


# ── ways and means ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "sampler", ["unipc", "dpmpp-2m-sde", "dpmpp-3m-sde", "heun", "lms", "dpm-2", "dpmpp-2s-ancestral"]
)
def test_every_sampler_that_is_offered_makes_music(asked: Asking, sampler: str) -> None:
    samples = music(asked(Brief(duration=1.0), sampler=sampler))
    assert np.isfinite(samples).all()
    assert np.std(samples) > 0.01


def test_as_published_both_channels_are_the_same(asked: Asking) -> None:
    left, right = music(asked(Brief(duration=2.0), as_published=True))
    assert np.array_equal(left, right)


def test_half_the_digits_make_nearly_the_same_music(asked: Asking) -> None:
    request = asked(Brief(duration=2.0), guidance=1.0)
    whole = music(request)
    half = music(Request(request.brief, request.seed, request.options, hardware=Hardware(precision="bf16")))
    assert np.corrcoef(whole[0], half[0])[0, 1] > 0.9


def test_music_begins_and_ends_in_silence(asked: Asking) -> None:
    samples = music(asked(Brief(duration=3.0)))
    assert np.abs(samples[:, [0, -1]]).max() < 1e-3


def test_work_is_told_as_it_goes(asked: Asking) -> None:
    told: list[tuple[str, float]] = []
    ENGINE.generate(asked(Brief(duration=1.0)), lambda stage, fraction: told.append((stage, fraction)))
    denoising = [fraction for stage, fraction in told if stage == "denoising"]
    assert denoising == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert ("decoding", 1.0) in told


def test_a_full_memory_is_one_sentence_with_a_remedy(asked: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr(making, "take_noise", full)
    with pytest.raises(InputError, match="--window 48"):
        music(asked(Brief(duration=1.0)))


def test_an_interrupt_passes(asked: Asking) -> None:
    def stop(stage: str, fraction: float) -> None:
        if stage == "denoising" and fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ENGINE.generate(asked(Brief(duration=1.0)), stop)


def test_without_weights_one_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELSCORE_CACHE", str(tmp_path))
    (sentence,) = ENGINE.missing(Options())
    assert all(words in sentence for words in ("GB", "licence", "download", "reelscore models convert", "--weights"))
    for name in ("weights", "config", "text_tower"):
        (sentence,) = ENGINE.missing(Options(**{name: str(tmp_path / "absent")}))
        assert f"{tmp_path / 'absent'}; check the path after --{name.replace('_', '-')}" in sentence


def test_published_files_are_used_where_they_lie(tmp_path: Path, asked: Asking) -> None:
    from tiny_sonique import published

    files = published(tmp_path / "published")
    parts = {"config": str(files.config), "text_tower": str(files.text_tower), "tokenizer": str(files.tokenizer)}
    brief = Brief(duration=1.0)
    assert np.array_equal(music(asked(brief, weights=str(files.weights), **parts)), music(asked(brief)))
    with pytest.raises(MissingError, match="--text-tower"):
        music(asked(brief, weights=str(files.weights), config=parts["config"]))


def test_gradients_stay_as_they_were_for_the_caller(asked: Asking) -> None:
    for _ in ENGINE.takes(asked(Brief(duration=1.0)), (1, 2), unseen):
        assert torch.is_grad_enabled()


def test_converted_weights_at_their_place_are_found(
    tmp_path: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch, asked: Asking
) -> None:
    monkeypatch.setenv("REELSCORE_CACHE", str(tmp_path))
    (tmp_path / "sonique.safetensors").symlink_to(tiny_weights)
    assert ENGINE.missing(Options()) == ()
    brief = Brief(duration=1.0)
    assert np.array_equal(music(asked(brief, weights="")), music(asked(brief)))
