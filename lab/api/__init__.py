# SPDX-License-Identifier: GPL-3.0-or-later
"""The Lambda Cloud API v1 on loopback."""
