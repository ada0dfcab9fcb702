# SPDX-License-Identifier: GPL-3.0-or-later
"""The page and the role load_test against the truth."""
