"""The codec: what transformers' EnCodec says, and the same whatever the size of the pieces."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_vidmuse import CONFIG, encodec
from torch import Tensor
from transformers import EncodecModel

from reelscore.checkpoints.encodec_names import codec_pieces
from reelscore.checkpoints.filling import filled, frame
from reelscore.checkpoints.reading import read_weights
from reelscore.models.codec import Codec, CodecConfig
from reelscore.models.codec_layers import Upsampling, in_context

SMALL = CONFIG.codec
STEREO = replace(SMALL, channels=2, codebooks=8)
FAR = CodecConfig(
    sample_rate=300,
    cardinality=16,
    width=8,
    filters=4,
    rates=(2, 3),
    kernel=5,
    last_kernel=31,
    residual_kernel=5,
    residual_layers=3,
)
"""Its layers see many frames at once."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encodec(tmp_path_factory.mktemp("codec") / "encodec")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> EncodecModel:
    return EncodecModel.from_pretrained(folder).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def ours(folder: Path) -> Codec:
    return filled(frame(Codec, SMALL), codec_pieces(read_weights(folder), SMALL))


@pytest.fixture(scope="module", params=[SMALL, STEREO, FAR], ids=["small", "stereo", "far"])
def exact(request: pytest.FixtureRequest) -> Codec:
    """In float64, where what is the same is the same to the last digits; every weight matters, biases too."""
    seeded = torch.Generator().manual_seed(4)
    codec = Codec(request.param).double().eval().requires_grad_(False)
    for weight in codec.parameters():
        spread = 0.3 if weight.ndim == 1 else weight[0].numel() ** -0.5
        weight.copy_(spread * torch.randn(weight.shape, generator=seeded, dtype=torch.float64))
    return codec


def drawn_codes(codec: Codec, rows: int, frames: int, seed: int = 0) -> Tensor:
    drawn = torch.Generator().manual_seed(seed)
    return torch.randint(codec.config.cardinality, (rows, codec.codebooks, frames), generator=drawn)


def noise(codec: Codec, rows: int, samples: int) -> Tensor:
    drawn = torch.Generator().manual_seed(samples)
    return torch.randn(rows, codec.channels, samples, generator=drawn, dtype=codec.decoder.leave.bias.dtype)


