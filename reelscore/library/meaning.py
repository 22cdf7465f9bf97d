"""What the texts of a library mean: one vector a track, made once for each text and model and kept beside the database.

Vectors lie in `meanings/FIELD-MODEL/`, in files that hold a few or all of them; each vector stands under a hash of the text
that it was made from and not under its track. So a changed text is simply a new one, texts that are alike share a vector,
and nothing has to be kept in step with the database. A file is written whole or not at all and never changed; new vectors
make new files, and when these are many, or much in them is of no use any more, one file takes their place. Several
processes may do all this at once: at worst they make a vector twice. Whatever is damaged is left out and made anew.

Form of a file: a header of 64 bytes (`_HEADER`), then n hashes of 16 bytes, then n vectors of d float32.
"""

from __future__ import annotations

import logging
import mmap
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reelscore.errors import OutputError
from reelscore.outputs import written_whole
from reelscore.progress import Progress, unseen

log = logging.getLogger(__name__)

Ids: TypeAlias = npt.NDArray[np.int64]
Vectors: TypeAlias = npt.NDArray[np.float32]
Encode: TypeAlias = Callable[[Sequence[str]], Vectors]

_HEADER = struct.Struct("<16s16sQQQ8x")  # mark, model, n, d, sum of all that follows
_MARK = b"reelscore mean 1"
_SUFFIX = ".vectors"
_HASH_BYTES = 16
_AT_ONCE = 128  # texts between two tellings of progress
_KEPT_EVERY = 1024  # texts; what an interruption can lose
_MOST_FILES = 8
_LOOKS = 5  # at a folder that others tidy up
_LEFT_OVER = 86_400.0  # seconds after which half a file is nobody's work any more


class Texts(Protocol):
    """As much of a library as is needed here."""

    @property
    def folder(self) -> Path: ...

    def texts(self, field: Literal["description", "title"]) -> tuple[Ids, list[str]]: ...


def meanings(
    library: Texts,
    field: Literal["description", "title"],
    model_key: str,
    encode: Encode,
    progress: Progress = unseen,
) -> tuple[Ids, Vectors]:
    """The ids of all tracks, rising, and one unit vector for each, float32 (n, d), read-only; zeros where the text is blank.

    `encode` makes unit vectors of texts; it is asked only for texts that are new to the model of that key. Where the library
    cannot be written, vectors are made and not kept.
    """
    ids, texts = library.texts(field)
    hashes = [_hash(text) if text.strip() else b"" for text in texts]
    store = _Store(library.folder / "meanings" / f"{field}-{_hash(model_key).hex()}", _hash(model_key))
    piles = store.read()
    if _are_tidy(piles, len(ids)) and all(hashes) and piles[0].names.startswith(b"".join(hashes)):
        return ids, piles[0].vectors[: len(ids)]  # one file holds them in this order: mapped, and not copied
    known = {key for pile in piles for key in pile.hashes}
    new = {key: text for key, text in zip(hashes, texts, strict=True) if key and key not in known}
    piles += _made(new, encode, store, progress)
    if not piles:
        return ids, np.zeros((len(hashes), encode([""]).shape[1]), np.float32)
    found = _in_order(hashes, piles)
    _tidy(hashes, found, piles, store)
    found.flags.writeable = False
    return ids, found


@dataclass(frozen=True, eq=False)
class _Pile:
    """Some vectors, the hashes of their texts in the same order and without gaps, and the file that holds them, if one does."""

    names: bytes
    vectors: Vectors
    path: Path | None

    @property
    def hashes(self) -> Iterator[bytes]:
        return (self.names[at : at + _HASH_BYTES] for at in range(0, len(self.names), _HASH_BYTES))

    def __len__(self) -> int:
        return len(self.vectors)


