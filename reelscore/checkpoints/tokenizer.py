"""From words to the token ids of the text tower: RoBERTa's byte-level pairs, always 77 of them.

Gives exactly what transformers' RobertaTokenizer gives with `padding="max_length", truncation=True`. Made from the files
of roberta-base: `tokenizer.json`, or `vocab.json` with `merges.txt`; or from the JSON in the header of our own form.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE
from torch import Tensor

from reelscore.checkpoints.reading import read_json
from reelscore.errors import InputError
from reelscore.models.conditioning import TextTowerConfig

_BEGIN, _PAD, _END, _UNKNOWN, _MASK = "<s>", "<pad>", "</s>", "<unk>", "<mask>"


class PromptTokenizer:
    """Words in, ids and mask of one fixed length out."""

    def __init__(self, tokenizer: Tokenizer, config: TextTowerConfig) -> None:
        self.prompt_tokens = config.prompt_tokens
        self._tokenizer = tokenizer
        tokenizer.enable_truncation(config.prompt_tokens)
        tokenizer.enable_padding(length=config.prompt_tokens, pad_id=config.padding_id, pad_token=_PAD)

    def __call__(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Ids and mask (b, prompt_tokens), int64; the mask is 1 where there are words and 0 where there is padding.

        What does not fit is cut off at the end; nothing is put into lower case.
        """
        read = self._tokenizer.encode_batch([sendable(prompt) for prompt in prompts])
        ids = torch.tensor([one.ids for one in read], dtype=torch.int64)
        mask = torch.tensor([one.attention_mask for one in read], dtype=torch.int64)
        return ids.reshape(-1, self.prompt_tokens), mask.reshape(-1, self.prompt_tokens)

    def length(self, prompt: str) -> int:
        """How many tokens the whole prompt has, its two ends counted; more than `prompt_tokens` are cut off."""
        encoded = self._tokenizer.encode(sendable(prompt))
        return sum(encoded.attention_mask) + sum(sum(rest.attention_mask) - 2 for rest in encoded.overflowing)

    def to_json(self) -> str:
        """The whole tokenizer as one JSON document, from which `tokenizer_from_json` makes it again."""
        return self._tokenizer.to_str()


def open_tokenizer(path: Path, config: TextTowerConfig) -> PromptTokenizer:
    """The tokenizer in a folder, in a tokenizer.json, or in a vocab.json beside its merges.txt.

    Raises InputError where it cannot be read, or does not belong to a text tower of that configuration.
    """
    if path.is_dir():
        path = next((path / name for name in ("tokenizer.json", "vocab.json") if (path / name).is_file()), path)
    if not path.is_file():
        raise InputError(
            f"There is no tokenizer in {path}; it needs tokenizer.json, or vocab.json and merges.txt, of roberta-base."
        )
    if path.name in ("vocab.json", "merges.txt"):
        return _checked(_of_vocabulary(path.parent), path.parent, config)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as problem:
        raise InputError(f"Cannot read the tokenizer {path}: {problem}; download it again.") from problem
    return tokenizer_from_json(text, path, config)


def tokenizer_from_json(text: str, path: Path, config: TextTowerConfig) -> PromptTokenizer:
    """The tokenizer of a JSON document; `path` is named in messages. Raises InputError where it does not fit."""
    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as problem:  # the reader of tokenizers raises nothing more precise
        raise InputError(f"{path} holds no tokenizer that can be read ({problem}); download it again.") from problem
    return _checked(tokenizer, path, config)


def _of_vocabulary(folder: Path) -> Tokenizer:
    vocabulary = read_json(folder / "vocab.json")
    if not isinstance(vocabulary, dict) or not all(type(place) is int for place in vocabulary.values()):
        raise InputError(f"{folder / 'vocab.json'} is no vocabulary: it must lead from words to numbers.")
    absent = [token for token in (_BEGIN, _PAD, _END, _UNKNOWN) if token not in vocabulary]
    if absent:
        raise InputError(f"{folder / 'vocab.json'} has no {absent[0]}; give the vocabulary of roberta-base.")
    try:
        lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as problem:
        raise InputError(f"Cannot read {folder / 'merges.txt'}: {problem}; it belongs to vocab.json.") from problem
    split = [line.partition(" ") for line in lines if line.strip() and not line.startswith("#version")]
    pairs = [(left, right) for left, _, right in split]
    if any(not right or " " in right for _, right in pairs):
        raise InputError(f"{folder / 'merges.txt'} is damaged: every line must hold two pieces; download it again.")
    try:
        tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=pairs))
    except Exception as problem:  # the reader of tokenizers raises nothing more precise
        raise InputError(f"vocab.json and merges.txt in {folder} do not belong together ({problem}).") from problem
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(
        (_END, vocabulary[_END]), (_BEGIN, vocabulary[_BEGIN]), trim_offsets=True, add_prefix_space=False
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=True) for token in (_BEGIN, _END, _UNKNOWN, _PAD)])
    # The mask takes the space before it, as it does where RoBERTa was trained.
    tokenizer.add_special_tokens([AddedToken(_MASK, lstrip=True, normalized=True)])
    return tokenizer


def _checked(tokenizer: Tokenizer, path: Path, config: TextTowerConfig) -> PromptTokenizer:
    """Refuses a tokenizer whose ids the text tower would not understand."""
    if tokenizer.token_to_id(_PAD) != config.padding_id:
        found = tokenizer.token_to_id(_PAD)
        raise InputError(
            f"The tokenizer {path} has {_PAD} at {found} and the text tower expects it at {config.padding_id}; "
            "give the tokenizer of roberta-base."
        )
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    if max(vocabulary.values()) >= config.vocab_size:
        raise InputError(
            f"The tokenizer {path} knows {max(vocabulary.values()) + 1} tokens and the text tower {config.vocab_size}; "
            "give the tokenizer of roberta-base."
        )
    checked = PromptTokenizer(tokenizer, config)
    ids = checked([""])[0][0]
    if [tokenizer.id_to_token(int(ids[0])), tokenizer.id_to_token(int(ids[1]))] != [_BEGIN, _END]:
        raise InputError(f"The tokenizer {path} does not put {_BEGIN} and {_END} around words, as roberta-base does.")
    return checked


def sendable(prompt: str) -> str:
    """Half characters (lone surrogates) cannot be encoded; each becomes a question mark."""
    return prompt.encode("utf-8", "replace").decode("utf-8")
