"""MusicGen's model from a folder in the form of transformers: `config.json`, weights in one part or several, `tokenizer.json`.

Mono and stereo, with melody or without. Strict: a key that is unknown, missing or of another shape is an InputError that names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from reelscore.checkpoints.encodec_names import codec_pieces
from reelscore.checkpoints.filling import filled, frame, shapes_in
from reelscore.checkpoints.hub import card_of_snapshot
from reelscore.checkpoints.musicgen_names import CODEC, config_from_published, is_looked_up, published_names, sources_in
from reelscore.checkpoints.own_form import ModelCard, SourceFile, card_of
from reelscore.checkpoints.pieces import Piece, pieces_of, refuse_misfits
from reelscore.checkpoints.reading import Stored, read_configuration, read_weights
from reelscore.errors import InputError
from reelscore.models.musicgen import MusicGen, MusicGenConfig

_EXACT = ("codec.", "text.", "project.", "project_melody.")
"""What stays float32 whatever the decoder's number format: it is small, or what is heard depends on it."""
_LICENCE = "not stated in the folder; the weights that Meta published are CC-BY-NC-4.0, non-commercial use only"


class TextTokenizer:
    """Words in, the ids that T5 knows out."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        tokenizer.no_padding()
        tokenizer.no_truncation()

    def __call__(self, prompt: str) -> Tensor:
        """The ids of a prompt, its end included, int64 (n,)."""
        # Half characters (lone surrogates) cannot be encoded; each becomes a question mark.
        sendable = prompt.encode("utf-8", "replace").decode("utf-8")
        return torch.tensor(self._tokenizer.encode(sendable).ids, dtype=torch.int64)


@dataclass(frozen=True)
class Opened:
    """A model that is ready to run: networks on their device, the tokenizer of its prompts, and its card."""

    model: MusicGen
    tokenizer: TextTokenizer
    card: ModelCard


def open_musicgen(folder: Path, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Opened:
    """The model in a folder; `dtype` is that of the decoder, the rest is float32. Raises InputError."""
    config = _configuration(folder)
    tokenizer = _tokenizer(folder / "tokenizer.json", config)
    # On a CPU the decoder's weights are rearranged later; what they were must leave memory then.
    stored = read_weights(folder, stays=is_looked_up)
    model = frame(MusicGen, config)
    pieces = fitting(stored, model)
    card = _card(folder, stored)
    return Opened(filled(model, pieces, device, dtype, _EXACT), tokenizer, card)


def fitting(stored: Stored, model: MusicGen) -> dict[str, Piece]:
    """The pieces of published weights by our names, strictly those of the model and what its codec encodes with."""
    given = pieces_of(stored, sources_in(stored.shapes))
    shapes = shapes_in(model)
    ours = {name: shape for name, shape in shapes.items() if not name.startswith("codec.")}
    refuse_misfits(stored.path, given, dict(_expected(ours)), str)
    codec = {f"codec.{name}": piece for name, piece in codec_pieces(stored, model.config.codec, CODEC).items()}
    joined = {name: _joined([given[published] for published in published_names(name)]) for name in ours}
    return joined | {name: piece for name, piece in codec.items() if name in shapes}


def _expected(ours: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The published names and shapes of tensors of ours."""
    for name, shape in ours.items():
        parts = published_names(name)
        yield from ((published, (shape[0] // len(parts), *shape[1:])) for published in parts)


def _joined(pieces: list[Piece]) -> Piece:
    """Pieces one below the other."""
    if len(pieces) == 1:
        return pieces[0]
    rows = sum(piece.shape[0] for piece in pieces)
    return Piece(pieces[0].called, (rows, *pieces[0].shape[1:]), partial(_read_all, pieces))


def _read_all(pieces: list[Piece]) -> Tensor:
    return torch.cat([piece.read() for piece in pieces])


def _card(folder: Path, stored: Stored) -> ModelCard:
    if known := card_of_snapshot(folder):
        return card_of(known.name, (), stored.files)
    files = tuple(SourceFile(file.name, file.stat().st_size) for file in stored.files)
    return ModelCard(source=folder.absolute().name, licence=_LICENCE, made_from=files)


def _configuration(folder: Path) -> MusicGenConfig:
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give the folder of a MusicGen model in the form of transformers.")
    return read_configuration(folder / "config.json", "MusicGen", config_from_published)


def _tokenizer(path: Path, config: MusicGenConfig) -> TextTokenizer:
    if not path.is_file():
        raise InputError(f"There is no tokenizer.json in {path.parent}; download the whole folder of the model.")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as problem:  # the reader of tokenizers raises nothing more precise
        raise InputError(f"{path} holds no tokenizer that can be read ({problem}); download it again.") from problem
    most = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)
    if most >= config.text.vocab_size:
        raise InputError(
            f"The tokenizer {path} knows {most + 1} tokens and the text encoder {config.text.vocab_size}; "
            "give files that belong together."
        )
    if not len(tokenizer.encode("").ids):
        raise InputError(f"The tokenizer {path} does not put an end to words, as T5's does; download it again.")
    return TextTokenizer(tokenizer)
