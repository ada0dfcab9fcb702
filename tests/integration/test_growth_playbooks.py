# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml without wheels launches one node, builds, and launches the others; with wheels all at once. What each costs
is said before.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .site_stand_in import Site
from .world import LAUNCH, TERMINATE

NODES = ["r1-00", "r1-01", "r1-02", "r1-03"]
BUILD, FETCH, SERVE = "vllm_build/main", "hf_models/main", "vllm_serve/main"


@pytest.fixture(name="hub", scope="module")
def hub_that_knows_every_model():
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(name="site")
def empty_account(cloud, hub, tmp_path):
    return Site(cloud, hub, tmp_path)


def where(done, here):
    """(node, nodes that ran) of each time that a role's part was there."""
    return [(node, alive) for part, node, alive in done.marks if part == here]


def test_without_wheels_the_head_builds_alone_and_the_second_run_does_nothing(site):
    done = site.run("site")
    assert done.status == 0 and done.asked == [LAUNCH] * 4, done.output
    assert "No wheels yet. build_first: 1 node for about 45 min, then 4: about $5 and 65 min until" in done.output
    assert "at_once: 4 nodes from the start: about $9 and 55 min." in done.output
    assert "At $2.29/h for each node; times are the usual ones. Doing build_first;" in done.output
    assert done.output.index("Doing build_first") < done.output.index("[r1] launched r1-00")
    # One while it builds, four after; no node does anything twice, and downloads begin as soon as there is a node.
    assert where(done, BUILD)[0] == ("r1-00", 1) and sorted(where(done, BUILD)[1:]) == [(name, 4) for name in NODES[1:]]
    assert where(done, FETCH)[0] == ("r1-00", 1)
    order = [(here, node) for here, node, alive in done.marks]
    assert order.index((FETCH, "r1-00")) < order.index((BUILD, "r1-00")) < order.index((FETCH, "r1-03"))
    assert order.index((FETCH, "r1-03")) < order.index((BUILD, "r1-03")) < order.index((SERVE, "r1-00"))
    # Begun, where the head gives to those that came, and waited for.
    assert len(where(done, FETCH)) == 9 and len(where(done, BUILD)) == 4
    kind = site.notes()["seconds"]["source/gpu_1x_gh200"]
    assert sorted(kind) == ["alone", "rest", "start"] and all(0 < seconds < 120 for seconds in kind.values())

    again = site.run("site")
    assert again.status == 0 and again.asked == [] and "No wheels" not in again.output
    assert "changed=1" not in again.output and "Reckon" not in again.output, again.output
    assert (len(where(again, FETCH)), len(where(again, BUILD)), len(where(again, SERVE))) == (8, 4, 1)
    assert "PLAY [Launch the others]" in again.output
    launch = again.output.partition("PLAY [Launch the others]")[2].partition("PLAY [")[0]
    assert "skipping: no hosts matched" in launch and "TASK" not in launch


def test_with_wheels_on_either_side_all_are_launched_at_once(site, tmp_path):
    # What the build makes is known by what a first run notes.
    assert site.run("wheels", gh200_wheel_cache=str(tmp_path / "wheelhouse")).status == 0
    (wheels,) = site.notes()["wheels"].values()
    assert len(wheels) == 2 and all("aarch64" in name for name in wheels), wheels
    site.end()
    shared = site.run("site")
    assert shared.status == 0 and {alive for node, alive in where(shared, BUILD)} == {4}, shared.output
    assert len(where(shared, BUILD)) == 4 and len(where(shared, FETCH)) == 8
    assert "The wheels are on the filesystem. 4 nodes: about $4 and 20 min" in shared.output, shared.output
    site.end()
    # Another filesystem of that name has none of them, nor has another architecture.
    assert "Doing build_first" in site.run("site", "--check", gh200_architecture="x86_64").output
    (site.state / "growth.json").write_text(json.dumps({"wheels": {"fs-gone": wheels}}), encoding="utf-8")
    assert "Doing build_first" in site.run("site", "--check").output
    told = site.run("site", "--check", gh200_growth="at_once").output
    assert "Doing at_once; -e gh200_growth=build_first for the other." in told and "launching 4" not in told
    for name in wheels:
        (tmp_path / "wheelhouse" / name).mkdir(parents=True)
    local = site.run("site", "--check", gh200_wheel_cache=str(tmp_path / "wheelhouse")).output
    assert "The wheels are on the control node." in local and "Doing" not in local


def test_a_build_that_fails_has_cost_one_node_and_the_next_run_goes_on(site):
    site.trouble.write_text("fail", encoding="utf-8")
    failed = site.run("site")
    assert failed.status != 0 and list(site.alive()) == NODES[:1], failed.output
    head = site.alive()["r1-00"]
    again = site.run("site")
    assert again.status == 0 and again.asked == [LAUNCH] * 3 and site.alive()["r1-00"] == head, again.output
    assert where(again, BUILD)[0] == ("r1-00", 1) and len(where(again, BUILD)) == 4
    # It found a node, so that it does not know how long a build takes.
    assert site.notes()["seconds"] == {}


