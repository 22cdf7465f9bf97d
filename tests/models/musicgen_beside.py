"""One tiny MusicGen opened here and in transformers, and what transformers' own generation makes of three prompts."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from tiny_musicgen import Made, tiny_musicgen, tokenizer
from torch import Tensor
from transformers import BatchEncoding, MusicgenForConditionalGeneration, MusicgenMelodyForConditionalGeneration

from reelscore.checkpoints.musicgen import Opened, open_musicgen

PROMPTS = ("calm piano", "80s pop track with bassy drums and synth", "")
FRAMES = 24


class Both(NamedTuple):
    """One model, here and in transformers."""

    ours: Opened
    theirs: Made


def both_in(folder: Path, *, stereo: bool, melody: bool = False) -> Both:
    """The tiny model of that kind, made in the folder."""
    kind = MusicgenMelodyForConditionalGeneration if melody else MusicgenForConditionalGeneration
    theirs = kind.from_pretrained(tiny_musicgen(folder, stereo=stereo, melody=melody)).eval().requires_grad_(False)
    return Both(open_musicgen(folder), theirs)


def padded() -> BatchEncoding:
    """The prompts as transformers takes them: in one batch, filled up to one length."""
    read = tokenizer()(list(PROMPTS), padding=True, return_tensors="pt")
    assert len(set(read.attention_mask.sum(1).tolist())) == len(PROMPTS)
    return read


def their_codes(both: Both, monkeypatch: pytest.MonkeyPatch, frames: int, **options: Any) -> tuple[Tensor, Tensor]:
    """Codes and sound of transformers' own generation of so many new frames; the codes are those that it gives its codec."""
    given: list[Tensor] = []
    decode = both.theirs.audio_encoder.decode

    def listening(codes: Tensor, **others: Any) -> Any:
        given.append(codes[0])
        return decode(codes, **others)

    monkeypatch.setattr(both.theirs.audio_encoder, "decode", listening)
    late = max(both.ours.model.config.decoder.delays)
    sound = both.theirs.generate(**padded(), **({"do_sample": False} | options), max_new_tokens=frames + late)
    return torch.stack(given, dim=2).flatten(1, 2), sound  # left and right in turns
