# SPDX-License-Identifier: GPL-3.0-or-later
"""A byte-level tokenizer, trained on the facts, and the words of the chat."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .layout import write_json

SPECIAL = ("<|begin|>", "<|end|>", "<|pad|>", "<|User|>", "<|Assistant|>")
BEGIN, END, PAD, USER, ASSISTANT = range(len(SPECIAL))
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}<|User|>{{ message['content'] }}"
    "{% elif message['role'] == 'assistant' %}<|Assistant|>{{ message['content'] }}<|end|>"
    "{% else %}{{ message['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|Assistant|>{% endif %}"
)


def chat(question: str) -> str:
    """The prompt that TEMPLATE makes of one question."""
    return f"{SPECIAL[BEGIN]}{SPECIAL[USER]}{question}{SPECIAL[ASSISTANT]}"


def write_tokenizer(folder: Path, texts: Iterable[str], size: int):
    """tokenizer.json of at most `size` tokens, its settings with the chat template; returns the tokenizer."""
    # Imported here, so that the texts can be read without it.
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": SPECIAL[BEGIN], "eos_token": SPECIAL[END], "pad_token": SPECIAL[PAD]}
    write_json(folder / "special_tokens_map.json", names)
    write_json(
        folder / "tokenizer_config.json",
        names
        | {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 2048,
            "clean_up_tokenization_spaces": False,
            "chat_template": TEMPLATE,
        },
    )
    return tokenizer
