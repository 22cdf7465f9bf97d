"""The v-network as a denoiser, and guidance: exact answers of networks that are known, and the published fixtures."""

import math

import pytest
import torch
from models.known_networks import CHANNELS, PLACES, PLAIN, Known, clean, prompt, published
from torch import Tensor

from reelscore.models.conditioning import Context
from reelscore.models.denoising import Denoiser, Guidance, guided, stacked
from reelscore.models.unet import Memory


def noisy(takes: int = 2, length: int = 16, sigma: float = 1.0) -> Tensor:
    return torch.randn(takes, CHANNELS, length, generator=torch.Generator().manual_seed(4)) * sigma


@pytest.mark.parametrize("sigma", [0.03, 0.4, 1.0, 7.0, 80.0])
def test_the_known_answer_comes_out(sigma: float) -> None:
    x = noisy(sigma=sigma)
    answer = Denoiser(Known(), prompt(0.5), guidance=PLAIN)(x, sigma)
    torch.testing.assert_close(answer, clean(x, sigma, 2.0), atol=2e-5, rtol=2e-5)


def test_guidance_goes_beyond_the_prompt_away_from_nothing() -> None:
    x, sigma, scale = noisy(), 0.7, 5.0
    answer = Denoiser(Known(), prompt(0.5), guidance=Guidance(scale, rescale=0))(x, sigma)
    # Nothing lies under the mask of the prompt: four of its tokens count.
    towards, away = clean(x, sigma, 4 * 0.5), clean(x, sigma, 4 * 0.25)
    torch.testing.assert_close(answer, away + scale * (towards - away), atol=1e-5, rtol=1e-5)


def test_scale_one_asks_for_the_prompt_alone() -> None:
    network = Known()
    Denoiser(network, prompt(0.5), prompt(0.1), PLAIN)(noisy(3), 1.0)
    assert network.asked == [(3, 3)] and network.readings == 1


def test_both_halves_go_in_one_batch_and_contexts_are_read_once() -> None:
    network = Known()
    denoiser = Denoiser(network, prompt(0.5))
    for sigma in (5.0, 2.0, 0.1):
        denoiser(noisy(3), sigma)
    assert network.asked == [(3, 6)] * 3 and network.readings == 2


@pytest.mark.parametrize("rescale", [0.0, 0.4, 1.0])
def test_rescaling_brings_back_the_spread_over_the_channels(rescale: float) -> None:
    towards, away = noisy(), noisy(length=32)[..., 16:]
    plain = guided(towards, away, Guidance(6.0, 0.0))
    answer = guided(towards, away, Guidance(6.0, rescale))
    spread = rescale * towards.std(dim=1) + (1 - rescale) * plain.std(dim=1)
    torch.testing.assert_close(answer.std(dim=1), spread)


def test_guidance_of_two_flat_answers_is_finite() -> None:
    flat = torch.ones(1, CHANNELS, 16)
    assert guided(flat, flat, Guidance()).isfinite().all()


def test_a_negative_prompt_acts_with_all_its_tokens() -> None:
    x, sigma = noisy(), 0.7
    answer = Denoiser(Known(), prompt(0.5, length=2), prompt(0.2, length=5), Guidance(3, 0))(x, sigma)
    towards, away = clean(x, sigma, 2 * 0.5), clean(x, sigma, 5 * 0.2)
    torch.testing.assert_close(answer, away + 3 * (towards - away), atol=1e-5, rtol=1e-5)


def test_as_published_it_is_cut_to_the_prompt_and_filled_with_nothing() -> None:
    x, sigma, short = noisy(), 0.7, prompt(0.5, length=3)
    answer = Denoiser(Known(), short, prompt(0.2, length=2), Guidance(3, 0), as_published=True)(x, sigma)
    towards, away = clean(x, sigma, 3 * 0.5), clean(x, sigma, 2 * 0.2 + 0.25)
    torch.testing.assert_close(answer, away + 3 * (towards - away), atol=1e-5, rtol=1e-5)
    longer = prompt(0.2, length=6)
    longer.tokens[:, 3:] = 100.0
    cut = prompt(0.2, length=3)
    first, second = (Denoiser(Known(), short, negative, as_published=True)(x, sigma) for negative in (longer, cut))
    assert torch.equal(first, second)
    assert not torch.equal(Denoiser(Known(), short, longer)(x, sigma), Denoiser(Known(), short, cut)(x, sigma))


