"""What the benchmarks of token decoders share: the published sizes with random weights, and the reference's way through them.

The reference is audiocraft's streaming transformer, which VidMuse's copy is made of, with embeddings, norm and heads around it
as its language model has them: at every step it projects the whole conditioning anew. Its files will do:

    pip install --no-deps --target REFERENCE audiocraft einops
    PYTHONPATH=REFERENCE python -m benchmark.…
"""

import importlib.util
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import torch
from torch import Tensor, nn

from reelscore.checkpoints.vidmuse_names import published_name
from reelscore.models.token_decoder import TokenDecoder, TokenDecoderConfig

SIZES = {
    "small": TokenDecoderConfig(dim=1024, heads=16, layers=24, inner=4096),
    "medium": TokenDecoderConfig(dim=1536, heads=24, layers=48, inner=6144),
    "large": TokenDecoderConfig(dim=2048, heads=32, layers=48, inner=8192),
}
FILM_TOKENS, NULL_TOKENS = 3000, 50
"""Of a window of 30 s, and of one black frame."""
FRAME_RATE = 50
"""Music frames in a second."""


def random_decoder(
    config: TokenDecoderConfig, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> TokenDecoder:
    torch.manual_seed(0)
    with torch.device(device):
        return TokenDecoder(config).to(dtype).eval()


def conditioning(config: TokenDecoderConfig, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """Tokens (n, dim) of a film and of a black frame."""
    seeded = torch.Generator().manual_seed(1)
    return tuple(torch.randn(count, config.dim, generator=seeded).to(device) for count in (FILM_TOKENS, NULL_TOKENS))  # type: ignore[return-value]


def has_reference() -> bool:
    return _reference_folder() is not None


class Reference:
    """The reference on a decoder's own weights, batch and conditioning as it has them: film and black film, equally long.

    It remembers what it was given. On CUDA the published program runs it in autocast to fp16, entered once for the
    whole loop, so that most weights are converted once: that is the caller's to do.
    """

    def __init__(self, decoder: TokenDecoder, conditions: Tensor) -> None:
        """Conditions (rows, n, dim)."""
        config = decoder.config
        self._decoder, self._conditions = decoder, conditions
        with torch.device("meta"):
            self._transformer: Any = _reference_transformer(config)
        named = {published_name(f"decoder.{name}"): value for name, value in decoder.state_dict().items()}
        own = {name.removeprefix("transformer."): value for name, value in named.items() if "layers." in name}
        self._transformer.load_state_dict(own, assign=True)
        self._transformer.eval()
        for module in self._transformer.modules():
            if hasattr(module, "_streaming_state"):
                module._is_streaming = True

    def __call__(self, codes: Tensor) -> Tensor:
        """Scores (rows, codebooks, n, cardinality) of what follows codes (rows, codebooks, n)."""
        decoder = self._decoder
        x = cast(Tensor, sum(table(codes[:, book]) for book, table in enumerate(decoder.tokens)))
        x = decoder.norm(self._transformer(x, cross_attention_src=self._conditions))
        return torch.stack([head(x) for head in decoder.scores], dim=1).float()


def _reference_folder() -> Path | None:
    """The folder of the reference's modules; None where it or what it imports is not installed."""
    package = importlib.util.find_spec("audiocraft")
    if package is None or not package.submodule_search_locations or importlib.util.find_spec("einops") is None:
        return None
    return Path(package.submodule_search_locations[0]) / "modules"


def _reference_transformer(config: TokenDecoderConfig) -> nn.Module:
    """The reference's transformer, from its files alone: the package as a whole imports much that is not needed."""
    folder = _reference_folder()
    assert folder is not None
    if importlib.util.find_spec("xformers") is None:
        _without_xformers()
    package = ModuleType("reference_modules")
    package.__path__ = [str(folder)]
    sys.modules[package.__name__] = package
    network: nn.Module = import_module("reference_modules.transformer").StreamingTransformer(
        d_model=config.dim,
        num_heads=config.heads,
        num_layers=config.layers,
        dim_feedforward=config.inner,
        dropout=0.0,
        activation="gelu",
        bias_ff=False,
        bias_attn=False,
        causal=True,
        memory_efficient=True,
        cross_attention=True,
        norm_first=True,
    )
    return network


def _without_xformers() -> None:
    """Stands in for the little that is imported of it; attention is torch's either way."""
    operations = ModuleType("xformers.ops")
    operations.unbind = torch.unbind  # type: ignore[attr-defined]
    operations.memory_efficient_attention = None  # type: ignore[attr-defined]
    operations.LowerTriangularMask = type("LowerTriangularMask", (), {})  # type: ignore[attr-defined]
    package = ModuleType("xformers")
    package.ops = operations  # type: ignore[attr-defined]
    sys.modules |= {package.__name__: package, operations.__name__: operations}
