# SPDX-License-Identifier: GPL-3.0-or-later
"""People who use the service: streams that are asked for again as soon as they end or fail, and when tokens came."""

from __future__ import annotations

import json
import threading
import time
import urllib.request

# An answer that gives no token for so long is asked for again, as a person would.
PATIENCE = 15


class Streams:
    """`with Streams(server, 2) as streams`: so many at once, until the block ends."""

    def __init__(self, server, at_once: int):
        self.server, self.at_once = server, at_once
        self.times: list[float] = []
        self.errors: list[str] = []
        self.over = threading.Event()

    def __enter__(self):
        self.threads = [threading.Thread(target=self._use, daemon=True) for dummy in range(self.at_once)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE)

    def _use(self):
        while not self.over.is_set():
            try:
                self._stream()
            except (OSError, ValueError) as error:
                self.errors.append(f"{type(error).__name__}: {error}")
                time.sleep(0.5)

    def _stream(self):
        body = {
            "model": self.server.model,
            "prompt": "The months of the year are:",
            "max_tokens": 64,
            "ignore_eos": True,
            "stream": True,
            "temperature": 0,
        }
        headers = {"Authorization": f"Bearer {self.server.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.server.url}/completions", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            for line in answer:
                if self.over.is_set():
                    return
                if line.startswith(b"data: {"):
                    if "choices" not in json.loads(line[6:]):
                        raise ValueError(line.decode())
                    self.times.append(time.monotonic())

    def flowing(self, seconds: float = 30) -> float:
        """The time of the next token from now on; AssertionError when none comes."""
        asked = time.monotonic()
        while time.monotonic() - asked < seconds:
            came = [moment for moment in self.times[-50:] if moment > asked]
            if came:
                return came[0]
            time.sleep(0.05)
        raise AssertionError(f"no token within {seconds:.0f} s; the last errors: {self.errors[-3:]}")
