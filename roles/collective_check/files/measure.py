# SPDX-License-Identifier: GPL-3.0-or-later
"""One rank of the collectives, run by the engine's Python: measure.py SETTINGS.

SETTINGS is a JSON object of names (of the nodes), gpus (of each), rank, address and port (of the head), mib.
It loads torch, says ready, and begins when its input says for how many seconds. Each line it prints is a JSON object:
a step (what it does now), an error, or the result.
"""

import datetime
import json
import os
import sys
import time

PERIOD = 997  # numbers differ from their neighbours, and their sums stay whole in 32 bits


def main(text):
    """Nothing but lines of JSON reaches the output, whatever happens."""
    settings = json.loads(text)
    try:
        say(step="loading torch")
        import torch

        say(step="ready", backend="nccl" if torch.cuda.is_available() else "gloo")
        line = sys.stdin.readline()
        if line:
            say(result=Rank(torch, settings, float(line)).measure())
    except Exception as error:
        words = str(error).strip().splitlines()
        say(error=f"{type(error).__name__}: {words[0][:300] if words else 'no more is known'}")
    os._exit(0)  # threads of a communicator that is broken would wait for ever


def say(**what):
    print(json.dumps(what), flush=True)


class Rank:
    """This process in the group of all ranks; `patience` is the seconds for every step."""

    def __init__(self, torch, settings, patience):
        import torch.distributed as dist

        self.torch, self.dist, self.settings = torch, dist, settings
        self.names, self.gpus, self.rank = settings["names"], settings["gpus"], settings["rank"]
        self.size = len(self.names) * self.gpus
        self.limit = datetime.timedelta(seconds=patience)
        self.cuda = torch.cuda.is_available()
        self.backend = "nccl" if self.cuda else "gloo"
        if self.cuda:
            torch.cuda.set_device(self.rank % self.gpus)
        self.device = "cuda" if self.cuda else "cpu"
        say(step=f"meeting the other ranks at {settings['address']}:{settings['port']}")
        self.store = dist.TCPStore(settings["address"], settings["port"], self.size, self.rank == 0, self.limit)

    def measure(self):
        """GB/s of each pair and of the all-reduce, the same ones on every rank."""
        self.agree()
        say(step=f"making one group of all {self.size} ranks ({self.backend})")
        # A bare TCPStore makes NCCL look up the name of its address, which fails where no name server answers.
        store = self.dist.PrefixStore("check", self.store)
        self.dist.init_process_group(
            self.backend, store=store, rank=self.rank, world_size=self.size, timeout=self.limit
        )
        pairs = [[self.names[one], self.names[other], self.pair(one, other)] for one, other in ring(len(self.names))]
        say(step=f"the all-reduce over all {self.size} ranks ({self.backend})")
        rate = self.common("all-reduce", self.all_reduce(), self.rank == 0)
        self.store.set(f"done-{self.rank}", "1")
        if self.rank == 0:  # the store is its own, and goes with it
            self.store.wait([f"done-{rank}" for rank in range(self.size)], self.limit)
        return {"backend": self.backend, "ranks": self.size, "pairs": pairs, "rate": rate}

    def agree(self):
        """One backend for all; else they would wait for each other."""
        self.store.set(f"backend-{self.rank}", self.backend)
        others = {rank: self.store.get(f"backend-{rank}").decode() for rank in range(self.size)}
        without = sorted({self.names[rank // self.gpus] for rank, backend in others.items() if backend == "gloo"})
        if 0 < len(without) < len(self.names):
            raise RuntimeError(
                f"torch sees no GPU on {', '.join(without)}, and sees those of the other nodes; see `nvidia-smi` there"
            )

    def pair(self, one, other):
        """GB/s from the first rank of one node to that of another, as the sender sees it."""
        first, last = one * self.gpus, other * self.gpus
        say(step=f"{self.backend} from {self.names[one]} to {self.names[other]}")
        data = self.torch.ones(self.settings["mib"] << 18, device=self.device)
        token = self.torch.zeros(1, device=self.device)
        begin = 0.0
        for dummy in range(2):  # the first opens the connection
            begin = time.monotonic()
            if self.rank == first:
                self.dist.send(data, last)
                self.dist.recv(token, last)
            elif self.rank == last:
                self.dist.recv(data, first)
                self.dist.send(token, first)
            self.finish()
        return self.common(
            f"pair-{one}-{other}", data.numel() * 4 / (time.monotonic() - begin) / 1e9, self.rank == first
        )

    def all_reduce(self):
        """Bus bandwidth in GB/s, which compares with that of a pair: what each link carries, whatever the number of
        ranks.
        """
        count = self.settings["mib"] << 18
        numbers = self.torch.arange(count, device=self.device).remainder_(PERIOD).float()
        seconds = 0.0
        for dummy in range(2):
            data = numbers * (self.rank + 1)
            self.finish()
            begin = time.monotonic()
            self.dist.all_reduce(data)
            self.finish()
            seconds = time.monotonic() - begin
            wrong = int((data != numbers * (self.size * (self.size + 1) // 2)).sum())
            if wrong:
                raise RuntimeError(
                    f"{wrong} of {count} sums are wrong on rank {self.rank}: "
                    "the network or a GPU damages what it carries"
                )
        return 2 * (self.size - 1) / self.size * count * 4 / seconds / 1e9

    def finish(self):
        """A GPU is only asked so far."""
        if self.cuda:
            self.torch.cuda.synchronize()

    def common(self, key, value, mine):
        """The value of the rank whose it is; the others wait, so that one pair after the other is measured and a hang
        has a name.
        """
        if mine:
            self.store.set(key, repr(value))
        self.store.wait([key], self.limit)
        return float(self.store.get(key))


def ring(count):
    """Pairs of a ring of so many nodes: every node sends once and receives once."""
    return [(one, (one + 1) % count) for one in range(count)] if count > 1 else []


if __name__ == "__main__":
    main(sys.argv[1])
