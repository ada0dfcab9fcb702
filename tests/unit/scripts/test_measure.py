# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make lint` says about sizes and circles of the product's Python."""

import pytest

from scripts import measure

NAME = "ansible_collections.gh200.inference.plugins"


def function(lines):
    """A function of so many lines."""
    return "def long():\n" + "    pass\n" * (lines - 1)


@pytest.fixture(name="report")
def _report(tmp_path):
    def report(files):
        for name, text in {"lab/other.py": "import json\n" + function(2), **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return measure.report(tmp_path)

    return report


def test_the_line_names_the_longest_file_and_function(report):
    summary, findings = report({"lab/a.py": function(39), "lab/b.py": "x = 1\n" * 249})
    assert "lab/b.py with 249 lines" in summary and "lab/a.py:1 long with 39 lines" in summary
    assert findings == [] and summary.endswith("import circles: none")


def test_one_line_more_is_a_finding(report):
    assert report({"lab/a.py": function(40), "roles/r/files/b.py": "x = 1\n" * 250})[1] == [
        "roles/r/files/b.py: 250 lines, 249 are the most",
        "lab/a.py:1 long: 40 lines, 39 are the most",
    ]


def test_yaml_texts_are_not_counted_and_other_texts_are(report):
    yaml, text = 'DOCUMENTATION = r"""\n' + "a: b\n" * 300 + '"""\n', 'TEXT = """\n' + "a\n" * 10 + '"""\n'
    summary, findings = report({"plugins/modules/m.py": yaml + text + function(3)})
    assert findings == [] and "plugins/modules/m.py with 15 lines" in summary


def test_methods_and_functions_within_functions_are_measured(report):
    inner = "class A:\n    def b(self):\n        async def c():\n" + "            pass\n" * 40
    assert [finding.split(":")[1] for finding in report({"lab/a.py": inner})[1]] == ["2 b", "3 c"]


@pytest.mark.parametrize(
    "files",
    [
        {"lab/a.py": "from . import b\n", "lab/b.py": "def f():\n    from .a import x\n"},
        {"lab/x/a.py": "from ..y import b\n", "lab/y/b.py": "import lab.x.a\n"},
        {
            "plugins/action/a.py": f"from {NAME}.filter import b\n",
            "plugins/filter/b.py": f"from {NAME}.action.a import c\n",
        },
        {"roles/r/files/a.py": "import b\n", "roles/r/files/b.py": "from a import c\n"},
        {"lab/__init__.py": "from .a import b\n", "lab/a.py": "from . import c\n"},
    ],
)
def test_modules_that_import_each_other_are_a_circle(report, files):
    summary, findings = report(files)
    assert len(findings) == 1 and findings[0].startswith("import circle: ") and findings[0].count(" -> ") == 2
    assert "none" not in summary


@pytest.mark.parametrize(
    "files",
    [
        {"lab/a.py": "from . import b, c\n", "lab/b.py": "from .c import a\n", "lab/c.py": "import json\n"},
        {"lab/__init__.py": "from .a import b\n", "lab/a.py": "from . import c\n", "lab/c.py": "import sys\n"},
        {"roles/r/files/a.py": "import b\n", "roles/s/files/b.py": "import a\n"},
    ],
)
def test_what_only_looks_like_one_is_none(report, files):
    assert report(files)[1] == []
