# SPDX-License-Identifier: GPL-3.0-or-later
"""Batch sizes, one after the other, several times: load_test.py SETTINGS, a JSON object without secrets.

Each run is a process of its own (generate.py). The result, without the key, goes whole or not at all to its `result`.
The key is in the environment variable LOAD_TEST_KEY.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import figures

HERE = os.path.dirname(os.path.abspath(__file__))


class Unfit(Exception):
    """Why there is nothing to measure, in one sentence."""


def main(settings):
    """None, or what went wrong in one sentence."""
    try:
        engine = look(settings)
        runs = measure(settings)
        write(settings["result"], result(settings, engine, runs))
    except Unfit as error:
        return str(error)
    return None


def look(settings):
    """The engine's version, where it tells; Unfit where this key and model are not served."""
    models = [model["id"] for model in get(settings, "/v1/models")["data"]]
    if settings["model"] not in models:
        raise Unfit(
            f"{settings['url']} serves {', '.join(models) or 'no model'}, and {settings['model']} was to be tested: "
            "set load_test_model."
        )
    try:
        return get(settings, "/version").get("version", "")
    except Unfit:
        return ""


def get(settings, path):
    """What the endpoint answers, as JSON."""
    request = urllib.request.Request(settings["url"] + path)
    if os.environ.get("LOAD_TEST_KEY"):
        request.add_header("Authorization", f"Bearer {os.environ['LOAD_TEST_KEY']}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        advice = ": is load_test_api_key that of this endpoint?" if error.code == 401 else "."
        raise Unfit(f"{settings['url']}{path} answers {error.code}{advice}") from error
    except (OSError, ValueError) as error:
        raise Unfit(
            f"{settings['url']}{path} gave no answer ({error}): is vLLM up? See `journalctl -u vllm`."
        ) from error


def measure(settings):
    """All runs. What drifts in that time reaches all batch sizes alike: each is run once before any is run again."""
    if settings["warm_up"]:
        largest = max(settings["concurrencies"])
        tell(0, settings, f"Warming up with {largest} at once, not counted")
        once(settings, {"concurrency": largest, "requests": largest, "seed": settings["seed"], "output_tokens": 16})
    runs = []
    for repeat in range(1, settings["repeats"] + 1):
        for concurrency in settings["concurrencies"]:
            tell(len(runs) + 1, settings, f"{concurrency} at once, run {repeat} of {settings['repeats']}")
            started = now()
            # Other prompts in each run, so that no cache knows them.
            seed = settings["seed"] + 1000 * (len(runs) + 1)
            run = {"concurrency": concurrency, "requests": concurrency * settings["requests"], "seed": seed}
            samples = relative(once(settings, run))
            found = figures.figures(samples)
            runs.append({"concurrency": concurrency, "repeat": repeat, "started": started, **found, "samples": samples})
            print(
                f"{concurrency} at once, run {repeat}: {found['tokens_per_second']:.1f} tokens/s, "
                f"{found['completed']} of {found['requests']} requests, {found['failed']} failed",
                flush=True,
            )
    return runs


def once(settings, run):
    """What each request of one run did."""
    with tempfile.TemporaryDirectory(prefix="gh200-load-") as folder:
        output = os.path.join(folder, "requests.json")
        given = {**{name: settings[name] for name in SHARED}, **run, "output": output}
        environment = {**os.environ, **ENVIRONMENT}
        done = subprocess.run(
            [sys.executable, "-I", os.path.join(HERE, "generate.py"), json.dumps(given)],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode or not os.path.exists(output):
            words = [line for line in done.stdout.splitlines() if line.strip()] or ["it said nothing"]
            print("\n".join(words[-40:]), flush=True)
            raise Unfit(
                f"guidellm failed with {run['concurrency']} requests at once at {settings['url']}: {words[-1][:300]} "
                "(more in the log above)."
            )
        with open(output, encoding="utf-8") as file:
            return json.load(file)


ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    # Its log would be that of each request.
    "GUIDELLM__LOGGING__CONSOLE_LOG_LEVEL": "WARNING",
    "GUIDELLM__MP_CONTEXT_TYPE": "forkserver",
    # Each takes a share of the requests. More than there are processors would measure themselves.
    "GUIDELLM__MAX_WORKER_PROCESSES": str(min(10, os.cpu_count() or 1)),
}
SHARED = ("url", "model", "tokenizer", "prompt_tokens", "output_tokens", "seconds")


def relative(requests):
    """Times from the start of the run, in the order in which they were sent."""
    zero = min((request["start"] for request in requests), default=0)
    for request in requests:
        for name in ("start", "first", "last", "end"):
            if request.get(name) is not None:
                request[name] = round(request[name] - zero, 6)
    return sorted(requests, key=lambda request: request["start"])


def result(settings, engine, runs):
    """In the form of load_test.html's export."""
    asked = ("concurrencies", "requests", "repeats", "prompt_tokens", "output_tokens", "seed")
    return {
        "format": 1,
        "made": now(),
        "by": settings["by"],
        "about": {**settings["about"], "model": settings["model"], "url": settings["url"] + "/v1", "engine": engine},
        "asked": {name: settings[name] for name in asked},
        "runs": runs,
    }


def now():
    """The time, as people and programs read it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def write(path, content):
    """Whole or not at all."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.replace(path + ".new", path)


def tell(step, settings, what):
    """For whoever waits (module systemd_job)."""
    path = os.environ.get("GH200_PROGRESS")
    if path:
        write(path, {"what": what, "step": step, "steps": settings["repeats"] * len(settings["concurrencies"])})


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
