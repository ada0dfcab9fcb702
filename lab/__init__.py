# SPDX-License-Identifier: GPL-3.0-or-later
"""A Lambda Cloud on one machine: its API, its instances as local nodes, a model hub."""
