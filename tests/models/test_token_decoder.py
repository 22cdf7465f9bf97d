"""The token decoder beside the reference's numbers, and every way through it beside the plain one."""

from collections.abc import Iterator
from functools import cache
from math import cos, sin

import pytest
import torch
from models.recipe import VIDMUSE, fixture, vidmuse_weights
from torch import Tensor

from reelscore.checkpoints.vidmuse_names import our_name
from reelscore.models.packing import PackedProjection, packed
from reelscore.models.remembering import Cache, Condition, Memory
from reelscore.models.token_decoder import TokenDecoder, TokenDecoderConfig, waves

CONFIG = TokenDecoderConfig(dim=32, heads=4, layers=2, inner=64, cardinality=16)
CLOSE = {"atol": 1e-5, "rtol": 0.0}


@pytest.fixture(params=["recorded", "bare"])
def each_way(request: pytest.FixtureRequest) -> Iterator[None]:
    """As in training, and as in making music."""
    with torch.set_grad_enabled(request.param == "recorded"):
        yield


@pytest.fixture
def no_gradient() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture(params=["beside", "before"])
def decoder(request: pytest.FixtureRequest) -> TokenDecoder:
    """With conditions beside the music, and with conditions before it."""
    torch.manual_seed(0)
    return TokenDecoder(CONFIG, request.param).eval()


@cache
def published() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The fixture's tensors and the weights of its decoder by our names."""
    stored, _ = fixture(VIDMUSE)
    named = {our_name(name): value for name, value in vidmuse_weights().items()}
    return stored, {
        name.removeprefix("decoder."): value for name, value in named.items() if name and name.startswith("decoder.")
    }


def reference() -> TokenDecoder:
    _, weights = published()
    decoder = TokenDecoder(TokenDecoderConfig(dim=64, heads=4, layers=2, inner=256)).eval()
    decoder.load_state_dict(weights)
    return decoder


def conditions(*shapes: tuple[int, int]) -> list[Condition]:
    """Of so many tokens for so many rows each."""
    seeded = torch.Generator().manual_seed(1)
    return [Condition(torch.randn(count, CONFIG.dim, generator=seeded), rows) for count, rows in shapes]


def codes(rows: int, count: int) -> Tensor:
    seeded = torch.Generator().manual_seed(2)
    return torch.randint(CONFIG.cardinality + 1, (rows, CONFIG.codebooks, count), generator=seeded)


def space_for(decoder: TokenDecoder, memory: Memory, length: int, *, static: bool = False) -> Cache:
    kept = decoder.cache(memory.rows, length, memory)
    kept.static = static
    return kept


def in_pieces(
    decoder: TokenDecoder, given: Tensor, sizes: list[int], read: list[Condition], *, static: bool = False
) -> Tensor:
    """The scores of all codes, fed in pieces of these sizes."""
    memory = decoder.remember(read)
    kept = space_for(decoder, memory, given.shape[2] + 3, static=static)
    scores = torch.cat([decoder(piece, memory, kept) for piece in torch.split(given, sizes, dim=2)], dim=2)
    assert kept.used == given.shape[2]
    assert int(kept.place) == memory.before + given.shape[2]
    return scores


# The reference


@pytest.mark.usefixtures("each_way")
def test_scores_are_the_references() -> None:
    stored, _ = published()
    decoder = reference()
    memory = decoder.remember([Condition(tokens) for tokens in stored["video_embedding"]])
    torch.testing.assert_close(decoder(stored["tokens"], memory), stored["logits"], atol=1e-4, rtol=0)


@pytest.mark.usefixtures("no_gradient")
@pytest.mark.parametrize("prepared", [lambda decoder: decoder, packed], ids=["plain", "packed"])
def test_steps_are_the_references(prepared: object) -> None:
    """The null condition of one black frame stands for that of the whole black film."""
    stored, _ = published()
    decoder = prepared(reference())  # type: ignore[operator]
    film, black = stored["video_embedding"]
    given = in_pieces(decoder, stored["tokens"], [1] * 16, [Condition(film), Condition(black[:50])])
    torch.testing.assert_close(given, stored["logits"], atol=1e-4, rtol=0)


# Ways through


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("static", [False, True], ids=["sliced", "static"])
@pytest.mark.parametrize("sizes", [[1] * 9, [5, 1, 1, 1, 1], [4, 3, 2], [9]], ids=str)
def test_pieces_are_the_whole(decoder: TokenDecoder, static: bool, sizes: list[int]) -> None:
    read, given = conditions((7, 2), (3, 1)), codes(3, 9)
    whole = decoder(given, decoder.remember(read))
    torch.testing.assert_close(in_pieces(decoder, given, sizes, read, static=static), whole, **CLOSE)


