# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One job on a node, by its name: what systemd says of its unit, what it was begun with, how far it is."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import pwd
import shutil
import time
import typing as t

from ansible_collections.gh200.inference.plugins.module_utils import numa, progress, systemd

RUN = "/run/gh200/jobs"
LOGS = "/var/log/gh200"
# What makes a job the one that it is, and tells when its work is done.
TOLD = ("argv", "script", "environment", "files", "user", "chdir", "check_argv", "creates")
DONE = ("check_argv", "creates", "environment", "user")
PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "ExecMainStatus",
    "InvocationID",
    "ExecMainStartTimestampMonotonic",
    "ExecMainExitTimestampMonotonic",
)
ADVICE = {
    "oom-kill": "it was killed for memory; give it a larger memory_max or a larger node",
    "timeout": "it was ended after its timeout; raise it if the job is only slow",
    "signal": "it was killed by signal {ExecMainStatus}",
    "exit-code": "it ended with status {ExecMainStatus}",
}


class Job:
    """`run_command` is the module's."""

    def __init__(self, name: str, run_command: t.Callable):
        self.name = name
        self.run_command = run_command
        self.unit = f"gh200-job-{name}.service"
        self.log = f"{LOGS}/{name}.log"
        self.base = f"{RUN}/{name}"
        self.progress = f"{self.base}.progress/now.json"

    def look(self) -> dict[str, str]:
        """What systemd says."""
        return systemd.show(self.run_command, self.unit, *PROPERTIES)

    def free(self) -> None:
        """A unit that ended keeps its name until it is told to go."""
        self.run_command(["systemctl", "stop", self.unit])
        self.run_command(["systemctl", "reset-failed", self.unit])

    def note(self, told: dict[str, t.Any]) -> None:
        """Write what the job is begun with. Of secrets there are checksums, in a file that only root reads."""
        systemd.write(f"{self.base}.job", json.dumps(told), 0o600)

    def noted(self) -> dict[str, t.Any]:
        """What note() wrote since the boot, {} where there is nothing, or a stranger's."""
        try:
            told = json.loads(systemd.read(f"{self.base}.job") or "{}")
        except ValueError:
            return {}
        return told if isinstance(told, dict) and isinstance(told.get("parameters"), dict) else {}

    def prepare(self, user: str) -> None:
        """A log folder, and an empty folder for the progress of the run to come, which its user may write to.

        ValueError for a user that is not there.
        """
        try:
            account = pwd.getpwnam(user)
        except KeyError:
            raise ValueError(f"this node has no user {user!r}") from None
        os.makedirs(LOGS, mode=0o755, exist_ok=True)
        folder = os.path.dirname(self.progress)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder, mode=0o755)
        if os.geteuid() == 0:
            os.chown(folder, account.pw_uid, account.pw_gid)

    def status(self, state: dict[str, str]) -> dict[str, t.Any]:
        """What a caller wants to know: label, finished, seconds, progress, invocation, log, kind."""
        noted = self.noted()
        return {
            "label": noted.get("label") or self.name,
            "finished": not is_running(state),
            "seconds": seconds(state),
            "progress": progress.look(self.progress, self.log),
            "invocation": state["InvocationID"],
            "kind": noted.get("kind", ""),
            "log": self.log,
        }

    def failure(self, state: dict[str, str]) -> str:
        """The sentence about a job that failed."""
        why = ADVICE.get(state["Result"], "systemd says {Result}").format(**state)
        words = systemd.last_lines(self.log, 12)
        last = next((line.strip() for line in reversed(words) if line.strip()), "nothing")
        return (
            f"The job {self.name} failed after {seconds(state)} s: {why}. Its last line: "
            f"{last[:600]} -- the log is {self.log}."
        )


def systemd_run(job: Job, params: dict[str, t.Any]) -> list[str]:
    """systemd-run with the job's properties; the program follows."""
    command = [
        "systemd-run",
        "--quiet",
        "--remain-after-exit",
        f"--unit={job.unit}",
        f"--description={params['label'] or job.name}",
        "--property=Type=exec",
        f"--property=EnvironmentFile={job.base}.env",
        f"--property=User={params['user']}",
        f"--property=WorkingDirectory={params['chdir']}",
        f"--property=StandardOutput=truncate:{job.log}",
        "--property=StandardError=inherit",
        f"--property=RuntimeMaxSec={params['timeout']}",
        f"--property=Nice={params['nice']}",
    ]
    if params["memory_max"]:
        command.append(f"--property=MemoryMax={params['memory_max']}")
    bound = numa.binding() if params["bind_memory"] else None
    return command + [f"--property={name}={value}" for name, value in numa.properties(bound).items()]


def told(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """What note() keeps. `kind` is one for all jobs that take about as long: label, parameters, sort of machine."""
    machine = f"{platform.machine()} {os.cpu_count()}"
    parameters = {key: _sum(params[key]) for key in TOLD}
    label = params["label"] or params["name"]
    return {
        "label": label,
        "kind": _sum([label, parameters, machine])[:16],
        "parameters": parameters,
        "secrets": {name: _sum(value) for name, value in params["secret_environment"].items()},
        "done": {key: params[key] for key in DONE},
    }


def differences(mine: dict[str, t.Any], theirs: dict[str, t.Any]) -> list[str]:
    """Names of what a running job was begun with otherwise. A secret that one of both lacks is no difference."""
    known = theirs.get("secrets", {})
    return [key for key, value in mine["parameters"].items() if theirs.get("parameters", {}).get(key) != value] + [
        name for name, value in mine["secrets"].items() if known.get(name, value) != value
    ]


def is_running(state: dict[str, str]) -> bool:
    """Whether a job's unit has not ended."""
    return state["ActiveState"] in ("active", "activating", "deactivating") and state["SubState"] != "exited"


def seconds(state: dict[str, str]) -> int:
    """How long a job has been running, or took; 0 where it never ran."""
    begin, end = (int(state.get(f"ExecMain{what}TimestampMonotonic") or 0) / 1e6 for what in ("Start", "Exit"))
    return int((end if end > begin else time.monotonic()) - begin) if begin else 0


def _sum(value: t.Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
