"""MusicGen's `generate` beside that of transformers, on the same weights: `python -m benchmark.musicgen_steps`.

The published size `small` with random weights, written once as a folder that both open; one prompt of words, guidance 3, and
the sampling of the published programs (top 250). Both play `--frames` of music in turn in one process, on one thread, words
read anew each time, without making the codes heard; the least processor time a step counts. Greedy codes must be the same.
What a side takes in memory is told by a process that knows no other: what it holds after it has played and made the codes
heard, without what was freed and the C library keeps, and its peak from opening the folder to then; both less what it held
before.

Ours must need at most 0.75 of their time in float32, and no more memory; weights of eight bits are told besides.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.processors import TemplateProcessing
from torch import Tensor
from transformers import MusicgenConfig, MusicgenForConditionalGeneration

from benchmark.running import memory_mib, side_of
from reelscore.checkpoints.hub import quiet
from reelscore.checkpoints.musicgen import open_musicgen
from reelscore.models.choosing import Sampling
from reelscore.models.continuing import generate
from reelscore.models.eight_bits import in_eight_bits
from reelscore.models.packing import packed
from reelscore.models.projection import give_back
from reelscore.models.token_decoder import TokenDecoder

MOST_TIME = 0.75
"""Of that of transformers, in float32."""
GUIDANCE, TOP_K = 3.0, 250
CARDINALITY = 2048
PROMPT = " ".join(["word"] * 30)
PREPARED: dict[str, Callable[[TokenDecoder], TokenDecoder]] = {"float32": packed, "eight bits": in_eight_bits}
THEIRS = "transformers"
Play = Callable[[int, bool], Tensor]
"""Frames and whether to draw or to take the likeliest → codes (1, codebooks, frames)."""
Hear = Callable[[Tensor], object]
"""Codes → sound."""


def main() -> int:
    asked = _asked()
    torch.set_num_threads(1)
    if asked.side:
        print(json.dumps(_turns(asked) if asked.side == "turns" else _memory(asked.side, asked)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        _write_model(Path(folder))
        options = {"frames": asked.frames, "rounds": asked.rounds, "folder": folder}
        taken = side_of("musicgen_steps", {"side": "turns"} | options)
        memory = {side: side_of("musicgen_steps", {"side": side} | options) for side in (THEIRS, *PREPARED)}
    print(f"small, {asked.frames} frames of music, one thread, torch {torch.__version__}")
    for side, told in memory.items():
        ratio = taken[side] / taken[THEIRS]
        limit = f" (at most {MOST_TIME})" if side == "float32" else ""
        print(
            f"{side:12s} {taken[side] * 1e3:6.1f} ms of processor a step   {told['held']:5.0f} MiB held, "
            f"{told['peak']:5.0f} at most" + (f"   {ratio:.2f} of the time{limit}" if side != THEIRS else "")
        )
    print(
        f"greedy codes of float32 are {'the same' if taken['same'] else 'NOT the same'}, {taken['kinds']:.0f} of a kind"
    )
    lighter = all(memory["float32"][kind] <= memory[THEIRS][kind] for kind in ("held", "peak"))
    return 0 if taken["float32"] <= MOST_TIME * taken[THEIRS] and lighter and taken["same"] else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", choices=("turns", THEIRS, *PREPARED), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


@torch.inference_mode()
def _turns(asked: argparse.Namespace) -> dict[str, float]:
    """The least seconds of a step of each side, in turn, and whether the likeliest codes are the same."""
    plays = {side: _opened(side, asked.folder)[0] for side in (THEIRS, *PREPARED)}
    rounds = [{side: _seconds(play, asked.frames) for side, play in plays.items()} for _ in range(asked.rounds)]
    ours, theirs = (plays[side](asked.frames, False) for side in ("float32", THEIRS))
    told = {"same": float(torch.equal(ours, theirs)), "kinds": float(len(ours.unique()))}
    return {side: min(each[side] for each in rounds) for side in plays} | told


@torch.inference_mode()
def _memory(side: str, asked: argparse.Namespace) -> dict[str, float]:
    _, before = memory_mib()
    play, hear = _opened(side, asked.folder)
    hear(play(asked.frames, True))
    give_back()
    peak, held = memory_mib()
    return {"peak": peak - before, "held": held - before}


def _seconds(play: Play, frames: int) -> float:
    before = time.process_time()
    play(frames, True)
    # Codebooks come up to three steps late.
    return (time.process_time() - before) / (frames + 3)


def _opened(side: str, folder: Path) -> tuple[Play, Hear]:
    return _theirs(folder) if side == THEIRS else _ours(PREPARED[side], folder)


def _ours(prepare: Callable[[TokenDecoder], TokenDecoder], folder: Path) -> tuple[Play, Hear]:
    opened = open_musicgen(folder)
    model = opened.model
    prepare(model.decoder)

    def play(frames: int, draws: bool) -> Tensor:
        return generate(
            model.decoder,
            model.condition(opened.tokenizer(PROMPT)),
            model.null(),
            length=frames,
            generators=[torch.Generator().manual_seed(0)],
            sampling=Sampling(temperature=float(draws), top_k=TOP_K, guidance_scale=GUIDANCE),
        )

    return play, model.codec.decode


@quiet()
def _theirs(folder: Path) -> tuple[Play, Hear]:
    model: Any = MusicgenForConditionalGeneration.from_pretrained(folder).eval()
    words = torch.tensor([Tokenizer.from_file(str(folder / "tokenizer.json")).encode(PROMPT).ids])
    hear, given = model.audio_encoder.decode, []
    model.audio_encoder.decode = _kept_by(given)

    def play(frames: int, draws: bool) -> Tensor:
        model.generate(
            input_ids=words,
            attention_mask=torch.ones_like(words),
            max_new_tokens=frames + 3,
            **({"do_sample": True, "top_k": TOP_K} if draws else {"do_sample": False}),
            guidance_scale=GUIDANCE,
        )
        codes: Tensor = given.pop()[0]
        return codes

    return play, lambda codes: hear(codes[None], [None])


def _kept_by(given: list[Tensor]) -> Callable[..., Any]:
    """In the place of the codec: keeps the codes and makes no sound."""
    from transformers.models.encodec.modeling_encodec import EncodecDecoderOutput

    def keep(codes: Tensor, **_: Any) -> Any:
        given.append(codes)
        return EncodecDecoderOutput(codes)

    return keep


@quiet()
def _write_model(folder: Path) -> None:
    """The published size with random weights that tell codes apart, as transformers saves it."""
    torch.manual_seed(0)
    model: Any = MusicgenForConditionalGeneration(_sizes()).requires_grad_(False)
    for name, weight in model.decoder.named_parameters():
        if weight.ndim == 2:
            weight.normal_(std=1.0 if "embed_tokens" in name else weight.shape[1] ** -0.5)
    model.generation_config.update(
        bos_token_id=CARDINALITY, decoder_start_token_id=CARDINALITY, pad_token_id=CARDINALITY
    )
    model.save_pretrained(folder)
    words = Tokenizer(WordLevel({"</s>": 1, "word": 2, "<unk>": 3}, unk_token="<unk>"))
    words.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    words.save(str(folder / "tokenizer.json"))


def _sizes() -> MusicgenConfig:
    return MusicgenConfig(
        text_encoder={"model_type": "t5", "d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12},
        audio_encoder={
            "model_type": "encodec",
            "target_bandwidths": [2.2],
            "sampling_rate": 32000,
            "num_filters": 64,
            "codebook_size": CARDINALITY,
            "upsampling_ratios": [8, 5, 4, 4],
            "use_causal_conv": False,
            "use_conv_shortcut": False,
        },
        decoder={"hidden_size": 1024, "ffn_dim": 4096, "num_attention_heads": 16, "num_hidden_layers": 24},
    )


if __name__ == "__main__":
    raise SystemExit(main())
