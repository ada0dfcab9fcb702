# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_fleet: runs on the control node, so that the key stays there and progress can be shown."""

from __future__ import annotations

import re

from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import absent, plan, present, spec
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet.state_dir import fleet_folder, locked


class ActionModule(LambdaAction):
    """One declared fleet."""

    CHECKED = ("size",)
    SPEC = {
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
        "allow_shrink": {"type": "bool", "default": False},
        "connect_with": {"type": "str", "choices": ["public", "private"], "default": "public"},
        "wait_for_ssh": {"type": "bool", "default": True},
        "max_price": {"type": "float", "default": 0},
        "max_fleet_price": {"type": "float", "default": 0},
        "max_life": {"type": "float", "default": 0},
        "deadline": {"type": "float", "default": 3600},
        "boot_deadline": {"type": "float", "default": 1200},
        "settle_time": {"type": "float", "default": 30},
        "blind_interval": {"type": "float", "default": 300},
        "resend_interval": {"type": "float", "default": 60},
        "poll_interval": {"type": "float", "default": 5},
        "state_dir": {"type": "path"},
    }
    SAME = (
        "name", "instance_type", "image_family", "user_data", "allow_shrink", "connect_with", "wait_for_ssh", "max_price", "max_fleet_price", "max_life",
        "deadline", "boot_deadline", "settle_time", "blind_interval", "resend_interval", "poll_interval",
    )

    def execute(self, cloud, options):
        require_sense(options)
        folder = fleet_folder(options["state_dir"], options["name"])
        wanted = spec.FleetSpec(
            size=options["size"] or 0, regions=tuple(filter(None, options["region"])), ssh_key=options["ssh_key_name"] or "",
            filesystems=tuple(filter(None, options["filesystems"])), firewall_rulesets=tuple(options["firewall_rulesets"]),
            accept_host_keys=tuple(options["accept_host_keys"]), replace=tuple(filter(None, options["replace"])),
            **{name: options[name] for name in self.SAME},
        )
        running = present.Fleet(cloud, wanted, folder, lambda text: self.say(options["name"], text))
        result = {"changed": False, "launched": [], "adopted": [], "terminated": [], "known_hosts": running.keys.known_hosts}
        act = self.present if options["state"] == "present" else self.absent
        if self.is_check:
            return act(running, result)
        with locked(folder, f"fleet {options['name']}"):
            return act(running, result)

    def present(self, running, result):
        made = running.plan()
        ended = [broken.instance for broken in made.replace] + made.surplus
        before = {instance.tags.get(plan.NODE): instance.id for instance in list(made.adopt.values()) + ended}
        after = {node: instance.id for node, instance in made.adopt.items()} | dict.fromkeys(made.missing, "to be launched")
        nodes = made.adopt if self.is_check else running.present(made)
        known = {instance.id for instance in made.adopt.values()}
        if not self.is_check:
            made_new = [node for node, instance in nodes.items() if instance.id not in known]
            ended_ids = [life.id for life in running.ledger.lives().values() if life.id in running.asked]
        else:
            made_new, ended_ids = made.missing, [instance.id for instance in ended]
        result.update(
            changed=bool(made_new or ended_ids), launched=made_new, adopted=[node for node in made.adopt if node not in made_new], terminated=ended_ids,
            diff=difference(before, after), fleet=shown(running.spec.name, running.spec.size, nodes),
        )
        return result

    def absent(self, running, result):
        found = absent.members(running)
        diff = difference({instance.tags.get(plan.NODE): instance.id for instance in found}, {})
        ended = [instance.id for instance in found] if self.is_check else absent.absent(running)
        result.update(changed=bool(ended), terminated=ended, diff=diff, fleet=shown(running.spec.name, 0, {}))
        return result


def require_sense(options):
    """Raises FleetError for options that cannot be meant."""
    name, size = options["name"], options["size"]
    problem = ""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name):
        problem = f"The fleet name '{name}' must begin with a lower-case letter and have only these, digits and dashes, 40 at most: it becomes host names."
    elif options["state"] == "present" and size is None:
        problem = f"Fleet {name} needs a size: set the number of nodes."
    elif options["state"] == "present" and not 1 <= size <= 100:
        problem = f"The size of fleet {name} is {size}; it must be 1 to 100. To end a fleet use state: absent. Nothing was launched."
    elif "ssh_keys" in options["user_data"]:
        problem = "user_data has ssh_keys, which this module makes itself so that the first connection is verified: leave them out."
    else:
        negative = [key for key, spec in ActionModule.SPEC.items() if spec["type"] == "float" and options[key] < 0]
        if negative:
            problem = f"{negative[0]} is {options[negative[0]]:g}, and cannot be below 0. Nothing was launched."
    if problem:
        raise spec.FleetError(problem)


def shown(name, size, nodes):
    """The fleet as the task returns it."""
    return {
        "name": name, "size": size,
        "nodes": [
            {"name": node, "id": instance.id, "status": instance.status, "ip": instance.ip, "private_ip": instance.private_ip, "region": instance.region}
            for node, instance in sorted(nodes.items())
        ],
    }


def difference(before, after):
    """The diff that Ansible shows."""
    def text(nodes):
        return "".join(f"{node}: {value}\n" for node, value in sorted(nodes.items(), key=str))

    return {"before": text(before), "after": text(after)}
