# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP to the API: key, pace, envelope. Reads are repeated, launches never."""

from __future__ import annotations

import random
import typing as t

try:
    import requests
except ImportError:  # told in a sentence where a connection is made
    requests = None

from . import errors, pacing

DEFAULT_URL = "https://cloud.lambda.ai/api/v1"
USER_AGENT = "gh200.inference/0.1"
READ_TRIES = 6


class Transport:
    """One account at one address."""

    def __init__(self, url: str, api_key: str, pace: pacing.Pace, timeout: float = 120.0):
        self.url = url.rstrip("/")
        self.pace = pace
        self.clock = pace.clock
        self.timeout = timeout
        self.deadline: float | None = None  # of the clock's monotonic seconds: nothing is tried again after it
        if requests is None:
            raise errors.CloudError("The Python package requests is missing: install it for the Python that runs Ansible (pip install requests).")
        self.session = requests.Session()
        self.session.trust_env = True
        self.session.auth = _Bearer(api_key)
        self.session.headers["User-Agent"] = USER_AGENT

    def read(self, path: str) -> t.Any:
        """GET; what may pass by itself is tried again, with a growing pause."""
        return self._patiently(lambda: self._call("GET", path))

    def repeat(self, method: str, path: str, body: dict | None = None) -> t.Any:
        """A change that may be asked for twice without harm, as terminating an id."""
        return self._patiently(lambda: self._call(method, path, body))

    def once(self, path: str, body: dict, launch: bool = False, method: str = "POST", first: t.Callable[[], None] | None = None) -> t.Any:
        """A change exactly once, whatever comes back. `first` is done when its turn has come, right before it goes out."""
        return self._call(method, path, body, launch, first)

    def _patiently(self, call: t.Callable[[], t.Any]) -> t.Any:
        for attempt in range(READ_TRIES):
            try:
                return call()
            except errors.LambdaError as error:
                pause = min(2**attempt, 15) * self.pace.intervals["request"] * random.uniform(0.8, 1.2)
                if not error.is_passing or attempt == READ_TRIES - 1 or self.left() < pause:
                    raise
                self.clock.sleep(pause)
        raise AssertionError("unreachable")

    def left(self) -> float:
        """Seconds until the deadline."""
        return float("inf") if self.deadline is None else self.deadline - self.clock.monotonic()

    def _call(self, method: str, path: str, body: dict | None = None, launch: bool = False, first: t.Callable[[], None] | None = None) -> t.Any:
        what = f"{method} {self.url}{path}"
        with self.pace.passage(launch):
            if first:
                first()
            try:
                # A redirect would carry the key to another host, or a POST to be made twice.
                answer = self.session.request(method, self.url + path, json=body, timeout=max(1.0, min(self.timeout, self.left())), allow_redirects=False)
            except requests.RequestException as error:
                raise errors.LambdaError(f"{what} failed: {_reason(error)}. {errors.ADVICE['network']}", "network") from error
        try:
            content = answer.json()
        except ValueError:
            content = None
        if answer.status_code == 200 and isinstance(content, dict) and "data" in content:
            return content["data"]
        if answer.is_redirect:
            raise errors.LambdaError(
                f"{what} failed: the server redirects to {answer.headers.get('Location')}. Set api_url to that, if you trust it with your key.", "parameters"
            )
        raise errors.from_answer(what, answer.status_code, content, answer.text, self.session.auth.api_key)


class _Bearer:
    """An auth object of requests: a netrc entry for the host does not replace it."""

    def __init__(self, api_key: str):
        self.api_key = api_key

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.api_key}"
        return request


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    cause = getattr(error.args[0], "reason", error.args[0]) if error.args else error
    return " ".join(str(cause).split())[-160:] or type(error).__name__
