# SPDX-License-Identifier: GPL-3.0-or-later
"""A byte-level tokenizer, trained on a few sentences."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL = ["<|begin|>", "<|end|>", "<|pad|>", "<|User|>", "<|Assistant|>"]
SIZE = 512
TEXT = [
    "A cluster of one-GPU nodes serves a model of experts in pipeline stages and tensor slices.",
    "The head builds, the share holds, the workers load their part and wait for the first token.",
    "Tokens stream from the last stage; what is asked without a key is refused.",
    "An instance is rented by the minute, and what is not terminated is paid for.",
]
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}<|User|>{{ message['content'] }}"
    "{% elif message['role'] == 'assistant' %}<|Assistant|>{{ message['content'] }}<|end|>"
    "{% else %}{{ message['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|Assistant|>{% endif %}"
)


def write_tokenizer(folder: Path) -> list[int]:
    """tokenizer.json and its settings with the chat template; returns the tokens that are whole words."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE, special_tokens=SPECIAL, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": SPECIAL[0], "eos_token": SPECIAL[1], "pad_token": SPECIAL[2]}
    settings = names | {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 2048, "clean_up_tokenization_spaces": False, "chat_template": TEMPLATE,
    }
    for file, content in (("tokenizer_config.json", settings), ("special_tokens_map.json", names)):
        (folder / file).write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    words = {f" {word.strip(',.;')}" for sentence in TEXT for word in sentence.split()}
    return [token for token in range(tokenizer.get_vocab_size()) if tokenizer.decode([token]) in words]
