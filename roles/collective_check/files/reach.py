# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node reaches which: every node listens, connects to every other one, and the head collects what they found."""

import json
import socket
import threading
import time

TRY_FOR = 5  # seconds of one attempt to connect
PAUSE = 0.3  # seconds between two attempts: the other node may not listen yet
APART = 10  # seconds by which nodes may begin apart: whoever waits for the head waits longer than the head does
SHOWN = 6  # parts of a sentence; a network that is down has hundreds of pairs


def check(settings, reach_for, collect_for):
    """What is wrong between the nodes, as one sentence for all of them, or None.

    `reach_for` and `collect_for` are the seconds until this node gives up to reach the others, and to hear of them.
    """
    nodes, head, me = settings["nodes"], settings["head"], settings["me"]
    begin = time.monotonic()
    with Desk(settings) as desk:
        found = probe_all(settings, begin + reach_for)
        if me == head:
            desk.take(me, found)
            desk.await_reports(begin + collect_for)
            return desk.judge()
        try:
            verdict = ask(settings, head, begin + collect_for + APART, report=found)["verdict"]
        except OSError as error:
            mine = sentence(nodes, {name: found if name == me else {} for name in nodes})
            return (
                mine
                or f"{title(nodes, me)} got no answer from the head, {title(nodes, head)}, to what it found: "
                f"{plain(error)}."
            )
        return verdict


class Desk:
    """The listener of one node. The head's also keeps what the others report, and answers when it has judged."""

    def __init__(self, settings):
        self.settings = settings
        self.reports = {}
        self.verdict = []  # empty until there is one
        self.talks = []
        self.changed = threading.Condition()
        address = settings["nodes"][settings["me"]]
        try:
            # The collectives take ports of the system's choice, so one of those must be open too.
            self.listeners = [socket.create_server((address, port), backlog=256) for port in (settings["port"], 0)]
        except OSError as error:
            raise OSError(
                f"{title(settings['nodes'], settings['me'])} cannot listen on port {settings['port']}: {plain(error)}. "
                "Is the address its own, and the port free? See `ss -tlnp`."
            ) from error

    def __enter__(self):
        for listener in self.listeners:
            threading.Thread(target=self.serve, args=(listener,), daemon=True).start()
        return self

    def __exit__(self, *ignored):
        """Nobody waits for this node any more: all were heard, or time is up."""
        with self.changed:
            self.verdict = self.verdict or [None]
            self.changed.notify_all()
        for listener in self.listeners:
            listener.close()
        for talk in self.talks:
            talk.join(1)  # what is said last must not be lost with the process

    def serve(self, listener):
        """One thread for each that connects, until the listener is closed."""
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            self.talks.append(threading.Thread(target=self.answer, args=(connection,), daemon=True))
            self.talks[-1].start()

    def answer(self, connection):
        """Say who this is; to a report, what all reports together say."""
        with connection:
            try:
                connection.settimeout(TRY_FOR)
                asked = read(connection)
                reply = {
                    "name": self.settings["me"],
                    "nodes": self.settings["nodes"],
                    "free": self.listeners[1].getsockname()[1],
                }
                if asked.get("report") is not None:
                    self.take(asked["name"], asked["report"])
                    with self.changed:
                        # Without a judgement there is no answer, for None would say that all is well.
                        if not self.changed.wait_for(lambda: self.verdict, timeout=self.settings["timeout"]):
                            return
                        reply["verdict"] = self.verdict[0]
                connection.sendall(json.dumps(reply).encode() + b"\n")
            except (OSError, ValueError, KeyError):
                return  # the other side sees that no answer came, and tries again

    def take(self, name, found):
        with self.changed:
            self.reports[name] = found
            self.changed.notify_all()

    def await_reports(self, deadline):
        """Until every node has reported, or `deadline`."""
        with self.changed:
            self.changed.wait_for(
                lambda: set(self.reports) == set(self.settings["nodes"]), timeout=max(0, deadline - time.monotonic())
            )

    def judge(self):
        """The sentence or None; those who wait for it get it, before the listener goes."""
        with self.changed:
            self.verdict = [sentence(self.settings["nodes"], self.reports)]
            self.changed.notify_all()
        return self.verdict[0]


def probe_all(settings, deadline):
    """Name of each node that gave no right answer until `deadline`, and why; all are asked at the same time."""
    found = {}

    def probe(name):
        where = ""
        try:
            free = ask(settings, name, deadline)["free"]
            where = f" at port {free}, though it answers at {settings['port']}"
            ask({**settings, "port": free}, name, min(deadline, time.monotonic() + 2 * TRY_FOR))
        except OSError as error:
            found[name] = plain(error) + where

    threads = [threading.Thread(target=probe, args=(name,)) for name in settings["nodes"] if name != settings["me"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def ask(settings, name, deadline, report=None):
    """The answer of a node, asked again until `deadline`; OSError of the last attempt that had time."""
    own, there = settings["nodes"][settings["me"]], (settings["nodes"][name], settings["port"])
    error = TimeoutError("timed out")
    while (left := deadline - time.monotonic()) > 0:
        patience = left if report is not None else min(left, TRY_FOR)
        try:
            with socket.create_connection(there, timeout=min(left, TRY_FOR), source_address=(own, 0)) as connection:
                connection.settimeout(patience)
                connection.sendall(json.dumps({"name": settings["me"], "report": report}).encode() + b"\n")
                answer = read(connection)
            if answer.get("name") == name and answer.get("nodes") == settings["nodes"]:
                return answer
            error = ConnectionError("a check of other nodes answers there")
        except ValueError:
            error = ConnectionError("something else answers there")
        except OSError as failure:
            error = failure if left > PAUSE else error
        time.sleep(min(PAUSE, left))
    raise error


def read(connection):
    """One line of JSON, an object."""
    with connection.makefile("rb") as stream:
        line = stream.readline(1 << 20)
    if not line:
        raise ConnectionError("the connection was closed")
    answer = json.loads(line)
    if not isinstance(answer, dict):
        raise ValueError("no object")
    return answer


def sentence(nodes, reports):
    """One sentence with every pair that failed, or None. `reports` is name to what that node found."""
    failed = {(one, other): why for one, found in reports.items() for other, why in found.items()}
    silent = [name for name in nodes if name not in reports]
    parts, told = [], set()
    for name in nodes:
        by = [one for one, other in failed if other == name]
        if name in silent and len(by) > 1 and len(by) == len(reports):
            parts.append(f"{title(nodes, name)} cannot be reached by any other node: {failed[by[0], name]}")
            told |= {(one, name) for one in by}
    for (one, other), why in failed.items():
        if (one, other) in told:
            continue
        both = (other, one) in failed
        told |= {(one, other), (other, one)}
        words = "and {} cannot reach each other" if both else "cannot reach {}"
        parts.append(f"{title(nodes, one)} {words.format(title(nodes, other))}: {why}")
    named = {name for pair in failed for name in pair}
    parts += [
        f"{title(nodes, name)} is reached, and does not report what it reaches"
        for name in silent
        if reports and name not in named
    ]
    if not parts:
        return None
    more = f"; and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    return (
        f"{'; '.join(parts[:SHOWN])}{more}. All TCP ports must be open between the nodes, "
        "and the check run on all of them at the same time."
    )


def title(nodes, name):
    """A node, for a sentence."""
    return f"{name} ({nodes[name]})"


def plain(error):
    """An error in words."""
    return (error.strerror or str(error) or type(error).__name__).lower()
