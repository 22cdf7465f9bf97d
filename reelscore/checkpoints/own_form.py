"""Our own form of a checkpoint: one safetensors file with everything in its header.

    format, version     which kind of model this is; a newer version than ours is refused
    config              the configuration of the networks, as JSON
    tokenizer           the tokenizer of the prompt, as JSON, where the model reads words
    card                where the weights come from and under which terms, as JSON

The tensors have our names. They are written one after another as they are read, so that memory holds one at a time.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import prod
from pathlib import Path
from shutil import disk_usage
from typing import Any, BinaryIO, Generic, Literal

import torch

from reelscore import __version__
from reelscore.checkpoints import catalogue
from reelscore.checkpoints.filling import ALIGNED, Model, frame, shapes_in
from reelscore.checkpoints.naming import printable
from reelscore.checkpoints.pieces import Piece, refuse_misfits
from reelscore.checkpoints.reading import Stored
from reelscore.errors import InputError, OutputError
from reelscore.models.configurations import from_dict, to_dict
from reelscore.outputs import refuse_clashes, written_whole
from reelscore.progress import Progress

VERSION = 1
_OURS = "reelscore."
"""What the names of our formats begin with."""

Precision = Literal["float32", "bf16", "fp16"]
PRECISIONS: dict[Precision, torch.dtype] = {
    "float32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
_CODES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}


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


@dataclass(frozen=True)
class Parts(Generic[Model]):
    """A model before a tensor is read: networks without memory, the pieces that belong into them, and where these are from."""

    frame: Model
    pieces: Mapping[str, Piece]
    card: ModelCard
    files: tuple[Path, ...]
    exact: tuple[str, ...] = ()
    """What the names of weights begin with that stay float32 whatever the precision."""


# --- reading ------------------------------------------------------------------------------------------------------------


def format_of(stored: Stored) -> str:
    """Which kind of model a file of our own form holds; empty for every other file."""
    named = stored.header.get("format", "")
    return named if named.startswith(_OURS) else ""


def own_parts(
    stored: Stored, wanted: str, kind: type[Model], kind_of_config: type[Any], exact: tuple[str, ...] = ()
) -> Parts[Model]:
    """The model in a file of our own form of the format `wanted`, strictly; `exact` as in `Parts`.

    Raises InputError where it is damaged, or of another format.
    """
    found = format_of(stored)
    if found != wanted:
        raise InputError(
            f"{stored.path} holds a model of another kind, {found.removeprefix(_OURS)!r}; give it to the engine that it was "
            "made for."
        )
    config = read_config(stored, kind_of_config)
    try:
        model = frame(kind, config)
    except InputError as problem:
        raise InputError(f"{stored.path} is damaged: {problem}") from problem
    pieces = {name: Piece(name, shape, partial(stored.read, name)) for name, shape in stored.shapes.items()}
    refuse_misfits(stored.path, pieces, shapes_in(model), str)
    return Parts(model, pieces, read_card(stored), stored.files, exact)


def read_config(stored: Stored, kind: type[Any]) -> Any:
    """The configuration in the header, of that kind. Raises InputError where it is damaged, or newer than this program."""
    _refuse_other_versions(stored)
    try:
        return from_dict(kind, _json(stored, "config"))
    except ValueError as problem:
        raise InputError(f"The configuration in {stored.path} is damaged: {problem} Convert it again.") from problem


def _refuse_other_versions(stored: Stored) -> None:
    version = stored.header.get("version", "")
    if version != str(VERSION):
        raise InputError(
            f"{stored.path} is a checkpoint of version {version or '(none)'} and this Reelscore reads version {VERSION}; "
            "update Reelscore or convert the weights again."
        )


def read_card(stored: Stored) -> ModelCard:
    """The card in the header. Raises InputError where it is damaged."""
    written = _json(stored, "card")
    made_from = written.get("made_from", [])
    try:
        return ModelCard(
            source=printable(str(written["source"])),
            licence=printable(str(written["licence"])),
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


def card_of(name: str, notes: tuple[str, ...], files: tuple[Path, ...]) -> ModelCard:
    """The card of published files, by the model's name in the catalogue; without checksums."""
    known = catalogue.find(name)
    return ModelCard(
        source=f"{known.name} ({known.address})",
        licence=known.terms,
        notes=notes,
        made_from=tuple(SourceFile(file.name, file.stat().st_size) for file in files),
    )


# --- writing ------------------------------------------------------------------------------------------------------------


def convert_parts(
    parts: Parts[Any],
    target: Path,
    named: str,
    precision: Precision,
    progress: Progress,
    *,
    tokenizer: str | None = None,
    source: str | None = None,
    licence: str | None = None,
) -> Path:
    """Writes a model as one file of our own form, of the format `named`, whole or not at all; returns its path.

    The card gets the checksums of all files that the model is from; `source` and `licence` replace what it says.
    """
    refuse_clashes([target], list(parts.files))
    card = replace(
        parts.card,
        source=source or parts.card.source,
        licence=licence or parts.card.licence,
        made_from=(*(file for file in parts.card.made_from if file.sha256), *_with_checksums(parts.files, progress)),
        made_by=f"reelscore {__version__}",
    )
    header = {
        "format": named,
        "version": str(VERSION),
        "config": json.dumps(to_dict(parts.frame.config)),
        "card": json.dumps(asdict(card)),  # in ASCII: names of files may hold what UTF-8 cannot
    }
    words = {"tokenizer": tokenizer} if tokenizer else {}
    write_pieces(target, parts.pieces, header | words, precision, progress, parts.exact)
    return target


def known_precision(precision: str) -> None:
    """Raises InputError where weights cannot be kept in that precision."""
    if precision not in PRECISIONS:
        raise InputError(f"There is no precision {precision!r}; give one of {', '.join(PRECISIONS)}.")


def _with_checksums(files: tuple[Path, ...], progress: Progress) -> list[SourceFile]:
    made_from = []
    for place, file in enumerate(files):
        progress("checksums", place / len(files))
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        made_from.append(SourceFile(file.name, file.stat().st_size, digest))
    progress("checksums", 1.0)
    return made_from


def write_pieces(
    target: Path,
    pieces: Mapping[str, Piece],
    header: Mapping[str, str],
    precision: Precision,
    progress: Progress,
    exact: tuple[str, ...] = (),
) -> None:
    """Writes pieces under a header as safetensors, whole or not at all; memory holds one tensor at a time.

    In half precision only matrices are halved: biases, norms and frequencies are small and stay float32, and so does
    what begins with one of `exact`. Raises OutputError where it cannot be written, InputError where a piece cannot be read.
    """
    halved = [name for name, piece in pieces.items() if len(piece.shape) > 1 and not name.startswith(exact)]
    formats = dict.fromkeys(pieces, torch.float32) | dict.fromkeys(halved, PRECISIONS[precision])
    sizes = {name: prod(piece.shape) * formats[name].itemsize for name, piece in pieces.items()}
    # What fills whole lines of memory comes first, so that all of it lies at round places and can be mapped as it is;
    # then wide formats before narrow ones, so that every tensor lies at a multiple of its own width.
    order = sorted(pieces, key=lambda name: (sizes[name] % ALIGNED > 0, -formats[name].itemsize, name))
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
