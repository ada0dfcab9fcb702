#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: shared_mount
author: gh200.inference contributors (@gh200)
short_description: Find where a shared filesystem is mounted, and prove that nodes see the same one
version_added: 0.1.0
description:
  - Takes the first of some paths that is a mount point. A plain folder is none, so that nothing is put on a local disk
    by mistake.
  - One node writes a small file of random words on the mount, O(proof_state=written), and the others must read them
    there.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    details: The mount is looked for; the proof is neither written nor read nor removed.
  diff_mode:
    support: none
  platform:
    platforms: posix
options:
  paths:
    description: Where the filesystem may be mounted, the likeliest first.
    type: list
    elements: path
    required: true
  allow_folder:
    description: Whether a plain folder will do where none of O(paths) is a mount point. Right for a single node only.
    type: bool
    default: false
  proof:
    description: The RV(proof) that the node returned which wrote it. Needed to read and to remove it.
    type: str
  proof_state:
    description: What is to be done with the file. V(written) and V(absent) are for one node, V(read) for all. Default
      is nothing.
    type: str
    choices: [written, read, absent]
  record:
    description: File on the control node that gets the path that was found, in check mode too; that is not counted as a
      change.
    type: path
  timeout:
    description: Seconds within which a mount must answer; a dead server of a network filesystem never does.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Find the share
  gh200.inference.shared_mount:
    paths: [/lambda/nfs/shared, /home/ubuntu/shared]
  register: share

- name: Show it
  ansible.builtin.debug:
    msg: "{{ share.path }} is {{ share.fstype }} from {{ share.source }}"
"""

RETURN = r"""
path:
  description: The one of O(paths) that was found.
  type: str
  returned: always
  sample: /lambda/nfs/shared
fstype:
  description: Type of the filesystem, empty for a plain folder.
  type: str
  returned: always
  sample: nfs4
source:
  description: What is mounted there, empty for a plain folder.
  type: str
  returned: always
  sample: "10.12.69.21:/export"
proof:
  description: Random name of the file that was written, empty in check mode.
  type: str
  returned: when O(proof_state=written)
"""

import os
import re
import secrets

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gh200.inference.plugins.module_utils import mounts, systemd

MOUNTINFO = "/proc/self/mountinfo"


class Share:
    """The shared filesystem on this node."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.node = os.uname().nodename

    def execute(self):
        found = self.find()
        if self.params["proof_state"] == "written":
            self.params["proof"] = found["proof"] = "" if self.module.check_mode else secrets.token_hex(16)
        if self.params["proof"] and not self.module.check_mode:
            self.prove(found["path"])
        self.module.exit_json(changed=False, **found)

    def find(self):
        """The first mount, or where it is allowed the first folder."""
        for path in self.params["paths"]:
            mount = self.mount(path)
            if mount:
                return {"path": path, **mount}
        folders = [path for path in self.params["paths"] if os.path.isdir(path)]
        if folders and self.params["allow_folder"]:
            return {"path": folders[0], "fstype": "", "source": ""}
        seen = [f"{path} is {'a plain folder' if path in folders else 'not there'}" for path in self.params["paths"]]
        self.module.fail_json(
            msg=f"The shared filesystem is not mounted on {self.node}: {', '.join(seen)}. "
            "Attach it to the instance at its launch, mount it there, or say where it is."
        )

    def mount(self, path):
        """What is mounted there; the kernel mounts some only when they are looked at."""
        timeout = self.module.get_bin_path("timeout", required=True)
        command = [
            timeout,
            "--signal=KILL",
            str(self.params["timeout"]),
            "stat",
            "--file-system",
            "--format=%T",
            f"{path}/.",
        ]
        status = self.module.run_command(command)[0]
        if status not in (0, 1):
            self.module.fail_json(
                msg=f"{path} did not answer within {self.params['timeout']} s on {self.node}: "
                "its server cannot be reached. "
                "Look at `dmesg` and at the network, or replace this node."
            )
        mount = mounts.mount_at(systemd.read(MOUNTINFO) or "", os.path.realpath(path))
        # The place where the automounter would mount something, if it could.
        return None if mount and mount["fstype"] == "autofs" else mount

    def prove(self, path):
        file, state = os.path.join(path, f".shared-mount-{self.params['proof']}"), self.params["proof_state"]
        try:
            if state == "written":
                systemd.write(file, self.params["proof"], 0o644)
            elif state == "absent" and os.path.exists(file):
                os.unlink(file)
            elif state == "read" and systemd.read(file) != self.params["proof"]:
                self.module.fail_json(
                    msg=f"What is mounted at {path} on {self.node} is another filesystem than on the others: "
                    "the file that was written "
                    "there is not in it. Mount the same one on all nodes, or replace this node."
                )
        except OSError as error:
            self.module.fail_json(
                msg=f"{path} is mounted on {self.node}, but cannot be used: {error}. Mount it read and write, "
                "for root too."
            )


def main():
    module = AnsibleModule(
        argument_spec={
            "paths": {"type": "list", "elements": "path", "required": True},
            "allow_folder": {"type": "bool", "default": False},
            "proof": {"type": "str"},
            "proof_state": {"type": "str", "choices": ["written", "read", "absent"]},
            "record": {"type": "path"},
            "timeout": {"type": "int", "default": 30},
        },
        required_if=[("proof_state", "read", ["proof"]), ("proof_state", "absent", ["proof"])],
        supports_check_mode=True,
    )
    if not re.fullmatch(r"[A-Za-z0-9]*", module.params["proof"] or ""):
        module.fail_json(msg="The proof has other characters than letters and digits.")
    Share(module).execute()


if __name__ == "__main__":
    main()
