# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person asks of all nodes to see that all is as it should be: the tutorial's own commands, by parallel ssh.

Twelve of them in a login shell, one after the other. Four load the engine on each node, or Ray's client: on a lab
they share the cores of one machine, which makes them dear there, and the more so the more nodes. In LOOKS these four
are replaced by a look at a file or a unit, as the playbooks take one.
"""

from __future__ import annotations

import shlex

SHARE = "s=/lambda/nfs/shared; test -d $s || s=/home/ubuntu/shared; v=$s/gh200/venvs/current"
SMI = "nvidia-smi --query-gpu=index,power.draw,memory.used,memory.free --format=csv,noheader"

CHEAP = [
    "echo ok",
    "findmnt --noheadings --target $s",
    "cat /etc/fstab; cat /proc/fs/nfsfs/volumes 2>/dev/null || true",
    "python3.11 --version",
    ". $v/bin/activate && which python",
    SMI,
    "ls -l ~/models/*/ | tail -n 40",
]
LOADS = [
    ". $v/bin/activate && python -c 'import torch; print(torch.tensor(2) + 2)'",
    ". $v/bin/activate && python -c 'import vllm; print(vllm.__version__)'",
    ". $v/bin/activate && vllm --help | tail -n1",
    ". $v/bin/activate && ray status --address={head}:6379 | grep GPU",
]
INSTEAD = [
    "cat $v/lib/python3.11/site-packages/torch/version.py",
    "cat $v/.engine",
    "ls -l $v/bin/vllm",
    "systemctl is-active ray",
]
HEALTH = ["curl --silent --fail --output /dev/null http://{head}:8000/health && echo healthy"]
WHOLE = CHEAP + LOADS + HEALTH
LOOKS = CHEAP + INSTEAD + HEALTH


def typed(checks: list[str], head: str) -> list[str]:
    """The commands as ssh gets them; `head` is the first node's private address."""
    return [f"bash -l -c {shlex.quote(f'{SHARE}; {check}'.replace('{head}', head))}" for check in checks]
