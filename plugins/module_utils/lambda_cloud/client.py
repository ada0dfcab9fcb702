# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls that the collection makes."""

from __future__ import annotations

import typing as t

from . import models, pacing, transport


class Client:
    """Reads and changes one account. Every method may raise LambdaError."""

    def __init__(self, http: transport.Transport):
        self.http = http

    @classmethod
    def connect(cls, api_key: str, api_url: str = transport.DEFAULT_URL, request_interval: float = 1.0, launch_interval: float = 12.0, timeout: float = 120.0) -> Client:
        """With the documented pace, unless told otherwise."""
        return cls(transport.Transport(api_url, api_key, pacing.Gate(api_key, request_interval, launch_interval), timeout))

    def raw_instances(self) -> list[dict[str, t.Any]]:
        """Every instance as the API gives it, in one call, without Jupyter's secrets."""
        return [{name: value for name, value in item.items() if not name.startswith("jupyter")} for item in self.http.read("/instances")]

    def instances(self) -> list[models.Instance]:
        """Every instance that is shown."""
        return [models.Instance.parse(item) for item in self.raw_instances()]

    def offers(self) -> dict[str, models.Offer]:
        """The catalogue."""
        return models.offers(self.http.read("/instance-types"))

    def ssh_keys(self) -> list[str]:
        """Names of the account's keys."""
        return [item["name"] for item in self.http.read("/ssh-keys")]

    def filesystems(self) -> dict[str, str]:
        """Name to region."""
        return {item["name"]: item["region"]["name"] for item in self.http.read("/file-systems")}

    def launch(self, launch: models.Launch) -> str:
        """Launch one instance; its id. Asked for once: on an ambiguous error the caller must look for the tags."""
        return self.http.once("/instance-operations/launch", launch.body(), launch=True)["instance_ids"][0]

    def terminate(self, ids: list[str]) -> None:
        """Terminate exactly these."""
        self.http.repeat("POST", "/instance-operations/terminate", {"instance_ids": ids})
