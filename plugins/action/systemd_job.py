# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Follows jobs on a node: asks again and again, tells how far they are, bears a lost connection, and ends early when
another host of the task has failed.
"""

from __future__ import annotations

import time

import ansible.constants as C
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.gh200.inference.plugins.plugin_utils import interrupt
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import state_dir
from ansible_collections.gh200.inference.plugins.plugin_utils.jobs import board
from ansible_collections.gh200.inference.plugins.plugin_utils.jobs.teller import Teller

display = Display()

UNREACHABLE_FOR = 300  # seconds for which a node may be out of reach before the task gives up
WATCH_EVERY = 15  # seconds between two looks at jobs that nobody waits for
NOT_SEEN_FOR = 60  # seconds for which the host of `runs_on` may not have begun


class ActionModule(ActionBase):
    """One module call per few seconds, so that no connection has to live for the length of the job."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        self.host = task_vars.get("inventory_hostname", "")
        self.task_vars = task_vars
        is_other = args.get("runs_on") not in (None, "", self.host)
        names = [args["name"]] if args.get("name") else list(args.get("jobs") or [])
        self.label = "background jobs" if is_other else args.get("label") or ", ".join(names) or "jobs"
        self.names, self.about = [] if is_other else names, " ".join(names)
        if self._task.check_mode:
            return {"changed": False, "finished": True} if is_other else self._call(args)
        try:
            temporary = vars(C)["DEFAULT_LOCAL_TMP"]
            self.board = board.Board(temporary, self._task._uuid, self.host, " ".join(self.names))
            if args.get("state") == "started":
                return {"changed": False, "finished": True} if is_other else self._begin(args)
            labels = {args["name"]: self.label} if args.get("name") else {}
            folder = state_dir.state_folder(self._state_dir())
            self.teller = Teller(self.board, folder, display.display, display.warning, labels)
            with interrupt.telling(self._interrupted):
                return self._concluded(self._watch(args) if is_other else self._follow(args))
        except AnsibleConnectionFailure as error:
            self.board.put(board.FAILED, sentence=f"{self.host} cannot be reached ({error}).")
            raise
        except OSError as error:
            raise AnsibleActionFail(
                f"The waiting for {self.label} on {self.host} ended on this machine: {state_dir.reason(error)}. "
                "What runs on the nodes goes on, and is joined when this is run again."
            ) from error

    def _begin(self, args):
        """Start it, and have those who wait later in this run notice when it fails."""
        result = self._call(args)
        if not result.get("failed") and not result.get("finished"):
            for name in self.names:
                self.board.note_background(name)
        return result

    def _follow(self, args):
        """Until the end of what this task waits for, or a failure anywhere."""
        self.board.put(board.BEGUN)
        ended = self._ended_elsewhere(False)
        if ended:
            return ended
        args["meanwhile"] = self._meanwhile(args)
        result = self._call(args)
        changed, started = result.get("changed", False), result.get("started", False)
        deadline = time.monotonic() + int(args.get("timeout", 3600)) + 120
        while not result.get("failed") and not result.get("finished"):
            self._tell(result, started)
            ended = self._ended_elsewhere(changed)
            if ended:
                return ended
            if time.monotonic() > deadline:
                logs = ", ".join(job["log"] for job in result["jobs"].values() if not job["finished"])
                return {
                    "failed": True,
                    "changed": changed,
                    "msg": f"{self.label} on {self.host} is still running after its timeout; its log is {logs}.",
                }
            # One of several that has ended is looked at no more; it is told of with the others all the same.
            before = result["jobs"]
            result = self._patient_call({**args, "watch": self._running(result)})
            if not result.get("failed"):
                result["jobs"] = {**before, **result["jobs"]}
        result.update(changed=changed or result.get("changed", False), started=started)
        return result

    def _watch(self, args):
        """What this run began on this host, until the host of `runs_on` has ended its part of the task."""
        names, began, looked, known = self._meanwhile(args), time.monotonic(), 0.0, {}
        deadline = began + int(args.get("timeout", 3600)) + 120
        while names and time.monotonic() < deadline:
            ended = self._ended_elsewhere(False)
            if ended:
                return ended
            over = self.board.has_ended(args["runs_on"], self.about)
            if over or (over is None and time.monotonic() - began > NOT_SEEN_FOR):
                break
            if time.monotonic() - looked >= WATCH_EVERY:
                looked = time.monotonic()
                known = self._patient_call({"jobs": [], "meanwhile": names})
                if known.get("failed") or all(job["finished"] for job in known["jobs"].values()):
                    break
                self._tell(known, False)
            time.sleep(1)
        return {"changed": False, **known, "finished": not known.get("failed")}

    def _concluded(self, result):
        """The board and the history learn how it ended; the result is handed on."""
        failed = bool(result.get("failed"))
        jobs = result.get("jobs", {})
        entries = self.teller.entries(jobs, result.get("started", False)) or None
        if result.get("failed_job") in self.board.jobs:
            self.board.jobs[result["failed_job"]]["state"] = board.FAILED
        self.board.put(board.FAILED if failed else board.FINISHED, entries, result.get("msg", "") if failed else "")
        self.teller.end(jobs, failed)
        return result

    def _tell(self, result, started):
        self.board.put(board.RUNNING, self.teller.entries(result["jobs"], started))
        self.teller.tell()

    def _ended_elsewhere(self, changed):
        """The failure of this host because of another one's, where the play ends with the first failure; or None."""
        if not self._is_fatal():
            return None
        record = self.board.failure()
        if not record:
            return None
        other = record["host"]
        return {
            "failed": True,
            "changed": changed,
            "failed_host": other,
            "msg": f"{self.host} does not wait for {self.label} any more, since {other} has failed "
            f"({record['sentence']}); what runs on {self.host} goes on, and is joined when this is run again.",
        }

    def _is_fatal(self):
        return bool(self._task.any_errors_fatal) and not self._task.ignore_errors

    def _meanwhile(self, args):
        """Names of jobs of this host whose failure ends the play, besides those that are waited for."""
        begun = self.board.background() if self._is_fatal() else []
        return sorted({*(args.get("meanwhile") or []), *begun} - {*self.names})

    def _running(self, result):
        """Name to invocation of those that are still waited for."""
        return {
            name: result["jobs"][name]["invocation"]
            for name in self.names
            if name in result["jobs"] and not result["jobs"][name]["finished"]
        }

    def _state_dir(self):
        """The collection's folder on this machine, as the play's variables say."""
        return self._templar.template(self.task_vars.get("gh200_state_dir"))

    def _interrupted(self):
        """The sentence for Ctrl-C; of one process of the run."""
        if not self.board.is_first("interrupted"):
            return ""
        return "The waiting has ended, the jobs on the nodes go on: run this again to join them."

    def _call(self, args):
        args = {name: value for name, value in args.items() if name != "runs_on"}
        return self._execute_module(
            module_name="gh200.inference.systemd_job", module_args=args, task_vars=self.task_vars
        )

    def _patient_call(self, args):
        """The job does not mind a lost connection, so neither does the task."""
        deadline = time.monotonic() + UNREACHABLE_FOR
        while True:
            try:
                return self._call(args)
            except AnsibleConnectionFailure as error:
                if time.monotonic() > deadline:
                    raise
                display.warning(f"{self.host} cannot be reached ({error}); its job goes on, and so does the waiting.")
                self._connection.reset()
                time.sleep(5)
