# SPDX-License-Identifier: GPL-3.0-or-later
"""One model in its folder on this node: what is needed of it, what is there, and what becomes of a file that came."""

import hashlib
import json
import os
import re
import shutil
import threading
from pathlib import Path

from . import choice, verify
from .manifest import Manifest

PARTIAL = ".gh200-partial"
# Newer engines refuse a folder that lacks a shard which its index names. Without an index they take what is there.
HIDDEN_INDEX = ".gh200-index.json"


class Model:
    """`layers`: [first, last] of this node's stage, None for the whole model."""

    def __init__(self, repository, revision, path, layers=None):
        self.repository, self.revision, self.folder, self.layers = repository, revision, Path(path), layers
        self.key = hashlib.sha256(f"{repository}@{revision}".encode()).hexdigest()[:16]
        self.manifest = Manifest(self.folder, repository, revision, {choice.INDEX: HIDDEN_INDEX} if layers else {})
        self.have = self.manifest.holds()
        self.partial = self.folder / PARTIAL
        self.lock, self.needs = threading.RLock(), {}

    @property
    def listing(self):
        """What the hub says of all files; empty while it is not known."""
        return self.manifest.listing

    def doubt(self):
        """What is no commit may mean other files than it did."""
        if not re.fullmatch(r"[0-9a-f]{40}", self.revision):
            self.manifest.listing = {}

    def learn(self, listing):
        """What the hub says. Files that were verified as something else count no more."""
        self.folder.mkdir(parents=True, exist_ok=True)
        known = self.manifest.files
        self.have = {
            name
            for name in self.have
            if name in listing and all(known[name].get(key) == value for key, value in listing[name].items())
        }
        self.manifest.listing = listing
        self.needs.clear()

    def is_known(self):
        """Whether all is there by which is chosen what is needed."""
        return bool(self.listing) and choice.first_files(self.listing) <= self.have

    def wanted(self, layers):
        """Names that a node with these layers needs; while that is not known, what tells it."""
        key = str(layers)
        if key not in self.needs:
            if not self.is_known():
                return choice.first_files(self.listing) or set(self.listing)
            self.needs[key] = choice.wanted(self.listing, layers, self._json(choice.INDEX), self._json(choice.CONFIG))
        return self.needs[key]

    def lacks(self):
        """Names that this node needs and has not."""
        return self.wanted(self.layers) - self.have

    def surplus(self):
        """Files of ours that this node need not keep, those of another revision too."""
        return (set(self.manifest.files) - self.wanted(self.layers)) | (self.manifest.former - set(self.listing))

    def is_complete(self, prune):
        """Whether nothing is to be done; by looking at sizes and times alone."""
        try:
            return self.is_known() and not self.lacks() and not (prune and self.surplus())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False  # the manifest was cut short or is not ours

    def _json(self, name):
        if name not in self.listing:
            return {}
        return json.loads(self.place(name).read_text(encoding="utf-8"))

    def place(self, name):
        """Where a verified file lies."""
        return self.manifest.place(name)

    def bytes_of(self, names):
        """Sum of the sizes that the hub gives."""
        return sum(self.listing[name]["size"] for name in names)

    def places(self, name):
        """Where a file may lie that was not verified yet: as it was fetched, or as someone put it there."""
        own = [self.place(name), *self._other_places(name)]
        return [self.partial / "hub" / name, self.partial / "peers" / name, *own]

    def _other_places(self, name):
        """Where it lay when this node had another part of the model."""
        return [self.folder / name if self.layers else self.folder / HIDDEN_INDEX] if name == choice.INDEX else []

    def lying(self, name):
        """The first such place with a file of the right size; a file at its own place of a wrong one is removed."""
        for path in self.places(name):
            stamp = verify.stamp(path)
            if stamp and stamp[0] == self.listing[name]["size"] and path.is_file():
                return path
        own = self.place(name)
        if own.is_file():
            self._tell(name, f"has {own.stat().st_size} bytes and should have {self.listing[name]['size']}")
            own.unlink()
        elif name in self.manifest.files:
            self._tell(name, "is gone")
        return None

    def accept(self, name, path):
        """Verify a file and put it at its place; False if it is not what the hub has, and it is gone then."""
        right = verify.is_right(path, self.listing[name])
        own = self.place(name)
        with self.lock:
            if not right:
                if path == own:
                    self._tell(name, "has not the checksum that the hub gives")
                path.unlink()
                return False
            if path != own:
                own.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, own)
            self.manifest.record(name)
            self.have.add(name)
        return True

    def _tell(self, name, what):
        with self.lock:
            self.manifest.files.pop(name, None)
        print(f"{self.place(name)} {what}; it is fetched anew", flush=True)

    def discard(self, name):
        """A file that came from the hub is none."""
        (self.partial / "hub" / name).unlink(missing_ok=True)

    def arrived(self):
        """Bytes that are there of what is needed, half-fetched files included."""
        total = self.bytes_of(self.wanted(self.layers) & self.have)
        for path in self.partial.rglob("*"):
            stamp = verify.stamp(path)
            total += stamp[0] if stamp and path.is_file() else 0
        return total

    def tidy(self, prune):
        """At the end: no half-fetched files, and, if so wanted, nothing of ours that is not needed."""
        shutil.rmtree(self.partial, ignore_errors=True)
        for path in self._other_places(choice.INDEX):
            # Of another revision; under the hub's name it may be somebody else's.
            if path.name == HIDDEN_INDEX or choice.INDEX in self.manifest.former:
                path.unlink(missing_ok=True)
        surplus = self.surplus() if prune else set()
        if surplus:
            print(f"{self.folder}: removing {len(surplus)} files that this node need not keep", flush=True)
            self.remove(surplus)

    def remove(self, names):
        """Delete files that are ours."""
        with self.lock:
            self.manifest.remove(names)
            self.have -= names
