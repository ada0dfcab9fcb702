# SPDX-License-Identifier: GPL-3.0-or-later
"""The Lambda plugins against the simulated API, over HTTP."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar

from . import simulator as simulation
from . import world as worlds


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """Nothing of the user's is read or written: state, cache of the pace, keys in the environment."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in (
        "LAMBDA_API_KEY",
        "LAMBDA_API_KEY_FILE",
        "LAMBDA_API_URL",
        "LAMBDA_REQUEST_INTERVAL",
        "LAMBDA_LAUNCH_INTERVAL",
        "GH200_STATE_DIR",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(name="start")
def start_simulators():
    """start(clock=None, **settings) gives a Simulator that lives until the test ends."""
    import contextlib

    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(simulation.simulator(**settings))


@pytest.fixture(name="cloud")
def quick_simulator(start):
    """A simulator in which nothing takes time."""
    return start()


@pytest.fixture(name="act")
def run_action():
    """act(action, check=False, diff=False, **args): the result of one task, without the rest of Ansible."""

    def act(action, /, check=False, diff=False, **args):
        module = importlib.import_module(f"ansible_collections.gh200.inference.plugins.action.{action}")
        loader = DataLoader()
        task = Task()
        task.args, task.check_mode, task.diff, task.action, task.async_val = (
            args,
            check,
            diff,
            f"gh200.inference.{action}",
            0,
        )
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
        plugin = module.ActionModule(task, connection, PlayContext(), loader, Templar(loader), None)
        return plugin.run(task_vars={})

    return act


@pytest.fixture(name="world")
def world_on_a_fake_clock(start, tmp_path):
    """A cloud at the documented pace, on whose clock nobody waits."""
    clock = simulation.FakeClock()
    return worlds.World(start(clock=clock, **worlds.REAL), clock, tmp_path / "state")
