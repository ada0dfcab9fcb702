# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of an environment on this node's own disk, mounted read-only at the environment's path.

local_copy.py check | mount | unmount PATH FOLDER ID: `check` tells by status 0 that the copy called ID is whole and
mounted. The mount is a unit of systemd, so that it is there after a boot, and before what runs from the path.
"""

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import time

MARK = ".gh200-copy"
UNITS = "/etc/systemd/system"
WORKERS = 16
UNIT = """# The environment as it is on this node's own disk; made by the role venv.
[Unit]
RequiresMountsFor={parent}

[Mount]
What={copy}
Where={path}
Type=none
Options=bind,ro

[Install]
WantedBy=multi-user.target
"""


class Refused(Exception):
    """What went wrong, in one sentence."""


def main(mode, path, folder, name):
    """None when all is right, else a status or one sentence."""
    copy = os.path.join(folder, name)
    try:
        if mode == "check":
            return 0 if is_mounted(path, copy) else 1
        unmount(path)
        if mode == "unmount":
            remove(copy)
        else:
            make(path, copy)
            mount(path, copy)
    except (Refused, OSError) as error:
        return str(error) if isinstance(error, Refused) else f"{copy} could not be made from {path}: {error}."
    return None


def is_mounted(path, copy):
    """Whether what is seen at the path is the finished copy."""
    marks = [os.path.join(where, MARK) for where in (path, copy)]
    return os.path.ismount(path) and all(map(os.path.exists, marks)) and os.path.samefile(*marks)


def make(path, copy):
    """The copy, unless it is finished.

    Raises Refused for an environment that is not, and for a disk that is too small.
    """
    if os.path.exists(os.path.join(copy, MARK)):
        return
    if not os.path.exists(os.path.join(path, ".complete")):
        raise Refused(f"{path} has no .complete, so it is not finished and was not copied: run the role that makes it.")
    part = os.path.join(os.path.dirname(copy), f".{os.path.basename(copy)}.part")
    for old in (part, copy):
        remove(old)
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    folders, files, total = listing(path)
    free = shutil.disk_usage(os.path.dirname(copy)).free
    if total > free:
        raise Refused(
            f"{os.path.dirname(copy)} has {free / 2**30:.1f} GiB free, and the copy of {path} needs "
            f"{total / 2**30:.1f}: choose another venv_local_dir, or set venv_local_copy to false."
        )
    for name in folders:
        like(os.path.join(path, name), os.path.join(part, name))
    transfer(path, part, files, total)
    os.rename(part, copy)
    with open(os.path.join(copy, MARK), "w", encoding="utf-8") as mark:
        mark.write(f"{path}\n")


def listing(path):
    """(folders, [(file or link, bytes)], bytes), each name below the path, folders before what is in them."""
    folders, files = [""], []
    for where, names, others in os.walk(path):
        for name in [*names, *others]:
            full = os.path.join(where, name)
            below = os.path.relpath(full, path)
            if os.path.isdir(full) and not os.path.islink(full):
                folders.append(below)
            else:
                files.append((below, os.lstat(full).st_size))
    return folders, files, sum(size for dummy, size in files)


def like(source, target):
    """A folder with the owner and mode of another."""
    os.mkdir(target)
    status = os.stat(source)
    os.chown(target, status.st_uid, status.st_gid)
    os.chmod(target, status.st_mode & 0o7777)


def transfer(path, part, files, total):
    """Many at a time, since each waits for the share; times stay, for compiled files are judged by them."""

    def one(entry):
        source, target = os.path.join(path, entry[0]), os.path.join(part, entry[0])
        shutil.copy2(source, target, follow_symlinks=False)
        status = os.lstat(source)
        os.chown(target, status.st_uid, status.st_gid, follow_symlinks=False)
        return entry[1]

    done, told = 0, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for size in pool.map(one, files):
            done += size
            if time.monotonic() - told > 2:
                told = time.monotonic()
                progress(done, total)


def progress(done, total):
    """A line, and the file of the job where it has one."""
    print(f"{done / 2**30:.2f} of {total / 2**30:.2f} GiB copied to local disk", flush=True)
    file = os.environ.get("GH200_PROGRESS")
    if file:
        text = json.dumps({"what": "Copying to local disk", "done": done, "total": total, "unit": "bytes"})
        with open(f"{file}.new", "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(f"{file}.new", file)


def unit(path):
    """Path of the mount's unit file; systemd wants the mount's path in its name."""
    return os.path.join(UNITS, command("systemd-escape", "--path", "--suffix=mount", path).strip())


def mount(path, copy):
    """Raises Refused where the copy is not seen at the path afterwards."""
    file = unit(path)
    with open(f"{file}.new", "w", encoding="utf-8") as stream:
        stream.write(UNIT.format(parent=os.path.dirname(path), copy=copy, path=path))
    os.replace(f"{file}.new", file)
    command("systemctl", "daemon-reload")
    command("systemctl", "enable", "--now", os.path.basename(file))
    if not is_mounted(path, copy):
        raise Refused(
            f"{copy} was mounted at {path} and is not seen there: look at `systemctl status {os.path.basename(file)}`."
        )


def unmount(path):
    """Only what this program mounted there. Raises Refused where something runs from it."""
    file = unit(path)
    if not os.path.exists(file):
        return
    command("systemctl", "disable", "--now", os.path.basename(file))
    if os.path.ismount(path):
        raise Refused(
            f"{path} could not be unmounted: something runs from it. Stop the services that do, then run this again."
        )
    os.unlink(file)
    command("systemctl", "daemon-reload")


def remove(folder):
    if os.path.lexists(folder):
        shutil.rmtree(folder)


def command(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise Refused(f"`{' '.join(words)}` failed: {said[0].rstrip('.')}. Look at `journalctl -b` on this node.")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
