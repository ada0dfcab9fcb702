# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge heals what can be healed, in order, with pauses and an end, and names what it cannot."""

from __future__ import annotations


def verbs(world):
    """What was done, without questions."""
    return [action[0] for action in world.done if action[0] in ("stop", "start", "renew")]


def test_what_serves_is_left_alone(world):
    world.load = 3
    world.step(1000)
    assert verbs(world) == []
    assert world.judge.ready
    assert not [action for action in world.done if action[0] == "canary"]


def test_an_idle_engine_is_asked_now_and_then(world):
    world.step(100)
    asked = [action for action in world.done if action[0] == "canary"]
    assert 8 <= len(asked) <= 10
    assert world.judge.ready


def test_an_engine_that_ends_by_itself_is_started_by_systemd_and_told(world):
    world.die("by signal 9")
    world.step()
    assert (world.judge.phase, world.judge.ready) == ("starting", False)
    assert world.judge.reason == "The engine ended, by signal 9"
    assert world.until("ready") <= world.start_seconds + 6
    assert verbs(world) == []
    (event,) = world.judge.events
    assert event["up_after"] >= world.start_seconds


def test_a_restart_by_hand_is_no_failure(world):
    world.begin(0)
    world.until("ready")
    assert (world.judge.failures, world.judge.events) == (0, [])


def test_a_restart_that_is_under_way_is_not_disturbed(world):
    world.busy = True
    world.lost |= {"r1-01", "r1-02"}
    world.step(10)
    assert world.done == []
    world.busy = False
    world.begin(0)
    world.until("ready")
    assert verbs(world) == []


def test_what_somebody_stopped_stays_stopped(world):
    world.state = "inactive"
    world.step(500)
    assert world.judge.phase == "stopped"
    assert verbs(world) == []
    world.begin(0)
    world.step()
    assert (world.judge.phase, world.judge.reason) == ("starting", "")
    world.until("ready")


def test_a_rank_that_ends_while_nobody_asks_is_noticed(world):
    world.lost.add("r1-02")
    world.step(3)
    assert world.judge.phase == "healing"
    assert "r1-02: its rank ended" in world.judge.reason
    world.until("ready")
    assert verbs(world) == ["stop", "start"]


def test_requests_without_a_token_are_a_hang_and_ranks_that_outlive_the_server_get_a_new_ray(world):
    world.load, world.hang = 2, True
    world.stopped.add("r1-01")
    waited = world.until("healing", 70)
    assert waited >= 40
    assert "r1-01: process 7 of its rank is stopped" in world.judge.reason
    assert world.judge.culprits[0]["node"] == "r1-01"
    world.load = 0
    world.until("ready")
    assert [action[:2] for action in world.done if action[0] not in ("check", "canary")] == [
        ("stop",),
        ("wait",),
        ("wait",),
        ("wait",),
        ("renew", "r1-01"),
        ("start",),
    ]


def test_a_hang_while_nobody_asks_is_found_by_the_canary(world):
    world.hang = True
    assert world.until("healing", 60) <= 44
    assert "The canary failed: no answer within 20 s" in world.judge.reason


def test_one_odd_answer_is_asked_again_before_anything_is_stopped(world):
    world.answers = "HTTP Error 500"
    while not any(action[0] == "canary" for action in world.step()):
        pass
    world.answers = None
    world.step(5)
    assert verbs(world) == []
    world.answers = "wrong text"
    world.until("healing", 60)
    assert "wrong text" in world.judge.reason


def test_a_busy_engine_that_makes_the_canary_wait_is_not_stopped(world):
    world.hang = True
    while not any(action[0] == "canary" for action in world.step()):
        pass
    world.hang, world.load = False, 5
    world.step(50)
    assert verbs(world) == []


def test_a_node_that_is_silent_is_named_soon_and_the_engine_stopped_when_it_cannot_go_on(world):
    world.silent.add("r1-01")
    world.step(8)
    assert not world.judge.ready
    (named,) = world.judge.culprits
    assert (named["node"], "site.yml replaces it" in named["do"]) == ("r1-01", True)
    world.step(100)
    assert world.judge.phase == "healing"
    assert verbs(world) == ["stop"]
    assert [found["node"] for found in world.judge.culprits] == ["r1-01"]
    world.silent.clear()
    world.until("ready")


