#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: systemd_job
author: gh200.inference contributors (@gh200)
short_description: Run a long command as a systemd unit and follow it
version_added: 0.1.0
description:
  - Runs a command or a script on the node as the transient unit C(gh200-job-NAME), so that it goes on when the
    connection drops.
  - The task shows the last line of the job's log while it waits. Run again, it joins the job that is running, or starts
    it where it ended.
  - A job that is done, as O(check_argv) or O(creates) tells, is not started.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
    details: O(check_argv) is run, so it must not change anything.
  diff_mode:
    support: none
  platform:
    platforms: posix
options:
  name:
    description: Name of the job; letters, digits and dashes.
    type: str
    required: true
  label:
    description: What the progress lines call the job. Default is O(name).
    type: str
  argv:
    description: The command. Exactly one of O(argv) and O(script) is needed.
    type: list
    elements: str
  script:
    description: Text that is run by bash, which ends at the first error.
    type: str
  environment:
    description: Environment of the job.
    type: dict
    default: {}
  secret_environment:
    description: More of it. It is handed over in a file that only root reads, which is gone as soon as the job runs.
        A job that is running is joined whatever it was started with here.
    type: dict
    default: {}
  files:
    description:
      - Path and text of programs that the job runs. They are written before it starts, have mode 0644 and hold no
        secrets.
    type: dict
    default: {}
  user:
    description: User who runs the job.
    type: str
    default: root
  chdir:
    description: Working folder.
    type: path
    default: /
  check_argv:
    description: Command that tells by status 0 that there is nothing to do. It is run as O(user), before the job and
      after it.
    type: list
    elements: str
  creates:
    description: Path whose existence tells that there is nothing to do.
    type: path
  state:
    description: V(started) returns as soon as the job runs, V(finished) waits for its end.
    type: str
    choices: [started, finished]
    default: finished
  timeout:
    description: Seconds after which the job is ended and has failed.
    type: int
    default: 3600
  nice:
    description: Scheduling priority, -20 to 19.
    type: int
    default: 0
  memory_max:
    description: Most memory that the job may take, as systemd writes it, for example C(64G).
    type: str
  bind_memory:
    description:
      - Whether the job gets memory only from the NUMA nodes that have CPUs, where another node has memory and no CPUs,
        as the GPU's own on a GH200.
      - On other machines nothing is bound. Needs systemd 243 or later.
    type: bool
    default: true
  poll:
    description: Seconds for which one call on the node waits before it reports progress.
    type: float
    default: 8
  watch:
    description: Invocation of the unit that an earlier call reported. The task sets it by itself.
    type: str
"""

EXAMPLES = r"""
- name: Build the documentation, which takes an hour
  gh200.inference.systemd_job:
    name: docs
    argv: [make, -C, /srv/project, docs]
    creates: /srv/project/docs/index.html
    user: ubuntu
    timeout: 7200

- name: Begin a download and go on
  gh200.inference.systemd_job:
    name: dataset
    script: |
      echo "fetching"
      curl --fail --continue-at - --output /srv/dataset.tar https://example.com/dataset.tar
    check_argv: [sha256sum, --check, --quiet, /srv/dataset.sha256]
    state: started
"""

RETURN = r"""
started:
  description: Whether this task started the job.
  type: bool
  returned: always
finished:
  description: Whether the job is done.
  type: bool
  returned: always
invocation:
  description: Identifier that systemd gave to this run of the job.
  type: str
  returned: when the job runs or ran
seconds:
  description: How long the job has been running, or took.
  type: int
  returned: when the job runs or ran
progress:
  description: Last line of the log.
  type: str
  returned: when the job runs or ran
log:
  description: Path of the log on the node.
  type: str
  returned: always
  sample: /var/log/gh200/vllm-wheel.log
