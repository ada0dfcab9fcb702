# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches what a node needs of models, from a hub and from other nodes, and verifies each file as it lands."""
