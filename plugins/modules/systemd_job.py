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
  - The task shows how far the job is while it waits, in one line for all hosts that run it. Run again, it joins the job
    that is running, or starts it where it ended.
  - A job that is done, as O(check_argv) or O(creates) tells, is not started.
  - Every job has the environment variable E(GH200_PROGRESS), the path of a file that only this run of the job has. Its
    program may replace the file, in one step, with a JSON object of C(what) (a text), C(step), C(steps), C(done),
    C(total), C(unit) (C(bytes), or a noun), C(rate) (of units per second), C(seconds_left); all but C(what) are
    optional. In O(script) the function C(step 3 7 "Compiling") does that, and prints the line. A job that writes no
    such file is known by a compiler's count in its log (C([12/345])), else by the last line that is no warning.
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
    description: Name of the job; letters, digits and dashes. One of O(name) and O(jobs) is needed.
    type: str
  jobs:
    description:
      - Names of jobs of this node that were begun before, with O(state=started). The task waits for all of them, and
        fails as soon as one has failed.
      - A job that is done already is not waited for. One that was never begun since the node booted is a failure.
    type: list
    elements: str
  meanwhile:
    description: Names of other jobs of this node. The task does not wait for them, but fails when one of them has
      failed.
    type: list
    elements: str
    default: []
  label:
    description: What the progress lines call the job. Default is O(name).
    type: str
  runs_on:
    description:
      - Inventory name of the only host that runs the job or waits for O(jobs). On the other hosts of the task nothing
        is run; they watch the jobs that this run began there with O(state=started), and those of O(meanwhile), until
        that host has ended or one of them fails. Where nothing was begun, they return at once, without a connection.
      - The task heeds it, and it needs as many forks as hosts.
    type: str
  argv:
    description: The command. With O(name), exactly one of O(argv) and O(script) is needed.
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
    description:
      - More of it. It is handed over in a file that only root reads, which is gone as soon as the job runs.
      - A caller who does not have a secret joins a job that was started with it, and the other way round. Another value
        is another job.
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
    description: Names of jobs, and the invocations of their units that an earlier call reported. The task sets it by
      itself.
    type: dict
    default: {}
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

- name: Wait for two that were begun
  gh200.inference.systemd_job:
    jobs: [docs, dataset]
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
  description: How far it is, as its program or its log tells.
  type: dict
  returned: when the job runs or ran
  contains:
    what:
      description: What it does now.
      type: str
    step:
      description: Number of the step, from 1.
      type: int
    steps:
      description: How many steps there are.
      type: int
    done:
      description: How much is done.
      type: float
    total:
      description: How much there is to do.
      type: float
    unit:
      description: Unit of RV(progress.done), RV(progress.total) and RV(progress.rate); V(bytes) or a noun.
      type: str
    rate:
      description: Units per second.
      type: float
    seconds_left:
      description: Seconds until its end, as the program thinks.
      type: float
jobs:
  description: The jobs that were looked at, those of O(meanwhile) included, by name.
  type: dict
  returned: always
  contains:
    label:
      description: What the progress lines call it.
      type: str
    finished:
      description: Whether it has ended.
      type: bool
    seconds:
      description: As RV(seconds).
      type: int
    progress:
      description: As RV(progress).
      type: dict
    invocation:
      description: As RV(invocation).
      type: str
    log:
      description: As RV(log).
      type: str
    kind:
      description: One for all jobs that take about as long, with this label, these parameters and such a machine.
      type: str
log:
  description: Path of the log on the node.
  type: str
  returned: with O(name)
  sample: /var/log/gh200/vllm-wheel.log
