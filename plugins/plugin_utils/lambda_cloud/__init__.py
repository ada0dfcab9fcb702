# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A client for the Lambda Cloud API v1. Nothing in here imports Ansible."""
