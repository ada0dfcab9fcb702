# SPDX-License-Identifier: GPL-3.0-or-later
"""Two bridges, one for each of a node's interfaces, and the way out."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from .. import shell
from ..config import PRIVATE, PUBLIC, Paths
from ..errors import LabError

BRIDGES = {"gh200pub": PUBLIC, "gh200prv": PRIVATE}
TABLE = "gh200lab"
DEVICES = Path("/sys/class/net")
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
RULES = f"""\
table ip {TABLE} {{}}
delete table ip {TABLE}
table ip {TABLE} {{
  chain way_out {{
    type nat hook postrouting priority srcnat;
    ip saddr {PUBLIC}.0/24 ip daddr != {PUBLIC}.0/24 masquerade
  }}
}}
"""


def up(paths: Paths) -> None:
    """Make the bridges and rules that are missing; what was there before is written down first."""
    ledger = paths.run / "network.json"
    if not ledger.exists():
        paths.run.mkdir(parents=True, exist_ok=True)
        ledger.write_text(json.dumps({"ip_forward": FORWARDING.read_text(encoding="utf-8").strip()}), encoding="utf-8")
    for bridge, network in BRIDGES.items():
        if not (DEVICES / bridge).exists():
            for other in json.loads(shell.run("ip", "-json", "address", "show", "to", f"{network}.0/24") or "[]"):
                if other:
                    raise LabError(
                        f"The network {network}.0/24 is in use on {other['ifname']}: the lab needs it, "
                        "take it off that interface."
                    )
            shell.run("ip", "link", "add", bridge, "type", "bridge")
        shell.run("ip", "address", "replace", f"{network}.1/24", "dev", bridge)
        shell.run("ip", "link", "set", bridge, "up")
    FORWARDING.write_text("1", encoding="utf-8")
    shell.run("nft", "-f", "-", stdin=RULES)


def down(paths: Paths) -> list[str]:
    """Take away what `up` made, if no node of another lab hangs on it; returns what is still there."""
    ledger = paths.run / "network.json"
    if in_use():
        ledger.unlink(missing_ok=True)
    if not ledger.exists():
        return leftovers()
    for bridge in BRIDGES:
        if (DEVICES / bridge).exists():
            shell.run("ip", "link", "delete", bridge)
    shell.run("nft", "-f", "-", stdin=f"table ip {TABLE} {{}}\ndelete table ip {TABLE}\n")
    # Forwarding stays as it is when nobody can tell any more how it was.
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        FORWARDING.write_text(json.loads(ledger.read_text(encoding="utf-8"))["ip_forward"], encoding="utf-8")
    ledger.unlink()
    return leftovers()


def leftovers() -> list[str]:
    """Bridges of ours that exist and that nobody uses."""
    return [f"bridge {bridge}" for bridge in BRIDGES if (DEVICES / bridge).exists()] if not in_use() else []


def in_use() -> bool:
    """Whether a node hangs on the bridges. When our own are gone, it is one of a lab in another folder."""
    return any(any((DEVICES / bridge / "brif").glob("*")) for bridge in BRIDGES)


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
        if (DEVICES / f"gh{name}-{number}").exists():
            shell.run("ip", "link", "delete", f"gh{name}-{number}")
    if Path("/run/netns", namespace).exists():
        shell.run("ip", "netns", "delete", namespace)
