# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP to the API: key, pace, envelope. Reads are repeated, launches never."""

from __future__ import annotations

import email.utils
import random
import re
import typing as t

try:
    import requests

    HAS_REQUESTS = True
except ImportError:  # told in a sentence where a connection is made
    HAS_REQUESTS = False

from . import errors, pacing

DEFAULT_URL = "https://cloud.lambda.ai/api/v1"
USER_AGENT = "gh200.inference/0.1"
READ_TRIES = 6
# Seconds that the API may ask to wait where no deadline says how long there is time.
LONGEST_PAUSE = 120.0


class Transport:
    """One account at one address."""

    def __init__(self, url: str, api_key: str, pace: pacing.Pace, timeout: float = 120.0):
        self.url = url.rstrip("/")
        self.pace = pace
        self.clock = pace.clock
        self.timeout = timeout
        self.deadline: float | None = None  # of the clock's monotonic seconds: nothing is tried again after it
        if not HAS_REQUESTS:
            raise errors.CloudError(
                "The Python package requests is missing: "
                "install it for the Python that runs Ansible (pip install requests)."
            )
        self.session = requests.Session()
        self.session.trust_env = True
        self.api_key = api_key
        self.session.auth = _Bearer(api_key)
        self.session.headers["User-Agent"] = USER_AGENT

    @property
    def account_id(self) -> str:
        """Tells one account from another, and nothing of the key."""
        return self.pace.account_id

    def read(self, path: str) -> t.Any:
        """GET; what may pass by itself is tried again, with a growing pause."""
        return self._patiently(lambda: self._call("GET", path))

    def repeat(self, method: str, path: str, body: dict[str, t.Any] | None = None) -> t.Any:
        """A change that may be asked for twice without harm, as terminating an id."""
        return self._patiently(lambda: self._call(method, path, body))

    def once(
        self,
        method: str,
        path: str,
        body: dict[str, t.Any],
        launch: bool = False,
        first: t.Callable[[], None] | None = None,
    ) -> t.Any:
        """A change exactly once, whatever comes back.

        `first` is done when its turn has come, right before it goes out.
        """
        return self._call(method, path, body, launch, first)

    def pause(self, attempt: int, after: errors.LambdaError | None = None) -> bool:
        """Wait before another try: longer each time (from 0), and as long as the API asks.

        False, at once, where that is longer than there is time.
        """
        seconds = min(2**attempt, 15) * self.pace.intervals["request"] * random.uniform(0.8, 1.2)
        seconds = max(seconds, after.retry_after if after else 0.0)
        if seconds > (LONGEST_PAUSE if self.deadline is None else self.left()):
            return False
        self.clock.sleep(seconds)
        return True

    def left(self) -> float:
        """Seconds until the deadline."""
        return float("inf") if self.deadline is None else self.deadline - self.clock.monotonic()

    def _patiently(self, call: t.Callable[[], t.Any]) -> t.Any:
        for attempt in range(READ_TRIES):
            try:
                return call()
            except errors.LambdaError as error:
                if not error.is_passing or attempt == READ_TRIES - 1 or not self.pause(attempt, error):
                    raise
        raise AssertionError("unreachable")

    def _call(
        self,
        method: str,
        path: str,
        body: dict[str, t.Any] | None = None,
        launch: bool = False,
        first: t.Callable[[], None] | None = None,
    ) -> t.Any:
        what = f"{method} {self.url}{path}"
        with self.pace.passage(launch):
            if first:
                first()
            timeout = max(1.0, min(self.timeout, self.left()))
            try:
                # A redirect would carry the key to another host, or a POST to be made twice.
                answer = self.session.request(
                    method, self.url + path, json=body, timeout=timeout, allow_redirects=False
                )
            except requests.RequestException as error:
                raise errors.LambdaError(
                    f"{what} failed: {_reason(error)}.", "network", cure=errors.ADVICE["network"]
                ) from error
        try:
            content = answer.json()
        except ValueError:
            content = None
        if answer.status_code == 200 and isinstance(content, dict) and "data" in content:
            return content["data"]
        if answer.is_redirect:
            location = answer.headers.get("Location")
            raise errors.LambdaError(
                f"{what} failed: the server redirects to {location}.",
                "parameters",
                cure="Set api_url to that, if you trust it with your key.",
            )
        wish = _seconds(answer.headers.get("Retry-After", ""), self.clock.now())
        raise errors.from_answer(what, answer.status_code, content, answer.text, self.api_key, wish)


class _Bearer:
    """An auth object of requests: a netrc entry for the host does not replace it."""

    def __init__(self, api_key: str):
        self.api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.api_key}"
        return request


def _reason(error: requests.RequestException) -> str:
    """What happened, without the names of objects inside of libraries: the operating system's words, where they are at
    the ground of it.
    """
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    ground: BaseException | None = error
    while ground is not None:
        if isinstance(ground, OSError) and ground.strerror:
            return " ".join(ground.strerror.split()).rstrip(".")[-160:]
        inner = ground.args[0] if ground.args and isinstance(ground.args[0], BaseException) else None
        ground = getattr(ground, "reason", None) or inner or ground.__cause__ or ground.__context__
        ground = ground if isinstance(ground, BaseException) else None
    return " ".join(str(error.args[0] if error.args else error).split())[-160:] or type(error).__name__


def _seconds(text: str, now: float) -> float:
    """A Retry-After in seconds: it is a number of them, or a date. 0 for what is neither."""
    if re.fullmatch(r"\d{1,9}", text.strip()):
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return 0.0
