#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: systemd_unit
author: gh200.inference contributors (@gh200)
short_description: A service with its environment, in one task
version_added: 0.1.0
description:
  - Writes the unit file and the environment file of a service, and brings the service to the wanted state.
  - A running service is restarted when one of its files is newer than its start, so a run that was killed in between is
    made up for.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Values of O(secret_environment) are never shown.
  platform:
    platforms: posix
options:
  name:
    description: Name of the service, without C(.service).
    type: str
    required: true
  unit:
    description: Text of the unit file. Needed for O(state=started). Without it O(state=stopped) writes nothing.
    type: str
  environment:
    description: Variables for the environment file.
    type: dict
    default: {}
  secret_environment:
    description: More of them, which no output shows.
    type: dict
    default: {}
  interfaces:
    description:
      - Further variables for the environment file, each with an address of this node. The variable gets the name of the
        interface that has the address.
    type: dict
    default: {}
  environment_file:
    description: Path of the environment file; it belongs to root and has mode 0600. Default is C(/etc/gh200/NAME.env).
    type: path
  reads:
    description: Environment files of other services that this one reads too. A running service that is older than one
      of them is restarted.
    type: list
    elements: path
    default: []
  files:
    description:
      - Path and text of programs and settings that belong to the service and that it does not read itself, such as its
        health check.
      - They have mode 0644, hold no secrets, and a change of them restarts nothing.
    type: dict
    default: {}
  check_argv:
    description:
      - Command that must end with status 0 before another unit file is written. Else nothing is written or
        restarted, and the last line of what it wrote to stderr is the error.
      - In check mode it may be missing.
    type: list
    elements: str
  check_input:
    description: Input of O(check_argv), for example a program.
    type: str
  state:
    description: Wanted state. V(absent) stops and disables the service and removes its files.
    type: str
    choices: [started, stopped, absent]
    default: started
  enabled:
    description: Whether the service starts at boot.
    type: bool
    default: true
  bind_memory:
    description:
      - Whether the service gets memory only from the NUMA nodes that have CPUs, where another node has memory and no
        CPUs,
        as the GPU's own on a GH200. It is told to systemd (243 or later) by the file
        C(/etc/systemd/system/NAME.service.d/gh200-numa.conf).
      - On other machines nothing is bound, and there is no such file.
    type: bool
    default: true
  wait:
    description: Seconds for which the service may take to become active.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Run a service with a key that no process list shows
  gh200.inference.systemd_unit:
    name: example
    unit: |
      [Service]
      EnvironmentFile=/etc/gh200/example.env
      ExecStart=/usr/local/bin/example
      [Install]
      WantedBy=multi-user.target
    environment:
      EXAMPLE_PORT: 8080
    secret_environment:
      EXAMPLE_KEY: "{{ vault_example_key }}"
"""

RETURN = r"""
active_state:
  description: State of the service at the end, as systemd names it.
  type: str
  returned: always
  sample: active
restarted:
  description: Whether a running service was restarted.
  type: bool
  returned: always
