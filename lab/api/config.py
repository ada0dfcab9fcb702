# SPDX-License-Identifier: GPL-3.0-or-later
"""What one simulated account is like. Defaults are what is documented or was measured of the real one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class ApiConfig:
    """Times are seconds."""

    api_keys: list[str] = field(default_factory=lambda: ["secret_test_0000.key"])
    request_interval: float = 1.0
    launch_interval: float = 12.0
    boot_seconds: float = 138.0
    address_seconds: float = 25.0
    terminate_seconds: float = 61.0
    retention_seconds: float = 0.0
    quota: int = 64
    region: str = "us-east-3"
    capacity: dict[str, list[str]] = field(default_factory=lambda: {"gpu_1x_gh200": ["us-east-3"]})
    ssh_keys: dict[str, str] = field(default_factory=dict)
    filesystems: dict[str, str] = field(default_factory=dict)
    share: str = ""
    state_file: str = ""

    @classmethod
    def load(cls, path: Path) -> ApiConfig:
        """From a JSON file that `dump` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def dump(self) -> str:
        """Text for that file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)
