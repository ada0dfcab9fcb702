# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a load test is within its limits, and how it compares."""

from __future__ import annotations

DOCUMENTATION = r"""
name: load_judgement
author: gh200.inference contributors (@gh200)
short_description: Judge the result of a load test
version_added: 0.1.0
description:
  - Compares a result of O(_input) with limits, and with an earlier result and the spread of both tests' runs.
  - A difference is beyond the spread where no run of the one test is among those of the other, with three runs of each
    or more.
positional: limits, earlier
options:
  _input:
    description: The result, as P(gh200.inference.load_result#filter) reads it.
    type: dict
    required: true
  limits:
    description: C(min_tokens_per_second), C(max_first_token_p99), C(max_inter_token_p99) (seconds; 0 is none),
      C(max_error_rate) (a share), C(fail_if_slower).
    type: dict
    required: true
  earlier:
    description: An earlier result.
    type: dict
"""

EXAMPLES = r"""
- name: Judge a test
  ansible.builtin.set_fact:
    judged: "{{ result | gh200.inference.load_judgement(limits) }}"
"""

RETURN = r"""
_value:
  description: The RV(_value.result) itself, what the report takes (RV(_value.page)), and what is told.
  type: dict
  contains:
    result:
      description: The result.
      type: dict
    page:
      description: What stands in the report.
      type: dict
    failures:
      description: A sentence for each limit that is not kept.
      type: list
    compared:
      description: Figures of both tests, and whether they differ beyond the spread.
      type: list
    lines:
      description: A line for each number of requests at once, and for each figure that was compared.
      type: list
"""

import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.load_test.judge import judge


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, t.Any]:
        """Name to function."""
        return {"load_judgement": judge}
