# SPDX-License-Identifier: GPL-3.0-or-later
"""Two bridges, one for each of a node's interfaces, and the way out."""

from __future__ import annotations

import json
from pathlib import Path

from .. import bridges, shell
from ..config import PRIVATE, PUBLIC, Paths
from ..errors import LabError

BRIDGES = {"gh200pub": PUBLIC, "gh200prv": PRIVATE}
TABLE = "gh200lab"
LEDGER = "network.json"


def up(paths: Paths) -> None:
    """Make the bridges and rules that are missing; what was there before is written down first."""
    for bridge, network in BRIDGES.items():
        if not bridges.exists(bridge):
            for other in json.loads(shell.run("ip", "-json", "address", "show", "to", f"{network}.0/24") or "[]"):
                if other:
                    raise LabError(
                        f"The network {network}.0/24 is in use on {other['ifname']}: the lab needs it, "
                        "take it off that interface."
                    )
    # Its note comes first: without it `down` leaves the bridges.
    bridges.open_way_out(TABLE, PUBLIC, paths.run / LEDGER)
    for bridge, network in BRIDGES.items():
        bridges.make(bridge, network)


def down(paths: Paths) -> list[str]:
    """Take away what `up` made, if no node of another lab hangs on it; returns what is still there."""
    ledger = paths.run / LEDGER
    if in_use():
        ledger.unlink(missing_ok=True)
    if not ledger.exists():
        return leftovers()
    for bridge in BRIDGES:
        bridges.remove(bridge)
    bridges.close_way_out(TABLE, ledger)
    return leftovers()


def leftovers() -> list[str]:
    """Bridges of ours that exist and that nobody uses."""
    return [f"bridge {bridge}" for bridge in BRIDGES if bridges.exists(bridge)] if not in_use() else []


def in_use() -> bool:
    """Whether a node hangs on the bridges. When our own are gone, it is one of a lab in another folder."""
    return any(bridges.in_use(bridge) for bridge in BRIDGES)


def connect(namespace: str, number: int) -> None:
    """A network namespace with eth0 and eth1 on the bridges."""
    shell.run("ip", "netns", "add", namespace)
    for (bridge, network), name in zip(BRIDGES.items(), ("eth0", "eth1"), strict=True):
        link = f"gh{name}-{number}"
        shell.run("ip", "link", "add", link, "type", "veth", "peer", "name", name, "netns", namespace)
        shell.run("ip", "link", "set", link, "master", bridge, "up")
        shell.run("ip", "-n", namespace, "address", "add", f"{network}.{10 + number}/24", "dev", name)
        shell.run("ip", "-n", namespace, "link", "set", name, "up")
    shell.run("ip", "-n", namespace, "link", "set", "lo", "up")
    shell.run("ip", "-n", namespace, "route", "add", "default", "via", f"{PUBLIC}.1")


def disconnect(namespace: str, number: int) -> None:
    """Remove the namespace; its interfaces go with it."""
    for name in ("eth0", "eth1"):
        bridges.remove(f"gh{name}-{number}")
    if Path("/run/netns", namespace).exists():
        shell.run("ip", "netns", "delete", namespace)
