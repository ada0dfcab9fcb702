# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error of the lab; its text is what the user reads."""


class LabError(Exception):
    """What was tried, on what, what came back, and what to do."""