# --- parity -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [1, 2, 3, 30])
@pytest.mark.parametrize("at_a_time", [None, 1, 7])
def test_decodes_as_transformers_does(ours: Codec, theirs: EncodecModel, frames: int, at_a_time: int | None) -> None:
    codes = drawn_codes(ours, 2, frames)
    wanted = theirs.decode(codes[None], [None])[0]
    assert wanted.abs().max() > 0.1
    torch.testing.assert_close(ours.decode(codes, at_a_time), wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("samples", [1, 5, 639, 640, 641, 1345, 1349, 1920, 4007])
@pytest.mark.parametrize("at_a_time", [None, 1, 2])
def test_encodes_as_transformers_does(ours: Codec, theirs: EncodecModel, samples: int, at_a_time: int | None) -> None:
    """Also sound that does not fill its last frame: the convolutions mirror what there is."""
    audio = noise(ours, 2, samples)
    wanted = theirs.encode(audio, bandwidth=theirs.config.target_bandwidths[0]).audio_codes[0]
    got = ours.encode(audio, at_a_time)
    assert got.dtype == torch.int64
    assert torch.equal(got, wanted)


@pytest.mark.parametrize("samples", [1, 640, 1345, 1349, 4007])
@pytest.mark.parametrize("at_a_time", [1, 2, 100])
def test_what_is_looked_up_is_the_same(ours: Codec, theirs: EncodecModel, samples: int, at_a_time: int) -> None:
    audio = noise(ours, 1, samples)
    pieces = audio.transpose(1, 2).split(640 * at_a_time, dim=1)
    got = torch.cat(list(ours.encoder(iter(pieces))), dim=1)
    torch.testing.assert_close(got.transpose(1, 2), theirs.encoder(audio), rtol=0, atol=1e-5)


def test_upsampling_is_a_transposed_convolution() -> None:
    layer = Upsampling(6, 3, 5)
    torch.nn.init.normal_(layer.bias)
    x = torch.randn(2, 6, 9)
    weight = layer.weight.permute(2, 1, 0)
    whole = torch.nn.functional.conv_transpose1d(x, weight, layer.bias, stride=5)
    torch.testing.assert_close(layer(x.transpose(1, 2)).transpose(1, 2), whole[..., 3:-2])


# --- pieces -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 17])
@pytest.mark.parametrize("at_a_time", [1, 2, 7])
def test_size_of_pieces_changes_nothing(exact: Codec, frames: int, at_a_time: int) -> None:
    codes = drawn_codes(exact, 2, frames)
    sound = exact.decode(codes, 1000)
    assert sound.shape == (2, exact.channels, frames * exact.hop_samples)
    pieces = list(exact.decode_pieces(codes, at_a_time))
    whole, rest = divmod(frames, at_a_time)
    lengths = [at_a_time] * whole + [rest] * bool(rest)
    assert [piece.shape[-1] for piece in pieces] == [length * exact.hop_samples for length in lengths]
    if pieces:
        torch.testing.assert_close(torch.cat(pieces, dim=-1), sound, rtol=0, atol=1e-11)


@pytest.mark.parametrize("part_of_a_frame", [0.0, 0.01, 0.5, 1.0])
@pytest.mark.parametrize("frames", [0, 1, 2, 11])
@pytest.mark.parametrize("at_a_time", [1, 2, 7])
def test_size_of_pieces_changes_no_code(exact: Codec, part_of_a_frame: float, frames: int, at_a_time: int) -> None:
    samples = frames * exact.hop_samples + int(part_of_a_frame * (exact.hop_samples - 1))
    audio = noise(exact, 2, samples)
    codes = exact.encode(audio, 1000)
    assert codes.shape == (2, exact.codebooks, -(-samples // exact.hop_samples))
    assert torch.equal(exact.encode(audio, at_a_time), codes)


def test_what_it_sees_is_what_has_a_part(exact: Codec) -> None:
    """A frame changes the sound as far as `reach` says, and no further."""
    reach, hop = exact.decoder.reach(), exact.hop_samples
    frames = torch.zeros(1, 4 * reach + 3, exact.decoder.stages[0].up.weight.shape[2], dtype=torch.float64)
    changed = frames.clone()
    middle = frames.shape[1] // 2
    changed[:, middle] = 1
    differs = (exact.decoder.grow(changed) != exact.decoder.grow(frames)).flatten().nonzero().flatten() // hop - middle
    assert int(differs.abs().max()) == reach


def test_memory_does_not_grow_with_the_length(ours: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece is asked for when the one before has been handed over, and no step of the work sees more than a piece."""
    seen: list[int] = []
    grow = ours.decoder.grow
    monkeypatch.setattr(ours.decoder, "grow", lambda x: (seen.append(x.shape[1]), grow(x))[1])
    pieces = ours.decode_pieces(drawn_codes(ours, 1, 300), 10)
    assert next(pieces).shape[-1] == 10 * 640
    assert len(seen) == 1
    assert sum(piece.shape[-1] for piece in pieces) == 290 * 640
    assert max(seen) <= 10 + 2 * ours.decoder.reach()


def test_the_rows_of_a_batch_do_not_hear_each_other(exact: Codec) -> None:
    codes = drawn_codes(exact, 3, 9)
    for row, sound in zip(codes, exact.decode(codes), strict=True):
        torch.testing.assert_close(exact.decode(row[None])[0], sound, rtol=0, atol=1e-11)


@pytest.mark.parametrize("lengths", [[3], [1, 1, 1, 1], [5, 5, 2], [2, 9, 1, 1], []])
@pytest.mark.parametrize("around", [0, 1, 4, 20])
def test_pieces_in_context(lengths: list[int], around: int) -> None:
    whole = torch.arange(float(sum(lengths)))[None, :, None]

    def pieces() -> Iterator[Tensor]:
        yield from whole.split(lengths, dim=1) if lengths else ()

    begin = 0
    windows = list(in_context(pieces(), around))
    assert [window.end - window.begin for window in windows] == lengths
    for window in windows:
        end = begin + window.end - window.begin
        assert torch.equal(window.x, whole[:, max(0, begin - around) : end + around])
        assert torch.equal(window.x[:, window.begin : window.end], whole[:, begin:end])
        begin = end


# --- stereo -------------------------------------------------------------------------------------------------------------


def test_stereo_is_two_channels_in_turns(ours: Codec) -> None:
    stereo = Codec(STEREO).eval().requires_grad_(False)
    stereo.load_state_dict(ours.state_dict())
    codes = drawn_codes(stereo, 2, 12)
    both = torch.cat([ours.decode(codes[:, side::2]) for side in (0, 1)], dim=1)
    torch.testing.assert_close(stereo.decode(codes), both, rtol=0, atol=1e-6)
    audio = noise(stereo, 2, 5000)
    found = stereo.encode(audio)
    for side in (0, 1):
        assert torch.equal(found[:, side::2], ours.encode(audio[:, side : side + 1]))
    assert not torch.equal(found[:, ::2], found[:, 1::2])


# --- what it promises ---------------------------------------------------------------------------------------------------


def test_the_published_codec() -> None:
    codec = frame(Codec, CodecConfig())
    assert (codec.sample_rate, codec.frame_rate, codec.hop_samples) == (32000, 50, 640)
    assert (codec.codebooks, codec.channels) == (4, 1)


def test_it_can_be_trained(ours: Codec) -> None:
    codec = Codec(SMALL)
    codec.load_state_dict(ours.state_dict())
    codec.decode(drawn_codes(codec, 1, 5), 2).square().mean().backward()
    without = {name for name, weight in codec.named_parameters() if weight.grad is None}
    assert without == {name for name, _ in codec.named_parameters() if name.startswith("encoder.")}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("channels", 3),
        ("codebooks", 0),
        ("rates", (8, 1)),
        ("rates", ()),
        ("kernel", 6),
        ("residual_kernel", 2),
        ("last_kernel", 4),
        ("filters", 7),
        ("sample_rate", 32001),
    ],
)
def test_what_cannot_be_built_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        replace(CodecConfig(), **{field: value})


def test_left_and_right_have_as_many_codebooks() -> None:
    with pytest.raises(ValueError, match="codebooks is 5"):
        CodecConfig(channels=2, codebooks=5)
