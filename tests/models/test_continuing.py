"""Codes step by step: the published tokens, takes that do not disturb each other, prompts, interruption, the recorded step."""

from collections.abc import Callable

import pytest
import recipe
import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from reelscore.checkpoints.vidmuse_names import our_name
from reelscore.models import continuing
from reelscore.models.choosing import Sampling, published_generator
from reelscore.models.codebooks import to_frames, to_steps
from reelscore.models.continuing import generate
from reelscore.models.remembering import Cache, Condition
from reelscore.models.token_decoder import Place, TokenDecoder, TokenDecoderConfig

TINY = TokenDecoderConfig(dim=32, heads=2, layers=2, inner=64, codebooks=4, cardinality=40)
STEREO = TokenDecoderConfig(
    dim=32, heads=2, layers=1, inner=64, codebooks=8, cardinality=40, delays=(0, 0, 1, 1, 2, 2, 3, 3)
)
LATE = TokenDecoderConfig(dim=32, heads=2, layers=1, inner=64, codebooks=3, cardinality=40, delays=(4, 1, 2))
GREEDY = Sampling(temperature=0.0)
UNGUIDED = Sampling(guidance_scale=1.0)


def tiny(config: TokenDecoderConfig = TINY, condition: Place = "beside") -> TokenDecoder:
    """A decoder whose weights are large enough for scores that tell codes apart."""
    decoder = TokenDecoder(config, condition).eval()
    seeded = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for weight in decoder.parameters():
            if weight.ndim > 1:
                weight.copy_(torch.randn(weight.shape, generator=seeded) * (2.0 / weight.shape[1] ** 0.5))
    return decoder


def tokens(count: int, seed: int = 0, dim: int = TINY.dim) -> Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


def seeds(*numbers: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(number) for number in numbers]


def published() -> tuple[TokenDecoder, dict[str, Tensor]]:
    """The decoder of the fixture, and the fixture."""
    stored, _ = recipe.fixture(recipe.VIDMUSE)
    named = {our_name(name): weight for name, weight in recipe.vidmuse_weights().items()}
    weights = {name.removeprefix("decoder."): it for name, it in named.items() if name and name.startswith("decoder.")}
    decoder = TokenDecoder(TokenDecoderConfig(dim=64, heads=4, layers=2, inner=256)).eval()
    decoder.load_state_dict(weights)
    return decoder, stored


def slow(
    decoder: TokenDecoder, condition: Tensor, null: Tensor, length: int, prompt: Tensor | None, scale: float
) -> Tensor:
    """The likeliest codes with neither memory nor cache nor anything else that makes it fast: all steps anew for each."""
    delays, special = decoder.config.delays, decoder.config.cardinality
    frames = torch.full((1, decoder.config.codebooks, length), -1)
    if prompt is not None:
        frames[..., : prompt.shape[2]] = prompt
    steps = to_steps(frames, delays, special)
    memory = decoder.remember([Condition(condition), Condition(null)])
    for step in range(1, steps.shape[2]):
        answers = decoder(steps[..., :step].clamp(min=0).repeat(2, 1, 1), memory)[:, :, -1]
        best = (answers[1:] + (answers[:1] - answers[1:]) * scale).argmax(-1)
        steps[..., step] = torch.where(steps[..., step] == -1, best, steps[..., step])
    return to_frames(steps, delays)


