# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The calls that the collection makes."""

from __future__ import annotations

import typing as t

from . import clock as clocks
from . import errors, firewall, models, pacing, transport

Parsed = t.TypeVar("Parsed")


class Client:
    """Reads and changes one account. Every method may raise LambdaError."""

    def __init__(self, http: transport.Transport):
        self.http = http

    @classmethod
    def connect(
        cls,
        api_key: str,
        api_url: str,
        request_interval: float,
        launch_interval: float,
        timeout: float,
        clock: clocks.Clock | None = None,
    ) -> Client:
        """With this pace. Intervals and timeout are seconds."""
        return cls(
            transport.Transport(
                api_url, api_key, pacing.Pace(api_key, request_interval, launch_interval, clock=clock), timeout
            )
        )

    @property
    def account_id(self) -> str:
        """Tells one account from another, and nothing of the key."""
        return self.http.account_id

    @property
    def clock(self) -> clocks.Clock:
        """The time by which calls are paced."""
        return self.http.clock

    @property
    def deadline(self) -> float | None:
        """Seconds of the clock's monotonic time after which nothing is tried again, or None."""
        return self.http.deadline

    @deadline.setter
    def deadline(self, moment: float | None) -> None:
        self.http.deadline = moment

    def launch_wait(self) -> float:
        """Seconds until a launch may go, as things are now."""
        return self.http.pace.launch_wait()

    def raw_instances(self) -> list[dict[str, t.Any]]:
        """Every instance as the API gives it, in one call, without Jupyter's secrets."""
        return self._list(
            "/instances", lambda item: {name: value for name, value in item.items() if not name.startswith("jupyter")}
        )

    def instances(self) -> list[models.Instance]:
        """Every instance that is shown."""
        return [_parsed(models.Instance.parse, item, "GET /instances") for item in self.raw_instances()]

    def instance(self, instance_id: str) -> models.Instance | None:
        """One instance, or None when there is none of this id any more."""
        try:
            return _parsed(
                models.Instance.parse, self.http.read(f"/instances/{instance_id}"), f"GET /instances/{instance_id}"
            )
        except errors.LambdaError as error:
            if error.kind == "not-found":
                return None
            raise

    def offers(self) -> dict[str, models.Offer]:
        """The catalogue."""
        return _parsed(models.offers, self.http.read("/instance-types"), "GET /instance-types")

    def regions(self) -> list[models.Region]:
        """Every region."""
        return self._list("/regions", models.Region.parse)

    def images(self) -> list[models.Image]:
        """Every image, once for each region that has it."""
        return self._list("/images", models.Image.parse)

    def ssh_keys(self) -> list[models.SshKey]:
        """The account's keys."""
        return self._list("/ssh-keys", models.SshKey.parse)

    def add_ssh_key(self, name: str, public_key: str) -> models.SshKey:
        """Import a key. Asked for once, since the API may take a second one of the same name."""
        return _parsed(
            models.SshKey.parse,
            self.http.once("POST", "/ssh-keys", {"name": name, "public_key": public_key}),
            "POST /ssh-keys",
        )

    def delete_ssh_key(self, key_id: str) -> None:
        """Delete it; one that is gone already is what we want."""
        self._delete(f"/ssh-keys/{key_id}")

    def filesystems(self) -> list[models.Filesystem]:
        """The account's filesystems. The path to read them has a hyphen, the one to change them has none."""
        return self._list("/file-systems", models.Filesystem.parse)

    def add_filesystem(self, name: str, region: str) -> models.Filesystem:
        """Create one, empty. Asked for once: on an ambiguous error the caller must look for the name."""
        return _parsed(
            models.Filesystem.parse,
            self.http.once("POST", "/filesystems", {"name": name, "region": region}),
            "POST /filesystems",
        )

    def delete_filesystem(self, filesystem_id: str) -> None:
        """Delete it with all that is in it; one that is gone already is what we want."""
        self._delete(f"/filesystems/{filesystem_id}")

    def launch(self, launch: models.Launch, first: t.Callable[[], None] | None = None) -> str:
        """Launch one instance; its id. Asked for once: on an ambiguous error the caller must look for the tags. `first`
        is done right before.

        If the API asks to wait, that is done here, so that whatever the caller does next comes after it.
        """
        try:
            (instance_id,) = self.http.once(
                "POST", "/instance-operations/launch", launch.body(), launch=True, first=first
            )["instance_ids"]
        except errors.LambdaError as error:
            if error.retry_after:
                self.pause(0, error)
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise errors.LambdaError("The answer to a launch names no instance.", "unknown") from error
        return str(instance_id)

    def terminate(self, ids: list[str]) -> None:
        """Terminate exactly these."""
        self.http.repeat("POST", "/instance-operations/terminate", {"instance_ids": ids})

    def rename(self, instance_id: str, name: str) -> None:
        """Change the name, the only thing of an instance that can be changed."""
        self.http.repeat("POST", f"/instances/{instance_id}", {"name": name})

    def restart(self, instance_id: str) -> None:
        """Reboot it. Asked for once: a second one would interrupt the boot."""
        self.http.once("POST", "/instance-operations/restart", {"instance_ids": [instance_id]})

    def global_rules(self) -> list[firewall.Rule]:
        """The inbound rules of all instances of the account."""
        return _parsed(
            firewall.parse_rules, self.http.read("/firewall-rulesets/global"), "GET /firewall-rulesets/global"
        )

    def set_global_rules(self, rules: list[firewall.Rule]) -> None:
        """Replace them all. Asked for once: before a second time somebody must look again."""
        # Not PUT /firewall-rules, which does the same: only this one is documented to refuse with 409 when another
        # change is under way.
        self.http.once("PATCH", "/firewall-rulesets/global", {"rules": [rule.body() for rule in rules]})

    def rulesets(self) -> list[firewall.Ruleset]:
        """The named rulesets of all regions."""
        return self._list("/firewall-rulesets", firewall.Ruleset.parse)

    def add_ruleset(self, name: str, region: str, rules: list[firewall.Rule]) -> None:
        """Create one. Asked for once: on an ambiguous error the caller must look for the name."""
        self.http.once(
            "POST", "/firewall-rulesets", {"name": name, "region": region, "rules": [rule.body() for rule in rules]}
        )

    def set_ruleset_rules(self, ruleset_id: str, rules: list[firewall.Rule]) -> None:
        """Replace all rules of a ruleset. Asked for once, as above."""
        self.http.once("PATCH", f"/firewall-rulesets/{ruleset_id}", {"rules": [rule.body() for rule in rules]})

    def delete_ruleset(self, ruleset_id: str) -> None:
        """Delete one that no instance uses; one that is gone already is what we want."""
        self._delete(f"/firewall-rulesets/{ruleset_id}")

    def pause(self, attempt: int, after: errors.LambdaError | None = None) -> bool:
        """Wait before another try: longer each time (from 0), at least as long as the API asks, and no time where the
        pace is none.

        False, at once, where there is no time for that.
        """
        return self.http.pause(attempt, after)

    def _list(self, path: str, parse: t.Callable[[t.Any], Parsed]) -> list[Parsed]:
        def each(answer: t.Any) -> list[Parsed]:
            if not isinstance(answer, list):
                raise TypeError(f"a list was expected, not {type(answer)}")
            return [parse(item) for item in answer]

        return _parsed(each, self.http.read(path), f"GET {path}")

    def _delete(self, path: str) -> None:
        try:
            self.http.repeat("DELETE", path)
        except errors.LambdaError as error:
            if error.kind != "not-found":
                raise


def _parsed(parse: t.Callable[[t.Any], Parsed], answer: t.Any, what: str) -> Parsed:
    """What the answer says.

    One that cannot be read is an error like any other, and after a change it leaves open whether it was made.
    """
    try:
        return parse(answer)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise errors.LambdaError(
            f"{what} failed: the API's answer is not as documented.", "unknown", cure="Try again later."
        ) from error
