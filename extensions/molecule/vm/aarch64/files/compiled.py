# SPDX-License-Identifier: GPL-3.0-or-later
"""What is compiled in this environment: JSON of each file's machine and alignment, and of each module that was loaded.

`files`: [path, e_machine, the least alignment of what is loaded into memory]; `failed`: module to why.
"""

import importlib
import json
import re
import struct
import sys
import sysconfig
from pathlib import Path

SITE = Path(sysconfig.get_path("platlib"))
LOAD = 1
# Another project's packages that Ray carries along, found by the path that it sets itself.
CARRIED = "thirdparty_files"
# Glue to a windowing toolkit, which is a package of Debian's and on no node.
GLUE = "_imagingtk"


def main():
    paths = sorted(path for path in [*SITE.rglob("*"), *SITE.parents[2].glob("bin/*")] if is_elf(path))
    modules = [name for name in map(module, paths) if name]
    print(json.dumps({"files": [about(path) for path in paths], "loaded": modules, "failed": failures(modules)}))


def is_elf(path):
    """A file, and no link to one."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def about(path):
    """Of a 64-bit little-endian file."""
    with path.open("rb") as file:
        head = file.read(64)
        begin, size, count = *struct.unpack_from("<Q", head, 32), *struct.unpack_from("<HH", head, 54)
        file.seek(begin)
        entries = [file.read(size) for dummy in range(count)]
    kinds = [(struct.unpack_from("<I", entry)[0], struct.unpack_from("<Q", entry, 48)[0]) for entry in entries]
    least = min((align for kind, align in kinds if kind == LOAD), default=0)
    return [str(path), struct.unpack_from("<H", head, 18)[0], least]


def module(path):
    """Its name, where Python loads it as one."""
    found = re.fullmatch(r"(\w+)(\.cpython-311-aarch64-linux-gnu|\.abi3)?\.so", path.name)
    if not found or CARRIED in path.parts or not path.is_relative_to(SITE):
        return None
    if not found[2] and path.parent.name != "ray":
        return None
    # Only a library's own tests use these; one of numpy's cannot be loaded alone.
    if found[1].endswith("_tests") or found[1] == GLUE:
        return None
    # As cv2/cv2.abi3.so is: by its package, and by nobody else.
    package = path.relative_to(SITE).parts[:-1]
    return ".".join(package if package[-1:] == (found[1],) else [*package, found[1]])


def failures(modules):
    found = {}
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"
    return found


if __name__ == "__main__":
    sys.exit(main())