class TestPublished:
    def test_greedy_codes_are_identical(self) -> None:
        decoder, stored = published()
        condition, null = stored["video_embedding"]
        codes = generate(decoder, condition, null, length=24, generators=seeds(0), sampling=GREEDY)
        assert torch.equal(codes, stored["greedy"])

    def test_a_continuation_is_identical(self) -> None:
        decoder, stored = published()
        condition, null = stored["video_embedding"]
        prompt = stored["greedy"][..., :8]
        codes = generate(decoder, condition, null, length=24, generators=seeds(0), prompt=prompt, sampling=GREEDY)
        assert torch.equal(codes, stored["continued_from_8"])

    def test_drawn_codes_are_those_of_torch_in_the_published_state(self) -> None:
        """A plain loop as the published program runs it: no cache, global random state, torch.multinomial."""
        decoder, stored = published()
        condition, null = stored["video_embedding"]
        shape = (1, 3, 4, 224, 224)
        codes = generate(decoder, condition, null, length=6, generators=[published_generator(shape)])
        steps = to_steps(torch.full((1, 4, 6), -1), decoder.config.delays, 2048)
        memory = decoder.remember([Condition(condition), Condition(null)])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1234)
            torch.rand(shape)
            for step in range(1, steps.shape[2]):
                conditional, unconditional = decoder(steps[..., :step].repeat(2, 1, 1), memory, last_only=True)[:, :, 0]
                p = torch.softmax(unconditional + (conditional - unconditional) * 3.0, dim=-1)
                p = p * (p >= p.sort(descending=True).values[:, 249:250])
                drawn = torch.multinomial(p / p.sum(-1, keepdim=True), 1)[:, 0]
                steps[..., step] = torch.where(steps[..., step] == -1, drawn, steps[..., step])
        assert torch.equal(codes, to_frames(steps, decoder.config.delays))


@pytest.mark.parametrize("config", [TINY, STEREO, LATE], ids=["mono", "stereo", "late"])
@pytest.mark.parametrize("known", [0, 1, 2, 3, 4, 9, 11])
@pytest.mark.parametrize("place", ["beside", "before"])
def test_a_prompt_is_kept_and_continued_as_if_nothing_were_remembered(
    config: TokenDecoderConfig, known: int, place: Place
) -> None:
    decoder, length = tiny(config, place), 12
    prompt = torch.randint(config.cardinality, (1, config.codebooks, known), generator=seeds(3)[0])
    condition, null = tokens(9), tokens(2, seed=1)
    codes = generate(decoder, condition, null, length=length, generators=seeds(0), prompt=prompt, sampling=GREEDY)
    assert codes.shape == (1, config.codebooks, length)
    assert codes.dtype == torch.int64
    assert torch.equal(codes[..., :known], prompt)
    with torch.no_grad():
        assert torch.equal(codes, slow(decoder, condition, null, length, prompt, 3.0))


def test_every_step_counts_and_none_is_wasted() -> None:
    decoder, longest = tiny(), max(TINY.delays)
    asked: list[int] = []
    decoder.register_forward_pre_hook(lambda _, given: asked.append(given[0].shape[2]))
    told: list[int] = []
    generate(decoder, tokens(3), tokens(1), length=10, generators=seeds(0), watch=told.append)
    assert asked == [1] * (10 + longest)
    assert told == [0, 0, 0, *range(1, 11)]
    asked.clear()
    told.clear()
    prompt = torch.zeros(1, 4, 6, dtype=torch.long)
    generate(decoder, tokens(3), tokens(1), length=10, generators=seeds(0), prompt=prompt, watch=told.append)
    assert asked == [7] + [1] * (10 + longest - 7)
    assert told == [6, 6, 6, 7, 8, 9, 10]
    asked.clear()
    full = torch.ones(1, 4, 10, dtype=torch.long)
    assert torch.equal(
        generate(decoder, tokens(3), None, length=10, generators=seeds(0), prompt=full, sampling=UNGUIDED), full
    )
    assert asked == []


class TestTakes:
    def test_a_take_comes_out_the_same_beside_others(self) -> None:
        decoder, condition, null = tiny(), tokens(9), tokens(2, seed=1)
        together = generate(decoder, condition, null, length=15, generators=seeds(4, 5, 6))
        for place, seed in enumerate((4, 5, 6)):
            assert torch.equal(generate(decoder, condition, null, length=15, generators=seeds(seed)), together[[place]])
        assert not torch.equal(together[0], together[1])
        assert torch.equal(generate(decoder, condition, null, length=15, generators=seeds(4, 5, 6)), together)

    def test_takes_may_have_conditions_and_prompts_of_their_own(self) -> None:
        decoder, null = tiny(), tokens(2, seed=1)
        conditions = [tokens(9, seed=2), tokens(4, seed=3)]
        prompt = torch.randint(40, (2, 4, 5), generator=seeds(3)[0])
        together = generate(decoder, conditions, null, length=12, generators=seeds(4, 5), prompt=prompt)
        for place, (condition, seed) in enumerate(zip(conditions, (4, 5), strict=True)):
            own = prompt[[place]]
            alone = generate(decoder, condition, null, length=12, generators=seeds(seed), prompt=own)
            assert torch.equal(alone, together[[place]])

    def test_what_is_longer_begins_as_what_is_shorter(self) -> None:
        """But for the last frames: where the next would stand, what ends holds nothing, and later codebooks see that."""
        decoder, kept = tiny(), 13 - max(TINY.delays)
        long, short = (
            generate(decoder, tokens(9), tokens(2), length=length, generators=seeds(4)) for length in (20, 13)
        )
        assert torch.equal(long[..., :kept], short[..., :kept])


