# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of the downloader's environment: another one for each set of packages, program and interpreter."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLE = Path(__file__).resolve().parents[4] / "roles/hf_models"
NAME = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))["__hf_models_tool"]


def folder(program, **values):
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8"))
    python = trust_as_template(defaults["hf_models_tool_python"])
    given = {"hf_models_tool_dir": "/tools", "hf_models_tool_python": python, "__hf_models_files": {"a.py": program}}
    return Templar(DataLoader(), given | values).template(trust_as_template(NAME))


def test_each_has_its_own():
    folders = {folder("1"), folder("2"), folder("1", gh200_python="/opt/gh200/python/0123/bin/python3.11")}
    assert len(folders) == 3 and all(one.startswith("/tools/hf-") for one in folders)


def test_the_interpreter_of_all_environments_is_that_of_the_packages_by_default():
    assert folder("1") == folder("1", gh200_python="/usr/bin/python3.11")
