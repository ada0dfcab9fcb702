# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is in the diff of a service, whatever it looks like; and which memory it is bound to."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import systemd
from ansible_collections.gh200.inference.plugins.modules import systemd_unit

UNIT = "[Service]\nExecStart=/bin/true\n"


@pytest.fixture(name="diff")
def diff_of_a_service(tmp_path):
    """diff(before, environment, secret): what writing the files shows.

    `before` is the text of the environment file, or None.
    """

    def diff(before, environment, secret):
        path = tmp_path / "example.env"
        if before is not None:
            path.write_text(before, encoding="utf-8")
            path.chmod(0o600)
        params = {
            "name": "example",
            "unit": UNIT,
            "environment": environment,
            "secret_environment": secret,
            "interfaces": {},
            "reads": [],
            "files": {},
            "reload_files": {},
        }
        params |= {"environment_file": str(path), "bind_memory": False}
        service = systemd_unit.Service(SimpleNamespace(params=params, check_mode=True))
        service.unit_path = str(tmp_path / "example.service")
        service.numa_path = str(tmp_path / "example.service.d" / "gh200-numa.conf")
        service.write_files()
        return service.result["diff"]

    return diff


@pytest.mark.parametrize(
    "secret", ["planted", "two\nplanted", 'a"\nplanted', "\nKEY=planted\n", "x\\\nplanted", 'PORT="planted']
)
def test_a_secret_is_in_neither_side_of_the_diff(diff, secret):
    shown = diff(systemd.environment_file({"KEY": secret + "old", "PORT": "1"}), {"PORT": "2"}, {"KEY": secret})
    assert "planted" not in str(shown)
    assert 'PORT="1"' in shown[0]["before"] and 'PORT="2"' in shown[0]["after"]


def test_the_diff_tells_that_a_secret_changed(diff):
    shown = diff(systemd.environment_file({"KEY": "old"}), {}, {"KEY": "new"})[0]
    assert shown["before"].startswith("KEY=(secret ") and shown["before"] != shown["after"]


def test_a_secret_that_is_not_wanted_any_more_is_not_shown_either(diff):
    shown = diff(systemd.environment_file({"OLD_KEY": "planted", "PORT": "1"}), {"PORT": "1"}, {})[0]
    assert "planted" not in str(shown) and shown["after"] == 'PORT="1"\n'


def test_a_file_that_someone_else_wrote_is_not_shown(diff):
    assert "planted" not in str(
        diff("export KEY=planted\nplanted\nKEY2='planted'\nKEY3=\"planted\n", {"PORT": "1"}, {"KEY": "x"})
    )


def test_the_unit_itself_is_shown_as_it_is(diff):
    assert diff(None, {}, {})[1]["after"] == UNIT


@pytest.fixture(name="service")
def service_on_a_machine(tmp_path, monkeypatch):
    """service(bound, **params): a service whose files are below tmp_path, on a machine with that binding."""

    def service(bound, check=False, **params):
        monkeypatch.setattr(systemd_unit.numa, "binding", lambda: bound)
        given = {
            "name": "example",
            "unit": UNIT,
            "environment": {},
            "secret_environment": {},
            "interfaces": {},
            "bind_memory": True,
            "reads": [],
            "files": {},
            "reload_files": {},
            "programs": [],
            "undo": [],
        }
        given |= {"state": "started", "environment_file": str(tmp_path / "example.env")} | params
        made = systemd_unit.Service(SimpleNamespace(params=given, check_mode=check))
        made.unit_path = str(tmp_path / "example.service")
        made.numa_path = str(tmp_path / "example.service.d" / "gh200-numa.conf")
        monkeypatch.setattr(made, "systemctl", lambda *words: None)
        return made

    return service


def test_a_service_is_bound_by_a_file_of_its_own(service, tmp_path):
    first = service([0, 2])
    assert first.write_files()
    path = tmp_path / "example.service.d" / "gh200-numa.conf"
    assert path.read_text(encoding="utf-8").splitlines()[1:] == ["[Service]", "NUMAPolicy=bind", "NUMAMask=0,2"]
    assert any("NUMAMask=0,2" in part["after"] and part["before"] == "" for part in first.result["diff"])
    assert not service([0, 2]).write_files()


@pytest.mark.parametrize(("bound", "params"), [(None, {}), ([0], {"bind_memory": False})])
def test_the_binding_goes_when_it_is_not_wanted(service, tmp_path, bound, params):
    service([0]).write_files()
    path = tmp_path / "example.service.d" / "gh200-numa.conf"
    predicted = service(bound, check=True, **params)
    assert predicted.write_files() and path.exists()
    after = service(bound, **params)
    assert after.write_files() and not path.exists()
    assert "NUMAMask=0" in after.result["diff"][0]["before"] and after.result["diff"][0]["after"] == ""
    assert not service(bound, **params).write_files()


