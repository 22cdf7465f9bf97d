"""The models that Reelscore knows by name: what each is, where it comes from, its size and its terms.

Facts only, and light to import. Sizes are those of the files that are fetched, in GB of 10^9 bytes, as listed on the Hub
or estimated from the number of parameters; None where nobody states them. Terms are those of the weights and not of the
code around them; `non_commercial` is None where no terms are stated.
"""

from dataclasses import dataclass
from typing import Literal

from reelscore.errors import InputError

Kind = Literal[
    "engine",
    "words to music",
    "text tower",
    "tokenizer",
    "codec",
    "captioner",
    "language model",
    "pictures and words",
    "sentences",
]

# What is fetched from the Hub: weights as safetensors, and text. Never pickles, never code.
MODEL_FILES = ("*.safetensors", "*.json", "*.txt", "*.jinja", "tokenizer.model")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt")


@dataclass(frozen=True)
class Card:
    """One model: its name on the command line, its origin and terms, and how it is had."""

    name: str
    kind: Kind
    summary: str
    address: str
    """Where it is described, and for models of the Hub also where it is fetched from."""
    licence: str
    non_commercial: bool | None
    size_gb: float | None
    hub_id: str | None = None
    """Its name on the Hugging Face Hub; None where it must be fetched by hand."""
    revision: str = "main"
    """Which of its versions on the Hub; some have their weights as safetensors beside the main one."""
    files: tuple[str, ...] = MODEL_FILES
    gated: bool = False
    """The Hub hands it out only to accounts that accepted its terms."""
    note: str = ""
    by_hand: str = ""
    """How to get it where the Hub does not have it, or has it in a form that no command of ours fetches."""
    convert: str = ""
    """The command that makes the downloaded files into the one file that Reelscore opens."""

    @property
    def size(self) -> str:
        """The size in words."""
        if self.size_gb is None:
            return "unknown size"
        return f"{self.size_gb:.1f} GB" if self.size_gb >= 0.1 else f"{self.size_gb * 1000:.0f} MB"

    @property
    def terms(self) -> str:
        """The licence in words, and whether it rules out commercial use."""
        return f"{self.licence}, non-commercial use only" if self.non_commercial else self.licence

    @property
    def how(self) -> str:
        """The command or the steps that bring it."""
        return self.by_hand or f"reelscore models get {self.name}"


def _hub(
    name: str,
    kind: Kind,
    hub_id: str,
    size_gb: float | None,
    licence: str,
    summary: str,
    *,
    non_commercial: bool = False,
    gated: bool = False,
    files: tuple[str, ...] = MODEL_FILES,
    revision: str = "main",
    note: str = "",
    by_hand: str = "",
) -> Card:
    return Card(
        name=name,
        kind=kind,
        summary=summary,
        address=f"https://huggingface.co/{hub_id}",
        licence=licence,
        non_commercial=non_commercial,
        size_gb=size_gb,
        hub_id=hub_id,
        revision=revision,
        files=files,
        gated=gated,
        note=note,
        by_hand=by_hand,
    )


_SONIQUE = (
    Card(
        name="sonique",
        kind="engine",
        summary="tags to music: latent diffusion at 44.1 kHz mono, 907 M parameters, with its autoencoder",
        address="https://github.com/zxxwxyyy/sonique",
        licence="no licence stated for the weights (the code around them is MIT)",
        non_commercial=None,
        size_gb=4.2,
        note="The size is that of the 1,048 published tensors in float32; a training checkpoint with averages is larger.",
        by_hand=(
            "download the archive that the repository's README links to "
            "(https://drive.google.com/file/d/1kRy-B82ZGvRrJq4M5ob45jOvQgp9r_Xz/view) and unpack it; it holds "
            "ckpts/stable_ep=220.ckpt and ckpts/clap/clap.ckpt; best_model.json lies in the repository itself"
        ),
        convert=(
            "reelscore models get roberta-base && "
            'reelscore models convert "ckpts/stable_ep=220.ckpt" --text-tower ckpts/clap/clap.ckpt'
        ),
    ),
    Card(
        name="clap",
        kind="text tower",
        summary="the text side of LAION CLAP (RoBERTa base, 125 M parameters) that SONIQUE was trained with",
        address="https://github.com/LAION-AI/CLAP",
        licence="CC0-1.0 (the repository of LAION CLAP); none stated for the copy in SONIQUE's archive",
        non_commercial=None,
        size_gb=None,
        note=(
            "It must be the checkpoint that the U-Net was trained with: other CLAP checkpoints load but speak another language."
        ),
        by_hand="it lies in SONIQUE's archive as ckpts/clap/clap.ckpt",
    ),
    _hub(
        "roberta-base",
        "tokenizer",
        "FacebookAI/roberta-base",
        0.003,
        "MIT",
        "the tokenizer of the text tower; only its vocabulary is fetched",
        files=TOKENIZER_FILES,
    ),
)

