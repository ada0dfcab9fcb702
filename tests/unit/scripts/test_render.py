# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts of roles as shellcheck gets to see them."""

import pytest

from scripts import render

TEMPLATES = [(role, name) for role in sorted(render.ROLES.iterdir()) for name in render.scripts(role)]


def test_every_template_of_a_script_is_rendered_alone_or_within_another():
    found = {path.name for role in render.ROLES.iterdir() for path in role.glob("templates/*.sh.j2")}
    names = {name for dummy, name in TEMPLATES}
    parts = {
        part for path in render.ROLES.glob("*/templates/*.sh.j2") for part in render.INCLUDE.findall(path.read_text())
    }
    assert {"install.sh.j2", "vllm-wheel.sh.j2"} <= names and "retry.sh.j2" in parts
    assert names | parts == found and not names & parts


@pytest.mark.parametrize("role, name", TEMPLATES)
def test_defaults_are_enough_and_includes_are_in_it(role, name):
    text = render.render(role, name)
    assert "{%" not in text and "{{ " not in text and len(text.splitlines()) > 2
    if "retry.sh.j2" in (role / "templates" / name).read_text(encoding="utf-8"):
        assert "\nretry() {\n" in text


def test_the_scripts_of_a_role_are_rendered_for_people_with_the_programs_that_they_call(tmp_path):
    file = tmp_path / "variables.yml"
    file.write_text(
        "vllm_build_lane: index\nvllm_build_version: 0.20.2\nvllm_build_venv: /opt/venv\n", encoding="utf-8"
    )
    assert render.main(tmp_path / "out", "vllm_build", str(file)) == 0
    text = (tmp_path / "out/vllm_build.install.sh").read_text(encoding="utf-8")
    assert "\nvllm==0.20.2 --hash=" in text and "\nvenv=/opt/venv\n" in text
    for name in ("requirements.py", "check.py"):
        assert (tmp_path / "out/programs" / name).is_file()
    assert f"python {tmp_path}/out/programs/requirements.py vllm " in text
