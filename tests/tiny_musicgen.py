"""A whole MusicGen made on the spot, as transformers saves it: few channels, seeded random weights, a real tokenizer.

    tiny_musicgen(folder)           config.json, model.safetensors, tokenizer.json, generation_config.json; some 3 MB
    made(stereo=…, melody=…)        the same model as transformers runs it; with a melody, of its other kind

Nothing is fetched, and nothing it plays is music. The codec has 32 kHz and 50 frames a second, as published; codebooks are
short, so that steps are quick. Its sound is audible and does not clip.
"""

import string
from pathlib import Path

import torch
from tiny_vidmuse import ENCODEC, SOUND_LEVEL
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing
from transformers import (
    GenerationConfig,
    MusicgenConfig,
    MusicgenDecoderConfig,
    MusicgenForConditionalGeneration,
    MusicgenMelodyConfig,
    MusicgenMelodyDecoderConfig,
    MusicgenMelodyForConditionalGeneration,
    PreTrainedTokenizerFast,
    T5Config,
)

CARDINALITY = ENCODEC.codebook_size
MELODY_FRAMES = 23
"""Of chroma; a tenth of those of the published models."""
Made = MusicgenForConditionalGeneration | MusicgenMelodyForConditionalGeneration

_WORDS = (
    "piano strings drums bass guitar violin synth pads choir jazz rock ambient cinematic orchestral techno folk calm happy "
    "sad tense epic dark bright slow fast driving warm gentle 80s pop track with bassy drums and synth, music for a film"
)


def tiny_musicgen(
    folder: Path, *, stereo: bool = False, melody: bool = False, seed: int = 0, largest_part: str = "5GB"
) -> Path:
    """The folder of one model, in several parts where they would become larger than so much; the same seed, the same weights."""
    made(stereo=stereo, melody=melody, seed=seed).save_pretrained(folder, max_shard_size=largest_part)
    tokenizer().save_pretrained(folder)
    return folder


def made(*, stereo: bool = False, melody: bool = False, seed: int = 0) -> Made:
    """The model in transformers."""
    sizes = config(stereo=stereo, melody=melody)
    kind = MusicgenMelodyForConditionalGeneration if melody else MusicgenForConditionalGeneration
    model = kind(sizes).eval().requires_grad_(False)
    drawn = torch.Generator().manual_seed(seed)
    for name, weight in (*model.named_parameters(), *model.named_buffers()):
        if weight.is_floating_point() and not name.endswith(("inited", "cluster_size", "embed_positions.weights")):
            weight.copy_(_weight(name, torch.randn(weight.shape, generator=drawn)))
    _make_audible(model, drawn)
    special = CARDINALITY
    model.generation_config = GenerationConfig(
        bos_token_id=special, decoder_start_token_id=special, pad_token_id=special, guidance_scale=3.0, max_length=1500
    )
    return model


def config(*, stereo: bool = False, melody: bool = False) -> MusicgenConfig | MusicgenMelodyConfig:
    """The published configuration in small; the text is narrower than the decoder, as it is there."""
    parts = {
        "text_encoder": T5Config(vocab_size=100, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4),
        "audio_encoder": ENCODEC,
        "decoder": (MusicgenMelodyDecoderConfig if melody else MusicgenDecoderConfig)(
            vocab_size=CARDINALITY,
            hidden_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            ffn_dim=96,
            num_codebooks=8 if stereo else 4,
            audio_channels=2 if stereo else 1,
            pad_token_id=CARDINALITY,
            bos_token_id=CARDINALITY,
        ),
    }
    return MusicgenMelodyConfig(**parts, chroma_length=MELODY_FRAMES) if melody else MusicgenConfig(**parts)


def tokenizer() -> PreTrainedTokenizerFast:
    """Pieces of words in the manner of T5's (unigrams): words that are known stay whole, others become letters.

    Every prompt ends with </s>.
    """
    words = sorted({f"▁{word}" for word in _WORDS.split()})
    letters = ["▁", *string.ascii_lowercase, *string.digits, ","]
    specials = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0)]
    made = Tokenizer(Unigram([*specials, *((piece, -5.0) for piece in (*words, *letters))], unk_id=2))
    made.pre_tokenizer = Metaspace()
    made.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")


def _weight(name: str, noise: torch.Tensor) -> torch.Tensor:
    """Random weights that keep the size of what goes through them."""
    leaf = name.rpartition(".")[2]
    if leaf == "original0":  # the magnitudes of weight norm
        return 1 + 0.1 * noise.abs()
    if leaf in ("embed", "embed_avg") or "embed_tokens" in name or "shared" in name:
        return noise
    if "relative_attention_bias" in name:
        return 0.5 * noise
    if noise.ndim >= 2:
        return noise / noise[0].numel() ** 0.5
    return 1 + 0.1 * noise if leaf == "weight" else 0.05 * noise


def _make_audible(model: Made, drawn: torch.Generator) -> None:
    """Scales the codec's last convolution so that codes drawn at random sound at one level."""
    codec = model.audio_encoder
    codes = torch.randint(CARDINALITY, (1, 1, codec.config.num_quantizers, 100), generator=drawn)
    last = codec.decoder.layers[-1].conv
    last.bias.zero_()
    level = codec.decode(codes, [None])[0].square().mean().sqrt()
    last.parametrizations.weight.original0.mul_(SOUND_LEVEL / level)
