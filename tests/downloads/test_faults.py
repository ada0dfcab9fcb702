# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills, damage, a hub that is down, a fleet that changes: the next run goes on, and almost nothing comes twice."""

from __future__ import annotations

import json
import subprocess

import pytest

from lab.hub.wire import Fault

from .swarm import EVERY, NAME, PORT, STAGES, until

EIGHT = [list(STAGES[number // 2]) for number in range(8)]


def sizes(root):
    return {path.name: path.stat().st_size for path in (root[0] / "repos" / NAME).iterdir()}


def total(hub):
    return sum(hub.sent().values())


def test_killed_at_a_third_it_goes_on(swarm, hub, root):
    nodes = swarm.add(*EIGHT)
    whole = sum(sizes(root).values())
    hub.wire.faults = [Fault("safetensors$", rate=1.5e6)]
    swarm.write_fleet()
    # The client goes on at a multiple of 10 MiB, which is more than a shard here: each stream may lose one.
    swarm.start(more=("--workers", "1"))
    until(lambda: total(hub) > 0.3 * whole)
    for node in nodes:
        node.kill()
    held = [sum(swarm.check(node)[1]["held"] for node in nodes), total(hub)]
    hub.wire.faults = []
    swarm.run()
    print(f"{held[0]} files were verified at {held[1] / whole:.2f}; the hub sent {total(hub) / whole:.3f} of the model")
    assert total(hub) <= 1.05 * whole + len(nodes) * max(sizes(root).values())
    assert all(swarm.check(node)[0] == 0 for node in nodes)


def test_a_peer_is_killed_while_it_gives(swarm, hub, root):
    nodes = swarm.add(*EIGHT)
    hub.wire.faults = [Fault("safetensors$", rate=1e6)]
    swarm.write_fleet()
    swarm.start(more=("--patience", "6"))
    until(lambda: (nodes[1].state / "access.log").exists() and "safetensors" in given(nodes[1]))
    nodes[1].kill()
    hub.wire.faults = []
    others = [node for node in nodes if node is not nodes[1]]
    assert swarm.wait(*others) == [0] * 7
    assert all(swarm.check(node)[0] == 0 for node in others)
    # With its server it ends, and the next run gives it what it lacks.
    before = total(hub)
    swarm.run()
    assert swarm.check(nodes[1])[0] == 0
    assert total(hub) - before <= 0.05 * nodes[1].size() + max(sizes(root).values())


def given(node):
    return (node.state / "access.log").read_text(encoding="utf-8")


def damage(node):
    """Three shards, each in another way; their names."""
    shards = sorted(path.name for path in node.model.glob("*.safetensors"))[:3]
    changed, short, gone = (node.model / name for name in shards)
    content = bytearray(changed.read_bytes())
    content[-1] ^= 1
    changed.write_bytes(content)
    short.write_bytes(short.read_bytes()[:-1])
    gone.unlink()
    return shards


def test_what_is_tampered_truncated_or_missing_is_named_and_comes_anew(swarm, hub):
    one, other = swarm.add(EVERY, EVERY)
    swarm.run()
    assert swarm.check(one)[0] == swarm.check(other)[0] == 0
    names = damage(one)
    assert swarm.check(one) == (1, {"address": one.address, "complete": False, "held": one_less(one, 3)})
    before = total(hub)
    swarm.run()
    changed, short, gone = names
    assert f"{changed} has not the checksum that the hub gives; it is fetched anew" in one.text()
    assert f"{short} has " in one.text() and f"{gone} is gone; it is fetched anew" in one.text()
    assert swarm.check(one)[0] == 0 and total(hub) == before  # the other node had them


def one_less(node, count):
    return len(node.manifest()["files"]) - count


def test_a_peer_that_gives_something_else_is_not_believed(swarm, hub):
    one, other = swarm.add(EVERY, EVERY)
    swarm.write_fleet()
    swarm.start(one, more=("--patience", "8"))
    # What it gives is spoiled behind its back, before the other one takes it.
    path = until(lambda: next(iter(sorted((one.state / "serve").glob("*/*00018*"))), None))
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.resolve().write_bytes(content)
    swarm.start(other)
    assert swarm.wait(other) == [0]
    assert swarm.check(other)[0] == 0 and hub.sent()[other.name] > len(content)


def test_nodes_that_join_get_all_from_those_that_are_complete(swarm, hub):
    swarm.add(EVERY, EVERY)
    swarm.run()
    before = total(hub)
    new = swarm.add(EVERY)[0]
    swarm.run()
    assert swarm.check(new)[0] == 0
    # Its listing, and no file.
    assert total(hub) - before < 10000


def test_a_fleet_of_another_shape_fetches_what_it_lacks_and_drops_the_rest(swarm, hub, root):
    nodes = swarm.add(list(STAGES[0]), list(STAGES[1]))
    swarm.run()
    (nodes[0].model / "notes.txt").write_text("mine", encoding="utf-8")
    nodes[0].layers, nodes[1].layers = list(STAGES[1]), list(STAGES[0])
    assert swarm.check(nodes[0])[0] == 1
    before = total(hub)
    swarm.run()
    assert total(hub) - before < 10000  # they exchanged their shards
    for node in nodes:
        others = {node.place(name) for name in (".gh200-manifest.json", "notes.txt")}
        lying = {path for path in node.model.iterdir() if path.is_file()} - others
        assert lying == set(map(node.place, node.manifest()["files"])) and len(lying) < len(sizes(root))
    assert (nodes[0].model / "notes.txt").exists()


def test_a_running_download_takes_in_who_joins(swarm, hub):
    first = swarm.add(EVERY)[0]
    hub.wire.faults = [Fault("safetensors$", rate=1e6)]
    swarm.write_fleet()
    swarm.start()
    until(lambda: "complete" in first.text() or swarm.check(first)[1]["held"] > 3)
    second = swarm.add(EVERY)[0]
    swarm.write_fleet()
    swarm.start(second)
    hub.wire.faults = []
    assert swarm.wait() == [0, 0]
    assert hub.sent()[second.name] < 0.9 * second.size()


def test_only_the_fleet_is_served(swarm, hub):
    nodes = swarm.add(EVERY, EVERY)
    hub.wire.faults = [Fault("safetensors$", rate=1e6)]
    swarm.write_fleet()
    swarm.start()
    url = f"http://{nodes[0].address}:{PORT}/status.json"
    until(lambda: fetched(nodes[1].address, url) == "200")
    assert fetched("127.0.0.99", url) == "403"
    listening = subprocess.run(["ss", "-Hltn", f"sport = :{PORT}"], capture_output=True, text=True, check=True).stdout
    assert {line.split()[3] for line in listening.splitlines()} == {f"{node.address}:{PORT}" for node in nodes}
    # Gone with a killed program.
    nodes[0].kill()
    until(lambda: fetched(nodes[1].address, url) == "000")


def fetched(source, url):
    command = ["curl", "--silent", "--noproxy", "*", "--interface", source, "--output", "/dev/null"]
    command += ["--write-out", "%{http_code}", url]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("fault", [Fault("resolve", status=503), Fault("resolve", status=429, retry_after=2)])
def test_a_hub_that_answers_so_for_a_while_is_waited_for(swarm, hub, fault):
    node = swarm.add(EVERY)[0]
    fault.times = 6
    hub.wire.faults = [fault, Fault("00003-of", drop_after=70000, times=2)]
    swarm.run()
    assert "the hub is asked again in 2" in node.text() or fault.status == 503
    assert swarm.check(node)[0] == 0


def test_a_hub_that_wants_a_pause_is_left_alone(swarm, hub):
    node = swarm.add(EVERY)[0]
    fault = Fault("safetensors$", status=429, retry_after=3, times=1000)
    hub.wire.faults = [fault]
    swarm.write_fleet()
    swarm.start(node, more=("--timeout", "16"))  # it gives up after half of it
    assert swarm.wait(node) == [1]
    # Four at once, and again after three and after six seconds.
    assert 4 <= 1000 - fault.times <= 12


def test_a_download_that_fails_ends_with_one_sentence(swarm, hub):
    node = swarm.add(EVERY)[0]
    hub.wire.faults = [Fault("00005-of", status=503)]
    swarm.write_fleet()
    done = subprocess.run(
        swarm.arguments(node, "--timeout", "30"),
        env=swarm.environment(node),
        capture_output=True,
        text=True,
        check=False,
    )
    last = (done.stdout + done.stderr).strip().splitlines()[-1]
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "(model-00005-of-00018.safetensors missing); the last try: " in last
    assert last.endswith("what is there is kept, run it again.")


def test_progress_goes_where_the_job_says(swarm, tmp_path):
    node = swarm.add(EVERY)[0]
    swarm.write_fleet()
    path = tmp_path / "progress"
    subprocess.run(
        swarm.arguments(node),
        env=swarm.environment(node) | {"GH200_PROGRESS": str(path)},
        check=True,
        capture_output=True,
    )
    said = json.loads(path.read_text(encoding="utf-8"))
    assert said["what"].startswith(f"Fetching {NAME}") and said["unit"] == "bytes" and 0 < said["done"] == said["total"]
