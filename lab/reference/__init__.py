# SPDX-License-Identifier: GPL-3.0-or-later
"""What an independent implementation, transformers' own DeepSeek-V3, makes of the lab's model."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from .. import model
from ..config import Paths
from ..errors import LabError
from . import environment

Say = Callable[[str], None]
PROGRAMS = ("facts.py", "tokenizer.py")
# DeepSeek's own rule and that of vLLM 0.7.2: what a group of experts is worth, the sum of its best two or its best one.
RULES = ("sum", "best")


def ensure(paths: Paths, say: Say) -> Path:
    """The file with the answers to the model that the hub has; asked for when model or code are others than they were.

    `rules` has for each rule the `fingerprint` (mean log-probability of a token of `passage`) and `answers`: prompt,
    ids, tokens, logprobs, margins (to the second best token, in nats), text; for facts also what was to be learned.
    """
    folder = paths.hub / "repos" / model.REPOSITORY
    if not folder.is_dir():
        raise LabError(f"The hub has no model in {folder}: `make lab` makes it.")
    result = paths.cache / "reference" / f"{model.revision(folder)}.json"
    recipe = _recipe()
    try:
        if json.loads(result.read_text(encoding="utf-8"))["recipe"] == recipe:
            return result
    except (OSError, ValueError, KeyError):
        pass
    say("reference: asking transformers (about a minute)")
    result.parent.mkdir(parents=True, exist_ok=True)
    unfinished = result.with_suffix(".new")
    environment.program(paths, say, "lab.reference.ask", folder, unfinished)
    answers = json.loads(unfinished.read_text(encoding="utf-8"))
    unfinished.write_text(json.dumps({"recipe": recipe, "revision": result.stem} | answers), encoding="utf-8")
    os.replace(unfinished, result)
    return result


def reference(paths: Paths, rule: str = "sum", say: Say = lambda text: None) -> dict:
    """What a server of this model must say: `fingerprint` (float, mean log-probability of the tokens 2 to the last of
    `passage`), `passage`, and `facts`, a list of {prompt, expect: [answer]}. `rule` as the engine routes, see RULES."""
    content = json.loads(ensure(paths, say).read_text(encoding="utf-8"))
    found = content["rules"][rule]
    facts = [
        {"prompt": answer["prompt"], "expect": [answer["expect"]]}
        for answer in found["answers"]
        if answer["kind"] == "fact"
    ]
    return {"fingerprint": found["fingerprint"], "passage": content["passage"], "facts": facts}


def _recipe() -> str:
    """Changes with the programs, the questions, or the versions."""
    here = Path(__file__).parent
    files = [*sorted(here.glob("*.py")), *(Path(model.__file__).with_name(name) for name in PROGRAMS)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files) + environment.wanted().encode()).hexdigest()
