# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances as systemd-nspawn nodes: own addresses, systemd, sshd, cloud-init."""
