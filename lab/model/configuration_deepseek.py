# SPDX-License-Identifier: GPL-3.0-or-later
"""Loaded with --trust-remote-code: the transformers of vLLM 0.7.2 does not know this type yet."""

import typing as t

from transformers.configuration_utils import PretrainedConfig


class DeepseekV3Config(PretrainedConfig):
    """Takes every value from config.json; vLLM reads the ones it needs."""

    model_type = "deepseek_v3"
    keys_to_ignore_at_inference: t.ClassVar[list[t.Any]] = ["past_key_values"]

    def __init__(self, rope_scaling=None, rope_theta=10000.0, **values):
        self.rope_scaling = rope_scaling
        self.rope_theta = rope_theta
        super().__init__(**values)