def test_an_ordinary_machine_gets_no_such_file(service, tmp_path):
    service(None).write_files()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["example.env", "example.service"]


@pytest.mark.parametrize("changed", ["example.service.d/gh200-numa.conf", "example.service.d"])
def test_a_process_older_than_its_binding_is_stale(service, tmp_path, changed):
    made = service([0])
    made.write_files()
    running = {"ExecMainStartTimestampMonotonic": str(int(time.monotonic() * 1e6))}
    for path in [*tmp_path.rglob("*")]:
        os.utime(path, (0, 0))
    assert not made.is_stale(running)
    os.utime(tmp_path / changed, (time.time() + 60, time.time() + 60))
    assert made.is_stale(running)


def test_an_absent_service_leaves_no_binding_and_no_empty_folder(service, tmp_path):
    service([0]).write_files()
    gone = service([0], state="absent")
    gone.remove({"ActiveState": "inactive", "UnitFileState": "disabled"})
    assert gone.result["changed"] and not list(tmp_path.iterdir())


def test_a_companion_is_written_once_and_restarts_nothing(service, tmp_path):
    service = service(None, files={str(tmp_path / "lib" / "health.py"): "print()\n"})
    service.write_files()
    service.write_companions()
    assert (tmp_path / "lib" / "health.py").read_text(encoding="utf-8") == "print()\n" and service.result["changed"]
    service.result["changed"] = False
    assert not service.write_files()
    service.write_companions()
    assert not service.result["changed"]
    os.utime(tmp_path / "lib" / "health.py", (time.time() + 60, time.time() + 60))
    assert not service.is_stale({"ExecMainStartTimestampMonotonic": str(int((time.monotonic() + 30) * 1e6))})


def test_a_file_of_another_service_that_is_newer_makes_it_stale(service, tmp_path):
    service = service(None, reads=[str(tmp_path / "shared.env")])
    service.write_files()
    begin = {"ExecMainStartTimestampMonotonic": str(int((time.monotonic() + 30) * 1e6))}
    assert not service.is_stale(begin)
    (tmp_path / "shared.env").write_text("A=1\n", encoding="utf-8")
    assert not service.is_stale(begin)
    os.utime(tmp_path / "shared.env", (time.time() + 60, time.time() + 60))
    assert service.is_stale(begin)


LOOPBACK = '[{}, {"ifindex": 1, "ifname": "lo", "addr_info": [{"local": "127.0.0.1"}]}]'


def test_a_variable_gets_the_name_of_the_interface_with_the_address(service, tmp_path):
    made, asked = service(None, interfaces={"A_IFNAME": "127.0.0.1", "B_IFNAME": "127.0.0.1"}), []
    made.module.run_command = lambda argv: (0, LOOPBACK if asked.append(argv) is None else "", "")
    made.write_files()
    assert (tmp_path / "example.env").read_text(encoding="utf-8") == 'A_IFNAME="lo"\nB_IFNAME="lo"\n'
    assert asked == [["ip", "-json", "address", "show", "to", "127.0.0.1"]]
    assert 'A_IFNAME="lo"' in made.result["diff"][0]["after"]


@pytest.mark.parametrize("answer", [(0, "[{}]", ""), (1, "", "inet prefix is expected")])
def test_an_address_of_another_machine_is_a_sentence(service, answer):
    made = service(None, interfaces={"A_IFNAME": "192.0.2.1"})
    made.module.run_command = lambda argv: answer
    with pytest.raises(ValueError, match=r"no interface of this node has the address 192\.0\.2\.1 .*inventory"):
        made.write_files()


class Refused(Exception):
    """What fail_json ends with."""


@pytest.fixture(name="checked")
def service_that_asks_before(service):
    """checked(status, words, check): a service whose check_argv ends so, and what it ran."""

    def checked(status, words="", check=False):
        made, ran = service(None, check=check, check_argv=["/bin/check", "-"], check_input="program"), []

        def run_command(argv, **options):
            ran.append((argv, options["data"]))
            return status, "", words

        def fail_json(msg):
            raise Refused(msg)

        made.module.run_command, made.module.fail_json = run_command, fail_json
        return made, ran

    return checked


def test_another_unit_is_asked_about_and_the_same_is_not(checked):
    made, ran = checked(0)
    made.require_right()
    assert ran == [(["/bin/check", "-"], "program")]
    made.write_files()
    made.require_right()
    assert len(ran) == 1


