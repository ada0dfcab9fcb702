# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_growth: runs on the control node, where the key, the wheels and the notes of earlier runs are."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import growth, growth_notes
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet.state_dir import state_folder
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors


class ActionModule(LambdaAction):
    """A decision before the first launch, and what the next run should know of this one."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {
        "state": {"type": "str", "choices": ["told", "noted"], "default": "told"},
        "size": {"type": "int", "default": 1},
        "running": {"type": "int", "default": 0},
        "growth": {"type": "str", "choices": ["auto", "build_first", "at_once"], "default": "auto"},
        "instance_type": {"type": "str", "default": "gpu_1x_gh200"},
        "region": {"type": "list", "elements": "str", "default": []},
        "filesystem": {"type": "str", "default": ""},
        "lane": {"type": "str", "default": "source"},
        "wheels": {"type": "list", "elements": "str", "default": []},
        "wheel_cache": {"type": "path"},
        "moments": {"type": "dict", "default": {}},
        "builds": {"type": "bool", "default": False},
        "state_dir": {"type": "path"},
    }

    def execute(self, client, options):
        notes = growth_notes.Notes(state_folder(options["state_dir"]))
        act = self.told if options["state"] == "told" else self.noted
        return {"changed": False, "notes": notes.path} | act(client, options, notes)

    def told(self, client, options, notes):
        """What is done and why, and both ways with their costs."""
        where = self.whereabouts(client, options, notes)
        offer = client.offers().get(options["instance_type"])
        # lambda_fleet refuses a type that there is not, in a sentence of its own.
        price = offer.price_cents_per_hour if offer else 0
        question = growth.Question(options["size"], options["running"], price, where)
        times = growth.Times.of(notes.seconds(kind(options)))
        chosen = growth.choose(options["growth"], where)
        return {
            "growth": chosen,
            "builds": not where,
            "wheels_on": where,
            "price_per_hour": price / 100,
            "ways": {name: way._asdict() for name, way in growth.ways(question, times).items()},
            "lines": growth.sentences(question, times, chosen) if offer else [],
            "build_line": growth.build_sentence(question, times),
        }

    def noted(self, client, options, notes):
        """The notes with what this run has done; in check mode nothing was."""
        if not self.is_check:
            took = {} if options["running"] else growth.took(moments(options["moments"]), options["builds"])
            notes.write(filesystems(client, options), options["wheels"], kind(options), took)
        return {}

    def whereabouts(self, client, options, notes):
        """Where all the wheels are, in a word; empty, where one must be built."""
        wheels, cache = options["wheels"], options["wheel_cache"]
        if not wheels:
            return growth.NOWHERE
        if cache and all(os.path.isdir(os.path.join(cache, name)) for name in wheels):
            return growth.CONTROL_NODE
        ids = filesystems(client, options)
        if ids and all(set(wheels) <= notes.wheels(filesystem_id) for filesystem_id in ids):
            return growth.FILESYSTEM
        return ""


def moments(told):
    """The moments as numbers; CloudError for what is none."""
    try:
        return {name: float(moment) for name, moment in told.items()}
    except (TypeError, ValueError) as error:
        raise errors.CloudError(f"moments are seconds since 1970, and one of {ascii(told)[:200]} is not.") from error


def kind(options):
    """What times depend on most: another lane or another machine, other times."""
    return f"{options['lane']}/{options['instance_type']}"


def filesystems(client, options):
    """Ids of the filesystems that may be meant: those of the name, in the regions."""
    name, regions = options["filesystem"], options["region"]
    return [item.id for item in client.filesystems() if item.name == name and (not regions or item.region in regions)]
