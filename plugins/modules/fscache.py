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
  - Runs cachefilesd by a unit of its own, adds C(fsc) to the line of the mount in C(/etc/fstab), mounts it anew if it
    has no cache yet, and looks whether the kernel caches it.
  - An option C(fsc) does not take effect by a remount, so the mount must not be in use when it gets its cache, nor when
    it loses it. One that is in use is refused with the processes that use it; C(/etc/fstab) has the option then, so
    that a reboot does it too.
  - Mounts of the same server that share their superblock in the kernel get the option together, for one without it
    would keep the cache from the others.
  - On a path that is not on NFS nothing is done, and the result says why.
  - Where the package cachefilesd is not installed nothing is done, and the result says so. Its own settings,
    C(/etc/cachefilesd.conf) and C(/etc/default/cachefilesd), are left alone.
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
    description: The mount point, or a path below it. Needed for all but O(state=absent).
    type: path
  state:
    description:
      - V(present) caches the mount.
      - With V(absent) the module takes away what it made, on whatever path it was, by its own record of that
        (C(/var/lib/gh200-fscache.json)). The lines of C(/etc/fstab) and cachefilesd are then as they were.
    type: str
    choices: [present, absent]
    default: present
  cache_dir:
    description: Folder of the cache, on ext4 or xfs.
    type: path
    default: /var/cache/fscache
  keep_free:
    description:
      - Gigabytes of the disk of O(cache_dir) that the cache leaves free for others. The limits of cachefilesd follow
        from this and from the size of the disk, bstop in whole per cent of it, bcull 5 and brun 10 above.
      - At least 10 and at most 80 per cent of the disk are kept free.
    type: float
    default: 0
  package_installed:
    description: Whether the package was installed for this, after RV(package_missing). It is written down, for
      RV(remove_package).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Cache the share on local disk, and leave 800 GB of that to others
  gh200.inference.fscache:
    path: /lambda/nfs/shared
    keep_free: 800

- name: Take the cache away
  gh200.inference.fscache:
    state: absent
"""

RETURN = r"""
cached:
  description: Whether the kernel caches the mount. In check mode, whether it did before.
  type: bool
  returned: when O(state=present)
package_missing:
  description: True if nothing was done for want of the package cachefilesd.
  type: bool
  returned: when it is not installed, and the path is on NFS
reason:
  description: Why nothing was done.
  type: str
  returned: when the path is not on NFS
  sample: /lambda/nfs/shared is virtiofs, and FS-Cache serves NFS only.
mount:
  description: Type, source and target of the mount.
  type: dict
  returned: when O(state) is not V(absent)
  sample: {fstype: nfs4, source: "10.12.69.21:/export", target: /lambda/nfs/shared}
remove_package:
  description: Whether the package cachefilesd was installed for the cache, and is still to be removed.
  type: bool
  returned: when O(state=absent)