@pytest.mark.usefixtures("no_gradient")
@pytest.mark.parametrize("static", [False, True], ids=["sliced", "static"])
def test_a_cache_forgets(decoder: TokenDecoder, static: bool) -> None:
    memory, given = decoder.remember(conditions((7, 2))), codes(2, 6)
    kept = space_for(decoder, memory, 8, static=static)
    first = torch.cat([decoder(piece, memory, kept) for piece in torch.split(given, [4, 1, 1], dim=2)], dim=2)
    kept.rewind(4)
    torch.testing.assert_close(decoder(given[:, :, 4:5], memory, kept), first[:, :, 4:5], **CLOSE)
    kept.clear()
    torch.testing.assert_close(decoder(given.flip(0), memory, kept), decoder(given.flip(0), memory), **CLOSE)


@pytest.mark.usefixtures("no_gradient")
def test_a_static_step_reads_its_place_from_the_tensor(decoder: TokenDecoder) -> None:
    """As a replayed CUDA graph does, for which Python's own count stands still."""
    given = codes(2, 6)
    memory = decoder.remember(conditions((5, 2)))
    kept = space_for(decoder, memory, 6, static=True)
    steps = []
    for place in range(6):
        kept.used = 0
        steps.append(decoder(given[:, :, place : place + 1], memory, kept))
    torch.testing.assert_close(torch.cat(steps, dim=2), decoder(given, memory), **CLOSE)


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("sizes", [[1] * 5, [5]], ids=["steps", "whole"])
def test_rows_do_not_know_each_other(decoder: TokenDecoder, sizes: list[int]) -> None:
    """Conditions of different lengths where they may, one of them for several rows: each row as alone."""
    lengths = (9, 1, 4) if decoder.condition == "beside" else (4, 4, 4)
    read, given = conditions(*zip(lengths, (3, 1, 2), strict=True)), codes(6, 5)
    together = in_pieces(decoder, given, sizes, read)
    row = 0
    for tokens, rows in read:
        for _ in range(rows):
            alone = in_pieces(decoder, given[row : row + 1], sizes, [Condition(tokens)])
            torch.testing.assert_close(together[row], alone[0], **CLOSE)
            row += 1
    assert not torch.allclose(together[0], together[4])


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("cached", [False, True])
def test_the_last_alone(decoder: TokenDecoder, cached: bool) -> None:
    memory, given = decoder.remember(conditions((3, 2))), codes(2, 5)
    last = decoder(given, memory, space_for(decoder, memory, 5) if cached else None, last_only=True)
    assert last.shape == (2, CONFIG.codebooks, 1, CONFIG.cardinality)
    torch.testing.assert_close(last, decoder(given, memory)[:, :, -1:], **CLOSE)


@pytest.mark.usefixtures("each_way")
def test_a_condition_before_the_music_is_read_as_music_would_be() -> None:
    """The positions of the music are counted on from it, and none of it sees what comes after."""
    torch.manual_seed(0)
    decoder = TokenDecoder(CONFIG, "before").eval()
    given = codes(1, 5)
    read = [Condition(torch.stack([decoder.tokens[book](given[0, book]) for book in range(4)]).sum(0).detach()[:3])]
    whole = decoder(given, decoder.remember([Condition(torch.zeros(1, CONFIG.dim))]))
    zero = torch.zeros(1, CONFIG.dim)
    split = decoder(given[..., 3:], decoder.remember([Condition(torch.cat([zero, read[0].tokens]))]))
    torch.testing.assert_close(split, whole[:, :, 3:], **CLOSE)


def test_shorter_conditions_before_the_music_are_filled_up_with_zeros() -> None:
    torch.manual_seed(0)
    decoder = TokenDecoder(CONFIG, "before").eval()
    long, short = conditions((7, 1), (3, 1))
    filled = torch.cat([short.tokens, torch.zeros(4, CONFIG.dim)])
    alone = decoder(codes(2, 4)[1:], decoder.remember([Condition(filled)]))
    torch.testing.assert_close(decoder(codes(2, 4), decoder.remember([long, short]))[1:], alone, **CLOSE)


@pytest.mark.usefixtures("no_gradient")
@pytest.mark.parametrize("static", [False, True], ids=["sliced", "static"])
def test_what_a_cache_began_with_may_be_given_up(static: bool) -> None:
    torch.manual_seed(0)
    decoder, given = TokenDecoder(CONFIG, "before").eval(), codes(3, 6)
    memory = decoder.remember(conditions((7, 2), (3, 1)))
    kept = space_for(decoder, memory, 6, static=static)
    rest = memory.handed_over()
    assert rest.rows == 3 and not any(bank.keys.numel() or bank.values.numel() for bank in sum(rest.layers, ()))
    steps = [decoder(piece, rest, kept) for piece in torch.split(given, [3, 1, 1, 1], dim=2)]
    torch.testing.assert_close(torch.cat(steps, dim=2), decoder(given, memory), **CLOSE)


def test_later_codes_change_nothing_before(decoder: TokenDecoder) -> None:
    memory, given = decoder.remember(conditions((3, 1))), codes(1, 6)
    other = given.clone()
    other[:, 2, 4] = (other[:, 2, 4] + 1) % CONFIG.cardinality
    before, after = decoder(given, memory), decoder(other, memory)
    torch.testing.assert_close(before[:, :, :4], after[:, :, :4], atol=0, rtol=0)
    assert not torch.allclose(before[:, :, 4], after[:, :, 4])


# Training, number formats


