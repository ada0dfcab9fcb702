# SPDX-License-Identifier: GPL-3.0-or-later
"""The Lambda Cloud API v1 on loopback: one account with its clock, its bill, and whatever is to go wrong
(`admin_routes`).
"""
