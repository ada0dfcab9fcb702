# SPDX-License-Identifier: GPL-3.0-or-later
"""A DeepSeek-V3 of 18 MB that has learned some facts: the real architecture, the layout of the real repository.

What is imported here needs neither torch nor transformers; `train` does, and runs in the environment of
lab.reference."""

from ..hub.repository import revision
from .config import CONFIG

REPOSITORY = "gh200/DeepSeek-V3-tiny"
SERVED_NAME = "dsv3-tiny"

__all__ = ["CONFIG", "REPOSITORY", "SERVED_NAME", "revision"]
