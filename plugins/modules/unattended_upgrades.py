#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: unattended_upgrades
author: gh200.inference contributors (@gh200)
short_description: Keep packages and services as they are while something runs on them
version_added: 0.1.0
description:
  - Masks the units that upgrade packages by themselves (apt-daily, apt-daily-upgrade, unattended-upgrades), as far as
    they exist. Else they
    may exchange the driver of a GPU under a process that uses it.
  - Where needrestart is installed, it only lists the services that it would restart.
  - A run of apt that one of them has begun is waited for, never interrupted.
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
  state:
    description:
      - V(held) keeps packages as they are, and notes in C(/var/lib/gh200/unattended-upgrades.json) what it masked.
      - V(released) lets packages be upgraded again, whoever masked the units, and starts the timers that are enabled.
      - V(absent) takes back what was noted and nothing else.
    type: str
    choices: [held, released, absent]
    default: held
  timeout:
    description: Seconds for which a run that is in progress may last.
    type: int
    default: 900
"""

EXAMPLES = r"""
- name: Let no package change by itself
  gh200.inference.unattended_upgrades:
    state: held
"""

RETURN = r"""
units:
  description: Units that exist on this node, and that were or are masked or unmasked.
  type: list
  elements: str
  returned: always
"""

import json
import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gh200.inference.plugins.module_utils import removal, systemd

# What starts runs comes before what runs.
TIMERS = ["apt-daily.timer", "apt-daily-upgrade.timer"]
RUNS = ["apt-daily.service", "apt-daily-upgrade.service"]
# Waits for the shutdown and upgrades then.
AT_SHUTDOWN = ["unattended-upgrades.service"]
UNITS = TIMERS + RUNS + AT_SHUTDOWN
NEEDRESTART = "/etc/needrestart"
NOTE = "/var/lib/gh200/unattended-upgrades.json"
TEXT = "# Services are restarted by hand on this node, see the module unattended_upgrades.\n$nrconf{restart} = 'l';\n"


class Hold:
    """What upgrades packages by itself on this node."""

    def __init__(self, module):
        self.module = module
        self.held = module.params["state"] == "held"
        self.conf = f"{NEEDRESTART}/conf.d/gh200.conf"
        self.changed = False
        self.diff = []

    def execute(self):
        states = {unit: state for unit, state in self.look().items() if state["LoadState"] != "not-found"}
        noted = json.loads(systemd.read(NOTE) or "[]")
        differing = [unit for unit, state in states.items() if (state["LoadState"] == "masked") != self.held]
        if self.module.params["state"] == "absent":
            differing = [unit for unit in differing if unit in noted]
        if differing:
            words = ("unmasked", "masked") if self.held else ("masked", "unmasked")
            self.note("units", *("".join(f"{unit}: {word}\n" for unit in differing) for word in words))
        self.remember(sorted({*noted, *differing}) if self.held else [])
        if differing and self.held:
            self.hold(differing)
        elif differing:
            self.release(differing)
        self.needrestart()
        self.module.exit_json(changed=self.changed, diff=self.diff, units=list(states))

    def note(self, header, before, after):
        self.changed = True
        self.diff.append({"before_header": header, "after_header": header, "before": before, "after": after})

    def remember(self, units):
        """Note which units are masked by us: before it is done, so that a run that is killed is taken back too."""
        if self.module.check_mode or units == json.loads(systemd.read(NOTE) or "[]"):
            return
        if units:
            systemd.write(NOTE, json.dumps(units) + "\n", 0o644)
        else:
            os.unlink(NOTE)
            removal.drop_empty(os.path.dirname(NOTE))

    def look(self):
        """Properties of all units, in their order, by one call."""
        command = ["systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState", *UNITS]
        out = self.module.run_command(command, check_rc=True)[1]
        blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in out.strip().split("\n\n")]
        return dict(zip(UNITS, blocks, strict=True))

    def hold(self, units):
        """Timers first, so that nothing begins while a run is waited for.

        A timer that runs when it is masked would fail.
        """
        timers, others = ([unit for unit in units if unit in kind] for kind in (TIMERS, AT_SHUTDOWN))
        if timers:
            self.systemctl("stop", *timers)
        self.await_runs()
        if others:
            self.systemctl("stop", *others)
        self.systemctl("mask", *units)

    def release(self, units):
        self.systemctl("unmask", *units)
        if self.module.check_mode:
            return
        enabled = [
            unit
            for unit, state in self.look().items()
            if unit in units and unit not in RUNS and state["UnitFileState"] == "enabled"
        ]
        if enabled:
            self.systemctl("start", *enabled)

    def await_runs(self):
        deadline = time.monotonic() + self.module.params["timeout"]
        while not self.module.check_mode:
            states = self.look()
            running = [unit for unit in RUNS if states[unit]["ActiveState"] not in ("inactive", "failed")]
            if not running:
                return
            if time.monotonic() > deadline:
                self.module.fail_json(
                    msg=f"{' and '.join(running)} still runs on this node after {self.module.params['timeout']} s, "
                    "and apt must not be interrupted. "
                    f"See `journalctl -u {running[0]}`, then run this again."
                )
            time.sleep(2)

    def needrestart(self):
        before = systemd.read(self.conf)
        after = TEXT if self.held and os.path.isdir(NEEDRESTART) else None
        if before == after:
            return
        self.note(self.conf, before or "", after or "")
        if self.module.check_mode:
            return
        if after is None:
            os.unlink(self.conf)
        else:
            systemd.write(self.conf, after, 0o644)

    def systemctl(self, *words):
        if self.module.check_mode:
            return
        rc, dummy, err = self.module.run_command(["systemctl", *words])
        if rc != 0:
            self.module.fail_json(
                msg=f"`systemctl {' '.join(words)}` failed on this node: {err.strip()}. Look at these units there."
            )


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["held", "released", "absent"], "default": "held"},
            "timeout": {"type": "int", "default": 900},
        },
        supports_check_mode=True,
    )
    try:
        Hold(module).execute()
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"What upgrades packages by itself could not be set on this node: {error}")


if __name__ == "__main__":
    main()
