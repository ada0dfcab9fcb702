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
  reload_files:
    description:
      - The same for settings that the service reads when it is reloaded. A running service is reloaded, not restarted,
        when one of them is newer than its start and its last reload.
    type: dict
    default: {}
  programs:
    description:
      - Paths of programs of this node that the service cannot do without. Where one is missing nothing is done, and
        RV(missing) names it, so that it can be installed.
    type: list
    elements: path
    default: []
  undo:
    description:
      - Program and arguments that take back what the service did to the node beside its files. With O(state=absent) it
        is run after the service has been stopped, while its files are there; without those of them that it names, it is
        not run.
    type: list
    elements: str
    default: []
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
reloaded:
  description: Whether a running service was reloaded.
  type: bool
  returned: always
missing:
  description: Programs of O(programs) that are not on this node.
  type: list
  elements: str
  returned: always
"""

import os
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gh200.inference.plugins.module_utils import numa, systemd, unit_files


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
        self.result: dict[str, Any] = {"changed": False, "restarted": False, "reloaded": False, "missing": []}

    def execute(self):
        state = self.look()
        if self.params["state"] == "absent":
            self.remove(state)
        elif self.params["unit"] is None:
            if state["LoadState"] != "not-found":
                self.enable(state)
                self.bring(state, False, False)
        else:
            self.require_programs(state)
            self.require_right()
            changed = self.write_files()
            self.write_companions()
            told = self.write_reloaded()
            if changed or state.get("NeedDaemonReload") == "yes":
                self.systemctl("daemon-reload")
            self.enable(state)
            self.bring(state, changed, told)
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
            "StateChangeTimestampMonotonic",
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

    def require_programs(self, state):
        """Ends here where one is missing, for whoever can bring it."""
        self.result["missing"] = [path for path in self.params["programs"] if not os.path.exists(path)]
        if self.result["missing"]:
            self.module.exit_json(**self.result, active_state=state["ActiveState"])

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

    def write_reloaded(self):
        """What the service reads at a reload; whether it must be told."""
        told = self.params["reload_files"]
        return self.write({path: (text.rstrip("\n") + "\n", 0o644) for path, text in told.items()})

    def write(self, wanted):
        """Write what differs; whether anything did."""
        told = set(self.params["environment"]) | set(self.params["interfaces"])
        public = told - set(self.params["secret_environment"])
        diff = unit_files.write(
            wanted,
            lambda path, text: systemd.redacted(text or "", public, self.unit) if path == self.env_path else text,
            self.module.check_mode,
        )
        self.result["diff"] = self.result.get("diff", []) + diff
        self.result["changed"] = self.result["changed"] or bool(diff)
        return bool(diff)

    def numa_text(self):
        """Text of the file that binds the service to some NUMA nodes, None where nothing is to be bound."""
        bound = numa.properties(numa.binding() if self.params["bind_memory"] else None)
        lines = "".join(f"{name}={value}\n" for name, value in bound.items())
        return f"# The memory of the other NUMA nodes is the GPU's.\n[Service]\n{lines}" if lines else None

    def enable(self, state):
        wanted = "enabled" if self.params["enabled"] else "disabled"
        if state["UnitFileState"] != wanted:
            self.result["changed"] = True
            self.systemctl("enable" if self.params["enabled"] else "disable", self.unit)

    def bring(self, state, changed, told):
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
        # One that is being started reads them anyway.
        elif state["ActiveState"] == "active" and (
            told or unit_files.newer(self.params["reload_files"], state.get("StateChangeTimestampMonotonic"))
        ):
            self.result.update(changed=True, reloaded=True)
            self.systemctl("reload", self.unit)

    def is_stale(self, state):
        """Whether a file is newer than the running process, as after a run that was killed between the two."""
        # The folder of the binding is newer too when the file in it was removed.
        paths = (self.unit_path, self.env_path, self.numa_path, os.path.dirname(self.numa_path), *self.params["reads"])
        return unit_files.newer(paths, state.get("ExecMainStartTimestampMonotonic"))

    def await_active(self):
        if self.module.check_mode:
            return
        deadline = time.monotonic() + self.params["wait"]
        while (state := self.look()["ActiveState"]) != "active":
            if state == "failed" or time.monotonic() > deadline:
                out = self.journal()
                self.module.fail_json(
                    msg=f"The service {self.name} is {state} instead of active after {self.params['wait']} s at most. "
                    f"Its last words: {' '.join(out.split())[-300:]} -- see `journalctl -u {self.name}`.",
                    journal=out.splitlines(),
                )
            time.sleep(0.3)

    def journal(self, *match):
        match = match or ("--unit", self.unit)
        return self.module.run_command(["journalctl", *match, "--lines=20", "--output=cat", "--no-pager"])[1]

    def remove(self, state):
        if state["ActiveState"] not in ("inactive", "failed") or state["UnitFileState"] == "enabled":
            self.result["changed"] = True
            self.systemctl("disable", "--now", self.unit)
        own = (self.unit_path, self.numa_path, self.env_path, *self.params["files"], *self.params["reload_files"])
        there = [path for path in own if os.path.exists(path)]
        if there and set(own) & set(self.params["undo"]) <= set(there):
            self.run(*self.params["undo"])
        for path in there:
            self.result["changed"] = True
            if not self.module.check_mode:
                os.unlink(path)
        if not self.module.check_mode:
            unit_files.drop_empty(os.path.dirname(self.numa_path))
        if self.result["changed"]:
            self.systemctl("daemon-reload")

    def systemctl(self, *words):
        self.run("systemctl", *words)

    def run(self, *argv):
        if self.module.check_mode or not argv:
            return
        rc, dummy, err = self.module.run_command(list(argv))
        if rc != 0:
            # systemctl says that it failed, what it started says why.
            own = (
                self.journal(f"_SYSTEMD_UNIT={self.unit}")
                if argv[1:2] in (("start",), ("restart",), ("reload",))
                else ""
            )
            said = (own.splitlines() or [" ".join(err.split()) or "it said nothing"])[-1].rstrip(".")
            self.module.fail_json(msg=f"`{' '.join(argv)}` failed: {said}. See `journalctl -u {self.name}`.")


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
            "reload_files": {"type": "dict", "default": {}},
            "programs": {"type": "list", "elements": "path", "default": []},
            "undo": {"type": "list", "elements": "str", "default": []},
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
