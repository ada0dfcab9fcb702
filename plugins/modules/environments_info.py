#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: environments_info
author: gh200.inference contributors (@gh200)
short_description: Which environments a folder has, and who uses them on this node
version_added: 0.1.0
description:
  - Lists the folders of a folder that have a finished environment of the role P(gh200.inference.venv#role) or are on
    the way to one; with another O(mark), folders of another kind, such as wheels.
  - Tells which processes and services of this node use each of them. Changes nothing.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: posix
options:
  folder:
    description: Folder of the environments. One that is missing has none.
    type: path
    required: true
  mark:
    description: Name of the file that a finished environment has.
    type: str
    default: .complete
"""

EXAMPLES = r"""
- name: See which environments are used
  gh200.inference.environments_info:
    folder: /mnt/shared/venvs
  register: found
"""

RETURN = r"""
environments:
  description: The environments, the newest first.
  type: list
  elements: dict
  returned: always
  contains:
    path:
      description: Its folder.
      type: str
    finished:
      description: Whether it has the mark.
      type: bool
    users:
      description: Processes and services of this node that use it.
      type: list
      elements: str
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gh200.inference.plugins.module_utils import removal


def environments(folder, mark):
    """What the folder has, the newest first; links and what begins with a dot are none."""
    found = []
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        path = os.path.join(folder, name)
        if name.startswith(".") or os.path.islink(path) or not os.path.isdir(path):
            continue
        done = os.path.join(path, mark)
        age = os.stat(done if os.path.exists(done) else path).st_mtime
        found.append((age, {"path": path, "finished": os.path.exists(done), "users": removal.users(path)}))
    return [environment for dummy, environment in sorted(found, key=lambda pair: (-pair[0], pair[1]["path"]))]


def main():
    module = AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "mark": {"type": "str", "default": ".complete"},
        },
        supports_check_mode=True,
    )
    folder = os.path.normpath(module.params["folder"])
    try:
        module.exit_json(changed=False, environments=environments(folder, module.params["mark"]))
    except OSError as error:
        module.fail_json(msg=f"The environments in {folder} could not be looked at on this node: {error}.")


if __name__ == "__main__":
    main()
