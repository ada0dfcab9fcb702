# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration for ssh, read back by ssh itself."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils import ssh_config

NODE = {
    "ansible_host": "192.0.2.1",
    "ansible_user": "ubuntu",
    "ansible_ssh_common_args": "-o UserKnownHostsFile=/state/r1/known_hosts -o StrictHostKeyChecking=yes",
}


@pytest.fixture(name="seen")
def seen_by_ssh(tmp_path):
    """seen(name, hosts): keyword to value, as ssh understands the file."""

    def seen(name, hosts):
        path = tmp_path / "ssh_config"
        text = ssh_config.text(hosts)
        # Not those of whoever runs this.
        path.write_text(text.replace("~/.ssh/config", str(tmp_path / "own")), encoding="utf-8")
        said = subprocess.run(["ssh", "-F", path, "-G", name], capture_output=True, text=True, check=True).stdout
        return dict(line.partition(" ")[::2] for line in said.splitlines())

    return seen


def test_each_host_has_what_ansible_uses(seen):
    hosts = {"r1-00": NODE, "r1-01": NODE | {"ansible_host": "192.0.2.2", "ansible_port": 2222}}
    first, second = seen("r1-00", hosts), seen("r1-01", hosts)
    assert (first["hostname"], first["user"], first["port"]) == ("192.0.2.1", "ubuntu", "22")
    assert (second["hostname"], second["port"]) == ("192.0.2.2", "2222")
    for each in (first, second):
        assert each["userknownhostsfile"] == "/state/r1/known_hosts"
        # As ssh -G of each version names it.
        assert each["stricthostkeychecking"] in ("true", "yes")


def test_what_stands_on_the_command_line_stands_in_the_file(seen):
    given = {
        "ansible_ssh_private_key_file": "/keys/my key",
        "ansible_ssh_common_args": '-J jump.example -C -o "ProxyCommand ssh -W %h:%p a=b" -oServerAliveInterval=7',
        "ansible_ssh_extra_args": "-o UserKnownHostsFile='\"/state/a b/known_hosts\"'",
    }
    found = seen("r1-00", {"r1-00": NODE | given})
    assert found["identityfile"] == "/keys/my key"
    assert found["proxyjump"] == "jump.example" and found["compression"] == "yes"
    assert found["serveraliveinterval"] == "7" and found["userknownhostsfile"] == "/state/a b/known_hosts"


def test_your_own_configuration_comes_last(seen, tmp_path):
    own = "Host r1-*\n  User mine\n  IdentityFile /keys/mine\n"
    (tmp_path / "own").write_text(own, encoding="utf-8")
    found = seen("r1-00", {"r1-00": NODE})
    assert (found["user"], found["identityfile"]) == ("ubuntu", "/keys/mine")


@pytest.mark.parametrize(
    ("name", "variables", "words"),
    [
        ("r1-*", NODE, "'r1-\\*' has characters that ssh takes for a pattern"),
        ("r1-00", NODE | {"ansible_ssh_extra_args": "-L 1:a:2"}, "-L in .* of r1-00 has no place in a configuration"),
        ("r1-00\n", NODE, "has characters"),
    ],
)
def test_what_cannot_be_said_in_a_file_is_told(name, variables, words):
    with pytest.raises(ValueError, match=words):
        ssh_config.text({name: variables})


def test_no_host_is_an_empty_configuration(seen):
    assert seen("r1-00", {})["hostname"] == "r1-00"
