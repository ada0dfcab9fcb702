# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of sizes, times and errors."""

GIB = 1024**3


class Failure(Exception):
    """What another try does not mend; its text is a whole sentence for the user."""


def size(count):
    """Bytes as people read them."""
    if count >= GIB / 100:
        return f"{count / GIB:.2f} GiB"
    return f"{count / 1024:.0f} KiB" if count >= 1024 else f"{count} bytes"


def first_line(error):
    """An exception in a few words, with its kind."""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), "no further word")
    return f"{type(error).__name__}: {said.rstrip('.')}"


def some(names, most=3):
    """A few of many names."""
    names = sorted(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
