# SPDX-License-Identifier: GPL-3.0-or-later
"""What one simulated account is like. Defaults are what is documented or was measured of the real one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..errors import LabError


@dataclass
class ApiConfig:
    """Times are simulated seconds."""

    api_keys: list[str] = field(default_factory=lambda: ["secret_test_0000.key"])
    request_interval: float = 1.0
    launch_interval: float = 12.0
    boot_seconds: float = 138.0
    address_seconds: float = 25.0
    terminate_seconds: float = 61.0
    retention_seconds: float = 0.0  # how long a terminated instance is still shown
    release_seconds: float = 0.0  # how long a filesystem stays in use after its last instance
    speed: float = 1.0  # simulated seconds in a second of `now`
    quota: int = 64  # instances at once
    filesystem_quota: int = 24
    ruleset_quota: int = 20
    region: str = "us-east-3"
    # Instance type to its regions, or to {region: machines that are there for this account}.
    capacity: dict[str, list[str] | dict[str, int]] = field(default_factory=lambda: {"gpu_1x_gh200": ["us-east-3"]})
    miss_rate: float = 0.0  # share of launches that are refused although there is capacity; drawn from `seed`
    seed: int = 0
    prices: dict[str, int] = field(default_factory=dict)  # instance type to cents per hour, where not the usual
    bill_from: str = "launch"  # or "active"
    filesystem_cents: float = 20.0  # per GiB and month
    inactive: bool = False  # the account: every call is refused
    invalid_address: bool = False  # the account: nothing that costs can be made
    forbidden: bool = False  # the account: instances cannot be read
    block_urllib: bool = False  # the edge refuses Python's own user agent
    deprecated_hosts: list[str] = field(default_factory=list)  # asked by such a name, the API redirects
    rate_shape: str = "text"  # how a 429 looks: text, json or retry-after
    extra_fields: dict[str, object] = field(default_factory=dict)  # of every instance, in no document
    audit_page: int = 100  # events of one answer
    ssh_keys: dict[str, str] = field(default_factory=dict)
    filesystems: dict[str, str] = field(default_factory=dict)
    families: list[str] = field(default_factory=list)  # image families beside those of the catalogue
    share: str = ""
    state_file: str = ""

    @classmethod
    def load(cls, path: Path) -> ApiConfig:
        """From a JSON file, such as `dump` writes; what it leaves out is as usual. LabError if it cannot be."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise LabError(
                f"The settings {path} cannot be read ({error.strerror}): name a file with a JSON object."
            ) from error
        except ValueError as error:
            raise LabError(f"The settings {path} cannot be used, for it is not JSON ({error}).") from error
        if not isinstance(values, dict):
            raise LabError(f"The settings {path} cannot be used, for it is not an object.")
        unknown = values.keys() - cls.__dataclass_fields__.keys()
        if unknown:
            raise LabError(
                f"The settings {path} have {', '.join(sorted(unknown))}, which an account has not: "
                "see lab/api/config.py."
            )
        return cls(**values)

    def dump(self) -> str:
        """Text for that file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)