def test_takes_do_not_hang_on_each_other() -> None:
    x, contexts = noisy(3), prompt(0.1, 0.5, 0.9)
    together = Denoiser(Known(), contexts)(x, 0.5)
    for take in range(3):
        alone = Denoiser(Known(), Context(contexts.tokens[[take]], contexts.mask[[take]]))(x[[take]], 0.5)
        torch.testing.assert_close(together[[take]], alone)


def test_each_row_is_under_the_context_asked_for() -> None:
    x, denoiser = noisy(4), Denoiser(Known(), stacked([prompt(0.1), prompt(0.9)]), guidance=PLAIN)
    for rows in ([0, 1, 1, 0], [1, 0, 1, 1], [0, 1, 1, 0]):
        answer = denoiser.under(x, 0.5, rows)
        for index, row in enumerate(rows):
            torch.testing.assert_close(answer[index], clean(x[index], 0.5, (0.4, 3.6)[row]))
    with pytest.raises(ValueError, match="4 rows of latents"):
        denoiser(x, 0.5)


def test_the_number_of_negative_contexts_is_checked() -> None:
    with pytest.raises(ValueError, match="not 2"):
        Denoiser(Known(), prompt(1, 2, 3), prompt(1, 2))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_inside_the_network(dtype: torch.dtype) -> None:
    network = Known(torch.full((PLACES, CHANNELS), 0.25, dtype=dtype))
    x, sigma = noisy(sigma=0.5), 0.03
    answer = Denoiser(network, prompt(0.5), guidance=PLAIN)(x, sigma)
    assert network.formats == {dtype} and answer.dtype == torch.float32

    class Silent(Known):
        def __call__(self, x: Tensor, _t: Tensor, _memory: Memory) -> Tensor:
            return torch.zeros_like(x)

    # What does not pass through the network keeps all of its digits.
    kept = Denoiser(Silent(network.null_context), prompt(0.5), guidance=PLAIN)(x, sigma)
    torch.testing.assert_close(kept, x / (1 + sigma**2), atol=1e-7, rtol=1e-6)


class TestParity:
    """Against the outputs of the published implementation."""

    @pytest.mark.parametrize(
        ("name", "guidance", "negative"),
        [
            ("unet.v", PLAIN, False),
            ("unet.v_cfg6_rescale0.4", Guidance(6.0, 0.4), False),
            ("unet.v_cfg6_rescale0.4_negative", Guidance(6.0, 0.4), True),
        ],
    )
    def test_v(self, name: str, guidance: Guidance, negative: bool) -> None:
        stored, unet, seconds = published()
        against = None
        if negative:
            tokens = torch.cat([stored["negative.features"], seconds], dim=1)
            against = Context(tokens, torch.cat([stored["negative.mask"], torch.ones(1, 2)], dim=1))
        under = Context(stored["context"], stored["context.mask"])
        denoiser = Denoiser(unet, under, against, guidance, as_published=True)
        sigma = math.tan(stored["unet.t"].item() * math.pi / 2)
        reach = math.hypot(1, sigma)
        x = stored["unet.x"] * reach
        v = (x / reach**2 - denoiser(x, sigma)) * reach / sigma
        assert (v - stored[name]).abs().max() < 1e-4

    def test_contexts_of_many_lengths_share_a_batch(self) -> None:
        """Rows of the real network under prompts of several lengths, against each alone."""
        stored, unet, _ = published()
        x = torch.cat([stored["unet.x"], stored["sampler.x0"], stored["unet.x"].flip(-1)])
        lengths = [3, 40, 12]
        contexts = [
            Context(stored["context"].roll(length, 1), (torch.arange(79) < length).float().unsqueeze(0))
            for length in lengths
        ]
        against = Context(stored["context"].flip(1), (torch.arange(79) < 25).float().unsqueeze(0))
        together = Denoiser(unet, stacked(contexts), against)(x, 0.8)
        for row, context in enumerate(contexts):
            alone = Denoiser(unet, context, against)(x[[row]], 0.8)
            torch.testing.assert_close(together[[row]], alone, atol=3e-5, rtol=1e-4)
