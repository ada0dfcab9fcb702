# SPDX-License-Identifier: GPL-3.0-or-later
"""What the CPU worker of vLLM 0.7.2 lacks: pipeline stages, and experts in plain torch."""

import torch
from torch.nn.functional import silu
from vllm.distributed import get_pp_group
from vllm.forward_context import set_forward_context
from vllm.model_executor.layers.fused_moe.layer import FusedMoE, UnquantizedFusedMoEMethod
from vllm.worker import cpu_worker
from vllm.worker.cpu_model_runner import CPUModelRunner


class StageRunner(CPUModelRunner):
    """Only the last stage has logits; the others hand their hidden states on."""

    @torch.no_grad()
    def execute_model(
        self, model_input, kv_caches, intermediate_tensors=None, num_steps=1, previous_hidden_states=None
    ):
        if get_pp_group().is_last_rank:
            return super().execute_model(
                model_input, kv_caches, intermediate_tensors, num_steps, previous_hidden_states
            )
        with set_forward_context(model_input.attn_metadata, self.vllm_config, model_input.virtual_engine):
            return self.model(
                input_ids=model_input.input_tokens,
                positions=model_input.input_positions,
                kv_caches=kv_caches,
                attn_metadata=model_input.attn_metadata,
                intermediate_tensors=intermediate_tensors,
            )


class StageWorker(cpu_worker.CPUWorker):
    """The first tensor-parallel rank of every stage drives it; the stock worker knows one driver in all."""

    def __init__(self, *args, is_driver_worker=False, **kwargs):
        # The GPU worker does this, the CPU worker does not: every stage would count the layers of the first one.
        kwargs["vllm_config"].parallel_config.rank = kwargs["rank"]
        super().__init__(*args, is_driver_worker=is_driver_worker and kwargs.get("rank") == 0, **kwargs)
        self.is_driver_worker = self.model_runner.is_driver_worker = is_driver_worker


def experts(
    self,
    layer,
    x,
    use_grouped_topk,
    top_k,
    router_logits,
    renormalize,
    topk_group=None,
    num_expert_group=None,
    custom_routing_function=None,
    scoring_func="softmax",
    e_score_correction_bias=None,
    **unused,
):
    """One expert after the other over the tokens that chose it."""
    weights, chosen = FusedMoE.select_experts(
        hidden_states=x,
        router_logits=router_logits,
        use_grouped_topk=use_grouped_topk,
        top_k=top_k,
        renormalize=renormalize,
        topk_group=topk_group,
        num_expert_group=num_expert_group,
        custom_routing_function=custom_routing_function,
        scoring_func=scoring_func,
        e_score_correction_bias=e_score_correction_bias,
    )
    result = torch.zeros_like(x)
    for expert in chosen.unique().tolist():
        token, place = (chosen == expert).nonzero(as_tuple=True)
        gate, up = (x[token] @ layer.w13_weight[expert].T).chunk(2, dim=-1)
        part = (silu(gate) * up) @ layer.w2_weight[expert].T
        result.index_add_(0, token, (part * weights[token, place, None]).to(x.dtype))
    return result


# The worker looks these up by name, so that is where they are replaced.
cpu_worker.CPUModelRunner = StageRunner
UnquantizedFusedMoEMethod.forward_cpu = experts
UnquantizedFusedMoEMethod.process_weights_after_loading = lambda self, layer: None
