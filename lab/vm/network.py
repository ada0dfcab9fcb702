# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge of the virtual machines, one tap for each, and the way out. Apart from that of the nodes."""

from __future__ import annotations

from pathlib import Path

from .. import bridges, shell

NETWORK = "10.77.2"
GATEWAY = f"{NETWORK}.1"
BRIDGE = TABLE = "gh200vm"


def up(ledger: Path) -> None:
    """Make what is missing; how forwarding was is written to `ledger` first."""
    bridges.open_way_out(TABLE, NETWORK, ledger)
    bridges.make(BRIDGE, NETWORK)


def down(ledger: Path) -> None:
    """Take away what `up` made, if no machine of another lab hangs on it."""
    if bridges.in_use(BRIDGE):
        ledger.unlink(missing_ok=True)
        return
    bridges.remove(BRIDGE)
    bridges.close_way_out(TABLE, ledger)


def connect(tap: str) -> None:
    """A tap on the bridge; one that an earlier run left is taken away first."""
    disconnect(tap)
    shell.run("ip", "tuntap", "add", tap, "mode", "tap")
    shell.run("ip", "link", "set", tap, "master", BRIDGE, "up")


def disconnect(tap: str) -> None:
    """Remove the tap, unless a machine has it open: that is one of a lab in another folder."""
    if not bridges.carries(tap):
        bridges.remove(tap)
