# SPDX-License-Identifier: GPL-3.0-or-later
"""Fences the ports of Ray and vLLM: `fence.py up SETTINGS`, `fence.py down`.

Neither asks who calls: the first that finds a port of theirs runs what it likes. So new TCP connections to these ports
are refused unless they come from a node of the fleet. Only the first packet of a connection is looked at, so nothing
is tracked, and none that exists is ever cut.
"""

import ipaddress
import json
import re
import subprocess
import sys

TABLE = "inet gh200_fence"
# In one transaction: at no moment is there no fence, and it is never there twice.
FRESH = f"table {TABLE} {{}}\ndelete table {TABLE}\n"
RULES = """\
table {table} {{
  chain input {{
    type filter hook input priority filter; policy accept;
    iifname != "lo" tcp flags & (syn | ack) == syn tcp dport {{ {ports} }} jump strangers
  }}
  chain strangers {{
{accepted}
    counter reject with tcp reset
  }}
}}
"""
FAMILY = {4: "ip", 6: "ip6"}


def main(arguments):
    """Load the rules, or take them away; exit with one sentence where that cannot be."""
    try:
        if arguments == ["down"]:
            load(FRESH)
        else:
            with open(arguments[1], encoding="utf-8") as stream:
                load(FRESH + rules(json.load(stream), ssh_ports(), lowest_free_port()))
    except (OSError, ValueError) as error:
        sys.exit(f"The ports of Ray and vLLM were not fenced on this node: {error}.")


def rules(settings, ssh, lowest):
    """Text for nft. `ssh`: ports that stay open; `lowest`: the first that a program gets which asks for any."""
    ports = merged([*map(span, settings["ports"]), (lowest, 65535)])
    accepted = [
        f"{FAMILY[version]} saddr {{ {addresses} }} accept" for version, addresses in by_family(settings["fleet"])
    ]
    ssh = sorted({*ssh, *map(int, settings["ssh"])})
    accepted += [f"tcp dport {{ {', '.join(map(str, ssh))} }} accept"] if ssh else []
    for port, networks in sorted(settings["open"].items(), key=lambda item: span(item[0])):
        first, last = span(port)
        accepted += [
            f"tcp dport {first}-{last} {FAMILY[version]} saddr {{ {addresses} }} accept"
            for version, addresses in by_family(networks)
        ]
    return RULES.format(
        table=TABLE,
        ports=", ".join(f"{first}-{last}" for first, last in ports),
        accepted="\n".join(f"    {line}" for line in accepted),
    )


def span(text):
    """(first, last) of "8000" or "10001-19999"."""
    found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", str(text))
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= first <= last <= 65535:
        raise ValueError(f"{text!r} is no port and no range of ports: write 8000 or 10001-19999")
    return first, last


def merged(spans):
    """The same ports, none twice."""
    result = []
    for first, last in sorted(spans):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result


def by_family(networks):
    """(4 or 6, "address, address") for those that there are."""
    try:
        parsed = list(ipaddress.collapse_addresses(n for n in map(network, networks) if n.version == 4))
        parsed += ipaddress.collapse_addresses(n for n in map(network, networks) if n.version == 6)
    except ValueError as error:
        raise ValueError(f"{error}: write an address or a network, as 192.0.2.0/24") from error
    found = [(version, [str(n) for n in parsed if n.version == version]) for version in FAMILY]
    return [(version, ", ".join(each)) for version, each in found if each]


def network(text):
    """An address or a network; ValueError for one with host bits, which is not what it says."""
    return ipaddress.ip_network(text)


def lowest_free_port():
    """NCCL, gloo, torch, ZMQ and most of Ray take any free port from this one on, Ray's agents up to the last."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as stream:
        return int(stream.read().split()[0])


def ssh_ports():
    """Where sshd listens, or is told to; what systemd holds for it counts too."""
    configured = said("/usr/sbin/sshd", "-T")
    listening = said("ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes")
    ports = set(re.findall(r"^port (\d+)$", configured, re.MULTILINE))
    ports |= set(re.findall(r"^\S+ +\d+ +\d+ +\S+:(\d+) .*\(\"(?:sshd|systemd)\",", listening, re.MULTILINE))
    return set(map(int, ports))


def said(*command):
    """Output of a program; nothing where it is not there or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout
    except OSError:
        return ""


def load(text):
    """Have nft carry it out, whole or not at all; ValueError with what it says."""
    try:
        done = subprocess.run(["/usr/sbin/nft", "-f", "-"], input=text, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ValueError("there is no /usr/sbin/nft; install the package nftables") from None
    if done.returncode != 0:
        raise ValueError(f"nft says {' '.join(done.stderr.split())[:200]}")


if __name__ == "__main__":
    main(sys.argv[1:])
