#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: python311_info
author: gh200.inference contributors (@gh200)
short_description: Which Python 3.11 a node has, and what it lacks of its source
version_added: 0.1.0
description:
  - Runs an interpreter to learn its version, and compares what its source should have left on the node with what is
    there. Changes nothing, and asks no network.
  - The role P(gh200.inference.python311#role) does something where RV(wanting) has something.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    platforms: debian
options:
  path:
    description: Path of the interpreter.
    type: path
    required: true
  source:
    description: Where it comes from. V(auto) is V(deadsnakes) on Ubuntu and V(distribution) elsewhere.
    type: str
    choices: [auto, distribution, deadsnakes, uv]
    default: auto
  packages:
    description: Packages that must be installed; not for O(source=uv).
    type: list
    elements: str
    default: []
  uri:
    description: Address of the archive, for O(source=deadsnakes).
    type: str
  fingerprint:
    description: Fingerprint of the key of the archive, for O(source=deadsnakes).
    type: str
  mark:
    description: File that must have O(sha256) as a line, for O(source=uv).
    type: path
  sha256:
    description: Checksum of what was unpacked, for O(source=uv).
    type: str
"""

EXAMPLES = r"""
- name: Look at the distribution's Python
  gh200.inference.python311_info:
    path: /usr/bin/python3.11
    source: distribution
    packages: [python3.11, python3.11-venv]
  register: python
"""

RETURN = r"""
source:
  description: Where it comes from.
  type: str
  returned: always
  sample: deadsnakes
wanting:
  description: Packages and files that are not there, or not as they should be.
  type: list
  elements: str
  returned: always
version:
  description: Version of the interpreter; empty where none can be run.
  type: str
  returned: always
  sample: 3.11.11
level:
  description: V(final) for a release; empty where no interpreter can be run.
  type: str
  returned: always
said:
  description: What the interpreter said, or why it could not be run.
  type: str
  returned: always
  sample: 3.11.11 final
"""

import json
import os
import re

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.sys_info import get_distribution, get_distribution_codename
from ansible_collections.gh200.inference.plugins.module_utils import apt, systemd

QUESTION = "import platform, sys; print(platform.python_version(), sys.version_info.releaselevel)"
ARCHIVE = "deadsnakes"
NOTE = "python311"


class Python:
    """One interpreter on this node."""

    def __init__(self, module):
        self.module = module
        self.params = module.params

    def execute(self):
        source = self.params["source"]
        if source == "auto":
            source = "deadsnakes" if get_distribution() == "Ubuntu" else "distribution"
        wanting = self.unpacked() if source == "uv" else self.packages()
        if source == "deadsnakes":
            wanting = self.archive() + wanting
        self.module.exit_json(changed=False, source=source, wanting=wanting, **self.interpreter())

    def interpreter(self):
        """Version, level, and what was said."""
        path = self.params["path"]
        if not os.access(path, os.X_OK):
            return {"version": "", "level": "", "said": "missing"}
        rc, out, err = self.module.run_command([path, "-c", QUESTION], handle_exceptions=True)
        words = out.split()
        if rc != 0 or len(words) != 2:
            return {"version": "", "level": "", "said": ((err or out).strip().splitlines() or ["silent"])[-1]}
        return {"version": words[0], "level": words[1], "said": out.strip()}

    def packages(self):
        """Those that are missing; all of them where a run was killed while apt worked."""
        noted = json.loads(systemd.read(f"{apt.NOTES}/{NOTE}.json") or "{}")
        if noted.get("before") is not None:
            return sorted(self.params["packages"])
        provided = apt.installed(self.module.run_command(list(apt.LISTING), check_rc=True)[1])[1]
        return sorted(set(self.params["packages"]) - provided)

    def archive(self):
        """Its files that are not as they should be: the key's fingerprint decides."""
        wanted = apt.source(ARCHIVE, [self.params["uri"] or ""], [get_distribution_codename() or ""], ["main"])
        key, source = apt.key_path(ARCHIVE), apt.source_path(ARCHIVE)
        right_key = apt.has_key(key, apt.fingerprint(self.params["fingerprint"] or ""))
        return [path for path, right in ((key, right_key), (source, not apt.differs(source, wanted))) if not right]

    def unpacked(self):
        """The mark, unless it tells that this archive was unpacked."""
        is_whole = re.fullmatch(r"[0-9a-f]{64}", self.params["sha256"] or "")
        lines = (systemd.read(self.params["mark"] or "") or "").splitlines()
        return [] if is_whole and self.params["sha256"] in lines else [self.params["mark"] or self.params["path"]]


def main():
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "source": {
                "type": "str",
                "choices": ["auto", "distribution", "deadsnakes", "uv"],
                "default": "auto",
            },
            "packages": {"type": "list", "elements": "str", "default": []},
            "uri": {"type": "str"},
            "fingerprint": {"type": "str"},
            "mark": {"type": "path"},
            "sha256": {"type": "str"},
        },
        supports_check_mode=True,
    )
    try:
        Python(module).execute()
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"Python at {module.params['path']} could not be looked at on this node: {error}.")


if __name__ == "__main__":
    main()