"""

import json
import os
import shutil

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gh200.inference.plugins.module_utils import cachefilesd, mounts, remount, systemd

VOLUMES = "/proc/fs/nfsfs/volumes"
PROGRAM = "/sbin/cachefilesd"
SETTINGS = "/etc/cachefilesd-gh200.conf"
UNIT = "/etc/systemd/system/cachefilesd.service"
WANTED = "/etc/systemd/system/multi-user.target.wants/cachefilesd.service"
RECORD = "/var/lib/gh200-fscache.json"


class Cache:
    """The cache of one mount."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.changed = False
        self.diff = []
        self.remount = remount.Remount(module, self.fail)
        # What was there before: mount points whose lines got the option, folders that were made, cachefilesd as it ran.
        self.record = json.loads(systemd.read(RECORD) or "{}")

    def execute(self):
        if self.params["state"] == "absent":
            self.remove()
            self.done(remove_package=bool(self.record.get("package")))
        mount = self.remount.find(self.params["path"])
        told = {"mount": {name: getattr(mount, name) for name in ("fstype", "source", "target")}}
        if not mount.fstype.startswith("nfs"):
            self.done(**told, cached=False, reason=f"{mount.target} is {mount.fstype}, and FS-Cache serves NFS only.")
        # In check mode one that was to be installed before is not there.
        if not os.path.exists(PROGRAM) and not self.params["package_installed"]:
            # Before it is there: whoever is killed in between still knows whose it is.
            self.record |= {"package": True}
            self.keep_record()
            self.done(**told, cached=False, package_missing=True)
        group = self.remount.group(mount)
        self.daemon()
        self.fstab(group)
        if not mounts.has(mount.options, "fsc"):
            self.mount_anew(group, undo=self.without_options)
        self.done(**told, cached=self.is_cached(mount))

    def daemon(self):
        """cachefilesd with our settings, running."""
        folder = self.params["cache_dir"]
        self.remember(folder)
        self.make_folder(folder)
        text = cachefilesd.settings(folder, cachefilesd.disk_bytes(folder), self.params["keep_free"])
        unit = self.replace(UNIT, cachefilesd.UNIT.format(folder=folder, settings=SETTINGS))
        settings = self.replace(SETTINGS, text)
        if not os.path.islink(WANTED):
            self.changed = True
            if not self.module.check_mode:
                os.makedirs(os.path.dirname(WANTED), exist_ok=True)
                os.symlink(UNIT, WANTED)
        if unit:
            self.systemctl("daemon-reload")
        if unit or settings or not self.runs():
            self.changed = True
            self.restart()

    def remember(self, folder):
        """Write down what is there, before anything is changed."""
        is_new = self.params["package_installed"] or self.record == {"package": True}
        if "daemon" not in self.record:
            self.record = {
                "options": [],
                "folders": [],
                "made": [],
                "package": False,
                "daemon": self.runs(),
            } | self.record
        if is_new:
            self.record |= {"package": True, "daemon": False}
        if not os.path.exists(os.path.join(folder, "cache")) and folder not in self.record["folders"]:
            self.record["folders"].append(folder)
            if is_new or not os.path.isdir(folder):
                self.record["made"].append(folder)
        self.keep_record()

    def make_folder(self, folder):
        if not os.path.isdir(folder):
            self.changed = True
            if not self.module.check_mode:
                os.makedirs(folder)

    def restart(self):
        if self.module.check_mode:
            return
        # The kernel has one cache: one that the package's script started would keep it from ours.
        rc, dummy, err = self.module.run_command(["systemctl", "restart", "cachefilesd"])
        if rc != 0 or not self.runs():
            words = self.module.run_command(["journalctl", "--unit=cachefilesd", "--lines=3", "--output=cat"])[1]
            self.fail(
                f"cachefilesd did not start: {' '.join(words.split()) or err.strip()}. The folder of the cache, "
                f"{self.params['cache_dir']}, must be on ext4 or xfs; see `journalctl -u cachefilesd`."
            )

    def runs(self):
        return self.module.run_command(["systemctl", "is-active", "--quiet", "cachefilesd"])[0] == 0

    def systemctl(self, *arguments):
        if not self.module.check_mode:
            self.module.run_command(["systemctl", *arguments], check_rc=True)

    def fstab(self, group):
        """The option for every mount point that lacks it."""
        before = text = systemd.read(remount.FSTAB) or ""
        for target in group:
            after = mounts.with_option(text, target, "fsc") or text
            if after != text and target not in self.record["options"]:
                self.record["options"].append(target)
            text = after
        self.keep_record()
        if self.replace(remount.FSTAB, text):
            # An automounter mounts by units that are made of this file.
            self.systemctl("daemon-reload")
        return before

    def without_options(self):
        """The lines as they were."""
        text = systemd.read(remount.FSTAB) or ""
        for target in self.record.get("options", []):
            text = mounts.without_option(text, target, "fsc") or text
        if self.replace(remount.FSTAB, text):
            self.systemctl("daemon-reload")

    def mount_anew(self, group, undo=None):
        self.changed = True
        if self.module.check_mode:
            self.remount.foretell(group)
        else:
            self.remount.anew(group, undo)

    def is_cached(self, mount):
        if self.module.check_mode:
            return mounts.has(mount.options, "fsc")
        now = self.remount.over(mount.target)
        if not now or not mounts.is_cached(systemd.read(VOLUMES) or "", now.device):
            self.fail(
                f"{mount.target} is mounted with fsc, but the kernel does not cache it ({VOLUMES}): "
                "it is built without NFS_FSCACHE, or a container holds the same mount without a cache."
            )
        self.tell_full()
        return True

    def tell_full(self):
        """A full disk is no error: what is cached stays, the rest comes over the network."""
        disk = os.statvfs(self.params["cache_dir"])
        free = 100 * disk.f_bavail / disk.f_blocks
        stop = cachefilesd.limits(disk.f_blocks * disk.f_frsize, self.params["keep_free"])[2]
        if free < stop:
            self.module.warn(
                f"The disk of {self.params['cache_dir']} has {free:.0f} % free, and below {stop} % nothing is added to "
                "the cache: what is not in it is read over the network. Free space there, or lower keep_free."
            )

    def remove(self):
        """Everything that the record names goes."""
        if not self.record or self.record == {"package": True}:
            return
        self.changed = True
        group = self.remount.groups(self.record["options"], "fsc")
        self.without_options()
        if group:
            self.mount_anew(group)
        if self.module.check_mode:
            return
        self.module.run_command(["systemctl", "stop", "cachefilesd"])
        for path in (WANTED, UNIT, SETTINGS):
            if os.path.lexists(path):
                os.unlink(path)
        self.systemctl("daemon-reload")
        for folder in self.record["folders"]:
            self.remove_cache(folder)
        if self.record["daemon"]:
            self.module.run_command(["systemctl", "start", "cachefilesd"])
        self.record = {"package": True} if self.record["package"] else {}
        self.keep_record()

    def remove_cache(self, folder):
        """What cachefilesd put there; the folder itself only where it was not there before, and that was all."""
        for name in ("cache", "graveyard"):
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
        if folder in self.record["made"] and os.path.isdir(folder) and not os.listdir(folder):
            os.rmdir(folder)

    def keep_record(self):
        if self.module.check_mode:
            return
        if self.record:
            systemd.write(RECORD, json.dumps(self.record, sort_keys=True) + "\n", 0o644)
        elif os.path.exists(RECORD):
            os.unlink(RECORD)

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

    def fail(self, sentence):
        self.module.fail_json(msg=sentence, diff=self.diff)

    def done(self, **more):
        self.module.exit_json(changed=self.changed, diff=self.diff, **more)


def main():
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "cache_dir": {"type": "path", "default": "/var/cache/fscache"},
            "keep_free": {"type": "float", "default": 0},
            "package_installed": {"type": "bool", "default": False},
        },
        required_if=[("state", "present", ["path"])],
        supports_check_mode=True,
    )
    try:
        Cache(module).execute()
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"The cache for {module.params['path']} could not be set up: {error}")


if __name__ == "__main__":
    main()
