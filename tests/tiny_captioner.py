"""Captioning models small enough to be made in a test: random weights, true architectures, true tokenizers and processors.

Each is written to a folder laid out as on the Hugging Face Hub, so that it is opened in the way of the real ones.
"""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

SENTENCES = (
    "A woman walks along a quiet beach at dusk while the waves come in slowly.",
    "Two boys run through a crowded market; the mood is playful and the pace is fast.",
    "Yes, it is calm. No, nothing happens. yes no Yes No",
    "Question: is it dark? Answer: yes",
    "These pictures are from one scene of a film, in the order in which they are seen.",
)
QWEN_MARKS = ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
SMOL_MARKS = ["<|im_start|>", "<end_of_utterance>", "<fake_token_around_image>", "<image>", "<global-img>"]
QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{% for part in message.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SMOL_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message.role | capitalize }}: {% for part in message.content %}"
    "{% if part.type == 'image' %}<image>{% else %}{{ part.text }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)


def _tokenizer(folder: Path, marks: list[str], *, template: str | None, bos: str | None, eos: str, size: int = 700):
    """A byte-level BPE tokenizer trained on a few sentences, with special tokens as the real ones have them."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [*dict.fromkeys([eos, *([bos] if bos else []), "<pad>", *marks])]
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=1,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))]
        )
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos,
        eos_token=eos,
        pad_token="<pad>",
        extra_special_tokens=marks,
    )
    made.chat_template = template
    made.save_pretrained(folder)
    return made


def _write(folder: Path, name: str, content: dict) -> None:
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def _text_settings(tokenizer, **more) -> dict:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 8192,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        **more,
    }


def smolvlm(folder: Path) -> Path:
    """A SmolVLM2 of two layers that sees tiles of 56 pixels as 4 tokens."""
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration

    marks = [*SMOL_MARKS, *(f"<row_{row}_col_{column}>" for row in range(1, 3) for column in range(1, 3))]
    tokenizer = _tokenizer(folder, marks, template=SMOL_TEMPLATE, bos="<|im_start|>", eos="<end_of_utterance>")
    config = SmolVLMConfig(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 56,
            "patch_size": 14,
        },
        text_config={"model_type": "llama", **_text_settings(tokenizer)},
    )
    _write(
        folder,
        "preprocessor_config.json",
        {
            "image_processor_type": "SmolVLMImageProcessor",
            "processor_class": "SmolVLMProcessor",
            "do_image_splitting": True,
            "size": {"longest_edge": 224},
            "max_image_size": {"longest_edge": 56},
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
        },
    )
    _write(folder, "processor_config.json", {"processor_class": "SmolVLMProcessor", "image_seq_len": 4})
    return _saved(SmolVLMForConditionalGeneration, config, folder)


def _qwen_processor(folder: Path, kind: str, processor: str, patch: int) -> None:
    _write(
        folder,
        "preprocessor_config.json",
        {
            "image_processor_type": kind,
            "processor_class": processor,
            "patch_size": patch,
            "temporal_patch_size": 1 if kind.startswith("VideoLlama3") else 2,
            "merge_size": 1 if kind.startswith("VideoLlama3") else 2,
            "min_pixels": 28 * 28,
            "max_pixels": 112 * 112,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
        },
    )


def _qwen_ids(tokenizer) -> dict:
    return {
        "image_token_id": tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        "video_token_id": tokenizer.convert_tokens_to_ids("<|video_pad|>"),
        "vision_start_token_id": tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        "vision_end_token_id": tokenizer.convert_tokens_to_ids("<|vision_end|>"),
    }


def qwen2_5_vl(folder: Path) -> Path:
    """A Qwen2.5-VL of two layers with windows of attention in its eyes."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    tokenizer = _tokenizer(folder, QWEN_MARKS, template=QWEN_TEMPLATE, bos=None, eos="<|im_end|>")
    config = Qwen2_5_VLConfig(
        **_qwen_ids(tokenizer),
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "patch_size": 14,
            "window_size": 56,
            "fullatt_block_indexes": [1],
            "out_hidden_size": 32,
        },
        text_config=_text_settings(
            tokenizer,
            max_window_layers=2,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]},
        ),
    )
    _qwen_processor(folder, "Qwen2VLImageProcessor", "Qwen2_5_VLProcessor", 14)
    return _saved(Qwen2_5_VLForConditionalGeneration, config, folder)


