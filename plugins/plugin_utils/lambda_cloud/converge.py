# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Brings firewall rules that others may change too to what is declared. Is handed its calls."""

from __future__ import annotations

import typing as t

from . import errors, firewall

TRIES = 5


def converge(
    where: str,
    read: t.Callable[[], list[firewall.Rule] | None],
    write: t.Callable[[list[firewall.Rule]], t.Any],
    merge: t.Callable[[list[firewall.Rule]], list[firewall.Rule]],
    pause: t.Callable[[int, errors.LambdaError], bool],
) -> list[firewall.Rule]:
    """Write what `merge` makes of a fresh read (None where there is nothing yet), until a read shows it; the rules that
    are there then.

    Others may change the same rules: each try begins with what is there at that moment, and what the last one wrote is
    only believed when it is read.
    `pause` gets the number of the try and its error, and is False where there is no time for another. Raises CloudError
    after TRIES, and at once where the API says that the request is wrong.
    """
    last: errors.LambdaError | None = None
    for attempt in range(TRIES + 1):
        there = read()
        after = merge(there or [])
        if there is not None and firewall.same(there, after):
            return there
        if attempt == TRIES:
            break
        try:
            write(after)
        except errors.LambdaError as error:
            if not may_pass(error) or not pause(attempt, error):
                raise
            last = error
    said = f" The last refusal: {last.said}" if last else " The API took each of them, and something undid it."
    raise errors.CloudError(
        f"{where} is not as declared after {TRIES} tries.{said} See who else changes it, then run this again."
    ) from last


def may_pass(error: errors.LambdaError) -> bool:
    """Whether a write that failed so may be tried again after another look: 409 is how Lambda says that another change
    is under way.
    """
    return error.status == 409 or error.kind == "rate" or error.is_ambiguous
