# SPDX-License-Identifier: GPL-3.0-or-later
"""What the CPU worker lacks where nothing is compiled: the room for what the stage before hands on."""

from vllm.distributed.parallel_state import get_pp_group
from vllm.v1.worker.cpu_worker import CPUWorker


class StageWorker(CPUWorker):
    """vLLM makes that room when it warms up, and on a CPU without compilation it does not."""

    def determine_available_memory(self):
        runner = self.model_runner
        if getattr(runner, "intermediate_tensors", None) is None and not get_pp_group().is_first_rank:
            runner.intermediate_tensors = runner.model.make_empty_intermediate_tensors(
                batch_size=runner.max_num_tokens, dtype=runner.model_config.dtype, device=runner.device
            )
        return super().determine_available_memory()
