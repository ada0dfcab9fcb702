# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a node can be worked with: active, with an address, and greeted by its sshd."""

from __future__ import annotations

import concurrent.futures
import socket
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import models


class Readiness:
    """Of one fleet's nodes, by the kind of address that is used (public or private).

    Without `wait_for_ssh` an active node is ready.
    """

    def __init__(self, connect_with: str, wait_for_ssh: bool):
        self.connect_with, self.wait_for_ssh = connect_with, wait_for_ssh
        self.answered: set[str] = set()

    def address(self, instance: models.Instance) -> str:
        """The address by which it is reached, or empty."""
        return instance.private_ip if self.connect_with == "private" else instance.ip

    def greet(self, instances: t.Iterable[models.Instance]) -> None:
        """Remember which of them answer on ssh; all are asked at once, for one that does not answer takes a while."""
        silent = {
            instance.id: self.address(instance)
            for instance in instances
            if instance.status == "active" and self.address(instance)
        }
        silent = {instance_id: address for instance_id, address in silent.items() if instance_id not in self.answered}
        if silent and self.wait_for_ssh:
            with concurrent.futures.ThreadPoolExecutor(32) as pool:
                answers = list(pool.map(answers_on_ssh, silent.values()))
            self.answered |= {instance_id for instance_id, answered in zip(silent, answers, strict=True) if answered}

    def is_ready(self, instance: models.Instance) -> bool:
        """Active, with an address, and greeted."""
        return (
            instance.status == "active"
            and bool(self.address(instance))
            and (instance.id in self.answered or not self.wait_for_ssh)
        )


def answers_on_ssh(address: str) -> bool:
    """Whether an sshd greets at this address."""
    try:
        with socket.create_connection((address, 22), timeout=5) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
