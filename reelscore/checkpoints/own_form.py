"""Our own form of a checkpoint: one safetensors file with everything in its header.

    format, version     what this is; a newer version than ours is refused
    config              the configuration of the networks, as JSON
    tokenizer           the tokenizer of the prompt, as JSON
    card                where the weights come from and under which terms, as JSON

The tensors have our names. They are written one after another as they are read, so that memory holds one at a time.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from shutil import disk_usage
from typing import Any, BinaryIO, Literal

import torch

from reelscore.checkpoints.pieces import Piece
from reelscore.checkpoints.reading import Stored
from reelscore.errors import InputError, OutputError
from reelscore.models.latent_diffusion import LatentDiffusionConfig, config_from_dict, config_to_dict
from reelscore.outputs import written_whole
from reelscore.progress import Progress

FORMAT = "reelscore.latent_diffusion"
VERSION = 1

Precision = Literal["float32", "bf16", "fp16"]
PRECISIONS: dict[Precision, torch.dtype] = {
    "float32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
_CODES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}
ALIGNED = 64
"""Bytes; arithmetic on tensors that begin at other places may be slower, and round otherwise."""


@dataclass(frozen=True)
class SourceFile:
    """A file that a checkpoint was made from."""

    name: str
    size_bytes: int
    sha256: str = ""
    """Empty where the file was opened and not converted."""


@dataclass(frozen=True)
class ModelCard:
    """Where weights come from, under which terms, and what they were made from."""

    source: str
    licence: str
    notes: tuple[str, ...] = ()
    made_from: tuple[SourceFile, ...] = ()
    made_by: str = ""


def is_own_form(stored: Stored) -> bool:
    """Whether a file is a checkpoint of ours."""
    return stored.header.get("format") == FORMAT


def read_config(stored: Stored) -> LatentDiffusionConfig:
    """The configuration in the header. Raises InputError where it is damaged, or newer than this program."""
    version = stored.header.get("version", "")
    if version != str(VERSION):
        raise InputError(
            f"{stored.path} is a checkpoint of version {version or '(none)'} and this Reelscore reads version {VERSION}; "
            "update Reelscore or convert the weights again."
        )
    try:
        return config_from_dict(_json(stored, "config"))
    except ValueError as problem:
        raise InputError(f"The configuration in {stored.path} is damaged: {problem} Convert it again.") from problem


def read_card(stored: Stored) -> ModelCard:
    """The card in the header. Raises InputError where it is damaged."""
    written = _json(stored, "card")
    made_from = written.get("made_from", [])
    try:
        return ModelCard(
            source=str(written["source"]),
            licence=str(written["licence"]),
            notes=tuple(str(note) for note in written.get("notes", [])),
            made_from=tuple(SourceFile(str(f["name"]), int(f["size_bytes"]), str(f["sha256"])) for f in made_from),
            made_by=str(written.get("made_by", "")),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise InputError(f"The card in {stored.path} is damaged; convert the weights again.") from problem


def read_tokenizer_json(stored: Stored) -> str:
    """The tokenizer's JSON in the header. Raises InputError where there is none."""
    if "tokenizer" not in stored.header:
        raise InputError(f"{stored.path} holds no tokenizer; convert the weights again.")
    return stored.header["tokenizer"]


def _json(stored: Stored, name: str) -> dict[str, Any]:
    try:
        document = json.loads(stored.header.get(name, ""))
    except (ValueError, RecursionError) as problem:
        raise InputError(f"The {name} in {stored.path} is damaged; convert the weights again.") from problem
    if not isinstance(document, dict):
        raise InputError(f"The {name} in {stored.path} is damaged; convert the weights again.")
    return document


def write_own_form(
    target: Path,
    pieces: Mapping[str, Piece],
    config: LatentDiffusionConfig,
    tokenizer: str,
    card: ModelCard,
    precision: Precision,
    progress: Progress,
) -> None:
    """Writes a checkpoint of our own form, whole or not at all; memory holds one tensor at a time.

    In half precision only matrices are halved: biases, norms and frequencies are small and stay float32. Raises
    OutputError where it cannot be written, InputError where a piece cannot be read.
    """
    formats = {name: PRECISIONS[precision] if len(piece.shape) > 1 else torch.float32 for name, piece in pieces.items()}
    sizes = {name: prod(piece.shape) * formats[name].itemsize for name, piece in pieces.items()}
    # What fills whole lines of memory comes first, so that all of it lies at round places and can be mapped as it is;
    # then wide formats before narrow ones, so that every tensor lies at a multiple of its own width.
    order = sorted(pieces, key=lambda name: (sizes[name] % ALIGNED > 0, -formats[name].itemsize, name))
    header = {
        "format": FORMAT,
        "version": str(VERSION),
        "config": json.dumps(config_to_dict(config)),
        "tokenizer": tokenizer,
        "card": json.dumps(asdict(card)),  # in ASCII: names of files may hold what UTF-8 cannot
    }
    start = _header(header, {name: (formats[name], pieces[name].shape) for name in order})
    total = sum(sizes.values())
    _refuse_full_disk(target, len(start) + total)
    with written_whole(target) as temporary, temporary.open("wb") as file:
        file.write(start)
        done = 0
        for name in order:
            done += _write(file, pieces[name], formats[name])
            progress("converting", done / total if total else 1.0)


def _header(metadata: Mapping[str, str], tensors: Mapping[str, tuple[torch.dtype, tuple[int, ...]]]) -> bytes:
    """The first bytes of a safetensors file: the header's length, the header, and blanks up to a round place."""
    entries: dict[str, object] = {"__metadata__": dict(metadata)}
    place = 0
    for name, (number_format, shape) in tensors.items():
        end = place + prod(shape) * number_format.itemsize
        entries[name] = {"dtype": _CODES[number_format], "shape": list(shape), "data_offsets": [place, end]}
        place = end
    written = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    written += b" " * (-(8 + len(written)) % ALIGNED)
    return len(written).to_bytes(8, "little") + written


def _write(file: BinaryIO, piece: Piece, number_format: torch.dtype) -> int:
    tensor = piece.read().to(number_format).contiguous()
    if not torch.isfinite(tensor).all():
        raise InputError(
            f"{piece.called} holds numbers that are not finite in {number_format}; download the weights again"
            f"{', or use another precision' if number_format != torch.float32 else ''}."
        )
    octets = tensor.reshape(-1).view(torch.uint8).numpy()
    return file.write(octets.data)


def _refuse_full_disk(target: Path, needed_bytes: int) -> None:
    with suppress(OSError):
        free = disk_usage(target.parent).free
        if free < needed_bytes:
            raise OutputError(
                f"Writing {target} needs {needed_bytes / 1e9:.1f} GB and the disk has {free / 1e9:.1f} GB left; "
                "make room or choose another folder."
            )
