# SPDX-License-Identifier: GPL-3.0-or-later
"""lambda_ssh_key: imported, made here, compared, removed."""

from __future__ import annotations

import json
import stat
import subprocess

import pytest
from ansible.errors import AnsibleError

from lab.api.faults import Fault

from .account import ask, twice

LIST, ADD = "GET /ssh-keys", "POST /ssh-keys"
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICN+lJwsONkwrdsSnQsu1ydUkIuIg5oOC+Eslvmtt60T"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1111111111111111111111111111111111111111111"


@pytest.fixture(name="key")
def ssh_key(act, cloud):
    """key(**options): one run of the task."""
    return lambda **options: act("lambda_ssh_key", **cloud.options, **options)


def there(cloud):
    """The account's keys by name."""
    return {item["name"]: item["public_key"] for item in ask(cloud, "GET", "/ssh-keys")}


def test_a_name_and_a_key_are_needed(key, cloud):
    with pytest.raises(AnsibleError, match="missing required arguments: name"):
        key(public_key=PUBLIC)
    with pytest.raises(
        AnsibleError, match="any of the following are missing: public_key, public_key_file, private_key_file"
    ):
        key(name="ada")
    with pytest.raises(AnsibleError, match="mutually exclusive"):
        key(name="ada", public_key=PUBLIC, private_key_file="/nowhere/key")
    assert cloud.calls() == []


def test_a_key_is_imported_kept_and_removed(act, cloud, key):
    made, calls = twice(act, cloud, "lambda_ssh_key", name="ada", public_key=f"{PUBLIC} ada@example.com\n")
    assert calls == [LIST, ADD]
    assert cloud.bodies(ADD) == [{"name": "ada", "public_key": f"{PUBLIC} ada@example.com"}]
    assert made["changed"] and made["diff"] == {
        "before": "",
        "after": {"name": "ada", "public_key": f"{PUBLIC} ada@example.com"},
    }
    assert made["ssh_key"]["id"] and made["ssh_key"]["public_key"] == f"{PUBLIC} ada@example.com"

    again = key(name="ada", public_key=PUBLIC)
    assert (again["changed"], again["ssh_key"]) == (False, made["ssh_key"]) and cloud.calls() == [LIST]

    gone, calls = twice(act, cloud, "lambda_ssh_key", name="ada", state="absent")
    assert calls == [LIST, f"DELETE /ssh-keys/{made['ssh_key']['id']}"]
    assert (gone["changed"], gone["ssh_key"], gone["diff"]) == (
        True,
        {},
        {"before": made["diff"]["after"], "after": ""},
    )
    assert list(there(cloud)) == ["laptop"]

    cloud.calls()
    assert key(name="ada", state="absent")["changed"] is False and cloud.calls() == [LIST]


def test_other_content_under_the_same_name_is_an_error_that_says_what_to_do(key, cloud):
    first = key(name="ada", public_key=PUBLIC)["ssh_key"]
    for check in (True, False):
        cloud.calls()
        refused = key(name="ada", public_key=OTHER, check=check)
        assert (
            refused["failed"]
            and first["id"] in refused["msg"]
            and "cannot change" in refused["msg"]
            and "state: absent" in refused["msg"]
        )
        assert cloud.calls() == [LIST]


def test_two_keys_of_one_name_are_an_error_with_both_ids(key, cloud):
    first = key(name="ada", public_key=PUBLIC)["ssh_key"]["id"]
    cloud.cloud.store.ssh_keys["second"] = {"id": "second", "name": "ada", "public_key": OTHER}
    for options in ({"public_key": PUBLIC}, {"state": "absent"}):
        refused = key(name="ada", **options)
        assert refused["failed"] and first in refused["msg"] and "second" in refused["msg"]
    assert not [call for call in cloud.calls() if call.startswith("DELETE")]


def test_a_public_key_comes_from_a_file(key, cloud, tmp_path):
    (tmp_path / "key.pub").write_text(f"{PUBLIC} ada\n", encoding="utf-8")
    assert key(name="ada", public_key_file=str(tmp_path / "key.pub"))["ssh_key"]["public_key"] == f"{PUBLIC} ada"
    absent = key(name="eve", public_key_file=str(tmp_path / "none.pub"))
    assert absent["failed"] and "none.pub cannot be read: No such file or directory" in absent["msg"]


