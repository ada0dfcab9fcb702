# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Instances of the Lambda Cloud as hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: lambda_cloud
author: gh200.inference contributors (@gh200)
short_description: Instances of the Lambda Cloud as hosts
version_added: 0.1.0
description:
  - Reads all instances of an account in one call. The name of the inventory file must end in C(lambda_cloud.yml) or C(lambda_cloud.yaml).
  - Nodes of a fleet that M(gh200.inference.lambda_fleet) made are named after their tag, and are in the groups C(head) or C(workers)
    and C(gh200_NAME). Other instances have the name, or else the id, that they have in the account.
  - Instances that are terminated or terminating are left out. Tokens of Jupyter are never read into variables or cache.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud.plugin
  - constructed
  - inventory_cache
options:
  plugin:
    description: Name of this plugin.
    type: str
    required: true
    choices: [gh200.inference.lambda_cloud]
  cluster:
    description: Only the nodes of this fleet. Empty for all instances of the account.
    type: str
    default: ""
    env:
      - name: GH200_CLUSTER
  connect_with:
    description: Address that becomes C(ansible_host).
    type: str
    choices: [public, private]
    default: public
  state_dir:
    description: Folder of M(gh200.inference.lambda_fleet). A fleet with a C(known_hosts) there is connected to with strict checking against it.
    type: str
    default: ~/.local/state/gh200
    env:
      - name: GH200_STATE_DIR
"""

EXAMPLES = r"""
# All instances, the key from LAMBDA_API_KEY.
plugin: gh200.inference.lambda_cloud
---
# One fleet, by private addresses, cached for a minute.
plugin: gh200.inference.lambda_cloud
cluster: r1
connect_with: private
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/gh200/inventory
cache_timeout: 60
compose:
  gh200_address: lambda_private_ip
"""

import os
import shlex

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.template import trust_as_template

from ansible_collections.gh200.inference.plugins.module_utils.lambda_cloud import errors, models, plan
from ansible_collections.gh200.inference.plugins.plugin_utils.connect import connect

OPTIONS = ("api_url", "api_key", "api_key_file", "request_interval", "launch_interval", "request_timeout")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """lambda_cloud."""

    NAME = "gh200.inference.lambda_cloud"

    def verify_file(self, path):
        return super().verify_file(path) and path.endswith(("lambda_cloud.yml", "lambda_cloud.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        for group in ("head", "workers"):
            self.inventory.add_group(group)
        try:
            instances = [models.Instance.parse(item) for item in self.raw(path, cache)]
        except errors.LambdaError as error:
            raise AnsibleParserError(str(error)) from error
        except AnsibleError as error:
            raise AnsibleParserError(error.message) from error
        wanted = self.get_option("cluster")
        for instance in instances:
            if not instance.is_gone and wanted in ("", instance.tags.get(plan.CLUSTER)):
                self.add(instance)

    def raw(self, path, cache):
        """The API's list, or what the cache has of it."""
        self.load_cache_plugin()
        key = self.get_cache_key(path)
        use, refresh = self.get_option("cache") and cache, self.get_option("cache") and not cache
        if use:
            try:
                return self._cache[key]
            except KeyError:
                refresh = True
        listed = connect({name: self.get_option(name) for name in OPTIONS}).raw_instances()
        if refresh:
            self._cache[key] = listed
        return listed

    def add(self, instance):
        """One host with its variables and groups."""
        cluster, node = instance.tags.get(plan.CLUSTER, ""), instance.tags.get(plan.NODE, "")
        host = self.inventory.add_host(node or instance.name or instance.id)
        variables = {
            "lambda_id": instance.id, "lambda_name": instance.name, "lambda_status": instance.status, "lambda_ip": instance.ip,
            "lambda_private_ip": instance.private_ip, "lambda_hostname": instance.hostname, "lambda_region": instance.region,
            "lambda_instance_type": instance.instance_type, "lambda_price_cents_per_hour": instance.price_cents_per_hour,
            "lambda_gpus": instance.gpus, "lambda_filesystems": list(instance.filesystems), "lambda_ssh_keys": list(instance.ssh_keys),
            "lambda_tags": instance.tags, "lambda_cluster": cluster, "lambda_node": node,
        }
        address = instance.private_ip if self.get_option("connect_with") == "private" else instance.ip
        if address:
            variables["ansible_host"] = address
        known_hosts = os.path.join(os.path.abspath(os.path.expanduser(self.get_option("state_dir"))), cluster, "known_hosts")
        if cluster and os.path.exists(known_hosts):
            variables["ansible_ssh_common_args"] = f"-o UserKnownHostsFile={shlex.quote(known_hosts)} -o StrictHostKeyChecking=yes"
        for name, value in variables.items():
            self.inventory.set_variable(host, name, plain(value))
        if cluster and node:
            self.inventory.add_host(host, self.inventory.add_group("head" if node == f"{cluster}-00" else "workers"))
            self.inventory.add_host(host, self.inventory.add_group(f"gh200_{cluster.replace('-', '_')}"))
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)


def plain(value):
    """Marked as harmless where no template can be in it: without the mark, ansible-inventory wraps each string, which testinfra and others do not expect."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, str) and not any(mark in value for mark in ("{{", "{%", "{#")):
        return trust_as_template(value)
    return value
