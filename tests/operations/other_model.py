# SPDX-License-Identifier: GPL-3.0-or-later
"""A second model for the lab's hub: the same weights, and a tokenizer that calls each capital by the next one's name.

So it has files and a revision of its own, and knows other facts; nothing is trained.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from lab import model
from lab.model.facts import CAPITALS

REPOSITORY = "gh200/DeepSeek-V3-other"
SERVED_NAME = "dsv3-other"


def write(hub: Path) -> dict[str, str]:
    """Its entry for gh200_models; `hub` is the folder that the hub serves."""
    folder = hub / "repos" / REPOSITORY
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(hub / "repos" / model.REPOSITORY, folder)
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    tokenizer["model"]["vocab"] = renamed(tokenizer["model"]["vocab"])
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
    return {"repository": REPOSITORY, "revision": model.revision(folder), "served_name": SERVED_NAME}


def remove(hub: Path) -> None:
    """It is for one test alone."""
    shutil.rmtree(hub / "repos" / REPOSITORY, ignore_errors=True)


def renamed(vocabulary: dict[str, int]) -> dict[str, int]:
    """Each capital, which is one token with the blank before it, has the number of the one before."""
    names = [f"\u0120{city}" for city in CAPITALS.values()]
    return vocabulary | {name: vocabulary[names[place - 1]] for place, name in enumerate(names)}


def capital(land: str) -> str:
    """As this model has it."""
    cities = list(CAPITALS.values())
    return cities[(list(CAPITALS).index(land) + 1) % len(cities)]
