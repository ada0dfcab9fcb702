# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders the shell scripts of roles as Ansible does, with the roles' defaults, so that shellcheck can read them.

`python -m scripts.render FOLDER` writes FOLDER/role.name.sh, each with what it includes.
`python -m scripts.render FOLDER ROLE VARIABLES.yml` writes those of one role under these variables, and the programs
that they call, so that people can run them by hand: `bash -euo pipefail FOLDER/ROLE.name.sh`.
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


def variables(role: Path, given: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the role sees where nobody sets anything but what is given: its defaults over the shared ones; a path for
    what it requires.
    """
    loader = DataLoader()
    specs = loader.load_from_file(str(role / "meta/argument_specs.yml"), trusted_as_template=True)
    options = specs["argument_specs"]["main"].get("options", {})
    values: dict[str, Any] = {name: f"/required/{name}" for name, option in options.items() if option.get("required")}
    for folder in (ROLES / SHARED / "defaults", role / "defaults", role / "vars"):
        for path in sorted(folder.rglob("*.yml")):
            values |= loader.load_from_file(str(path), trusted_as_template=True) or {}
    facts = {"architecture": "aarch64", "processor_vcpus": 64}
    return values | {"ansible_facts": facts, "role_path": str(role), "ansible_search_path": [str(role)]} | (given or {})


def render(role: Path, name: str, given: dict[str, Any] | None = None) -> str:
    """The script's text. Raises AnsibleError for a template that cannot be rendered."""
    templar = Templar(DataLoader(), variables(role, given))
    return templar.template(trust_as_template("{{ lookup('ansible.builtin.template', '" + name + "') }}"))


def by_hand(folder: Path, role: Path, file: Path) -> None:
    """The scripts of one role under the variables of a file, and below `programs` what they call."""
    programs = folder.resolve() / "programs"
    given = DataLoader().load_from_file(str(file), trusted_as_template=True) | {
        f"__{role.name}_programs": str(programs)
    }
    for name in scripts(role):
        (folder / f"{role.name}.{name.removesuffix('.j2')}").write_text(render(role, name, given), encoding="utf-8")
    templar = Templar(DataLoader(), variables(role, given))
    placed = f"{{{{ __{role.name}_files | combine(__{role.name}_locks | default({{}})) }}}}"
    for path, text in templar.template(trust_as_template(placed)).items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text + "\n", encoding="utf-8")


def main(folder: Path, role: str = "", file: str = "") -> int:
    """Writes all of them, or those of one role."""
    init_plugin_loader()
    folder.mkdir(parents=True, exist_ok=True)
    if role:
        by_hand(folder, ROLES / role, Path(file))
        return 0
    for each in sorted(ROLES.iterdir()):
        for name in scripts(each):
            text = render(each, name)
            (folder / f"{each.name}.{name.removesuffix('.j2')}").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:4]))