"""

import hashlib
import json
import os
import re
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gh200.inference.plugins.module_utils import numa, systemd

RUN = "/run/gh200/jobs"
LOGS = "/var/log/gh200"
ADVICE = {
    "oom-kill": "it was killed for memory; give it a larger memory_max or a larger node",
    "timeout": "it was ended after its timeout; raise it if the job is only slow",
    "signal": "it was killed by signal {ExecMainStatus}",
    "exit-code": "it ended with status {ExecMainStatus}",
}


class Job:
    """One job on this node."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.name = self.params["name"]
        self.unit = f"gh200-job-{self.name}.service"
        self.log = f"{LOGS}/{self.name}.log"
        told = (
            "argv",
            "script",
            "environment",
            "files",
            "user",
            "chdir",
            "check_argv",
            "creates",
        )
        self.stamp = hashlib.sha256(json.dumps([self.params[key] for key in told], sort_keys=True).encode()).hexdigest()

    def execute(self):
        """The whole of one call."""
        watched = self.params["watch"]
        state = self.look()
        if not watched and not self.is_running(state):
            if self.is_done():
                self.report(state, changed=False, finished=True)
            if self.module.check_mode:
                self.report(state, changed=True, finished=False, started=True)
            self.start()
            state, watched = self.look(), ""
            self.await_end(state, started=True)
        if self.is_running(state) and not watched:
            self.require_same()
        if self.module.check_mode:
            self.report(state, changed=False, finished=False)
        self.await_end(state, started=False)

    def look(self):
        return systemd.show(
            self.module.run_command,
            self.unit,
            "LoadState",
            "ActiveState",
            "SubState",
            "Result",
            "ExecMainStatus",
            "InvocationID",
            "ExecMainStartTimestampMonotonic",
            "ExecMainExitTimestampMonotonic",
        )

    @staticmethod
    def is_running(state):
        return state["ActiveState"] in ("active", "activating", "deactivating") and state["SubState"] != "exited"

    def is_done(self):
        """What the caller asks, not what a unit says: a unit's end is forgotten at the next boot."""
        if self.params["creates"] and os.path.exists(self.params["creates"]):
            return True
        if not self.params["check_argv"]:
            return False
        argv = self.params["check_argv"]
        if self.params["user"] != "root":
            argv = [self.module.get_bin_path("runuser", required=True), "--user", self.params["user"], "--", *argv]
        variables = {name: str(value) for name, value in self.params["environment"].items()}
        return self.module.run_command(argv, cwd="/", environ_update=variables, handle_exceptions=True)[0] == 0

    def require_same(self):
        if systemd.read(f"{RUN}/{self.name}.stamp") != self.stamp:
            self.module.fail_json(
                msg=f"The job {self.name} is running on this node with other parameters. "
                f"Wait for its end (its log is {self.log}) "
                f"or stop it with `systemctl stop {self.unit}`."
            )

    def start(self):
        params, base = self.params, f"{RUN}/{self.name}"
        os.makedirs(LOGS, mode=0o755, exist_ok=True)
        # A unit that ended keeps its name until it is told to go.
        self.module.run_command(["systemctl", "stop", self.unit])
        self.module.run_command(["systemctl", "reset-failed", self.unit])
        for path, text in params["files"].items():
            systemd.write(path, text.rstrip("\n") + "\n", 0o644)
        argv = params["argv"]
        if params["script"] is not None:
            systemd.write(f"{base}.sh", params["script"], 0o755)
            argv = ["/bin/bash", "-euo", "pipefail", f"{base}.sh"]
        systemd.write(f"{base}.stamp", self.stamp, 0o600)
        systemd.write(
            f"{base}.env", systemd.environment_file({**params["environment"], **params["secret_environment"]}), 0o600
        )
        try:
            rc, dummy, err = self.module.run_command([*self.run(f"{base}.env"), "--", *argv])
        finally:
            os.unlink(f"{base}.env")  # read by now: Type=exec returns after the start
        if rc != 0:
            self.module.fail_json(
                msg=f"The job {self.name} could not be started: {err.strip()}. See `journalctl -u {self.unit}`."
            )

    def run(self, environment_file):
        """systemd-run with the job's properties; the program follows."""
        params = self.params
        command = [
            "systemd-run",
            "--quiet",
            "--remain-after-exit",
            f"--unit={self.unit}",
            f"--description={params['label'] or self.name}",
            "--property=Type=exec",
            f"--property=EnvironmentFile={environment_file}",
            f"--property=User={params['user']}",
            f"--property=WorkingDirectory={params['chdir']}",
            f"--property=StandardOutput=truncate:{self.log}",
            "--property=StandardError=inherit",
            f"--property=RuntimeMaxSec={params['timeout']}",
            f"--property=Nice={params['nice']}",
        ]
        if params["memory_max"]:
            command.append(f"--property=MemoryMax={params['memory_max']}")
        bound = numa.binding() if params["bind_memory"] else None
        return command + [f"--property={name}={value}" for name, value in numa.properties(bound).items()]

    def await_end(self, state, started):
        """Wait for a part of the time; report how far it is, or its end."""
        watched = self.params["watch"] or state["InvocationID"]
        deadline, pause = time.monotonic() + self.params["poll"], 0.1
        while self.is_running(state) and state["InvocationID"] == watched:
            if self.params["state"] == "started" or time.monotonic() >= deadline:
                self.report(state, changed=started, finished=False, started=started)
            time.sleep(pause)
            pause = min(pause * 1.5, 1)
            state = self.look()
        if state["InvocationID"] != watched and not self.is_done():
            self.module.fail_json(
                msg=f"The job {self.name} is gone: the node was booted again, or someone started it anew. "
                "Run this again."
            )
        if state["ActiveState"] == "failed":
            self.fail(state)
        if (self.params["check_argv"] or self.params["creates"]) and not self.is_done():
            self.module.fail_json(
                msg=f"The job {self.name} ended well, but what it should have made is not there. "
                f"Its log is {self.log}.",
                **self.words(),
            )
        self.module.run_command(["systemctl", "stop", self.unit])  # it has exited; its name is free again
        self.report(state, changed=started, finished=True, started=started)

    def fail(self, state):
        why = ADVICE.get(state["Result"], "systemd says {Result}").format(**state)
        words = systemd.last_lines(self.log, 12)
        last = next((line.strip() for line in reversed(words) if line.strip()), "nothing")
        self.module.fail_json(
            msg=f"The job {self.name} failed after {self.seconds(state)} s: {why}. Its last line: "
            f"{last[:600]} -- the log is {self.log}.",
            **self.words(),
        )

    def words(self):
        return {"log": self.log, "tail": systemd.last_lines(self.log, 12), "finished": True, "started": False}

    @staticmethod
    def seconds(state):
        begin, end = (int(state.get(f"ExecMain{what}TimestampMonotonic") or 0) / 1e6 for what in ("Start", "Exit"))
        return int((end if end > begin else time.monotonic()) - begin) if begin else 0

    def report(self, state, changed, finished, started=False):
        extra = {}
        if state["LoadState"] != "not-found":
            extra = {
                "invocation": state["InvocationID"],
                "seconds": self.seconds(state),
                "progress": systemd.last_line(self.log),
            }
        self.module.exit_json(changed=changed, finished=finished, started=started, log=self.log, **extra)


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "label": {"type": "str"},
            "argv": {"type": "list", "elements": "str"},
            "script": {"type": "str"},
            "environment": {"type": "dict", "default": {}},
            "secret_environment": {"type": "dict", "default": {}, "no_log": True},
            "files": {"type": "dict", "default": {}},
            "user": {"type": "str", "default": "root"},
            "chdir": {"type": "path", "default": "/"},
            "check_argv": {"type": "list", "elements": "str"},
            "creates": {"type": "path"},
            "state": {"type": "str", "choices": ["started", "finished"], "default": "finished"},
            "timeout": {"type": "int", "default": 3600},
            "nice": {"type": "int", "default": 0},
            "memory_max": {"type": "str"},
            "bind_memory": {"type": "bool", "default": True},
            "poll": {"type": "float", "default": 8},
            "watch": {"type": "str"},
        },
        mutually_exclusive=[("argv", "script")],
        required_one_of=[("argv", "script")],
        supports_check_mode=True,
    )
    if not re.match(r"[A-Za-z0-9-]+$", module.params["name"]):
        module.fail_json(
            msg=f"The job name {module.params['name']!r} has other characters than letters, digits and dashes."
        )
    try:
        Job(module).execute()
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"The job {module.params['name']} could not be handled on this node: {error}")


if __name__ == "__main__":
    main()
