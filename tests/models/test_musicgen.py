"""MusicGen on the shared decoder, loop and codec: token for token what transformers makes of the same weights."""

import pytest
import torch
from models.musicgen_beside import FRAMES, PROMPTS, Both, both_in, padded, their_codes
from tiny_musicgen import CARDINALITY
from torch import Tensor

from reelscore.models.choosing import Sampling
from reelscore.models.codebooks import to_frames, to_steps
from reelscore.models.continuing import generate
from reelscore.models.musicgen import MusicGenConfig, TextEncoderConfig, delays_of
from reelscore.models.token_decoder import TokenDecoderConfig


@pytest.fixture(scope="module", params=["mono", "stereo"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    return both_in(tmp_path_factory.mktemp("musicgen"), stereo=request.param == "stereo")


def our_codes(both: Both, frames: int, guidance: float, prompt: Tensor | None = None) -> Tensor:
    model, words = both.ours.model, both.ours.tokenizer
    return generate(
        model.decoder,
        [model.read_text(words(prompt)) for prompt in PROMPTS],
        model.null(),
        length=frames,
        generators=[torch.Generator().manual_seed(take) for take in range(len(PROMPTS))],
        prompt=prompt,
        sampling=Sampling(temperature=0.0, guidance_scale=guidance),
    )


def likeliest_without_cache(both: Both, codes: Tensor, guidance: float) -> Tensor:
    """What transformers finds likeliest after all that comes before each code, everything computed at once."""
    theirs, read = both.theirs, padded()
    delays = both.ours.model.config.decoder.delays
    steps = to_steps(codes, delays, CARDINALITY)
    hidden = theirs.enc_to_dec_proj(theirs.text_encoder(**read).last_hidden_state) * read.attention_mask[..., None]
    logits = theirs.decoder(
        input_ids=steps.repeat(2, 1, 1).flatten(0, 1),
        encoder_hidden_states=torch.cat((hidden, torch.zeros_like(hidden))),
        encoder_attention_mask=torch.cat((read.attention_mask, torch.zeros_like(read.attention_mask))),
        use_cache=False,
    ).logits
    told, untold = logits.chunk(2)
    found = (untold + guidance * (told - untold)).argmax(-1).view(steps.shape)
    # What is said at a step is about the next one.
    return to_frames(torch.cat((steps[..., :1], found[..., :-1]), dim=-1), delays)


# --- token for token ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_greedy_codes_are_those_of_transformers(both: Both, monkeypatch: pytest.MonkeyPatch, guidance: float) -> None:
    wanted, sound = their_codes(both, monkeypatch, FRAMES, guidance_scale=guidance)
    assert wanted.shape[-1] == FRAMES
    # Their caches have been wrong before: the codes must be those that are likeliest without one.
    assert torch.equal(likeliest_without_cache(both, wanted, guidance), wanted)
    codes = our_codes(both, FRAMES, guidance)
    assert torch.equal(codes, wanted)
    torch.testing.assert_close(both.ours.model.codec.decode(codes), sound, rtol=0, atol=1e-5)
    # Nothing of this is trivial: prompts differ, and so do codes.
    assert not torch.equal(codes[0], codes[1])
    assert len(codes.unique()) > CARDINALITY // 3


def test_guidance_makes_a_difference(both: Both) -> None:
    assert not torch.equal(our_codes(both, 8, 1.0), our_codes(both, 8, 3.0))


def test_music_is_continued_as_transformers_does(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    config = both.ours.model.config.decoder
    drawn = torch.Generator().manual_seed(6)
    prompt = torch.randint(CARDINALITY, (len(PROMPTS), config.codebooks, 7), generator=drawn)
    wanted, _ = their_codes(both, monkeypatch, FRAMES - 7, guidance_scale=3.0, decoder_input_ids=prompt.flatten(0, 1))
    codes = our_codes(both, FRAMES, 3.0, prompt)
    assert torch.equal(codes[..., :7], prompt)
    assert torch.equal(codes, wanted)


def test_drawn_codes_are_those_of_transformers(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    model, words = both.ours.model, both.ours.tokenizer
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        wanted, _ = their_codes(both, monkeypatch, FRAMES, guidance_scale=3.0, do_sample=True, top_k=20)
    codes = generate(
        model.decoder,
        [model.condition(words(prompt)) for prompt in PROMPTS],
        model.null(),
        length=FRAMES,
        generators=[torch.Generator().manual_seed(5)] * len(PROMPTS),
        sampling=Sampling(top_k=20),
    )
    assert torch.equal(codes, wanted)


# --- words --------------------------------------------------------------------------------------------------------------


def test_words_are_read_as_in_a_padded_batch(both: Both) -> None:
    """transformers takes padding for silence and hides it besides; here there is none, which is the same."""
    read = padded()
    hidden = both.theirs.enc_to_dec_proj(both.theirs.text_encoder(**read).last_hidden_state)
    for prompt, row, mask in zip(PROMPTS, hidden, read.attention_mask, strict=True):
        tokens = both.ours.model.read_text(both.ours.tokenizer(prompt))
        torch.testing.assert_close(tokens, row[mask.bool()], rtol=0, atol=1e-5)


def test_nothing_is_told_by_zeros(both: Both) -> None:
    null = both.ours.model.null()
    assert null.shape == (1, both.ours.model.config.decoder.dim)
    assert not null.any()


# --- sizes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codebooks", "channels", "delays"), [(4, 1, (0, 1, 2, 3)), (8, 2, (0, 0, 1, 1, 2, 2, 3, 3)), (1, 1, (0,))]
)
def test_codebooks_come_late(codebooks: int, channels: int, delays: tuple[int, ...]) -> None:
    assert delays_of(codebooks, channels) == delays


def test_decoder_and_codec_speak_one_language() -> None:
    with pytest.raises(ValueError, match=r"decoder\.codebooks is 8 and codec\.codebooks 4"):
        MusicGenConfig(decoder=TokenDecoderConfig(codebooks=8, delays=delays_of(8, 2)))
    with pytest.raises(ValueError, match=r"decoder\.cardinality is 64 and codec\.cardinality 2048"):
        MusicGenConfig(decoder=TokenDecoderConfig(cardinality=64))


@pytest.mark.parametrize(("distances", "most_distance"), [(3, 128), (32, 8)])
def test_distances_that_cannot_be_told_apart(distances: int, most_distance: int) -> None:
    with pytest.raises(ValueError, match="cannot be told apart"):
        TextEncoderConfig(distances=distances, most_distance=most_distance)