"""

import os
import re
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gh200.inference.plugins.module_utils import jobs, progress, systemd

ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str"},
    "jobs": {"type": "list", "elements": "str"},
    "runs_on": {"type": "str"},
    "meanwhile": {"type": "list", "elements": "str", "default": []},
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
    "watch": {"type": "dict", "default": {}},
}


class Call:
    """One call of the module: it waits for one job that it may begin, or for several that were begun."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.looked = {}

    def execute(self):
        """The whole of one call."""
        if self.params["watch"]:
            self.await_end(self.params["watch"], started=False)
        elif self.params["name"]:
            self.run_one(jobs.Job(self.params["name"], self.module.run_command))
        else:
            self.join_many()

    def run_one(self, job):
        """Join it, begin it, or find it done."""
        state = job.look()
        if jobs.is_running(state):
            self.require_same(job)
            if self.module.check_mode:
                self.report({job.name: state}, changed=False, finished=False)
            self.await_end({job.name: state["InvocationID"]}, started=False)
        if self.is_done(self.params):
            if not job.noted() and not self.module.check_mode:
                job.note(jobs.told(self.params))
            self.report({job.name: state}, changed=False, finished=True)
        if self.module.check_mode:
            self.report({job.name: state}, changed=True, finished=False, started=True)
        self.start(job)
        self.await_end({job.name: job.look()["InvocationID"]}, started=True)

    def join_many(self):
        """Those of `jobs` that have a unit; the others must be done."""
        watch, states = {}, {}
        for name in self.params["jobs"]:
            job = jobs.Job(name, self.module.run_command)
            states[name] = job.look()
            if states[name]["LoadState"] != "not-found":
                watch[name] = states[name]["InvocationID"]
            elif not self.module.check_mode:
                self.require_done(job)
        if self.module.check_mode:
            self.report(states, changed=False, finished=not watch)
        self.await_end(watch, started=False)

    def is_done(self, how):
        """What the caller asks, not what a unit says: a unit's end is forgotten at the next boot."""
        if how["creates"] and os.path.exists(how["creates"]):
            return True
        if not how["check_argv"]:
            return False
        argv = how["check_argv"]
        if how["user"] != "root":
            argv = [self.module.get_bin_path("runuser", required=True), "--user", how["user"], "--", *argv]
        variables = {name: str(value) for name, value in how["environment"].items()}
        return self.module.run_command(argv, cwd="/", environ_update=variables, handle_exceptions=True)[0] == 0

    def require_same(self, job):
        """A job of this name that runs must be this one."""
        other = jobs.differences(jobs.told(self.params), job.noted())
        if other:
            self.module.fail_json(
                msg=f"The job {job.name} is running on this node with other parameters ({', '.join(other)}). "
                f"Wait for its end (its log is {job.log}) "
                f"or stop it with `systemctl stop {job.unit}`."
            )

    def require_done(self, job):
        """A job without a unit has ended and was collected, which its work must show; or the node was booted."""
        how = job.noted().get("done")
        if how is None or ((how["check_argv"] or how["creates"]) and not self.is_done(how)):
            self.module.fail_json(
                msg=f"There is no job {job.name} to wait for, and its work is not done: it was not begun since this "
                "node booted, or it was stopped. Run this again from where it is begun."
            )

    def start(self, job):
        params = self.params
        job.free()
        job.prepare(params["user"])
        for path, text in params["files"].items():
            systemd.write(path, text.rstrip("\n") + "\n", 0o644)
        argv = params["argv"]
        if params["script"] is not None:
            systemd.write(f"{job.base}.sh", progress.STEP + params["script"], 0o755)
            argv = ["/bin/bash", "-euo", "pipefail", f"{job.base}.sh"]
        job.note(jobs.told(params))
        variables = {progress.VARIABLE: job.progress, **params["environment"], **params["secret_environment"]}
        systemd.write(f"{job.base}.env", systemd.environment_file(variables), 0o600)
        try:
            rc, dummy, err = self.module.run_command([*jobs.systemd_run(job, params), "--", *argv])
        finally:
            os.unlink(f"{job.base}.env")  # read by now: Type=exec returns after the start
        if rc != 0:
            self.module.fail_json(
                msg=f"The job {job.name} could not be started: {err.strip()}. See `journalctl -u {job.unit}`."
            )

    def await_end(self, watch, started):
        """Wait for a part of the time; report how far they are, or their end."""
        deadline, pause = time.monotonic() + self.params["poll"], 0.1
        left = dict(watch)
        states = {}
        while True:
            for name, invocation in list(left.items()):
                job = jobs.Job(name, self.module.run_command)
                states[name] = job.look()
                if not jobs.is_running(states[name]) or states[name]["InvocationID"] != invocation:
                    self.looked[name] = job.status(states[name])
                    self.collect(job, states[name], invocation)
                    del left[name]
            self.watch_others()
            if not left:
                self.report(states, changed=started, finished=True, started=started)
            if self.params["state"] == "started" or time.monotonic() >= deadline:
                self.report(states, changed=started, finished=False, started=started)
            time.sleep(pause)
            pause = min(pause * 1.5, 1)

    def collect(self, job, state, invocation):
        """A job that ended well, with its work done, is collected; any other is a failure."""
        how = self.params if self.params["name"] else job.noted().get("done") or {"check_argv": None, "creates": None}
        if state["InvocationID"] != invocation and not self.is_done(how):
            self.module.fail_json(
                msg=f"The job {job.name} is gone: someone stopped it or started it anew, or the node was booted again. "
                "Run this again."
            )
        if state["ActiveState"] == "failed":
            self.fail(job, job.failure(state))
        if (how["check_argv"] or how["creates"]) and not self.is_done(how):
            self.fail(
                job, f"The job {job.name} ended well, but what it should have made is not there. Its log is {job.log}."
            )
        self.module.run_command(["systemctl", "stop", job.unit])  # it has exited; its name is free again

    def watch_others(self):
        """A failure of what runs in the background is told now, not when somebody waits for it."""
        for name in self.params["meanwhile"]:
            job = jobs.Job(name, self.module.run_command)
            state = job.look()
            if state["ActiveState"] == "failed":
                self.fail(job, job.failure(state))
            if state["LoadState"] != "not-found":
                self.looked[name] = job.status(state)

    def fail(self, job, sentence):
        words = {"log": job.log, "tail": systemd.last_lines(job.log, 12), "failed_job": job.name}
        self.module.fail_json(msg=sentence, finished=True, started=False, **words)

    def report(self, states, changed, finished, started=False):
        """What was seen; of a call with `name` also beside the others, as it was before there were several."""
        for name, state in states.items():
            if state["LoadState"] != "not-found" and name not in self.looked:
                self.looked[name] = jobs.Job(name, self.module.run_command).status(state)
        extra = {}
        if self.params["name"]:
            mine = self.looked.get(self.params["name"], {})
            extra = {key: mine[key] for key in ("invocation", "seconds", "progress") if key in mine}
            extra["log"] = jobs.Job(self.params["name"], self.module.run_command).log
        self.module.exit_json(changed=changed, finished=finished, started=started, jobs=self.looked, **extra)


def main():
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        mutually_exclusive=[("argv", "script"), ("name", "jobs")],
        required_one_of=[("name", "jobs")],
        required_by={"argv": "name", "script": "name"},
        supports_check_mode=True,
    )
    params = module.params
    if params["name"] is not None and params["argv"] is None and params["script"] is None:
        module.fail_json(msg=f"The job {params['name']} has nothing to run: give argv or script.")
    for name in [params["name"]] if params["name"] is not None else params["jobs"]:
        if not re.fullmatch(r"[A-Za-z0-9-]+", name):
            module.fail_json(msg=f"The job name {name!r} has other characters than letters, digits and dashes.")
    try:
        Call(module).execute()
    except (OSError, ValueError) as error:
        names = params["name"] or ", ".join(params["jobs"])
        module.fail_json(msg=f"The job {names} could not be handled on this node: {error}")


if __name__ == "__main__":
    main()
