# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of people: made here, compared without their comment, never shown."""

from __future__ import annotations

import stat

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, ssh_keys


@pytest.mark.parametrize(
    "text",
    [
        "ssh-ed25519 AAAAC3Nz",
        "ssh-rsa AAAAB3Nz== ada@example.com\n",
        "ecdsa-sha2-nistp256 AAAA a b c",
        "sk-ssh-ed25519@openssh.com AAAA key",
    ],
)
def test_a_public_key_is_taken_without_the_space_around_it(text):
    assert ssh_keys.checked(text, "It") == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AAAA",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nplanted\n",
        "ssh-ed25519 AAAA a\nssh-ed25519 BBBB b",
        "ssh-ed25519 n*t64 a",
    ],
)
def test_what_is_no_public_key_is_refused_and_not_shown(text):
    with pytest.raises(errors.CloudError, match=r"^It does not hold one public key") as caught:
        ssh_keys.checked(text, "It")
    assert "planted" not in str(caught.value) and caught.value.__cause__ is None


def test_the_comment_does_not_count():
    assert ssh_keys.content("ssh-ed25519 AAAA ada") == ssh_keys.content("ssh-ed25519 AAAA")
    assert ssh_keys.content("ssh-ed25519 AAAA") != ssh_keys.content("ssh-ed25519 BBBB")


def test_a_new_key_is_the_owners_only_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "key"
    ssh_keys.generate(str(path), "fleets")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and list(tmp_path.iterdir()) == [path]
    assert ssh_keys.public_of(str(path)).split()[0] == "ssh-ed25519" and ssh_keys.public_of(str(path)).endswith(
        " fleets"
    )


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "key"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(errors.CloudError, match="cannot be written: File exists"):
        ssh_keys.generate(str(path), "fleets")
    assert path.read_text(encoding="utf-8") == "mine" and list(tmp_path.iterdir()) == [path]


def test_a_machine_without_ssh_keygen_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.CloudError, match="no ssh-keygen on the control node"):
        ssh_keys.public_of(str(tmp_path / "key"))


def test_an_ssh_keygen_that_cannot_be_run_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "ssh-keygen").write_text("not a program", encoding="utf-8")
    (tmp_path / "ssh-keygen").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.CloudError, match="ssh-keygen cannot be run on the control node: Exec format error"):
        ssh_keys.public_of(str(tmp_path / "key"))
