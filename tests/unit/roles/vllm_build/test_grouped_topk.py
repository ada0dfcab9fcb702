# SPDX-License-Identifier: GPL-3.0-or-later
"""The fix of the routing changes one function, once, and only the one that it knows."""

from __future__ import annotations

import pytest

SOURCE = """before = 1


def grouped_topk(scores, e_score_correction_bias=None):
    group_scores = scores.view(
        2, 2, -1).max(dim=-1).values  # a remark
    return group_scores


after = 2
"""


@pytest.fixture(name="fix")
def program(load, monkeypatch):
    """The program, made to know the function of SOURCE as that of 0.7.2."""
    module = load("vllm_build/fixes/grouped_topk.py")
    original = "".join(SOURCE.splitlines(keepends=True)[3:7])
    head, rest = original.split("  # a remark\n")
    monkeypatch.setattr(module, "BEFORE", module.digest(original))
    monkeypatch.setattr(module, "AFTER", module.digest(f"{head}  # a remark\n{module.RULE}{rest}"))
    return module


def test_the_rule_comes_after_the_scores_of_the_groups(fix):
    lines = fix.fixed(SOURCE).splitlines()
    assert lines[5].endswith("# a remark")
    assert lines[6:9] == fix.RULE.splitlines()
    assert lines[:6] + lines[9:] == SOURCE.splitlines()


def test_a_second_time_changes_nothing(fix):
    once = fix.fixed(SOURCE)
    assert fix.fixed(once) == once


def test_another_function_is_refused_and_left_alone(fix, tmp_path):
    path = tmp_path / fix.FILE
    path.parent.mkdir(parents=True)
    path.write_text(SOURCE.replace("max", "min"), encoding="utf-8")
    with pytest.raises(
        SystemExit,
        match=r"does not fit this source: .*has another grouped_topk than vLLM 0\.7\.2.* out of vllm_build_fixes",
    ):
        fix.main(str(tmp_path))
    assert path.read_text(encoding="utf-8") == SOURCE.replace("max", "min")


def test_a_source_without_the_file_or_the_function(fix, tmp_path):
    with pytest.raises(SystemExit, match=r"does not fit this source: .*No such file"):
        fix.main(str(tmp_path))
    with pytest.raises(ValueError, match="has no function grouped_topk"):
        fix.fixed("x = 1\n")


def test_the_file_is_written(fix, tmp_path):
    path = tmp_path / fix.FILE
    path.parent.mkdir(parents=True)
    path.write_text(SOURCE, encoding="utf-8")
    fix.main(str(tmp_path))
    assert path.read_text(encoding="utf-8") == fix.fixed(SOURCE)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
