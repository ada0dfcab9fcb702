# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated cloud on a free port of this machine, in this process, so that a test sees its inside."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from lab import serving
from lab.api.app import create_app
from lab.api.config import ApiConfig
from lab.api.drivers import NullDriver

KEY = "secret_test_0000.key"


class FakeClock:
    """Nobody waits: a sleep moves the time. Both sides of the wire take it from here."""

    def __init__(self, start: float = 1_800_000_000.0):
        self.time = start

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += max(0.0, seconds)


@dataclass
class Simulator:
    """One account at `url`. `app.state` has its inside: cloud, calls, faults."""

    app: object
    url: str
    key: str = KEY
    driver: object = None
    clock: object = None
    seen: int = field(default=0)

    @property
    def cloud(self):
        return self.app.state.cloud

    @property
    def faults(self):
        return self.app.state.faults

    @property
    def options(self) -> dict:
        """Options of every Lambda module: no pause where the simulator wants none."""
        return {"api_url": self.url, "api_key": self.key, "request_interval": 0, "launch_interval": 0}

    def calls(self) -> list[str]:
        """What was asked since the last time, as "METHOD /path"."""
        new = self.app.state.calls[self.seen :]
        self.seen += len(new)
        return [f"{call.method} {call.path}" for call in new]

    def bodies(self, call: str) -> list[dict]:
        """Bodies of all calls "METHOD /path" so far."""
        return [item.body for item in self.app.state.calls if f"{item.method} {item.path}" == call]


@contextlib.contextmanager
def simulator(clock=None, driver=None, **settings):
    """A simulator until the block ends. `settings` are those of ApiConfig; by default nothing takes time."""
    quick = {
        "request_interval": 0,
        "launch_interval": 0,
        "boot_seconds": 0,
        "address_seconds": 0,
        "terminate_seconds": 0,
        "ssh_keys": {"laptop": "ssh-ed25519 AAAA laptop"},
        "filesystems": {"shared": "us-east-3"},
    }
    driver = driver or NullDriver()
    app = create_app(ApiConfig(**(quick | settings)), driver, **({"now": clock.now} if clock else {}))
    with serving.in_thread(app) as address:
        yield Simulator(app, f"{address}/api/v1", driver=driver, clock=clock)
