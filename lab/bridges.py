# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridges and the way out of them: what the nodes' networks and that of the virtual machines have in common."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from . import shell

DEVICES = Path("/sys/class/net")
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
RULES = """\
table ip {table} {{}}
delete table ip {table}
table ip {table} {{
  chain way_out {{
    type nat hook postrouting priority srcnat;
    ip saddr {network}.0/24 ip daddr != {network}.0/24 masquerade
  }}
}}
"""


def exists(device: str) -> bool:
    """Whether there is an interface of that name."""
    return (DEVICES / device).exists()


def in_use(bridge: str) -> bool:
    """Whether anything hangs on it."""
    return any((DEVICES / bridge / "brif").glob("*"))


def carries(tap: str) -> bool:
    """Whether a process has the tap open."""
    try:
        return (DEVICES / tap / "carrier").read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False


def make(bridge: str, network: str) -> None:
    """A bridge that has the first address of `network` (three numbers), made if it is missing."""
    if not exists(bridge):
        shell.run("ip", "link", "add", bridge, "type", "bridge")
    shell.run("ip", "address", "replace", f"{network}.1/24", "dev", bridge)
    shell.run("ip", "link", "set", bridge, "up")


def remove(device: str) -> None:
    """An interface, if it is there."""
    if exists(device):
        shell.run("ip", "link", "delete", device)


def open_way_out(table: str, network: str, ledger: Path) -> None:
    """Masquerade what leaves `network`; how forwarding was is written to `ledger` first."""
    if not ledger.exists():
        ledger.parent.mkdir(parents=True, exist_ok=True)
        ledger.write_text(json.dumps({"ip_forward": FORWARDING.read_text(encoding="utf-8").strip()}), encoding="utf-8")
    FORWARDING.write_text("1", encoding="utf-8")
    shell.run("nft", "-f", "-", stdin=RULES.format(table=table, network=network))


def close_way_out(table: str, ledger: Path) -> None:
    """Take the rules away, and leave forwarding as it was."""
    shell.run("nft", "-f", "-", stdin=f"table ip {table} {{}}\ndelete table ip {table}\n")
    # It stays as it is when nobody can tell any more how it was.
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        FORWARDING.write_text(json.loads(ledger.read_text(encoding="utf-8"))["ip_forward"], encoding="utf-8")
    ledger.unlink(missing_ok=True)
