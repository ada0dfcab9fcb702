# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured as a table in Markdown, with the goal of each row. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

HEAD = ["| | goal | measured |", "|---|---|---|"]


def markdown(result: dict) -> list[str]:
    """Of the JSON that `make bench` writes."""
    machine = result["machine"]
    said = f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gib']} GiB, {machine['date']}"
    rows = [*HEAD]
    if "site" in result:
        rows += site(result["site"], result["nodes"])
    if "light" in result:
        rows += light(result["light"])
    if "units" in result:
        rows.append(units(result["units"], result["nodes"]))
    return [f"{said}; load of others at the start {machine['load']}", "", *rows]


def site(found: dict, nodes: int) -> Iterable[str]:
    """The rows of one fleet."""
    runs = found["converged"]["runs"]
    tasks = runs[-1]["tasks"]
    head = found["converged"]["head"]
    workers = [mine for host, mine in tasks.items() if host not in (head, "localhost")]
    if workers:
        yield f"| host-tasks of a worker, converged, {nodes} nodes | 12 | {count(max(workers, key=sum_of))} |"
    yield f"| of the head | 20 | {count(tasks[head])} |"
    for name, words, goal in (
        ("whole_warm", "the tutorial's dozen checks, warm connections", "2.0"),
        ("looks_warm", "a dozen looks that load nothing, warm", ""),
        ("looks_cold", "the same, cold", ""),
    ):
        pairs = [(run["site"]["wall"], run[name]["wall"]) for run in runs]
        yield f"| its wall time over {words}, {nodes} nodes | {goal} | {ratio(pairs)} |"
    first = found["first"]
    over = first["wall"] / first["path"]
    yield (
        f"| first site.yml over its critical path, {nodes} nodes | 1.10 | "
        f"{over:.2f} ({first['wall']:.0f} s over {first['path']:.0f} s) |"
    )
    moved = found["bytes"]
    yield f"| hub bytes over model bytes, {nodes} nodes | 1.05 | {moved['hub_ratio']:.3f} |"
    yield f"| a node's bytes over its stage's, the worst of {nodes} | 1.05 | {moved['node_ratio']:.3f} |"


def units(found: dict, nodes: int) -> str:
    """The row of the service beside the same command by hand."""
    pairs = [(row["unit"], row["hand"]) for row in found["rounds"]]
    values = [unit / hand for unit, hand in pairs]
    sides = [statistics.median(side) for side in zip(*pairs, strict=True)]
    said = f"{statistics.median(values):.3f}{spread(values)}: {sides[0]:.0f} over {sides[1]:.0f} tokens/s"
    return f"| tokens per second of the unit over the same command by hand, {nodes} nodes | 0.98 | {said} |"


def light(found: dict) -> Iterable[str]:
    """CPU for each node, and what it grows by."""
    each = {int(nodes): [run["cpu"] / int(nodes) for run in runs] for nodes, runs in found["runs"].items()}
    least = statistics.median(each[min(each)])
    for nodes, values in sorted(each.items()):
        middle = statistics.median(values)
        grown = "" if nodes == min(each) else f", {middle / least:.2f} of that with {min(each)}"
        goal = "" if nodes == min(each) else "1.2"
        said = f"{middle:.2f} s{spread(values)}{grown}"
        yield f"| control CPU for each of {nodes} light nodes, prepare | {goal} | {said} |"


def path(first: dict) -> list[str]:
    """The chain of the first run, and where the rest goes."""
    rows = ["| critical path | seconds | on |", "|---|---|---|"]
    rows += [f"| {step['name']} | {step['seconds']:.1f} | {step['host']} |" for step in first["steps"]]
    rows += ["", "| off the path | seconds of the run | of these not on the path |", "|---|---|---|"]
    rows += [f"| {rest['name']} | {rest['span']:.1f} | {rest['off_path']:.1f} |" for rest in first["rest"]]
    rows += [f"| between tasks | {first['idle']:.1f} | {first['idle']:.1f} |"]
    rows += [f"| before the first and after the last | {first['around']:.1f} | {first['around']:.1f} |"]
    return rows


def ratio(pairs: list[tuple[float, float]]) -> str:
    """Median of the rounds' ratios with their spread, and the middle seconds of both sides."""
    values = [ours / theirs for ours, theirs in pairs]
    sides = [statistics.median(side) for side in zip(*pairs, strict=True)]
    return f"{statistics.median(values):.2f}{spread(values)}: {sides[0]:.1f} s over {sides[1]:.1f} s"


def spread(values: list[float]) -> str:
    """Least and greatest."""
    return f" ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else ""


def count(mine: dict) -> str:
    """Those that ran, and those that were skipped."""
    return f"{mine['run']}, and {mine['skipped']} skipped"


def sum_of(mine: dict) -> tuple[int, int]:
    """For the one with most."""
    return mine["run"], mine["skipped"]