def test_a_private_key_in_the_wrong_place_is_not_repeated(key, cloud, tmp_path):
    private = "-----BEGIN OPENSSH PRIVATE KEY-----\nplanted-secret\n-----END OPENSSH PRIVATE KEY-----\n"
    (tmp_path / "key").write_text(private, encoding="utf-8")
    for options in ({"public_key": private}, {"public_key_file": str(tmp_path / "key")}):
        refused = key(name="ada", **options)
        assert (
            refused["failed"]
            and "does not hold one public key" in refused["msg"]
            and "planted-secret" not in json.dumps(refused)
        )
    assert ADD not in cloud.calls()


def test_a_pair_is_made_here_and_its_private_half_is_nowhere_else(act, cloud, key, tmp_path):
    path = tmp_path / "fleets"
    made, calls = twice(act, cloud, "lambda_ssh_key", name="fleets", private_key_file=str(path))
    assert calls == [LIST, ADD] and [item.name for item in tmp_path.iterdir() if item.name != "home"] == ["fleets"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    public = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(path)], check=True, capture_output=True, text=True
    ).stdout.split()[:2]
    assert there(cloud)["fleets"].split()[:2] == made["ssh_key"]["public_key"].split()[:2] == public
    private = path.read_text(encoding="utf-8")
    seen = json.dumps(made) + json.dumps(cloud.bodies(ADD))
    assert not any(line in seen for line in private.splitlines()[1:-1])

    cloud.calls()
    again = key(name="fleets", private_key_file=str(path))
    assert (again["changed"], again["ssh_key"]) == (False, made["ssh_key"]) and cloud.calls() == [LIST]
    assert path.read_text(encoding="utf-8") == private

    assert key(name="fleets", state="absent", private_key_file=str(path))["changed"]
    assert path.read_text(encoding="utf-8") == private
    assert key(name="fleets", private_key_file=str(path))["changed"]
    assert path.read_text(encoding="utf-8") == private and there(cloud)["fleets"].split()[:2] == public


def test_a_file_that_is_no_key_is_not_overwritten(key, cloud, tmp_path):
    path = tmp_path / "notes"
    path.write_text("mine\n", encoding="utf-8")
    path.chmod(0o600)
    refused = key(name="fleets", private_key_file=str(path))
    assert refused["failed"] and str(path) in refused["msg"] and "ssh-keygen says" in refused["msg"]
    assert path.read_text(encoding="utf-8") == "mine\n" and ADD not in cloud.calls()


def test_a_pair_whose_private_half_is_elsewhere_is_an_error(key, cloud, tmp_path):
    key(name="fleets", public_key=PUBLIC)
    refused = key(name="fleets", private_key_file=str(tmp_path / "fleets"))
    assert refused["failed"] and "is not there: copy it there" in refused["msg"] and not (tmp_path / "fleets").exists()


def test_a_folder_that_is_not_there_is_a_sentence(key, cloud, tmp_path):
    for check in (True, False):
        refused = key(name="fleets", private_key_file=str(tmp_path / "none" / "fleets"), check=check)
        assert (
            refused["failed"]
            and f"there is no folder {tmp_path / 'none'}" in refused["msg"]
            and ADD not in cloud.calls()
        )


def test_an_import_whose_answer_is_lost_is_found_and_not_repeated(key, cloud):
    cloud.faults.add(Fault(on=ADD, do="drop", when="after"))
    made = key(name="ada", public_key=PUBLIC)
    assert made["changed"] and made["ssh_key"]["id"] in {item["id"] for item in ask(cloud, "GET", "/ssh-keys")}
    assert cloud.calls()[:3] == [LIST, ADD, LIST]


def test_an_import_that_was_never_heard_is_an_error_and_the_next_run_makes_it(key, cloud, tmp_path):
    path = tmp_path / "fleets"
    cloud.faults.add(Fault(on=ADD, do="drop", when="before"))
    refused = key(name="fleets", private_key_file=str(path))
    assert (
        refused["failed"]
        and "shows no ssh key named fleets" in refused["msg"]
        and refused["failure"]["kind"] == "network"
    )
    assert cloud.calls() == [LIST, ADD, LIST]
    private = path.read_text(encoding="utf-8")
    assert key(name="fleets", private_key_file=str(path))["changed"] and "fleets" in there(cloud)
    assert path.read_text(encoding="utf-8") == private


def test_a_deletion_whose_answer_is_lost_is_no_error(cloud, key):
    key(name="ada", public_key=PUBLIC)
    cloud.faults.add(Fault(on="DELETE /ssh-keys/{id}", do="drop", when="after"))
    cloud.calls()
    assert key(name="ada", state="absent")["changed"]
    assert [call.partition("/")[0] for call in cloud.calls()][:3] == ["GET ", "DELETE ", "DELETE "]
    assert key(name="ada", state="absent")["changed"] is False
