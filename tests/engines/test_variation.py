"""A melody under noise: where the way begins, and what is held on the way."""

import pytest
import torch
from torch import Tensor

from reelscore.engines.sonique.options import Options
from reelscore.engines.sonique.variation import holding, laid, sigmas_for, start_of
from reelscore.models.sampling import SAMPLERS
from reelscore.models.schedules import step_noise, take_noise

MELODY = 3.0 * torch.sin(torch.arange(64.0) / 5).expand(1, 4, 64)


def nothing(x: Tensor, _sigma: float) -> Tensor:
    """A denoiser that always finds silence."""
    return torch.zeros_like(x)


def unheard(_step: int, _denoised: Tensor) -> None: ...


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_whatever_the_sampler_what_is_held_to_the_end_is_the_melody_and_the_rest_is_new(sampler: str) -> None:
    melody = laid(MELODY, 160, sigma=1e-3)
    noise = take_noise([1], 4, 160)
    x = start_of(noise, melody, 50.0)
    options = Options(steps=12)
    steps = step_noise([1], 4, 160)
    end = SAMPLERS[sampler](holding(nothing, melody), x, [*sigmas_for(options, None)], steps, unheard)
    assert options.sigma_min > melody.sigma
    assert torch.allclose(end[..., :48], MELODY[..., :48], atol=1e-3)
    assert end[..., 64:].abs().max() < 1e-3


def test_a_melody_is_let_go_where_the_noise_has_fallen_to_its_own() -> None:
    melody = laid(MELODY, 64, sigma=2.0)
    held = holding(nothing, melody)
    x = torch.zeros(1, 4, 64)
    assert torch.equal(held(x, 2.1), MELODY)
    assert not held(x, 2.0).any()


def test_a_whole_melody_begins_at_its_own_noise_with_as_many_fewer_steps() -> None:
    melody = laid(MELODY, 64, sigma=1.5)
    assert melody.is_whole
    sigmas = sigmas_for(Options(), melody)
    assert (sigmas[0], sigmas[-1]) == (1.5, 0.0)
    assert 8 <= len(sigmas) - 1 < Options().step_count
    assert len(sigmas_for(Options(as_published=True), melody)) == 301


def test_a_melody_that_ends_early_gives_way_smoothly_and_begins_with_all_the_noise() -> None:
    melody = laid(MELODY, 200, sigma=1.5)
    assert not melody.is_whole
    assert sigmas_for(Options(), melody)[0] == Options().sigma_max
    assert melody.share.diff().abs().max() < 0.15
    assert (melody.share[0], melody.share[100]) == (1.0, 0.0)


def test_a_melody_longer_than_the_music_is_cut() -> None:
    melody = laid(MELODY, 20, sigma=1.5)
    assert torch.equal(melody.latents, MELODY[..., :20])
    assert melody.is_whole


def test_a_variation_starts_with_the_noise_upon_the_melody() -> None:
    noise = take_noise([3], 4, 64)
    assert torch.equal(start_of(noise, laid(MELODY, 64, 1.5), 1.5), MELODY + noise * 1.5)
    assert torch.equal(start_of(noise, None, 50.0), noise * 50.0)