def test_noise_is_drawn_ahead_but_none_that_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, made = tiny(), []
    for ahead in (1, 4, 50):
        monkeypatch.setattr(continuing, "NOISE_AHEAD", ahead)
        generators = seeds(4, 5)
        made.append(generate(decoder, tokens(9), tokens(2, 1), length=11, generators=generators))
        # What is drawn next is the same, so that the next window is the same.
        made.append(torch.stack([torch.rand(9, generator=generator) for generator in generators]))
    assert torch.equal(made[0], made[2]) and torch.equal(made[0], made[4])
    assert torch.equal(made[1], made[3]) and torch.equal(made[1], made[5])


def test_without_guidance_the_null_condition_is_not_asked() -> None:
    decoder = tiny()
    rows: list[int] = []
    decoder.register_forward_pre_hook(lambda _, given: rows.append(given[0].shape[0]))
    alone = generate(decoder, tokens(9), None, length=9, generators=seeds(4), sampling=UNGUIDED)
    assert set(rows) == {1}
    beside = generate(decoder, tokens(9), tokens(2), length=9, generators=seeds(4), sampling=UNGUIDED)
    assert torch.equal(alone, beside)
    # Guidance between equal answers changes nothing.
    same = generate(decoder, tokens(9), tokens(9), length=9, generators=seeds(4), sampling=Sampling())
    assert torch.equal(alone, same)
    assert set(rows) == {1, 2}


class TestTemperature:
    def test_each_frame_has_its_own(self) -> None:
        """Cold frames are the likeliest codes after what was drawn before them, whatever the seed."""
        decoder, cold = tiny(), 6
        sampling = Sampling(temperature=[1.0] * cold + [0.0] * 9, top_k=0)
        codes = generate(decoder, tokens(9), tokens(2, 1), length=15, generators=seeds(4, 5), sampling=sampling)
        assert not torch.equal(codes[0, :, :cold], codes[1, :, :cold])
        again = generate(
            decoder,
            tokens(9),
            tokens(2, 1),
            length=15,
            generators=seeds(8, 9),
            sampling=GREEDY,
            prompt=codes[..., :cold],
        )
        assert torch.equal(codes, again)

    def test_one_for_each_frame_is_the_same_as_one_for_all(self) -> None:
        decoder = tiny()
        one, each = (
            generate(decoder, tokens(9), tokens(2, 1), length=7, generators=seeds(4), sampling=Sampling(temperature))
            for temperature in (0.8, [0.8] * 7)
        )
        assert torch.equal(one, each)

    def test_bolder_is_more_varied(self) -> None:
        decoder = tiny()
        varied = [
            len(
                generate(
                    decoder, tokens(9), tokens(2, 1), length=60, generators=seeds(4), sampling=Sampling(t)
                ).unique()
            )
            for t in (0.1, 8.0)
        ]
        assert varied[0] < varied[1]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ValueError])
def test_what_watching_raises_ends_the_work(kind: type[BaseException]) -> None:
    decoder = tiny()
    told: list[int] = []

    def watch(frames: int) -> None:
        told.append(frames)
        if frames == 4:
            raise kind("enough")

    with pytest.raises(kind, match="enough"):
        generate(decoder, tokens(9), tokens(2), length=50, generators=seeds(4), watch=watch)
    assert told[-1] == 4
    # Nothing of it is left behind.
    after = generate(decoder, tokens(9), tokens(2), length=8, generators=seeds(4))
    assert torch.equal(after, generate(tiny(), tokens(9), tokens(2), length=8, generators=seeds(4)))


