"""The choice of codes: exact in what it leaves out, true to the probabilities, and the same as torch's own draw."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import Tensor

from reelscore.models.choosing import Sampling, chosen, drawn, exponential, guided, published_generator

BOOKS, CARDINALITY = 4, 2048


def scores(seed: int = 0, books: int = BOOKS, cardinality: int = CARDINALITY) -> Tensor:
    return torch.randn(1, books, cardinality, generator=torch.Generator().manual_seed(seed)) * 2


def noise(count: int, cardinality: int, seed: int = 0) -> Tensor:
    return torch.empty(count, cardinality).exponential_(generator=torch.Generator().manual_seed(seed))


def warm(temperature: float, books: int = BOOKS) -> Tensor:
    return torch.full((books, 1), temperature)


def fit(p: Tensor, drawn_codes: Tensor) -> float:
    """How likely draws from p are at least as far from their expected counts (Pearson's chi-square)."""
    there = p > 0
    counts = torch.bincount(drawn_codes, minlength=len(p))
    assert int(counts[~there].sum()) == 0
    expected = p[there].double() / p[there].double().sum() * len(drawn_codes)
    return float(chisquare(counts[there].numpy(), expected.numpy()).pvalue)


class TestDistribution:
    @pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
    @pytest.mark.parametrize(
        "limits", [{"top_k": 0}, {"top_k": 5}, {"top_p": 0.7}], ids=lambda limits: next(iter(limits))
    )
    def test_draws_follow_the_probabilities(self, temperature: float, limits: dict[str, float]) -> None:
        of_one = scores(3, 1, 24)
        p = torch.softmax(of_one[0, 0].double() / temperature, dim=-1)
        order = p.argsort(descending=True)
        if top_k := int(limits.get("top_k", 0)):
            p[order[top_k:]] = 0
        if share := limits.get("top_p", 0):
            p[order[p[order].cumsum(0) - p[order] > share]] = 0
        sampling = Sampling(temperature, **limits)  # type: ignore[arg-type]
        codes = chosen(of_one.expand(40_000, -1, -1), warm(temperature, 1), noise(40_000, 24)[:, None], sampling)
        assert fit(p, codes[:, 0]) > 0.01

    def test_the_test_would_see_a_wrong_temperature(self) -> None:
        of_one = scores(3, 1, 24)
        codes = chosen(of_one.expand(40_000, -1, -1), warm(1.05, 1), noise(40_000, 24)[:, None], Sampling(top_k=0))
        assert fit(torch.softmax(of_one[0, 0], dim=-1), codes[:, 0]) < 1e-4

    @pytest.mark.parametrize("sampling", [Sampling(top_k=0), Sampling(), Sampling(top_p=0.9)])
    @pytest.mark.parametrize("seed", range(5))
    def test_a_draw_is_that_of_torch(self, sampling: Sampling, seed: int) -> None:
        """The published programs ask torch.multinomial; with the same random numbers the codes are the same."""
        p = torch.softmax(scores(seed), dim=-1)
        own, theirs = (torch.Generator().manual_seed(seed) for _ in range(2))
        for _ in range(20):
            raced = torch.empty(1, BOOKS, CARDINALITY)
            exponential(raced, [own])
            if sampling.top_p:
                kept, order = p[0].sort(dim=-1, descending=True)
                kept[kept.cumsum(dim=-1) - kept > sampling.top_p] = 0
            elif sampling.top_k:
                kept, order = p[0].sort(dim=-1, descending=True)
                kept = torch.where(p[0] >= kept[:, sampling.top_k - 1 : sampling.top_k], p[0], 0.0)
                order = torch.arange(CARDINALITY).expand(BOOKS, -1)
            else:
                kept, order = p[0], torch.arange(CARDINALITY).expand(BOOKS, -1)
            expected = order.gather(1, torch.multinomial(kept / kept.sum(-1, keepdim=True), 1, generator=theirs))
            assert torch.equal(drawn(p, raced, sampling)[0], expected[:, 0])


class TestLimits:
    @given(st.integers(1, 40), st.integers(0, 1000))
    def test_top_k_draws_from_as_many_and_no_others(self, top_k: int, seed: int) -> None:
        p = torch.softmax(scores(seed, 1, 32)[0], dim=-1).expand(600, -1)
        # The same chance for all of them shows them all.
        even = (p > 0) * 1.0 / p
        codes = set(drawn(p, noise(600, 32, seed) / even, Sampling(top_k=top_k)).tolist())
        assert codes == set(p[0].topk(min(top_k, 32)).indices.tolist())

    def test_codes_that_tie_with_the_last_of_the_top_k_stay(self) -> None:
        p = torch.tensor([0.4, 0.2, 0.2, 0.15, 0.05]).expand(3000, -1)
        assert set(drawn(p, noise(3000, 5), Sampling(top_k=2)).tolist()) == {0, 1, 2}

    @pytest.mark.parametrize(("top_p", "left"), [(0.3, {1}), (0.45, {1, 3}), (0.75, {1, 3, 0}), (1.0, {0, 1, 2, 3})])
    def test_top_p_takes_the_fewest_that_reach_the_share(self, top_p: float, left: set[int]) -> None:
        p = torch.tensor([0.25, 0.4, 0.05, 0.3]).expand(3000, -1)
        assert set(drawn(p, noise(3000, 4), Sampling(top_p=top_p)).tolist()) == left

    def test_one_code_alone_is_the_likeliest(self) -> None:
        for sampling in (Sampling(top_k=1), Sampling(top_p=1e-6), Sampling(temperature=0.0)):
            temperature = warm(sampling.temperatures[0])
            codes = chosen(scores(), temperature, noise(BOOKS, CARDINALITY)[None], sampling)
            assert torch.equal(codes, scores().argmax(-1))


def test_each_codebook_has_its_own_temperature() -> None:
    many = scores(1, 2, 24).expand(4000, -1, -1)
    temperature = torch.tensor([[0.0], [5.0]])
    raced = noise(8000, 24).view(4000, 2, 24)
    codes = chosen(many, temperature, raced, Sampling(temperature=(0.0, 5.0), top_k=0))
    assert (codes[:, 0] == many[0, 0].argmax()).all()
    assert fit(torch.softmax(many[0, 1] / 5, dim=-1), codes[:, 1]) > 0.01


def test_guidance_goes_on_from_null_to_condition() -> None:
    conditional, null = scores(1), scores(2)
    assert torch.equal(guided(conditional, null, 0.0), null)
    torch.testing.assert_close(guided(conditional, null, 1.0), conditional)
    torch.testing.assert_close(guided(conditional, null, 3.0), 3 * conditional - 2 * null)


def test_each_take_draws_from_its_own_generator() -> None:
    together, alone = torch.empty(3, BOOKS, 64), torch.empty(1, BOOKS, 64)
    exponential(together, [torch.Generator().manual_seed(seed) for seed in (1, 2, 1)])
    exponential(alone, [torch.Generator().manual_seed(2)])
    assert torch.equal(together[1], alone[0])
    assert torch.equal(together[0], together[2])
    assert not torch.equal(together[0], together[1])


def test_takes_with_one_generator_between_them_draw_as_one_batch() -> None:
    shared, together = torch.Generator().manual_seed(1), torch.empty(3, BOOKS, 64)
    exponential(together, [shared] * 3)
    batch = torch.empty(3, BOOKS, 64).exponential_(generator=torch.Generator().manual_seed(1))
    assert torch.equal(together, batch)


def test_the_published_random_state() -> None:
    """It is torch's own after the seed was set and a mask of the film's shape was drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1234)
        torch.rand(1, 3, 32, 16, 16)
        expected = torch.get_rng_state()
    assert torch.equal(published_generator((1, 3, 32, 16, 16)).get_state(), expected)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"temperature": ()},
        {"temperature": (1.0, -1.0)},
        {"top_k": -1},
        {"top_p": -0.1},
        {"top_p": 1.1},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"temperatures are|top_k is"):
        Sampling(**wrong)  # type: ignore[arg-type]
