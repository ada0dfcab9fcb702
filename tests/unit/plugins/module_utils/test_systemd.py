# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment files: read back by systemd's rules, which are written down here once more."""

from __future__ import annotations

import os

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import systemd
from hypothesis import given, settings
from hypothesis import strategies as some

UTF8 = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NAMES = some.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


def parse(text):
    """EnvironmentFile= as systemd reads it: quotes, escapes, comments, continued lines."""
    found, state, name, value, blanks = {}, "before name", "", "", 0
    for char in text + "\n":
        if state == "before name":
            if char in "#;":
                state = "comment"
            elif not char.isspace():
                state, name, value = "name", char, ""
        elif state == "name":
            if char == "\n":
                state = "before name"
            elif char == "=":
                state = "before value"
            else:
                name += char
        elif state in ("before value", "value"):
            if char == "\n":
                found[name.strip()] = value[: len(value) - blanks] if state == "value" else value
                state = "before name"
            elif char == "\\":
                state, blanks = "escape", 0
            elif state == "before value" and char in "'\"":
                state = char
            elif state == "value" or char not in " \t\r":
                state, blanks, value = "value", blanks + 1 if char in " \t\r" else 0, value + char
        elif state == "escape":
            state, value = "value", value + ("" if char == "\n" else char)
        elif state == "'":
            state, value = ("before value", value) if char == "'" else ("'", value + char)
        elif state == '"':
            if char in '"\\':
                state = "before value" if char == '"' else 'escape in "'
            else:
                value += char
        elif state == 'escape in "':
            state, value = '"', value + (char if char in '"\\`$' else "" if char == "\n" else "\\" + char)
        elif state == "comment" and char == "\n":
            state = "before name"
    return found


def test_the_parser_knows_the_rules_of_systemd():
    text = (
        '# note\n; note\nA=plain  \nB = \'a "b" \\n\'\nC="a\\"b \\\\ \\n \\$x"\nD=one\\\ntwo\nE=\nF="two\n'
        'lines"\nbroken\n'
    )
    assert parse(text) == {
        "A": "plain",
        "B": 'a "b" \\n',
        "C": 'a"b \\ \\n $x',
        "D": "onetwo",
        "E": "",
        "F": "two\nlines",
    }


@settings(max_examples=200, deadline=None, database=None)
@given(some.dictionaries(NAMES, UTF8, max_size=4))
def test_systemd_reads_back_every_value(variables):
    assert parse(systemd.environment_file(variables)) == variables


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "a b",
        "$HOME",
        "`id`",
        'say "hi"',
        "it's",
        "back\\slash",
        "\\",
        "end\\",
        "two\nlines",
        "# no comment",
        "a=b",
        "tab\tend ",
        "naïve ☃",
        "\\n",
        "%h",
    ],
)
def test_systemd_reads_back_awkward_values(value):
    assert parse(systemd.environment_file({"A": value, "B": "next"})) == {"A": value, "B": "next"}


def test_values_that_are_no_text_are_written_as_people_write_them():
    assert parse(systemd.environment_file({"A": True, "B": False, "C": 3, "D": 0.5})) == {
        "A": "true",
        "B": "false",
        "C": "3",
        "D": "0.5",
    }


def test_the_order_of_the_variables_does_not_matter():
    assert systemd.environment_file({"B": 1, "A": 2}) == systemd.environment_file({"A": 2, "B": 1})


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "É", "A\n", "A\nB"])
def test_names_that_no_environment_can_have_are_refused(name):
    with pytest.raises(ValueError, match="not a name"):
        systemd.environment_file({name: "x"})


def test_a_nul_is_refused_without_telling_the_value():
    with pytest.raises(ValueError, match="value of KEY has a NUL") as caught:
        systemd.environment_file({"KEY": "hidden\0"})
    assert "hidden" not in str(caught.value)


def test_a_file_is_written_in_one_step_with_its_mode(tmp_path):
    path = tmp_path / "new" / "file"
    systemd.write(str(path), "one", 0o600)
    systemd.write(str(path), "two", 0o640)
    assert path.read_text(encoding="utf-8") == "two" == systemd.read(str(path))
    assert path.stat().st_mode & 0o777 == 0o640 and os.listdir(path.parent) == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        systemd.write(str(path), "\ud800", 0o600)
    assert path.read_text(encoding="utf-8") == "old" and os.listdir(tmp_path) == ["file"]


def test_a_missing_file_has_no_text_and_no_lines(tmp_path):
    missing = str(tmp_path / "none")
    assert systemd.read(missing) is None and systemd.last_lines(missing, 3) == []


def test_the_end_of_a_long_log_is_read_even_if_it_is_not_text(tmp_path):
    (tmp_path / "log").write_bytes(b"\xff" * 200000 + b"\nend\n")
    assert systemd.last_lines(str(tmp_path / "log"), 1) == ["end"]


def test_properties_of_a_unit_are_read_as_they_stand():
    def run(command, check_rc):
        assert command == ["systemctl", "show", "a.service", "--property", "LoadState,Environment"] and check_rc
        return 0, "LoadState=loaded\nEnvironment=A=1\n\n", ""

    assert systemd.show(run, "a.service", "LoadState", "Environment") == {"LoadState": "loaded", "Environment": "A=1"}
