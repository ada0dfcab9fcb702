# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders the shell scripts of roles as Ansible does, with the roles' defaults, so that shellcheck can read them.

`python -m scripts.render FOLDER` writes FOLDER/role.name.sh, each with what it includes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).resolve().parent.parent / "roles"
SHARED = "gh200"
INCLUDE = re.compile(r"{%-?\s*include\s+'([^']+)'")


def scripts(role: Path) -> list[str]:
    """Names of the role's templates of scripts, without those that are parts of others."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(role.glob("templates/*.sh.j2"))}
    parts = {part for text in texts.values() for part in INCLUDE.findall(text)}
    return [name for name in texts if name not in parts]


def variables(role: Path) -> dict[str, Any]:
    """What the role sees where nobody sets anything: its defaults over the shared ones; a path for what it requires."""
    loader = DataLoader()
    specs = loader.load_from_file(str(role / "meta/argument_specs.yml"), trusted_as_template=True)
    options = specs["argument_specs"]["main"].get("options", {})
    values: dict[str, Any] = {name: f"/required/{name}" for name, option in options.items() if option.get("required")}
    for folder in (ROLES / SHARED / "defaults", role / "defaults", role / "vars"):
        for path in sorted(folder.rglob("*.yml")):
            values |= loader.load_from_file(str(path), trusted_as_template=True) or {}
    facts = {"architecture": "aarch64", "processor_vcpus": 64}
    return values | {"ansible_facts": facts, "role_path": str(role), "ansible_search_path": [str(role)]}


def render(role: Path, name: str) -> str:
    """The script's text. Raises AnsibleError for a template that cannot be rendered."""
    templar = Templar(DataLoader(), variables(role))
    return templar.template(trust_as_template("{{ lookup('ansible.builtin.template', '" + name + "') }}"))


def main(folder: Path) -> int:
    """Writes all of them."""
    init_plugin_loader()
    for role in sorted(ROLES.iterdir()):
        for name in scripts(role):
            text = render(role, name)
            (folder / f"{role.name}.{name.removesuffix('.j2')}").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
