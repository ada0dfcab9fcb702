# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens per second of the service, and of the same command typed in a shell on the head, in turn.

Ray stays as it is; the words of the command and its environment are those of the unit's own process.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from tests.bench.fleet import INVENTORY, REPOSITORY, Fleet, Runs, Stopped, command

AT_ONCE, TOKENS, BATCHES = 32, 128, 4
WAIT = 300
# What a start brings with it, the watchdog's first looks among it, ends in this many seconds after the first token.
SETTLE = 15
WORDS = "/run/by-hand.words"
# As a person who reads the unit would do it, with a shell of root in which the key stands in no argument.
BY_HAND = f"""sudo sh -c '
cat /proc/$(systemctl show vllm --value --property=MainPID)/cmdline > {WORDS}
systemctl stop vllm
set -a; . /etc/gh200/ranks.env; . /etc/gh200/vllm.env; set +a
ulimit -n 20000
setsid runuser --user ubuntu -- xargs --null --arg-file={WORDS} env > /run/by-hand.log 2>&1 < /dev/null &
echo $!'"""

ENDED = "for each in {{1..150}}; do kill -0 -- -{group} 2>/dev/null || exit 0; sleep 0.2; done; exit 1"


def measure(runs: Runs, nodes: int, rounds: int, found: dict) -> None:
    """Into `found`; the lab is to be down, and is up when this returns."""
    command([sys.executable, "-m", "lab", "up", "--nodes", str(nodes)])
    runs.play("units", INVENTORY, "site.yml")
    fleet = Fleet()
    found["rounds"] = []
    for _round in range(rounds):
        row = {"unit": rate(fleet)}
        print(f"unit: {row['unit']:.1f} tokens/s", flush=True)
        group = said(fleet, BY_HAND).strip()
        try:
            row["hand"] = rate(fleet)
            print(f"by hand: {row['hand']:.1f} tokens/s", flush=True)
        finally:
            # Not in sh, whose own kill does not know --.
            said(fleet, f"sudo bash -c 'kill -TERM -- -{group} && {ENDED.format(group=group)}'")
            said(fleet, "sudo systemctl start vllm")
        found["rounds"].append(row)


def said(fleet: Fleet, text: str) -> str:
    """Of a command on the head."""
    return command(fleet.ssh(fleet.head, text, []))


def rate(fleet: Fleet) -> float:
    """Tokens per second of requests at once, counted by the server, after as many that warm it up."""
    values = yaml.safe_load((REPOSITORY / INVENTORY / "group_vars/all.yml").read_text(encoding="utf-8"))
    key = Path(values["gh200_api_key_file"]).read_text(encoding="utf-8").strip()
    name = values["gh200_models"][values["gh200_model"]]["served_name"]
    url = f"http://{fleet.hosts[fleet.head]['gh200_address']}:8000/v1/completions"

    def ask(number: int, tokens: int = TOKENS) -> int:
        body = {"model": name, "prompt": f"{number} plus {number} is", "max_tokens": tokens, "ignore_eos": True}
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        request.add_header("Authorization", f"Bearer {key}")
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            return json.load(answer)["usage"]["completion_tokens"]

    deadline = time.monotonic() + WAIT
    while True:
        try:
            ask(0, 1)
            break
        except OSError as error:
            if time.monotonic() > deadline:
                raise Stopped(f"{url} gave no token in {WAIT} s: {error}") from error
            time.sleep(1)
    time.sleep(SETTLE)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sum(pool.map(lambda number: ask(number, 8), range(AT_ONCE)))
        began = time.monotonic()
        tokens = sum(pool.map(ask, range(AT_ONCE * BATCHES)))
    return tokens / (time.monotonic() - began)
