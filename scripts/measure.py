# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the product's Python to its sizes: files under 250 lines, functions under 40, no import circle.

`python -m scripts.measure` prints one line, and status 1 with a line for each finding. Texts that are YAML
(DOCUMENTATION, EXAMPLES, RETURN) are not counted.
"""

from __future__ import annotations

import ast
import graphlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE, FUNCTION = 250, 40
PRODUCT = ("plugins/**/*.py", "roles/*/files/*.py", "lab/**/*.py", "scripts/*.py")
TEXTS = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
COLLECTION = "ansible_collections.gh200.inference"


@dataclass(frozen=True)
class Source:
    """One file, as a path below the repository."""

    path: Path
    tree: ast.Module
    lines: int

    @classmethod
    def read(cls, root: Path, path: Path) -> Source:
        """Raises SyntaxError for a file that is no Python."""
        text = (root / path).read_text(encoding="utf-8")
        tree = ast.parse(text, str(path))
        yaml = [node for node in tree.body if isinstance(node, ast.Assign) and TEXTS & set(_names(node))]
        return cls(path, tree, len(text.splitlines()) - sum(_length(node) for node in yaml))

    @property
    def module(self) -> str:
        """The name with dots; a package goes by its folder's."""
        return ".".join(part for part in self.path.with_suffix("").parts if part != "__init__")

    def functions(self) -> Iterator[tuple[str, int]]:
        """Place of each function, and its lines with the docstring and without decorators."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{self.path}:{node.lineno} {node.name}", _length(node)

    def imports(self, known: set[str]) -> set[str]:
        """Which of the known modules it imports, wherever in the file and for whatever purpose."""
        # The programs of a role find each other in their own folder.
        beside = ".".join(self.path.parent.parts) + "." if self.path.parts[0] == "roles" else ""
        found = set()
        for choices in self._imported():
            names = [beside + name.removeprefix(f"{COLLECTION}.") for name in choices]
            found.add(next((name for name in names if name in known), ""))
        return found - {"", self.module}

    def _imported(self) -> Iterator[list[str]]:
        """For each imported name what it may be: a module, or something in a module."""
        package = self.path.parent.parts
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ([alias.name] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                start = package[: len(package) + 1 - node.level] if node.level else ()
                base = ".".join([*start, *([node.module] if node.module else [])])
                yield from ([f"{base}.{alias.name}", base] for alias in node.names)


def circle(sources: list[Source]) -> list[str]:
    """Modules that import each other in a ring, the first once more at the end; empty where there is none."""
    known = {source.module for source in sources}
    graph = {source.module: source.imports(known) for source in sources}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def report(root: Path) -> tuple[str, list[str]]:
    """The line that sums up, and what is against the rules."""
    paths = sorted({path for pattern in PRODUCT for path in root.glob(pattern)})
    sources = [Source.read(root, path.relative_to(root)) for path in paths]
    functions = [function for source in sources for function in source.functions()]
    ring = " -> ".join(circle(sources))
    measured = [(str(source.path), source.lines, FILE) for source in sources]
    measured += [(where, lines, FUNCTION) for where, lines in functions]
    findings = [
        f"{where}: {lines} lines, {limit - 1} are the most" for where, lines, limit in measured if lines >= limit
    ]
    findings += [f"import circle: {ring}"] if ring else []
    longest = max(sources, key=lambda source: source.lines)
    where, lines = max(functions, key=lambda function: function[1])
    summary = f"{len(sources)} files, the longest {longest.path} with {longest.lines} lines; "
    summary += f"{len(functions)} functions, the longest {where} with {lines} lines; import circles: {ring or 'none'}"
    return summary, findings


def _names(node: ast.Assign) -> list[str]:
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


def _length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def main() -> int:
    """Status 1 if there is a finding."""
    summary, findings = report(Path.cwd())
    print(f"sizes: {summary}")
    for finding in findings:
        print(f"sizes: {finding}", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
