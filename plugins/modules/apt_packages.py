#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_packages
author: gh200.inference contributors (@gh200)
short_description: Packages that can be taken back exactly
version_added: 0.1.0
description:
  - Installs what is missing of some packages, and notes under C(/var/lib/gh200/packages) which packages came to the
    node with them.
  - O(state=absent) removes exactly these, except those that packages of others need by then.
  - With nothing missing it neither reads the archives nor asks apt.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    platforms: debian
options:
  name:
    description: Name of the note; small letters, digits and dashes.
    type: str
    required: true
  packages:
    description: Names of packages, without versions.
    type: list
    elements: str
    default: []
  minimum:
    description: Package, and the oldest version of it that may be installed. An older candidate is refused before
      anything is installed.
    type: dict
    default: {}
  state:
    description: Wanted state.
    type: str
    choices: [present, absent]
    default: present
  masked:
    description:
      - Services that come with the packages and must not run. They are masked while the packages are installed, and
        disabled afterwards; a service of packages that are there already is not touched.
    type: list
    elements: str
    default: []
  cache_valid_time:
    description: Seconds for which the list of what the archives have is taken as it is.
    type: int
    default: 86400
  lock_timeout:
    description: Seconds for which another run of apt is waited for.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Install a compiler
  gh200.inference.apt_packages:
    name: compiler
    packages: [gcc, libc6-dev]

- name: Take it back
  gh200.inference.apt_packages:
    name: compiler
    state: absent
"""

RETURN = r"""
packages:
  description: Packages that were installed or removed, or in check mode those that are missing or would be removed.
  type: list
  elements: str
  returned: always
kept:
  description: Packages of the note that stay, since packages of others need them.
  type: list
  elements: str
  returned: always
"""

import json
import os
import re
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gh200.inference.plugins.module_utils import apt, removal, systemd

NOTES = apt.NOTES
LISTS = "/var/lib/apt/lists"
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}


def to_remove(simulation):
    """Names of packages in the output of `apt-get --simulate`."""
    return {match[1] for match in re.finditer(r"^(?:Remv|Purg) (\S+)", simulation, re.MULTILINE)}


def reason(output):
    """apt's own errors in one line."""
    lines = [line[2:].strip() for line in output.splitlines() if line.startswith(("E:", "W:"))]
    return " ".join(lines[:3]) or " ".join(output.split())[-300:] or "it said nothing"


