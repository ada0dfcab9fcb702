#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tunnel
author: gh200.inference contributors (@gh200)
short_description: Reach a served model from this machine
version_added: 0.1.0
description:
  - Opens an ssh tunnel from the control node to the API and to Ray's dashboard, and serves a page beside it, on free
    ports of C(127.0.0.1). The usual port is taken if it is free.
  - A tunnel that breaks is told, and opened again with growing pauses. No ssh is left when it ends, whatever ends it.
  - It asks for no password, and host keys are checked as O(ssh_config) says.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    description: The operating system of the control node, where this runs, whatever host the task is for.
    platforms: posix
options:
  state:
    description:
      - V(watched) keeps the tunnel open, and the task at work, until Ctrl-C.
      - V(started) leaves it open in the background, and changes nothing where one with the same ends is.
      - V(stopped) ends the one in the background.
    type: str
    choices: [watched, started, stopped]
    default: watched
  host:
    description: Name of the host in O(ssh_config).
    type: str
    required: true
  ssh_config:
    description: A file that M(gh200.inference.ssh_config) wrote, or another configuration of OpenSSH's client.
    type: path
    required: true
  folder:
    description: Where the record and the log of a tunnel in the background are.
    type: path
    required: true
  api:
    description: Address and port of the API, as the host reaches it.
    type: str
    required: true
  dashboard:
    description: The same of Ray's dashboard.
    type: str
    default: 127.0.0.1:8265
  page:
    description: A file to serve. Where it does not exist, none is.
    type: path
  key_file:
    description: File with the key of the API, for the lines that are shown. It is not read.
    type: path
  patience:
    description: Seconds for which a broken tunnel is tried to be opened again.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Reach the endpoint until Ctrl-C
  gh200.inference.tunnel:
    host: r1-00
    ssh_config: ~/.local/state/gh200/r1/ssh_config
    folder: ~/.local/state/gh200/r1
    api: 10.0.0.10:8000

- name: Close the one in the background
  gh200.inference.tunnel:
    state: stopped
    host: r1-00
    ssh_config: ~/.local/state/gh200/r1/ssh_config
    folder: ~/.local/state/gh200/r1
    api: 10.0.0.10:8000
"""

RETURN = r"""
lines:
  description: Where things are, for people.
  type: list
  elements: str
  returned: unless stopped, or predicted
pid:
  description: Process of the tunnel.
  type: int
  returned: started
log:
  description: What it says.
  type: str
  returned: started
"""
