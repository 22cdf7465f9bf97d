"""A whole VidMuse made on the spot: the same networks with few channels and seeded random weights.

    tiny_vidmuse(folder)            one converted file, ready for the engine; its music is audible and does not clip
    published(folder, layout)       the same model as it would be published: a pickle, and the folder of its codec

Nothing is fetched, and nothing it plays is music. Pictures have 224 × 224 pixels, and the codec 32 kHz, 50 frames a second
and 4 codebooks, as published; codebooks are short, so that steps are quick.
"""

import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from transformers import EncodecConfig, EncodecModel

from reelscore.checkpoints.filling import frame, shapes_in
from reelscore.checkpoints.hub import quiet
from reelscore.checkpoints.vidmuse import convert
from reelscore.checkpoints.vidmuse_names import published_name
from reelscore.models.codec import CodecConfig
from reelscore.models.token_decoder import TokenDecoderConfig
from reelscore.models.vidmuse import VidMuse, VidMuseConfig
from reelscore.models.visual import VisualConfig

Layout = Literal["exported", "legacy", "bare", "training"]

CONFIG = VidMuseConfig(
    visual=VisualConfig(dim=64, width=192, clip_layers=2, clip_heads=3, clip_inner=256, depth=2, heads=2, inner=256),
    decoder=TokenDecoderConfig(dim=64, heads=2, layers=2, inner=128, cardinality=64),
    codec=CodecConfig(cardinality=64, width=16, filters=4),
)
"""The published configuration in small."""

ENCODEC = EncodecConfig(
    sampling_rate=32000,
    target_bandwidths=[1.2],  # 4 codebooks of 6 bits, 50 times a second
    codebook_size=CONFIG.codec.cardinality,
    codebook_dim=CONFIG.codec.width,
    hidden_size=CONFIG.codec.width,
    num_filters=CONFIG.codec.filters,
    upsampling_ratios=[8, 5, 4, 4],
    use_causal_conv=False,
    use_conv_shortcut=False,
)
"""The codec as transformers knows it."""

SOUND_LEVEL = 0.12
"""Root mean square of what the codec makes of codes drawn at random."""


@dataclass(frozen=True)
class PublishedFiles:
    """The files that a person would download."""

    weights: Path
    encodec: Path


def tiny_vidmuse(folder: Path, seed: int = 0) -> Path:
    """One converted checkpoint in `folder`, some 10 MB; the same seed gives the same weights."""
    files = published(folder / "published", seed=seed)
    return convert(
        files.weights,
        folder / "tiny-vidmuse.safetensors",
        encodec=files.encodec,
        source="made for tests",
        licence="none needed",
    )


def published(folder: Path, layout: Layout = "exported", seed: int = 0) -> PublishedFiles:
    """The model as separate files: exported as the published one is (legacy: as PyTorch wrote pickles before version 1.6),
    as a bare state_dict, or as a checkpoint of training, where taking the last weights for the best ones shows."""
    folder.mkdir(parents=True, exist_ok=True)
    state = published_weights(seed)
    contents: dict[Layout, dict[str, object]] = {
        "exported": exported(state),
        "legacy": exported(state),
        "bare": dict(state),
        "training": training_checkpoint(state),
    }
    weights = folder / "state_dict.bin"
    torch.save(contents[layout], weights, _use_new_zipfile_serialization=layout != "legacy")
    return PublishedFiles(weights, encodec(folder / "encodec_32khz", seed))


def exported(state: dict[str, Tensor]) -> dict[str, object]:
    """Weights as audiocraft exports them."""
    return {
        "best_state": state,
        "xp.cfg": "solver: musicgen\nsample_rate: 32000\n",
        "version": "1.2.0a2",
        "exported": True,
    }


def training_checkpoint(state: dict[str, Tensor]) -> dict[str, object]:
    """Weights as audiocraft leaves them in training, but for the settings, which are no text there."""
    return {
        "best_state": {"model": state},
        "fsdp_best_state": {},
        "model": {name: weight + 1 for name, weight in state.items()},
        "optimizer": {"state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(3)}}, "param_groups": []},
        "history": [{"train": {"ce": 5.5}}],
        "xp.sig": "a1b2c3d4",
    }


def published_weights(seed: int = 0) -> dict[str, Tensor]:
    """VidMuse's weights by published name, with what lies beside them and nobody reads."""
    return {name: weight.clone() for name, weight in _made(seed).items()}


@cache
def _made(seed: int) -> dict[str, Tensor]:
    shapes = {
        published_name(name): shape
        for name, shape in shapes_in(frame(VidMuse, CONFIG)).items()
        if not name.startswith("codec.")
    }
    tower = "visual_encoder_model.vision_model"
    shapes |= {
        "condition_provider.conditioners.description.output_proj.weight": (64, 768),
        "condition_provider.conditioners.description.output_proj.bias": (64,),
        f"{tower}.post_layernorm.weight": (192,),
        f"{tower}.post_layernorm.bias": (192,),
        "visual_encoder_model.visual_projection.weight": (512, 192),
    }
    made = {name: _weight(name, shape, seed) for name, shape in shapes.items()}
    return made | {f"{tower}.embeddings.position_ids": torch.arange(50)[None]}


def encodec(folder: Path, seed: int = 0) -> Path:
    """The codec's folder, as transformers writes it."""
    model = EncodecModel(ENCODEC).eval()
    state = model.state_dict()
    made = {
        name: _weight(name, tuple(weight.shape), seed) for name, weight in state.items() if weight.is_floating_point()
    }
    made |= {name: torch.ones(1) for name in state if name.endswith("inited")}
    made |= {name: made[name.removesuffix("_avg")] for name in state if name.endswith("embed_avg")}
    model.load_state_dict(state | made)
    last = f"decoder.layers.{len(model.decoder.layers) - 1}.conv.parametrizations.weight.original0"
    made[last] = made[last] * SOUND_LEVEL / _level(model, seed)
    made[last.replace("parametrizations.weight.original0", "bias")].zero_()
    model.load_state_dict(state | made)
    with quiet():
        model.save_pretrained(folder)
    return folder


@torch.inference_mode()
def _level(model: EncodecModel, seed: int) -> float:
    """Root mean square of the sound of codes drawn at random."""
    drawn = torch.Generator().manual_seed(seed)
    codes = torch.randint(CONFIG.codec.cardinality, (1, 1, CONFIG.codec.codebooks, 100), generator=drawn)
    sound = model.decode(codes, [None])[0]
    return float(sound.square().mean().sqrt())


def _weight(name: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """Random weights that keep the size of what goes through them."""
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(f"{seed}:{name}".encode())))
    leaf = name.rpartition(".")[2]
    if leaf == "original0":  # the magnitudes of weight norm
        return 1 + 0.1 * noise.abs()
    if leaf.endswith(("pos_embedding", "class_embedding", "embed")) or name.startswith("emb."):
        return noise
    if len(shape) >= 2:
        return noise / noise[0].numel() ** 0.5
    return 1 + 0.1 * noise if leaf == "weight" else 0.05 * noise
