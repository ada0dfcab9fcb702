#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: node_cleanup
author: gh200.inference contributors (@gh200)
short_description: Remove what a role left on a node, by exact names
version_added: 0.1.0
description:
  - Ends jobs of M(gh200.inference.systemd_job), removes files, links and folders, and then the folders around them that
    are empty.
  - Knows no patterns. What is a mount point or has one below it stays, and so does what a process or a service uses.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    platforms: posix
options:
  jobs:
    description: Names of jobs that are ended, if they run, with their logs.
    type: list
    elements: str
    default: []
  paths:
    description: Files, links and whole folders to remove.
    type: list
    elements: path
    default: []
  links_to:
    description: Path of a link, and where it leads; it is removed only if it leads there.
    type: dict
    default: {}
  manifests:
    description: JSON files whose keys C(files) and C(former) name files beside and below them. Exactly these are
      removed, and the manifest.
    type: list
    elements: path
    default: []
  empty_folders:
    description: Folders that are removed if they are empty then, in this order.
    type: list
    elements: path
    default: []
  mark:
    description: Name of a file that a folder of O(paths) must have to be removed; else it is somebody else's, and the
      task fails.
    type: str
  unused:
    description: Whether the task fails when a process or a service of this node uses something of O(paths).
    type: bool
    default: false
  apart_from:
    description: Services, without suffix, whose use does not count for O(unused), such as those that a prediction has
      not stopped.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Remove an environment, unless something runs from it
  gh200.inference.node_cleanup:
    paths: [/opt/gh200/venv]
    mark: .complete
    unused: true
    empty_folders: [/opt/gh200]
"""

RETURN = r"""
removed:
  description: What was removed, or would be.
  type: list
  elements: str
  returned: always
kept:
  description: Folders of a manifest that have files which it does not name.
  type: list
  elements: str
  returned: always
"""

import os
import re

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gh200.inference.plugins.module_utils import removal, systemd

RUN = "/run/gh200/jobs"
LOGS = "/var/log/gh200"


class Cleanup:
    """What is to go from this node."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.removed: list[str] = []
        self.kept: list[str] = []

    def execute(self):
        mounts = systemd.read("/proc/self/mounts") or ""
        paths = [removal.allowed(path, mounts) for path in self.params["paths"]]
        for path in paths:
            self.require_ours(path)
        named = {manifest: removal.named_files(manifest) for manifest in self.params["manifests"]}
        for job in self.params["jobs"]:
            self.end(job)
        for link, target in self.params["links_to"].items():
            if os.path.islink(link) and os.readlink(link) == target:
                self.remove(link)
        for path in paths:
            self.remove(path)
        for manifest, files in named.items():
            self.empty(manifest, files)
        # Folders that all jobs share go with the last one's files.
        shared = [RUN, os.path.dirname(RUN), LOGS] if self.params["jobs"] else []
        for folder in [*self.params["empty_folders"], *shared]:
            self.drop(folder)
        before = "".join(f"{path}\n" for path in self.removed)
        diff = {"before_header": "removed", "after_header": "removed", "before": before, "after": ""}
        self.module.exit_json(changed=bool(before), diff=diff, removed=self.removed, kept=self.kept)

    def require_ours(self, path):
        """Before anything is touched."""
        if not os.path.lexists(path):
            return
        mark = self.params["mark"]
        if mark and os.path.isdir(path) and os.listdir(path) and not os.path.lexists(os.path.join(path, mark)):
            raise removal.Refused(
                f"{path} on this node is not removed: it has no {mark}, so this role did not make it. "
                "Remove it by hand, or name another path."
            )
        apart_from = [f"{name}.service" for name in self.params["apart_from"]]
        used = removal.users(path, apart_from=apart_from) if self.params["unused"] else []
        if used:
            raise removal.Refused(
                f"{path} on this node is in use by {', '.join(used[:5])}{' and others' if used[5:] else ''}, and was "
                "not removed: stop these first."
            )

    def end(self, job):
        """The job's unit, by its exact name, and its files."""
        unit = f"gh200-job-{job}.service"
        if systemd.show(self.module.run_command, unit, "LoadState")["LoadState"] != "not-found":
            self.removed.append(unit)
            if not self.module.check_mode:
                self.module.run_command(["systemctl", "stop", unit])
                self.module.run_command(["systemctl", "reset-failed", unit])
        # All of a job's files are named after it, and a job's name has no dot.
        for folder in (RUN, LOGS):
            for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
                if name.partition(".")[0] == job:
                    self.remove(f"{folder}/{name}")

    def remove(self, path):
        if os.path.lexists(path):
            self.removed.append(path)
            if not self.module.check_mode:
                removal.remove(path)

    def empty(self, manifest, files):
        for path in [*files, manifest]:
            self.remove(path)
        for folder in removal.emptied(manifest, files):
            self.drop(folder)
        if self.left(os.path.dirname(manifest)) and files:
            self.kept.append(os.path.dirname(manifest))

    def left(self, folder):
        """What is in a folder besides what was removed, or would be; None if there is no such folder."""
        if not os.path.isdir(folder) or os.path.islink(folder):
            return None
        return [name for name in os.listdir(folder) if os.path.join(folder, name) not in self.removed]

    def drop(self, folder):
        """A folder that is empty, or would be."""
        folder = os.path.normpath(folder)
        if self.left(folder) == [] and folder not in self.removed and not os.path.ismount(folder):
            self.removed.append(folder)
            if not self.module.check_mode:
                os.rmdir(folder)


def main():
    module = AnsibleModule(
        argument_spec={
            "jobs": {"type": "list", "elements": "str", "default": []},
            "paths": {"type": "list", "elements": "path", "default": []},
            "links_to": {"type": "dict", "default": {}},
            "manifests": {"type": "list", "elements": "path", "default": []},
            "empty_folders": {"type": "list", "elements": "path", "default": []},
            "mark": {"type": "str"},
            "unused": {"type": "bool", "default": False},
            "apart_from": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    odd = [job for job in module.params["jobs"] if not re.match(r"[A-Za-z0-9-]+$", job)]
    if odd:
        module.fail_json(msg=f"The job name {odd[0]!r} has other characters than letters, digits and dashes.")
    try:
        Cleanup(module).execute()
    except removal.Refused as refused:
        module.fail_json(msg=str(refused))
    except OSError as error:
        module.fail_json(msg=f"Something could not be removed from this node: {error}. Look at it there.")


if __name__ == "__main__":
    main()
