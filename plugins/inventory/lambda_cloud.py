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
  - Reads all instances of an account in one call. The name of the inventory file must end in C(lambda_cloud.yml) or
    C(lambda_cloud.yaml).
  - Nodes of a fleet that M(gh200.inference.lambda_fleet) made are named after their tag, and are in the groups C(head)
    or C(workers)
    and C(gh200_NAME). Other instances are ordinary hosts with the name, or else the id, that they have in the account.
  - With nodes of several fleets and no O(fleet), C(head) and C(workers) stay empty, and a warning names the fleets, so
    that no play for one fleet
    reaches another. The groups C(gh200_NAME) have their nodes in any case.
  - No two instances are ever merged. The later one of two with the same name gets its id appended, with a warning. So
    does one whose name is that of
    a group, or of the control node.
  - Instances that are terminated or terminating are never there. Whatever else is not C(active), as O(statuses) lets it
    through, is in the group
    C(lambda_not_ready) too, and can be left out of a play by C(workers:!lambda_not_ready).
  - Tokens of Jupyter are never read into variables or cache. Names and tags are free text, and are never taken for
    templates.
  - A host has what M(gh200.inference.lambda_instance_info) returns of its instance, with C(lambda_) before each key, as
    C(lambda_price_per_hour) in dollars
    or C(lambda_launched) in UTC.
notes:
  - Where it fails, Ansible goes on to its parsers for YAML and INI, and warns of each. The reason is said once more
    when the run ends, so that it is
    the last thing that is read. Without C(any_unparsed_is_failed) in the section C(inventory) of ansible.cfg, as it is
    in a checkout of this collection,
    Ansible runs the plays without hosts all the same.
  - There are two tiers of filters. O(fleet), O(statuses), O(regions) and O(instance_types) compare names, which costs
    nothing;
    O(filters) takes any condition over the host's variables, and is asked only for what passed the first tier.
  - The groups C(head), C(workers) and C(lambda_not_ready) always exist.
  - The cache holds what the API answered, and is filtered when it is read, so that other options need no new call. A
    cached run makes no call and needs
    no key. What is of another O(api_url) or another key, or is damaged, is fetched anew; C(--flush-cache) and
    C(refresh_inventory) always fetch, once.
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
  fleet:
    description:
      - Only the nodes of this fleet. Empty for all instances of the account.
      - C(-e gh200_fleet=NAME) sets it too, where the file does not, so that plays and inventory mean the same fleet.
    type: str
    default: ""
    env:
      - name: GH200_FLEET
    vars:
      - name: gh200_fleet
  statuses:
    description:
      - Only instances with one of these statuses, as the API names them, for example C(active), C(booting),
        C(unhealthy) or C(preempted).
      - Default is what is usable. A warning names the nodes of a fleet that are left out by the default.
      - An empty list lets every status through but C(terminating) and C(terminated).
    type: list
    elements: str
    default: [active]
  regions:
    description: Only instances in these regions. Empty for all.
    type: list
    elements: str
    default: []
  instance_types:
    description: Only instances of these types. Empty for all.
    type: list
    elements: str
    default: []
  filters:
    description:
      - Jinja conditions, without braces, over the variables that this plugin gives a host. All of them must hold.
      - A condition that cannot be evaluated fails the inventory with O(strict), and else does not hold.
    type: list
    elements: str
    default: []
  hostname:
    description:
      - Jinja template, with braces, over the variables that this plugin gives a host; the result is its name.
      - Where it is empty or cannot be evaluated, the name is the default, unless O(strict) is set.
      - Default is the node's name in its fleet, else the name of the instance, else its id.
      - A slash or a control character in a name becomes an underscore.
    type: str
    default: ""
  connect_with:
    description:
      - Address that becomes C(ansible_host). Where an instance has no such address there is none; O(compose) may give
        one.
    type: str
    choices: [public, private]
    default: public
  state_dir:
    description: Folder of M(gh200.inference.lambda_fleet). A fleet with a C(known_hosts) there is connected to with
      strict checking against it.
    type: str
    default: ~/.local/state/gh200
    env:
      - name: GH200_STATE_DIR
"""

EXAMPLES = r"""
# All instances that are active, the key from LAMBDA_API_KEY.
plugin: gh200.inference.lambda_cloud
---
# One fleet, by private addresses, cached for a minute.
plugin: gh200.inference.lambda_cloud
fleet: r1
connect_with: private
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/gh200/inventory
cache_timeout: 60
compose:
  gh200_address: lambda_private_ip
