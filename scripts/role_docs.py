# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes each role's variables from its argument_specs.yml into its README.md, between two markers. With --check
nothing is written, and an old README is an error: `python scripts/role_docs.py [--check]`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import yaml

ROLES = Path(__file__).resolve().parent.parent / "roles"
BEGIN = "<!-- variables: made by scripts/role_docs.py -->"
END = "<!-- end of variables -->"
# Ansible's markup: a word in code, a value, an option, an environment variable; a module or a plugin with its kind.
CODE = re.compile(r"\b[CVOE]\(([^)]*)\)|\b[MP]\(([^)#]*)(?:#\w+)?\)")


def plain(text: str | list[str]) -> str:
    """A description as Markdown in one line, fit for a cell of a table."""
    joined = " ".join(text if isinstance(text, list) else [text])
    return CODE.sub(lambda found: f"`{found.group(1) or found.group(2)}`", " ".join(joined.split())).replace("|", "\\|")


def default(option: dict) -> str:
    """What stands in the column "default"."""
    if option.get("required"):
        return "required"
    return f"`{json.dumps(option['default'], ensure_ascii=False)}`".replace("|", "\\|") if "default" in option else ""


def table(specs: dict) -> str:
    """Every option of all entry points, once."""
    options = {name: option for spec in specs.values() for name, option in (spec.get("options") or {}).items()}
    rows = ["| variable | type | default | |", "|---|---|---|---|"]
    for name, option in options.items():
        kind = f"list of {option['elements']}" if "elements" in option else option.get("type", "str")
        about = plain(option["description"])
        if "choices" in option:
            about += " One of " + ", ".join(f"`{choice}`" for choice in option["choices"]) + "."
        rows.append(f"| `{name}` | {kind} | {default(option)} | {about} |")
    return "\n".join(rows)


def page(text: str, specs: dict) -> str:
    """README.md with the variables as `specs` has them; raises ValueError where it has no place for them."""
    head, begin, rest = text.partition(BEGIN)
    dummy, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"it lacks the lines '{BEGIN}' and '{END}'")
    return f"{head}{BEGIN}\n\n{table(specs)}\n\n{END}{tail}"


def main(check: bool) -> int:
    """1 if a README is missing, has no markers, or, with `check`, is old."""
    wrong = []
    for role in sorted(path.parent.parent for path in ROLES.glob("*/meta/argument_specs.yml")):
        readme, name = role / "README.md", f"roles/{role.name}/README.md"
        specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
        try:
            text = readme.read_text(encoding="utf-8")
            made = page(text, specs)
        except (OSError, ValueError) as error:
            wrong.append(f"{name}: {getattr(error, 'strerror', None) or error}.")
            continue
        if made != text and check:
            wrong.append(f"{name} is older than its argument_specs.yml: run scripts/role_docs.py.")
        elif made != text:
            readme.write_text(made, encoding="utf-8")
    print("".join(f"{line}\n" for line in wrong), end="", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