class _Store:
    """The files of one model and field."""

    def __init__(self, folder: Path, model: bytes) -> None:
        self._folder, self._model = folder, model

    def read(self) -> list[_Pile]:
        """What all files hold, the largest first; damaged ones are removed."""
        for _ in range(_LOOKS):
            paths = self._files()
            piles = [pile for path in paths if (pile := self._opened(path)) is not None]
            if len(piles) == len(paths):
                break  # else look again: another process may have put files into one that was not there yet
        return sorted(piles, key=len, reverse=True)

    def keep(self, names: bytes, vectors: Vectors) -> Path | None:
        """The new file that holds these, or None where none can be written."""
        numbers = np.ascontiguousarray(vectors, "<f4")
        header = _HEADER.pack(_MARK, self._model, *numbers.shape, _sum(names, numbers))
        # Named after what it holds: two processes that do the same work write the same file.
        path = self._folder / f"{_hash(names).hex()}{_SUFFIX}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with written_whole(path) as temporary, temporary.open("wb") as file:
                file.writelines((header, names, numbers.data))
        except (OutputError, OSError) as problem:
            log.info("vectors cannot be kept in %s: %s", self._folder, problem)
            return None
        return path

    def clear(self, piles: Sequence[_Pile], but: Path) -> None:
        """Removes the files of piles, and what processes left that were killed while they wrote."""
        for pile in piles:
            if pile.path not in (None, but):
                _remove(pile.path)
        for half in self._folder.glob(f".*{_SUFFIX}"):
            with suppress(OSError):
                if time.time() - half.stat().st_mtime > _LEFT_OVER:
                    half.unlink()

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self._folder.glob(f"*{_SUFFIX}") if not path.name.startswith("."))
        except OSError:
            return []

    def _opened(self, path: Path) -> _Pile | None:
        """The file, mapped into memory; None, and it is removed, where it is damaged or of another kind."""
        try:
            with path.open("rb") as file:
                whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            return self._read(path, whole)
        except OSError as problem:
            log.debug("%s cannot be read", path, exc_info=problem)
        except (ValueError, struct.error) as problem:
            log.info("%s is damaged and left out: %s", path, problem)
            _remove(path)
        return None

    def _read(self, path: Path, whole: mmap.mmap) -> _Pile:
        mark, model, count, width, total = _HEADER.unpack_from(whole)
        start = _HEADER.size + count * _HASH_BYTES
        if mark != _MARK or model != self._model or not count * width or len(whole) != start + 4 * count * width:
            raise ValueError("it is not whole, or of another kind")
        names = whole[_HEADER.size : start]
        vectors = np.frombuffer(whole, "<f4", count * width, start).reshape(count, width)
        if _sum(names, vectors) != total:
            raise ValueError("its sum is wrong")
        return _Pile(names, vectors, path)


def _made(new: dict[bytes, str], encode: Encode, store: _Store, progress: Progress) -> list[_Pile]:
    """The vectors of new texts, kept as they are made."""
    hashes, texts = list(new), list(new.values())
    piles: list[_Pile] = []
    for start in range(0, len(texts), _KEPT_EVERY):
        end = min(start + _KEPT_EVERY, len(texts))
        rows: list[Vectors] = []
        for at in range(start, end, _AT_ONCE):
            progress("reading the library", at / len(texts), f"{at} of {len(texts)} texts")
            rows.append(np.asarray(encode(texts[at : min(at + _AT_ONCE, end)]), np.float32))
        vectors = np.concatenate(rows)
        if len(vectors) != end - start:
            raise ValueError(f"{len(vectors)} vectors for {end - start} texts")
        names = b"".join(hashes[start:end])
        piles.append(_Pile(names, vectors, store.keep(names, vectors)))
    if texts:
        progress("reading the library", 1.0, f"{len(texts)} of {len(texts)} texts")
    return piles


def _in_order(hashes: Sequence[bytes], piles: Sequence[_Pile]) -> Vectors:
    """The vectors of these texts, zeros for those that are blank."""
    rows = {key: row for row, key in enumerate(key for pile in piles for key in pile.hashes)}
    places = np.array([rows.get(key, -1) for key in hashes], np.int64)
    found = np.zeros((len(places), piles[0].vectors.shape[1]), np.float32)
    start = 0
    for pile in piles:
        end = start + len(pile)
        here = np.flatnonzero((start <= places) & (places < end))
        found[here] = pile.vectors[places[here] - start]
        start = end
    return found


def _tidy(hashes: Sequence[bytes], found: Vectors, piles: Sequence[_Pile], store: _Store) -> None:
    """Puts one file, in the order of the tracks, in the place of many, or of much that is of no use any more."""
    used = {key: place for place, key in enumerate(hashes) if key}
    if not used or _are_tidy(piles, len(used)):
        return
    places = sorted(used.values())
    if path := store.keep(b"".join(hashes[place] for place in places), found[places]):
        store.clear(piles, but=path)


def _are_tidy(piles: Sequence[_Pile], used: int) -> bool:
    """Whether there are piles, few of them, and not too much in them that is of no use."""
    return 0 < len(piles) <= _MOST_FILES and sum(map(len, piles)) <= 2 * used + _KEPT_EVERY


def _hash(content: str | bytes) -> bytes:
    content = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    return blake2b(content, digest_size=_HASH_BYTES).digest()


def _sum(names: bytes, vectors: npt.NDArray[Any]) -> int:
    """The sum of all that a file holds, as whole numbers modulo 2^64: cheap, and another one after any single damage."""
    numbers = vectors.reshape(-1).view("<u4")
    pairs = numbers[: numbers.size // 2 * 2].view("<u8")
    return (int(np.frombuffer(names, "<u8").sum()) + int(pairs.sum()) + int(numbers[pairs.size * 2 :].sum())) % 2**64


def _remove(path: Path | None) -> None:
    if path is not None:
        with suppress(OSError):
            path.unlink(missing_ok=True)