---
# All GH200s of two regions, in any state, that someone did not tag as being kept; named and grouped by what they are.
plugin: gh200.inference.lambda_cloud
statuses: []
regions: [us-east-3, us-west-1]
instance_types: [gpu_1x_gh200]
filters:
  - lambda_tags.keep is not defined
  - lambda_price_per_hour < 3
hostname: "{{ lambda_region }}-{{ lambda_name or lambda_id }}"
groups:
  expiring: lambda_expires is not none
keyed_groups:
  - key: lambda_region
    prefix: region
"""

import os

from ansible import constants
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.template import trust_as_template
from ansible.utils.vars import combine_vars
from ansible_collections.gh200.inference.plugins.plugin_utils import hosts, inventory_file, ranges
from ansible_collections.gh200.inference.plugins.plugin_utils.connect import CONNECTION, connect
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet.plan import FLEET
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """lambda_cloud."""

    NAME = "gh200.inference.lambda_cloud"
    inventory: InventoryData

    def verify_file(self, path):
        return super().verify_file(path) and path.endswith(("lambda_cloud.yml", "lambda_cloud.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        inventory_file.FAILED.pop(path, None)
        try:
            self.read_options(path)
            for group in (hosts.HEAD, hosts.WORKERS, hosts.NOT_READY):
                self.inventory.add_group(group)
            self.add_all(self.select(self.instances(path, cache)))
        except (errors.CloudError, AnsibleError) as error:
            sentence = getattr(error, "message", None) or str(error)
            inventory_file.FAILED[path] = f"The inventory {path} has no hosts: {sentence}"
            raise AnsibleParserError(sentence) from (error if isinstance(error, errors.CloudError) else error.__cause__)

    def read_options(self, path):
        """Set them. What Ansible passes over in silence is an error: an unknown option, a number that nobody means."""
        config = self._read_config_data(path)
        inventory_file.require_known(config, self.option_definitions, path, self.NAME)
        for options in (config, self.connection()):
            ranges.check(CONNECTION, options)

    # -- what the account has

    def instances(self, path, cache):
        """The API's list, or what the cache has of it."""
        self.load_cache_plugin()
        key = self.get_cache_key(path)
        if self.get_option("cache") and cache:
            found = self.cached(key)
            if found is not None:
                return found
        client = connect(self.connection())
        listed = client.raw_instances()
        try:
            found = hosts.parse(listed)
        except ValueError as error:
            raise AnsibleParserError(
                f"GET {client.http.url}/instances gave something else than instances: {error}. Check api_url."
            ) from error
        if self.get_option("cache"):
            self._cache[key] = {"api_url": client.http.url, "key": client.account_id, "instances": listed}
        return found

    def cached(self, key):
        """Instances in the cache, or None where there are none that can be trusted to be of this account."""
        try:
            entry = self._cache[key]
            client = self.client_if_any()
            if entry["api_url"] == self.get_option("api_url").rstrip("/") and (
                not client or entry["key"] == client.account_id
            ):
                return hosts.parse(entry["instances"])
            self.display.v(f"The cache of {self.NAME} is of another account: it is fetched anew.")
        except KeyError as error:
            self.display.vvv(f"The cache of {self.NAME} has no {error}.")
        except (AnsibleError, TypeError, ValueError) as error:
            self.display.v(f"The cache of {self.NAME} is damaged and is fetched anew: {error}")
        return None

    def client_if_any(self):
        """A client, which has called nobody yet; None without a key, which a cached run does not need."""
        try:
            return connect(self.connection())
        except errors.CloudError:
            return None

    def connection(self):
        return {name: self.get_option(name) for name in CONNECTION}

    def select(self, instances):
        """Those that pass the cheap filters."""
        wanted = hosts.Wanted(
            self.get_option("fleet"),
            *(tuple(self.get_option(name)) for name in ("statuses", "regions", "instance_types")),
        )
        mine = [instance for instance in instances if wanted.takes(instance)]
        left_out = [instance for instance in mine if not wanted.has_status(instance)]
        said = ", ".join(
            f"{hosts.default_name(instance)} ({instance.id}) is {instance.status}"
            for instance in left_out
            if instance.tags.get(FLEET)
        )
        if said and wanted.statuses == (hosts.READY,):
            self.display.warning(
                f"Left out of the inventory: {said}. Set statuses to have them in the group {hosts.NOT_READY}."
            )
        elif left_out:
            self.display.v(f"{len(left_out)} instances have another status than {', '.join(wanted.statuses)}.")
        return [instance for instance in mine if wanted.has_status(instance)]

    # -- what the inventory gets

    def add_all(self, instances):
        """Hosts first and groups of the user's last: a group that is named like a host must not get the host's
        variables.
        """
        connect_with = self.get_option("connect_with")
        state_dir = os.path.abspath(os.path.expanduser(self.get_option("state_dir")))
        made = [(instance, hosts.variables(instance, connect_with, state_dir)) for instance in instances]
        made = [(instance, variables) for instance, variables in made if self.passes(variables)]
        fleets = hosts.fleets(instance for instance, variables in made)
        if len(fleets) > 1:
            self.display.warning(
                f"These are nodes of several fleets, {', '.join(fleets)}, so the groups head and workers stay empty: "
                "set fleet, GH200_FLEET or -e gh200_fleet to one of them."
            )
        for fleet in fleets:
            self.inventory.add_group(hosts.fleet_group(fleet))
        named, own_groups = [], map(self._sanitize_group_name, self.get_option("groups"))
        taken = {*self.inventory.groups, *own_groups, *constants.LOCALHOST}
        for instance, variables in made:
            host = self.add(instance, variables, taken)
            for group in hosts.groups(instance, with_roles=len(fleets) == 1):
                self.inventory.add_host(host, group)
            named.append((host, variables))
        self.construct(named)

    def add(self, instance, variables, taken):
        """One host; its name."""
        wanted = self.hostname(variables) or hosts.default_name(instance)
        name = hosts.unique(wanted, instance, taken)
        if name != wanted:
            self.display.warning(
                f"{self.holder(wanted)} has the name {wanted} already, "
                f"so the instance {instance.id} is in the inventory as {name}."
            )
        taken.add(name)
        if "ansible_host" not in variables:
            self.display.v(
                f"{name} ({instance.id}, {instance.status}) has no {self.get_option('connect_with')} address, "
                "so it gets no ansible_host."
            )
        self.inventory.add_host(name)
        host = self.inventory.hosts[name]
        # Not by set_variable, which takes a group of this name for it, and the time of the whole inventory for a
        # thousand hosts.
        host.vars.update({key: plain(value) for key, value in variables.items()})
        return name

    def holder(self, name):
        """Who has that name, for a warning."""
        found = self.inventory.hosts.get(name)
        if found and "lambda_id" in found.vars:
            return f"The instance {found.vars['lambda_id']}"
        return "A group, or the control node,"

    def construct(self, named):
        """Variables and groups of the user's, for pairs of host and variables."""
        compose, groups, keyed, strict = (
            self.get_option(name) for name in ("compose", "groups", "keyed_groups", "strict")
        )
        if compose:
            for host, variables in named:
                self._set_composite_vars(compose, variables, host, strict=strict)
                made = self.inventory.hosts[host].vars
                made.update({name: plain(made[name]) for name in compose if name in made})
        if groups:
            for host, variables in named:
                self._add_host_to_composed_groups(groups, variables, host, strict=strict)
        if keyed:
            for host, variables in named:
                self._add_host_to_keyed_groups(keyed, variables, host, strict=strict)

    # -- templates of the user's

    def passes(self, variables):
        """Whether all conditions hold."""
        conditions = self.get_option("filters")
        return not conditions or all(
            self.evaluate(
                f"The filter '{condition}'", self.templar_for(variables).evaluate_conditional, condition, variables
            )
            for condition in conditions
        )

    def hostname(self, variables):
        """The name by the user's template, or empty."""
        template = self.get_option("hostname")
        if not template:
            return ""
        if "{{" not in template:
            raise AnsibleParserError(
                f"hostname is '{template}', which gives all hosts one name: write a template, "
                f"as '{{{{ {template} }}}}'."
            )
        made = self.evaluate(f"The hostname '{template}'", self.templar_for(variables).template, template, variables)
        return hosts.clean(str(made)) if made else ""

    def templar_for(self, variables):
        self.templar.available_variables = (
            combine_vars(variables, self._vars) if self.get_option("use_extra_vars") else variables
        )
        return self.templar

    def evaluate(self, what, call, text, variables):
        """The result; None where it fails and the inventory is not strict."""
        try:
            return call(text)
        except Exception as error:
            sentence = f"{what} cannot be evaluated for the instance {variables['lambda_id']}: {error}"
            if self.get_option("strict"):
                raise AnsibleParserError(f"{sentence}. Correct it, or unset strict.") from None
            self.display.v(sentence)
            return None


def plain(value):
    """Marked as harmless where no template can be in it: without the mark, ansible-inventory wraps each string, which
    testinfra and others do not expect.
    """
    if isinstance(value, str):
        return trust_as_template(value) if hosts.is_harmless(value) else value
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
