# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be wrong with a node, each with its name, what was seen, and what to do. Pure: a look goes in."""

JOURNAL = "see `journalctl -u ray` there"
MIB, GIB = 1 << 20, 1 << 30


def culprit(name, what, advice):
    """As it is shown."""
    return {"node": name, "what": what, "do": advice}


def sentence(culprits):
    """The reason that follows from them."""
    return "; ".join(f"{found['node']}: {found['what']}" for found in culprits) + "."


def missing(settings, seen):
    """Nodes that say nothing. A moment after the watchdog's own start nothing has been said yet."""
    found = []
    for name, address in settings["nodes"].items():
        silent = silence(seen, name)
        if silent > settings["silence"]:
            found.append(
                culprit(
                    name,
                    f"no word from {address} for {silent:.0f} s",
                    "it is powered off, cut off, or its ray.service does not run: look at it; "
                    "if it is gone for good, site.yml replaces it",
                )
            )
    return found


def silence(seen, name):
    """Seconds since the node's last report, or since the watchdog began to listen."""
    return seen["now"] - seen["reports"].get(name, {}).get("at", seen["listening"])


def fresh(settings, seen):
    """The reports of the nodes that are not silent."""
    return {name: report for name, report in seen["reports"].items() if silence(seen, name) <= settings["silence"]}


def uncounted(settings, seen):
    """Names of nodes that report while the head's Ray, which answers, does not count them with all GPUs."""
    if seen["ray"] is None:
        return []
    counted = seen["ray"]["nodes"]
    return [name for name in fresh(settings, seen) if counted.get(settings["nodes"][name], 0) < settings["gpus"]]


def gone(settings, seen):
    """Nodes without which the engine cannot go on: lost by Ray, or silent for too long for its connections."""
    found = [culprit(name, "Ray on the head has lost it", JOURNAL) for name in uncounted(settings, seen)]
    return found + [
        each
        for each in missing(settings, seen)
        if silence(seen, each["node"]) > settings["gone"]
        or (seen["ray"] is not None and settings["nodes"][each["node"]] not in seen["ray"]["nodes"])
    ]


def waiting(settings, seen):
    """What a start would wait for in vain."""
    if seen["ray"] is None:
        return [culprit(settings["head"], "Ray does not answer on the head", JOURNAL)]
    found = [culprit(name, "Ray on the head does not count it yet", JOURNAL) for name in uncounted(settings, seen)]
    held = settings["gpus"] * len(settings["nodes"]) - seen["ray"]["free"]
    if not found and held > 0:
        what = f"something holds {held:.0f} of Ray's GPUs"
        found = [culprit(settings["head"], what, "see `ray status` and `ray list actors` there")]
    return found


def gave_up(settings):
    """After the last of the starts that failed."""
    return culprit(
        settings["head"],
        "the engine is started no more, for too many starts have failed",
        "see `journalctl -u vllm` there; playbooks/start.yml begins anew",
    )


def lost(names, seen):
    """Reason and culprits where ranks have ended."""
    found = []
    for name in names:
        killed = seen["kills"].get(name)
        found.append(
            culprit(
                name,
                f"its rank ended{', and the kernel killed a process there for want of memory' if killed else ''}",
                "see `journalctl -k` and `journalctl -u ray` there; playbooks/check.yml measures its GPU",
            )
        )
    return sentence(found), found


def hung(what, seen):
    """Reason and culprits where nothing moves: ranks that are stopped or in the kernel, GPUs that do not answer."""
    states = {"T": "stopped", "t": "traced", "D": "waiting in the kernel"}
    found = [
        culprit(name, f"process {rank['pid']} of its rank is {states[rank['state']]}", "see `journalctl -k` there")
        for name, report in seen["reports"].items()
        for rank in report["ranks"]
        if rank["state"] in states
    ]
    found += [
        culprit(name, "nvidia-smi has not answered for a minute", "run playbooks/check.yml: its GPU may be lost")
        for name, report in seen["reports"].items()
        if report["gpus"] is None
    ]
    return (f"{what}; {sentence(found)}" if found else f"{what}."), found


def warnings(settings, seen):
    """What does no harm yet."""
    found = []
    for name, report in fresh(settings, seen).items():
        for place, disk in report["disks"].items():
            if disk["free"] < min(GIB, disk["size"] // 20):
                found.append(
                    culprit(
                        name,
                        f"{place} is full: {disk['free'] / MIB:.0f} MiB of {disk['size'] / MIB:.0f} are free",
                        f"make room there: `du -xh {place} | sort -h | tail`",
                    )
                )
        memory = report["memory"]
        if memory["free"] < max(GIB // 2, memory["total"] // 50):
            found.append(
                culprit(
                    name,
                    f"memory is short: {memory['free'] / MIB:.0f} MiB of {memory['total'] / MIB:.0f} are free",
                    "see who holds it: `ps axk -rss o rss,pid,user,comm | head`; the kernel kills when there is none",
                )
            )
        killed = seen["kills"].get(name)
        if killed:
            found.append(
                culprit(
                    name,
                    f"the kernel killed {killed} processes for want of memory since Ray's start there",
                    "see `journalctl -k | grep -i oom` there",
                )
            )
        if report["gpus"] is None and report["uptime"] > 90:
            found.append(culprit(name, "nvidia-smi has not answered for a minute", "run playbooks/check.yml"))
    return found