def test_gradients_reach_every_weight_and_the_condition(decoder: TokenDecoder) -> None:
    """By finite difference in one direction of all weights at once, in float64."""
    decoder.double()
    tokens = torch.randn(4, CONFIG.dim, dtype=torch.float64, requires_grad=True)
    given = codes(2, 3)

    def loss() -> Tensor:
        made: Tensor = decoder(given, decoder.remember([Condition(tokens, 2)]))
        return made.double().square().mean()

    loss().backward()
    learned = [tokens, *decoder.parameters()]
    slopes = [value.grad for value in learned]
    assert all(slope is not None and slope.abs().sum() > 0 for slope in slopes)
    directions = [torch.randn_like(value) for value in learned]
    step = 1e-3
    told = []
    with torch.no_grad():
        for signed in (step, -2 * step):
            for value, direction in zip(learned, directions, strict=True):
                value.add_(direction, alpha=signed)
            told.append(float(loss()))
    predicted = sum(
        float((slope * way).sum()) for slope, way in zip(slopes, directions, strict=True) if slope is not None
    )
    assert (told[0] - told[1]) / (2 * step) == pytest.approx(predicted, rel=1e-2)


@pytest.mark.usefixtures("no_gradient")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("static", [False, True], ids=["sliced", "static"])
def test_half_precision_keeps_near(decoder: TokenDecoder, dtype: torch.dtype, static: bool) -> None:
    read, given = conditions((7, 1), (2, 1)), codes(2, 4)
    exact = decoder(given, decoder.remember(read))
    decoder.to(dtype)
    near = in_pieces(decoder, given, [2, 1, 1], read, static=static)
    assert decoder.cache(2, 4).keys.dtype == dtype
    assert near.dtype == torch.float32
    assert (near - exact).square().mean() < 1e-3 * exact.square().mean()


# Parts


def test_waves_by_their_formula() -> None:
    made = waves(torch.tensor([0, 3, 700]), 8)
    for row, place in enumerate((0, 3, 700)):
        angles = [place / 10_000 ** (index / 3) for index in range(4)]
        expected = torch.tensor([cos(angle) for angle in angles] + [sin(angle) for angle in angles])
        torch.testing.assert_close(made[row], expected, atol=1e-5, rtol=0)


@pytest.mark.usefixtures("no_gradient")
@pytest.mark.parametrize("rows", [1, 2, 3, 5, 40])
def test_packed_is_plain(decoder: TokenDecoder, rows: int) -> None:
    read, given = conditions((7, rows)), codes(rows, 4)
    plain = in_pieces(decoder, given, [2, 1, 1], read)
    assert packed(decoder) is decoder
    assert isinstance(decoder.scores[0], PackedProjection)
    norms = {"norm", "norm_self", "norm_feed"} | ({"norm_cross"} if decoder.condition == "beside" else set())
    assert {name.split(".")[-2] for name, _ in decoder.named_parameters()} == {*"0123", *norms}
    torch.testing.assert_close(in_pieces(decoder, given, [2, 1, 1], read), plain, **CLOSE)


# What does not fit


def test_configurations_that_cannot_be() -> None:
    for wrong in ({"dim": 30}, {"dim": 2, "heads": 1}, {"dim": 33, "heads": 1}, {"layers": 0}, {"delays": (0, 1)}):
        with pytest.raises(ValueError, match=r"\d"):
            TokenDecoderConfig(**{"dim": 32, "heads": 4, **wrong})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="delays"):
        TokenDecoderConfig(codebooks=2, delays=(0, -1))


@pytest.mark.parametrize("shape", [(2, 4, 3), (3, 3, 3), (3, 4, 0)], ids=str)
def test_codes_of_another_shape(decoder: TokenDecoder, shape: tuple[int, int, int]) -> None:
    memory = decoder.remember(conditions((3, 2), (1, 1)))
    with pytest.raises(ValueError, match=r"codes are \(3, 4, n\)"):
        decoder(torch.zeros(shape, dtype=torch.long), memory)


def test_a_cache_that_is_full_or_of_another_batch(decoder: TokenDecoder) -> None:
    memory = decoder.remember(conditions((3, 2)))
    kept = decoder.cache(2, 4, memory)
    decoder(codes(2, 3), memory, kept)
    with pytest.raises(ValueError, match="takes no 2 more"):
        decoder(codes(2, 2), memory, kept)
    with pytest.raises(ValueError, match="1 rows"):
        decoder(codes(2, 1), memory, decoder.cache(1, 4))
    if decoder.condition == "before":
        with pytest.raises(ValueError, match="begins after 0 places"):
            decoder(codes(2, 1), memory, decoder.cache(2, 4))


@pytest.mark.parametrize("shape", [(3, CONFIG.dim + 1), (0, CONFIG.dim), (1, 3, CONFIG.dim)], ids=str)
def test_conditions_that_cannot_be(decoder: TokenDecoder, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"a condition is \(n, 32\)"):
        decoder.remember([Condition(torch.zeros(shape))])
    with pytest.raises(ValueError, match="for 0"):
        decoder.remember([Condition(torch.zeros(3, CONFIG.dim), 0)])
