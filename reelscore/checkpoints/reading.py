"""Tensors of weight files of any kind, by name: safetensors, PyTorch pickles, and folders of either in several parts.

Files are data and may be damaged or hostile. Pickles are opened with `weights_only=True` alone, safetensors by their own
reader, parts of an index by bare names within its folder. Nothing is copied into memory before a tensor is asked for:
both kinds are mapped from the disk, but for pickles that PyTorch wrote before version 1.6, which it can only read whole.
Whatever is wrong is one InputError that names the file.
"""

import json
import os
import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from reelscore.errors import InputError

Config = TypeVar("Config")
Stays = Callable[[str], bool]
"""Whether the tensor of that name is used as it is as long as the model is, and not made into something else."""

# What a reader of damaged or hostile bytes may raise: the readers are not of one mind.
_DAMAGE = (
    SafetensorError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    EOFError,
    OverflowError,
    AssertionError,
    MemoryError,
    ImportError,
    OSError,
)
_PICKLES = (".ckpt", ".pt", ".pth", ".th", ".bin")
# Under which names checkpoints of training keep the weights of the model, the better ones first.
_WRAPPINGS = ("state_dict", "best_state", "fsdp_best_state", "model")
_MOST_SHARED = 4  # times that the numbers of a pickle may be used: tied weights are used twice
_DEEPEST = 4  # a pickle may hold itself
_SINGLE = ("model.safetensors", "pytorch_model.bin", "diffusion_pytorch_model.safetensors", "state_dict.bin")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_MOST_JSON_BYTES = 64 * 2**20
_FORMATS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "U8": "uint8"}


@dataclass(frozen=True)
class Stored:
    """The tensors of a file: their shapes and number formats by name, the text beside them, and a way to read one of them."""

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    formats: Mapping[str, str]
    """The number format of each, in words such as float32."""
    read: Callable[[str], Tensor]
    """The tensor of that name, on the CPU, in the file's own number format."""
    header: Mapping[str, str]
    """The header of a safetensors file, or the texts beside the tensors of a pickle."""
    files: tuple[Path, ...]
    """Every file that was opened, for checksums."""
    inside: tuple[str, ...] = ()
    """Where in a pickle the tensors lie, such as best_state, model."""


def read_weights(path: Path, stays: Stays = lambda _: True) -> Stored:
    """The tensors of a safetensors file, a pickle of PyTorch, or a folder that holds either, also in several parts.

    Tensors of safetensors are used where they lie in the file, mapped; those that do not stay are copied instead, so that
    they leave memory when they are given up. Raises InputError where there is no such file, or where it cannot be read as weights.
    """
    try:
        if path.is_dir():
            return _folder(path, stays)
        if not path.is_file():
            raise InputError(f"There is no file of weights {path}; give the path of the file that was downloaded.")
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty; download it again.")
        is_pickle = _is_pickle(path)
    except OSError as problem:
        raise InputError(f"Cannot read {path}: {_reason(problem)}.") from problem
    return _pickle(path) if is_pickle else _safetensors(path, stays)


def _is_pickle(path: Path) -> bool:
    """By its bytes where they tell, else by its suffix; a name alone may lie."""
    with path.open("rb") as file:
        start = file.read(9)
    if start[:4] == b"PK\x03\x04":
        return True
    return path.suffix.lower() in _PICKLES and start[8:] != b"{"


def _safetensors(path: Path, stays: Stays) -> Stored:
    try:
        file = safe_open(path, framework="pt", device="cpu")
        names: list[str] = file.keys()  # type: ignore[no-untyped-call]
        slices = {name: file.get_slice(name) for name in names}  # type: ignore[no-untyped-call]
        shapes = {name: tuple(slices[name].get_shape()) for name in names}
        formats = {name: _FORMATS.get(slices[name].get_dtype(), slices[name].get_dtype()) for name in names}
        header: dict[str, str] = file.metadata() or {}  # type: ignore[no-untyped-call]
    except _DAMAGE as problem:
        raise _damaged(path, problem, "safetensors") from problem
    if not shapes:
        raise InputError(f"{path} holds no tensors; give a file of model weights.")
    return Stored(path, shapes, formats, partial(_read_one, path, file.get_tensor, stays), header, (path,))


