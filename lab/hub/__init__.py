# SPDX-License-Identifier: GPL-3.0-or-later
"""A model hub that speaks to the real huggingface_hub client."""
