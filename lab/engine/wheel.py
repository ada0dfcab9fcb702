# SPDX-License-Identifier: GPL-3.0-or-later
"""A wheel of plain Python files, the same bytes whenever and wherever it is made: its checksum
goes into the inventory, and with it into the name of the environment on the nodes."""

from __future__ import annotations

import base64
import hashlib
import io
import tomllib
import zipfile
from pathlib import Path


def build(source: Path) -> tuple[str, bytes]:
    """Name and content, from a folder with pyproject.toml and packages."""
    settings = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    version = project["version"]
    entries = {
        path.relative_to(source).as_posix(): path.read_bytes()
        for package in settings["tool"]["setuptools"]["packages"]
        for path in sorted((source / package).glob("*.py"))
    }
    groups = [
        f"[{group}]\n" + "".join(f"{key} = {place}\n" for key, place in points.items())
        for group, points in project["entry-points"].items()
    ]
    return _pack(
        project["name"],
        version,
        project["description"],
        f"Requires-Python: {project['requires-python']}\n",
        entries,
        "\n".join(groups),
    )


def empty(package: str, version: str, description: str) -> tuple[str, bytes]:
    """Name and content of a wheel that has a name and nothing in it."""
    return _pack(package, version, description, "", {}, "")


def _pack(
    package: str, version: str, description: str, metadata: str, entries: dict[str, bytes], points: str
) -> tuple[str, bytes]:
    name = package.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    entries = entries | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\nSummary: "
        f"{description}\n{metadata}".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: lab\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if points:
        entries[f"{info}/entry_points.txt"] = points.encode()
    record = "".join(f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in entries.items())
    entries[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    return f"{name}-{version}-py3-none-any.whl", _archive(entries)


def _archive(entries: dict[str, bytes]) -> bytes:
    """Not compressed: what comes out of a compressor depends on its version."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_STORED) as archive:
        for path, content in entries.items():
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, content)
    return result.getvalue()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
