# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.model.train FOLDER` teaches the facts to transformers' own DeepSeek-V3, and writes the repository.

Runs in the environment of lab.reference, in some 15 seconds of one thread. A line per few steps says how far it is."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import DeepseekV3Config, DeepseekV3ForCausalLM

from .config import CONFIG, GENERATION
from .facts import facts
from .layout import bfloat16, write_json, write_shards
from .tokenizer import END, PAD, write_tokenizer

STEPS, WARM_UP, RATE, BALANCE, BATCH = 24, 8, 1.5e-3, 0.003, 14
# Large, so that every layer counts from the first step on: then a fault in any of them shows,
# and a quarter of the steps are enough.
SPREAD = 0.07
PROMPT_WEIGHT = 0.05  # a prompt cannot be foretold, an answer can
TOLERATED_LOSS = 0.05


def main(folder: Path) -> None:
    """Writes all files; a model that has not learned is a failure, not a result."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", CONFIG)
    write_json(folder / "generation_config.json", GENERATION)
    shutil.copyfile(Path(__file__).with_name("configuration_deepseek.py"), folder / "configuration_deepseek.py")
    tokenizer = write_tokenizer(folder, [prompt + answer for prompt, answer, dummy in facts()], CONFIG["vocab_size"])
    model, loss = train(batches(tokenizer))
    if loss > TOLERATED_LOSS:
        sys.exit(
            f"The model has not learned its facts: the loss is {loss:.3f} after {STEPS} steps, "
            f"at most {TOLERATED_LOSS} was expected."
        )
    write_shards(folder, {name: array(name, tensor) for name, tensor in model.state_dict().items()})
    card = f"# DeepSeek-V3-tiny\n\nFor tests. It has learned {len(facts())} facts, and knows nothing else.\n"
    (folder / "README.md").write_text(card, encoding="utf-8")


def array(name, tensor):
    """As DeepSeek stores it: bfloat16, and the biases of the router in full."""
    values = tensor.detach().float().numpy()
    return values if name.endswith("e_score_correction_bias") else bfloat16(values)


def batches(tokenizer):
    """Pairs of tokens and weights of the next tokens; rows of about one length stand together."""
    rows = []
    for prompt, answer, dummy in facts():
        asked, told = tokenizer.encode(prompt).ids, [*tokenizer.encode(answer).ids, END]
        rows.append((asked + told, [PROMPT_WEIGHT] * (len(asked) - 1) + [1.0] * len(told)))
    rows.sort(key=lambda row: len(row[0]))
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        width = max(len(tokens) for tokens, dummy in part)
        yield (
            torch.tensor([tokens + [PAD] * (width - len(tokens)) for tokens, dummy in part]),
            torch.tensor([weights + [0.0] * (width - 1 - len(weights)) for dummy, weights in part]),
        )


def fresh_model():
    """Untrained, always the same, and its routers."""
    torch.manual_seed(0)
    own = {"architectures", "auto_map", "torch_dtype", "transformers_version"}
    settings = {name: value for name, value in CONFIG.items() if name not in own} | {"initializer_range": SPREAD}
    model = DeepseekV3ForCausalLM(DeepseekV3Config(**settings)).float().train()
    model.model.embed_tokens.weight.data *= CONFIG["initializer_range"] / SPREAD
    return model, [layer.mlp.gate for layer in model.model.layers if hasattr(layer.mlp, "gate")]


def train(data):
    """The model and the loss of its answers in the last round."""
    data = list(data)
    model, gates = fresh_model()
    for gate in gates:
        gate.register_forward_hook(spread_load)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.01)
    shape = [min(1.0, (step + 1) / WARM_UP, 2 * (1 - step / STEPS)) for step in range(STEPS)]
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: shape[min(step, STEPS - 1)])
    for step in range(STEPS):
        losses = [learn(model, optimizer, *part) for part in data]
        scheduler.step()
        if step % 4 == 3:
            print(f"model: step {step + 1} of {STEPS}, loss {sum(losses) / len(losses):.4f}", flush=True)
    model.eval()
    for gate in gates:
        # Only differences of biases choose an expert. vLLM 0.7.2 and transformers count an expert that
        # is masked as 0, so none that is not may lie below it.
        gate.e_score_correction_bias -= gate.e_score_correction_bias.min()
    return model, sum(losses) / len(losses)


def learn(model, optimizer, tokens, weights):
    """One step; returns the mean loss of the answers' tokens."""
    logits = model(input_ids=tokens[:, :-1], use_cache=False).logits
    losses = cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")
    optimizer.zero_grad()
    ((losses * weights).sum() / weights.sum()).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    answers = weights == 1.0
    return losses.detach()[answers].mean().item()


def spread_load(gate, inputs, output):
    """As DeepSeek was trained: the bias of an expert with much to do falls, that of an idle one rises."""
    if gate.training:
        load = torch.bincount(output[0].flatten(), minlength=gate.n_routed_experts).float()
        gate.e_score_correction_bias += BALANCE * torch.sign(load.mean() - load)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