_VIDMUSE = (
    Card(
        name="vidmuse",
        kind="engine",
        summary="film to music: a transformer over codes of sound at 32 kHz mono, 1,968 M parameters, with CLIP inside",
        address="https://huggingface.co/HKUSTAudio/VidMuse",
        licence="CC-BY-NC-4.0",
        non_commercial=True,
        size_gb=7.9,
        note=(
            "Its makers state three licences: CC-BY-NC-4.0 in the repository, MIT in its setup.py, CC-BY-4.0 on the Hub. "
            "The weights grew out of MusicGen's, which are CC-BY-NC-4.0, so the strictest one counts. The Hub has them as "
            "a pickle only, which is opened as data and never run."
        ),
        by_hand="download the weights with: hf download HKUSTAudio/VidMuse state_dict.bin --local-dir vidmuse",
        convert="reelscore models get encodec-32khz && reelscore models convert vidmuse/state_dict.bin",
    ),
    _hub(
        "encodec-32khz",
        "codec",
        "facebook/encodec_32khz",
        0.24,
        "CC-BY-NC-4.0",
        "EnCodec for music: 32 kHz mono, 4 codebooks, 50 frames a second; makes VidMuse's codes heard",
        non_commercial=True,
        note="Its page states no licence; the audiocraft repository that it comes from puts its weights under CC-BY-NC-4.0.",
    ),
)


def _musicgen(kind: str, size_gb: float, summary: str, *, pickled: bool = False) -> Card:
    """One of Meta's MusicGen models, in the form of transformers."""
    hub_id = f"facebook/musicgen-{kind}"
    return _hub(
        f"musicgen-{kind}",
        "words to music",
        hub_id,
        size_gb,
        "CC-BY-NC-4.0",
        summary,
        non_commercial=True,
        note="The Hub has it as pickles only, which are opened as data and never run." if pickled else "",
        by_hand=f'download it with: hf download {hub_id} --include "*.json" --include "pytorch_model*.bin"'
        if pickled
        else "",
    )


_MUSICGEN = (
    _musicgen("small", 2.4, "words to music: 32 kHz mono, 589 M parameters; the one for a CPU"),
    _musicgen("medium", 8.0, "words to music: 32 kHz mono, 2,007 M parameters", pickled=True),
    _musicgen("large", 13.7, "words to music: 32 kHz mono, 3,426 M parameters", pickled=True),
    _musicgen("melody", 6.2, "words, and a melody if there is one, to music: 32 kHz mono, 1,554 M parameters"),
    _musicgen("melody-large", 10.5, "words, and a melody if there is one, to music: 32 kHz mono, 2,620 M parameters"),
    _musicgen("stereo-small", 1.2, "words to music: 32 kHz stereo, 606 M parameters"),
    _musicgen("stereo-medium", 4.1, "words to music: 32 kHz stereo, 2,033 M parameters"),
    _musicgen("stereo-large", 6.9, "words to music: 32 kHz stereo, 3,459 M parameters"),
    _musicgen("stereo-melody", 6.3, "words, and a melody if there is one, to music: 32 kHz stereo, 1,579 M parameters"),
    _musicgen(
        "stereo-melody-large", 10.6, "words, and a melody if there is one, to music: 32 kHz stereo, 2,654 M parameters"
    ),
)

_CAPTIONERS = (
    _hub(
        "smolvlm2-500m",
        "captioner",
        "HuggingFaceTB/SmolVLM2-500M-Video-Instruct",
        2.0,
        "Apache-2.0",
        "the smallest that watches video; runs on a CPU",
    ),
    _hub(
        "smolvlm2-2.2b",
        "captioner",
        "HuggingFaceTB/SmolVLM2-2.2B-Instruct",
        9.0,
        "Apache-2.0",
        "small, watches video; about 5 GB of GPU memory",
    ),
    _hub(
        "qwen2.5-vl-3b",
        "captioner",
        "Qwen/Qwen2.5-VL-3B-Instruct",
        7.5,
        "Qwen Research License",
        "watches video with a sense of time",
        non_commercial=True,
    ),
    _hub(
        "qwen2.5-vl-7b",
        "captioner",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        16.6,
        "Apache-2.0",
        "watches video with a sense of time; careful descriptions",
    ),
    _hub(
        "qwen3-vl-4b",
        "captioner",
        "Qwen/Qwen3-VL-4B-Instruct",
        8.9,
        "Apache-2.0",
        "watches video; the best of its size here",
    ),
    _hub(
        "qwen3-vl-8b",
        "captioner",
        "Qwen/Qwen3-VL-8B-Instruct",
        17.5,
        "Apache-2.0",
        "watches video; the most careful descriptions here",
    ),
    _hub(
        "videollama3-2b",
        "captioner",
        "lkhl/VideoLLaMA3-2B-Image-HF",
        3.9,
        "Apache-2.0 as stated for the original weights, DAMO-NLP-SG/VideoLLaMA3-2B-Image",
        "VideoLLaMA3 in the form that transformers loads without code of others",
        note="The ids DAMO-NLP-SG/VideoLLaMA3-* need code of others and are not loaded.",
    ),
    _hub(
        "videollama3-7b",
        "captioner",
        "lkhl/VideoLLaMA3-7B-Image-HF",
        16.1,
        "Apache-2.0 as stated for the original weights, DAMO-NLP-SG/VideoLLaMA3-7B-Image",
        "the larger VideoLLaMA3 in the form that transformers loads without code of others",
        note="The ids DAMO-NLP-SG/VideoLLaMA3-* need code of others and are not loaded.",
    ),
    _hub(
        "blip2-opt-2.7b",
        "captioner",
        "Salesforce/blip2-opt-2.7b",
        15.5,
        "MIT",
        "short captions of single pictures",
        note="The OPT language model inside was released by its authors for research; look at its own terms too.",
    ),
    _hub(
        "blip2-flan-t5-xl",
        "captioner",
        "Salesforce/blip2-flan-t5-xl",
        15.8,
        "MIT",
        "short captions of single pictures; answers questions about them",
    ),
)

