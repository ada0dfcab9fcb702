# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_fleet: runs on the control node, so that the key stays there and progress can be shown."""

from __future__ import annotations

import os
import re

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.gh200.inference.plugins.module_utils.lambda_cloud import errors, fleet, plan
from ansible_collections.gh200.inference.plugins.plugin_utils.connect import connect

display = Display()

SPEC = {
    "api_url": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "api_key_file": {"type": "path", "no_log": False},
    "request_interval": {"type": "float"},
    "launch_interval": {"type": "float"},
    "request_timeout": {"type": "float", "default": 120},
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "size": {"type": "int"},
    "instance_type": {"type": "str", "default": "gpu_1x_gh200"},
    "region": {"type": "str"},
    "ssh_key_name": {"type": "str", "no_log": False},
    "filesystems": {"type": "list", "elements": "str", "default": []},
    "image_family": {"type": "str", "default": "lambda-stack-22-04"},
    "user_data": {"type": "dict", "default": {}},
    "allow_shrink": {"type": "bool", "default": False},
    "connect_with": {"type": "str", "choices": ["public", "private"], "default": "public"},
    "wait_for_ssh": {"type": "bool", "default": True},
    "deadline": {"type": "float", "default": 3600},
    "poll_interval": {"type": "float", "default": 5},
    "state_dir": {"type": "path"},
}
DEFAULT_STATE = "~/.local/state/gh200"


class ActionModule(ActionBase):
    """One declared fleet."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(argument_spec=SPEC)
        problem = complaint(options)
        if problem:
            return {"failed": True, "msg": problem}
        try:
            return self.converge(options)
        except errors.LambdaError as error:
            return {"failed": True, "msg": str(error), "failure": {"kind": error.kind, "code": error.code, "status": error.status}}
        except (fleet.FleetError, AnsibleError, OSError) as error:
            cause = error.__cause__
            failure = {"kind": cause.kind, "code": cause.code, "status": cause.status} if isinstance(cause, errors.LambdaError) else {}
            return {"failed": True, "msg": str(error), "failure": failure}

    def converge(self, options):
        """Plan, and unless this is a check, carry it out."""
        folder = os.path.join(os.path.expanduser(options["state_dir"] or os.environ.get("GH200_STATE_DIR") or DEFAULT_STATE), options["name"])
        declared = fleet.Declared(
            name=options["name"], size=options["size"] or 0, instance_type=options["instance_type"], region=options["region"] or "",
            ssh_key=options["ssh_key_name"] or "", filesystems=tuple(options["filesystems"]), image_family=options["image_family"],
            connect_with=options["connect_with"], deadline=options["deadline"], poll_interval=options["poll_interval"],
            allow_shrink=options["allow_shrink"], wait_for_ssh=options["wait_for_ssh"], user_data=options["user_data"],
        )
        wanted = fleet.Fleet(connect(options), declared, folder, lambda text: display.display(f"[{options['name']}] {text}"))
        result = {"changed": False, "launched": [], "adopted": [], "terminated": [], "known_hosts": wanted.keys.known_hosts}
        return self.present(wanted, result) if options["state"] == "present" else self.absent(wanted, result)

    def present(self, wanted, result):
        made = wanted.plan()
        ended = made.replace + made.surplus
        before = {instance.tags.get(plan.NODE): instance.id for instance in list(made.adopt.values()) + ended}
        result.update(
            changed=bool(made.launch or ended), launched=made.launch, adopted=list(made.adopt), terminated=[instance.id for instance in ended],
            diff=difference(before, {**{node: instance.id for node, instance in made.adopt.items()}, **dict.fromkeys(made.launch, "to be launched")}),
        )
        nodes = made.adopt
        if not self._task.check_mode:
            nodes = wanted.present(made)
        result["fleet"] = {
            "name": wanted.declared.name, "size": wanted.declared.size,
            "nodes": [
                {"name": node, "id": instance.id, "status": instance.status, "ip": instance.ip, "private_ip": instance.private_ip}
                for node, instance in sorted(nodes.items())
            ],
        }
        return result

    def absent(self, wanted, result):
        found = wanted.members()
        result.update(
            changed=bool(found), terminated=[instance.id for instance in found],
            diff=difference({instance.tags.get(plan.NODE): instance.id for instance in found}, {}),
            fleet={"name": wanted.declared.name, "size": 0, "nodes": []},
        )
        if not self._task.check_mode:
            wanted.absent(found)
        return result


def complaint(options):
    """What is wrong with the options, or empty."""
    name, size = options["name"], options["size"]
    if not re.match(r"[a-z][a-z0-9-]{0,39}$", name):
        return f"The fleet name '{name}' must begin with a lower-case letter and have only these, digits and dashes, 40 at most: it becomes host names."
    if options["state"] == "absent":
        return ""
    if size is None:
        return f"Fleet {name} needs a size: set the number of nodes."
    if not 1 <= size <= 100:
        return f"The size of fleet {name} is {size}; it must be 1 to 100. To end a fleet use state: absent. Nothing was launched."
    if "ssh_keys" in options["user_data"]:
        return "user_data has ssh_keys, which this module makes itself so that the first connection is verified: leave them out."
    return ""


def difference(before, after):
    """The diff that Ansible shows."""
    def text(nodes):
        return "".join(f"{node}: {value}\n" for node, value in sorted(nodes.items(), key=str))

    return {"before": text(before), "after": text(after)}
