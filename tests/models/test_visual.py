"""The visual side: the recorded tokens, the black film, what does and does not depend on the order of frames, gradients."""

import copy

import pytest
import torch
from models import recipe
from torch import Tensor
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from reelscore.checkpoints.vidmuse_names import our_name
from reelscore.models.visual import DEVIATION, MEAN, Attends, Visual, VisualConfig

SIZES = {
    "dim": 10,
    "width": 24,
    "clip_layers": 2,
    "clip_heads": 2,
    "clip_inner": 32,
    "image_size": 16,
    "patch_size": 8,
    "heads": 2,
    "head_dim": 8,
    "inner": 32,
}
PLACES = 5
WINDOW, FILM = 6, 4
TIMES, FILM_TIMES = torch.arange(WINDOW) / 2, torch.linspace(-20, 40, FILM)
"""A window of 3 s that begins 20 s after the film."""


@pytest.fixture(params=["patches", "time"])
def visual(request: pytest.FixtureRequest) -> Visual:
    return _tiny(request.param)


@pytest.fixture
def by_patches() -> Visual:
    return _tiny("patches")


@pytest.fixture
def by_time() -> Visual:
    return _tiny("time")


def _tiny(attends: Attends) -> Visual:
    """Random weights that let every part be heard."""
    visual = Visual(VisualConfig(**SIZES, attends=attends))
    seeded = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in visual.state_dict().values():
            drawn = torch.randn(value.shape, generator=seeded)
            value.copy_(drawn / value[0].numel() ** 0.5 if value.dim() > 1 else 1 + 0.1 * drawn)
    return visual.eval()


def _frames(number: int, seed: int = 1) -> Tensor:
    seeded = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (number, 16, 16, 3), generator=seeded, dtype=torch.uint8)


def _embedded(visual: Visual, local: Tensor, overall: Tensor) -> Tensor:
    """The tokens of a window and a film of so many frames."""
    return visual.embed(local, overall, local_times=TIMES[: len(local)], overall_times=FILM_TIMES[: len(overall)])


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).detach().abs().max())


# --- what was recorded --------------------------------------------------------------------------------------------------


def _recorded() -> tuple[Visual, dict[str, Tensor]]:
    with torch.device("meta"):
        visual = Visual(VisualConfig(dim=64, clip_layers=2, clip_inner=256, heads=4))
    named = {our_name(theirs): weight for theirs, weight in recipe.vidmuse_weights().items()}
    weights = {
        ours.removeprefix("visual."): weight for ours, weight in named.items() if ours and ours.startswith("visual.")
    }
    visual.load_state_dict(weights, assign=True)
    visual.clip.embeddings.position_ids = torch.arange(visual.config.places)[None]
    return visual.eval(), recipe.fixture(recipe.VIDMUSE)[0]


def _pixels(stored: Tensor) -> Tensor:
    """Whole frames of those in the fixture, which has one pixel for each square."""
    return stored[0].permute(1, 2, 3, 0).repeat_interleave(32, dim=1).repeat_interleave(32, dim=2)


@torch.no_grad()
def test_recorded_tokens() -> None:
    visual, values = _recorded()
    film, black = values["video_embedding"]
    local, overall = (visual.features(_pixels(values[f"frames.{which}"])) for which in ("local", "global"))
    torch.testing.assert_close(visual.embed(local, overall), film, atol=2e-5, rtol=0)
    torch.testing.assert_close(visual.null().repeat(len(local), 1), black, atol=2e-5, rtol=0)


def test_no_weight_but_the_published() -> None:
    with torch.device("meta"):
        visual = Visual(VisualConfig())
    shapes = recipe.published_shapes(recipe.VIDMUSE)
    named = {our_name(theirs): tuple(shape) for theirs, shape in shapes.items()}
    ours = {f"visual.{name}": tuple(value.shape) for name, value in visual.state_dict().items()}
    assert ours == {name: shape for name, shape in named.items() if name and name.startswith("visual.")}


