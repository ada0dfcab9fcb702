# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The file of an inventory: options that nobody knows are refused, and why it has no hosts is said last."""

from __future__ import annotations

import atexit
import difflib
import typing as t

from ansible.utils.display import Display
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors

# By file, why it has no hosts: said again when the run ends. Ansible goes on to its parsers for YAML and INI, and their
# complaints come last.
FAILED: dict[str, str] = {}


@atexit.register
def say_why() -> None:
    """The last thing that is read."""
    for sentence in FAILED.values():
        Display().error(sentence, wrap_text=False)


def require_known(config: t.Iterable[t.Any], known: dict[str, t.Any], path: str, plugin: str) -> None:
    """Raises CloudError for an option of the file at `path` that Ansible would pass over in silence.

    `known` is the plugin's options, as it documents them.
    """
    names = {name for option, about in known.items() for name in (option, *about.get("aliases", ()))}
    unknown = sorted(str(name) for name in config if name not in names)
    if unknown:
        like = difflib.get_close_matches(unknown[0], names, 1)
        hint = f"did you mean {like[0]}?" if like else f"ansible-doc -t inventory {plugin} lists them."
        raise errors.CloudError(f"{', '.join(unknown)} in {path} is no option of {plugin}: {hint}")
