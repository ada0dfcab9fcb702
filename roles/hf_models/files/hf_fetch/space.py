# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether all models fit, before the first shard is fetched."""

import shutil

from .words import Failure, size


def require(models, prune):
    """By filesystem: what is still to come of all models against what is free. Raises Failure.

    Where it fits only without what need not be kept, and that may go, it goes first.
    """
    disks = {}
    for model in models:
        model.folder.mkdir(parents=True, exist_ok=True)
        disks.setdefault(model.folder.stat().st_dev, []).append(model)
    for together in disks.values():
        missing = {model: max(0, model.bytes_of(model.wanted(model.layers)) - model.arrived()) for model in together}
        if sum(missing.values()) > shutil.disk_usage(together[0].folder).free and prune:
            for model in together:
                model.remove(model.surplus())
        free = shutil.disk_usage(together[0].folder).free
        if sum(missing.values()) > free:
            raise Failure(_sentence(missing, free))


def _sentence(missing, free):
    each = " and ".join(f"{size(count)} of {model.repository} for {model.folder}" for model, count in missing.items())
    advice = "choose a folder on a larger disk"
    fitting = [model.repository for model, count in missing.items() if count <= free]
    if len(missing) > 1:
        alone = f"alone fits {' or '.join(fitting)}" if fitting else "none of them fits alone"
        advice = f"{alone}: fetch one at a time, or {advice}"
    return f"The models do not fit: {each} are still to come, and {size(free)} are free there; {advice}."