def qwen3_vl(folder: Path) -> Path:
    """A Qwen3-VL of two layers."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    tokenizer = _tokenizer(folder, QWEN_MARKS, template=QWEN_TEMPLATE, bos=None, eos="<|im_end|>")
    config = Qwen3VLConfig(
        **_qwen_ids(tokenizer),
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "patch_size": 16,
            "out_hidden_size": 32,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0, 1],
        },
        text_config=_text_settings(
            tokenizer,
            head_dim=16,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]},
        ),
    )
    _qwen_processor(folder, "Qwen2VLImageProcessor", "Qwen3VLProcessor", 16)
    return _saved(Qwen3VLForConditionalGeneration, config, folder)


def video_llama_3(folder: Path) -> Path:
    """A VideoLLaMA3 of two layers."""
    from transformers import VideoLlama3Config, VideoLlama3ForConditionalGeneration

    tokenizer = _tokenizer(folder, QWEN_MARKS, template=QWEN_TEMPLATE, bos=None, eos="<|im_end|>")
    ids = _qwen_ids(tokenizer)
    config = VideoLlama3Config(
        image_token_id=ids["image_token_id"],
        video_token_id=ids["video_token_id"],
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "patch_size": 14,
        },
        text_config={"model_type": "qwen2", **_text_settings(tokenizer)},
    )
    _qwen_processor(folder, "VideoLlama3ImageProcessor", "VideoLlama3Processor", 14)
    return _saved(VideoLlama3ForConditionalGeneration, config, folder)


def internvl(folder: Path) -> Path:
    """An InternVL of two layers, whose own habit is to see each picture in tiles."""
    from transformers import InternVLConfig, InternVLForConditionalGeneration

    named = {
        "context_image_token": "<IMG_CONTEXT>",
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "video_token": "<video>",
    }
    marks = ["<|im_start|>", "<|im_end|>", *named.values()]
    template = QWEN_TEMPLATE.replace("<|vision_start|><|image_pad|><|vision_end|>", "<IMG_CONTEXT>\n")
    tokenizer = _tokenizer(folder, marks, template=template, bos=None, eos="<|im_end|>")
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    _write(folder, "tokenizer_config.json", settings | {"extra_special_tokens": named})
    config = InternVLConfig(
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": [56, 56],
            "patch_size": [14, 14],
        },
        text_config={"model_type": "qwen2", **_text_settings(tokenizer)},
    )
    _write(
        folder,
        "preprocessor_config.json",
        {
            "image_processor_type": "GotOcr2ImageProcessor",
            "processor_class": "InternVLProcessor",
            "size": {"height": 56, "width": 56},
            "crop_to_patches": True,
        },
    )
    _write(folder, "processor_config.json", {"processor_class": "InternVLProcessor", "image_seq_length": 4})
    return _saved(InternVLForConditionalGeneration, config, folder)


def blip2(folder: Path, *, on: str = "opt", says_query_tokens: bool = True, says: str = "") -> Path:
    """A BLIP-2 of two layers on OPT or on T5, with 4 places for a picture; one on OPT may say the same of every picture."""
    from transformers import Blip2Config, Blip2ForConditionalGeneration

    bos, eos = ("</s>", "</s>") if on == "opt" else (None, "</s>")
    tokenizer = _tokenizer(folder, ["<image>"], template=None, bos=bos, eos=eos)
    small = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Blip2Config(
        vision_config={**small, "image_size": 56, "patch_size": 14, "initializer_range": 0.02},
        qformer_config={**small, "encoder_hidden_size": 32, "vocab_size": 30},
        text_config=_opt_settings(tokenizer) if on == "opt" else _t5_settings(tokenizer),
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    _write(
        folder,
        "preprocessor_config.json",
        {
            "image_processor_type": "BlipImageProcessor",
            "processor_class": "Blip2Processor",
            "size": {"height": 56, "width": 56},
        },
    )
    if says_query_tokens:
        _write(folder, "processor_config.json", {"processor_class": "Blip2Processor", "num_query_tokens": 4})
    _saved(Blip2ForConditionalGeneration, config, folder)
    if says:
        model = Blip2ForConditionalGeneration.from_pretrained(folder)
        _teach(model.language_model, [*tokenizer(says, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id])
        model.save_pretrained(folder)
    return folder


@torch.no_grad()
def _teach(opt, answer: list[int]) -> None:
    """Weights by construction: the layers pass everything on, and each place behind the picture and <s> asks for its own token."""
    decoder = opt.model.decoder
    for layer in decoder.layers:
        for part in (layer.self_attn.out_proj, layer.fc2):
            part.weight.zero_()
            part.bias.zero_()
    words, places = decoder.embed_tokens.weight, decoder.embed_positions
    words.zero_()
    for number, token in enumerate(answer):
        words[token, number] += 1.0
        places.weight[places.offset + 4 + number] = 100.0 * torch.eye(words.shape[1])[number]


def _opt_settings(tokenizer) -> dict:
    return {
        "model_type": "opt",
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "word_embed_proj_dim": 32,
        "ffn_dim": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 512,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _t5_settings(tokenizer) -> dict:
    return {
        "model_type": "t5",
        "vocab_size": len(tokenizer),
        "d_model": 32,
        "d_kv": 16,
        "d_ff": 48,
        "num_layers": 2,
        "num_heads": 2,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "decoder_start_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.pad_token_id,
    }


def _saved(kind, config, folder: Path) -> Path:
    torch.manual_seed(0)
    kind(config).eval().save_pretrained(folder)
    return folder


FAMILIES: dict[str, Callable[[Path], Path]] = {
    "smolvlm": smolvlm,
    "qwen2_5_vl": qwen2_5_vl,
    "qwen3_vl": qwen3_vl,
    "video_llama_3": video_llama_3,
    "internvl": internvl,
    "blip2": blip2,
}
