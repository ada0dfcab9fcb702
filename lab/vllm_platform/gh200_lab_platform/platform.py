# SPDX-License-Identifier: GPL-3.0-or-later
"""The CPU platform, without its two restrictions that several nodes cannot live with."""

from vllm.logger import init_logger
from vllm.platforms.cpu import CpuPlatform

# The logger of the module that says these words where there are GPUs.
logger = init_logger("vllm.config")


class LogicalGpuPlatform(CpuPlatform):
    """Keeps Ray as the executor, and counts the GPUs that `ray start --num-gpus` names."""

    ray_device_key = "GPU"

    @classmethod
    def check_and_update_config(cls, vllm_config):
        """As on the CPU, but Ray stays Ray, and DeepSeek is treated as on a GPU."""
        parallel = vllm_config.parallel_config
        wanted = parallel.distributed_executor_backend
        # The CPU platform would say that it takes another executor than Ray, and take it.
        parallel.distributed_executor_backend = "mp"
        super().check_and_update_config(vllm_config)
        parallel.distributed_executor_backend = wanted
        if parallel.worker_cls == "vllm.worker.cpu_worker.CPUWorker":
            parallel.worker_cls = "gh200_lab_platform.worker.StageWorker"
        if vllm_config.model_config.is_deepseek_mla:
            cls._without_caching(vllm_config.scheduler_config, vllm_config.cache_config)

    @staticmethod
    def _without_caching(scheduler, cache):
        """What vLLM does wherever MLA is on. Here MLA is off, since it has no CPU kernel,
        but the attention of the CPU cannot do these two either without a further library."""
        logger.info("MLA is enabled; forcing chunked prefill and prefix caching to be disabled.")
        scheduler.enable_chunked_prefill = False
        scheduler.chunked_prefill_enabled = False
        cache.enable_prefix_caching = False
