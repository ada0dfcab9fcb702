# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub on a free port of this machine, for the tests that talk to it as a client does."""

from __future__ import annotations

import pytest

from lab import serving
from lab.hub.app import create_app


@pytest.fixture(name="serving", scope="session")
def hub_server():
    """A context manager: it serves a folder, and gives the address."""
    return lambda root: serving.in_thread(create_app(root))
