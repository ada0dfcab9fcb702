# SPDX-License-Identifier: GPL-3.0-or-later
"""One environment on the share, the same for every node."""

VENVS = "/lambda/nfs/shared/molecule/venvs"


def test_every_node_runs_it(host):
    assert host.check_output(f"{VENVS}/one/bin/python -c 'import sys; print(sys.prefix)'") == f"{VENVS}/one"


def test_link_leads_to_it(host):
    assert host.file(f"{VENVS}/current").linked_to == f"{VENVS}/one"


def test_it_belongs_to_the_user(host):
    assert host.file(f"{VENVS}/one").user == "ubuntu"
    assert host.run(f"sudo -u ubuntu touch {VENVS}/one/lib/python3.11/site-packages").rc == 0