"""

import os
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gh200.inference.plugins.module_utils import numa, systemd

# A variable of an environment file, over as many lines as its quotes reach; or any other line that is not empty.


class Service:
    """One service on this node."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.name = self.params["name"]
        self.unit = f"{self.name}.service"
        self.unit_path = f"/etc/systemd/system/{self.unit}"
        self.numa_path = f"{self.unit_path}.d/gh200-numa.conf"
        self.env_path = self.params["environment_file"] or f"/etc/gh200/{self.name}.env"
        self.result: dict[str, Any] = {"changed": False, "restarted": False}

    def execute(self):
        state = self.look()
        if self.params["state"] == "absent":
            self.remove(state)
        elif self.params["unit"] is None:
            if state["LoadState"] != "not-found":
                self.enable(state)
                self.bring(state, False)
        else:
            self.require_right()
            changed = self.write_files()
            self.write_companions()
            if changed or state.get("NeedDaemonReload") == "yes":
                self.systemctl("daemon-reload")
            self.enable(state)
            self.bring(state, changed)
        self.result["active_state"] = self.look()["ActiveState"]
        self.module.exit_json(**self.result)

    def look(self):
        return systemd.show(
            self.module.run_command,
            self.unit,
            "LoadState",
            "ActiveState",
            "SubState",
            "UnitFileState",
            "NeedDaemonReload",
            "ExecMainStartTimestampMonotonic",
        )

    def require_right(self):
        """What would be refused at its start is refused while the one before it runs."""
        argv = self.params["check_argv"]
        if not argv or systemd.read(self.unit_path) == self.unit_text():
            return
        rc, dummy, err = self.module.run_command(argv, data=self.params["check_input"], binary_data=True, cwd="/")
        # What runs it comes with an environment that is not there before the first run.
        if rc == 0 or (rc in (126, 127) and self.module.check_mode):
            return
        said = (err.strip().splitlines() or [f"`{argv[0]}` ended with status {rc}"])[-1]
        self.module.fail_json(msg=f"{said} The service {self.name} was not changed.")

    def unit_text(self):
        return self.params["unit"].rstrip("\n") + "\n"

    def write_files(self):
        """The environment first, so that a unit never starts with an older one; whether the service must be told."""
        variables = {**self.interfaces(), **self.params["environment"], **self.params["secret_environment"]}
        return self.write(
            {
                self.env_path: (systemd.environment_file(variables), 0o600),
                self.numa_path: (self.numa_text(), 0o644),
                self.unit_path: (self.unit_text(), 0o644),
            }
        )

    def interfaces(self):
        """Variable to name of the interface that has the address; ValueError for an address that is not this node's."""
        wanted = self.params["interfaces"]
        found = {name: systemd.interface(self.module.run_command, name) for name in set(wanted.values())}
        return {name: found[address] for name, address in wanted.items()}

    def write_companions(self):
        """What belongs to the service and is none of its own."""
        self.write({path: (text.rstrip("\n") + "\n", 0o644) for path, text in self.params["files"].items()})

    def write(self, wanted):
        """Write what differs; whether anything did."""
        before = {path: systemd.read(path) for path in wanted}
        changed = [
            path
            for path, (text, mode) in wanted.items()
            if before[path] != text or (text is not None and os.stat(path).st_mode & 0o777 != mode)
        ]
        self.result["diff"] = self.result.get("diff", []) + [
            {
                "before_header": path,
                "after_header": path,
                "before": self.shown(path, before[path]),
                "after": self.shown(path, wanted[path][0]),
            }
            for path in changed
        ]
        for path in changed:
            self.result["changed"] = True
            if self.module.check_mode:
                continue
            if wanted[path][0] is None:
                os.unlink(path)
            else:
                systemd.write(path, *wanted[path])
        return bool(changed)

    def numa_text(self):
        """Text of the file that binds the service to some NUMA nodes, None where nothing is to be bound."""
        bound = numa.properties(numa.binding() if self.params["bind_memory"] else None)
        lines = "".join(f"{name}={value}\n" for name, value in bound.items())
        return f"# The memory of the other NUMA nodes is the GPU's.\n[Service]\n{lines}" if lines else None

    def shown(self, path, text):
        """The text for the diff.

        Of the environment, only what is known to be no secret: the file may still have one from before.
        """
        if path != self.env_path:
            return text or ""
        told = set(self.params["environment"]) | set(self.params["interfaces"])
        return systemd.redacted(text or "", told - set(self.params["secret_environment"]), self.unit)

    def enable(self, state):
        wanted = "enabled" if self.params["enabled"] else "disabled"
        if state["UnitFileState"] != wanted:
            self.result["changed"] = True
            self.systemctl("enable" if self.params["enabled"] else "disable", self.unit)

    def bring(self, state, changed):
        running = state["ActiveState"] in ("active", "activating", "reloading")
        if self.params["state"] == "stopped":
            if running:
                self.result["changed"] = True
                self.systemctl("stop", self.unit)
        elif not running:
            self.result["changed"] = True
            self.systemctl("start", self.unit)
            self.await_active()
        elif changed or self.is_stale(state):
            self.result.update(changed=True, restarted=True)
            self.systemctl("restart", self.unit)
            self.await_active()

    def is_stale(self, state):
        """Whether a file is newer than the running process, as after a run that was killed between the two."""
        begin = int(state.get("ExecMainStartTimestampMonotonic") or 0) / 1e6
        started = time.time() - (time.monotonic() - begin)
        # The folder of the binding is newer too when the file in it was removed.
        paths = (self.unit_path, self.env_path, self.numa_path, os.path.dirname(self.numa_path), *self.params["reads"])
        return bool(begin) and any(os.path.exists(path) and os.stat(path).st_mtime > started for path in paths)

    def await_active(self):
        if self.module.check_mode:
            return
        deadline = time.monotonic() + self.params["wait"]
        while (state := self.look()["ActiveState"]) != "active":
            if state == "failed" or time.monotonic() > deadline:
                out = self.module.run_command(
                    ["journalctl", "--unit", self.unit, "--lines=20", "--output=cat", "--no-pager"]
                )[1]
                self.module.fail_json(
                    msg=f"The service {self.name} is {state} instead of active after {self.params['wait']} s at most. "
                    f"Its last words: {' '.join(out.split())[-300:]} -- see `journalctl -u {self.name}`.",
                    journal=out.splitlines(),
                )
            time.sleep(0.3)

    def remove(self, state):
        if state["ActiveState"] not in ("inactive", "failed") or state["UnitFileState"] == "enabled":
            self.result["changed"] = True
            self.systemctl("disable", "--now", self.unit)
        for path in (self.unit_path, self.numa_path, self.env_path, *self.params["files"]):
            if os.path.exists(path):
                self.result["changed"] = True
                if not self.module.check_mode:
                    os.unlink(path)
        self.drop_folder()
        if self.result["changed"]:
            self.systemctl("daemon-reload")

    def drop_folder(self):
        """Remove the folder of the binding, unless others have files there."""
        folder = os.path.dirname(self.numa_path)
        if not self.module.check_mode and os.path.isdir(folder) and not os.listdir(folder):
            os.rmdir(folder)

    def systemctl(self, *words):
        if self.module.check_mode:
            return
        rc, dummy, err = self.module.run_command(["systemctl", *words])
        if rc != 0:
            self.module.fail_json(
                msg=f"`systemctl {' '.join(words)}` failed: {err.strip()}. See `journalctl -u {self.name}`."
            )


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "unit": {"type": "str"},
            "environment": {"type": "dict", "default": {}},
            "secret_environment": {"type": "dict", "default": {}, "no_log": True},
            "interfaces": {"type": "dict", "default": {}},
            "environment_file": {"type": "path"},
            "reads": {"type": "list", "elements": "path", "default": []},
            "files": {"type": "dict", "default": {}},
            "check_argv": {"type": "list", "elements": "str"},
            "check_input": {"type": "str"},
            "state": {"type": "str", "choices": ["started", "stopped", "absent"], "default": "started"},
            "enabled": {"type": "bool", "default": True},
            "bind_memory": {"type": "bool", "default": True},
            "wait": {"type": "int", "default": 60},
        },
        required_if=[("state", "started", ["unit"])],
        supports_check_mode=True,
    )
    try:
        Service(module).execute()
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"The service {module.params['name']} could not be set up on this node: {error}")


if __name__ == "__main__":
    main()
