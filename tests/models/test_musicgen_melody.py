"""MusicGen's melody models on the shared decoder and loop: token for token what transformers makes of the same weights."""

from typing import Any

import pytest
import torch
from models.musicgen_beside import FRAMES, PROMPTS, Both, both_in, padded, their_codes
from tiny_musicgen import CARDINALITY, MELODY_FRAMES, tiny_musicgen
from torch import Tensor
from torch.nn import functional

from reelscore.checkpoints.musicgen import open_musicgen
from reelscore.models.choosing import Sampling
from reelscore.models.codebooks import to_frames, to_steps
from reelscore.models.continuing import generate
from reelscore.models.eight_bits import in_eight_bits
from reelscore.models.packing import packed

MELODIES = {"none": 0, "short": 5, "whole": MELODY_FRAMES, "long": 40}


@pytest.fixture(scope="module", params=["mono", "stereo"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    return both_in(tmp_path_factory.mktemp("melody"), stereo=request.param == "stereo", melody=True)


def melodies(frames: int) -> Tensor | None:
    """A melody for each prompt, (prompts, frames, 12)."""
    drawn = torch.Generator().manual_seed(frames)
    notes = torch.randint(12, (len(PROMPTS), frames), generator=drawn)
    return functional.one_hot(notes, 12).float() if frames else None


def conditions(both: Both, melody: Tensor | None) -> list[Tensor]:
    model, words = both.ours.model, both.ours.tokenizer
    each = [None] * len(PROMPTS) if melody is None else list(melody)
    return [model.condition(words(prompt), notes) for prompt, notes in zip(PROMPTS, each, strict=True)]


def our_codes(both: Both, guidance: float, melody: Tensor | None, prompt: Tensor | None = None) -> Tensor:
    return generate(
        both.ours.model.decoder,
        conditions(both, melody),
        both.ours.model.null(),
        length=FRAMES,
        generators=[torch.Generator().manual_seed(take) for take in range(len(PROMPTS))],
        prompt=prompt,
        sampling=Sampling(temperature=0.0, guidance_scale=guidance),
    )


def likeliest_without_cache(both: Both, codes: Tensor, guidance: float, melody: Tensor | None) -> Tensor:
    """What transformers finds likeliest after all that comes before each code, everything computed at once."""
    theirs, read = both.theirs, padded()
    delays = both.ours.model.config.decoder.delays
    steps = to_steps(codes, delays, CARDINALITY)
    words = theirs.enc_to_dec_proj(theirs.text_encoder(**read).last_hidden_state) * read.attention_mask[..., None]
    silence = functional.one_hot(torch.zeros(len(PROMPTS), MELODY_FRAMES, dtype=torch.long), 12).float()
    heard = silence if melody is None else melody.repeat(1, MELODY_FRAMES, 1)[:, :MELODY_FRAMES]
    told, untold = (
        torch.cat([theirs.audio_enc_to_dec_proj(notes), text], dim=1)
        for notes, text in ((heard, words), (silence, torch.zeros_like(words)))
    )
    logits = theirs.decoder(
        input_ids=steps.repeat(2, 1, 1).flatten(0, 1), encoder_hidden_states=torch.cat((told, untold)), use_cache=False
    ).logits[:, told.shape[1] :]
    guided, null = logits.chunk(2)
    found = (null + guidance * (guided - null)).argmax(-1).view(steps.shape)
    # What is said at a step is about the next one.
    return to_frames(torch.cat((steps[..., :1], found[..., :-1]), dim=-1), delays)


# --- token for token ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", MELODIES.values(), ids=MELODIES.keys())
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_greedy_codes_are_those_of_transformers(
    both: Both, monkeypatch: pytest.MonkeyPatch, guidance: float, frames: int
) -> None:
    melody = melodies(frames)
    wanted, _ = their_codes(both, monkeypatch, FRAMES, input_features=melody, guidance_scale=guidance)
    # They have left the melody out before: the codes must be those that are likeliest without a cache, with it.
    assert torch.equal(likeliest_without_cache(both, wanted, guidance, melody), wanted)
    codes = our_codes(both, guidance, melody)
    assert torch.equal(codes, wanted)
    # Nothing of this is trivial: prompts differ, and so do codes.
    assert not torch.equal(codes[0], codes[1])
    assert len(codes.unique()) > CARDINALITY // 3


def test_a_melody_makes_a_difference(both: Both) -> None:
    without, short, whole = (our_codes(both, 3.0, melodies(frames)) for frames in (0, 5, MELODY_FRAMES))
    for one, other in ((without, short), (without, whole), (short, whole)):
        assert not torch.equal(one, other)


def test_music_is_continued_as_transformers_does(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    config, melody = both.ours.model.config.decoder, melodies(9)
    drawn = torch.Generator().manual_seed(6)
    prompt = torch.randint(CARDINALITY, (len(PROMPTS), config.codebooks, 7), generator=drawn)
    wanted, _ = their_codes(
        both,
        monkeypatch,
        FRAMES - 7,
        input_features=melody,
        guidance_scale=3.0,
        decoder_input_ids=prompt.flatten(0, 1),
    )
    codes = our_codes(both, 3.0, melody, prompt)
    assert torch.equal(codes[..., :7], prompt)
    assert torch.equal(codes, wanted)


def test_drawn_codes_are_those_of_transformers(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    melody = melodies(9)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        wanted, _ = their_codes(
            both, monkeypatch, FRAMES, input_features=melody, guidance_scale=3.0, do_sample=True, top_k=20
        )
    codes = generate(
        both.ours.model.decoder,
        conditions(both, melody),
        both.ours.model.null(),
        length=FRAMES,
        generators=[torch.Generator().manual_seed(5)] * len(PROMPTS),
        sampling=Sampling(top_k=20),
    )
    assert torch.equal(codes, wanted)


# --- the ways through ---------------------------------------------------------------------------------------------------


def test_takes_of_one_prompt_share_its_condition(both: Both) -> None:
    """Each as alone, and as if each had been given a condition of its own."""
    model, condition = both.ours.model, conditions(both, melodies(9))[1]
    seeds = (4, 5, 6)

    def made(given: Tensor | list[Tensor], *numbers: int) -> Tensor:
        generators = [torch.Generator().manual_seed(number) for number in numbers]
        return generate(model.decoder, given, model.null(), length=12, generators=generators)

    together = made(condition, *seeds)
    assert torch.equal(made([condition] * 3, *seeds), together)
    for row, seed in enumerate(seeds):
        assert torch.equal(made(condition, seed), together[[row]])
    assert not torch.equal(together[0], together[1])


def test_words_may_say_what_is_not_wanted(both: Both) -> None:
    """A null condition of other words, shorter and longer than those of the condition."""
    model, words = both.ours.model, both.ours.tokenizer
    greedy = Sampling(temperature=0.0)
    made = [
        generate(
            model.decoder,
            model.condition(words("calm piano"), torch.eye(12)),
            null,
            length=12,
            generators=[torch.Generator()],
            sampling=greedy,
        )
        for null in (model.null(), model.condition(words("")), model.condition(words("epic orchestral drums, fast")))
    ]
    assert not torch.equal(made[0], made[2]) and not torch.equal(made[1], made[2])


@pytest.mark.parametrize("prepare", [packed, in_eight_bits])
def test_prepared_for_a_cpu(tmp_path_factory: pytest.TempPathFactory, prepare: Any) -> None:
    folder = tiny_musicgen(tmp_path_factory.mktemp("prepared"), melody=True)
    opened = open_musicgen(folder)
    read = [opened.model.condition(opened.tokenizer(prompt), torch.eye(12)) for prompt in PROMPTS[:2]]

    def made() -> Tensor:
        generators = [torch.Generator().manual_seed(take) for take in (1, 2)]
        return generate(opened.model.decoder, read, opened.model.null(), length=40, generators=generators)

    plain = made()
    prepare(opened.model.decoder)
    alike = (made() == plain).float().mean()
    assert alike == 1 if prepare is packed else alike > 0.5


# --- what the decoder is told -------------------------------------------------------------------------------------------


def test_a_melody_and_words_stand_before_the_music(both: Both) -> None:
    model, ids = both.ours.model, both.ours.tokenizer("calm piano")
    notes = torch.eye(12)[[4, 0, 7]]
    told = model.condition(ids, notes)
    assert told.shape == (MELODY_FRAMES + len(ids), model.config.decoder.dim)
    torch.testing.assert_close(told[MELODY_FRAMES:], model.read_text(ids))
    projected = both.theirs.audio_enc_to_dec_proj(notes)
    for frame in range(MELODY_FRAMES):
        torch.testing.assert_close(told[frame], projected[frame % 3])
    torch.testing.assert_close(model.condition(ids, notes[:2].repeat(20, 1)), model.condition(ids, notes[:2]))


def test_without_a_melody_it_is_c_all_along(both: Both) -> None:
    model, ids = both.ours.model, both.ours.tokenizer("calm piano")
    without = model.condition(ids)
    torch.testing.assert_close(without, model.condition(ids, torch.eye(12)[[0]]))
    torch.testing.assert_close(model.null(), without[:MELODY_FRAMES])


@pytest.mark.parametrize("shape", [(0, 12), (5, 11), (12,), (1, 5, 12)], ids=str)
def test_chroma_of_another_shape(both: Both, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"chroma is \(frames, 12\)"):
        both.ours.model.condition(torch.tensor([1]), torch.zeros(shape))


def test_other_models_follow_no_melody(tmp_path_factory: pytest.TempPathFactory) -> None:
    model = open_musicgen(tiny_musicgen(tmp_path_factory.mktemp("words"))).model
    with pytest.raises(ValueError, match="follows no melody"):
        model.condition(torch.tensor([1]), torch.eye(12))
    ids = torch.tensor([5, 1])
    assert torch.equal(model.condition(ids), model.read_text(ids))
