# SPDX-License-Identifier: GPL-3.0-or-later
"""What the watchdog asks of the engine: its unit, its metrics, one question, and all that it must know.

The questions are those of canary.py, which lies beside the engine, as are the words of its journal (loading.py).
"""

import http.client
import json
import subprocess
import sys
import threading
import time
import urllib.request

PROPERTIES = (
    "ActiveState",
    "SubState",
    "UnitFileState",
    "Job",
    "InvocationID",
    "MainPID",
    "NRestarts",
    "ExecMainCode",
    "ExecMainStatus",
    "Result",
)
KILLED = {"2", "3"}  # CLD_KILLED and CLD_DUMPED
METRICS = {
    "vllm:generation_tokens_total": "generated",
    "vllm:prompt_tokens_total": "prompt",
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
}
# No answer, one that breaks off, or one that is none.
TROUBLE = (OSError, ValueError, LookupError, http.client.HTTPException)
# All that the engine must know, with the comparison of the ranks.
CHECK_TIMEOUT = 600


class Engine:
    """Answers stand in `metrics`, `canary` and `check`, each with its time; questions are asked in threads."""

    def __init__(self, settings):
        self.settings = settings
        sys.path.insert(0, settings["programs"])
        import canary
        import loading

        self.programs, self.loading = canary, loading
        self.metrics, self.metrics_at = None, time.monotonic()
        self.canary, self.check = None, None
        self.own = {"generated": 0, "prompt": 0}
        threading.Thread(target=self.watch_metrics, daemon=True).start()

    def unit(self):
        """State, invocation, process and, of one that has ended, the last words."""
        said = systemctl("show", self.settings["unit"], "--property", ",".join(PROPERTIES))
        shown = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        how = "by signal" if shown.get("ExecMainCode") in KILLED else "with status"
        memory = ", for the kernel wanted its memory" if shown.get("Result") == "oom-kill" else ""
        return {
            "state": shown.get("ActiveState", "unknown"),
            # Somebody's stop or restart is under way: whoever stops it then, ends it.
            "busy": shown.get("ActiveState") == "deactivating" or shown.get("Job", "0") not in ("", "0"),
            "enabled": shown.get("UnitFileState") == "enabled",
            "invocation": shown.get("InvocationID", ""),
            "pid": int(shown.get("MainPID", 0)),
            # Also while systemd waits before it starts what ended by itself.
            "ended": shown.get("SubState") == "auto-restart",
            "restarts": int(shown.get("NRestarts", 0)),
            "exit": f"{how} {shown.get('ExecMainStatus')}{memory}",
        }

    def words(self, invocation):
        """The first error of that start, or nothing."""
        return self.loading.first_error(self.loading.lines_of(invocation, 2000))

    def watch_metrics(self):
        """Every second, for it costs the server little and tells whether tokens flow."""
        while True:
            try:
                url = self.questions()["url"]
                with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
                    self.metrics = read_metrics(answer.read().decode())
                self.metrics_at = time.monotonic()
            except TROUBLE:
                self.metrics = None
            time.sleep(1)

    def questions(self):
        """As they stand now: a new model comes with others."""
        with open(self.settings["questions"], encoding="utf-8") as file:
            return json.load(file)

    def about(self):
        """Model, revision, engine and shape."""
        try:
            return self.questions()["fingerprint"]["about"]
        except (OSError, ValueError, LookupError):
            return {}

    def count(self, usage):
        """Tokens that the watchdog itself has asked for."""
        self.own["generated"] += usage.get("completion_tokens", 0)
        self.own["prompt"] += usage.get("prompt_tokens", 0)

    def take_own(self):
        """The tokens of the watchdog's questions since the last call."""
        taken, self.own = self.own, {"generated": 0, "prompt": 0}
        return taken

    def ask(self, asked):
        """One question whose answer is known; the result carries the time at which it was asked."""
        threading.Thread(target=self._ask, args=(asked,), daemon=True).start()

    def _ask(self, asked):
        trouble = None
        try:
            questions = self.questions()
            questions["timeout"] = self.settings["canary_timeout"]
            questions["facts"] = questions["facts"][:1]
            self.programs.check_facts(questions)
            self.count(questions.get("asked", {}))
        except self.programs.Wrong as wrong:
            trouble = str(wrong)
        except TimeoutError:
            trouble = f"no answer within {self.settings['canary_timeout']:.0f} s"
        except TROUBLE as error:
            late = isinstance(getattr(error, "reason", None), TimeoutError)
            trouble = f"no answer: {error}" if late else str(error) or type(error).__name__
        self.canary = {"asked": asked, "trouble": trouble}

    def examine(self, invocation):
        """All that it must know, of that start."""
        threading.Thread(target=self._examine, args=(invocation,), daemon=True).start()

    def _examine(self, invocation):
        argv = [sys.executable, f"{self.settings['programs']}/canary.py", self.settings["questions"], "right"]
        try:
            got = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=CHECK_TIMEOUT)
            words = (got.stderr.strip().splitlines() or ["the canary ended without a word"])[-1]
            trouble = words if got.returncode else None
            if not got.returncode:
                self.count(json.loads(got.stdout.splitlines()[-1]))
        except (OSError, ValueError, LookupError, subprocess.SubprocessError):
            trouble = f"The questions had no answer within {CHECK_TIMEOUT} s."
        self.check = {"invocation": invocation, "trouble": trouble}


def systemctl(*words):
    """What it says; nothing when it takes a minute."""
    try:
        return subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def read_metrics(text):
    """The sums of the counters that matter, from Prometheus' text form; ValueError where there are none."""
    found = dict.fromkeys(METRICS.values(), 0.0)
    known = False
    for line in text.splitlines():
        name = line.partition("{")[0].partition(" ")[0]
        if name in METRICS:
            found[METRICS[name]] += float(line.rpartition(" ")[2])
            known = True
    if not known:
        raise ValueError("no metrics of vLLM")
    return found
