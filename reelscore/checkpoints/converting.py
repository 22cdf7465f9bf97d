"""From published files to the one file that an engine opens, whichever model they are of."""

from dataclasses import dataclass
from pathlib import Path

from reelscore.checkpoints import sonique, vidmuse
from reelscore.checkpoints.hub import default_weights
from reelscore.checkpoints.own_form import Precision, format_of
from reelscore.checkpoints.reading import read_weights
from reelscore.checkpoints.recognising import ENCODEC, MUSICGEN, SONIQUE, TEXT_TOWER, VIDMUSE, Family, recognised
from reelscore.errors import InputError, OutputError
from reelscore.outputs import refuse_clashes
from reelscore.progress import Progress, unseen

_USUAL_TOKENIZER = "roberta-base"
_BELONGS = {"text_tower": SONIQUE, "tokenizer": SONIQUE, "config": SONIQUE, "encodec": VIDMUSE}
_HINTS = {
    TEXT_TOWER.title: "a CLAP text tower, which belongs beside SONIQUE's checkpoint (--text-tower)",
    ENCODEC.title: "EnCodec, which belongs beside VidMuse's state_dict.bin (--encodec)",
    MUSICGEN.title: "MusicGen, which is opened as it is and not converted",
}


@dataclass(frozen=True)
class Beside:
    """What belongs to a checkpoint and lies in other files; None where nothing was given."""

    text_tower: Path | None = None
    tokenizer: str | None = None
    config: Path | None = None
    encodec: str | None = None


def convert(
    weights: Path,
    target: Path | None = None,
    beside: Beside = Beside(),
    precision: Precision = "float32",
    progress: Progress = unseen,
) -> Path:
    """Writes the model in a file as one file of our own form and returns its path: `target`, or where its engine looks.

    Raises InputError where the file is of no model that is known, or something belongs to another one; MissingError where
    something is needed besides; OutputError where the file cannot be written.
    """
    stored = read_weights(weights)
    family = recognised(stored)
    if family not in (SONIQUE, VIDMUSE):
        found = _HINTS.get(family.title, "no model that can be converted")
        raise InputError(f"{weights} holds {found}; give SONIQUE's checkpoint or VidMuse's state_dict.bin.")
    _refuse_foreign(beside, family, weights)
    where = target or default_weights(family.name)
    if target is None:
        _make_folder(where.parent)
    refuse_clashes([where], [path for path in (weights, beside.text_tower, beside.config) if path])
    if family is VIDMUSE:
        return vidmuse.convert(weights, where, encodec=beside.encodec, precision=precision, progress=progress)
    usual = None if format_of(stored) else _USUAL_TOKENIZER
    return sonique.convert(
        weights,
        where,
        text_tower=beside.text_tower,
        tokenizer=beside.tokenizer or usual,
        config=beside.config,
        precision=precision,
        progress=progress,
    )


def _refuse_foreign(beside: Beside, family: Family, weights: Path) -> None:
    for name, owner in _BELONGS.items():
        if getattr(beside, name) is not None and owner is not family:
            raise InputError(
                f"{weights} is a model of {family.title}, and --{name.replace('_', '-')} belongs to {owner.title}; leave it out."
            )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise OutputError(
            f"Cannot make the folder {folder} ({problem.strerror}); name another in REELSCORE_CACHE, or a file with --output."
        ) from problem
