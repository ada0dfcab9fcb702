#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: fscache
author: gh200.inference contributors (@gh200)
short_description: FS-Cache for an NFS mount
version_added: 0.1.0
description:
  - Configures cachefilesd, adds C(fsc) to the line of the mount in C(/etc/fstab), mounts it anew if it has no cache
    yet, and looks whether the
    kernel caches it.
  - An option C(fsc) does not take effect by a remount, so the mount must not be in use when it gets its cache.
  - On a path that is not on NFS nothing is done, and the result says why.
  - The package cachefilesd must be installed.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    platforms: posix
options:
  path:
    description: The mount point, or a path below it.
    type: path
    required: true
  cache_dir:
    description: Folder of the cache, on ext4 or xfs.
    type: path
    default: /var/cache/fscache
  brun:
    description: Per cent of free space above which everything is cached.
    type: int
    default: 20
  bcull:
    description: Per cent of free space below which old files are dropped.
    type: int
    default: 15
  bstop:
    description: Per cent of free space below which nothing is added.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: Cache the share on local disk
  gh200.inference.fscache:
    path: /lambda/nfs/shared
    cache_dir: /var/cache/fscache
"""

RETURN = r"""
cached:
  description: Whether the kernel caches the mount. In check mode, whether it did before.
  type: bool
  returned: always
reason:
  description: Why nothing was done.
  type: str
  returned: when the path is not on NFS
  sample: /lambda/nfs/shared is virtiofs, and FS-Cache serves NFS only.
mount:
  description: Type, source and target of the mount.
  type: dict
  returned: always
  sample: {fstype: nfs4, source: "10.12.69.21:/export", target: /lambda/nfs/shared}
"""

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gh200.inference.plugins.module_utils import mounts, systemd

CONF = "/etc/cachefilesd.conf"
DEFAULTS = "/etc/default/cachefilesd"
FSTAB = "/etc/fstab"
BACKUP = "/etc/fstab.before-fsc"


class Cache:
    """The cache of one mount."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.changed = False
        self.diff = []

    def execute(self):
        mount = self.find()
        if not mount["fstype"].startswith("nfs"):
            self.done(
                mount, cached=False, reason=f"{mount['target']} is {mount['fstype']}, and FS-Cache serves NFS only."
            )
        conf = mounts.cachefilesd_conf(
            self.params["cache_dir"], self.params["brun"], self.params["bcull"], self.params["bstop"]
        )
        settings = self.replace(CONF, conf) | self.replace(DEFAULTS, mounts.with_run(systemd.read(DEFAULTS) or ""))
        self.daemon(restart=settings)
        self.fstab(mount)
        if "fsc" not in mount["options"].split(","):
            self.changed = True
            self.mount_anew(mount)
        self.done(mount, cached=self.is_cached(mount))

    def find(self):
        columns = "FSTYPE,SOURCE,TARGET,OPTIONS"
        rc, out, err = self.module.run_command(
            ["findmnt", "--noheadings", "--raw", "--output", columns, "--target", self.params["path"]]
        )
        if rc != 0 or len(out.split()) < 4:
            self.module.fail_json(
                msg=f"{self.params['path']} is on no mount: {err.strip() or 'findmnt does not know it'}. "
                "Attach the filesystem first."
            )
        names = ("fstype", "source", "target", "options")
        return dict(zip(names, out.splitlines()[0].split(" ", 3), strict=True))

    def replace(self, path, text):
        """Write a file if it differs; whether it did."""
        before = systemd.read(path) or ""
        if before == text:
            return False
        self.changed = True
        self.diff.append({"before_header": path, "after_header": path, "before": before, "after": text})
        if not self.module.check_mode:
            systemd.write(path, text, 0o644)
        return True

    def daemon(self, restart):
        if not os.path.exists("/usr/sbin/cachefilesd") and not os.path.exists("/sbin/cachefilesd"):
            if self.module.check_mode:
                return
            self.module.fail_json(
                msg="cachefilesd is not installed on this node: install the package before this task."
            )
        if self.runs() and not restart:
            return
        self.changed = True
        if self.module.check_mode:
            return
        os.makedirs(self.params["cache_dir"], exist_ok=True)
        # The first start may be reported as failed although the daemon runs; what
        # counts is the daemon.
        self.module.run_command(["systemctl", "restart", "cachefilesd"])
        deadline = time.monotonic() + 20
        while not self.runs():
            if time.monotonic() > deadline:
                self.module.fail_json(
                    msg="cachefilesd does not run 20 s after its start. See `journalctl -u cachefilesd`; "
                    "the folder of the cache must be on ext4 or xfs."
                )
            time.sleep(0.5)

    def runs(self):
        return self.module.run_command(["pidof", "cachefilesd"])[0] == 0

    def fstab(self, mount):
        before = systemd.read(FSTAB) or ""
        after = mounts.with_option(before, mount["target"], "fsc")
        if after is None:
            self.module.fail_json(
                msg=f"/etc/fstab has no line for {mount['target']}, so it could not be mounted again: add the line, "
                "then run this again."
            )
        if after != before and not self.module.check_mode and not os.path.exists(BACKUP):
            systemd.write(BACKUP, before, 0o644)
        self.replace(FSTAB, after)

    def mount_anew(self, mount):
        if self.module.check_mode:
            return
        rc, dummy, err = self.module.run_command(["umount", mount["target"]])
        if rc != 0:
            users = self.module.run_command(["fuser", "--mount", mount["target"]], handle_exceptions=True)[1].split()
            self.module.fail_json(
                msg=f"{mount['target']} is in use and cannot be mounted anew with its cache ({err.strip()}); "
                "processes: "
                f"{' '.join(users) or 'unknown'}. "
                "End them, or reboot: /etc/fstab has the option."
            )
        rc, dummy, err = self.module.run_command(["mount", mount["target"]])
        if rc != 0:
            self.module.fail_json(
                msg=f"{mount['target']} could not be mounted again: {err.strip()}. The fstab as it was is {BACKUP}."
            )

    def is_cached(self, mount):
        if self.module.check_mode:
            return "fsc" in mount["options"].split(",")
        volumes = systemd.read("/proc/fs/nfsfs/volumes") or ""
        if not mounts.is_cached(volumes, mount["source"].split(":")[0]):
            self.module.fail_json(
                msg=f"{mount['target']} is mounted with fsc, "
                "but the kernel does not cache it (/proc/fs/nfsfs/volumes): "
                "is it built with NFS_FSCACHE?"
            )
        return True

    def done(self, mount, **more):
        self.module.exit_json(
            changed=self.changed,
            diff=self.diff,
            mount={name: mount[name] for name in ("fstype", "source", "target")},
            **more,
        )


def main():
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "cache_dir": {"type": "path", "default": "/var/cache/fscache"},
            "brun": {"type": "int", "default": 20},
            "bcull": {"type": "int", "default": 15},
            "bstop": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    try:
        Cache(module).execute()
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"The cache for {module.params['path']} could not be set up: {error}")


if __name__ == "__main__":
    main()
