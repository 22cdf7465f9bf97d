"""Where a model lies on this machine, and how it gets here when a person asks for it.

Nothing here asks the network but `get`. Models are folders in the form of transformers: given by path, or in the cache of
Hugging Face (HF_HOME). Only weights as safetensors and text are ever fetched; pickles and code of others are not.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from reelscore.checkpoints import catalogue
from reelscore.checkpoints.catalogue import Card, Kind
from reelscore.errors import InputError, MissingError
from reelscore.hardware import lacks_neural
from reelscore.progress import Progress, unseen

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
# What repositories hold beside the model in the form of transformers: other forms of the same weights, and folders of them.
# Of all that lies in folders only 1_Pooling/config.json comes along, in which models of sentences say how they pool; the
# patterns know no exceptions, so they name what is any other folder, any other file in one, and any deeper folder.
_LEFT_ALONE = [
    "[!1]*/*",
    "1[!_]*/*",
    "1_[!P]*/*",
    "*/[!c]*",
    "*/*/*",
    "consolidated*",
    "original*",
    "*.index.json.bak",
    "training_args*",
    "trainer_state*",
    "optimizer*",
]


def default_weights(name: str) -> Path:
    """Where the converted weights of an engine are looked for when no path is given; the file need not be there.

    The folder is REELSCORE_CACHE, or ~/.cache/reelscore.
    """
    folder = os.environ.get("REELSCORE_CACHE")
    return (Path(folder) if folder else Path.home() / ".cache" / "reelscore") / f"{name}.safetensors"


def locate(reference: str) -> Path:
    """Where the model lies: a path that is there, else a name of the catalogue or an id of the Hub, in the local cache.

    Raises MissingError where it is not here (with size, terms and the command that brings it), InputError where the
    reference is none of these.
    """
    path = Path(reference)
    if reference.strip() and _is_there(path):
        return path
    card = _card(reference)
    found = _found(card)
    if found is None:
        raise MissingError(_absence(card))
    return found


def locate_folder(reference: str, kind: Kind) -> Path:
    """The folder of a model of that kind, found as `locate` finds it.

    Raises InputError also where the catalogue says that it is of another kind, and where it is a file.
    """
    card = catalogue.known(reference)
    if card is not None and card.kind != kind and not _is_there(Path(reference)):
        names = ", ".join(known.name for known in catalogue.of_kind(kind))
        raise InputError(
            f"{reference} is of the kind {card.kind!r} and not {kind!r}; give one of {names}, or a folder."
        )
    folder = locate(reference)
    if not folder.is_dir():
        raise InputError(f"{reference} is a file; give the folder that holds the model.")
    return folder


def card_of_snapshot(folder: Path) -> Card | None:
    """The card of the model that a folder in the cache of Hugging Face holds; None for other folders and unknown models."""
    *_, model, between, _ = ("", "", "", *folder.absolute().parts)
    if between != "snapshots" or not model.startswith("models--"):
        return None
    return catalogue.known(model.removeprefix("models--").replace("--", "/"))


def is_here(card: Card) -> bool:
    """Whether a model of the catalogue can be used without fetching anything."""
    return _found(card) is not None


@contextmanager
def quiet() -> Iterator[None]:
    """transformers says nothing on the terminal meanwhile: neither warnings nor bars."""
    from transformers.utils import logging as their_logging

    talk: Any = their_logging
    level, bars = talk.get_verbosity(), talk.is_progress_bar_enabled()
    talk.set_verbosity(logging.CRITICAL)
    talk.disable_progress_bar()
    try:
        yield
    finally:
        talk.set_verbosity(level)
        if bars:
            talk.enable_progress_bar()


def get(name: str, progress: Progress = unseen) -> Path:
    """Fetches a model from the Hub into the local cache, whole, and returns its folder; what is here is not fetched again.

    `name` is one of the catalogue or an id of the Hub. Raises MissingError where it cannot be had, with what to do.
    """
    card = _card(name)
    if card.hub_id is None or card.by_hand:
        raise MissingError(f"{card.name} cannot be fetched by this command: {card.by_hand}.")
    _require_hub()
    from huggingface_hub import errors, snapshot_download

    progress("download", 0.0)
    try:
        folder = Path(
            snapshot_download(
                card.hub_id,
                revision=card.revision,
                allow_patterns=list(card.files),
                ignore_patterns=_LEFT_ALONE,
                tqdm_class=_silent(progress),
            )
        )
    except errors.GatedRepoError as problem:
        raise MissingError(
            f"{card.hub_id} is handed out only to those who accepted its terms: accept them on {card.address}, then sign "
            "in with: hf auth login."
        ) from problem
    except errors.RepositoryNotFoundError as problem:
        raise MissingError(f"The Hub has no model {card.hub_id} that is open to you; check its name.") from problem
    except (errors.LocalEntryNotFoundError, errors.HTTPError) as problem:  # type: ignore[attr-defined]
        raise MissingError(
            f"Cannot fetch {card.hub_id}: the Hub cannot be reached; check the network and try again."
        ) from problem
    except OSError as problem:
        raise MissingError(f"Cannot fetch {card.hub_id}: {problem.strerror or problem}.") from problem
    _refuse_without_safetensors(card, folder)
    progress("download", 1.0)
    return folder


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # names that cannot be
        return False


def _card(reference: str) -> Card:
    """The card of a name or an id; a plain one for an id that the catalogue does not have."""
    if card := catalogue.known(reference):
        return card
    if not _HUB_ID.fullmatch(reference) or ".." in reference or "--" in reference:
        names = ", ".join(card.name for card in catalogue.CATALOGUE if card.hub_id)
        raise InputError(
            f"There is no model {reference!r}: give a folder that is there, an id of the Hub such as "
            f"Qwen/Qwen3-4B-Instruct-2507, or one of {names}."
        )
    return Card(
        name=reference,
        kind="language model",
        summary="a model of the Hub that is not in the catalogue",
        address=f"https://huggingface.co/{reference}",
        licence="terms as stated on its page",
        non_commercial=None,
        size_gb=None,
        hub_id=reference,
    )


def _found(card: Card) -> Path | None:
    """The folder of a model in the cache of Hugging Face, if all of it is there; for one of ours, its converted file."""
    if card.hub_id is None:
        converted = default_weights(card.name)
        return converted if converted.is_file() else None
    _require_hub()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(
                card.hub_id,
                revision=card.revision,
                local_files_only=True,
                allow_patterns=list(card.files),
                ignore_patterns=_LEFT_ALONE,
            )
        )
    except (LocalEntryNotFoundError, OSError, ValueError):
        return None
    wanted = ("tokenizer.json", "vocab.json") if card.kind == "tokenizer" else ("config.json",)
    there = any((folder / name).is_file() for name in wanted)
    # What is fetched by hand may have been fetched in part.
    weights = (*folder.glob("*.bin"), *folder.glob("*.safetensors"))
    return folder if there and (not card.by_hand or weights) else None


def missing_weights(name: str) -> tuple[str, ...]:
    """One sentence if the converted weights of an engine are not where it looks for them, with what brings them; else none."""
    if default_weights(name).is_file():
        return ()
    card = catalogue.find(name)
    return (
        f"The weights of {name} ({card.size}; {card.terms}) are not here: {card.by_hand}; then run {card.convert},"
        " or name the file with --weights.",
    )


def missing_model(reference: str, kind: Kind) -> tuple[str, ...]:
    """One sentence if a model of that kind cannot be opened because it, or the extra for it, is not here; else none.

    Raises InputError as `locate_folder` does.
    """
    if absent := lacks_neural():
        return absent
    try:
        locate_folder(reference, kind)
    except MissingError as problem:
        return (f"{str(problem).rstrip('.')}.",)
    return ()


def _absence(card: Card) -> str:
    if card.by_hand:
        return f"{card.name} is not here: {card.by_hand}."
    command = f"reelscore models get {card.name}"
    return f"The model {card.hub_id} is not here ({card.size}; {card.terms}); get it with: {command}"


def _refuse_without_safetensors(card: Card, folder: Path) -> None:
    if card.kind != "tokenizer" and not any(folder.glob("*.safetensors")):
        raise MissingError(
            f"{card.hub_id} has no weights as safetensors; pickles are not fetched, so choose another model."
        )


def _require_hub() -> None:
    from importlib.util import find_spec

    if not find_spec("huggingface_hub"):
        raise MissingError('Models of the Hub need more packages; install them with: pip install "reelscore[neural]".')


def _silent(progress: Progress) -> Any:
    """The bar that huggingface_hub counts bytes on: it draws nothing and tells `progress`."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    class Told(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            self._counts_bytes = options.get("unit") == "B" and str(options.get("desc", "")).startswith("Reconstruct")
            options.pop("name", None)
            super().__init__(*args, **(options | {"file": StringIO(), "disable": False}))

        def display(self, *_: Any, **__: Any) -> bool:
            return True

        def update(self, n: float | None = 1) -> None:
            super().update(n)
            if self._counts_bytes and self.total:
                progress("download", min(self.n / self.total, 1.0))

    return Told
