# SPDX-License-Identifier: GPL-3.0-or-later
"""Collections are imported as Ansible imports them, in every test, so that its plugin loader finds them too."""

from __future__ import annotations

from ansible.plugins.loader import init_plugin_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig

if AnsibleCollectionConfig.collection_finder is None:
    init_plugin_loader([])
