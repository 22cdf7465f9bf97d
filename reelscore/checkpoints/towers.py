"""Texts and pictures as vectors whose products say how alike they are: CLIP and SigLIP, and models of sentences.

All vectors are float32 (n, d) and of length 1. Nothing is left out unseen: a text that is longer than a model reads is cut
into parts at the ends of its sentences and stands for their mean; a picture that is not square is looked at in squares that
cover it from side to side, for the networks learnt on undistorted squares, and a square from its middle alone would lose
almost half of a film. Folders are read as data: weights as safetensors, no code of others, nothing fetched.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import ceil, inf
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from reelscore.checkpoints.catalogue import Kind
from reelscore.checkpoints.hub import locate_folder, quiet
from reelscore.checkpoints.manners import said_plainly
from reelscore.errors import InputError
from reelscore.hardware import Hardware, device_for, dtype_for, overflowed, require_neural
from reelscore.resident import resident

if TYPE_CHECKING:
    import torch

Vectors: TypeAlias = npt.NDArray[np.float32]
Pixels: TypeAlias = npt.NDArray[np.uint8]
Item = TypeVar("Item")
Opened = TypeVar("Opened", "PictureWords", "Sentences")

_WAY = 1  # counts the ways in which vectors were ever made here; what was kept of another is of no use
_TEXTS, _VIEWS = 32, 16  # in a batch
# How many squares cover a picture up to so many times as long as wide. A nearly square one is squeezed into one, which hardly
# shows; from 3:2 on one lies in the middle, where a film's subject often is and none may cut it in two; what is longer than
# five is squeezed into them.
_SQUARES_UP_TO = {1.1: 1, 1.5: 2, 3.0: 3, inf: 5}
_SENTENCE, _WORD = re.compile(r"(?<=[.!?;:])\s+|\n+|(?<=[。！？；])"), re.compile(r"\s+|(?<=[,、，])")
_FEWEST_TOKENS = 8  # of a text; a model that reads less of one is none
_PICTURES, _SENTENCES = "model of pictures and words", "model of sentences"


class PictureWords:
    """A model that sees pictures and reads words as vectors of one space; `key` tells its weights from all others."""

    def __init__(self, name: str, tower: _Tower, image_processor: Any) -> None:
        self.name, self.key = name, tower.key
        self._tower, self._image_processor = tower, image_processor

    def texts(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text, float32 (n, d)."""
        with said_plainly(self.name, _PICTURES), quiet():
            return self._tower.texts(texts)

    def pictures(self, pictures: Sequence[Pixels]) -> Vectors:
        """One unit vector a picture, float32 (n, d); pictures are uint8 (height, width, 3), RGB, each of any shape."""
        for picture in pictures:
            if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
                raise ValueError(f"no picture: {picture.dtype} {picture.shape}")
        seen = ((place, view) for place, picture in enumerate(pictures) for view in views(picture))
        with said_plainly(self.name, _PICTURES), quiet():
            return self._tower.means(len(pictures), self._encoded(seen))

    def _encoded(self, seen: Iterator[tuple[int, Pixels]]) -> Iterator[tuple[list[int], list[float], torch.Tensor]]:
        from PIL import Image

        tower = self._tower
        side = int(tower.model.config.vision_config.image_size)
        for batch in _batches(seen, _VIEWS):
            shown = [Image.fromarray(view) for _, view in batch]
            square = [view if view.width == view.height else view.resize((side, side)) for view in shown]
            pixels = self._image_processor(images=square, return_tensors="pt")["pixel_values"]
            found = tower.model.get_image_features(pixel_values=pixels.to(tower.device, tower.dtype)).pooler_output
            yield [place for place, _ in batch], [1.0] * len(batch), found


