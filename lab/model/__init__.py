# SPDX-License-Identifier: GPL-3.0-or-later
"""A DeepSeek-V3 of 15 MB with random weights: the real architecture, the layout of the real repository."""

from ..hub.repository import revision
from .make import CONFIG, make

REPOSITORY = "gh200/DeepSeek-V3-tiny"

__all__ = ["CONFIG", "REPOSITORY", "make", "revision"]