def test_a_head_that_ends_while_it_builds_is_made_anew_with_the_others(site):
    site.trouble.write_text("end", encoding="utf-8")
    done = site.run("site")
    assert done.status == 0 and done.asked == [LAUNCH, TERMINATE, *[LAUNCH] * 4] and sorted(site.alive()) == NODES
    assert where(done, BUILD)[0] == ("r1-00", 1) and sorted(where(done, BUILD)[1:]) == [(name, 4) for name in NODES]


def test_a_head_that_cannot_be_reached_is_the_only_one_that_is_paid_for(site):
    nobody = {"ansible_connection": "'ssh'", "ansible_host": "'127.0.0.1'", "ansible_port": "1"}
    told = json.loads(site.inventory.read_text(encoding="utf-8"))
    site.inventory.write_text(json.dumps(told | {"compose": told["compose"] | nobody}), encoding="utf-8")
    del site.variables["ansible_connection"]
    done = site.run("site")
    assert done.status != 0 and done.asked == [LAUNCH] and "unreachable=1" in done.output, done.output
    assert "The head r1-00 could not be reached, so nothing more is launched." in done.output
    assert not (site.state / "growth.json").exists()


def test_one_that_came_and_cannot_be_reached_ends_the_run(site):
    told = json.loads(site.inventory.read_text(encoding="utf-8"))
    how = {"ansible_connection": "'local' if lambda_name != 'r1-01' else 'ssh'", "ansible_host": "'127.0.0.1'"}
    compose = told["compose"] | how | {"ansible_port": "1"}
    site.inventory.write_text(json.dumps(told | {"compose": compose}), encoding="utf-8")
    del site.variables["ansible_connection"]
    done = site.run("site", gh200_size=2)
    assert done.status != 0 and done.asked == [LAUNCH] * 2 and not where(done, SERVE), done.output
    assert "r1-01 could not be reached. With one node missing, none serves" in done.output
    assert done.output.index("could not be reached. With") > done.output.index("[r1] launched r1-01")


def test_a_bad_head_is_replaced_before_it_builds(site):
    (site.folder / "bad").touch()
    done = site.run("site", gh200_replace_bad=True)
    assert done.status == 0 and done.asked == [LAUNCH, TERMINATE, *[LAUNCH] * 4], done.output
    assert "1 of 1 nodes are bad" not in done.output and "is replaced: 2 ECC errors" in done.output
    assert where(done, BUILD)[0] == ("r1-00", 1) and sorted(site.alive()) == NODES


def test_a_fleet_that_is_there_stays_and_only_what_is_missing_waits_for_the_build(site):
    assert site.run("provision").asked == [LAUNCH] * 4
    kept = site.alive()
    site.end("r1-02")
    done = site.run("site", gh200_allow_shrink=True)
    assert done.status == 0 and done.asked == [LAUNCH], done.output
    assert [(name, 3) for name in ("r1-00", "r1-01", "r1-03")] == sorted(where(done, BUILD)[:3])
    assert where(done, BUILD)[3:] == [("r1-02", 4)] and "build_first: 3 nodes for about" in done.output
    assert {name: site.alive()[name] for name in ("r1-00", "r1-01", "r1-03")} == {
        name: kept[name] for name in ("r1-00", "r1-01", "r1-03")
    }


def test_check_mode_predicts_the_steps_and_launches_nothing(site):
    done = site.run("site", "--check")
    assert done.status == 0 and done.asked == [] and done.marks == [], done.output
    assert "Doing build_first" in done.output and not (site.state / "growth.json").exists()
    assert "r1-00: to be launched" in site.run("site", "--check", "--diff").output


def test_with_a_limit_there_are_no_steps(site):
    done = site.run("site", "--limit", "localhost")
    assert done.asked == [LAUNCH] * 4 and "No wheels" not in done.output and not (site.state / "growth.json").exists()


def test_the_limit_of_price_is_told_before_the_head_is_paid_for(site):
    done = site.run("site", gh200_max_fleet_price=5)
    assert done.status != 0 and done.asked == [] and "would cost $9.16/h with 4 nodes" in done.output


def test_wheels_alone_take_one_node_and_then_none(site, tmp_path):
    cache = tmp_path / "wheelhouse"
    done = site.run("wheels", gh200_wheel_cache=str(cache), gh200_size=16, gh200_max_fleet_price=5)
    assert done.status == 0 and done.asked == [LAUNCH] and list(site.alive()) == NODES[:1], done.output
    assert "No wheels yet. They take 1 node for about 45 min: about $2." in done.output
    assert where(done, BUILD) == [("r1-00", 1)] and not where(done, SERVE)
    assert (
        "fleet r1 runs and is paid for: 1 node, $2.29/h, $" in done.output and "playbooks/teardown.yml" in done.output
    )
    for name in next(iter(site.notes()["wheels"].values())):
        (cache / name).mkdir(parents=True)
    again = site.run("wheels", gh200_wheel_cache=str(cache))
    assert again.status == 0 and again.asked == [] and again.marks == [], again.output
    assert "The wheels are on the control node. Nothing is to be done." in again.output
    refused = site.run("wheels", gh200_wheel_cache="")
    assert refused.status != 0 and "gh200_wheel_cache is empty" in refused.output
