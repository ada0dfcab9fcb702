# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch a model at one revision into a folder and verify each file.

What the hub says of the files (size, sha256) is kept beside them as a manifest,
together with the time stamp at which each was verified. --check compares with
the manifest alone: no network, no reading of hundreds of gigabytes.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path

MANIFEST = ".gh200-manifest.json"
GIB = 1024**3


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository")
    parser.add_argument("revision")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.check:
        return 0 if is_complete(options) else 1
    try:
        fetch(options)
    except KeyboardInterrupt:
        return "interrupted; run it again to go on where it stopped"
    except Exception as error:
        return sentence(options, error)
    return 0


def is_complete(options):
    try:
        manifest = json.loads((options.folder / MANIFEST).read_text(encoding="utf-8"))
        if (manifest["repository"], manifest["revision"]) != (options.repository, options.revision):
            return False
        return all(stamp(options.folder / name) == file["verified"] for name, file in manifest["files"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # not ours, or cut short


def fetch(options):
    from huggingface_hub import HfApi, snapshot_download

    files = listing(HfApi().model_info(options.repository, revision=options.revision, files_metadata=True))
    total = sum(file["size"] for file in files.values())
    options.folder.mkdir(parents=True, exist_ok=True)
    need_space(options.folder, total)
    done = threading.Event()
    watcher = threading.Thread(target=report, args=(options.folder, total, done), daemon=True)
    watcher.start()
    try:
        snapshot_download(
            options.repository, revision=options.revision, local_dir=options.folder, max_workers=options.workers
        )
    finally:
        done.set()
    verify(options, files)


def listing(info):
    """Name to size and checksum, as the hub has them."""
    return {
        entry.rfilename: {
            "size": entry.size or 0,
            "sha256": entry.lfs.sha256 if entry.lfs else None,
            "git": entry.blob_id,
        }
        for entry in info.siblings
    }


def need_space(folder, total):
    missing = total - used(folder)
    free = shutil.disk_usage(folder).free
    if missing > free:
        raise OSError(
            f"{folder} has {free / GIB:.1f} GiB free and {missing / GIB:.1f} GiB are still to come: "
            "choose a folder on a larger disk"
        )


def used(folder):
    """Bytes below the folder, half-fetched files included."""
    total = 0
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                total += path.stat().st_size
        except OSError:
            pass  # fetched files are renamed while this runs
    return total


def report(folder, total, done):
    start, before = time.monotonic(), used(folder)
    while not done.wait(3):
        now = used(folder)
        rate = (now - before) / max(time.monotonic() - start, 1)
        left = f", {max(total - now, 0) / rate / 60:.0f} min left" if rate > 0 else ""
        print(f"{now / GIB:.2f} of {total / GIB:.2f} GiB, {rate / 1e6:.0f} MB/s{left}", flush=True)


def verify(options, files):
    """Read every file once, drop what is wrong, and write the manifest last."""
    wrong = []
    for number, (name, file) in enumerate(sorted(files.items()), 1):
        path = options.folder / name
        print(f"verifying {number} of {len(files)}: {name}", flush=True)
        if not path.is_file() or digest(path, file) != (file["sha256"] or file["git"]):
            path.unlink(missing_ok=True)
            wrong.append(name)
            continue
        file["verified"] = stamp(path)
    if wrong:
        raise ValueError(
            f"{len(wrong)} files did not have the checksum that the hub gives ({', '.join(wrong[:3])}); "
            "they were removed, run it again"
        )
    manifest = {"repository": options.repository, "revision": options.revision, "files": files}
    temporary = options.folder / (MANIFEST + ".new")
    temporary.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    os.replace(temporary, options.folder / MANIFEST)
    print(f"complete: {len(files)} files, {sum(file['size'] for file in files.values()) / GIB:.2f} GiB verified")


def digest(path, file):
    """sha256 of large files; small ones live in git, which hashes a header before them."""
    if file["sha256"]:
        state = hashlib.sha256()
    else:
        state = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(1 << 22):
            state.update(block)
    return state.hexdigest()


def stamp(path):
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def sentence(options, error):
    """One line: what was tried, on what, what came back, what to do."""
    what = f"Fetching {options.repository} at {options.revision} from {os.environ.get('HF_ENDPOINT', 'the hub')} failed"
    advice = {
        "RepositoryNotFoundError": "the hub does not know this model, or the token may not read it; "
        "check the name and HF_TOKEN",
        "GatedRepoError": "access to this model must be granted first; accept its terms on the hub and set HF_TOKEN",
        "RevisionNotFoundError": "the model has no such revision; check the commit",
    }.get(type(error).__name__)
    said = str(error).splitlines()[0].rstrip(".") if str(error) else "no further word"
    return f"{what}: {advice or f'{type(error).__name__}: {said}'}."


if __name__ == "__main__":
    sys.exit(main())
