# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is the same of every lambda_* module: where it runs, and how it behaves."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragments."""

    # Beside ansible.builtin.action_common_attributes, which describes check_mode, diff_mode and platform. The keys of
    # its fragments FLOW and CONN are here.
    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    description: All of it is an action plugin, which runs on the control node, where the API key stays. Nothing is sent
      to a host.
    support: full
  async:
    description: Whether C(async) can be used. It waits by itself, says what for, and has a deadline where it may take
      long.
    support: none
  delegation:
    description: Whether it runs elsewhere under C(delegate_to). It runs on the control node whatever host the task is
      for, and needs none to be reached.
    support: none
  action_group:
    description: Use C(group/gh200.inference.lambda) in C(module_defaults) to set the key, the address and the pace once
      for all modules of the collection.
    support: full
    membership:
      - gh200.inference.lambda
  idempotent:
    description: When run twice with the same options, the second run changes nothing and says so.
  platform:
    description: The operating system of the control node, where this runs, whatever host the task is for.
    support: full
    platforms: posix
"""

    CHANGES = r"""
options: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - It changes nothing.
  diff_mode:
    support: N/A
    details:
      - It changes nothing.
  idempotent:
    support: full
    details:
      - It changes nothing.
"""
