# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can be said against an input, in one sentence."""

from __future__ import annotations


class PlanError(ValueError):
    """The plan cannot be made; its text is a sentence for people."""
