"""Models of pictures and words, and of sentences, small enough to be made in a test: random weights, true architectures,
true tokenizers. Each is written to a folder laid out as on the Hugging Face Hub.
"""

import json
import re
from pathlib import Path

import torch
from tiny_captioner import SENTENCES
from tokenizers import pre_tokenizers

WORDS = (*SENTENCES, "calm slow piano and soft strings for a sunset", "driving drums, bass and brass in a minor key")
KNOWN = sorted(set(re.findall("[a-z]+", " ".join(WORDS).lower())))
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ENDS = ("<|startoftext|>", "<|endoftext|>")


def tiny_clip(folder: Path, *, side: int = 32, seed: int = 0, as_first_published: bool = False) -> Path:
    """A CLIP of two layers a side that sees squares of `side` pixels and reads 77 tokens; vectors of 24 numbers.

    `as_first_published` writes its configuration as that of OpenAI's folders is: a wrong number of the last token, and an
    older way to say how pictures are prepared.
    """
    from transformers import CLIPConfig, CLIPModel

    tokenizer = _clip_tokenizer(folder)
    small = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    begin, end = (0, 2) if as_first_published else tokenizer.convert_tokens_to_ids(list(_ENDS))
    config = CLIPConfig(
        text_config={**small, "vocab_size": len(tokenizer), "bos_token_id": begin, "eos_token_id": end},
        vision_config={**small, "image_size": side, "patch_size": 8},
        projection_dim=24,
    )
    settings: dict[str, object] = {
        "image_processor_type": "CLIPImageProcessor",
        "size": {"shortest_edge": side},
        "crop_size": {"height": side, "width": side},
    }
    if as_first_published:
        settings = {"feature_extractor_type": "CLIPFeatureExtractor", "size": side, "crop_size": side, "resample": 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return _saved(CLIPModel, config, folder, seed)


def tiny_siglip(folder: Path, *, seed: int = 0) -> Path:
    """A SigLIP of two layers a side that sees squares of 32 pixels and reads 16 tokens; vectors of 32 numbers."""
    from transformers import SiglipConfig, SiglipModel

    tokenizer = _sentence_tokenizer(folder, lower=False)
    small = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = SiglipConfig(
        text_config={
            **small,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 16,
            "projection_size": 32,
            "bos_token_id": None,
            "eos_token_id": None,
        },
        vision_config={**small, "image_size": 32, "patch_size": 8},
    )
    settings = {"image_processor_type": "SiglipImageProcessor", "size": {"height": 32, "width": 32}}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return _saved(SiglipModel, config, folder, seed)


def tiny_sentences(
    folder: Path,
    *,
    pooling: str = "mean",
    normalised: bool = True,
    longest: int = 24,
    cased: bool = False,
    seed: int = 0,
) -> Path:
    """A BERT of two layers in the layout of sentence-transformers, with vectors of 32 numbers.

    `pooling` is named as by sentence-transformers: cls, max, mean, mean_sqrt_len, lasttoken, weightedmean. The tokenizer of a
    `cased` one knows great letters, and its folder says that it is to be given small ones.
    """
    from transformers import BertConfig, BertModel

    tokenizer = _sentence_tokenizer(folder, lower=not cased)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
    )
    steps = [("Transformer", ""), ("Pooling", "1_Pooling"), *([("Normalize", "2_Normalize")] if normalised else [])]
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, path) in enumerate(steps)
    ]
    flags = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")
    stated: dict[str, object] = {
        f"pooling_mode_{flag}": flag in (pooling, f"{pooling}_token", f"{pooling}_tokens") for flag in flags
    }
    (folder / "1_Pooling").mkdir(parents=True)
    written = {
        "modules.json": modules,
        "1_Pooling/config.json": {"word_embedding_dimension": 32, **stated},
        "sentence_bert_config.json": {"max_seq_length": longest, "do_lower_case": cased},
    }
    for name, content in written.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return _saved(BertModel, config, folder, seed)


def _clip_tokenizer(folder: Path):
    """Byte pairs that put the words of a few sentences together from left to right, the last piece of a word marked."""
    from transformers import CLIPTokenizer

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = dict.fromkeys([*alphabet, *(letter + "</w>" for letter in alphabet)])
    merges: dict[tuple[str, str], None] = {}
    for word in KNOWN:
        letters = [*word[:-1], word[-1] + "</w>"]
        for count in range(1, len(letters)):
            merges["".join(letters[:count]), letters[count]] = None
            pieces["".join(letters[: count + 1])] = None
    vocabulary = {piece: number for number, piece in enumerate([*pieces, *_ENDS])}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=list(merges), model_max_length=77)
    tokenizer.save_pretrained(folder)
    return tokenizer


def _sentence_tokenizer(folder: Path, *, lower: bool = True):
    """Whole words of a few sentences, and letters for all others; `lower` makes all letters small."""
    from transformers import BertTokenizer

    letters = [chr(letter) for letter in range(33, 127)]
    pieces = dict.fromkeys([*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *KNOWN])
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = BertTokenizer(vocab=vocabulary, model_max_length=64, do_lower_case=lower)
    # Published ones keep how their makers last filled up and cut off; whoever loads them must not do so unasked.
    tokenizer.backend_tokenizer.enable_truncation(10)
    tokenizer.backend_tokenizer.enable_padding(length=10)
    tokenizer.save_pretrained(folder)
    return tokenizer


def _saved(kind, config, folder: Path, seed: int) -> Path:
    torch.manual_seed(seed)
    kind(config).eval().save_pretrained(folder)
    return folder
