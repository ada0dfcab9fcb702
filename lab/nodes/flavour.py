# SPDX-License-Identifier: GPL-3.0-or-later
"""Image families beyond the base image: each is a list of overlay layers that lie on it."""

from __future__ import annotations

import json
from pathlib import Path

from ..config import Paths
from ..errors import LabError


def define(paths: Paths, family: str, layers: list[Path]) -> None:
    """From now on nodes can be launched with this family; the first layer hides what the later ones have."""
    record = _folder(paths) / f"{family}.json"
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps([str(layer) for layer in layers]), encoding="utf-8")


def names(paths: Paths) -> list[str]:
    """All families that are defined."""
    return sorted(record.stem for record in _folder(paths).glob("*.json"))


def layers(paths: Paths, family: str) -> list[Path]:
    """Folders above the base image, none for a family without a definition; LabError if one is gone."""
    record = _folder(paths) / f"{family}.json"
    if not record.exists():
        return []
    found = [Path(folder) for folder in json.loads(record.read_text(encoding="utf-8"))]
    missing = [str(folder) for folder in found if not folder.is_dir()]
    if missing:
        raise LabError(f"The image {family} lacks its folder {missing[0]}: the command that made it makes it again.")
    return found


def _folder(paths: Paths) -> Path:
    return paths.cache / "flavours"
