# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role left is removed by name, in check mode only told, and nothing else is touched."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import removal
from ansible_collections.gh200.inference.plugins.modules import environments_info, node_cleanup


class Ended(Exception):
    """What the module ended with."""

    def __init__(self, **result):
        super().__init__(str(result))
        self.result = result


def end(**result):
    """Stands for exit_json."""
    raise Ended(**result)


@pytest.fixture(name="clean")
def clean_a_node(tmp_path, monkeypatch):
    """clean(check=False, **params): the result; `clean.commands` has what systemctl was told."""
    monkeypatch.setattr(node_cleanup, "RUN", str(tmp_path / "run"))
    monkeypatch.setattr(node_cleanup, "LOGS", str(tmp_path / "log"))

    def users(path, apart_from):
        return ["ray (pid 12)", "ray.service"] if path.endswith("used") and "ray.service" not in apart_from else []

    monkeypatch.setattr(removal, "users", users)

    def run(argv, check_rc=False):
        clean.commands.append(argv[1:])
        return 0, "LoadState=loaded\n" if "gh200-job-mine.service" in argv else "LoadState=not-found\n", ""

    def clean(check=False, **params):
        defaults = {name: [] for name in ("jobs", "paths", "manifests", "empty_folders", "apart_from")}
        defaults |= {"links_to": {}, "mark": None, "unused": False}
        module = SimpleNamespace(params=defaults | params, check_mode=check, exit_json=end, run_command=run)
        with pytest.raises(Ended) as ended:
            node_cleanup.Cleanup(module).execute()
        return ended.value.result

    clean.commands = []
    return clean


def test_a_job_ends_by_its_name_and_its_files_go(clean, tmp_path):
    for name in ("run/mine.sh", "run/mine.stamp", "run/mine-too.sh", "log/mine.log", "log/mine-too.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert clean(check=True, jobs=["mine"])["changed"] and (tmp_path / "run/mine.sh").exists()
    assert ["stop", "gh200-job-mine.service"] not in clean.commands
    clean(jobs=["mine"])
    assert ["stop", "gh200-job-mine.service"] in clean.commands
    assert sorted(path.name for path in tmp_path.rglob("mine*")) == ["mine-too.log", "mine-too.sh"]
    assert not clean(jobs=["other"])["changed"]


def test_folders_around_it_go_when_they_are_empty(clean, tmp_path):
    (tmp_path / "a/b/c").mkdir(parents=True)
    params = {"paths": [f"{tmp_path}/a/b/c"], "empty_folders": [f"{tmp_path}/a/b", f"{tmp_path}/a"]}
    told = clean(check=True, **params)
    assert (
        told["removed"] == [f"{tmp_path}/a/b/c", f"{tmp_path}/a/b", f"{tmp_path}/a"] and (tmp_path / "a/b/c").exists()
    )
    (tmp_path / "a/other").touch()
    assert clean(**params)["removed"] == [f"{tmp_path}/a/b/c", f"{tmp_path}/a/b"]
    assert (tmp_path / "a/other").exists() and not clean(**params)["changed"]


def test_what_a_manifest_does_not_name_stays_and_is_told(clean, tmp_path):
    for name in ("model/one", "model/sub/two", "model/theirs"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    manifest = tmp_path / "model/manifest.json"
    manifest.write_text(json.dumps({"files": {"one": {}, "sub/two": {}, "never-came": {}}}), encoding="utf-8")
    result = clean(manifests=[str(manifest)])
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "theirs"]
    assert result["kept"] == [f"{tmp_path}/model"]


def test_a_folder_without_the_mark_is_another_s(clean, tmp_path):
    (tmp_path / "venv/bin").mkdir(parents=True)
    with pytest.raises(removal.Refused, match=r"has no \.complete, so this role did not make it"):
        clean(paths=[f"{tmp_path}/venv"], mark=".complete")
    (tmp_path / "venv/.complete").touch()
    assert clean(paths=[f"{tmp_path}/venv"], mark=".complete")["changed"]


def test_what_is_used_stays_and_its_users_are_named(clean, tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "free").mkdir()
    with pytest.raises(removal.Refused, match=r"in use by ray \(pid 12\), ray.service"):
        clean(paths=[f"{tmp_path}/free", f"{tmp_path}/used"], unused=True)
    assert (tmp_path / "free").exists()
    foretold = clean(check=True, paths=[f"{tmp_path}/used"], unused=True, apart_from=["ray"])
    assert foretold["removed"] == [f"{tmp_path}/used"] and (tmp_path / "used").exists()


def test_a_link_goes_only_if_it_leads_there(clean, tmp_path):
    (tmp_path / "current").symlink_to("/opt/two")
    assert not clean(links_to={f"{tmp_path}/current": "/opt/one"})["changed"]
    assert clean(links_to={f"{tmp_path}/current": "/opt/two"})["changed"] and not list(tmp_path.iterdir())


def test_environments_are_listed_the_newest_first(tmp_path, monkeypatch):
    monkeypatch.setattr(removal, "users", lambda path: ["ray.service"] if path.endswith("old") else [])
    for name in ("old", "new", "half", ".part"):
        (tmp_path / name).mkdir()
    for age, name in enumerate(("new", "old"), 1):
        (tmp_path / name / ".complete").touch()
        node_cleanup.os.utime(tmp_path / name / ".complete", (1e9 - age, 1e9 - age))
    (tmp_path / "current").symlink_to(tmp_path / "new")
    found = environments_info.environments(str(tmp_path), ".complete")
    assert [(item["path"].rpartition("/")[2], item["finished"], item["users"]) for item in found] == [
        ("half", False, []),
        ("new", True, []),
        ("old", True, ["ray.service"]),
    ]
    assert environments_info.environments(str(tmp_path / "none"), ".complete") == []
