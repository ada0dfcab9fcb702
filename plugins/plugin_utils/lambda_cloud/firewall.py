# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Inbound rules: compare them, merge them, and never lock ssh out.

Pure, but for `converge`, which is handed its calls.
"""

from __future__ import annotations

import collections
import dataclasses
import ipaddress
import typing as t

from . import errors

# Lambda's documentation: with more, new instances may not launch.
MOST_RULES = 20


@dataclasses.dataclass(frozen=True)
class Rule:
    """One inbound rule. Two rules are of one `key` if they let the same in; the description is for people.

    `description` None means whatever there is. `raw` is what the API gave, sent back as it was when the rule stays.
    """

    protocol: str
    ports: tuple[int, ...]
    source: str
    description: str | None = None
    raw: dict[str, t.Any] | None = dataclasses.field(default=None, compare=False)

    @classmethod
    def parse(cls, raw: dict[str, t.Any]) -> Rule:
        """From the API's object. What we do not know is kept as it is."""
        protocol = str(raw.get("protocol") or "")
        return cls(
            protocol,
            tuple(raw.get("port_range") or ()),
            network(str(raw.get("source_network") or "")),
            raw.get("description") or "",
            raw,
        )

    @property
    def key(self) -> tuple[str, tuple[int, ...], str]:
        """What it lets in."""
        return self.protocol, self.ports, self.source

    @property
    def lets_ssh_in(self) -> bool:
        """Whether TCP 22 is open to at least somebody."""
        return self.protocol in ("tcp", "all") and (not self.ports or self.ports[0] <= 22 <= self.ports[-1])

    def body(self) -> dict[str, t.Any]:
        """For a request."""
        return dict(self.raw) if self.raw is not None else self.shown()

    def shown(self) -> dict[str, t.Any]:
        """For results and diffs, in one spelling. icmp has no ports, and must not have them."""
        ports = {"port_range": list(self.ports)} if self.ports else {}
        return {
            "protocol": self.protocol,
            **ports,
            "source_network": self.source,
            "description": self.description or "",
        }


@dataclasses.dataclass(frozen=True)
class Ruleset:
    """Rules with a name, for the instances that were launched with them."""

    id: str
    name: str
    region: str
    rules: list[Rule]
    created: str
    instance_ids: tuple[str, ...]

    @classmethod
    def parse(cls, raw: dict[str, t.Any]) -> Ruleset:
        """From the API's object."""
        place = (raw.get("region") or {}).get("name", "")
        return cls(
            str(raw["id"]),
            raw.get("name") or "",
            place,
            parse_rules(raw),
            raw.get("created") or "",
            tuple(raw.get("instance_ids") or ()),
        )


def parse_rules(raw: dict[str, t.Any]) -> list[Rule]:
    """The rules of a ruleset.

    A KeyError where there are none, and not an empty list: what is merged with that would replace them all.
    """
    return [Rule.parse(item) for item in raw["rules"]]


def network(text: str) -> str:
    """In one spelling: 1.2.3.4 is 1.2.3.4/32. What is no network stays as it is."""
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        return text


def rules_from_options(options: list[dict[str, t.Any]]) -> list[Rule]:
    """The user's rules; CloudError where one cannot be."""
    rules = [_rule_from_option(option) for option in options]
    twice = [key for key, count in collections.Counter(rule.key for rule in rules).items() if count > 1]
    if twice:
        raise errors.CloudError(
            f"Two of the rules let the same in ({_text(twice[0])}): leave one of them out. Nothing was changed."
        )
    return rules


def _rule_from_option(option: dict[str, t.Any]) -> Rule:
    protocol, ports, source = option["protocol"], option.get("port_range") or [], option["source_network"]
    description = option.get("description")
    where = f"The rule {protocol} {ports or ''}".rstrip() + f" from {source}"
    if protocol == "icmp" and ports:
        raise errors.CloudError(f"{where} has a port_range, and icmp has no ports: leave it out. Nothing was changed.")
    if protocol != "icmp" and not ports:
        raise errors.CloudError(f"{where} needs a port_range, as [22, 22], or [1, 65535] for all. Nothing was changed.")
    if ports and not (len(ports) <= 2 and 1 <= ports[0] <= ports[-1] <= 65535):
        raise errors.CloudError(
            f"{where} has a wrong port_range: give the first port and the last, between 1 and 65535. "
            "Nothing was changed."
        )
    try:
        source = str(ipaddress.IPv4Network(source.strip(), strict=False))
    except ValueError as error:
        raise errors.CloudError(
            f"{where} has a wrong source_network: give an IPv4 address or network, "
            "as 203.0.113.7 or 203.0.113.0/24. Nothing was changed."
        ) from error
    if description and len(description) > 128:
        raise errors.CloudError(
            f"{where} has a description of {len(description)} characters, and Lambda takes 128. Nothing was changed."
        )
    return Rule(protocol, (ports[0], ports[-1]) if ports else (), source, description)


def present(there: list[Rule], wanted: list[Rule]) -> list[Rule]:
    """With these, and all that there is."""
    merged = list(there)
    for rule in wanted:
        alike = [index for index, other in enumerate(merged) if other.key == rule.key]
        if not alike:
            merged.append(dataclasses.replace(rule, description=rule.description or ""))
        elif rule.description is not None and rule.description not in [merged[index].description for index in alike]:
            merged[alike[0]] = rule
    return merged


def absent(there: list[Rule], unwanted: list[Rule]) -> list[Rule]:
    """Without these, whatever their description is."""
    keys = {rule.key for rule in unwanted}
    return [rule for rule in there if rule.key not in keys]


def exact(there: list[Rule], wanted: list[Rule]) -> list[Rule]:
    """These and no other."""
    merged = present(there, wanted)
    return [
        next(rule for rule in merged if rule.key == want.key and want.description in (None, rule.description))
        for want in wanted
    ]


MERGES: dict[str, t.Callable[[list[Rule], list[Rule]], list[Rule]]] = {
    "present": present,
    "absent": absent,
    "exact": exact,
}


def same(one: list[Rule], other: list[Rule]) -> bool:
    """Whether both have the same rules, in any order."""
    return collections.Counter(one) == collections.Counter(other)


def shown(rules: list[Rule]) -> list[dict[str, t.Any]]:
    """For results and diffs: sorted, so that a diff shows what differs and not where the API puts it."""
    return [
        rule.shown()
        for rule in sorted(rules, key=lambda rule: (rule.protocol, rule.ports, rule.source, rule.description or ""))
    ]


def check_size(before: list[Rule], after: list[Rule], where: str) -> None:
    """Refuse what may keep instances from launching. To take some of too many away is allowed."""
    if len(after) > MOST_RULES and len(after) > len(before):
        raise errors.CloudError(
            f"{where} would have {len(after)} rules. With more than {MOST_RULES}, Lambda says, "
            "new instances may not launch: "
            "remove some, or let one rule cover a larger network or range. Nothing was changed."
        )


def check_ssh(after: list[Rule], where: str) -> None:
    """Refuse what would lock everybody out of every instance."""
    if not any(rule.lets_ssh_in for rule in after):
        raise errors.CloudError(
            f"{where} would have no rule that lets TCP 22 in, so that nobody could reach an instance by ssh: "
            "keep or add one. Nothing was changed."
        )


def _text(key: tuple[str, tuple[int, ...], str]) -> str:
    protocol, ports, source = key
    return f"{protocol} {f'{ports[0]}-{ports[1]} ' if ports else ''}from {source}"
