# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compares the variables of many roles with their specifications, on the control node and in one task."""

from __future__ import annotations

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars
from ansible_collections.gh200.inference.plugins.plugin_utils import role_variables

display = Display()


# Of a host's variables, what is made of all hosts and holds no template.
MADE = {"hostvars", "groups", "vars", "omit"}


class ActionModule(ActionBase):
    """No host is asked, so this works before there is one."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        dummy, args = self.validate_argument_spec(
            argument_spec={
                "roles": {"type": "list", "elements": "str"},
                "given_only": {"type": "bool", "default": False},
                "names_only": {"type": "bool", "default": False},
                "hosts": {"type": "list", "elements": "str", "default": []},
            }
        )
        roles = args["roles"] or role_variables.names()
        unknown = sorted(set(roles) - set(role_variables.names()))
        if unknown:
            return {
                "failed": True,
                "msg": f"This collection has no role {', '.join(unknown)}; it has {', '.join(role_variables.names())}.",
            }
        self.given_only = args["given_only"]
        self.specs = {role: role_variables.options(role, self._load) for role in roles}
        slips = [] if args["roles"] else self._slips(task_vars)
        if slips:
            return {
                "failed": True,
                "msg": f"{' '.join(slips)} Correct the name.",
                "argument_errors": slips,
            }
        if args["names_only"]:
            return {"changed": False, "roles": []}
        # On localhost the roles' own defaults do not count: they are for the hosts that the roles run on.
        self.defaults = {role: {} if self.given_only else role_variables.defaults(role, self._load) for role in roles}
        wrong = self._wrong(task_vars) or self._wrong_elsewhere(task_vars, args["hosts"])
        if wrong:
            return {
                "failed": True,
                "msg": f"{len(wrong)} {'variable does' if len(wrong) == 1 else 'variables do'} not fit the "
                f"specification: {'; '.join(wrong)}. Correct the inventory, or what was given with -e.",
                "argument_errors": wrong,
            }
        return {"changed": False, "roles": roles}

    def _load(self, path):
        return self._loader.load_from_file(path, cache="none", trusted_as_template=True)

    def _slips(self, task_vars):
        """Of what was given with -e, which is for this run and does nothing under a wrong name; of others it warns.

        On a host there are names of the playbooks' own among those others.
        """
        known = {name for spec in self.specs.values() for name in spec}
        given = load_extra_vars(self._loader)
        if self.given_only:
            for name, meant in role_variables.slips(task_vars, known).items():
                if name not in given:
                    display.warning(f"{name} is set, and no role knows it: is {meant} meant?")
        return [
            f"{name} is given with -e, and no role knows it: is {meant} meant?"
            for name, meant in role_variables.slips(given, known).items()
        ]

    def _wrong_elsewhere(self, task_vars, hosts):
        """The same for other hosts, of what is not as on this one: most is the same text for all."""
        here = task_vars["inventory_hostname"]
        mine = _templates(task_vars["hostvars"].raw_get(here))
        defaults = {name: value for role in self.defaults.values() for name, value in role.items()}
        wrong = []
        for host in hosts:
            if host == here:
                continue
            theirs = _templates(task_vars["hostvars"].raw_get(host))
            # What a play or -e sets stands above every host's own.
            own = {
                name
                for name in role_variables.differing(mine, theirs)
                if task_vars.get(name, defaults.get(name)) == mine.get(name, defaults.get(name))
            }
            given = {name: value for name, value in task_vars.items() if name not in own}
            given |= {name: value for name, value in theirs.items() if name in own}
            touched = role_variables.touched(_templates(defaults | given), own)
            wrong += [f"{message} (on {host})" for message in self._wrong(given, touched)]
        return wrong

    def _wrong(self, given, only=None):
        """Sentences about what does not fit, each with its role or its variable; of all names, or those in `only`."""
        wrong: list[str] = []
        broken: dict[str, str] = {}
        # What was computed once is not computed again for each template that names it.
        known = dict(given)
        for role, options in self.specs.items():
            options = {name: option for name, option in options.items() if only is None or name in only}
            values, failures = self._values(role, options, known)
            spec = {
                name: {**option, "required": not self.given_only and option.get("required", False)}
                for name, option in options.items()
                if name not in failures
            }
            told = ArgumentSpecValidator(spec).validate(values, validate_role_argument_spec=True).error_messages
            secrets = {str(values[name]) for name in spec if spec[name].get("no_log") and values.get(name)}
            wrong += [f"{role}: {remove_values(message, secrets)}" for message in told]
            broken |= {message: f"{name}: {message}" for name, message in failures.items()}
        # What cannot be computed mostly follows from a value that does not fit. Before there are nodes it may
        # follow from what is not known yet, too.
        return wrong or ([] if self.given_only else list(broken.values()))

    def _values(self, role, names, known):
        """Name to value of the role's variables, and name to what Ansible says of those that cannot be computed."""
        given = {**self.defaults[role], **known}
        templar = self._templar.copy_with_new_env(available_variables=given)
        values, failures = {}, {}
        for name in names:
            if name in given:
                try:
                    values[name] = templar.template(given[name])
                except AnsibleError as error:
                    failures[name] = " ".join(str(error).split()).rstrip(".")
                else:
                    given[name] = values[name]
                    if name in known:
                        known[name] = values[name]
        return values, failures


def _templates(variables):
    return {name: value for name, value in variables.items() if name not in MADE}
