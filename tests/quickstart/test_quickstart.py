# SPDX-License-Identifier: GPL-3.0-or-later
"""README.md's "On Lambda", word for word, in an empty root: up to the first word to a node, which nobody but a real one
can answer; and down again, until nothing is paid for."""

from __future__ import annotations

import pytest

from . import readme
from .conftest import KEY

INSTALLED, CHECKOUT = readme.blocks("On Lambda")[:2]
TAGS, SIZE = {"gh200:fleet": "r1"}, 16


@pytest.mark.parametrize("block", [INSTALLED, CHECKOUT], ids=["installed", "checkout"])
def test_nodes_are_launched_and_torn_down(type_in, cloud, block):
    commands = readme.commands(block)
    answers = list(zip(commands, type_in(commands), strict=True))
    (up, site), (down, teardown) = [pair for pair in answers if "ansible-playbook" in pair[0]]
    assert not [(command, answer) for command, answer in answers if answer[0] and command != up]

    # The head is there, and in the inventory: what stops it is that nobody gets into it. The others would come when
    # it has built.
    status, output = site
    assert f"gh200_size={SIZE} " in up and cloud.cloud.most_paid(TAGS) == 1, output
    assert f"build_first: 1 node for about 45 min, then {SIZE}: about $14 and 65 min" in output, output
    assert output.count("[r1] launched r1-") == output.count("[r1] launched r1-00") == 1, output
    assert status and output.count("unreachable=1 ") == 1, output
    last = output.partition("TASK [Require the nodes in the inventory]")[2]
    assert "TASK [gh200.inference.gpu_check : Check the GPU, once per boot]" in last, output
    assert "The head r1-00 could not be reached, so nothing more is launched" in last, output

    assert "teardown" in down and "$" in teardown[1] and cloud.cloud.paid_now() == []
    for command, (dummy, text) in answers:
        told = [word for word in (KEY, "Traceback", "unknown plugin", "Failed to parse") if word in text]
        assert not told, f"{command}\n{text}"
