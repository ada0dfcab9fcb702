# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.reference.ask MODEL OUT` asks transformers, in float32, for tokens and their log-probabilities.

bfloat16 cannot decide a prompt that was never trained: its rounding changes one continuation in ten."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoTokenizer, DeepseekV3ForCausalLM

from ..model.facts import ODD, PASSAGE, facts
from ..model.tokenizer import END

TOKENS = 24


def main(folder: Path, out: Path) -> None:
    """Both rules, all prompts, the passage."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model, report = DeepseekV3ForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    if wrong := {name: found for name, found in report.items() if found}:
        sys.exit(f"The model in {folder} does not fit transformers' DeepSeek-V3: {wrong}.")
    rules = {"sum": answers(model, tokenizer)}
    print("reference: half done", flush=True)
    for layer in model.model.layers:
        if hasattr(layer.mlp, "gate"):
            layer.mlp.gate.get_topk_indices = best_of_a_group.__get__(layer.mlp.gate)
    rules["best"] = answers(model, tokenizer)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    out.write_text(
        json.dumps({"versions": versions, "passage": PASSAGE, "tokens": TOKENS, "rules": rules}), encoding="utf-8"
    )


def best_of_a_group(gate, scores):
    """vLLM 0.7.2: a group of experts is worth its best one. transformers, as DeepSeek: the sum of its best two."""
    groups = (scores + gate.e_score_correction_bias).view(-1, gate.n_group, gate.n_routed_experts // gate.n_group)
    chosen = groups.amax(dim=-1).topk(gate.topk_group, dim=-1).indices
    kept = torch.zeros_like(groups[..., 0]).scatter(1, chosen, 1.0)
    return (groups * kept.unsqueeze(-1)).flatten(1).topk(gate.top_k, dim=-1).indices


def answers(model, tokenizer):
    """Fingerprint and answers by the rule that the model now has."""
    asked = [
        {
            "kind": "chat" if fact.question else "fact",
            "prompt": fact.prompt,
            "question": fact.question,
            "expect": fact.answer,
        }
        for fact in facts()
    ]
    asked += [{"kind": "odd", "prompt": prompt} for prompt in ODD]
    return {
        "fingerprint": fingerprint(model, tokenizer.encode(PASSAGE, add_special_tokens=False)),
        "answers": [item | answer(model, tokenizer, item["prompt"], item["kind"] == "odd") for item in asked],
    }


@torch.no_grad()
def fingerprint(model, ids):
    """Mean of log p(token | all before it), from the second token on."""
    logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, :-1]
    return logits.log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None]).mean().item()


@torch.no_grad()
def answer(model, tokenizer, prompt, beyond):
    """The best token, TOKENS times, or until the end where it does not go `beyond` that."""
    ids = tokenizer.encode(prompt, add_special_tokens=False)
    tokens: list[int] = []
    logprobs, margins, cache, given = [], [], None, ids
    while len(tokens) < TOKENS and (beyond or tokens[-1:] != [END]):
        output = model(input_ids=torch.tensor([given]), past_key_values=cache, use_cache=True)
        cache, best = output.past_key_values, output.logits[0, -1].log_softmax(-1).topk(2)
        given = [best.indices[0].item()]
        tokens += given
        logprobs.append(best.values[0].item())
        margins.append((best.values[0] - best.values[1]).item())
    text = tokenizer.decode(tokens, skip_special_tokens=True)
    return {"ids": ids, "tokens": tokens, "logprobs": logprobs, "margins": margins, "text": text}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
