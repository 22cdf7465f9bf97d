"""From the names in the published files to ours: which layout a file has, and where each of its tensors belongs.

SONIQUE's weights are met in three layouts. Exported, with the names that count as the published ones:

    model.model.…                          the U-Net
    pretransform.model.…                   the autoencoder
    conditioner.conditioners.…             the embeddings of seconds (and a projection of the prompt, where there is one)

As a checkpoint of training (Lightning), where each of these begins with `diffusion.`; and with averaged weights besides,
`diffusion_ema.ema_model.model.…`, which stand for the U-Net `model.model.…` and sound better than those they average.

CLAP's text tower is met as LAION published it (`text_branch.…`, often with `module.` before it) and as transformers saves
it (`text_model.…`, or bare).
"""

from collections.abc import Iterable
from pathlib import Path

from reelscore.checkpoints.autoencoder_names import name_in_autoencoder, published_name_of_autoencoder
from reelscore.checkpoints.pieces import Layout
from reelscore.checkpoints.unet_names import name_in_unet, published_name_of_unet
from reelscore.errors import InputError
from reelscore.models.latent_diffusion import LatentDiffusionConfig

_TRAINED = "diffusion."
_AVERAGES = "diffusion_ema."
_AVERAGED_MODEL = "diffusion_ema.ema_model."
_UNET = "model."

_TOWER = "conditioner.text.roberta."
_LAION = "text_branch."
_TRANSFORMERS = "text_model."
_BARE = ("embeddings.", "encoder.layer.")
# Of the tower but not of the network: a table of positions 0, 1, 2, … and what follows the hidden layers.
_NOT_IN_TOWER = ("embeddings.position_ids", "embeddings.token_type_ids", "pooler.")


def is_sonique(names: Iterable[str]) -> bool:
    """Whether a file with those names is one of SONIQUE's model, whole or not."""
    begun = ("model.model.", "pretransform.", "conditioner.", _AVERAGED_MODEL)
    return any(name.removeprefix(_TRAINED).startswith(begun) for name in names)


def is_text_tower(names: Iterable[str]) -> bool:
    """Whether a file with those names holds a CLAP text tower."""
    return any(_is_laion(name) or name.startswith((_TRANSFORMERS, *_BARE)) for name in names)


def layout_of_sonique(names: Iterable[str], path: Path) -> Layout:
    """The layout of a file with those names. Raises InputError where two of them claim the same place."""
    plain: dict[str, str] = {}
    averaged: dict[str, str] = {}
    books = 0
    trained = False
    for name in names:
        if name.startswith(_AVERAGED_MODEL):
            averaged[_UNET + name.removeprefix(_AVERAGED_MODEL)] = name
        elif name.startswith(_AVERAGES):
            books += 1
        else:
            trained |= name.startswith(_TRAINED)
            published = name.removeprefix(_TRAINED)
            if published in plain:
                raise InputError(
                    f"{path} holds {published} twice, as {plain[published]} and as {name}; give a clean copy."
                )
            plain[published] = name
    notes: tuple[str, ...] = ()
    if averaged:
        plain = {published: name for published, name in plain.items() if not published.startswith(_UNET)} | averaged
        notes = ("The averaged (EMA) weights of the U-Net were taken.",)
    if books:
        notes += (f"{books} entries of the averaging's books were left out.",)
    kind = "training checkpoint" if trained or averaged or books else "exported"
    return Layout(kind + (" with averages" if averaged else ""), plain, notes)


def layout_of_text_tower(names: Iterable[str], path: Path) -> Layout:
    """The layout of a CLAP file with those names; published names are those of `text_branch`, without it.

    Everything but the text tower (sound tower, projections, scales) is left out, and so are its pooler and its table of
    positions, which are not read here. Raises InputError where there is no text tower.
    """
    every = list(names)
    laion = {name.removeprefix("module.").removeprefix(_LAION): name for name in every if _is_laion(name)}
    transformers = {name.removeprefix(_TRANSFORMERS): name for name in every if name.startswith(_TRANSFORMERS)}
    bare = {name: name for name in every if name.startswith(_BARE)}
    kinds = (("LAION CLAP", laion), ("transformers CLAP", transformers), ("bare", bare))
    for kind, sources in kinds:
        if sources:
            kept = {published: name for published, name in sources.items() if not published.startswith(_NOT_IN_TOWER)}
            return Layout(kind, kept, (f"The text tower was taken from a file in the layout of {kind}.",))
    raise InputError(
        f"{path} holds no CLAP text tower (text_branch.… or text_model.…); give the clap.ckpt of SONIQUE's archive."
    )


def _is_laion(name: str) -> bool:
    return name.removeprefix("module.").startswith(_LAION)


def our_name(published: str, config: LatentDiffusionConfig) -> str | None:
    """The name in `LatentDiffusion` of a published name (weight norm folded), or None where there is no such thing."""
    ours = name_in_unet(published) or name_in_autoencoder(published)
    # Read there and back: in an autoencoder of other depth, two published names may mean one place.
    return ours if ours and published_name(ours, config) == published else None


def our_name_in_tower(published: str) -> str:
    """The name in `LatentDiffusion` of a tensor of the text tower."""
    return _TOWER + published


def published_name(ours: str, config: LatentDiffusionConfig) -> str:
    """The published name of a tensor of `LatentDiffusion`, weight norm folded."""
    if ours.startswith(_TOWER):
        return _LAION + ours.removeprefix(_TOWER)
    strides = config.autoencoder.encoder_strides if ".encoder." in ours else config.autoencoder.decoder_rates
    return published_name_of_unet(ours) or published_name_of_autoencoder(ours, len(strides)) or ours


def is_of_tower(ours: str) -> bool:
    """Whether a tensor of `LatentDiffusion` belongs to the text tower, which lies in a file of its own."""
    return ours.startswith(_TOWER)
