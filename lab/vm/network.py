# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge of the virtual machines, one tap for each, and the way out. Apart from that of the nodes."""

from __future__ import annotations

import contextlib
from pathlib import Path

from .. import shell

NETWORK = "10.77.2"
GATEWAY = f"{NETWORK}.1"
BRIDGE = TABLE = "gh200vm"
DEVICES = Path("/sys/class/net")
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
RULES = f"""\
table ip {TABLE} {{}}
delete table ip {TABLE}
table ip {TABLE} {{
  chain way_out {{
    type nat hook postrouting priority srcnat;
    ip saddr {NETWORK}.0/24 ip daddr != {NETWORK}.0/24 masquerade
  }}
}}
"""


def up(ledger: Path) -> None:
    """Make what is missing; how forwarding was is written to `ledger` first."""
    if not ledger.exists():
        ledger.write_text(FORWARDING.read_text(encoding="utf-8"), encoding="utf-8")
    if not (DEVICES / BRIDGE).exists():
        shell.run("ip", "link", "add", BRIDGE, "type", "bridge")
    shell.run("ip", "address", "replace", f"{GATEWAY}/24", "dev", BRIDGE)
    shell.run("ip", "link", "set", BRIDGE, "up")
    FORWARDING.write_text("1", encoding="utf-8")
    shell.run("nft", "-f", "-", stdin=RULES)


def down(ledger: Path) -> None:
    """Take away what `up` made."""
    if (DEVICES / BRIDGE).exists():
        shell.run("ip", "link", "delete", BRIDGE)
    shell.run("nft", "-f", "-", stdin=f"table ip {TABLE} {{}}\ndelete table ip {TABLE}\n")
    # Forwarding stays as it is when nobody can tell any more how it was.
    with contextlib.suppress(OSError):
        FORWARDING.write_text(ledger.read_text(encoding="utf-8"), encoding="utf-8")
    ledger.unlink(missing_ok=True)


def connect(tap: str) -> None:
    """A tap on the bridge; one that an earlier run left is taken away first."""
    disconnect(tap)
    shell.run("ip", "tuntap", "add", tap, "mode", "tap")
    shell.run("ip", "link", "set", tap, "master", BRIDGE, "up")


def disconnect(tap: str) -> None:
    """Remove the tap."""
    if (DEVICES / tap).exists():
        shell.run("ip", "link", "delete", tap)
