"""A tiny chat model with a real tokenizer, made on the spot: two layers of Llama over byte-level BPE, of random weights or knowing one answer."""

from pathlib import Path

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# In the manner of models that know no system turn and want the others to alternate.
WITHOUT_SYSTEM = (
    "{% for message in messages %}{% if message.role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
    "{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns must alternate') }}{% endif %}"
    "[{{ message.role }}] {{ message.content }}\n{% endfor %}"
)
DROPS_SYSTEM = (
    "{% for message in messages %}{% if message.role != 'system' %}{{ message.content }}\n{% endif %}{% endfor %}"
)


def chat_tokenizer(template: str | None = CHATML, says: str = ""):
    """A byte-level BPE tokenizer, trained here, with the special tokens of ChatML; `says` comes in pieces of its own."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|end|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        ["the film has scenes, each of its own mood and energy, and instruments"] * 3, trainer
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|end|>")
    fast.chat_template = template
    fast.add_tokens(pieces_of(says))
    return fast


def pieces_of(says: str) -> list[str]:
    """A text in pieces of which no two are alike."""
    length = 24
    pieces = [says[at : at + length] for at in range(0, len(says), length)]
    assert len(set(pieces)) == len(pieces), "the pieces of the answer must differ"
    return pieces


def tiny_chat(folder: Path, says: str = "", *, template: str | None = CHATML, room: int = 16_384) -> Path:
    """A folder with a chat model in the form of transformers: of random weights, or one that answers `says` to whatever is asked."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = chat_tokenizer(template, says)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32 if not says else 2 * (len(pieces_of(says)) // 2 + 2),
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=room,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        tie_word_embeddings=False,
    )
    torch.manual_seed(5)
    model = LlamaForCausalLM(config)
    if says:
        _teach(model, [tokenizer.convert_tokens_to_ids(piece) for piece in pieces_of(says)], tokenizer.eos_token_id)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _teach(model, answer: list[int], end: int) -> None:
    """Weights by construction: the layers pass everything on, and each piece of the answer leads to the next, anything else to the first."""
    import torch

    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        place, follows = model.model.embed_tokens.weight, model.lm_head.weight
        place.zero_()
        follows.zero_()
        place[:, 0] = 1.0
        for number, token in enumerate(answer):
            follows[token, number] = 1.0
            place[token] = 0.0
            place[token, number + 1] = 1.0
        follows[end, len(answer)] = 1.0
