# SPDX-License-Identifier: GPL-3.0-or-later
"""One run: decides again and again what is to be done next, and lets threads do it.

All decisions are made in one thread. A file comes from a peer that has it; else from the hub if this node is its owner.
"""

import os
import queue
import time
from concurrent.futures import ThreadPoolExecutor

from . import hub, peers, source, space
from .progress import Progress
from .words import Failure, size, some

TICK = 0.5  # seconds
MARGIN = 20  # seconds before the end of the job at which this ends by itself, with a sentence
WRONG = 3  # times a file may come wrong from the hub


class Run:
    """`options`: as the command line gives them. `server` is None where nothing is given to others."""

    def __init__(self, options, models, fleet, server):
        self.options, self.models, self.fleet, self.server = options, models, fleet, server
        self.peers = peers.Peers(options.address, options.port, options.interval)
        self.source = source.Source(options, fleet, self.peers)
        self.pace, self.events, self.busy, self.wrong = hub.Pace(options.pause), queue.Queue(), set(), {}
        self.started = time.monotonic()
        self.deadline = self.started + max(options.timeout - MARGIN, options.timeout / 2)
        self.pools = {name: ThreadPoolExecutor(count) for name, count in self._threads().items()}
        self.progress = Progress("Fetching " + " and ".join(model.repository for model in models))
        self.flying = dict.fromkeys(self.pools, 0)
        self.roomy, self.given, self.given_to = False, set(), None

    def _threads(self):
        workers = self.options.workers
        return {"hub": workers, "peers": workers, "hash": max(2, min(8, (os.cpu_count() or 2) // 2))}

    def execute(self):
        """Until all is there, and until the peers have what they need of it. Raises Failure."""
        self.follow()
        try:
            while self.lacking():
                self.step()
            self.exchange(wants=False, last=True)
            self.linger()
            self.say_complete()
        finally:
            self.peers.close()
            for pool in self.pools.values():
                pool.shutdown(wait=False, cancel_futures=True)

    def lacking(self):
        """Whether something is needed, or it is not known yet what is."""
        return any(not model.is_known() or model.lacks() for model in self.models)

    def step(self):
        """Decide, and wait for something to end."""
        now = time.monotonic()
        if now > self.deadline:
            raise Failure(f"The models were not complete after {self.options.timeout:.0f} s{self.last_word()}.")
        self.plan(now)
        try:
            self.settle(*self.events.get(timeout=TICK))
            while True:
                self.settle(*self.events.get_nowait())
        except queue.Empty:
            pass
        self.follow()
        self.exchange(wants=True)

    def last_word(self):
        """What the hub said last, for the sentence at the end."""
        lacks = [name for model in self.models if model.is_known() for name in model.lacks()]
        said = f"; the last try: {self.pace.said}" if self.pace.said else ""
        return (f" ({some(lacks)} missing)" if lacks else "") + said + "; what is there is kept, run it again"

    def plan(self, now):
        """Start whatever can be started."""
        for model in self.models:
            if not model.listing:
                if self.pace.may(now):
                    self.submit("hub", model, "", hub.listing, model.repository, model.revision)
                continue
            if model.is_known() and not self.may_begin():
                continue
            for name in self.source.order(model):
                if (model.key, name) not in self.busy:
                    self.plan_file(model, name, now)

    def may_begin(self):
        """Shards are fetched when it is known of all models what is needed, and that it fits."""
        if not self.roomy and all(model.is_known() for model in self.models):
            space.require(self.models, self.options.prune)
            self.roomy = True
        return self.roomy

    def plan_file(self, model, name, now):
        """Verify it if it lies there, else get it if it is known from where."""
        path = model.lying(name)
        if path:
            self.submit("hash", model, name, model.accept, name, path)
            return
        peer = self.source.peer(model, name, now)
        if peer and self.has_room("peers"):
            target, entry = model.partial / "peers" / name, model.listing[name]
            address = peers.url(peer, self.options.port, model.key, name)
            self.source.asked[(model.key, name)] = peer
            own, stall = self.options.address, self.options.patience
            self.submit("peers", model, name, peers.fetch, address, target, entry["size"], own, stall)
        elif not peer and self.has_room("hub") and self.pace.may(now) and self.source.is_mine(model, name, now):
            self.source.to_hub(model, name)
            folder = model.partial / "hub"
            self.submit("hub", model, name, hub.fetch, model.repository, model.revision, name, folder)

    def has_room(self, pool):
        """Nothing waits in a pool: when its turn came, another source might be better, or the hub want a pause."""
        return self.flying[pool] < self.options.workers

    def submit(self, pool, model, name, function, *arguments):
        """Run it in a thread; its end becomes an event."""
        if (model.key, name) in self.busy:
            return
        self.busy.add((model.key, name))
        self.flying[pool] += 1
        future = self.pools[pool].submit(function, *arguments)
        future.add_done_callback(lambda done: self.events.put((pool, model, name, done)))

    def settle(self, pool, model, name, future):
        """What follows from an end."""
        self.busy.discard((model.key, name))
        self.flying[pool] -= 1
        self.source.inherited.discard((model.key, name))
        error = future.exception()
        if error is None:
            self.succeeded(pool, model, name, future.result())
        elif isinstance(error, hub.Again):
            wait = self.pace.failed(time.monotonic(), error)
            if wait:
                print(f"{error}; the hub is asked again in {wait} s", flush=True)
        elif isinstance(error, peers.PeerError):
            print(error, flush=True)
            self.source.failed(model, name, time.monotonic())
        else:
            raise error

    def succeeded(self, pool, model, name, result):
        """A listing, a file that came, or a verdict over one."""
        if pool == "hub":
            self.pace.went_well()
        if not name:
            model.learn(result)
        elif pool == "hub" and not model.lying(name):
            model.discard(name)
            self.came_wrong(model, name)
        elif pool == "hash" and result is False:
            self.came_wrong(model, name)

    def came_wrong(self, model, name):
        """A file without its checksum: another peer, or the hub, and not for ever."""
        if self.source.blame(model, name):
            return
        self.wrong[name] = self.wrong.get(name, 0) + 1
        if self.wrong[name] > WRONG:
            raise Failure(
                f"{name} of {model.repository} came {WRONG} times without the checksum that the hub gives; "
                "the hub or the way to it is broken, try again later."
            )

    def follow(self):
        """The fleet may have changed."""
        if self.fleet.reload() or self.given_to is None:
            others = self.fleet.peers()
            self.source.forget()
            self.peers.set(others)
            if self.server and others and self.given_to != others:
                self.server.start([*others, self.fleet.address])
            self.given_to = others

    def exchange(self, wants, note="", last=False):
        """Tell the peers what is there, and the user how far it is."""
        now = time.monotonic()
        done = sum(model.arrived() for model in self.models)
        if self.server:
            for model in self.models:
                for name in model.have - {name for key, name in self.given if key == model.key}:
                    self.server.give(model.key, name, model.place(name))
                    self.given.add((model.key, name))
            have = {model.key: sorted(model.have) for model in self.models}
            self.server.tell(have, wants, done)
        total = sum(model.bytes_of(model.wanted(model.layers)) for model in self.models)
        self.progress.show(min(done, total), total, now, note, last)

    def say_complete(self):
        """The line that the log ends with."""
        for model in self.models:
            names = model.wanted(model.layers)
            print(
                f"complete: {len(names)} files, {size(model.bytes_of(names))} of {model.repository} verified",
                flush=True,
            )

    def linger(self):
        """Give until no peer needs it; two rounds at least, so that each can see that this node is done."""
        first, note = self.peers.turns, ""
        while self.fleet.peers() and time.monotonic() < self.deadline:
            self.exchange(wants=False, note=note)
            now = time.monotonic()
            waiting = [
                peer.address for peer in self.peers.table.values() if not peer.is_served(now, self.options.patience)
            ]
            if not waiting and self.peers.turns >= first + 3:
                break
            note = f"giving to {len(waiting)} nodes" if waiting else ""
            time.sleep(TICK)
            self.follow()
        self.fleet.note_given()
