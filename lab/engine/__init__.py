# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes of the lab fetch: the model, and the platform that lets vLLM run on them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from .. import model
from ..config import Paths
from ..reference import environment
from . import wheel

PLATFORM = Path(__file__).resolve().parent.parent / "vllm_platform"


def prepare(paths: Paths, progress: Callable[[str], None]) -> dict[str, str]:
    """Fill the folder of the hub; what is there and right stays."""
    name, content = wheel.build(PLATFORM)
    file = paths.hub / "files" / name
    if not file.is_file() or file.read_bytes() != content:
        progress(f"hub: {name}")
        replace(file, content)
    return {
        "platform_wheel": name,
        "platform_sha256": hashlib.sha256(content).hexdigest(),
        "model_revision": _model(paths, progress),
    }


def _model(paths: Paths, progress: Callable[[str], None]) -> str:
    """Trained again when the code that makes it, its versions, or what lies there, are others than they were."""
    folder = paths.hub / "repos" / model.REPOSITORY
    note = folder.with_name(f"{folder.name}.json")
    code = b"".join(path.read_bytes() for path in sorted(Path(model.__file__).parent.glob("*.py")))
    recipe = hashlib.sha256(code + environment.wanted().encode()).hexdigest()
    try:
        kept = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {}
    if kept.get("recipe") == recipe and folder.is_dir() and kept.get("revision") == model.revision(folder):
        return kept["revision"]
    progress(f"hub: training {model.REPOSITORY} (half a minute)")
    unfinished = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    environment.program(paths, progress, "lab.model.train", unfinished)
    # Never written down: another processor, another rounding, another model that knows the same.
    revision = model.revision(unfinished)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    replace(note, json.dumps({"recipe": recipe, "revision": revision}).encode())
    return revision


def replace(path: Path, content: bytes) -> None:
    """Whole or not at all, for the hub may be serving it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)
