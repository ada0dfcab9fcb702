# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns of the API, all alike: a class over the World that they share, with as many of these verbs as the API has
for it: `listed()`, `get(id)`, `create(body)`, `change(id, body)`, `delete(id)`.

A verb takes its turn of the world, raises the ApiError that the API answers, and gives the `data` of the answer.
"""