def test_colours_are_those_of_clip() -> None:
    assert tuple(OPENAI_CLIP_MEAN) == MEAN
    assert tuple(OPENAI_CLIP_STD) == DEVIATION


# --- the black film -----------------------------------------------------------------------------------------------------


@torch.no_grad()
def test_the_null_is_a_black_film(visual: Visual) -> None:
    black = visual.features(torch.zeros(WINDOW, 16, 16, 3, dtype=torch.uint8))
    window = visual.embed(black, black, local_times=TIMES, overall_times=TIMES)
    null = visual.null(WINDOW)
    torch.testing.assert_close(null.repeat(len(window) // len(null), 1), window, atol=1e-5, rtol=0)
    assert _apart(window, _embedded(visual, visual.features(_frames(WINDOW)), black[:FILM])) > 0.1


@torch.no_grad()
def test_black_frames_differ_only_by_their_times(by_patches: Visual, by_time: Visual) -> None:
    assert by_patches.null(WINDOW).shape == (PLACES, 10)
    assert by_time.null(WINDOW).shape == (WINDOW * PLACES, 10)
    first, *others = by_time.null(WINDOW).split(PLACES)
    assert all(_apart(first, other) > 1e-3 for other in others)


def test_the_null_is_made_once_and_anew_when_weights_change(by_patches: Visual) -> None:
    with torch.no_grad():
        null = by_patches.null()
        assert by_patches.null(WINDOW) is null
        twin = copy.deepcopy(by_patches)
        twin.load_state_dict({name: 1.5 * value for name, value in twin.state_dict().items()})
        assert _apart(twin.null(), null) > 1e-3
        assert by_patches.null() is null
        by_patches.train()
        by_patches.project.weight *= 2
        by_patches.project.bias *= 2
        torch.testing.assert_close(by_patches.eval().null(), 2 * null)
        assert by_patches.to(torch.bfloat16).null().dtype == torch.bfloat16
    assert by_patches.null().requires_grad


# --- frames and their order ---------------------------------------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize(("local", "overall"), [(WINDOW, FILM), (1, 1), (1, FILM), (WINDOW, 1)])
def test_any_number_of_frames(visual: Visual, local: int, overall: int) -> None:
    made = _embedded(visual, visual.features(_frames(local)), visual.features(_frames(overall, 2)))
    assert made.shape == (local * PLACES, 10)
    assert made.isfinite().all()


@torch.no_grad()
def test_by_patches_the_order_of_frames_is_not_seen(by_patches: Visual) -> None:
    local, overall = by_patches.features(_frames(WINDOW)), by_patches.features(_frames(FILM, 2))
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    tokens = by_patches.embed(local, overall)
    permuted = by_patches.embed(local[order], overall.flip(0)).unflatten(0, (WINDOW, PLACES))
    torch.testing.assert_close(permuted, tokens.unflatten(0, (WINDOW, PLACES))[order], atol=1e-5, rtol=0)


@torch.no_grad()
def test_by_time_the_order_of_frames_changes_every_token(by_time: Visual) -> None:
    local, overall = by_time.features(_frames(WINDOW)), by_time.features(_frames(FILM, 2))
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    tokens = _embedded(by_time, local, overall)
    permuted = _embedded(by_time, local[order], overall)
    # No token of the permuted film is one of the film's.
    assert torch.cdist(permuted, tokens).min() > 1e-3
    assert _apart(_embedded(by_time, local, overall.flip(0)), tokens) > 1e-3
    mirrored = by_time.embed(local, overall, local_times=TIMES, overall_times=-FILM_TIMES)
    assert _apart(mirrored, tokens) > 1e-3
    # Frames that come with their times may come in any order.
    told = by_time.embed(local[order], overall, local_times=TIMES[order], overall_times=FILM_TIMES)
    listed = tokens.unflatten(0, (WINDOW, PLACES))[order].flatten(0, 1)
    torch.testing.assert_close(told, listed, atol=1e-5, rtol=0)


@torch.no_grad()
def test_by_time_a_frame_is_heard_in_all_frames_and_by_patches_in_its_own(by_patches: Visual, by_time: Visual) -> None:
    for visual, others_hear in ((by_patches, False), (by_time, True)):
        features = visual.features(_frames(WINDOW))
        changed = features.clone()
        changed[2] = visual.features(_frames(1, 9))[0]
        moved = (visual.local_tokens(changed, TIMES) - visual.local_tokens(features, TIMES)).abs().amax(dim=(1, 2))
        assert moved[2] > 0.01
        assert bool((moved[[0, 1, 3, 4, 5]] > 1e-4).all()) is others_hear
        assert others_hear or moved[[0, 1, 3, 4, 5]].max() < 1e-6


def test_over_time_the_times_must_be_told(by_time: Visual) -> None:
    features = by_time.features(_frames(WINDOW))
    with pytest.raises(ValueError, match="times"):
        by_time.local_tokens(features)


@torch.no_grad()
def test_windows_share_the_tokens_of_frames(by_patches: Visual) -> None:
    features = by_patches.features(_frames(10))
    overall = by_patches.overall_tokens(features[::3])
    shared = by_patches.local_tokens(features)
    for first in (0, 4):
        window = slice(first, first + WINDOW)
        alone = by_patches.embed(features[window], features[::3])
        torch.testing.assert_close(by_patches.fused(shared[window], overall), alone, atol=1e-5, rtol=0)


# --- batches, kinds of numbers, training ---------------------------------------------------------------------------------


@torch.no_grad()
def test_many_frames_at_once_are_frames_alone(by_patches: Visual) -> None:
    frames = _frames(130)
    features = by_patches.features(frames)
    tokens = by_patches.local_tokens(features)
    for index in (0, 31, 32, 101, 102, 129):
        alone = by_patches.features(frames[index : index + 1])
        torch.testing.assert_close(features[index], alone[0], atol=1e-5, rtol=0)
        torch.testing.assert_close(tokens[index], by_patches.local_tokens(alone)[0], atol=1e-5, rtol=0)


def test_tokens_are_the_same_with_a_gradient_and_without(visual: Visual) -> None:
    local, overall = visual.features(_frames(WINDOW)), visual.features(_frames(FILM, 2))
    with torch.no_grad():
        without = _embedded(visual, local, overall)
    torch.testing.assert_close(_embedded(visual, local, overall).detach(), without, atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_tokens_are_of_the_kind_of_the_weights(visual: Visual, dtype: torch.dtype) -> None:
    wanted = _embedded(visual, visual.features(_frames(WINDOW)), visual.features(_frames(FILM, 2)))
    visual.to(dtype)
    local, overall = visual.features(_frames(WINDOW)), visual.features(_frames(FILM, 2))
    made = _embedded(visual, local, overall)
    assert local.dtype == made.dtype == visual.null(WINDOW).dtype == dtype
    assert (made - wanted).float().pow(2).mean().sqrt() < 0.05 * wanted.std()


def test_all_but_the_tower_is_trained(visual: Visual) -> None:
    visual.train()
    local, overall = visual.features(_frames(WINDOW)), visual.features(_frames(FILM, 2))
    assert not local.requires_grad
    (_embedded(visual, local, overall) + visual.null(WINDOW).sum()).square().sum().backward()
    trained = {name for name, value in visual.named_parameters() if value.grad is not None and value.grad.any()}
    assert trained == {name for name, _ in visual.named_parameters() if not name.startswith("clip.")}
    assert not any(part.training for part in visual.clip.modules())
    assert all(part.training for part in visual.local.modules())


@pytest.mark.parametrize("wrong", [{"patch_size": 7}, {"clip_heads": 5}, {"fusion_heads": 7}], ids=str)
def test_sizes_that_do_not_fit_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        VisualConfig(**{**SIZES, **wrong})
    with pytest.raises(ValueError, match="odd"):
        VisualConfig(width=27, clip_heads=1, fusion_heads=1, attends="time")
