# SPDX-License-Identifier: GPL-3.0-or-later
"""One environment on the share, the same for every node."""

VENVS = "/lambda/nfs/shared/molecule/venvs"


def test_every_node_runs_it(host):
    assert host.check_output(f"{VENVS}/one/bin/python -c 'import sys; print(sys.prefix)'") == f"{VENVS}/one"


def test_link_leads_to_it(host):
    assert host.file(f"{VENVS}/current").linked_to == f"{VENVS}/one"


def test_it_belongs_to_the_user(host):
    assert host.file(f"{VENVS}/one").user == "ubuntu"


def test_each_node_has_a_copy_that_nothing_can_change(host):
    assert host.check_output(f"findmnt --noheadings --output OPTIONS {VENVS}/one").startswith("ro")
    assert host.file("/opt/molecule/venvs/one/.gh200-copy").content_string == f"{VENVS}/one\n"
    assert host.run(f"touch {VENVS}/one/bin/new").rc != 0
    assert host.run(f"sudo -u ubuntu {VENVS}/one/bin/python -m pip --version").rc == 0


def test_the_copy_is_what_the_share_has(host):
    script = (
        "folder=$(mktemp -d) && mount --bind /lambda/nfs/shared $folder && "
        "diff --recursive --no-dereference --exclude=.gh200-copy $folder/molecule/venvs/one /opt/molecule/venvs/one; "
        "status=$?; umount $folder; rmdir $folder; exit $status"
    )
    assert host.run(script).rc == 0


def test_the_copy_is_there_after_a_boot(host):
    unit = host.check_output(f"systemd-escape --path --suffix=mount {VENVS}/one")
    assert host.check_output(f"systemctl is-enabled '{unit}'") == "enabled"