def _read_one(path: Path, read: Callable[[str], Tensor], stays: Stays, name: str) -> Tensor:
    try:
        if stays(name):
            return read(name)
        # Through a mapping of its own, which is gone again: of another one its pages would count as long as any tensor is used.
        tensor: Tensor = safe_open(path, framework="pt", device="cpu").get_tensor(name)  # type: ignore[no-untyped-call]
        return tensor.clone()
    except _DAMAGE as problem:
        raise _damaged(path, problem, "safetensors") from problem


def _pickle(path: Path) -> Stored:
    zipped = zipfile.is_zipfile(path)
    if zipped:
        _refuse_packed(path)
    # torch.load goes by the name where it gets one; a file that is misnamed is handed over open, and cannot be mapped.
    named_well = path.suffix.lower() in _PICKLES and os.fsencode(path) == str(path).encode(errors="replace")
    try:
        with (
            torch.serialization.safe_globals(_harmless()),
            warnings.catch_warnings(action="ignore"),
            nullcontext(path) if named_well else path.open("rb") as source,
        ):
            loaded = torch.load(source, map_location="cpu", weights_only=True, mmap=zipped and named_well)
    except _DAMAGE as problem:
        if refused := re.search(r"GLOBAL (\S+)", str(problem)):
            raise InputError(
                f"{path} holds more than tensors ({refused[1]}) and is not opened, because such a file can run code; "
                "save its state_dict as safetensors with the program that it comes from."
            ) from problem
        raise _damaged(path, problem, "PyTorch") from problem
    tensors, inside = _state_dict(path, loaded)
    _refuse_inflated(path, tensors)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    formats = {name: str(tensor.dtype).removeprefix("torch.") for name, tensor in tensors.items()}
    return Stored(path, shapes, formats, tensors.__getitem__, _texts(loaded), (path,), inside)


def _refuse_packed(path: Path) -> None:
    """PyTorch stores its records as they are; packed ones would let a small file fill the memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            packed = [entry.filename for entry in archive.infolist() if entry.compress_type != zipfile.ZIP_STORED]
    except _DAMAGE as problem:
        raise _damaged(path, problem, "PyTorch") from problem
    if packed:
        raise InputError(f"{path} is a packed archive and no file of weights; unpack it and give the file inside.")


def _refuse_inflated(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Tensors of a pickle may share their numbers, so that a small file could claim to be larger than any memory."""
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    there = path.stat().st_size
    if claimed > _MOST_SHARED * there:
        raise InputError(
            f"{path} is {there / 1e9:.3f} GB and claims to hold tensors of {claimed / 1e9:.3f} GB; give a file that was "
            "saved with every tensor whole."
        )


def _harmless() -> list[Callable[..., Any] | tuple[Callable[..., Any], str]]:
    """What checkpoints of training hold beside tensors and cannot do harm: single numbers of NumPy and their types.

    The names are those of NumPy 1 and 2: pickles keep the name that was valid when they were written.
    """
    scalar = np._core.multiarray.scalar  # type: ignore[attr-defined]
    kinds = {type(np.dtype(code)) for code in "?bhilqBHILQefdg"}
    return [
        (scalar, "numpy.core.multiarray.scalar"),
        (scalar, "numpy._core.multiarray.scalar"),
        np.dtype,
        *sorted(kinds, key=lambda kind: kind.__name__),
    ]


