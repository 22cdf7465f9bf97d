"""A model of music that needs no training, for the figures of the engine `sonique`.

The published weights are no part of the project, and random ones know nothing of music: with them nobody can tell whether timing
survives or a seam is heard. So the network's place is taken by a prior that can be written down: every stretch of
`PATCH` latents (an eighth of a second) is one of those that occur in a library, the composer's playing of other pieces. For this
prior the mean of what the noise may hide is exact: the library's patches, each weighed by how well it explains what is heard, at
every place; where patches overlap they are averaged. Latents are the lapped cosine transform of the sound (Princen, Johnson and
Bradley 1987), each band brought to unit spread. All else is the engine: windows, contexts, sampler, melody, decoding, ending.

What it makes are mosaics. It shows how the engine works, not how SONIQUE sounds.
"""

from collections.abc import Sequence
from math import pi, tan
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import BPE
from torch import Tensor, nn

from reelscore.audio import to_channels
from reelscore.brief import Brief
from reelscore.checkpoints.own_form import ModelCard
from reelscore.checkpoints.sonique import Opened
from reelscore.checkpoints.tokenizer import PromptTokenizer
from reelscore.compose import compose
from reelscore.melody import levelled
from reelscore.models.conditioning import Conditioner, ConditioningConfig, TextTowerConfig
from reelscore.sound import render

RATE, HOP, BANDS = 16_000, 256, 96
PATCH, STRIDE = 8, 4
TEXT = TextTowerConfig(vocab_size=300, width=16, layers=1, heads=2, inner_width=16, most_positions=80)


class Lapped(nn.Module):
    """The lapped cosine transform as an autoencoder: `BANDS` numbers for every `HOP` samples, up to 3 kHz; exact below that."""

    config = SimpleNamespace(audio_channels=1, downsampling=HOP)

    def __init__(self) -> None:
        super().__init__()
        at = np.arange(2 * HOP)
        waves = np.cos(pi / HOP * (at[None] + 0.5 + HOP / 2) * (np.arange(BANDS)[:, None] + 0.5)) * np.sqrt(2 / HOP)
        self.kernel = torch.tensor(waves * np.sin(pi * (at + 0.5) / (2 * HOP)), dtype=torch.float32)[:, None]
        self.spread = torch.ones(BANDS, 1)

    def encode(self, audio: Tensor) -> Tensor:
        """(b, 1, samples) → (b, BANDS, n); bent, so that soft and loud lie nearer together."""
        count = -(-audio.shape[-1] // HOP)
        padded = nn.functional.pad(audio, (HOP // 2, (count + 1) * HOP - HOP // 2 - audio.shape[-1]))
        bands = nn.functional.conv1d(padded, self.kernel, stride=HOP)
        return bands.sign() * bands.abs().sqrt() / self.spread

    def decode(self, latents: Tensor) -> Tensor:
        """(b, BANDS, n) → (b, 1, n · HOP), within ±1."""
        bent = latents * self.spread
        sound = nn.functional.conv_transpose1d(bent * bent.abs(), self.kernel, stride=HOP)
        return sound[..., HOP // 2 : HOP // 2 + latents.shape[-1] * HOP].clamp(-1, 1)


class Unheard:
    """A context that nobody listens to, whatever its rows."""

    def rows(self, _indices: Sequence[int]) -> "Unheard":
        return self


class Mosaic(nn.Module):
    """The library's prior in the place of the U-Net: v (b, BANDS, n) of latents at times t (b,). It heeds no words."""

    def __init__(self, library: Tensor) -> None:
        super().__init__()
        patches = library.unfold(1, PATCH, 1).transpose(0, 1).flatten(1)
        self.patches = patches
        self.powers = patches.square().sum(dim=1)
        self.null_context = torch.zeros(TEXT.prompt_tokens + 2, TEXT.width)

    def read_context(self, _tokens: Tensor, _mask: Tensor) -> "Unheard":
        return Unheard()

    def forward(self, x: Tensor, t: Tensor, _memory: "Unheard") -> Tensor:
        sigma = tan(float(t[0]) * pi / 2)
        reach = (1 + sigma * sigma) ** 0.5
        clean = torch.stack([self._mean(row * reach, sigma) for row in x])
        return (x / reach - clean) * (reach / sigma)

    def _mean(self, noisy: Tensor, sigma: float) -> Tensor:
        """The clean latents to expect, (BANDS, n), of noisy ones."""
        length = noisy.shape[1]
        heard = noisy.unfold(1, PATCH, STRIDE).transpose(0, 1).flatten(1)
        likely = torch.softmax((heard @ self.patches.T - self.powers / 2) / (sigma * sigma), dim=1)
        return laid_over(likely @ self.patches, length) / laid_over(torch.ones(len(heard), heard.shape[1]), length)


def laid_over(patches: Tensor, length: int) -> Tensor:
    """The sum (BANDS, length) of patches (count, BANDS · PATCH), each `STRIDE` after the one before."""
    return nn.functional.fold(patches.T, (1, length), (1, PATCH), stride=(1, STRIDE))[:, 0]


def model_of(pieces: Sequence[tuple[Brief, int]]) -> Opened:
    """The model whose library are these pieces, briefs with their seeds, in the form in which the engine opens one."""
    autoencoder = Lapped()
    latents = torch.cat([autoencoder.encode(torch.from_numpy(playing(*piece))[None])[0] for piece in pieces], dim=1)
    autoencoder.spread = latents.std(dim=1, keepdim=True)
    unet = Mosaic(latents / autoencoder.spread)
    conditioner = Conditioner(ConditioningConfig(features=TEXT.width, text=TEXT)).requires_grad_(False).eval()
    sizes = SimpleNamespace(in_channels=BANDS, multiple=16)
    config = SimpleNamespace(unet=sizes, autoencoder=Lapped.config, sample_rate=RATE, sample_size=64 * HOP)
    model = SimpleNamespace(unet=unet, autoencoder=autoencoder, conditioner=conditioner, config=config)
    return Opened(model, _bytes_alone(), ModelCard("a library of patches", "none needed"))


def playing(brief: Brief, seed: int) -> npt.NDArray[np.float32]:
    """What the composer plays, (1, samples) at the model's rate and level."""
    return levelled(to_channels(render(compose(brief, seed), rate=RATE, seed=seed), 1), "the piece").samples


def _bytes_alone() -> PromptTokenizer:
    """A tokenizer without a vocabulary but the bytes."""
    words = ["<s>", "<pad>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(BPE(vocab={word: place for place, word in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return PromptTokenizer(tokenizer, TEXT)