def test_scores_that_are_not_numbers_are_told() -> None:
    decoder = tiny()
    with torch.no_grad():
        decoder.layers[1].norm_feed.weight[3] = float("inf")
    with pytest.raises(FloatingPointError, match=r"not numbers in torch\.float32"):
        generate(decoder, tokens(9), tokens(2), length=6, generators=seeds(4))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"generators": []}, "0 takes need"),
        ({"conditional": [tokens(3), tokens(3)]}, "1 takes need one condition"),
        ({"null": None}, "guidance 3.0 needs a null condition"),
        ({"prompt": torch.zeros(2, 4, 1, dtype=torch.long)}, "a prompt is"),
        ({"prompt": torch.zeros(1, 3, 1, dtype=torch.long)}, "a prompt is"),
        ({"prompt": torch.zeros(1, 4, 6, dtype=torch.long)}, "a prompt is"),
        ({"sampling": Sampling(temperature=[1.0] * 4)}, "5 frames take 1 or as many temperatures, not 4"),
    ],
)
def test_what_does_not_go_together_is_refused(changed: dict[str, object], said: str) -> None:
    asked = {"conditional": tokens(3), "null": tokens(1), "length": 5, "generators": seeds(0)} | changed
    with pytest.raises(ValueError, match=said):
        generate(tiny(), **asked)  # type: ignore[arg-type]


# --- the recorded step --------------------------------------------------------------------------------------------------


def traced(step: Callable[[], None], again: Callable[[], None]) -> Callable[[], None]:
    """What a recording on CUDA is, on the CPU: the tensor operations of one step, with every number as it was then."""
    step()
    again()
    recording = make_fx(lambda _: step())(torch.zeros(1))
    again()
    return lambda: recording(torch.zeros(1))


class TestRecorded:
    @pytest.mark.parametrize(
        ("sampling", "known"),
        [
            (Sampling(), 0),
            (GREEDY, 5),
            (Sampling(top_p=0.8), 5),
            (Sampling(temperature=[0.5] * 6 + [0.0] * 2 + [1.5] * 4), 0),
            (UNGUIDED, 5),
        ],
        ids=["top_k", "greedy", "top_p", "by_frame", "unguided"],
    )
    @pytest.mark.parametrize("place", ["beside", "before"])
    def test_a_recorded_step_serves_all_steps(
        self, monkeypatch: pytest.MonkeyPatch, sampling: Sampling, known: int, place: Place
    ) -> None:
        """A step that depended on anything but tensors that stay in their place would go on repeating its own numbers."""
        decoder, prompt = tiny(condition=place), torch.randint(40, (2, 4, known), generator=seeds(3)[0])

        def made() -> Tensor:
            return generate(
                decoder, tokens(9), tokens(2, 1), length=12, generators=seeds(4, 5), prompt=prompt, sampling=sampling
            )

        ordinary = made()
        recordings: list[Callable[[], None]] = []

        def recorded(step: Callable[[], None], again: Callable[[], None]) -> Callable[[], None]:
            recordings.append(traced(step, again))
            return recordings[-1]

        monkeypatch.setattr(continuing, "replayed", recorded)
        monkeypatch.setattr(continuing, "NOISE_AHEAD", 5)
        monkeypatch.setattr(decoder, "cache", lambda *sizes: _static(TokenDecoder.cache(decoder, *sizes)))
        assert torch.equal(made(), ordinary)
        assert len(recordings) == 1

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
    @pytest.mark.parametrize("sampling", [Sampling(), GREEDY, Sampling(top_p=0.8)], ids=["top_k", "greedy", "top_p"])
    @pytest.mark.parametrize("place", ["beside", "before"])
    def test_on_a_graphics_card_the_codes_are_those_of_the_cpu(self, sampling: Sampling, place: Place) -> None:
        decoder = tiny(condition=place)
        prompt = torch.randint(40, (2, 4, 5), generator=seeds(3)[0])
        cpu, card = (
            generate(
                decoder.to(device),
                tokens(9).to(device),
                tokens(2, 1).to(device),
                length=60,
                generators=seeds(4, 5),
                prompt=prompt,
                sampling=sampling,
            )
            for device in ("cpu", "cuda")
        )
        assert torch.equal(card.cpu(), cpu)


def _static(cache: Cache) -> Cache:
    cache.static = True
    return cache
