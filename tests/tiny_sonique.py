"""A whole SONIQUE made on the spot: the same networks with few channels, seeded random weights, and a real tokenizer.

    tiny_sonique(folder)            one converted file, ready for the engine; its music is audible and does not clip
    published(folder, layout)       the same model as it would be published: weights, configuration, CLAP and tokenizer

Nothing is fetched, and nothing it plays is music.
"""

import json
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, ByteLevelBPETokenizer
from torch import Tensor
from transformers import RobertaTokenizer

from reelscore.checkpoints.filling import frame, shapes_in
from reelscore.checkpoints.sonique import convert
from reelscore.checkpoints.sonique_names import is_of_tower, our_name, published_name
from reelscore.models.autoencoder import Autoencoder, AutoencoderConfig
from reelscore.models.conditioning import ConditioningConfig, TextTowerConfig
from reelscore.models.configurations import to_dict
from reelscore.models.latent_diffusion import LatentDiffusion, LatentDiffusionConfig
from reelscore.models.unet import UNetConfig

Layout = Literal["exported", "lightning", "ema"]

CONFIG = LatentDiffusionConfig(
    unet=UNetConfig(
        in_channels=16,
        channels=32,
        multipliers=(1, 1, 1, 1, 1),
        num_blocks=(1, 1, 1, 1),
        attentions=(1, 1, 1, 1, 1),
        attention_heads=4,
        attention_multiplier=2,
        resnet_groups=4,
        context_features=32,
    ),
    autoencoder=AutoencoderConfig(latent_channels=16, encoder_width=4, decoder_width=64),
    conditioning=ConditioningConfig(
        features=32,
        text=TextTowerConfig(vocab_size=400, width=32, layers=3, heads=4, inner_width=64, most_positions=80),
    ),
    sample_size=64 * 1024,
)
"""The published configuration in small: the same depth, strides and lengths, with few channels."""

_CALM = 0.3
"""What the U-Net's last convolutions are scaled by, so that its denoised latents have about unit variance."""

SOUND_LEVEL = 0.12
"""Root mean square of what the decoder makes of latents of unit variance."""

_WORDS = (
    "piano strings drums bass guitar violin synth pads choir jazz rock ambient cinematic orchestral techno folk calm "
    "happy sad tense epic dark bright slow fast driving warm gentle 60 90 120 140 bpm tempo, music for a film"
)


@dataclass(frozen=True)
class PublishedFiles:
    """The files that a person would download."""

    weights: Path
    config: Path
    text_tower: Path
    tokenizer: Path


def tiny_sonique(folder: Path, seed: int = 0) -> Path:
    """One converted checkpoint in `folder`, some 2 MB; the same seed gives the same weights."""
    files = published(folder / "published", seed=seed)
    return convert(
        files.weights,
        folder / "tiny-sonique.safetensors",
        text_tower=files.text_tower,
        tokenizer=files.tokenizer,
        config=files.config,
        source="made for tests",
        licence="none needed",
    )


def published(folder: Path, layout: Layout = "exported", seed: int = 0) -> PublishedFiles:
    """The model as separate files: safetensors if exported, else a pickle of training, with averages besides for `ema`."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.json"
    config.write_text(json.dumps(to_dict(CONFIG)))
    clap = folder / "clap.ckpt"
    torch.save({"epoch": 1, "state_dict": laion_clap(seed)}, clap)
    weights = folder / ("model.safetensors" if layout == "exported" else "training.ckpt")
    if layout == "exported":
        save_file(published_weights(seed), weights)
    else:
        torch.save(training_checkpoint(published_weights(seed), averages=layout == "ema"), weights)
    return PublishedFiles(weights, config, clap, tokenizer(folder / "tokenizer"))


def published_weights(seed: int = 0) -> dict[str, Tensor]:
    """SONIQUE's weights by published name, weight norm unfolded, in the exported layout."""
    return {name: weight.clone() for name, weight in _made(seed).items()}


@cache
def _made(seed: int) -> dict[str, Tensor]:
    made: dict[str, Tensor] = {}
    for name, shape in shapes_in(frame(LatentDiffusion, CONFIG)).items():
        if is_of_tower(name):
            continue
        called = published_name(name, CONFIG)
        weight = _weight(called, shape, seed)
        if _is_normed(called):
            stem = called.removesuffix(".weight")
            made[f"{stem}.weight_g"] = weight.flatten(1).norm(dim=1).reshape(-1, *(1 for _ in shape[1:]))
            made[f"{stem}.weight_v"] = weight * 3  # only the direction counts
        else:
            made[called] = weight
    last = "pretransform.model.decoder.decoder.model.6"
    made[f"{last}.weight_g"] *= SOUND_LEVEL / _level(made, seed)
    return made


