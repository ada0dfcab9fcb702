# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever fails on this machine in the middle of a launch.

One sentence names what failed, and what runs and is paid for.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import host_keys, ledger, spec

FULL = OSError(28, "No space left on device")


def fails(error):
    """Something that raises it."""

    def work(*arguments, **named):
        raise error

    return work


@pytest.fixture(name="begun")
def launch_of_three_with_one_won(world):
    """begun(): one more look of that run, which is to fail; the message."""
    running = world.fleet(3)
    made = running.prepare()
    running.step()
    (won,) = world.alive()["r1-00"]

    def go_on():
        with pytest.raises(spec.FleetError) as caught:
            running.present(made)
        message = str(caught.value)
        assert f"r1-00 ({won})" in message and "Running and paid for" in message and "\n" not in message
        for instance_id in world.paid():
            assert instance_id in message, "one that is paid for is not named"
        return message

    return go_on


def test_a_full_disk(begun, world):
    path = Path(world.folder, "r1/ledger.jsonl")
    path.rename(path.with_suffix(".kept"))
    path.symlink_to("/dev/full")
    assert f"{path}: No space left on device" in begun()
    assert len(world.paid()) == 1, "nothing is launched of which the ledger has no intent"


def test_a_disk_that_is_full_after_the_launch(begun, world, monkeypatch):
    append = ledger.Ledger._append
    monkeypatch.setattr(
        ledger.Ledger, "_append", lambda log, line: fails(FULL)() if b'"launched"' in line else append(log, line)
    )
    assert "No space left on device" in begun()
    assert len(world.paid()) == 2


@pytest.mark.parametrize(
    "program", ["#!/bin/sh\necho 'Saving key failed: No space left' >&2\nexit 1\n", "#!/bin/sh\nexit 0\n"]
)
def test_an_ssh_keygen_that_fails(begun, tmp_path, monkeypatch, program):
    fake = tmp_path / "bin/ssh-keygen"
    fake.parent.mkdir()
    fake.write_text(program, encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    assert "ssh-keygen failed to make the host key of r1-01" in begun()


def test_no_ssh_keygen(begun, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "There is no ssh-keygen on the control node" in begun()


def test_a_known_hosts_that_cannot_be_written(begun, world, monkeypatch):
    monkeypatch.setattr(
        host_keys.HostKeys, "write_known_hosts", fails(PermissionError(13, "Permission denied", "/r1/known_hosts"))
    )
    assert "/r1/known_hosts: Permission denied" in begun()


def test_a_price_ceiling_that_stops_the_second_run(world):
    (node,) = world.up(1).values()
    for ceiling in ({"max_price": 1.0}, {"max_fleet_price": 3.0}):
        with pytest.raises(
            spec.FleetError, match=rf"Nothing more was launched\. Running and paid for: r1-00 \({node}\)"
        ):
            world.up(2, **ceiling)


@pytest.mark.parametrize("second", [False, True])
def test_a_state_folder_that_is_a_file(act, cloud, tmp_path, second):
    told = cloud.options | {
        "name": "r1",
        "size": 1,
        "region": "us-east-3",
        "ssh_key_name": "laptop",
        "wait_for_ssh": False,
    }
    node = act("lambda_fleet", state_dir=str(tmp_path / "state"), **told)["fleet"]["nodes"][0]["id"] if second else ""
    (tmp_path / "file").write_text("", encoding="utf-8")
    failed = act("lambda_fleet", state_dir=str(tmp_path / "file"), **told)
    assert failed["failed"] and f"{tmp_path}/file" in failed["msg"] and "\n" not in failed["msg"]
    assert (f"Running and paid for: r1-00 ({node})" if second else "Nothing was launched.") in failed["msg"]
