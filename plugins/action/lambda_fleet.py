# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_fleet: runs on the control node, so that the key stays there and progress can be shown."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import interrupt
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import absent, host_keys, plan, present, spec
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet.state_dir import fleet_folder, locked
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction


class ActionModule(LambdaAction):
    """One declared fleet."""

    CHECKED = ("size",)
    SPEC: t.ClassVar[dict[str, t.Any]] = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "size": {"type": "int"},
        "instance_type": {"type": "str", "default": "gpu_1x_gh200"},
        "region": {"type": "list", "elements": "str", "default": []},
        "ssh_key_name": {"type": "str", "no_log": False},
        "filesystems": {"type": "list", "elements": "str", "default": []},
        "firewall_rulesets": {"type": "list", "elements": "str", "default": []},
        "image_family": {"type": "str", "default": "lambda-stack-22-04"},
        "user_data": {"type": "dict", "default": {}},
        "accept_host_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "replace": {"type": "list", "elements": "str", "default": []},
        "launch": {"type": "str", "choices": ["all", "head"], "default": "all"},
        "allow_shrink": {"type": "bool", "default": False},
        "connect_with": {"type": "str", "choices": ["public", "private"], "default": "public"},
        "wait_for_ssh": {"type": "bool", "default": True},
        "max_price": {"type": "float", "default": 0},
        "max_fleet_price": {"type": "float", "default": 0},
        "max_life": {"type": "float", "default": 0},
        "deadline": {"type": "float", "default": 3600},
        "boot_deadline": {"type": "float", "default": 1200},
        "max_replacements": {"type": "int", "default": 3},
        "settle_time": {"type": "float", "default": 30},
        "blind_interval": {"type": "float", "default": 300},
        "resend_interval": {"type": "float", "default": 60},
        "poll_interval": {"type": "float", "default": 5},
        "state_dir": {"type": "path"},
    }

    def execute(self, client, options):
        require_sense(options, self._task.args)
        folder = fleet_folder(options["state_dir"], options["name"])
        result = {
            "changed": False,
            "launched": [],
            "adopted": [],
            "later": [],
            "terminated": [],
            "known_hosts": host_keys.HostKeys(folder).known_hosts,
        }

        def say(text):
            self.say(options["name"], text)

        act = self.present if options["state"] == "present" else self.absent
        return result | act(client, options, folder, say)

    def present(self, client, options, folder, say):
        """What changes of the result when the fleet has been brought to what is declared."""
        fleet = present.Fleet(client, spec.FleetSpec.from_options(options), folder, say)
        if self.is_check:
            made = fleet.prepare()
            return told(fleet, made, made.adopt, made.missing, [instance.id for instance in gone_from(made)])
        try:
            with (
                locked(folder, f"fleet {options['name']}"),
                interrupt.telling(lambda: f"[{options['name']}] {fleet.progress.standing(())}"),
            ):
                made = fleet.prepare()
                nodes = fleet.present(made)
        except OSError as error:
            raise fleet.failed(error) from error
        known = {instance.id for instance in made.adopt.values()}
        ended = [life.id for life in fleet.ledger.lives().values() if life.id in fleet.books.asked]
        return told(fleet, made, nodes, [node for node, instance in nodes.items() if instance.id not in known], ended)

    def absent(self, client, options, folder, say):
        """The same for its end."""
        found = absent.members(client, options["name"])
        ended = [instance.id for instance in found]
        if not self.is_check:
            # What is there is ended, whatever the folder is like.
            with locked(folder, f"fleet {options['name']}", say):
                ended = absent.Ending(client, spec.EndSpec.from_options(options), folder, say).absent()
        diff = difference({instance.tags.get(plan.NODE): instance.id for instance in found}, {})
        return {"changed": bool(ended), "terminated": ended, "diff": diff, "fleet": shown(options["name"], 0, {})}


def require_sense(options, given_options):
    """Raises FleetError for options that cannot be meant.

    `given_options` has them as they were given: 1e2 and true are made numbers on the way.
    """
    name, size = options["name"], options["size"]
    given = given_options.get("size")
    problem = ""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name):
        problem = (
            f"The fleet name {name!a} must begin with a lower-case letter and have only these, digits and "
            "dashes, 40 at most: it becomes host names."
        )
    elif given is not None and not re.fullmatch(r"-?\d+", str(given).strip()):
        problem = (
            f"The size of fleet {name} is {given!a}, and must be a whole number from 1 to 100, in digits. "
            "Nothing was launched."
        )
    elif options["state"] == "present" and size is None:
        problem = f"Fleet {name} needs a size: set the number of nodes."
    elif options["state"] == "present" and not 1 <= size <= 100:
        problem = (
            f"The size of fleet {name} is {given!a}; it must be 1 to 100. To end a fleet use state: absent. "
            "Nothing was launched."
        )
    elif "ssh_keys" in options["user_data"]:
        problem = (
            "user_data has ssh_keys, which this module makes itself so that the first connection is verified: "
            "leave them out."
        )
    if problem:
        raise spec.FleetError(problem)


def gone_from(made):
    """Instances that the plan ends."""
    return [broken.instance for broken in made.replace] + made.surplus


def told(fleet, made, nodes, launched, ended):
    """The result of a plan: the fleet's nodes now, and what was done, or would be."""
    before = {instance.tags.get(plan.NODE): instance.id for instance in [*made.adopt.values(), *gone_from(made)]}
    after = {node: instance.id for node, instance in made.adopt.items()} | dict.fromkeys(made.missing, "to be launched")
    return {
        "changed": bool(launched or ended),
        "launched": launched,
        "adopted": [node for node in made.adopt if node not in launched],
        "later": made.later,
        "terminated": ended,
        "diff": difference(before, after),
        "fleet": shown(fleet.spec.name, fleet.spec.size, nodes),
    }


def shown(name, size, nodes):
    """The fleet as the task returns it."""
    return {
        "name": name,
        "size": size,
        "nodes": [
            {
                "name": node,
                "id": instance.id,
                "status": instance.status,
                "ip": instance.ip,
                "private_ip": instance.private_ip,
                "region": instance.region,
            }
            for node, instance in sorted(nodes.items())
        ],
    }


def difference(before, after):
    """The diff that Ansible shows."""

    def text(nodes):
        return "".join(f"{node}: {value}\n" for node, value in sorted(nodes.items(), key=str))

    return {"before": text(before), "after": text(after)}