_LANGUAGE = (
    _hub(
        "qwen2.5-1.5b",
        "language model",
        "Qwen/Qwen2.5-1.5B-Instruct",
        3.1,
        "Apache-2.0",
        "small enough for a CPU",
    ),
    _hub(
        "qwen3-4b",
        "language model",
        "Qwen/Qwen3-4B-Instruct-2507",
        8.1,
        "Apache-2.0",
        "follows instructions well for its size",
    ),
    _hub(
        "qwen2.5-7b",
        "language model",
        "Qwen/Qwen2.5-7B-Instruct",
        15.2,
        "Apache-2.0",
        "follows instructions well",
    ),
    _hub(
        "mistral-7b",
        "language model",
        "mistralai/Mistral-7B-Instruct-v0.3",
        14.5,
        "Apache-2.0",
        "the language model that SONIQUE was published with",
    ),
    _hub(
        "gemma-3-4b",
        "language model",
        "google/gemma-3-4b-it",
        8.6,
        "Gemma Terms of Use",
        "follows instructions well for its size",
        gated=True,
        note="Accept the terms on its page first, then sign in with: hf auth login.",
    ),
)

_CLIP_NOTE = "It reads English only. Its makers call it research and ask for tests before it is deployed; see its page."

_TOWERS = (
    _hub(
        "clip-vit-base-patch32",
        "pictures and words",
        "openai/clip-vit-base-patch32",
        0.61,
        "MIT (the repository of CLIP)",
        "CLIP of 151 M parameters: how well words fit a picture; quick on a CPU",
        revision="refs/pr/15",
        note="Its main version is a pickle; version refs/pr/15 has the same weights as safetensors. " + _CLIP_NOTE,
    ),
    _hub(
        "clip-vit-large-patch14",
        "pictures and words",
        "openai/clip-vit-large-patch14",
        1.7,
        "MIT (the repository of CLIP)",
        "the larger CLIP, 428 M parameters: sees finer, some 18 times the work for a picture",
        note=_CLIP_NOTE,
    ),
    _hub(
        "all-minilm-l6-v2",
        "sentences",
        "sentence-transformers/all-MiniLM-L6-v2",
        0.092,
        "Apache-2.0",
        "how alike two English texts are in meaning; small and quick",
    ),
    _hub(
        "paraphrase-multilingual-minilm-l12-v2",
        "sentences",
        "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
        0.5,
        "Apache-2.0",
        "how alike two texts are in meaning, in some 50 languages and between them",
    ),
)

CATALOGUE: tuple[Card, ...] = (*_SONIQUE, *_VIDMUSE, *_MUSICGEN, *_CAPTIONERS, *_LANGUAGE, *_TOWERS)


def of_kind(kind: Kind) -> tuple[Card, ...]:
    """The models of that kind, in the order in which they are listed."""
    return tuple(card for card in CATALOGUE if card.kind == kind)


def known(reference: str) -> Card | None:
    """The card of that name or of that id on the Hub, if there is one."""
    asked = reference.strip().lower() or "-"
    return next((card for card in CATALOGUE if asked in (card.name, (card.hub_id or "").lower())), None)


def find(name: str) -> Card:
    """The card of that name. Raises InputError where there is none."""
    card = known(name)
    if card is None:
        names = ", ".join(card.name for card in CATALOGUE)
        raise InputError(f"There is no model {name!r} in the catalogue; the names are {names}.")
    return card
