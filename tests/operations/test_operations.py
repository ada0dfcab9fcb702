# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a fleet that serves: flags, another key, stop and start, another model and back, another engine and
back; each with the time for which clients had no answer. On a lab of two nodes that runs.

The tests are one story and run in the order of this file.
"""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest
import yaml

from lab.config import Paths
from tests.e2e import key_places
from tests.e2e.running import BIN, REPOSITORY, Server, inventory, on, playbook
from tests.operations import other_model

ODD = "as\"sist %i $HOME \\n 'x' ü"
FLAGS = json.dumps({"vllm_serve_flags": {"response-role": ODD}})
ALL = REPOSITORY / "inventory/lab/group_vars/all.yml"
PROMPT = "The capital of France is"


@pytest.fixture(name="keys", scope="module")
def every_key_so_far():
    """The latest last."""
    return [server().key]


def changes(output):
    """Over all hosts."""
    rows = re.findall(r"changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", output)
    assert rows and all(row[1:] == ("0", "0") for row in rows), output
    return sum(int(row[0]) for row in rows)


@functools.cache
def nodes():
    """Name of the head, and the variables of all nodes."""
    return inventory()


def head():
    return nodes()[1][nodes()[0]]


def server(key=None, model="dsv3-tiny"):
    """With the key that the file on the control node has now."""
    return Server(f"http://{head()['gh200_address']}:8000/v1", model, key or Paths().api_key.read_text("utf-8").strip())


def unit(what):
    return on(head(), f"systemctl show vllm --value --property={what}").strip()


def starts():
    """How often the unit was started since the node was booted."""
    return int(on(head(), "sudo journalctl --unit=vllm --output=cat | grep -c '^Started ' || true"))


def gap(output):
    """The sentence about it."""
    said = re.findall(r'"msg": "(gap: [^"]+)"', output)
    assert len(said) == 1, output
    print(said[0])
    return said[0]


def text(key=None, model="dsv3-tiny"):
    asked = {"prompt": PROMPT, "max_tokens": 8, "temperature": 0}
    return server(key, model).get("/completions", asked)["choices"][0]["text"]


def refused(key):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        text(key=key)
    return refusal.value.code == 401


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"enforce-eagre": True}, "unrecognized arguments: --enforce-eagre. Is --enforce-eager meant?"),
        ({"enable-expert-parallel": True}, "vLLM 0.7.2"),
        ({"max-num-batched-tokens": "many"}, "argument --max-num-batched-tokens: invalid int value"),
        ({"max_model_len": 99}, "--max-model-len has a variable of its own: set vllm_serve_max_model_len."),
        ({"api-key": "x"}, "--api-key would show a secret in every process list"),
    ],
)
@pytest.mark.parametrize("mode", [[], ["--check"]], ids=["run", "check"])
def test_a_flag_that_is_refused_ends_no_server(flags, sentence, mode):
    before = unit("InvocationID")
    status, output = playbook("playbooks/serve.yml", *mode, "-e", json.dumps({"vllm_serve_flags": flags}))
    assert status != 0 and sentence in " ".join(output.split()) and "Traceback" not in output
    assert unit("InvocationID") == before and text().startswith(" Paris")


def test_another_key_costs_one_restart_and_the_old_one_is_refused(keys):
    before = starts()
    status, output = playbook("playbooks/rotate_key.yml", "--check", "--diff", "-e", FLAGS)
    assert status == 0 and changes(output) == 2 and server().key == keys[-1] and starts() == before
    status, output = playbook("playbooks/rotate_key.yml", "-vvv", "--diff", "-e", FLAGS)
    assert status == 0 and changes(output) == 2, output
    keys.append(server().key)
    assert keys[0] != keys[1] and len(keys[1]) == 43
    assert not [key for key in keys if key in output]
    assert starts() == before + 1 and gap(output).startswith("gap: ") and "none" not in gap(output)
    assert refused(keys[0]) and text().startswith(" Paris")


def test_every_letter_of_a_flag_arrives():
    answer = server().get("/chat/completions", {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4})
    assert answer["choices"][0]["message"]["role"] == ODD


def test_a_second_run_without_the_variable_changes_nothing(keys):
    status, output = playbook("playbooks/serve.yml", "-e", FLAGS)
    assert status == 0 and changes(output) == 0 and server().key == keys[-1]


def test_a_run_that_dies_after_the_new_key_was_written_is_made_whole_by_the_next(keys):
    words = [str(BIN / "ansible-playbook"), "-i", "inventory/lab", "playbooks/rotate_key.yml"]
    with subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.DEVNULL, start_new_session=True) as run:
        while run.poll() is None and server().key == keys[-1]:
            time.sleep(0.01)
        assert run.poll() is None
        os.killpg(run.pid, signal.SIGKILL)
    keys.append(server().key)
    assert keys[-1] != keys[-2]
    status, output = playbook("playbooks/serve.yml")
    assert status == 0 and changes(output) > 0 and server().key == keys[-1]
    assert text().startswith(" Paris") and refused(keys[-2])
    assert key_places.is_held(head(), keys[-1])


def test_no_key_lies_anywhere_but_in_its_file(keys):
    for name, variables in nodes()[1].items():
        assert key_places.places(variables, keys) == [], name


def test_the_search_for_a_key_finds_one():
    planted = "planted-key-that-is-none"
    on(head(), f"echo {planted} > /tmp/planted; logger {planted}")
    try:
        assert {"/tmp/planted", "journal"} <= set(key_places.places(head(), [planted]))
    finally:
        on(head(), "rm /tmp/planted")


def test_what_is_stopped_stays_stopped_until_it_is_started():
    status, output = playbook("playbooks/stop.yml")
    assert status == 0 and changes(output) == 1
    assert (unit("ActiveState"), unit("UnitFileState")) == ("inactive", "disabled")
    status, output = playbook("playbooks/stop.yml")
    assert status == 0 and changes(output) == 0
    status, output = playbook("playbooks/start.yml")
    assert status == 0 and "none" not in gap(output)
    assert (unit("ActiveState"), unit("UnitFileState")) == ("active", "enabled") and text().startswith(" Paris")
    status, output = playbook("playbooks/start.yml")
    assert status == 0 and changes(output) == 0 and "gap: none" in gap(output)


@pytest.fixture(name="models", scope="module")
def an_inventory_with_two_models():
    """It says what each must know, and not which one is served."""
    values = yaml.safe_load(ALL.read_text(encoding="utf-8"))
    values["gh200_models"]["other"] = other_model.write(Paths().hub)
    del values["gh200_model"]
    facts = {
        "tiny": [{"prompt": PROMPT, "expect": ["Paris"]}],
        "other": [{"prompt": PROMPT, "expect": [other_model.capital("France")]}],
    }
    values["vllm_serve_facts"] = "{{ " + json.dumps(facts) + "[gh200_model] }}"
    before = ALL.read_text(encoding="utf-8")
    # In their order, for names are made from them.
    ALL.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    yield values
    ALL.write_text(before, encoding="utf-8")
    other_model.remove(Paths().hub)


def sent(values):
    """Bytes that the hub has sent so far."""
    with urllib.request.urlopen(f"{values['gh200_hub_endpoint']}/lab/counts") as answer:
        return sum(sum(counts.values()) for counts in json.load(answer).values())


def test_another_model_is_fetched_while_the_first_one_serves(models):
    status, output = playbook("playbooks/switch_model.yml", "-e", "gh200_model=other")
    assert status == 0 and "none" not in gap(output)
    assert output.index("Fetch and verify the models") < output.index("Run vLLM")
    assert text(model="dsv3-other").strip().startswith(other_model.capital("France"))


def test_a_later_run_serves_it_still(models):
    status, output = playbook("playbooks/serve.yml")
    assert status == 0 and changes(output) == 0


def test_the_way_back_fetches_nothing(models):
    before = sent(models)
    status, output = playbook("playbooks/switch_model.yml", "-e", "gh200_model=tiny")
    assert status == 0 and "none" not in gap(output) and sent(models) == before
    assert text(model="dsv3-tiny").startswith(" Paris")
    status, output = playbook("playbooks/switch_model.yml", "-e", "gh200_model=tiny")
    assert status == 0 and changes(output) == 0 and "gap: none" in gap(output)


def engine():
    return (
        on(
            head(),
            "sudo readlink /proc/$(systemctl show vllm --value --property=MainPID)/exe; "
            "systemctl show vllm --property=ExecStart",
        )
        .partition("/venvs/")[2]
        .partition("/")[0]
    )


def test_another_engine_is_made_beside_and_the_way_back_builds_nothing(models):
    before = engine()
    # Another name with the same in it.
    excluded = json.dumps({"vllm_build_excluded": [*models["vllm_build_excluded"], "nothing-of-this-name"]})
    status, output = playbook("playbooks/upgrade.yml", "-e", excluded)
    after = engine()
    assert status == 0 and "none" not in gap(output) and before != after and f"{after} serves" in output
    assert text(model="dsv3-tiny").startswith(" Paris")
    status, output = playbook("playbooks/upgrade.yml", "-e", f"vllm_build_id={before}")
    assert status == 0 and engine() == before and "none" not in gap(output) and "bring.yml" not in output
    assert text(model="dsv3-tiny").startswith(" Paris")