class Sentences:
    """A model that reads sentences as vectors; `key` tells its weights from all others."""

    def __init__(self, name: str, tower: _Tower) -> None:
        self.name, self.key = name, tower.key
        self._tower = tower

    def texts(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text, float32 (n, d)."""
        with said_plainly(self.name, _SENTENCES), quiet():
            return self._tower.texts(texts)


def open_clip(reference: str, hardware: Hardware = Hardware()) -> PictureWords:
    """A CLIP or SigLIP: a name of the catalogue, an id of the Hub that is in the cache, or a folder; loaded once in a process.

    Raises MissingError where it is not on this machine, and InputError where it cannot be used or does not fit in memory.
    """
    return _opened(reference, "pictures and words", hardware, _picture_words)


def open_sentences(reference: str, hardware: Hardware = Hardware()) -> Sentences:
    """A model of sentences in the layout of sentence-transformers, named and found as by `open_clip`; raises as it does."""
    return _opened(reference, "sentences", hardware, _sentences)


def views(picture: Pixels) -> list[Pixels]:
    """The squares that a picture is looked at in: together all of it, evenly spread along its longer side.

    A nearly square picture is one view as it is, and the views of a strip are strips: these are to be squeezed.
    """
    height, width = picture.shape[:2]
    longer, shorter = max(height, width), min(height, width)
    count = next(count for most, count in _SQUARES_UP_TO.items() if longer <= most * shorter)
    if count == 1:
        return [picture]
    length = max(shorter, ceil(longer / count))
    starts = [round(number * (longer - length) / (count - 1)) for number in range(count)]
    if width >= height:
        return [picture[:, start : start + length] for start in starts]
    return [picture[start : start + length] for start in starts]


@dataclass(frozen=True, eq=False)
class _Tower:
    """A loaded model, how it is given texts, and how vectors come out of it."""

    model: Any
    tokenizer: Any
    key: str
    hardware: Hardware
    device: torch.device
    dtype: torch.dtype
    longest: int
    """The most tokens of a text, those at its ends among them."""
    read: Callable[[Any], torch.Tensor]
    """The vectors (b, d), of any length, of a batch of tokens."""
    lower: bool
    """Whether it reads small letters only."""
    fills: bool
    """Whether all texts are filled up to the longest, as SigLIP learnt."""
    turn: Lock = field(default_factory=Lock)
    """One thread at a time, for tokenizers keep how they fill up and cut off as a state."""

    def texts(self, texts: Sequence[str]) -> Vectors:
        from reelscore.checkpoints.tokenizer import sendable

        wanted = [sendable(text.lower() if self.lower else text).strip() for text in texts]
        with self.turn:
            parts = [(place, part, tokens) for place, text in enumerate(wanted) for part, tokens in self._parts(text)]
            parts.sort(key=lambda part: part[2])  # texts of one length need no filling up
            return self.means(len(texts), self._encoded(iter(parts)))

    def means(self, count: int, encoded: Iterator[tuple[list[int], list[float], torch.Tensor]]) -> Vectors:
        """The unit vectors of `count` things from those of their parts: for each batch whose they are, their weights, and they."""
        import torch
        from torch.nn import functional

        sums: torch.Tensor | None = None
        with torch.inference_mode():
            for places, weights, found in encoded:
                unit = functional.normalize(found.float().cpu(), dim=1) * torch.tensor(weights)[:, None]
                if not bool(unit.isfinite().all()):
                    raise overflowed(self.hardware)
                sums = torch.zeros(count, unit.shape[1]) if sums is None else sums
                sums.index_add_(0, torch.tensor(places), unit)
            if sums is None:
                return np.zeros((0, self._width()), np.float32)
            return np.asarray(functional.normalize(sums, dim=1).numpy(), np.float32)

    def _width(self) -> int:
        config = self.model.config
        return int(getattr(config, "projection_dim", None) or config.get_text_config().hidden_size)

    def _parts(self, text: str) -> list[tuple[str, int]]:
        """The text, or parts of it that the model can read whole, in order, each with the number of its tokens."""
        tokens = len(self.tokenizer(text, add_special_tokens=True)["input_ids"])
        if tokens <= self.longest or len(text) < 2:
            return [(text, min(tokens, self.longest))]
        cut = seam(text)
        return [*self._parts(text[:cut].strip()), *self._parts(text[cut:].strip())]

    def _encoded(self, parts: Iterator[tuple[int, str, int]]) -> Iterator[tuple[list[int], list[float], torch.Tensor]]:
        for batch in _batches(parts, _TEXTS):
            tokens = self.tokenizer(
                [part for _, part, _ in batch],
                padding="max_length" if self.fills else True,
                truncation=True,
                max_length=self.longest,
                return_tensors="pt",
            ).to(self.device)
            yield [place for place, _, _ in batch], [float(count) for _, _, count in batch], self.read(tokens)


def seam(text: str) -> int:
    """Where to cut a text in two: after the sentence that ends nearest to its middle, else after a word, else in the middle."""
    middle = len(text) // 2
    for ends in (_SENTENCE, _WORD):
        places = [found.end() for found in ends.finditer(text) if middle < 2 * found.end() < 3 * middle + 1]
        if places:
            return min(places, key=lambda place: abs(place - middle))
    return middle


def _batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while batch := list(islice(items, size)):
        yield batch


def _opened(reference: str, kind: Kind, hardware: Hardware, load: Callable[[str, Path, Hardware], Opened]) -> Opened:
    require_neural()
    folder = locate_folder(reference, kind)
    device = device_for(hardware)
    key = (kind, str(folder.resolve()), str(device), str(dtype_for(hardware, device)), reference)
    return resident(key, lambda: load(reference, folder, hardware))


def _picture_words(name: str, folder: Path, hardware: Hardware) -> PictureWords:
    import transformers

    config = _config(name, folder, _PICTURES)
    kinds: dict[str, Any] = {"clip": transformers.CLIPModel, "siglip": transformers.SiglipModel}
    if config.model_type not in kinds:
        raise InputError(
            f"{name} is a model of the kind {config.model_type!r}, which does not compare pictures with words; "
            "give a CLIP or a SigLIP."
        )
    siglip = config.model_type == "siglip"
    pictures: Any = transformers.AutoImageProcessor
    with said_plainly(name, _PICTURES), quiet():
        model = _model(name, kinds[config.model_type], folder, config, hardware)
        processor = pictures.from_pretrained(folder, local_files_only=True, trust_remote_code=False, backend="pil")

        def read(tokens: Any) -> torch.Tensor:
            # SigLIP learnt with the padding in sight: it is given no mask.
            mask = None if siglip else tokens["attention_mask"]
            found: torch.Tensor = model.get_text_features(tokens["input_ids"], attention_mask=mask).pooler_output
            return found

        longest = int(config.text_config.max_position_embeddings)
        tower = _tower(name, folder, _fingerprint(folder), hardware, model, longest, read, lower=siglip, fills=siglip)
    return PictureWords(name, tower, processor)


def _sentences(name: str, folder: Path, hardware: Hardware) -> Sentences:
    import transformers

    from reelscore.checkpoints.pooling import POOLINGS, sentence_layout

    layout = sentence_layout(name, folder)
    config = _config(name, layout.model, _SENTENCES)
    if getattr(config, "is_encoder_decoder", False):
        raise InputError(
            f"{name} is a model of the kind {config.model_type!r}, which answers; give one that only reads."
        )
    pool = POOLINGS[layout.pooling]
    with said_plainly(name, _SENTENCES), quiet():
        model = _model(name, transformers.AutoModel, layout.model, config, hardware)

        def read(tokens: Any) -> torch.Tensor:
            mask = tokens["attention_mask"]
            return pool(model(input_ids=tokens["input_ids"], attention_mask=mask).last_hidden_state, mask)

        positions = int(getattr(config, "max_position_embeddings", 0) or 512)
        # Where nothing is stated, less two: RoBERTa and its kin count their places from two on.
        longest = min(layout.longest or positions - 2, positions)
        tower = _tower(
            name, layout.model, _fingerprint(folder), hardware, model, longest, read, lower=layout.lower_case
        )
    return Sentences(name, tower)


def _config(name: str, folder: Path, role: str) -> Any:
    import transformers

    if not (folder / "config.json").is_file():
        raise InputError(f"{name} holds no model (there is no config.json in {folder}); give another {role}.")
    with said_plainly(name, role), quiet():
        return transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _model(name: str, kind: Any, folder: Path, config: Any, hardware: Hardware) -> Any:
    """The model with all of its weights, on its device."""
    if not any(folder.glob("*.safetensors")):
        raise InputError(f"{name} has no weights as safetensors; pickles are not loaded, so give another.")
    device = device_for(hardware)
    model, report = kind.from_pretrained(
        folder,
        config=config,
        dtype=dtype_for(hardware, device),
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        output_loading_info=True,
    )
    # transformers fills what is missing with noise and says so in a log. The pooler of BERT is never asked.
    if missing := sorted(key for key in report["missing_keys"] if not key.startswith("pooler.")):
        raise InputError(
            f"{name} lacks {len(missing)} of its weights ({missing[0]} is one); the download is not whole, fetch it anew."
        )
    return model.to(device).eval()


def _tower(
    name: str,
    folder: Path,
    key: str,
    hardware: Hardware,
    model: Any,
    longest: int,
    read: Callable[[Any], torch.Tensor],
    *,
    lower: bool,
    fills: bool = False,
) -> _Tower:
    """The model with the tokenizer beside it."""
    import transformers

    words: Any = transformers.AutoTokenizer
    tokenizer = words.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    longest = min(longest, int(tokenizer.model_max_length))
    if longest < _FEWEST_TOKENS:
        raise InputError(f"{name} says that it reads {longest} tokens of a text, which is too few; fetch it anew.")
    # Where its files are missing transformers makes a tokenizer of a few marks and no words, and says nothing.
    words_known, words_had = len(tokenizer), int(model.config.get_text_config().vocab_size)
    if not words_had / 2 < words_known <= words_had:
        raise InputError(
            f"{name} has no tokenizer for its words (it knows {words_known}, and the model {words_had}); fetch it anew."
        )
    if tokenizer.pad_token is None:
        raise InputError(f"{name} has a tokenizer without a token for filling up; fetch it anew or give another.")
    device = device_for(hardware)
    dtype = dtype_for(hardware, device)
    return _Tower(model, tokenizer, key, hardware, device, dtype, longest, read, lower, fills)


def _fingerprint(folder: Path) -> str:
    """What tells a model from all others: the content of its files and the way in which vectors are made of them here."""
    told = hashlib.sha256(f"{_WAY}".encode())
    for path in sorted((*folder.glob("*"), *folder.glob("[0-9]*/*"))):
        if path.is_file() and path.suffix in (".json", ".txt", ".model", ".safetensors"):
            with path.open("rb") as opened:
                content = hashlib.file_digest(opened, "sha256").digest()
            told.update(str(path.relative_to(folder)).encode("utf-8", "surrogateescape") + content)
    return told.hexdigest()[:32]