def _state_dict(path: Path, loaded: object) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors by name, of a bare state_dict or of one inside a checkpoint of training, and where they lie in it."""
    inside: tuple[str, ...] = ()
    while len(inside) < _DEEPEST and (wrapping := _wrapping(loaded)):
        name, loaded = wrapping
        inside += (name,)
    if not isinstance(loaded, Mapping):
        raise InputError(f"{path} holds no state_dict but a {type(loaded).__name__}; give a file of model weights.")
    tensors = {name: value for name, value in loaded.items() if isinstance(name, str) and _is_plain(value)}
    if not tensors:
        raise InputError(f"{path} holds no tensors; give a file of model weights.")
    return tensors, inside


def _wrapping(loaded: object) -> tuple[str, Mapping[Any, Any]] | None:
    """The name and the content of what is wrapped in it, if anything is; an empty one is passed over for the next."""
    found = [(name, loaded.get(name)) for name in _WRAPPINGS] if isinstance(loaded, Mapping) else []
    maps = [(name, value) for name, value in found if isinstance(value, Mapping)]
    return next((one for one in maps if one[1]), maps[0] if maps else None)


def _texts(loaded: object) -> dict[str, str]:
    """The texts beside the tensors of a checkpoint, such as its version."""
    beside = loaded.items() if isinstance(loaded, Mapping) else ()
    return {name: value for name, value in beside if isinstance(name, str) and isinstance(value, str)}


def _is_plain(value: object) -> bool:
    """Whether it is a tensor of real numbers that are all there; nothing else is a weight."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and not (value.is_meta or value.is_quantized or value.is_complex() or value.is_neg())
    )


def _folder(folder: Path, stays: Stays) -> Stored:
    for name in _SINGLE:
        if (folder / name).is_file() and not (folder / f"{name}.index.json").is_file():
            return read_weights(folder / name, stays)
    for name in _INDEXES:
        if (folder / name).is_file():
            return _parts(folder / name, stays)
    raise InputError(f"The folder {folder} holds no weights; it needs one of {', '.join((*_SINGLE, *_INDEXES))}.")


def _parts(index: Path, stays: Stays) -> Stored:
    places = _places(index)
    parts = {part: read_weights(index.parent / part, stays) for part in sorted(set(places.values()))}
    shapes, formats = {}, {}
    for name, part in places.items():
        if name not in parts[part].shapes:
            raise InputError(f"{index} says that {part} holds {name}, but it does not; download both again.")
        shapes[name], formats[name] = parts[part].shapes[name], parts[part].formats[name]

    def read(name: str) -> Tensor:
        return parts[places[name]].read(name)

    return Stored(index.parent, shapes, formats, read, {}, (index, *(part.path for part in parts.values())))


def _places(index: Path) -> dict[str, str]:
    """Which part holds which tensor. Parts are bare names of files beside the index: an index never leads elsewhere."""
    document = read_json(index)
    places = document.get("weight_map") if isinstance(document, dict) else None
    if not isinstance(places, dict) or not places:
        raise InputError(f"{index} is no index of weights: it has no weight_map; download it again.")
    for name, part in places.items():
        if not isinstance(part, str) or part != Path(part).name or "\\" in part or part in ("", ".", ".."):
            raise InputError(f"{index} leads out of its folder, to {part!r} for {name}; such an index is not followed.")
    return places


def read_json(path: Path) -> object:
    """The JSON document in a file. Raises InputError where it cannot be read as one."""
    try:
        if path.stat().st_size > _MOST_JSON_BYTES:
            raise InputError(f"{path} is too large for a JSON document of a model; download it again.")
        document: object = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as problem:
        raise InputError(f"{path} is not valid JSON ({_reason(problem)}); download it again.") from problem
    except OSError as problem:
        raise InputError(f"Cannot read {path}: {_reason(problem)}; give the whole folder of the model.") from problem
    return document


def read_configuration(path: Path, named: str, parse: Callable[[Mapping[str, Any]], Config]) -> Config:
    """What `parse` makes of the JSON document in a file, the configuration of what is `named`.

    Raises InputError where it is none; `parse` says so with a ValueError.
    """
    document = read_json(path)
    if not isinstance(document, dict):
        raise InputError(f"{path} holds no configuration of {named}; give the one that belongs to the weights.")
    try:
        return parse(document)
    except ValueError as problem:
        raise InputError(f"{path} is no configuration of {named} that is known here: {problem}") from problem


def _damaged(path: Path, problem: BaseException, kind: str) -> InputError:
    return InputError(f"{path} cannot be read as {kind} weights ({_reason(problem)}); download it again.")


def _reason(problem: BaseException) -> str:
    said = (problem.strerror if isinstance(problem, OSError) else None) or str(problem) or type(problem).__name__
    first = said.strip().splitlines()[0].split(". ")[0].rstrip(".")[:160]
    return first[:1].lower() + first[1:]
