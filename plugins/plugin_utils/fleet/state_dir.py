# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The collection's own folder on the control node: a folder for each fleet, used by one run at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors

DEFAULT = "~/.local/state/gh200"


def state_folder(given: str | None) -> str:
    """As told, or GH200_STATE_DIR, or the default."""
    return os.path.abspath(os.path.expanduser(given or os.environ.get("GH200_STATE_DIR") or DEFAULT))


def inside(folder: str, name: str) -> str:
    """The path of what is called so in a folder.

    CloudError for a name that could lead out of it. Tags and ledgers are written by others, too.
    """
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,99}", name):
        raise errors.CloudError(
            f"{ascii(name)[:120]} cannot be the name of a file in {folder}: letters, digits, dots, dashes and "
            "underscores are allowed, 100 at most. Nothing was read or written there."
        )
    return os.path.join(folder, name)


def fleet_folder(given: str | None, fleet: str) -> str:
    """Ledger, keys and receipts of one fleet."""
    return inside(state_folder(given), fleet)


@contextlib.contextmanager
def locked(folder: str, what: str, complain: t.Callable[[str], None] | None = None) -> t.Iterator[None]:
    """Keeps a second run out; raises CloudError where there is one, OSError where the folder cannot be used.

    With `complain` that is told in a sentence, and the work is done without a lock: the end of a fleet must not
    depend on a folder.
    """
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        if complain is None:
            raise
        complain(f"{reason(error)}: going on without the state folder.")
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 64, 0).decode(errors="replace").strip() or "unknown"
            raise errors.CloudError(
                f"Another run is at work on {what} (process {holder}): wait for its end, or end it. "
                "Nothing was changed."
            ) from error
        with contextlib.suppress(OSError):  # for people only
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def reading(path: str) -> t.Iterator[t.BinaryIO | None]:
    """A file that may not be there (None). OSError for what is no file, such as a pipe: reading it might never end."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        yield None
        return
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file", path)
    with open(path, "rb") as stream:
        yield stream


def replace(path: str, content: str | bytes, mode: int = 0o600) -> None:
    """A file's content in one step: whatever happens, there is the old one or the new one."""
    content = content.encode() if isinstance(content, str) else content
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)
    os.replace(path + ".new", path)


def reason(error: OSError) -> str:
    """What failed on this machine, for a sentence."""
    return f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
