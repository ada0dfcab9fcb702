#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_archive
author: gh200.inference contributors (@gh200)
short_description: A package archive and the key that signs it, in one task
version_added: 0.1.0
description:
  - Installs a key, if it is the one with O(fingerprint) and no other is beside it, and adds the archive that it signs.
  - The key that is installed is looked at in every run; one with another fingerprint is replaced.
  - What it made, it notes under C(/var/lib/gh200/archives), and O(state=absent) removes that and nothing else.
  - Needs neither gnupg nor python3-debian on the node, and does not read the archive's index.
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
    description: Name of the files, C(/etc/apt/keyrings/NAME.asc) and C(/etc/apt/sources.list.d/NAME.sources).
    type: str
    required: true
  fingerprint:
    description: Fingerprint of the key, in hexadecimal digits. Needed unless O(state=absent).
    type: str
  state:
    description: Wanted state.
    type: str
    choices: [present, absent]
    default: present
  key:
    description: The key, armoured.
    type: str
  key_url:
    description: Where the key is fetched from, if the right one is neither given nor installed.
    type: str
  uris:
    description: Addresses of the archive. Without them only the key is installed.
    type: list
    elements: str
  suites:
    description: Suites of the archive.
    type: list
    elements: str
    default: []
  components:
    description: Components of the archive.
    type: list
    elements: str
    default: [main]
  retries:
    description: How often the key is fetched again; the pauses are 1, 2, 4 seconds and so on.
    type: int
    default: 5
"""

EXAMPLES = r"""
- name: Fetch the key once, for all hosts
  gh200.inference.apt_archive:
    name: example
    fingerprint: F23C5A6CF475977595C89F51BA6932366A755776
    key_url: https://example.com/key.asc
  register: archive
  run_once: true

- name: Add the archive
  gh200.inference.apt_archive:
    name: example
    fingerprint: F23C5A6CF475977595C89F51BA6932366A755776
    key: "{{ archive.key }}"
    uris: [https://example.com/ubuntu]
    suites: [jammy]
"""

RETURN = r"""
key:
  description: The key that is installed, armoured, for other hosts.
  type: str
  returned: when O(state=present)
"""

import json
import os
import re
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import fetch_url
from ansible_collections.gh200.inference.plugins.module_utils import apt, openpgp, removal, systemd

NOTES = "/var/lib/gh200/archives"


class Archive:
    """One archive on this node."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.wanted = apt.fingerprint(self.params["fingerprint"] or "")
        self.key_path = apt.key_path(self.params["name"])
        self.source_path = apt.source_path(self.params["name"])
        self.note = f"{NOTES}/{self.params['name']}.json"

    def execute(self):
        if self.params["state"] == "absent":
            self.take_back()
        key = self.key()
        texts = {self.key_path: key}
        if self.params["uris"]:
            words = (self.params[name] for name in ("uris", "suites", "components"))
            texts[self.source_path] = apt.source(self.params["name"], *words)
        differing = [path for path, text in texts.items() if apt.differs(path, text)]
        made = [path for path in differing if not os.path.exists(path)]
        if made and not self.module.check_mode:
            systemd.write(self.note, json.dumps(sorted({*self.noted(), *made})) + "\n", 0o644)
        diff = [self.replace(path, texts[path]) for path in differing]
        self.module.exit_json(changed=bool(diff), diff=diff, key=key)

    def noted(self):
        """Paths of the files that were made here, not found."""
        return json.loads(systemd.read(self.note) or "[]")

    def take_back(self):
        gone = [path for path in self.noted() if path in (self.key_path, self.source_path) and os.path.exists(path)]
        diff = [
            {"before_header": path, "after_header": path, "before": systemd.read(path) or "", "after": ""}
            for path in gone
        ]
        if not self.module.check_mode:
            for path in [*gone, *([self.note] if os.path.exists(self.note) else [])]:
                os.unlink(path)
            removal.drop_empty(NOTES, os.path.dirname(NOTES))
        self.module.exit_json(changed=bool(gone), diff=diff)

    def key(self):
        """The right key: given, installed, or fetched. A wrong one that is given is refused, whatever is installed."""
        if self.params["key"]:
            return self.checked(self.params["key"], "that was given")
        # What is installed may be no key, or another.
        if apt.has_key(self.key_path, self.wanted):
            return systemd.read(self.key_path)
        if not self.params["key_url"]:
            self.module.fail_json(
                msg=f"The key {self.wanted} of the archive {self.params['name']} is not installed on this node, "
                "and none was given. "
                "Give key or key_url."
            )
        return self.checked(self.fetched(), f"from {self.params['key_url']}")

    def checked(self, text, origin):
        """The key in our own armour: what is installed is what was looked at."""
        refused = f"The key {origin} was not installed for the archive {self.params['name']}"
        try:
            packets = openpgp.dearmour(text)
            found = openpgp.fingerprints(packets)
        except ValueError as error:
            self.module.fail_json(msg=f"{refused}: {error}. Look at what is there.")
        if found != [self.wanted]:
            self.module.fail_json(
                msg=f"{refused}: its fingerprint is {' and '.join(found) or 'missing'} instead of {self.wanted}. "
                "Somebody may have exchanged it; do not go on before you know why."
            )
        return openpgp.armour(packets)

    def fetched(self):
        info = {}
        for attempt in range(self.params["retries"] + 1):
            answer, info = fetch_url(self.module, self.params["key_url"], timeout=20)
            if info["status"] == 200:
                return answer.read(1 << 20).decode("ascii", "replace")
            if attempt < self.params["retries"]:
                time.sleep(min(2**attempt, 30))
        return self.module.fail_json(
            msg=f"The key of the archive {self.params['name']} could not be fetched from {self.params['key_url']} in "
            f"{self.params['retries'] + 1} attempts: {info['msg']}. Try again later, or name another address for it."
        )

    def replace(self, path, text):
        diff = {"before_header": path, "after_header": path, "before": systemd.read(path) or "", "after": text}
        if not self.module.check_mode:
            systemd.write(path, text, 0o644)
        return diff


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "fingerprint": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "key": {"type": "str", "no_log": False},
            "key_url": {"type": "str", "no_log": False},
            "uris": {"type": "list", "elements": "str"},
            "suites": {"type": "list", "elements": "str", "default": []},
            "components": {"type": "list", "elements": "str", "default": ["main"]},
            "retries": {"type": "int", "default": 5},
        },
        required_if=[("state", "present", ["fingerprint"])],
        supports_check_mode=True,
    )
    if not re.match(r"[a-z0-9-]+$", module.params["name"]):
        module.fail_json(
            msg=f"The name {module.params['name']!r} has other characters than small letters, digits and dashes."
        )
    try:
        Archive(module).execute()
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"The archive {module.params['name']} could not be set up on this node: {error}")


if __name__ == "__main__":
    main()