def _is_normed(called: str) -> bool:
    """All convolutions of the autoencoder are, but the one that ends its encoder."""
    return called.startswith("pretransform.") and called.endswith(".weight") and ".proj_out." not in called


def laion_clap(seed: int = 0) -> dict[str, Tensor]:
    """The text tower as LAION publishes it, with what lies beside it there and is left out."""
    tower = {
        f"module.{published_name(name, CONFIG)}": _weight(published_name(name, CONFIG), shape, seed)
        for name, shape in shapes_in(frame(LatentDiffusion, CONFIG)).items()
        if is_of_tower(name)
    }
    beside = {
        "module.text_branch.embeddings.position_ids": torch.arange(80)[None],
        "module.text_branch.pooler.dense.weight": torch.zeros(32, 32),
        "module.text_branch.pooler.dense.bias": torch.zeros(32),
        "module.audio_branch.bn0.num_batches_tracked": torch.tensor(3),
        "module.text_projection.0.weight": torch.zeros(8, 32),
        "module.logit_scale_t": torch.tensor(2.6),
    }
    return tower | beside


def training_checkpoint(weights: dict[str, Tensor], *, averages: bool) -> dict[str, object]:
    """Weights as a training run of Lightning leaves them, the averaged U-Net besides if asked for.

    With averages, the U-Net that was trained is noise, so that taking the wrong one shows.
    """
    state = {f"diffusion.{name}": weight for name, weight in weights.items()}
    if averages:
        unet = {name: weight for name, weight in weights.items() if name.startswith("model.")}
        state |= {f"diffusion.{name}": torch.randn_like(weight) for name, weight in unet.items()}
        state |= {f"diffusion_ema.ema_model.{name.removeprefix('model.')}": weight for name, weight in unet.items()}
        state |= {"diffusion_ema.initted": torch.tensor(True), "diffusion_ema.step": torch.tensor(140_000)}
    optimizer = {"state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 4e-5}]}
    return {"epoch": 220, "global_step": 140_000, "state_dict": state, "optimizer_states": [optimizer]}


def tokenizer(folder: Path) -> Path:
    """A folder with a byte-level tokenizer in RoBERTa's form, trained on a few words: tokenizer.json, vocab.json, merges.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    trained = ByteLevelBPETokenizer()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained.train_from_iterator(
        [_WORDS] * 8, vocab_size=380, min_frequency=1, special_tokens=specials, show_progress=False
    )
    trained.save_model(str(folder))
    roberta_tokenizer(folder).backend_tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def roberta_tokenizer(folder: Path) -> RobertaTokenizer:
    """What transformers makes of the vocabulary; the mask takes the space before it, as in the files of roberta-base."""
    mask = AddedToken("<mask>", lstrip=True)
    return RobertaTokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"), mask_token=mask)


def _weight(name: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """Random weights that keep the size of what goes through them."""
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(f"{seed}:{name}".encode())))
    leaf = name.rpartition(".")[2]
    if leaf == "alpha":
        return 1 + 0.1 * noise.abs()
    if name.endswith((".embedding.weight", "int_embedder.weight", "word_embeddings.weight", "to_time.0.0.weights")):
        return noise
    if len(shape) >= 2:
        calm = _CALM if name.startswith(("model.model.to_out.block.block2", "model.model.to_out.block.to_out")) else 1
        return noise * calm / noise[0].numel() ** 0.5
    return 1 + 0.1 * noise if leaf == "weight" else 0.05 * noise


def _level(weights: dict[str, Tensor], seed: int) -> float:
    """Root mean square of the decoder's sound before it is bent into ±1, for latents of unit variance."""
    decoder = Autoencoder(CONFIG.autoencoder).requires_grad_(False)
    mine = {}
    for name, weight in weights.items():
        if not name.startswith("pretransform."):
            continue
        if name.endswith("weight_v"):
            stem = name.removesuffix(".weight_v")
            length = weight.flatten(1).norm(dim=1).reshape(-1, *(1 for _ in weight.shape[1:]))
            name, weight = f"{stem}.weight", weight * weights[f"{stem}.weight_g"] / length  # noqa: PLW2901
        if ours := our_name(name, CONFIG):
            mine[ours.removeprefix("autoencoder.")] = weight
    decoder.load_state_dict(mine)
    quiet = 1e-2  # where tanh is straight
    decoder.decoder.leave.weight.mul_(quiet)
    decoder.decoder.leave.bias.mul_(quiet)
    latents = torch.randn(1, CONFIG.autoencoder.latent_channels, 32, generator=torch.Generator().manual_seed(seed))
    return float(decoder.decode(latents).square().mean().sqrt() / quiet)
