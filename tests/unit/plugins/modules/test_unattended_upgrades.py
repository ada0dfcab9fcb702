# SPDX-License-Identifier: GPL-3.0-or-later
"""What upgrades by itself is held, and released again, on a made-up systemd."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.gh200.inference.plugins.modules import unattended_upgrades

UBUNTU = dict.fromkeys(unattended_upgrades.UNITS, "loaded")
DEBIAN = UBUNTU | {"unattended-upgrades.service": "not-found"}
NONE = dict.fromkeys(unattended_upgrades.UNITS, "not-found")


class Ended(Exception):
    """What the module ended with."""

    def __init__(self, **result):
        super().__init__(str(result))
        self.result = result


def end(**result):
    """Stands for exit_json and fail_json."""
    raise Ended(**result)


class Node:
    """A systemd with these units; each pause brings the runs that are in progress nearer to their end."""

    def __init__(self, load):
        self.load, self.done, self.runs, self.now = dict(load), [], {}, 0.0

    def command(self, argv, check_rc=False):
        if argv[1] == "show":
            return 0, "\n\n".join(self.block(unit) for unit in argv[3:]) + "\n", ""
        self.done.append(argv[1:])
        for unit in argv[2:]:
            assert self.load[unit] != "not-found"
            assert argv[1] in ("unmask", "start") or self.runs.get(unit, 0) <= 0, "a run was interrupted"
            if argv[1] in ("mask", "unmask"):
                self.load[unit] = {"mask": "masked", "unmask": "loaded"}[argv[1]]
        return 0, "", ""

    def block(self, unit):
        active = "activating" if self.runs.get(unit, 0) > 0 else "inactive"
        file = (
            "masked"
            if self.load[unit] == "masked"
            else "static"
            if unit.startswith("apt") and unit.endswith("service")
            else "enabled"
        )
        return f"Id={unit}\nLoadState={self.load[unit]}\nActiveState={active}\nUnitFileState={file}"

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.runs = {unit: left - seconds for unit, left in self.runs.items()}


@pytest.fixture(name="apply")
def apply_to_a_node(tmp_path, monkeypatch):
    """apply(node, state, check): what the module ends with; needrestart's folder is `apply.folder`, where a test makes
    it.
    """
    folder = tmp_path / "needrestart"
    monkeypatch.setattr(unattended_upgrades, "NEEDRESTART", str(folder))
    monkeypatch.setattr(unattended_upgrades, "NOTE", str(tmp_path / "note.json"))

    def apply(node, state="held", check=False, timeout=60):
        monkeypatch.setattr(unattended_upgrades, "time", node)
        module = SimpleNamespace(
            params={"state": state, "timeout": timeout},
            check_mode=check,
            exit_json=end,
            fail_json=end,
            run_command=node.command,
        )
        with pytest.raises(Ended) as ended:
            unattended_upgrades.Hold(module).execute()
        return ended.value.result

    apply.folder = folder
    return apply


@pytest.mark.parametrize("load", [UBUNTU, DEBIAN])
def test_what_exists_is_masked_once_timers_first(apply, load):
    node = Node(load)
    assert apply(node, check=True)["changed"] and not node.done
    result = apply(node)
    assert result["changed"] and result["units"] == [unit for unit, state in load.items() if state == "loaded"]
    assert {unit: state for unit, state in node.load.items() if load[unit] == "loaded"} == dict.fromkeys(
        result["units"], "masked"
    )
    assert node.done[0] == ["stop", *unattended_upgrades.TIMERS] and node.done[-1] == ["mask", *result["units"]]
    done = len(node.done)
    assert not apply(node)["changed"] and len(node.done) == done


def test_a_node_without_any_is_left_alone(apply):
    node = Node(NONE)
    assert apply(node) == {"changed": False, "diff": [], "units": []} and not node.done
    assert not apply(node, "released")["changed"] and not node.done


def test_only_what_differs_is_touched(apply):
    node = Node(UBUNTU | dict.fromkeys(unattended_upgrades.TIMERS, "masked"))
    result, others = apply(node), unattended_upgrades.RUNS + unattended_upgrades.AT_SHUTDOWN
    assert node.done == [["stop", *others[2:]], ["mask", *others]]
    assert "timer" not in result["diff"][0]["after"]


def test_a_run_in_progress_is_waited_for(apply):
    node = Node(UBUNTU)
    node.runs = {"apt-daily-upgrade.service": 25}
    assert apply(node)["changed"] and 25 <= node.now < 30


def test_a_run_that_does_not_end_is_named_and_not_interrupted(apply):
    node = Node(UBUNTU)
    node.runs = {"apt-daily.service": 1000}
    assert "apt-daily.service still runs on this node after 60 s" in apply(node)["msg"]
    assert node.load["apt-daily.service"] == "loaded" and 60 <= node.now < 70


def test_all_is_taken_back(apply):
    node = Node(UBUNTU)
    apply.folder.mkdir()
    apply(node)
    node.done.clear()
    assert apply(node, "released", check=True)["changed"] and not node.done
    assert apply(node, "released")["changed"] and node.load == UBUNTU
    assert node.done[-1] == ["start", *unattended_upgrades.TIMERS, *unattended_upgrades.AT_SHUTDOWN]
    assert not (apply.folder / "conf.d" / "gh200.conf").exists()
    assert not apply(node, "released")["changed"]


def test_needrestart_only_lists_where_it_is_installed(apply):
    node, conf = Node(NONE), apply.folder / "conf.d" / "gh200.conf"
    apply(node)
    assert not apply.folder.exists()
    apply.folder.mkdir()
    assert apply(node, check=True)["changed"] and not conf.exists()
    assert "$nrconf{restart} = 'l';" in apply(node)["diff"][0]["after"]
    assert conf.read_text(encoding="utf-8").splitlines()[-1] == "$nrconf{restart} = 'l';"
    assert not apply(node)["changed"]


def test_only_what_was_masked_here_is_taken_back(apply):
    found = UBUNTU | dict.fromkeys(unattended_upgrades.TIMERS, "masked")
    node = Node(found)
    apply.folder.mkdir()
    apply(node)
    assert apply(node, "absent", check=True)["changed"] and node.load != found
    assert apply(node, "absent")["changed"] and node.load == found
    assert not (apply.folder / "conf.d" / "gh200.conf").exists()
    assert not apply(node, "absent")["changed"]
    assert not apply(Node(found), "absent")["changed"]


def test_a_hold_that_was_killed_is_taken_back_too(apply, monkeypatch):
    node = Node(UBUNTU)
    monkeypatch.setattr(unattended_upgrades.Hold, "hold", lambda self, units: end(msg="killed"))
    assert apply(node)["msg"] == "killed"
    monkeypatch.undo()
    monkeypatch.setattr(unattended_upgrades, "NEEDRESTART", str(apply.folder))
    monkeypatch.setattr(unattended_upgrades, "NOTE", str(apply.folder.parent / "note.json"))
    node.load |= dict.fromkeys(unattended_upgrades.TIMERS, "masked")
    assert apply(node, "absent")["changed"] and node.load == UBUNTU
