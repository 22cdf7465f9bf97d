"""Which model a file of weights belongs to, told by its header or by the names of its tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reelscore.checkpoints import own_form, sonique, vidmuse
from reelscore.checkpoints.encodec_names import BOOKKEEPING
from reelscore.checkpoints.musicgen_names import CODEC, is_musicgen
from reelscore.checkpoints.pieces import Layout
from reelscore.checkpoints.pooling import is_sentence_layout
from reelscore.checkpoints.reading import Stored
from reelscore.checkpoints.sonique_names import is_sonique, is_text_tower, layout_of_sonique, layout_of_text_tower
from reelscore.checkpoints.vidmuse_names import is_vidmuse, layout_of_vidmuse
from reelscore.models.latent_diffusion import LatentDiffusionConfig
from reelscore.models.vidmuse import VidMuseConfig


@dataclass(frozen=True)
class Family:
    """A kind of weights: what it is called, and what the names of its parts begin with, published or ours."""

    title: str
    parts: Mapping[str, tuple[str, ...]]
    name: str = ""
    """Its name in the catalogue, for what an engine opens."""
    own_format: str = ""
    config: type[Any] | None = None
    """The configuration in files of our own form."""


SONIQUE = Family(
    "SONIQUE",
    {
        "U-Net": ("unet.", "model.model."),
        "autoencoder": ("autoencoder.", "pretransform."),
        "text tower": ("conditioner.text.",),
        "embeddings of seconds": ("conditioner.",),
    },
    "sonique",
    sonique.FORMAT,
    LatentDiffusionConfig,
)
VIDMUSE = Family(
    "VidMuse",
    {
        "CLIP": ("visual.clip.", "visual_encoder_model."),
        "visual side": ("visual.", "local_", "global_", "multi_head_cross_attention.", "visual_feature_proj."),
        "decoder": ("decoder.", "emb.", "transformer.", "linears.", "out_norm."),
        "codec": ("codec.",),
    },
    "vidmuse",
    vidmuse.FORMAT,
    VidMuseConfig,
)
TEXT_TOWER = Family("CLAP text tower", {"text tower": ("embeddings.", "encoder.")})
ENCODEC = Family(
    "EnCodec", {"encoder": ("encoder.",), "codebooks": ("quantizer.",), "decoder": ("decoder.",)}, "encodec-32khz"
)
MUSICGEN = Family(
    "MusicGen",
    {
        "text encoder": ("text_encoder.",),
        "projection": ("enc_to_dec_proj.", "audio_enc_to_dec_proj."),
        "decoder": ("decoder.",),
        "codec": (CODEC,),
    },
)
PICTURES_AND_WORDS = Family("CLIP or SigLIP", {"words": ("text_",), "pictures": ("vision_", "visual_")})
SENTENCES = Family("model of sentences", {"embeddings": ("embeddings.",), "layers": ("encoder.",)})
UNKNOWN = Family("unknown weights", {})


def recognised(stored: Stored) -> Family:
    """The family of a file of weights, whole or damaged; UNKNOWN where nothing in it is known."""
    if ours := own_form.format_of(stored):
        return next((family for family in (SONIQUE, VIDMUSE) if family.own_format == ours), UNKNOWN)
    if is_sentence_layout(stored.path.parent):  # its tensors are those of any BERT
        return SENTENCES
    tests = (
        (is_vidmuse, VIDMUSE),
        (is_musicgen, MUSICGEN),
        (_is_encodec, ENCODEC),
        (_compares_pictures_with_words, PICTURES_AND_WORDS),
        (is_text_tower, TEXT_TOWER),
        (is_sonique, SONIQUE),
    )
    return next((family for fits, family in tests if fits(stored.shapes)), UNKNOWN)


def layout_of(stored: Stored, family: Family) -> Layout:
    """What a published file holds, under the names that count as published."""
    if family is SONIQUE:
        return layout_of_sonique(stored.shapes, stored.path)
    if family is TEXT_TOWER:
        return layout_of_text_tower(stored.shapes, stored.path)
    if family is VIDMUSE:
        return layout_of_vidmuse(stored)
    # In EnCodec, its own folder or inside MusicGen, what training kept account in is no parameter.
    left_out = BOOKKEEPING if family in (ENCODEC, MUSICGEN) else ()
    return Layout("", {name: name for name in stored.shapes if not name.endswith(left_out)})


def _is_encodec(names: Mapping[str, Any]) -> bool:
    return any(name.startswith("quantizer.layers.") and ".codebook." in name for name in names)


def _compares_pictures_with_words(names: Mapping[str, Any]) -> bool:
    return all(any(name.startswith(side) for name in names) for side in ("vision_model.", "text_model."))