class Packages:
    """Some packages on this node, and the note of them."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.note = f"{NOTES}/{self.params['name']}.json"

    def execute(self):
        before, provided = self.look()
        noted = json.loads(systemd.read(self.note) or '{"before": null, "packages": []}')
        if noted["before"] is not None:
            # A run was killed while apt worked: what is new since then came by us.
            noted = {"before": None, "packages": sorted(set(noted["packages"]) | before - set(noted["before"]))}
            self.write(noted)
        if self.params["state"] == "absent":
            self.take_back(before, set(noted["packages"]) & before)
        missing = sorted(set(self.params["packages"]) - provided)
        if missing and not self.module.check_mode:
            self.refresh()
            self.require_new_enough(missing)
            self.write({"before": sorted(before), "packages": noted["packages"]})
            self.install(missing)
            noted["packages"] = sorted(set(noted["packages"]) | self.look()[0] - before)
            self.write({"before": None, "packages": noted["packages"]})
        self.end(missing, before="", after="".join(f"{name}\n" for name in missing))

    def look(self):
        return apt.installed(self.module.run_command(list(apt.LISTING), check_rc=True)[1])

    def write(self, note):
        if not self.module.check_mode:
            systemd.write(self.note, json.dumps(note, indent=1) + "\n", 0o644)

    def refresh(self):
        """The archives' lists, if they are old or a source was changed since."""
        read = os.stat(LISTS).st_mtime if os.path.isdir(LISTS) and len(os.listdir(LISTS)) > 2 else 0
        changed = max(os.stat(path).st_mtime for path in ("/etc/apt", "/etc/apt/sources.list.d") if os.path.isdir(path))
        if time.time() - read > self.params["cache_valid_time"] or changed > read:
            self.apt("update")

    def require_new_enough(self, missing):
        for name, minimum in self.params["minimum"].items():
            if name not in missing:
                continue
            out = self.module.run_command(["apt-cache", "policy", name], environ_update=QUIET)[1]
            found = re.search(r"^ +Candidate: (\S+)", out, re.MULTILINE)
            candidate = found[1] if found else "(none)"
            if candidate == "(none)":
                self.module.fail_json(
                    msg=f"No archive of this node has the package {name}, and nothing was installed: choose another "
                    "source, or a newer image."
                )
            if self.module.run_command(["dpkg", "--compare-versions", candidate, "ge", minimum])[0] != 0:
                self.module.fail_json(
                    msg=f"The archives of this node have {name} only as {candidate}, wanted is {minimum} or newer, and "
                    "nothing was installed: choose another source, or a newer image."
                )

    def install(self, missing):
        for unit in self.params["masked"]:
            self.module.run_command(["systemctl", "mask", unit], check_rc=True)
        try:
            self.apt("install", *missing)
        finally:
            for unit in self.params["masked"]:
                self.module.run_command(["systemctl", "unmask", unit])
                self.module.run_command(["systemctl", "disable", unit])

    def take_back(self, before, ours):
        """Remove what the note names, unless that would take packages of others along."""
        going = set(ours)
        if ours and not self.simulate(ours) <= ours:
            going = {name for name in sorted(ours) if self.simulate({name}) <= ours}
        if going and not self.module.check_mode:
            self.apt("purge", *sorted(going))
        if os.path.exists(self.note) and not self.module.check_mode:
            os.unlink(self.note)
            removal.drop_empty(NOTES, os.path.dirname(NOTES))
        self.end(sorted(going), kept=sorted(ours - going), before="".join(f"{name}\n" for name in sorted(going)))

    def simulate(self, names):
        argv = ["apt-get", "--simulate", "purge", *sorted(names)]
        rc, out, err = self.module.run_command(argv, environ_update=QUIET)
        if rc != 0:
            self.module.fail_json(msg=f"apt cannot tell what goes with {' '.join(sorted(names))}: {reason(err)}.")
        return to_remove(out)

    def apt(self, verb, *words):
        options = [f"DPkg::Lock::Timeout={self.params['lock_timeout']}"]
        options += ["Dpkg::Options::=--force-confdef", "Dpkg::Options::=--force-confold", "Acquire::Retries=3"]
        argv = ["apt-get", "--yes", "--quiet", *(word for option in options for word in ("-o", option)), verb, *words]
        rc, out, err = self.module.run_command(argv, environ_update=QUIET)
        if rc != 0:
            what = f"`apt-get {' '.join([verb, *words])}`"
            self.module.fail_json(
                msg=f"{what} failed on this node: {reason(err or out).rstrip('.')}. Look at /etc/apt/sources.list.d "
                "and the connection there, then run this again.",
                tail=out.splitlines()[-12:],
            )

    def end(self, packages, kept=(), before="", after=""):
        diff = {"before_header": "packages", "after_header": "packages", "before": before, "after": after}
        changed = bool(packages)
        self.module.exit_json(changed=changed, packages=packages, kept=list(kept), diff=diff if changed else [])


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "packages": {"type": "list", "elements": "str", "default": []},
            "minimum": {"type": "dict", "default": {}},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "masked": {"type": "list", "elements": "str", "default": []},
            "cache_valid_time": {"type": "int", "default": 86400},
            "lock_timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    if not re.match(r"[a-z0-9-]+$", module.params["name"]):
        module.fail_json(
            msg=f"The name {module.params['name']!r} has other characters than small letters, digits and dashes."
        )
    try:
        Packages(module).execute()
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"The packages of {module.params['name']} could not be handled on this node: {error}")


if __name__ == "__main__":
    main()