def test_a_refusal_is_its_last_line_and_writes_nothing(checked, tmp_path):
    made, _ran = checked(1, "noise\nThat flag is unknown.\n")
    with pytest.raises(Refused, match=r"^That flag is unknown\. The service example was not changed\.$"):
        made.require_right()
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_is_missing_is_a_failure_but_in_a_prediction(checked):
    checked(127, "no such file", check=True)[0].require_right()
    with pytest.raises(Refused, match="no such file"):
        checked(127, "no such file")[0].require_right()


@pytest.mark.parametrize(("state", "asked"), [("loaded", ["disable", "stop"]), ("not-found", [])])
def test_a_service_is_stopped_without_its_text(service, monkeypatch, tmp_path, state, asked):
    made, ran = service(None, unit=None, state="stopped", enabled=False), []
    seen = {"LoadState": state, "ActiveState": "active", "UnitFileState": "enabled"}
    monkeypatch.setattr(made, "look", lambda: seen)
    monkeypatch.setattr(made, "systemctl", lambda *words: ran.append(words[0]))
    made.module.exit_json = lambda **result: None
    made.execute()
    assert ran == asked and made.result["changed"] is bool(asked) and list(tmp_path.iterdir()) == []


@pytest.fixture(name="told")
def what_systemd_is_told(monkeypatch):
    """Commands that the services of this test ran; each `systemctl` verb without its unit."""
    told = []
    monkeypatch.setattr(systemd_unit.Service, "run", lambda service, *words: told.append(" ".join(words)))
    return told


def bring(service, state, **more):
    """A service whose files are written and that is brought to what its parameters say; what it made of it."""
    service.systemctl = lambda *words: service.run("systemctl", *words)
    changed = service.write_files()
    told = service.write_reloaded()
    service.await_active = lambda: None
    service.bring({"ActiveState": state, **more}, changed, told)
    return service.result


MOMENT = {"StateChangeTimestampMonotonic": "1"}


def test_a_change_of_what_it_reads_at_a_reload_reloads_it(service, tmp_path, told):
    path = str(tmp_path / "lib" / "rules.json")
    bring(service(None, reload_files={path: "1"}), "inactive")
    assert told == ["systemctl start example.service"]
    told.clear()
    result = bring(service(None, reload_files={path: "2"}), "active")
    assert told == ["systemctl reload example.service"] and (result["reloaded"], result["restarted"]) == (True, False)
    told.clear()
    for written in tmp_path.rglob("*"):
        os.utime(written, (0, 0))
    result = bring(service(None, reload_files={path: "2"}), "active", **MOMENT)
    assert told == [] and not result["changed"]


def test_a_restart_reads_it_too(service, tmp_path, told):
    path = str(tmp_path / "rules.json")
    bring(service(None, reload_files={path: "1"}), "inactive")
    told.clear()
    result = bring(service(None, reload_files={path: "2"}, unit=UNIT + "#\n"), "active")
    assert told == ["systemctl restart example.service"] and not result["reloaded"]


def test_a_run_that_was_killed_before_the_reload_is_made_up_for(service, tmp_path, told):
    path = tmp_path / "rules.json"
    bring(service(None, reload_files={str(path): "1"}), "inactive")
    told.clear()
    since = str(int(time.monotonic() * 1e6))
    for written in tmp_path.rglob("*"):
        os.utime(written, (0, 0))
    os.utime(path, (time.time() + 60, time.time() + 60))
    assert bring(service(None, reload_files={str(path): "1"}), "active", StateChangeTimestampMonotonic=since)["changed"]
    assert told == ["systemctl reload example.service"]


def test_one_that_is_starting_is_not_reloaded(service, tmp_path, told):
    path = str(tmp_path / "rules.json")
    bring(service(None, reload_files={path: "1"}), "inactive")
    told.clear()
    bring(service(None, reload_files={path: "2"}), "activating")
    assert told == []


def test_without_a_program_that_it_needs_nothing_is_done(service, tmp_path):
    made = service(None, programs=["/bin/sh", str(tmp_path / "nft")])
    ended = {}
    made.module.exit_json = lambda **result: ended.update(result)
    made.require_programs({"ActiveState": "inactive"})
    assert ended["missing"] == [str(tmp_path / "nft")] and not ended["changed"] and not list(tmp_path.iterdir())


def test_what_it_did_is_undone_while_its_program_is_there(service, tmp_path, told):
    program = str(tmp_path / "fence.py")
    params = {"reload_files": {program: "1"}, "undo": ["/bin/true", program, "down"]}
    made = service(None, **params)
    made.write_files()
    made.remove({"ActiveState": "inactive", "UnitFileState": "disabled"})
    assert not any("down" in words for words in told)
    made.write_files()
    made.write_reloaded()
    made.remove({"ActiveState": "inactive", "UnitFileState": "disabled"})
    assert f"/bin/true {program} down" in told and not list(tmp_path.iterdir())
