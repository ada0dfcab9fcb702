# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_ssh_key: runs on the control node, where the keys stay."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models, ssh_keys

SOURCES = ("public_key", "public_key_file", "private_key_file")


class ActionModule(LambdaAction):
    """One ssh key, by its name."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "public_key": {"type": "str", "no_log": False},
        "public_key_file": {"type": "path", "no_log": False},
        "private_key_file": {"type": "path", "no_log": False},
    }
    RULES: t.ClassVar[dict[str, t.Any]] = {
        "mutually_exclusive": [SOURCES],
        "required_if": [("state", "present", SOURCES, True)],
    }

    def execute(self, client, options):
        name = options["name"]
        found = self.find(client, name)
        if options["state"] == "present":
            return self.present(client, name, found, options)
        if found and not self.is_check:
            client.delete_ssh_key(found.id)
        return results.outcome(for_diff(name, found.public_key) if found else {}, {}, ssh_key={})

    def find(self, client, name):
        """The account's key of exactly this name."""
        return results.only(results.matching(client.ssh_keys(), name=name), f"ssh key named {name}")

    def present(self, client, name, found, options):
        path = options["private_key_file"]
        is_new = bool(path) and not os.path.lexists(path)
        if is_new:
            if found:
                raise errors.CloudError(
                    f"The account has an ssh key named {name} ({found.id}) already, and {path}, "
                    "which should hold its private half, is not there: "
                    "copy it there, or give the public_key, or choose another name. Nothing was changed."
                )
            return self.make(client, name, path)
        public = self.given(options)
        if found:
            if ssh_keys.content(found.public_key) != ssh_keys.content(public):
                raise errors.CloudError(
                    f"The account has an ssh key named {name} ({found.id}) with other content, "
                    "and Lambda cannot change a key: choose another name, "
                    "or remove it first with state: absent. Nothing was changed."
                )
            return results.outcome(
                for_diff(name, found.public_key), for_diff(name, found.public_key), ssh_key=dataclasses.asdict(found)
            )
        added = models.SshKey("", name, public) if self.is_check else self.add(client, name, public)
        return results.outcome({}, for_diff(name, public), ssh_key=dataclasses.asdict(added))

    def make(self, client, name, path):
        """A new pair. Its file comes first: if the import fails, the next run imports it."""
        added = models.SshKey("", name, "")
        ssh_keys.check_folder(path)
        if not self.is_check:
            ssh_keys.generate(path, name)
            added = self.add(client, name, ssh_keys.public_of(path))
        return results.outcome(
            {}, for_diff(name, f"made here, its private half is in {path}"), ssh_key=dataclasses.asdict(added)
        )

    def add(self, client, name, public):
        """Import it; after an answer that says nothing, the account's key counts only if its content is ours."""

        def look():
            there = self.find(client, name)
            return there if there and ssh_keys.content(there.public_key) == ssh_keys.content(public) else None

        return results.create(
            lambda: client.add_ssh_key(name, public), look, f"ssh key named {name} with this content", client.pause
        )

    def given(self, options):
        """The public key that was declared, in whichever way."""
        if options["public_key"]:
            return ssh_keys.checked(options["public_key"], "public_key")
        if options["public_key_file"]:
            return ssh_keys.read_public(options["public_key_file"])
        return ssh_keys.public_of(options["private_key_file"])


def for_diff(name, public_key):
    """What of it is declared."""
    return {"name": name, "public_key": public_key}