def test_a_node_that_comes_back_with_another_ray_is_waited_for_and_then_the_engine_starts(world):
    world.reboot("r1-02", 60)
    world.step(10)
    assert world.judge.phase == "healing"
    world.until("ready")
    assert verbs(world) == ["stop", "start"]


def test_ray_that_the_head_does_not_count_gets_a_new_start_and_once_in_its_time(world):
    world.uncounted.add("r1-01")
    world.step(3)
    assert world.judge.phase == "healing"
    assert world.until("ready") < 30 + world.start_seconds + 20
    assert [action[:2] for action in world.done if action[0] == "renew"] == [("renew", "r1-01")]


def test_ray_that_is_late_while_the_engine_starts_is_left_alone(world):
    world.start_seconds = 200
    world.begin(0)
    world.step(60)
    world.ray_up = False
    world.step(30)
    assert world.judge.phase == "starting"
    assert verbs(world) == []


def test_after_the_heads_ray_began_anew_older_ones_are_renewed_at_once(world):
    world.renew("r1-00")
    world.die()
    world.uncounted |= {"r1-01", "r1-02"}
    assert world.until("ready") < world.start_seconds + 20
    assert {action[1] for action in world.done if action[0] == "renew"} == {"r1-01", "r1-02"}


def test_pauses_grow_and_end_and_a_node_that_returns_gives_one_more_try(world):
    world.first_trouble = "It serves wrong text."
    world.die()
    world.until("given up", 2000)
    starts = verbs(world).count("start")
    assert starts == 4
    assert world.now - 1000 > 0 + 5 + 20 + 60
    assert world.judge.reason == "It serves wrong text."
    world.step()
    assert "started no more" in world.judge.culprits[0]["what"]
    before = len(world.done)
    world.step(1000)
    assert len(world.done) == before
    world.first_trouble = None
    world.renew("r1-02")
    world.until("ready")


def test_what_is_disabled_while_it_heals_stays_stopped(world):
    world.reboot("r1-02", 60)
    world.until("healing")
    world.enabled = False
    world.until("stopped")
    world.step(100)
    assert verbs(world) == ["stop"]


def test_a_watchdog_that_began_anew_goes_on_healing(world, load):
    world.reboot("r1-02", 60)
    world.until("healing")
    phase, world.judge = world.judge.phase, type(world.judge)(world.judge.settings, world.now)
    world.judge.resume(phase)
    world.until("ready")
    assert verbs(world) == ["stop", "start"]


def test_a_start_by_hand_ends_giving_up(world):
    world.first_trouble = "It serves wrong text."
    world.die()
    world.until("given up", 2000)
    world.first_trouble = None
    world.begin(0)
    world.until("ready")
    assert world.judge.failures == 0


def test_one_failure_after_another_is_healed_without_a_pause_when_it_was_ready_in_between(world):
    for dummy in range(5):
        world.lost.add("r1-02")
        world.until("healing")
        assert world.until("ready") <= world.start_seconds + 12
    assert [action[0] for action in world.done if action[0] == "renew"] == []


def test_a_service_that_flaps_gets_pauses_and_an_end(world):
    for dummy in range(20):
        world.start_seconds = 4
        world.lost.add("r1-02")
        world.step(4)
        while world.judge.phase not in ("ready", "given up"):
            world.step()
        if world.judge.phase == "given up":
            break
    assert world.judge.phase == "given up"
    assert verbs(world).count("start") >= 9


def test_a_start_that_takes_too_long_is_a_failure_unless_it_waits_for_a_node(world):
    world.reboot("r1-01", 400)
    world.until("healing")
    world.start_seconds = 10000
    world.begin(0)
    world.step(180)
    assert world.judge.phase == "starting"
    world.until("healing", 400)
    assert "not up within 300 s" in world.judge.reason


def test_ray_on_the_head_that_does_not_answer_is_started_anew_before_the_engine(world):
    world.lost.add("r1-02")
    world.until("healing")
    world.ray_up = False
    world.step(25)
    assert ("renew", "r1-00", "the head's Ray does not count this node") in world.done
    world.ray_up = True
    world.until("ready")
