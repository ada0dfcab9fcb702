# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The collection's own folder on the control node: a folder for each fleet, used by one run at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors

DEFAULT = "~/.local/state/gh200"


def state_folder(given: str | None) -> str:
    """As told, or GH200_STATE_DIR, or the default."""
    return os.path.abspath(os.path.expanduser(given or os.environ.get("GH200_STATE_DIR") or DEFAULT))


def fleet_folder(given: str | None, fleet: str) -> str:
    """Ledger, keys and receipts of one fleet."""
    return os.path.join(state_folder(given), fleet)


@contextlib.contextmanager
def locked(folder: str, what: str) -> t.Iterator[None]:
    """Keeps a second run out; raises CloudError where there is one."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    descriptor = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 64, 0).decode(errors="replace").strip() or "unknown"
            raise errors.CloudError(f"Another run is at work on {what} (process {holder}): wait for its end, or end it. Nothing was changed.") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
