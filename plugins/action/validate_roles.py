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
from ansible_collections.gh200.inference.plugins.plugin_utils import role_variables

display = Display()


class ActionModule(ActionBase):
    """The host is not asked, so this works before there is one."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        dummy, args = self.validate_argument_spec(
            argument_spec={
                "roles": {"type": "list", "elements": "str"},
                "given_only": {"type": "bool", "default": False},
            }
        )
        roles = args["roles"] or role_variables.names()
        unknown = sorted(set(roles) - set(role_variables.names()))
        if unknown:
            return {
                "failed": True,
                "msg": f"This collection has no role {', '.join(unknown)}; it has {', '.join(role_variables.names())}.",
            }
        specs = {role: role_variables.options(role, self._load) for role in roles}
        if args["given_only"]:
            self._warn_of_slips(task_vars, specs)
        wrong = self._wrong(specs, args["given_only"], task_vars)
        if wrong:
            return {
                "failed": True,
                "msg": f"{len(wrong)} {'variable does' if len(wrong) == 1 else 'variables do'} not fit the "
                f"specification: {'; '.join(wrong)}. Correct the inventory, or what was given with -e.",
                "argument_errors": wrong,
            }
        return {"changed": False, "roles": roles}

    def _load(self, path):
        return self._loader.load_from_file(path, trusted_as_template=True)

    @staticmethod
    def _warn_of_slips(task_vars, specs):
        known = {name for spec in specs.values() for name in spec}
        for name, meant in role_variables.slips(task_vars, known).items():
            display.warning(f"{name} is set, and no role knows it: is {meant} meant?")

    def _wrong(self, specs, given_only, task_vars):
        """Sentences about what does not fit, each with its role or its variable."""
        wrong: list[str] = []
        broken: dict[str, str] = {}
        for role, options in specs.items():
            values, failures = self._values(role, options, given_only, task_vars)
            spec = {
                name: {**option, "required": not given_only and option.get("required", False)}
                for name, option in options.items()
                if name not in failures
            }
            told = ArgumentSpecValidator(spec).validate(values, validate_role_argument_spec=True).error_messages
            secrets = {str(values[name]) for name in spec if spec[name].get("no_log") and values.get(name)}
            wrong += [f"{role}: {remove_values(message, secrets)}" for message in told]
            broken |= {message: f"{name}: {message}" for name, message in failures.items()}
        # What cannot be computed mostly follows from a value that does not fit. Before there are nodes it may
        # follow from what is not known yet, too.
        return wrong or ([] if given_only else list(broken.values()))

    def _values(self, role, spec, given_only, task_vars):
        """Name to value of the role's variables, and name to what Ansible says of those that cannot be computed."""
        # On localhost the roles' own defaults do not count: they are for the hosts that the roles run on.
        given = task_vars if given_only else {**role_variables.defaults(role, self._load), **task_vars}
        templar = self._templar.copy_with_new_env(available_variables=given)
        values, failures = {}, {}
        for name in spec:
            if name in given:
                try:
                    values[name] = templar.template(given[name])
                except AnsibleError as error:
                    failures[name] = " ".join(str(error).split()).rstrip(".")
        return values, failures
