# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a model's folder: the hub's listing, and which files were verified, written file by file.

A file is ours if it stands here under `files`; nothing else is ever deleted.
"""

import json
import os

from . import verify

NAME = ".gh200-manifest.json"
ENTRY = ("size", "sha256", "git")


class Manifest:
    """Of one folder, for one repository at one revision. Of another one only the names count: they are `former`.

    `elsewhere`: name to the name under which that file lies, where the two are not the same.
    """

    def __init__(self, folder, repository, revision, elsewhere=None):
        self.folder, self.elsewhere = folder, elsewhere or {}
        self.path = folder / NAME
        self.identity = {"repository": repository, "revision": revision}
        self.listing, self.files, self.former = {}, {}, set()
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            files, former = dict(data["files"]), set(data.get("former", []))
            listing = {name: {key: entry[key] for key in ENTRY} for name, entry in data.get("listing", {}).items()}
            same = all(data[key] == value for key, value in self.identity.items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return  # none yet, not ours, or cut short
        if same:
            self.listing, self.files, self.former = listing, files, former
        else:
            self.former = former | set(files)

    def place(self, name):
        """Where a verified file lies."""
        return self.folder / self.elsewhere.get(name, name)

    def holds(self):
        """Names of the files that are as they were when they were verified."""
        return {
            name
            for name, file in self.files.items()
            if isinstance(file, dict) and file.get("verified") and verify.stamp(self.place(name)) == file["verified"]
        }

    def record(self, name):
        """A file was verified just now, at its place."""
        self.files[name] = self.listing[name] | {"verified": verify.stamp(self.place(name))}
        self.save()

    def remove(self, names):
        """Delete files that are ours."""
        for name in names:
            self.place(name).unlink(missing_ok=True)
            self.files.pop(name, None)
            self.former.discard(name)
        self.save()

    def save(self):
        """In one step, so that a kill leaves the old one or the new one."""
        temporary = self.folder / (NAME + ".new")
        content = {
            **self.identity,
            "listing": self.listing,
            "files": self.files,
            "former": sorted(self.former),
        }
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
        os.replace(temporary, self.path)
